"""Rows beside each other: values that break a rule, covariates that vary within a group, rows that repeat others."""

from collections.abc import Iterable, Sequence

import pandas as pd

from analyses.ingest.columns import Batch
from analyses.ingest.faults import Fault, Faults, of_field
from analyses.ingest.fields import Kind
from analyses.ingest.reading import Name, Source, name_of

VARIES = Kind(
    "varies within a group",
    "a covariate is constant within a group. If groups are numbered anew in each {column!r}, name them by both "
    "columns: ⟨group {column},{group}⟩",
)


def varying(source: Source, column: str, group: Name, batch: Batch, first: dict, faults: Faults) -> None:
    """Take note of values that differ from what the same group had before; `first` remembers line and value of each."""
    kind = Kind(VARIES.what, VARIES.remedy.format(column=column, group=name_of(group)))
    for line, label, value in zip(batch.lines, batch.columns[group], batch.columns[column], strict=True):
        earlier, known = first.setdefault(label, (line, value))
        if value != known:
            what = f"'{value}' where {source.place} {earlier} has '{known}' for the same group {label!r}"
            faults.add([Fault(line, kind, what, column)])


def check(source: Source, frame: pd.DataFrame, column: str, holds: Iterable[bool], kind: Kind) -> None:
    """Refuse values of a column that break a rule.

    Raises
    ------
    InputError
        With the first of them, and what it has to be.
    """
    faults = Faults()
    for line, value, good in zip(frame.index, frame[column], holds, strict=True):
        if not good:
            faults.add([of_field(line, column, "" if value is None else str(value), kind)])
    faults.refuse(source)


def repeated(source: Source, rows: Sequence[Sequence[str]], lines: Sequence[int]) -> str:
    """Say which rows repeat others in every column; nothing where none do."""
    lines_of: dict[tuple, list[int]] = {}
    for line, row in zip(lines, rows, strict=True):
        lines_of.setdefault(tuple(row), []).append(int(line))
    several = [same for same in lines_of.values() if len(same) > 1]
    if not several:
        return ""
    return (
        f"{source.name}: {sum(map(len, several)) - len(several)} row(s) repeat others in every column ({source.place}s "
        f"{several[0][0]} and {several[0][1]}, say): all are counted; if one was entered twice, take it out"
    )
