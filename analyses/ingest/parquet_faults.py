"""Which rows of Parquet files are at fault: looked for file by file, once it is known that some are."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from analyses.ingest import columns, fields, header, parquet
from analyses.ingest.columns import Columns
from analyses.ingest.faults import LISTED, Cause, of_field, refuse
from analyses.ingest.parquet import ParquetFiles, literal, quoted
from analyses.ingest.wording import Wording

EMPTY = r"[\s\p{Z}\p{Cc}]*"  # what Python strips off a label, in an expression that DuckDB knows


@dataclass(frozen=True)
class Part:
    """A file of several, by the name that it has below their folder."""

    place: ClassVar[str] = "row"
    name: str
    wording: Wording


def refuse_rows(source: ParquetFiles, root: Path, parts: list[Path], wanted: Columns) -> None:
    """Name the rows that are at fault, if it is rows that are, or a file without a column that others have.

    Raises
    ------
    InputError
        With a line for each cause, by the names that files have below the root.
    """
    messages = []
    for file in parts:
        part, table = Part(str(file.relative_to(root)), source.wording), parquet.relation([file], root)
        columns.positions(part.name, table.columns, wanted.names)
        with parquet.read_as_parquet(part.name):
            causes = sorted(_causes(table, wanted), key=lambda cause: cause.first.line)
        messages += [cause.message(part, 0) for cause in causes]
    refuse(messages)


def _causes(table, wanted: Columns) -> Iterator[Cause]:
    """What is wrong in one file."""
    of_text = [part for name in wanted.text for part in header.parts(name, table.columns)]
    for name in (*of_text, *wanted.either):
        blank = f"regexp_full_match(coalesce({quoted(name)}::varchar, ''), {literal(EMPTY)})"
        for line, value, count, lines in _grouped(table, name, blank, literal("blank")):
            yield Cause(of_field(line, name, value, fields.BLANK), [name], lines, count)
    for name in wanted.numbers:
        number = f"try_cast({quoted(name)} as double)"
        wild = f"abs({number}) > {fields.LARGEST} or ({number} <> 0 and abs({number}) < {fields.SMALLEST})"
        wrong = f"{number} is null or not isfinite({number}) or {wild}"
        kind = f"case when {wild} then 'size' when {quoted(name)} is null then 'blank' else 'text' end"
        for line, value, count, lines in _grouped(table, name, wrong, kind):
            fault = fields.fault(value, number=True) or fields.OTHER
            yield Cause(of_field(line, name, value, fault), [name], lines, count)


def _grouped(table, name: str, wrong: str, kind: str) -> list[tuple[int, str, int, list[int]]]:
    """First row, its value, the number of rows, and the first of them, of each kind of wrong rows."""
    numbered = table.select(
        f"row_number() over () as row, coalesce({quoted(name)}::varchar, '') as v, {wrong} as w, {kind} as k"
    )
    return (
        numbered.filter("w").aggregate(f"min(row), arg_min(v, row), count(*), min(row, {LISTED + 1})", "k").fetchall()
    )
