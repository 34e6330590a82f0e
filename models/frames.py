"""Columns of data frames of any kind that narwhals knows, lazy or not, and of dictionaries of columns."""

from collections.abc import Sequence
from difflib import get_close_matches
from itertools import pairwise
from numbers import Real

import numpy as np


def known(frame):
    """The frame as narwhals has it."""
    import narwhals as nw

    if isinstance(frame, dict):
        import pandas as pd

        frame = pd.DataFrame(frame)
    return nw.from_native(frame)


def require(frame, names: Sequence[str]) -> None:
    """Refuse names that no column has, with the nearest one."""
    there = frame.collect_schema().names()
    for name in names:
        if name not in there:
            near = get_close_matches(name, map(str, there), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, there))}"
            raise ValueError(f"there is no column {name!r}: {hint}")


def require_numeric(frame, name: str) -> None:
    """Refuse a column of text, dates or truth values."""
    import narwhals as nw

    kind = frame.collect_schema()[name]
    if not (kind.is_numeric() or kind == nw.Object):  # what Python objects are, a cast will tell
        raise ValueError(f"column {name!r} holds {kind}: it has to hold numbers")


def fetched(frame) -> dict[str, np.ndarray]:
    """Columns of a lazy frame as arrays, computed where it lives."""
    here = frame.implementation
    found = frame.collect("pandas") if here.is_duckdb() or here.is_spark_like() else frame.collect()
    return {name: found[name].to_numpy() for name in found.columns}


def ordered(labels: np.ndarray) -> np.ndarray:
    """Positions of labels in their order: numbers by size, text by its letters, what is missing last."""
    if labels.dtype != object:
        return np.argsort(labels, kind="stable")
    import pandas as pd

    text, missing = list(map(str, labels)), pd.isna(labels)
    return np.array(sorted(range(len(labels)), key=lambda i: (missing[i], text[i])), dtype=np.intp)


def require_whole(frame, found: dict[str, np.ndarray], group: str, value: str) -> None:
    """Refuse rows without a label, and values that are missing or no finite numbers."""
    if is_missing(found["group"][-1]):
        raise ValueError(f"column {group!r} is blank in {int(found['n'][-1])} row(s): every row needs its group")
    faulty = (found["known"] < found["n"]) | ~np.isfinite(found["s"])
    if faulty.any():
        label = found["group"][int(np.argmax(faulty))]
        rows = _rows(frame, group, label, value, lambda v: is_missing(v) or not np.isfinite(float(v)))
        where = f" in row {rows[0][0]}" if rows else ""
        raise ValueError(f"column {value!r} of {str(label)!r} is missing or no finite number{where}")


def constants(frame, group: str, found, covariates: Sequence[str]) -> dict[str, dict[str, object]]:
    """Value of each covariate in each group, from its smallest and its largest there.

    Raises
    ------
    ValueError
        Where it varies within a group, or is missing, naming the rows, counted from 1, of a frame that has rows.
    """
    given = {}
    for k, name in enumerate(covariates):
        ends = found["group"].tolist(), found[f"x{k} low"].tolist(), found[f"x{k} high"].tolist()
        for label, low, high in zip(*ends, strict=True):
            if is_missing(low) or is_missing(high):
                raise ValueError(f"covariate {name!r} is missing in {str(label)!r}")
            if low != high:
                said = _apart(_rows(frame, group, label, name)) or f"{low!r} and {high!r}"
                raise ValueError(f"covariate {name!r} varies within {str(label)!r}: {said}")
        given[name] = dict(zip(labelled(found["group"]), ends[1], strict=True))
    return given


def labelled(labels: np.ndarray) -> list[str]:
    """Labels as text."""
    return list(map(str, labels.tolist() if labels.dtype.kind in "biufO" else labels.astype(str).tolist()))


def is_missing(value) -> bool:
    """Whether a value is none: None, not a number, or what a library has in their place."""
    import pandas as pd

    return bool(pd.isna(value))


def _apart(rows) -> str:
    """The first two rows that differ."""
    pairs = (pair for pair in pairwise(rows) if pair[0][1] != pair[1][1])
    return next((f"{one!r} in row {at}, {other!r} in row {row}" for (at, one), (row, other) in pairs), "")


def _rows(frame, group, label, name, holds=lambda value: True) -> list[tuple[int, object]]:
    """Rows of a group, counted from 1, and what a column has there; none of a frame whose rows have no order."""
    import narwhals as nw

    if isinstance(frame, nw.LazyFrame):
        return []
    each = zip(frame[group].to_list(), frame[name].to_list(), strict=True)
    return [(row, value) for row, (g, value) in enumerate(each, start=1) if g == label and holds(value)]


def column(frame, name: str) -> list:
    """Values of one column.

    Raises
    ------
    ValueError
        Where there is none of that name, with the nearest one.
    """
    given = known(frame)
    require(given, [name])
    return fetched(given.lazy().select(name))[name].tolist()


def coded(name: str, at: dict[str, object]) -> dict[str, dict[str, float]]:
    """Columns of a covariate by group: numbers as they are, else one 0/1 column a level but the first in order.

    Raises
    ------
    ValueError
        For a covariate that is the same everywhere.

    Examples
    --------
    >>> coded("arm", {"a": "drug", "b": "control"})
    {'arm[drug]': {'a': 1.0, 'b': 0.0}}
    """
    levels = sorted(set(at.values()), key=str)
    if len(levels) < 2:
        same = f"{levels[0]:g}" if _is_number(levels[0]) else repr(levels[0])
        raise ValueError(f"covariate {name!r} is {same} in every group: it tells nothing apart")
    if all(map(_is_number, levels)):
        return {name: {group: float(value) for group, value in at.items()}}
    return {f"{name}[{level}]": {g: float(value == level) for g, value in at.items()} for level in levels[1:]}


def _is_number(value) -> bool:
    return isinstance(value, Real | np.number)
