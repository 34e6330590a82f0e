"""Rows of a table of any size, reduced to groups in one pass and in memory that grows with the groups alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from analyses.ingest import columns, fields, header, lazily, parquet, parquet_faults, reader, repeats
from analyses.ingest.columns import Columns
from analyses.ingest.data_frame import FrameTable
from analyses.ingest.faults import Faults, refuse
from analyses.ingest.parquet import ParquetFiles
from analyses.ingest.reading import Name, Source, name_of
from analyses.ingest.request import InputError
from analyses.ingest.units import EXACTLY, Units
from models.groups import sufficient_statistics
from models.groups.naming import normalized


class Reduced(NamedTuple):
    """Groups of a file inside their units; of CSV in its order, of Parquet in that of their labels.

    `covariates` maps name to label to value, Decimal where it is a number; `read` maps the names of what was read to
    their SHA-256; `repeated` says which rows repeat others, where there are so few that it was looked for; `notes` say
    how the table was read, and `warnings` what its reader should look at.
    """

    labels: list[str]
    n: np.ndarray
    mean: np.ndarray
    ss: np.ndarray
    units: Units
    covariates: dict[str, dict[str, object]]
    read: dict[str, str]
    repeated: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def rows_in_groups(source: Source, wanted: Columns, *, absolute: bool, categorical: Sequence[str] = ()) -> Reduced:
    """Reduce rows to groups: those of text and small frames one by one, of Parquet and large frames where they are.

    `wanted` has one name of text, the group, and one of numbers, the value; what may be either is a covariate.

    Raises
    ------
    InputError
        With a line for each cause.
    """
    if isinstance(source, FrameTable) and source.is_large:
        return frame(source, wanted, absolute=absolute, categorical=categorical)
    if isinstance(source, ParquetFiles):
        return of_parquet(source, wanted, absolute=absolute, categorical=categorical)
    return in_decimals(source, wanted, absolute=absolute, categorical=categorical)


def in_decimals(source: Source, wanted: Columns, *, absolute: bool, categorical: Sequence[str] = ()) -> Reduced:
    """Reduce rows of text, in one pass.

    Values are taken in decimals from the first value of their group, and only then rounded: a row keeps its digits
    however far apart the groups are. The units are those of the rows up to the first batch that brings any spread.
    """
    (group,), (value,), covariates = wanted.text, wanted.numbers, wanted.either
    sums, units, repeated = Sums(), None, ""
    first, varying = {name: {} for name in covariates}, Faults()
    wanted = replace(
        wanted,
        text=[group, *(name for name in covariates if name in categorical)],
        either=[name for name in covariates if name not in categorical],
    )
    with source.opened(wanted.names) as opened:
        identified = len(opened.header) > len(wanted.names)
        for batch in reader.batches(source, opened, wanted):
            if not batch.lines:
                continue
            labels, values = batch.columns[group], batch.columns[value]
            for name, known in first.items():
                repeats.varying(source, name, group, batch, known, varying)
            if units is None or not sums.spread:
                repeated = repeats.repeated(source, batch.rows, batch.lines) if units is None and identified else ""
                units = Units.of([*sums.first, *values], tau=absolute)
            sums.add(labels, values, units)
    varying.refuse(source)
    return Reduced(
        labels=list(sums.position),
        n=sums.n,
        mean=np.array([units.located(v) for v in sums.first]) + sums.mean,
        ss=sums.ss,
        units=units,
        covariates={name: {label: last for label, (_, last) in known.items()} for name, known in first.items()},
        read=opened.digests(),
        repeated=repeated if sums.batches == 1 else "",
        notes=tuple(opened.notes),
        warnings=tuple(opened.warnings),
    )


def frame(source: FrameTable, wanted: Columns, *, absolute: bool, categorical: Sequence[str] = ()) -> Reduced:
    """Reduce a frame by its own library, lazy or not.

    Raises
    ------
    InputError
        With the first fault.
    """
    (group,), (value,), covariates = wanted.text, wanted.numbers, wanted.either
    columns.positions(source.name, source.columns, wanted.names)
    try:
        whole, name, warnings = lazily.prepared(source.frame, source.columns, wanted, categorical)
        sums = sufficient_statistics.of_frame(whole, group=name, value=value, covariates=covariates)
    except ValueError as error:
        raise InputError(f"{source.name}: {error}") from error
    return _inside(source, sums, group, source.columns, absolute=absolute)._replace(read=source.read, warnings=warnings)


@dataclass(eq=False)
class Sums:
    """Groups as they grow, a batch of rows after the other; means are from the first value of each group."""

    position: dict[str, int] = field(default_factory=dict)
    first: list[Decimal] = field(default_factory=list)
    n: np.ndarray = field(default_factory=lambda: np.zeros(0))
    mean: np.ndarray = field(default_factory=lambda: np.zeros(0))
    ss: np.ndarray = field(default_factory=lambda: np.zeros(0))
    spread: bool = False
    batches: int = 0

    def add(self, labels: list[str], values: list[Decimal], units: Units) -> None:
        """Merge the groups of a batch with what is known of them."""
        which = np.fromiter(map(self._position, labels, values), dtype=np.intp, count=len(labels))
        away = [units.scaled(EXACTLY.subtract(v, self.first[k])) for k, v in zip(which, values, strict=True)]
        here, local = np.unique(which, return_inverse=True)
        size = len(self.first)
        parts = [np.pad(part, (0, size - len(part))) for part in (self.n, self.mean, self.ss)]
        batch = sufficient_statistics.of_values(local, np.array(away))
        for part, merged in zip(
            parts, sufficient_statistics.merged(*(part[here] for part in parts), *batch), strict=True
        ):
            part[here] = merged
        self.n, self.mean, self.ss = parts
        self.spread = self.spread or any(away) or len(set(self.first)) > 1
        self.batches += 1

    def _position(self, label: str, value: Decimal) -> int:
        """Of a group; one that was not there before begins with this value."""
        k = self.position.setdefault(label, len(self.first))
        if k == len(self.first):
            self.first.append(value)
        return k


def of_parquet(source: ParquetFiles, wanted: Columns, *, absolute: bool, categorical: Sequence[str] = ()) -> Reduced:
    """Reduce a Parquet file, a folder of them, or those that fit a pattern; DuckDB goes over the rows.

    Raises
    ------
    InputError
        For what is no Parquet, or with a line for each cause.
    """
    (group,), (value,), covariates = wanted.text, wanted.numbers, wanted.either
    root, parts = parquet.of_parquet(source.path)
    before = [part.stat().st_mtime_ns for part in parts]
    table = parquet.relation(parts, root, show=source.show)
    columns.positions(source.name, table.columns, wanted.names)
    try:
        with parquet.read_as_parquet(source.name):
            spelled = _without_truth(table, [*header.parts(group, table.columns), *covariates])
            whole, name, warnings = lazily.prepared(spelled, table.columns, wanted, categorical)
            sums = sufficient_statistics.of_frame(whole, group=name, value=value, covariates=covariates)
    except ValueError as error:
        if not wanted.drop_missing:
            parquet_faults.refuse_rows(source, root, parts, wanted)
        raise InputError(str(error) if isinstance(error, InputError) else f"{source.name}: {error}") from error
    read = {str(part.relative_to(root)): parquet.digest(part) for part in parts}
    if [part.stat().st_mtime_ns for part in parts] != before:
        raise InputError(f"{source.name}: changed while it was read")
    return _inside(source, sums, group, table.columns, absolute=absolute)._replace(read=read, warnings=warnings)


def _inside(source: Source, sums, group: Name, names: Sequence[str], *, absolute: bool) -> Reduced:
    """Sums of a table in their units."""
    named = _names(source, name_of(group), sums.labels)
    labels, between = [named[label] for label in sums.labels], len(header.parts(group, names)) - 1
    _require_unambiguous(source, between, labels)
    units = Units.about(Decimal(repr(sums.offset)), Decimal(repr(sums.spread)), tau=absolute)
    inside = sums.unit / float(units.unit)
    return Reduced(
        labels=labels,
        n=sums.n,
        mean=inside * sums.mean,
        ss=inside**2 * sums.ss,
        units=units,
        covariates={name: _of_groups(source, name, labels, v.values()) for name, v in sums.covariates.items()},
        read={},
    )


def _require_unambiguous(source: Source, between: int, labels: Sequence[str]) -> None:
    """Refuse names of several parts of which one holds what stands between them, `between` times in all."""
    if between and (wrong := [label for label in labels if label.count(columns.BETWEEN) != between]):
        raise InputError(f"{source.name}: {wrong[0]!r} could be made of other parts: {fields.JOINED_ALIKE.remedy}")
    parts = {part for label in labels for part in label.split(columns.BETWEEN)} if between else ()
    if blank := [part for part in parts if part != part.strip() or not part]:
        raise InputError(f"{source.name}: {min(blank)!r} is part of a group's name: remove blanks, or fill it in")


def _without_truth(table, names: Sequence[str]):
    """With text for truth values, as in a CSV file: true is no 1 there, and no True."""
    typed = zip(table.columns, table.types, strict=True)
    truths = [parquet.quoted(name) for name, kind in typed if name in names and str(kind) == "BOOLEAN"]
    spelled = ", ".join(f"{name}::varchar as {name}" for name in truths)
    return table.select(f"* replace ({spelled})") if truths else table


def _of_groups(source: Source, name: str, labels: list[str], values: Iterable) -> dict[str, object]:
    """A covariate by label: numbers in decimals, as they are spelled, all else as text."""
    values = list(values)
    known = _names(source, name, values) if isinstance(values[0], str) else _numbers(source, name, values)
    return {label: known[value] for label, value in zip(labels, values, strict=True)}


def _names(source: Source, column: str, spelled: Iterable[str]) -> dict[str, str]:
    """Names without blanks at their ends; refused where nothing is left, or where two look the same."""
    first, messages, names = {}, [], {name: name.strip() for name in spelled}
    for name, stripped in names.items():
        known = first.setdefault(normalized(name), name)
        if not stripped:
            messages.append(f"{source.name}: column {column!r}: {name!r} is blank: fill it in")
        elif known != name:
            remedy = fields.LOOKALIKE.remedy
            messages.append(f"{source.name}: column {column!r}: {name!r} looks like {known!r}: {remedy}")
    refuse(messages)
    return names


def _numbers(source: Source, column: str, values: Iterable[float]) -> dict[float, Decimal]:
    """Numbers in decimals; refused where they are not finite, or of no size to compute with."""
    spelled = {value: repr(value) for value in values}
    kinds = {text: fields.fault(text, number=True) for text in spelled.values()}
    where = f"{source.name}: column {column!r}"
    refuse([
        f"{where}: {text!r} {kind.what}: {source.wording.filled(kind.remedy)}" for text, kind in kinds.items() if kind
    ])  # fmt: skip
    return {value: Decimal(text) for value, text in spelled.items()}
