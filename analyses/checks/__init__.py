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
    """A probability in a sentence that never says 0 or 1."""
    return "P < 0.001" if p < 5e-4 else "P > 0.999" if p > 1 - 5e-4 else f"P = {p:.3f}"
