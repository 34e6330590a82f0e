"""Data frames of any kind that narwhals knows, lazy or not, and dictionaries of columns."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from itertools import pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from models.groups import naming
from models.groups.naming import is_missing

if TYPE_CHECKING:
    from narwhals import LazyFrame
    from narwhals.typing import Frame, IntoFrame

LARGEST, SMALLEST = 1e305, 1e-305  # beyond either what follows from a number may be none


def known(frame: "IntoFrame | dict") -> "Frame":
    """The frame, or a dictionary of columns, as narwhals has it.

    Raises
    ------
    TypeError
        For anything else.
    """
    import narwhals as nw

    if isinstance(frame, dict):
        import pandas as pd

        _require_equal_lengths(frame)
        frame = pd.DataFrame(frame)
    return nw.from_native(frame)


def _require_equal_lengths(columns: dict) -> None:
    """Refuse columns of unequal lengths; a single number or text stands for a column of it."""
    sizes = {n: len(c) for n, c in columns.items() if hasattr(c, "__len__") and not isinstance(c, str | bytes)}
    for name, size in sizes.items():
        if size != (first := next(iter(sizes.values()))):
            raise ValueError(f"column {name!r} has {size} entries where {next(iter(sizes))!r} has {first}: fill it up")


def require(frame: "Frame", wanted: Sequence[str]) -> None:
    """Refuse names that no column has.

    Raises
    ------
    ValueError
        For the first of them, with the nearest name that there is.
    """
    there = frame.collect_schema().names()
    for name in wanted:
        if name not in there:
            near = get_close_matches(str(name), map(str, there), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, there))}"
            if frame.implementation.is_pandas() and name in frame.to_native().index.names:
                hint = "it is the index of the frame: call reset_index() first"
            raise ValueError(f"there is no column {name!r}: {hint}")


def fetched(frame: "LazyFrame") -> dict[str, np.ndarray]:
    """Columns of a lazy frame as arrays, computed where it lives."""
    here = frame.implementation
    if here.is_duckdb():  # whose arrays come without a detour through pandas, and with masks where nothing is
        return {name: naming.unmasked(column) for name, column in frame.to_native().fetchnumpy().items()}
    found = frame.collect("pyarrow" if here.is_spark_like() else None)
    return {name: found[name].to_numpy() for name in found.columns}


def ordered(labels: np.ndarray) -> np.ndarray:
    """Positions of labels in their order: numbers by size, text by its letters, what is missing last."""
    if labels.dtype != object:
        return np.argsort(labels, kind="stable")
    import pandas as pd

    text, missing = list(map(str, labels)), pd.isna(labels)
    return np.array(sorted(range(len(labels)), key=lambda i: (missing[i], text[i])), dtype=np.intp)


def require_whole(table: "Frame", found: dict[str, np.ndarray], group: str, value: str) -> None:
    """Refuse rows without a label, and values that are missing or not finite; by their ends, too large or too small.

    Without their ends all squares have been added up, so they are of a size.

    Raises
    ------
    ValueError
        Naming the group and, of a frame that has rows, the row, counted from 1.
    """
    blank = _is_blank(found["group"])
    if blank.any():
        raise ValueError(
            f"column {group!r} is blank in {found['n'][blank].sum():.0f} row(s): every row needs its group"
        )
    ends = [found[end].astype(float) for end in ("y low", "y high") if end in found]
    faulty = (found["y known"] < found["n"]) | np.isnan(found["q"]) | ~np.isfinite([found["n"], *ends]).all(axis=0)
    if faulty.any():
        label = found["group"][int(np.argmax(faulty))]
        rows = _rows(table, label, "y", lambda v: is_missing(v) or not np.isfinite(v))
        where = f" in row {rows[0][0]}" if rows else ""
        raise ValueError(f"column {value!r} of {str(label)!r} is missing or no finite number{where}")
    for end in ends:
        size = np.abs(end)
        beyond = (size > LARGEST) | ((size > 0) & (size < SMALLEST))
        if beyond.any():
            said = f"{end[np.argmax(beyond)]} of {str(found['group'][np.argmax(beyond)])!r}"
            raise ValueError(f"column {value!r} holds {said}: no double holds what follows from it")


def _is_blank(labels: np.ndarray) -> np.ndarray:
    """Whether labels are missing, or nothing but white space."""
    import pandas as pd

    missing = pd.isna(labels)
    if labels.dtype.kind in "biuf":
        return missing
    return missing | np.array([not str(label).strip() for label in labels.tolist()], dtype=bool)


def constants(table: "Frame", found: dict[str, np.ndarray], covariates: Sequence[str]) -> dict[str, dict[str, object]]:
    """Value of each covariate in each group, from its smallest and its largest there.

    Raises
    ------
    ValueError
        Where it varies within a group, or is missing, naming the rows, counted from 1, of a frame that has rows.
    """
    given = {}
    for k, name in enumerate(covariates):
        missing = found[f"x{k} known"] < found["n"]
        if missing.any():
            raise ValueError(f"covariate {name!r} is missing in {str(found['group'][np.argmax(missing)])!r}")
        ends = found["group"].tolist(), found[f"x{k} low"].tolist(), found[f"x{k} high"].tolist()
        for label, low, high in zip(*ends, strict=True):
            if low != high:
                said = _apart(_rows(table, label, f"x{k}")) or f"{low!r} and {high!r}"
                raise ValueError(f"covariate {name!r} varies within {str(label)!r}: {said}")
        given[name] = dict(zip(labelled(found["group"]), ends[1], strict=True))
    return given


def labelled(labels: np.ndarray) -> list[str]:
    """Labels as text, each as Python spells it.

    Examples
    --------
    >>> labelled(np.array([1.0, 2.5]))
    ['1.0', '2.5']
    """
    return list(map(str, labels.tolist() if labels.dtype.kind in "biufO" else labels.astype(str).tolist()))


def _apart(rows) -> str:
    """The first two rows that differ."""
    pairs = (pair for pair in pairwise(rows) if pair[0][1] != pair[1][1])
    return next((f"{one!r} in row {at}, {other!r} in row {row}" for (at, one), (row, other) in pairs), "")


def _rows(table, label, name, holds=lambda value: True) -> list[tuple[int, object]]:
    """Rows of a group, counted from 1, and what a column has there; none of a frame whose rows have no order."""
    import narwhals as nw

    if isinstance(table, nw.LazyFrame):
        return []
    each = zip(table["group"].to_list(), table[name].to_list(), strict=True)
    return [(row, value) for row, (g, value) in enumerate(each, start=1) if g == label and holds(value)]


def design(covariates: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Columns of all covariates by group, as `coded` has those of one.

    Raises
    ------
    ValueError
        As `coded`, and for two columns of one name.
    """
    found: dict[str, dict[str, float]] = {}
    for name, at in covariates.items():
        columns = coded(name, at)
        if taken := found.keys() & columns:
            raise ValueError(f"covariate {name!r} makes a second column {min(taken)!r}: rename one of the two")
        found |= columns
    return found


def coded(name: str, at: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Columns of a covariate by group: numbers as they are, else one 0/1 column a level but the first in order.

    Raises
    ------
    ValueError
        For a covariate that is the same everywhere, or has a level that is blank or looks like another.

    Examples
    --------
    >>> coded("arm", {"a": "drug", "b": "control"})
    {'arm[drug]': {'a': 1.0, 'b': 0.0}}
    """
    levels = sorted(set(at.values()), key=str)
    if len(levels) < 2:
        same = f"{levels[0]:g}" if is_number(levels[0]) else repr(levels[0])
        raise ValueError(f"covariate {name!r} is {same} in every group: it tells nothing apart")
    if all(map(is_number, levels)):
        return {name: {group: float(value) for group, value in at.items()}}
    if blank := [group for group, level in at.items() if not str(level).strip()]:
        raise ValueError(f"covariate {name!r} is blank in {blank[0]!r}: fill it in, or remove the group")
    naming.require_apart(f"covariate {name!r}", list(map(str, levels)))
    return {f"{name}[{level}]": {g: float(value == level) for g, value in at.items()} for level in levels[1:]}


def is_number(value: object) -> bool:
    """Whether a value is a real number of Python's or NumPy's; truth values are, as in Python."""
    return isinstance(value, Real | Decimal | np.bool_) and not isinstance(value, np.timedelta64)
