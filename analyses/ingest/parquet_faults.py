"""Which rows of Parquet files are at fault: looked for file by file, once it is known that some are."""

from collections.abc import Sequence
from pathlib import Path

from analyses.ingest import files, strict_csv

BLANK = r"[\s\p{Z}\p{Cc}]*"  # what Python strips off a label, in an expression that DuckDB knows


def refuse(root: Path, parts: list[Path], group: str, value: str, covariates: Sequence[str]) -> None:
    """Name the rows that are at fault, if it is rows that are, or a file without a column that others have.

    Raises
    ------
    InputError
        With the first ten faults, by the names that files have below the root.
    """
    faults = strict_csv.Faults()
    for part in parts:
        name, table = str(part.relative_to(root)), files.relation([part], root)
        strict_csv.positions(f"{name}:1", table.columns, (group, value, *covariates))
        with files.read_as_parquet(name):
            wrong = _wrong(table, group, value)
            ((count,),) = wrong.aggregate("count(*)").fetchall()
            first = wrong.order("row").limit(strict_csv.SHOWN).fetchall()
        faults.add((0, f"{name}:{row}: {_said(group, value, *of_row)}") for row, *of_row in first)
        faults.count += count - len(first)
    faults.refuse()


def _wrong(table, group: str, value: str):
    """Rows without a label, or without a number of a size that can be computed with."""
    label = f"coalesce({files.quoted(group)}::varchar, '')"
    number = f"try_cast({files.quoted(value)} as double)"
    wild = f"abs(y) > {strict_csv.LARGEST} or (y <> 0 and abs(y) < {strict_csv.SMALLEST})"
    columns = f"row_number() over () as row, {label} as label, {number} as y, {files.quoted(value)}::varchar as given"
    blank = f"regexp_full_match(label, {files.literal(BLANK)})"
    wrong = table.select(columns).filter(f"{blank} or y is null or not isfinite(y) or {wild}")
    return wrong.select(f"row, {blank} as blank, label, coalesce(given, '')")


def _said(group: str, value: str, blank: bool, label: str, given: str) -> str:
    """What is wrong in a row."""
    if blank:
        return f"column {group!r}: {label!r} is blank"
    return f"column {value!r}: {given!r} {strict_csv.fault(given, number=True)}"
