"""A data frame as a table to read: its rows are spelled as in a CSV file, and read as strictly."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from analyses.ingest.reading import Name, Opened, Record
from analyses.ingest.request import InputError
from analyses.ingest.wording import PYTHON, Wording
from models.groups import naming

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame

MOST_SPELLED = 100_000  # rows that are spelled one by one; more are reduced by the library of the frame, as Parquet is


@dataclass(frozen=True, eq=False)
class FrameTable:
    """A data frame, and what messages call it.

    Attributes
    ----------
    frame : narwhals frame
        Of pandas, Polars, PyArrow, DuckDB, Dask or PySpark.
    name : str
    wording : Wording
    read : dict
        Name of the file that it was read from to its SHA-256.
    levels : dict
        Categories of pandas, and those of Polars that have an order, that are used, in their order.
    decimal : str
        The decimal mark of numbers that are text.
    """

    place: ClassVar[str] = "row"
    frame: Any
    name: str = "frame"
    wording: Wording = PYTHON
    read: dict[str, str] = field(default_factory=dict)
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    decimal: str = "."

    @classmethod
    def of(cls, frame: "IntoFrame | dict", columns: Sequence[Name], wording: Wording = PYTHON) -> Self:
        """A frame of any library, or a dictionary of columns, of which some will be read.

        Raises
        ------
        InputError
            For what is no table, columns of different lengths, names of columns that are not text, or a column that is
            the index.
        """
        import narwhals as nw  # takes its time to import

        table = _of_columns(frame) if isinstance(frame, Mapping) else _with_names(frame, columns)
        try:
            whole = nw.from_native(table)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"a {type(frame).__name__} is not a table: pass a data frame, a dictionary of columns, or the path of "
                "a CSV or Parquet file"
            ) from error
        _require_no_index(table, columns)
        return cls(whole, wording=wording, levels=_levels(table, columns))

    @property
    def is_large(self) -> bool:
        """Whether its library reduces it: it is lazy, or has too many rows to be spelled."""
        return not hasattr(self.frame, "rows") or len(self.frame) > MOST_SPELLED

    @property
    def columns(self) -> list[str]:
        """Names of its columns."""
        return list(map(str, self.frame.collect_schema().names()))

    @contextmanager
    def opened(self, names: Sequence[Name]) -> Iterator[Opened]:
        """Spell every row: shortest digits that read back, nothing where missing.

        Raises
        ------
        InputError
            For a frame without rows.
        """
        told = {"notes": [], "digests": lambda: self.read, "decimal": self.decimal}
        yield Opened(header=self.columns, line=0, rows=self._rows(), **told)

    def _rows(self) -> Iterator[Record]:
        """Rows, counted from 1."""
        frame = self.frame if hasattr(self.frame, "rows") else self.frame.collect()
        fields = [[_spelled(value) for value in frame[name].to_list()] for name in frame.columns]
        if not len(frame):
            raise InputError(f"{self.name}: has no rows")
        for row, values in enumerate(zip(*fields, strict=True), start=1):
            yield Record(row, list(values))


def _of_columns(columns: Mapping):
    """A pandas frame of a dictionary of columns.

    Raises
    ------
    InputError
        For a column that is no list, or of another length than the first.
    """
    import pandas as pd

    sizes = {name: len(values) if hasattr(values, "__len__") else None for name, values in columns.items()}
    first, size = next(iter(sizes.items()), ("", None))
    for name, length in sizes.items():
        if length is None or isinstance(columns[name], str):
            raise InputError(f"frame: column {name!r} is {columns[name]!r}: give a list with an entry for each row")
        if length != size:
            raise InputError(f"frame: column {name!r} has {length} entries where {first!r} has {size}")
    _require_one_index(columns)
    return pd.DataFrame({name: _plain(values) for name, values in columns.items()})


def _require_one_index(columns: Mapping) -> None:
    """Refuse Series whose rows are named, and named in different orders: they would be put together by position."""
    indexed = [
        (name, values.index) for name, values in columns.items() if hasattr(values, "index") and hasattr(values, "iloc")
    ]
    for name, index in indexed:
        if not index.equals(indexed[0][1]):
            raise InputError(
                f"frame: the Series {name!r} and {indexed[0][0]!r} have different indexes: pass a data frame, which "
                "puts their rows together by name"
            )


def _with_names(frame, columns: Sequence[Name]):
    """A frame of pandas with text for names of columns, and each of them once; any other unchanged.

    Raises
    ------
    InputError
        For names of several levels, or a column that is wanted and occurs more than once.
    """
    names = getattr(frame, "columns", None)
    if names is None or not hasattr(names, "nlevels"):
        return frame
    if names.nlevels > 1:
        raise InputError(f"frame: names of columns have {names.nlevels} levels: make one of them")
    spelled = list(map(str, names))
    if len(set(spelled)) == len(spelled) and spelled == list(names):
        return frame
    wanted = {part for name in columns for part in ([name] if isinstance(name, str) else name)}
    if twice := [name for name in spelled if spelled.count(name) > 1 and name in wanted]:
        raise InputError(f"frame: column {twice[0]!r} occurs {spelled.count(twice[0])} times: name them apart")
    first = [spelled.index(name) == position for position, name in enumerate(spelled)]
    return frame.set_axis(spelled, axis=1).loc[:, first]


def _plain(values):
    """A column as a list, but for one of categories, whose order tells which comes first."""
    return values if str(getattr(values, "dtype", "")) == "category" else list(naming.plain(values))


def _levels(table, columns: Sequence[Name]) -> dict[str, tuple[str, ...]]:
    """Categories that are used, in their order, of the columns that have such."""
    import narwhals as nw

    frame, wanted = (
        nw.from_native(table),
        {part for name in columns for part in ([name] if isinstance(name, str) else name)},
    )
    schema = frame.collect_schema()
    ordered = [n for n in wanted if n in schema.names() and _has_order(frame, schema[n])]
    return {name: _used(frame[name]) for name in ordered if hasattr(frame, "rows")}


def _has_order(frame, dtype) -> bool:
    """Whether a column's categories have an order: pandas keeps one, and so does an Enum of Polars."""
    import narwhals as nw

    return dtype == nw.Enum or (dtype == nw.Categorical and frame.implementation.is_pandas_like())


def _used(column) -> tuple[str, ...]:
    """Categories of a column that occur, in their order."""
    used = {_spelled(value) for value in column.unique().to_list()}
    pandas = column.implementation.is_pandas_like()
    levels = column.to_native().cat.categories if pandas else column.dtype.categories
    return tuple(level for level in map(_spelled, levels) if level in used)


def _require_no_index(table, columns: Sequence[Name]) -> None:
    """Refuse columns that pandas has in the index."""
    names = getattr(getattr(table, "index", None), "names", ())
    if missing := [name for name in columns if name in names and name not in table.columns]:
        raise InputError(f"frame: {missing[0]!r} is the index, not a column: pass frame.reset_index()")


def _spelled(value: object) -> str:
    """A value as a CSV file has it; nothing where it is missing."""
    if isinstance(value, str):
        return value
    if value is None or value is np.ma.masked or (np.ndim(value) == 0 and naming.is_missing(value)):
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return repr(float(value)) if isinstance(value, float) else str(value)
