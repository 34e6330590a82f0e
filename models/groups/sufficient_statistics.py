"""Rows of groups, reduced to what the likelihood sees of them: size, mean and sum of squares of each group.

A frame is reduced where it lives, by sums and sums of squares about an offset that is one of its values; no engine's
own variance is trusted. Where a group's spread is small beside its distance from the offset these sums cancel: then all
are taken again, about each group's own mean.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.groups import column_types, dataframes

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

HEAD = 1_000  # rows that the offset is taken from
TAME = 1e30  # sizes of spreads whose squares, and the sums of them, no double minds
DUST = 1e-290  # sums of squares below it are of squares that underflow, and so have lost digits
# Added one after the other, n squares are off by some n/2 roundings of their sum, and s^2/n by n: together they cost ss
# some 1.5 n 2^-53 (1 + mean^2 / variance) of itself, and twice that at the very most (METHOD.md, section 6). What the
# mean adds to it is kept below 5e-10, so below 1e-9.
CANCELS = 5e-10 / (1.5 * 2**-53)  # n mean^2 / variance: beyond it sums are taken again


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
    table = column_types.of_frame(frame, group, value, covariates)
    offset, spread = _middle(table, value)
    unit = 1.0 if spread == 0 or 1 / TAME < spread < TAME else float(2.0 ** np.floor(np.log2(spread)))
    found = _sums_about(table, offset, unit)
    n, mean, ss = found["n"].astype(float), found["s"] / found["n"], _squares(found)
    with np.errstate(over="ignore", invalid="ignore"):
        good = (n == 1) | ((ss >= DUST) & (n * mean**2 <= CANCELS / n * ss))
    if unit == 1 and np.all(good & np.isfinite(found["q"])):
        dataframes.require_whole(table, found, group, value)
    else:
        found |= _ends(table)
        dataframes.require_whole(table, found, group, value)
        _require(np.isfinite(found["q"]).all(), value)
        low, varies = found["y low"], found["y low"] < found["y high"]
        if (varies & ~good).any():
            mean, ss = _about_own_means(table, offset, unit)
        _require((ss >= DUST)[varies].all(), value)
        mean, ss = np.where(varies, mean, low / unit - offset / unit), np.where(varies, ss, 0.0)
    of_groups = dataframes.constants(table, found, covariates)
    spread = spread if n.sum() <= HEAD else unit * _typical(n, mean, ss)
    return Reduced(dataframes.labelled(found["group"]), n, mean, ss, offset, unit, spread, of_groups)


@np.errstate(over="ignore", invalid="ignore")  # what overflows is no finite number, and refused as such
def of_values(which: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Size, mean and sum of squares of each group, `which` naming that of each value by 0, 1, ...

    Less the first value of its group a value is exact where the group's resemble each other; what rounding has left of
    the sum of deviations is taken off again.

    Examples
    --------
    >>> of_values(np.array([0, 1, 0]), np.array([4.0, 7.0, 6.0]))
    (array([2, 1]), array([5., 7.]), array([2., 0.]))
    """
    n, y = np.bincount(which), values[np.argsort(which, kind="stable")]
    starts = np.cumsum(n) - n
    first = y[starts]
    away = y - np.repeat(first, n)
    mean = np.add.reduceat(away, starts) / n  # added in pairs: errors grow with the log of the size
    deviation = away - np.repeat(mean, n)
    ss = np.add.reduceat(deviation**2, starts) - np.add.reduceat(deviation, starts) ** 2 / n
    return n, first + mean, np.where(n > 1, np.maximum(ss, 0.0), 0.0)


@np.errstate(over="ignore", invalid="ignore")
def merged(
    n: np.ndarray, mean: np.ndarray, ss: np.ndarray, more: np.ndarray, other: np.ndarray, squares: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Size, mean and sum of squares of groups seen in two parts; nothing cancels (Chan, Golub and LeVeque 1983).

    Parameters
    ----------
    n, mean, ss : ndarray (J,)
        Of the first part, which may be empty.
    more, other, squares : ndarray (J,)
        The same of the second, which may not.
    """
    size, apart = n + more, other - mean
    return size, mean + apart * more / size, ss + squares + apart**2 * n * more / size


def _middle(table, value: str) -> tuple[float, float]:
    """The median of the first values, which is one of them, and the median distance from it."""
    head = dataframes.fetched(table.lazy().select("y").head(HEAD))["y"].astype(float)
    some = np.sort(head[np.isfinite(head)])
    if len(head) == 0:
        raise ValueError("there are no rows")
    if len(some) == 0:
        return 0.0, 0.0  # and the sums will tell which row is at fault
    offset = float(some[(len(some) - 1) // 2])
    with np.errstate(over="ignore"):
        away = np.sort(np.abs(some - offset))
    _require(np.isfinite(away[-1]), value)
    return offset, float(away[(len(away) - 1) // 2] or away[-1])


def _require(holds, value: str) -> None:
    """Refuse numbers that no double can weigh together, where something is not to be had of them."""
    if not holds:
        raise ValueError(f"numbers in {value!r} differ so much in size that no double can weigh them together")


def _sums_about(table, offset: float, unit: float) -> dict[str, np.ndarray]:
    """Sums about the common offset, how many values are known, and of covariates the ends as well."""
    import narwhals as nw  # takes its time to import, and only frames need it

    of_covariates: dict[str, nw.Expr] = {}
    for name in table.collect_schema().names():
        if name not in ("group", "y"):
            of_covariates |= {f"{name} known": nw.col(name).count(), **_of_ends(name)}
    if table.implementation.is_pandas():
        of_rows = _counted(table.lazy().collect().to_native(), offset, unit)
        return of_rows | (_grouped(table.lazy(), **of_covariates) if of_covariates else {})
    y = nw.col("y")
    return _sums(table.lazy(), _away(y, offset, unit), **{"y known": y.count()}, **of_covariates)


def _away(y, offset, unit):
    return y - offset if unit == 1 else y / unit - offset / unit


@np.errstate(over="ignore", invalid="ignore")
def _counted(rows, offset, unit) -> dict[str, np.ndarray]:
    """Sums about the offset of a pandas frame, in half the time of pandas' own; what is missing makes them nan.

    Most of that time goes into memory that is used for the first time, so the squares take the place of the distances.
    Python's objects that are all numbers become numbers, as in a group-by of pandas', whose order is theirs.
    """
    import pandas as pd

    which, labels = pd.factorize(rows["group"], use_na_sentinel=False)
    d, n = _away(rows["y"].to_numpy(dtype=float, na_value=np.nan), offset, unit), np.bincount(which)
    found = {"group": labels.infer_objects().to_numpy(), "n": n, "y known": n, "s": np.bincount(which, d)}
    return _in_order(found | {"q": np.bincount(which, np.square(d, out=d))})


def _ends(table) -> dict[str, np.ndarray]:
    """Smallest and largest value of each group; they take a fourth of the time of all sums, so only if needed."""
    return _grouped(table.lazy(), **_of_ends("y"))


def _of_ends(name: str) -> dict:
    import narwhals as nw

    return {f"{name} low": nw.col(name).min(), f"{name} high": nw.col(name).max()}


def _about_own_means(table, offset: float, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Means, less the offset, and sums of squares about each group's own mean."""
    import narwhals as nw

    rows = table.lazy().select("group", y=nw.col("y") / unit)
    own = rows.group_by("group").agg(centre=nw.col("y").mean())
    about = rows.join(own, on="group", how="inner")
    again = _sums(about, nw.col("y") - nw.col("centre"), centre=nw.col("centre").min())
    return again["centre"] - offset / unit + again["s"] / again["n"], _squares(again)


def _sums(rows, away, **more) -> dict[str, np.ndarray]:
    """Size, sum and sum of squares of each group, and what else is asked for."""
    import narwhals as nw

    sums = {"n": nw.len(), "s": nw.col("d").sum(), "q": nw.col("q").sum()} | more
    squared = rows.with_columns(d=away).with_columns(q=nw.col("d") * nw.col("d"))
    return _grouped(squared, **sums)


def _grouped(rows, **sums) -> dict[str, np.ndarray]:
    """What is asked for of each group, in the order of their labels."""
    return _in_order(dataframes.fetched(rows.group_by("group").agg(**sums)))


def _in_order(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """By the order of the labels."""
    order = dataframes.ordered(found["group"])
    return {name: column[order] for name, column in found.items()}


@np.errstate(over="ignore", invalid="ignore")
def _squares(found) -> np.ndarray:
    """Sums of squares about the mean."""
    return np.maximum(found["q"] - found["s"] * (found["s"] / found["n"]), 0.0)


def _typical(n, mean, ss) -> float:
    """Median of the groups' root mean squares about the offset, which no far group moves; if 0, the largest."""
    away, middle = np.sqrt(mean**2 + ss / n), (len(n) - 1) // 2
    return float(np.partition(away, middle)[middle] or away.max())
