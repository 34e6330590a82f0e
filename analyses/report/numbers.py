"""Numbers as text, with the digits that a reader wants."""

import math
from collections.abc import Mapping

from analyses.checks import probability

MOST_DIGITS = 15  # of a double
TINY = 1e-12  # a smaller probability, as a difference from 1, may be made of rounding
ROUNDING = 1e-9  # of an sd: what a number that is right to 1e-10 of it may be when it should be 0
POSITIONAL = (-4, 15)  # powers of ten between which numbers are written out, without an exponent


def places(sd: float) -> int:
    """Decimals that tell a tenth of an sd.

    Examples
    --------
    >>> places(0.5283), places(15.0)
    (2, 0)
    """
    return max(0, 1 - math.floor(math.log10(sd)))


def spelled(value: float, sd: float | None = None, *, least: int = 4) -> str:
    """Four digits, or as many as tell a tenth of the sd, that of an offset of 1e9 included.

    Trailing zeros stay, as they tell how far the number is known. Whole numbers without an sd have none to show. No
    digit before the decimal point is rounded away, and a single digit that would carry into the next power of ten gets
    another.

    Parameters
    ----------
    value : float
    sd : float, optional
    least : int
        Digits to give at least; in a sentence one will do.

    Examples
    --------
    >>> spelled(48.10501, 0.5283), spelled(1000000012.346, 0.52), spelled(0.000123456), spelled(5.239, 5.1, least=1)
    ('48.11', '1000000012.35', '0.0001235', '5.2')
    >>> spelled(9.71, 40.0, least=1), spelled(99.6, 400.0, least=1), spelled(0.3), spelled(28.0)
    ('9.7', '100', '0.3000', '28')
    >>> spelled(-5e-19, 0.28)  # rounding, where the sd is that
    '0.00'
    """
    if value is None or math.isnan(value):
        return ""
    value = float(value)
    if sd and math.isfinite(sd) and abs(value) < ROUNDING * abs(sd):
        return f"{0:.{places(abs(sd)) if places(abs(sd)) <= MOST_DIGITS else 0}f}"
    if value == 0 or not math.isfinite(value):
        return f"{value + 0.0:g}"
    if sd is None and value == round(value) and abs(value) < 10.0 ** POSITIONAL[1]:
        return f"{value:.0f}"
    digits = _digits(value, sd, least)
    if sd is None:
        return rounded(value, digits)
    if digits == 1 and _carries(value, digits):  # 9.7, not 10
        digits = 2
    if not _is_written_out(value, digits):
        return rounded(value, digits + _carries(value, digits))
    # Decimals of the number before rounding: where that carries, as of 0.996 to two digits, it is 1.00, not 1.0.
    return f"{value:.{max(0, digits - 1 - _power(value, MOST_DIGITS))}f}"


def _digits(value, sd, least) -> int:
    """Digits to be given: those that tell a tenth of the sd, where there is one."""
    if not (sd and math.isfinite(sd)):
        return 4
    return min(max(least, _power(value, MOST_DIGITS) - math.floor(math.log10(abs(sd))) + 2), MOST_DIGITS)


def _power(value, digits) -> int:
    """Power of ten of the first digit once the value is rounded, which may carry: 9.71 to one digit is 10."""
    return int(f"{value:.{digits - 1}e}".partition("e")[2])


def _carries(value, digits) -> bool:
    """Whether rounding to so many digits carries into the next power of ten."""
    return _power(value, digits) > _power(value, MOST_DIGITS)


def _is_written_out(value, digits) -> bool:
    """Whether a number needs no exponent, before or after it is rounded to so many digits."""
    return any(POSITIONAL[0] <= _power(value, count) < POSITIONAL[1] for count in (digits, MOST_DIGITS))


def rounded(value: float, digits: int = 2) -> str:
    """So many digits, zeros at the end among them, and no exponent where a reader does without.

    Examples
    --------
    >>> rounded(0.2), rounded(5.587), rounded(99.7), rounded(1234.5, 3)
    ('0.20', '5.6', '100', '1234')
    """
    if not _is_written_out(value, digits):
        return f"{value:.{digits - 1}e}"
    return f"{value:.{max(0, digits - 1 - _power(value, digits))}f}"


def median_and_interval(quantiles: Mapping[str, float]) -> str:
    """Write a median with its 95% interval.

    Examples
    --------
    >>> median_and_interval({"q2_5": 4.02, "q50": 8.112, "q97_5": 12.4})
    '8.1 (4.0 to 12.4)'
    """
    sd = (quantiles["q97_5"] - quantiles["q2_5"]) / 4
    low, middle, high = (spelled(quantiles[name], sd, least=1) for name in ("q2_5", "q50", "q97_5"))
    return f"{middle} ({low} to {high})"


def bound(error: float) -> str:
    """The next power of ten above a numerical error.

    Examples
    --------
    >>> bound(3e-13), bound(0.02)
    ('1e-12', '0.1')
    """
    return f"{10.0 ** (math.floor(math.log10(max(error, 1e-16))) + 1):g}"


def probability_in_table(p: float, decimals: int = 3) -> str:
    """A probability in a cell: small ones with two digits, one that no computation tells from 0 or 1 by its bound.

    Examples
    --------
    >>> probability_in_table(0.731), probability_in_table(0.99996), probability_in_table(2e-5), probability_in_table(0)
    ('0.731', '>0.999', '2.0e-05', '<0.001')
    """
    if TINY < p < 0.5 * 10.0**-decimals:
        return rounded(p)
    return probability(p, decimals, below="<", above=">")
