"""Checks. Each makes a table and passes one verdict, in a sentence."""

from typing import NamedTuple


class Verdict(NamedTuple):
    """What a check found."""

    check: str
    passed: bool
    sentence: str
