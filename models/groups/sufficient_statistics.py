"""Rows of groups, reduced to what the likelihood sees of them: size, mean and sum of squares of each group.

A frame is reduced where it lives, by sums and sums of squares about an offset that is one of its values; no engine's
own variance is trusted. Where a group's spread is small beside its distance from the offset these sums cancel: then all
are taken again, about each group's own mean.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.groups import naming

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

OFFSET_ROWS = 1_000  # that the offset is taken from
LARGEST_PLAIN_SPREAD = 1e30  # whose squares, and the sums of them, no double minds; so its reciprocal
SMALLEST_SUM_OF_SQUARES = 1e-290  # below it squares underflow, and so have lost digits
# Added one after the other, n squares are off by some n/2 roundings of their sum, and s^2/n by n: together they cost ss
# some 1.5 n 2^-53 (1 + mean^2 / variance) of itself, and twice that at the very most (METHOD.md, section 6). What the
# mean adds to it is kept below 5e-10, so below 1e-9.
LARGEST_CANCELLATION = 5e-10 / (1.5 * 2**-53)  # of n mean^2 / variance: beyond it sums are taken again


class Statistics(NamedTuple):
    """Size, mean and sum of squared deviations from it of each group, ndarray (J,)."""

    n: np.ndarray
    mean: np.ndarray
    ss: np.ndarray


class Reduced(NamedTuple):
    """Groups as sums have them, in the order of their labels.

    Attributes
    ----------
    labels : list of str
    n, mean, ss : ndarray (J,)
        Sizes, means as (mean - offset) / unit, and sums of squared deviations over unit^2.
    offset, unit : float
        One of the values, and a power of two, which costs no digits.
    spread : float
        Typical distance from the offset: the median of all rows if they are few, else that of the groups' root mean
        squares, as the first rows of a file may be nothing like the others.
    covariates : dict
        Name to label to value.
    """

    labels: list[str]
    n: np.ndarray
    mean: np.ndarray
    ss: np.ndarray
    offset: float
    unit: float
    spread: float
    covariates: dict[str, dict[str, object]]


def of_frame(frame: "IntoFrame | dict", *, group: str, value: str, covariates: Sequence[str] = ()) -> Reduced:
    """Reduce a frame of one row an observation, lazy or not, on one machine or many.

    Parameters
    ----------
    frame : any frame that narwhals knows, or a dictionary of columns
        Nothing but the table of groups leaves it.
    group, value : str
        Columns.
    covariates : sequence of str
        Columns that are constant within a group.

    Raises
    ------
    ValueError
        For a column that is not there or of the wrong kind, a label or value that is missing or not finite, numbers
        whose squares no double holds together, or a covariate that varies within a group.
    """
    from models.groups import dataframes, frame_sums  # narwhals takes its time to import

    table = dataframes.of_rows(frame, group, value, covariates)
    offset, spread = frame_sums.middle(table, value, OFFSET_ROWS)
    plain = spread == 0 or 1 / LARGEST_PLAIN_SPREAD < spread < LARGEST_PLAIN_SPREAD
    unit = 1.0 if plain else float(2.0 ** np.floor(np.log2(spread)))
    sums = frame_sums.about(table, offset, unit)
    n, mean, ss = sums["n"].astype(float), sums["s"] / sums["n"], frame_sums.squares(sums)
    with np.errstate(over="ignore", invalid="ignore"):
        accurate = (ss >= SMALLEST_SUM_OF_SQUARES) & (n * mean**2 <= LARGEST_CANCELLATION / n * ss)
    accurate |= n == 1
    suffices = unit == 1 and np.all(accurate & np.isfinite(sums["q"]))
    if not suffices:
        sums |= frame_sums.ends(table)
    frame_sums.require_whole(table, sums, group, value)
    if not suffices:
        frame_sums.require_weighable(np.isfinite(sums["q"]), value)
        low, varies = sums["y low"], sums["y low"] < sums["y high"]
        if (varies & ~accurate).any():
            mean, ss = frame_sums.about_own_means(table, offset, unit)
        frame_sums.require_weighable((ss >= SMALLEST_SUM_OF_SQUARES)[varies], value)
        mean, ss = np.where(varies, mean, low / unit - offset / unit), np.where(varies, ss, 0.0)
    constants = frame_sums.constants(table, sums, covariates)
    spread = spread if n.sum() <= OFFSET_ROWS else unit * _typical_distance(n, mean, ss)
    return Reduced(naming.spelled(sums["group"]), n, mean, ss, offset, unit, spread, constants)


def _typical_distance(n, mean, ss) -> float:
    """Median of the groups' root mean squares about the offset, which no far group moves; if 0, the largest."""
    away, middle = np.sqrt(mean**2 + ss / n), (len(n) - 1) // 2
    return float(np.partition(away, middle)[middle] or away.max())


@np.errstate(over="ignore", invalid="ignore")  # what overflows is no finite number, and refused as such
def of_values(position: np.ndarray, values: np.ndarray) -> Statistics:
    """Size, mean and sum of squares of each group, `position` being that of each value: 0, 1, ...

    Less the first value of its group a value is exact where the group's resemble each other; what rounding has left of
    the sum of deviations is taken off again.

    Examples
    --------
    >>> of_values(np.array([0, 1, 0]), np.array([4.0, 7.0, 6.0]))
    Statistics(n=array([2, 1]), mean=array([5., 7.]), ss=array([2., 0.]))
    """
    n = np.bincount(position)
    y = values[np.argsort(position, kind="stable")]
    starts = np.cumsum(n) - n
    first = y[starts]
    away = y - np.repeat(first, n)
    mean = np.add.reduceat(away, starts) / n  # added in pairs: errors grow with the log of the size
    deviation = away - np.repeat(mean, n)
    ss = np.add.reduceat(deviation**2, starts) - np.add.reduceat(deviation, starts) ** 2 / n
    return Statistics(n, first + mean, np.where(n > 1, np.maximum(ss, 0.0), 0.0))


@np.errstate(over="ignore", invalid="ignore")
def merged(
    n: np.ndarray, mean: np.ndarray, ss: np.ndarray, more: np.ndarray, other: np.ndarray, squares: np.ndarray
) -> Statistics:
    """Size, mean and sum of squares of groups seen in two parts; nothing cancels (Chan, Golub and LeVeque 1983).

    Parameters
    ----------
    n, mean, ss : ndarray (J,)
        Of the first part, which may be empty.
    more, other, squares : ndarray (J,)
        Size, mean and sum of squares of the second, which may not.
    """
    size, apart = n + more, other - mean
    return Statistics(size, mean + apart * more / size, ss + squares + apart**2 * n * more / size)
