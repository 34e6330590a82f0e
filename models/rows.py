"""Rows of groups, reduced to what the likelihood sees of them: size, mean and sum of squares of each group.

A frame is reduced where it lives, by sums and sums of squares about an offset that is one of its values; no engine's
own variance is trusted. Where a group's spread is small beside its distance from the offset these sums cancel: then all
are taken again, about each group's own mean.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models import frames

HEAD = 1_000  # rows that the offset is taken from
CANCELS = 1e6  # squared means over variances: beyond it a variance has lost more than ten digits of sixteen
FARTHEST = 1e8  # squared distance from the offset over the variance within groups: beyond it a mean is less exact
TAME = 1e30  # sizes of spreads whose squares, and the sums of them, no double minds


class Reduced(NamedTuple):
    """Groups as sums have them, in the order of their labels.

    Attributes
    ----------
    labels : list of str
    n, mean, ss : ndarray (J,)
        Sizes, means as (mean - offset) / unit, and sums of squared deviations over unit^2.
    offset, unit : float
    spread : float
        Median distance of the first values from the offset; if that is none, root mean square of all.
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


def of_frame(frame, *, group: str, value: str, covariates: Sequence[str] = ()) -> Reduced:
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
        For a column that is not there or of the wrong kind, a label or value that is missing or not finite, or a
        covariate that varies within a group.
    """
    import narwhals as nw  # takes its time to import, and only frames need it

    given = frames.known(frame)
    frames.require(given, (group, value, *covariates))
    frames.require_numeric(given, value)
    named = {f"x{k}": nw.col(name) for k, name in enumerate(covariates)}
    rows = given.lazy().select(group=nw.col(group), y=nw.col(value).cast(nw.Float64), **named)
    offset, spread = _middle(rows)
    tame = spread == 0 or 1 / TAME < spread < TAME
    unit = 1.0 if tame else float(10.0 ** np.floor(np.log10(spread)))
    y = (nw.col("y") - offset) / unit if unit != 1 else nw.col("y") - offset
    found = _sums(rows.with_columns(y=y), list(named))
    frames.require_whole(given, found, group, value)
    if not np.isfinite(found["q"]).all():
        raise ValueError(f"numbers in {value!r} differ so much in size that no double can weigh them together")
    n, mean, ss = found["n"].astype(float), found["s"] / found["n"], _squares(found)
    if _doubtful(found, mean, ss):
        own = rows.group_by("group").agg(centre=nw.col("y").mean())
        about = rows.join(own, on="group", how="inner").with_columns(y=(nw.col("y") - nw.col("centre")) / unit)
        again = _sums(about, [], nw.col("centre").min())
        ss, mean = _squares(again), (again["centre"] - offset) / unit + again["s"] / n
        mean = np.where(found["low"] == found["high"], found["low"], mean)
    of_groups = frames.constants(given, group, found, covariates)
    spread = spread or unit * float(np.sqrt(np.sum(n * mean**2 + ss) / n.sum()))
    return Reduced(frames.labelled(found["group"]), n, mean, ss, offset, unit, spread, of_groups)


def of_values(which: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Size, mean and sum of squares of each group, `which` naming that of each value by 0, 1, ...

    Less the first value of its group a value is exact where the group's resemble each other; what rounding has left of
    the sum of deviations is taken off again.
    """
    n, y = np.bincount(which), values[np.argsort(which, kind="stable")]
    starts = np.cumsum(n) - n
    first = y[starts]
    away = y - np.repeat(first, n)
    mean = np.add.reduceat(away, starts) / n  # added in pairs: errors grow with the log of the size
    deviation = away - np.repeat(mean, n)
    ss = np.add.reduceat(deviation**2, starts) - np.add.reduceat(deviation, starts) ** 2 / n
    return n, first + mean, np.where(n > 1, np.maximum(ss, 0.0), 0.0)


def merged(n, mean, ss, more, other, squares) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Size, mean and sum of squares of groups seen in two parts; nothing cancels (Chan, Golub and LeVeque 1983)."""
    size, apart = n + more, other - mean
    return size, mean + apart * more / size, ss + squares + apart**2 * n * more / size


def _middle(rows) -> tuple[float, float]:
    """The median of the first values, which is one of them, and the median distance from it."""
    head = frames.fetched(rows.select("y").head(HEAD))["y"].astype(float)
    some = np.sort(head[np.isfinite(head)])
    if len(head) == 0:
        raise ValueError("there are no rows")
    if len(some) == 0:
        return 0.0, 0.0  # and the sums will tell which row is at fault
    offset = float(some[(len(some) - 1) // 2])
    away = np.sort(np.abs(some - offset))
    return offset, float(away[(len(away) - 1) // 2] or away[-1])


def _sums(rows, constant: list[str], *more) -> dict[str, np.ndarray]:
    """Sums of each group, in the order of their labels."""
    import narwhals as nw

    y = nw.col("y")
    sums = [nw.len().alias("n"), y.count().alias("known"), y.sum().alias("s"), nw.col("q").sum().alias("q")]
    sums += [y.min().alias("low"), y.max().alias("high"), *more]
    sums += [end.alias(f"{name} {end_}") for name in constant for end_, end in _ends(nw.col(name))]
    found = frames.fetched(rows.with_columns(q=y * y).group_by("group").agg(*sums))
    order = frames.ordered(found["group"])
    return {name: column[order] for name, column in found.items()}


def _ends(column):
    return (("low", column.min()), ("high", column.max()))


def _squares(found) -> np.ndarray:
    """Sums of squares about the mean; exactly 0 where all values are the same."""
    ss = found["q"] - found["s"] ** 2 / found["n"]
    return np.where(found["low"] == found["high"], 0.0, np.maximum(ss, 0.0))


def _doubtful(found, mean, ss) -> bool:
    """Whether sums about the common offset have cost a mean or a sum of squares its digits."""
    n, varies = found["n"], found["low"] < found["high"]
    within = ss.sum() / max(float((n - 1).sum()), 1.0)
    return bool(np.any(varies & (mean**2 * n > CANCELS * ss)) or np.any(mean**2 > FARTHEST * within))
