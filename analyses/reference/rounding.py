"""Digits that an error supports."""

import math

DIGITS = 15  # of a double, where the error is 0


def round_to_error(value: float, error: float) -> float | None:
    """Round a value to its last digit that is larger than its error.

    Returns
    -------
    float or None
        None for nan, a value that does not exist.

    Examples
    --------
    >>> round_to_error(48.105012345678, 2e-5)
    48.105
    """
    if math.isnan(value):
        return None
    decimals = -math.ceil(math.log10(error)) if error > 0 else DIGITS - math.ceil(math.log10(abs(value)))
    return round(value, decimals)
