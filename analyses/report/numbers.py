"""Numbers with the digits that a reader wants."""

import math


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
    """
    if value is None or math.isnan(value):
        return ""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    size, digits = math.floor(math.log10(abs(value))), 4
    if sd and math.isfinite(sd):
        digits = min(max(least, size - math.floor(math.log10(abs(sd))) + 2), 15)
    return f"{value:.0f}" if digits <= size < 15 else f"{value:.{digits}g}"
