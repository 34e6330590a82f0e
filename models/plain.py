"""Frames made plain: of every kind the same columns of labels, doubles and covariates."""

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING

from models import frames

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

    given = frames.known(frame)
    frames.require(given, (group, value, *covariates))
    _require_numeric(given, value)
    for name in covariates:
        _require_one_kind(given, name)
    named = {f"x{k}": _covariate(given, name) for k, name in enumerate(covariates)}
    columns = given.select(group=_label(given, group), y=nw.col(value), **named)
    return (
        _rounded(columns) if given.implementation.is_pyarrow() else columns.with_columns(nw.col("y").cast(nw.Float64))
    )


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
        if not frames.is_number(one):
            raise ValueError(f"column {name!r} holds {one!r} in row {row}: it has to hold numbers")


def _require_one_kind(frame, name: str) -> None:
    """Refuse a covariate of Python's objects of which some are numbers and some are not: they have no order."""
    first: dict[type, object] = {}
    for one in _objects(frame, name):
        if not frames.is_missing(one):
            first.setdefault(Real if frames.is_number(one) else type(one), one)
    if len(first) > 1:
        one, other, *_ = first.values()
        raise ValueError(f"covariate {name!r} holds {one!r} and {other!r}: it has to hold numbers or text alone")


def _objects(frame, name: str) -> list:
    """What a column of Python's objects has; nothing of any other, or of one that is not here."""
    import narwhals as nw

    here = isinstance(frame, nw.DataFrame) and frame.schema[name] == nw.Object
    return frame[name].to_list() if here else []
