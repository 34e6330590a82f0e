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
    """A probability in a sentence that never says 0 or 1.

    Examples
    --------
    >>> chance(0.731), chance(0.9995), chance(0.0)
    ('P = 0.731', 'P > 0.999', 'P < 0.001')
    """
    return probability(p, 3, below="P < ", above="P > ", within="P = ")


def probability(p: float, decimals: int = 2, *, below: str = "below ", above: str = "above ", within: str = "") -> str:
    """A probability in a sentence, bounded where rounding would make it 0 or 1.

    Examples
    --------
    >>> probability(0.731), probability(0.9996), probability(0.0)
    ('0.73', 'above 0.99', 'below 0.01')
    """
    unit, text = 10.0**-decimals, f"{p:.{decimals}f}"
    if float(text) == 0:
        return f"{below}{unit:.{decimals}f}"
    if float(text) == 1:
        return f"{above}{1 - unit:.{decimals}f}"
    return f"{within}{text}"
