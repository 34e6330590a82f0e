"""Workbooks of spreadsheets: the sheet that has the columns, its cells spelled as in a CSV file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import ClassVar

from analyses.ingest import header, parquet
from analyses.ingest.reading import Name, Opened, Reading, Record
from analyses.ingest.request import InputError
from analyses.ingest.wording import COMMAND_LINE, Wording

WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")


@dataclass(frozen=True)
class Workbook:
    """A table in a sheet of a workbook.

    Attributes
    ----------
    path : Path
    reading : Reading
        Which sheet it is and how many rows stand above the table, where its user says so.
    wording : Wording
    """

    place: ClassVar[str] = "row"
    path: Path
    reading: Reading = field(default_factory=Reading)
    wording: Wording = COMMAND_LINE

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    @contextmanager
    def opened(self, names: Sequence[Name]) -> Iterator[Opened]:
        """Read the sheet that was named, or the one that has the columns.

        Raises
        ------
        InputError
            For what is no workbook, a sheet that is not there, or several that have the columns.
        """
        digests = {self.name: parquet.digest(self.path)}
        sheets = _sheets(self)
        sheet = self._chosen(sheets, names)
        notes = [f"read sheet {sheet!r}"] if len(sheets) > 1 and not self.reading.sheet else []
        records = islice(_records(sheets[sheet]), self.reading.skip or 0, None)
        first, rows = header.split(self, records, names, notes)
        yield Opened(
            header=first.fields,
            line=first.line,
            rows=rows,
            notes=notes,
            digests=lambda: digests,
            is_text=True,
            decimal=self.reading.decimal or ".",
        )

    def _chosen(self, sheets: dict[str, list], names: Sequence[Name]) -> str:
        """The sheet that was named, or the one of several whose header has all names."""
        listed = ", ".join(map(repr, sheets))
        if stated := self.reading.sheet:
            if stated not in sheets:
                raise InputError(f"{self.name}: there is no sheet {stated!r}: there are {listed}")
            return stated
        fitting = [name for name, rows in sheets.items() if _has(rows, names)] or list(sheets)
        if len(fitting) > 1:
            remedy = self.wording.setting("sheet", fitting[0])
            raise InputError(f"{self.name}: there are several sheets, {listed}: name one, as {remedy}")
        return fitting[0]


def _has(rows: list[list], names: Sequence[Name]) -> bool:
    """Whether one of the first rows has all the names."""
    return any(
        header.has_names([field.strip() for field in fields], names)
        for _, fields in islice(_records(rows), header.LOOKED_THROUGH)
    )


def _sheets(source: Workbook) -> dict[str, list]:
    """Rows of each sheet that has any."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise InputError(
            f"{source.name}: workbooks need the package python-calamine: pip install 'partial-pooling[excel]'; or save "
            "the sheet as CSV"
        ) from error
    try:
        workbook = CalamineWorkbook.from_path(str(source.path))
        sheets = {
            name: workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in workbook.sheet_names
        }
    except CalamineError as error:
        raise InputError(f"{source.name}: is no workbook that can be read: {error}") from error
    if not any(sheets.values()):
        raise InputError(f"{source.name}: is empty")
    return {name: rows for name, rows in sheets.items() if rows}


def _records(rows: list[list]) -> Iterator[Record]:
    """Rows of a sheet, counted from 1, as text."""
    for row, cells in enumerate(rows, start=1):
        yield Record(row, list(map(_spelled, cells)))


def _spelled(cell: object) -> str:
    """A cell as a CSV file has it: whole numbers without a point, for every number of a workbook is a double."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return repr(int(cell)) if cell == int(cell) and abs(cell) < 2**53 else repr(cell)
    return str(cell)
