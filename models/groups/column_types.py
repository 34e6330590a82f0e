"""Frames made plain: of every kind the same columns of labels, doubles and covariates."""

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from models.groups import dataframes

if TYPE_CHECKING:
    from narwhals.typing import Frame, IntoFrame


def of_frame(frame: "IntoFrame | dict", group: str, value: str, covariates: Sequence[str]) -> "Frame":
    """Columns `group`, `y`, `x0`, `x1`, ...: labels, doubles, and covariates that are numbers or text.

    What is neither, a date say, is spelled by its own library: as an array it may come back a time, or a float.

    Raises
    ------
    ValueError
        For a column that is not there or of the wrong kind.
    """
    import narwhals as nw

    given, named = _checked(frame, group, [value], covariates)
    columns = given.select(y=nw.col(value), **named)
    return (
        _rounded(columns) if given.implementation.is_pyarrow() else columns.with_columns(nw.col("y").cast(nw.Float64))
    )


def one_row_each(
    frame: "IntoFrame | dict", label: str | None, numbers: Sequence[str], covariates: Sequence[str]
) -> dict[str, list]:
    """Columns of a frame of one row a group, fetched together: "group" where there is a label, "y0", ..., "x0", ...

    Raises
    ------
    ValueError
        As `of_frame`, and for a number or a covariate that is missing or not finite, naming its row, counted from 1.
    """
    import narwhals as nw

    given, named = _checked(frame, label, numbers, covariates)
    named |= {f"y{k}": nw.col(name) for k, name in enumerate(numbers)}
    found = {name: values.tolist() for name, values in dataframes.fetched(given.lazy().select(**named)).items()}
    for k, name in enumerate(numbers):
        _require_known(f"column {name!r}", found[f"y{k}"])
    for k, name in enumerate(covariates):
        _require_known(f"covariate {name!r}", found[f"x{k}"])
    return found


def _require_known(what: str, values: list) -> None:
    """Refuse a column of which an entry is missing or infinite."""
    if set(map(type, values)) == {float} and np.isfinite(values).all():
        return
    for row, value in enumerate(values, start=1):
        if isinstance(value, float) and np.isinf(value):
            raise ValueError(f"{what} is {value} in row {row}: every number must be finite")
        if not isinstance(value, str | int) and dataframes.is_missing(value):
            raise ValueError(f"{what} is missing in row {row}: remove the row, or fill it in")


def _checked(
    frame: "IntoFrame | dict", label: str | None, numbers: Sequence[str], covariates: Sequence[str]
) -> tuple["Frame", dict[str, Any]]:
    """The frame, with its columns of labels and covariates by their names here; what is of the wrong kind refused."""
    if isinstance(covariates, str):
        raise ValueError(f"covariates is the text {covariates!r}: give a list of names, [{covariates!r}]")
    if len(set(covariates)) < len(covariates):
        raise ValueError(f"covariates {list(covariates)} name a column twice: name each once")
    given = dataframes.known(frame)
    dataframes.require(given, [name for name in (label, *numbers, *covariates) if name is not None])
    for name in numbers:
        _require_numeric(given, name)
    for name in covariates:
        _require_one_kind(given, name)
    named = {f"x{k}": _covariate(given, name) for k, name in enumerate(covariates)}
    return given, named if label is None else {"group": _label(given, label)} | named


def _label(frame, name: str):
    """Labels; those that an array would spell otherwise, as its library does: a float's 0.1 is 0.10000000149 there."""
    import narwhals as nw

    kind = frame.collect_schema()[name]
    kept = _is_told(frame, kind) or kind in (nw.Categorical, nw.Enum)
    return nw.col(name) if kept and kind != nw.Float32 else nw.col(name).cast(nw.String)


def _covariate(frame, name: str):
    """A covariate: decimals and very wide integers as doubles, NaN as missing, what is no number as text."""
    import narwhals as nw

    kind = frame.collect_schema()[name]
    if kind.is_float():
        return nw.col(name).fill_nan(None)
    return nw.col(name) if _is_told(frame, kind) else nw.col(name).cast(nw.Float64 if kind.is_numeric() else nw.String)


def _is_told(frame, kind) -> bool:
    """Whether arrays have a type as well: numbers of up to 64 bits, truth values, text, Python's objects."""
    import narwhals as nw

    wide = kind in (nw.Decimal, nw.Int128, nw.UInt128)
    wordless = frame.implementation.is_polars() and kind in (nw.Duration, nw.List)  # Polars cannot spell them
    return (kind.is_numeric() and not wide) or kind in (nw.Boolean, nw.String, nw.Object) or wordless


def _rounded(columns):
    """With doubles for `y`: PyArrow rounds integers beyond 2^53, as others do, only where it is told to."""
    import narwhals as nw

    table = columns.to_native()
    at = table.column_names.index("y")
    return nw.from_native(table.set_column(at, "y", table["y"].cast("float64", safe=False)))


def _require_numeric(frame, name: str) -> None:
    """Refuse a column of text, dates or truth values, and Python's objects that are no numbers."""
    import narwhals as nw

    kind = frame.collect_schema()[name]
    if not (kind.is_numeric() or kind == nw.Object):
        raise ValueError(f"column {name!r} holds {kind}: it has to hold numbers")
    for row, one in enumerate(_objects(frame, name), start=1):
        if _kind(one) is not Real:
            raise ValueError(f"column {name!r} holds {one!r} in row {row}: it has to hold numbers")


def _require_one_kind(frame, name: str) -> None:
    """Refuse a covariate of Python's objects of which some are numbers and some are not: they have no order."""
    first: dict[type, object] = {}
    for one in _objects(frame, name):
        if not dataframes.is_missing(one):
            first.setdefault(_kind(one), one)
    if len(first) > 1:
        one, other, *_ = first.values()
        raise ValueError(f"covariate {name!r} holds {one!r} and {other!r}: it has to hold numbers or text alone")


def _kind(one: object) -> type:
    """Of Python's objects: truth values, numbers, or a type of its own."""
    if isinstance(one, bool | np.bool_):
        return bool
    return Real if dataframes.is_number(one) else type(one)


def _objects(frame, name: str) -> list:
    """What a column of Python's objects has; nothing of any other, or of one that is not here."""
    import narwhals as nw

    here = isinstance(frame, nw.DataFrame) and frame.schema[name] == nw.Object
    return frame[name].to_list() if here else []
