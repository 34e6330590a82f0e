"""Checks. Each makes a table and passes one verdict, in a sentence."""

from typing import NamedTuple

import numpy as np


class Verdict(NamedTuple):
    """What a check found."""

    check: str
    passed: bool
    sentence: str


def share(holds: np.ndarray) -> float:
    """Monte Carlo P: of the draws and the data themselves, for none of so many draws is not none."""
    return float((np.sum(holds) + 1) / (np.size(holds) + 1))


def chance(p: float) -> str:
    """A probability in words that never say none."""
    return f"P = {p:.3f}" if p >= 5e-4 else "P < 0.001"
