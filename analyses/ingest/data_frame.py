"""A data frame as a table to read: its rows are spelled as in a CSV file, and read as strictly."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

from analyses.ingest.request import InputError

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
        The same for all.
    """

    frame: Any
    name: ClassVar[str] = "frame"

    @classmethod
    def of(cls, frame: "IntoFrame | dict", columns: Sequence[str]) -> Self:
        """A frame of any library, or a dictionary of columns, of which some will be read.

        Raises
        ------
        InputError
            For what is no table, columns of different lengths, or a column that is the index.
        """
        import narwhals as nw  # takes its time to import

        table = _of_columns(frame) if isinstance(frame, dict) else frame
        try:
            whole = nw.from_native(table)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"a {type(frame).__name__} is not a table: pass a data frame, a dictionary of columns, or the path of "
                "a CSV or Parquet file"
            ) from error
        _require_no_index(table, columns)
        return cls(whole)

    @property
    def is_large(self) -> bool:
        """Whether its library reduces it: it is lazy, or has too many rows to be spelled."""
        return not hasattr(self.frame, "rows") or len(self.frame) > MOST_SPELLED

    @property
    def columns(self) -> list[str]:
        """Names of its columns."""
        return list(map(str, self.frame.collect_schema().names()))

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Number and fields of every row, the header first: shortest digits that read back, nothing where missing.

        Raises
        ------
        InputError
            For a frame without rows.
        """
        yield 0, self.columns
        frame = self.frame if hasattr(self.frame, "rows") else self.frame.collect()
        fields = [[_spelled(value) for value in frame[name].to_list()] for name in frame.columns]
        if not len(frame):
            raise InputError(f"{self.name}: has no rows")
        for row, values in enumerate(zip(*fields, strict=True), start=1):
            yield row, list(values)


def _of_columns(columns: dict):
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
    return pd.DataFrame({name: list(values) for name, values in columns.items()})


def _require_no_index(table, columns) -> None:
    """Refuse columns that pandas has in the index."""
    names = getattr(getattr(table, "index", None), "names", ())
    if missing := [name for name in columns if name in names and name not in table.columns]:
        raise InputError(f"frame: {missing[0]!r} is the index, not a column: pass frame.reset_index()")


def _spelled(value: object) -> str:
    """A value as a CSV file has it; nothing where it is missing."""
    if isinstance(value, str):
        return value
    missing = value is None or value != value or type(value).__name__ in ("NAType", "NaTType")
    return "" if missing else repr(value) if isinstance(value, float) else str(value)
