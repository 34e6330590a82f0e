"""Sums by group that a frame's own library adds up, where the frame lives, and what they tell of faulty rows."""

from collections.abc import Sequence
from typing import NamedTuple

import narwhals as nw
import numpy as np
from narwhals.typing import Frame

from models.groups import dataframes, naming
from models.groups.validation import LARGEST_NUMBER, SMALLEST_NUMBER

Table = dict[
    str, np.ndarray
]  # one entry a group: "group", "n", sums "s", sums of squares "q"; "y low", "x0 known", ...


class Middle(NamedTuple):
    """The median of the first values, which is one of them, and the median distance from it."""

    offset: float
    spread: float


def middle(table: Frame, value: str, rows: int) -> Middle:
    """The middle of the first rows.

    Raises
    ------
    ValueError
        For no rows, or numbers whose distances overflow.
    """
    head = dataframes.fetched(table.lazy().select("y").head(rows))["y"].astype(float)
    values = np.sort(head[np.isfinite(head)])
    if len(head) == 0:
        raise ValueError("there are no rows")
    if len(values) == 0:
        return Middle(0.0, 0.0)  # and the sums will tell which row is at fault
    offset = float(values[(len(values) - 1) // 2])
    with np.errstate(over="ignore"):
        away = np.sort(np.abs(values - offset))
    require_weighable(np.isfinite(away[-1]), value)
    return Middle(offset, float(away[(len(away) - 1) // 2] or away[-1]))


def about(table: Frame, offset: float, unit: float) -> Table:
    """Sums about the common offset, how many values are known, and of covariates the ends as well."""
    of_covariates: dict[str, nw.Expr] = {}
    for name in table.collect_schema().names():
        if name not in ("group", "y"):
            of_covariates |= {f"{name} known": nw.col(name).count(), **_extremes(name)}
    if table.implementation.is_pandas():
        sums = _counted(table.lazy().collect().to_native(), offset, unit)
        return sums | (_grouped(table.lazy(), **of_covariates) if of_covariates else {})
    y = nw.col("y")
    return _sums(table.lazy(), _away(y, offset, unit), **{"y known": y.count()}, **of_covariates)


def about_own_means(table: Frame, offset: float, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Means minus the offset, and sums of squares about the mean of each group."""
    rows = table.lazy().select("group", y=nw.col("y") / unit)
    means = rows.group_by("group").agg(center=nw.col("y").mean())
    deviations = rows.join(means, on="group", how="inner")
    sums = _sums(deviations, nw.col("y") - nw.col("center"), center=nw.col("center").min())
    return sums["center"] - offset / unit + sums["s"] / sums["n"], squares(sums)


def ends(table: Frame) -> Table:
    """Smallest and largest value of each group; they take a fourth of the time of all sums, so only if needed."""
    return _grouped(table.lazy(), **_extremes("y"))


@np.errstate(over="ignore", invalid="ignore")
def squares(sums: Table) -> np.ndarray:
    """Sums of squares about the mean."""
    return np.maximum(sums["q"] - sums["s"] * (sums["s"] / sums["n"]), 0.0)


def require_weighable(holds: np.ndarray | np.bool_, value: str) -> None:
    """Refuse numbers that no double can weigh together.

    Raises
    ------
    ValueError
        Unless all that is needed of them can be had.
    """
    if not np.all(holds):
        raise ValueError(f"numbers in {value!r} differ so much in size that no double can weigh them together")


def require_whole(table: Frame, sums: Table, group: str, value: str) -> None:
    """Refuse rows without a label, and values that are missing or not finite; by their ends, too large or too small.

    Without their ends all squares have been added up, so they are of a size.

    Raises
    ------
    ValueError
        Naming the group and, of a frame that has rows, the row, counted from 1.
    """
    blank = naming.are_blank(sums["group"])
    if blank.any():
        raise ValueError(f"column {group!r} is blank in {sums['n'][blank].sum():.0f} row(s): every row needs its group")
    extremes = [sums[end].astype(float) for end in ("y low", "y high") if end in sums]
    finite = np.isfinite([sums["n"], *extremes]).all(axis=0) & ~np.isnan(sums["q"])
    faulty = (sums["y known"] < sums["n"]) | ~finite
    if faulty.any():
        label = sums["group"][int(np.argmax(faulty))]
        rows = dataframes.rows_of_group(table, label, "y", lambda y: naming.is_missing(y) or not np.isfinite(y))
        where = f" in row {rows[0].number}" if rows else ""
        raise ValueError(f"column {value!r} of {str(label)!r} is missing or no finite number{where}")
    for end in extremes:
        size = np.abs(end)
        beyond = (size > LARGEST_NUMBER) | ((size > 0) & (size < SMALLEST_NUMBER))
        if beyond.any():
            i = np.argmax(beyond)
            where = f"{end[i]} of {str(sums['group'][i])!r}"
            raise ValueError(f"column {value!r} holds {where}: no double holds what follows from it")


def constants(table: Frame, sums: Table, covariates: Sequence[str]) -> dict[str, dict[str, object]]:
    """Value of each covariate in each group, from its smallest and its largest there.

    Raises
    ------
    ValueError
        Where it varies within a group, or is missing, naming the rows, counted from 1, of a frame that has rows.
    """
    values, labels = {}, sums["group"]
    for k, name in enumerate(covariates):
        missing = sums[f"x{k} known"] < sums["n"]
        if missing.any():
            raise ValueError(f"covariate {name!r} is missing in {str(labels[np.argmax(missing)])!r}")
        lows, highs = sums[f"x{k} low"].tolist(), sums[f"x{k} high"].tolist()
        for label, low, high in zip(labels.tolist(), lows, highs, strict=True):
            if low != high:
                rows = dataframes.rows_of_group(table, label, f"x{k}")
                where = dataframes.first_difference(rows) or f"{low!r} and {high!r}"
                raise ValueError(f"covariate {name!r} varies within {str(label)!r}: {where}")
        values[name] = dict(zip(naming.spelled(labels), lows, strict=True))
    return values


def _away(y, offset, unit):
    return y - offset if unit == 1 else y / unit - offset / unit


@np.errstate(over="ignore", invalid="ignore")
def _counted(rows, offset, unit) -> Table:
    """Sums about the offset of a pandas frame, in half the time of pandas' own; what is missing makes them nan.

    Most of that time goes into memory that is used for the first time, so the squares take the place of the distances.
    Python's objects that are all numbers become numbers, as in a group-by of pandas', whose order is theirs.
    """
    import pandas as pd

    position, labels = pd.factorize(rows["group"], use_na_sentinel=False)
    n, d = np.bincount(position), _away(rows["y"].to_numpy(dtype=float, na_value=np.nan), offset, unit)
    sums = {"group": labels.infer_objects().to_numpy(), "n": n, "y known": n, "s": np.bincount(position, d)}
    return _in_order(sums | {"q": np.bincount(position, np.square(d, out=d))})


def _extremes(name: str) -> dict[str, nw.Expr]:
    return {f"{name} low": nw.col(name).min(), f"{name} high": nw.col(name).max()}


def _sums(rows, away, **more) -> Table:
    """Size, sum and sum of squares of each group, and what else is asked for."""
    sums = {"n": nw.len(), "s": nw.col("d").sum(), "q": nw.col("q").sum()} | more
    return _grouped(rows.with_columns(d=away).with_columns(q=nw.col("d") * nw.col("d")), **sums)


def _grouped(rows, **sums) -> Table:
    """What is asked for of each group, in the order of their labels."""
    return _in_order(dataframes.fetched(rows.group_by("group").agg(**sums)))


def _in_order(sums: Table) -> Table:
    order = naming.argsort(sums["group"])
    return {name: column[order] for name, column in sums.items()}
