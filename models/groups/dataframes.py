"""Data frames of any kind that narwhals knows, lazy or not, and dictionaries of columns; nothing else imports narwhals.

Of every kind of frame `of_rows` and `of_groups` make the same columns: labels, doubles, and covariates.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from numbers import Real
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
from narwhals.typing import Frame, IntoFrame

from models.groups import naming, validation
from models.groups.covariates import columns_of


class Row(NamedTuple):
    """A row's number in a frame, counted from 1, and what a column has there."""

    number: int
    value: Any


def of_rows(frame: IntoFrame | dict, group: str, value: str, covariates: Sequence[str]) -> Frame:
    """Columns `group`, `y`, `x0`, `x1`, ... of one row an observation: labels, doubles, and covariates.

    What is neither a number nor text, a date say, is spelled by its own library: as an array it may come back a time,
    or a float.

    Raises
    ------
    ValueError
        For a column that is not there or of the wrong kind.
    """
    whole = _checked(frame, group, [value], covariates)
    columns = whole.select(y=nw.col(value), **_named(whole, group, covariates))
    return _with_doubles(columns, "y")


def of_groups(
    frame: IntoFrame | dict, label: str | None, numbers: Sequence[str], covariates: Sequence[str]
) -> dict[str, list]:
    """Columns of one row a group, fetched together: "group" where there is a label, "y0", ..., "x0", ...

    Raises
    ------
    ValueError
        As `of_rows`, and for a number or a covariate that is missing or not finite, naming its row, counted from 1.
    """
    whole = _checked(frame, label, numbers, covariates)
    expressions = _named(whole, label, covariates) | {f"y{k}": nw.col(name) for k, name in enumerate(numbers)}
    columns = {name: values.tolist() for name, values in fetched(whole.lazy().select(**expressions)).items()}
    for k, name in enumerate(numbers):
        validation.require_present(f"column {name!r}", columns[f"y{k}"])
    for k, name in enumerate(covariates):
        validation.require_present(f"covariate {name!r}", columns[f"x{k}"])
    return columns


class Summaries(NamedTuple):
    """Rows of a frame that are groups: their labels, columns of numbers, and covariates as numbers."""

    labels: tuple[str, ...]
    numbers: list[list]
    covariates: dict[str, Any]


def summaries(
    frame: IntoFrame | dict, label: str | None, numbers: Sequence[str], covariates: Sequence[str]
) -> Summaries:
    """Read a frame of one row a group; labels count from 1 where no column has them.

    Raises
    ------
    ValueError
        As `of_groups`, and for a covariate that does not vary.
    """
    columns = of_groups(frame, label, numbers, covariates)
    count = range(1, len(columns["y0"]) + 1)
    labels = naming.read(f"column {label!r}", columns["group"]) if label else tuple(map(str, count))
    levels = {name: dict(zip(labels, columns[f"x{k}"], strict=True)) for k, name in enumerate(covariates)}
    naming.warn_of_missing(f"column {label!r}", labels)
    return Summaries(labels, [columns[f"y{k}"] for k in range(len(numbers))], columns_of(levels, labels))


def fetched(frame: nw.LazyFrame) -> dict[str, np.ndarray]:
    """Columns of a lazy frame as arrays, computed where it lives."""
    engine = frame.implementation
    if engine.is_duckdb():  # whose arrays come without a detour through pandas, and with masks where nothing is
        return {name: np.asarray(naming.plain(column)) for name, column in frame.to_native().fetchnumpy().items()}
    table = frame.collect("pyarrow" if engine.is_spark_like() else None)
    return {name: table[name].to_numpy() for name in table.columns}


def rows_of_group(
    table: Frame, label: object, name: str, holds: Callable[[Any], bool] = lambda value: True
) -> list[Row]:
    """Rows of a group in which a column's value holds; none of a frame whose rows have no order."""
    if isinstance(table, nw.LazyFrame):
        return []
    pairs = zip(table["group"].to_list(), table[name].to_list(), strict=True)
    return [Row(k, value) for k, (group, value) in enumerate(pairs, start=1) if group == label and holds(value)]


def first_difference(rows: Sequence[Row]) -> str:
    """Two rows that differ, next to each other, for a message."""
    pairs = (pair for pair in pairwise(rows) if pair[0].value != pair[1].value)
    return next((f"{a.value!r} in row {a.number}, {b.value!r} in row {b.number}" for a, b in pairs), "")


def _checked(frame: IntoFrame | dict, label: str | None, numbers: Sequence[str], covariates: Sequence[str]) -> Frame:
    """The frame as narwhals has it; refuse columns that are not there or of the wrong kind."""
    if isinstance(covariates, str):
        raise ValueError(f"covariates is the text {covariates!r}: give a list of names, [{covariates!r}]")
    if len(set(covariates)) < len(covariates):
        raise ValueError(f"covariates {list(covariates)} name a column twice: name each once")
    whole = nw.from_native(_table(frame) if isinstance(frame, dict) else frame)
    _require_columns(whole, [name for name in (label, *numbers, *covariates) if name is not None])
    for name in numbers:
        _require_numeric(whole, name)
    for name in covariates:
        _require_one_kind(whole, name)
    return whole


def _named(frame, label, covariates) -> dict[str, nw.Expr]:
    named = {f"x{k}": _covariate(frame, name) for k, name in enumerate(covariates)}
    return named if label is None else {"group": _label(frame, label)} | named


def _label(frame, name: str) -> nw.Expr:
    """Labels; those that an array would spell otherwise, as its library does: a float's 0.1 is 0.10000000149 there."""
    dtype = frame.collect_schema()[name]
    kept = _arrays_have(frame, dtype) or dtype in (nw.Categorical, nw.Enum)
    return nw.col(name) if kept and dtype != nw.Float32 else nw.col(name).cast(nw.String)


def _covariate(frame, name: str) -> nw.Expr:
    """A covariate: decimals and very wide integers as doubles, NaN as missing, what is no number as text."""
    column, dtype = nw.col(name), frame.collect_schema()[name]
    if dtype.is_float():
        return column.fill_nan(None)
    return column if _arrays_have(frame, dtype) else column.cast(nw.Float64 if dtype.is_numeric() else nw.String)


def _with_doubles(frame, name: str) -> Frame:
    """The frame with a column of doubles: PyArrow rounds integers beyond 2^53, as others do, only when told to."""
    if not frame.implementation.is_pyarrow():
        return frame.with_columns(nw.col(name).cast(nw.Float64))
    table = frame.to_native()
    position = table.column_names.index(name)
    return nw.from_native(table.set_column(position, name, table[name].cast("float64", safe=False)))


def _arrays_have(frame, dtype) -> bool:
    """Whether arrays have a type as well: numbers of up to 64 bits, truth values, text, Python's objects."""
    wide = dtype in (nw.Decimal, nw.Int128, nw.UInt128)
    wordless = frame.implementation.is_polars() and dtype in (nw.Duration, nw.List)  # Polars cannot spell them
    return (dtype.is_numeric() and not wide) or dtype in (nw.Boolean, nw.String, nw.Object) or wordless


def _table(columns: dict) -> IntoFrame:
    """A table of columns of one length; a single number or text stands for a column of it."""
    import pandas as pd

    sizes = {n: len(c) for n, c in columns.items() if hasattr(c, "__len__") and not isinstance(c, str | bytes)}
    for name, size in sizes.items():
        if size != (first := next(iter(sizes.values()))):
            raise ValueError(f"column {name!r} has {size} entries where {next(iter(sizes))!r} has {first}: fill it up")
    return pd.DataFrame(columns)


def _require_columns(frame, names: Sequence[str]) -> None:
    """Refuse a name that no column has, with the nearest name that there is."""
    there = frame.collect_schema().names()
    for name in names:
        if name not in there:
            near = naming.nearest(str(name), map(str, there))
            hint = f"did you mean {near!r}?" if near else f"there are {', '.join(map(repr, there))}"
            if frame.implementation.is_pandas() and name in frame.to_native().index.names:
                hint = "it is the index of the frame: call reset_index() first"
            raise ValueError(f"there is no column {name!r}: {hint}")


def _require_numeric(frame, name: str) -> None:
    """Refuse a column of text, dates or truth values, and Python's objects that are no numbers."""
    dtype = frame.collect_schema()[name]
    if not (dtype.is_numeric() or dtype == nw.Object):
        raise ValueError(f"column {name!r} holds {dtype}: it has to hold numbers")
    for row, value in enumerate(_objects(frame, name), start=1):
        if validation.kind(value) is not Real:
            raise ValueError(f"column {name!r} holds {value!r} in row {row}: it has to hold numbers")


def _require_one_kind(frame, name: str) -> None:
    """Refuse a covariate of Python's objects of which some are numbers and some are not: they have no order."""
    first: dict[type, object] = {}
    for value in _objects(frame, name):
        if not naming.is_missing(value):
            first.setdefault(validation.kind(value), value)
    if len(first) > 1:
        a, b, *_ = first.values()
        raise ValueError(f"covariate {name!r} holds {a!r} and {b!r}: it has to hold numbers or text alone")


def _objects(frame, name: str) -> list:
    """What a column of Python's objects has; nothing of any other, or of one that is not here."""
    is_here = isinstance(frame, nw.DataFrame) and frame.schema[name] == nw.Object
    return frame[name].to_list() if is_here else []
