"""Checks. Each makes a table and passes one verdict, in a sentence.

Checks of the computation ask whether engines have the right posterior. Checks of the model, called "fit", ask whether
the data look like data from it: a model that does not fit is a finding, and its posterior may be computed correctly.
"""

from typing import NamedTuple


class Verdict(NamedTuple):
    """Outcome of a check; `check` is its kind."""

    check: str
    passed: bool
    sentence: str


def chance(p: float) -> str:
    """A probability in a sentence that never says 0 or 1."""
    return "P < 0.001" if p < 5e-4 else "P > 0.999" if p > 1 - 5e-4 else f"P = {p:.3f}"


def probability(p: float, decimals: int = 2, *, below: str = "below ", above: str = "above ") -> str:
    """A probability in a sentence, bounded where rounding would make it 0 or 1.

    Examples
    --------
    >>> probability(0.731), probability(0.9996), probability(0.0)
    ('0.73', 'above 0.99', 'below 0.01')
    """
    unit = 10.0**-decimals
    if p < unit / 2:
        return f"{below}{unit:.{decimals}f}"
    if p > 1 - unit / 2:
        return f"{above}{1 - unit:.{decimals}f}"
    return f"{p:.{decimals}f}"
