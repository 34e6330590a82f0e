"""Rows of a table of any size, reduced to groups in one pass and in memory that grows with the groups alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import numpy as np

from analyses import progress
from analyses.ingest import files, parquet_faults, strict_csv
from analyses.ingest.data_frame import FrameTable
from analyses.ingest.request import InputError, Table
from analyses.ingest.units import EXACTLY, Units
from models.groups import sufficient_statistics
from models.groups.naming import normalized


class Reduced(NamedTuple):
    """Groups of a file inside their units; of CSV in its order, of Parquet in that of their labels.

    `covariates` maps name to label to value, Decimal where it is a number; `read` maps the names of what was read to
    their SHA-256; `repeated` says which rows repeat others, where there are so few that it was looked for.
    """

    labels: list[str]
    n: np.ndarray
    mean: np.ndarray
    ss: np.ndarray
    units: Units
    covariates: dict[str, dict[str, object]]
    read: dict[str, str]
    repeated: str = ""


def rows_in_groups(table: Path | FrameTable, *, show: bool, **columns) -> Reduced:
    """Reduce rows to groups: those of CSV and small frames one by one, of Parquet and large frames where they are.

    Raises
    ------
    InputError
        With the first ten faults, and how many there are besides.
    """
    if isinstance(table, FrameTable):
        return frame(table, **columns) if table.is_large else in_decimals(table, table.records(), **columns)
    return parquet(table, show=show, **columns) if files.is_parquet(table) else csv(table, show=show, **columns)


def csv(path: Path, *, show: bool, **columns) -> Reduced:
    """Reduce a CSV file, as strictly as any is read."""
    watched = progress.bar(f"reading {path.name}", total=path.stat().st_size, unit="B", show=show)
    with path.open("rb", buffering=0) as file, watched as bar:
        hashed = files.Hashed(file)
        reduced = in_decimals(
            path, files.records(path, hashed), update=lambda: bar.update(hashed.size - bar.n), **columns
        )
    return reduced._replace(read={path.name: hashed.hash.hexdigest()})


def in_decimals(
    table: Path | FrameTable,
    records: Iterator[tuple[int, list[str]]],
    *,
    group: str,
    value: str,
    covariates: Sequence[str],
    absolute: bool,
    update: Callable[[], None] = lambda: None,
) -> Reduced:
    """Reduce rows of text, in one pass; `update` is called after each batch.

    Values are taken in decimals from the first value of their group, and only then rounded: a row keeps its digits
    however far apart the groups are. The units are those of the rows up to the first batch that brings any spread.
    """
    sums, units, repeated = Sums(), None, ""
    first, varying = {name: {} for name in covariates}, strict_csv.Faults()
    wanted = strict_csv.Columns(text=[group], numbers=[value], either=covariates)
    for batch in strict_csv.batches(table, records, wanted):
        labels, values = batch.columns[group], batch.columns[value]
        for name, known in first.items():
            varying.add(strict_csv.constant(table, name, batch.lines, labels, batch.columns[name], known))
        if units is None or not sums.spread:
            repeated = strict_csv.repeated(table, batch.rows, batch.lines) if units is None else ""
            units = Units.of([*sums.first, *values], tau=absolute)
        sums.add(labels, values, units)
        update()
    varying.refuse()
    return Reduced(
        labels=list(sums.position),
        n=sums.n,
        mean=np.array([units.located(v) for v in sums.first]) + sums.mean,
        ss=sums.ss,
        units=units,
        covariates={name: {label: last for label, (_, last) in known.items()} for name, known in first.items()},
        read={},
        repeated=repeated if sums.batches == 1 else "",
    )


def frame(table: FrameTable, *, group: str, value: str, covariates: Sequence[str], absolute: bool) -> Reduced:
    """Reduce a frame by its own library, lazy or not.

    Raises
    ------
    InputError
        With the first fault.
    """
    strict_csv.positions(table.name, table.columns, (group, value, *covariates))
    try:
        sums = sufficient_statistics.of_frame(table.frame, group=group, value=value, covariates=covariates)
    except ValueError as error:
        raise InputError(f"{table.name}: {error}") from error
    return _inside(table, sums, group, absolute=absolute)


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


def parquet(path: Path, *, group: str, value: str, covariates: Sequence[str], absolute: bool, show: bool) -> Reduced:
    """Reduce a Parquet file, a folder of them, or those that fit a pattern; DuckDB goes over the rows.

    Raises
    ------
    InputError
        For what is no Parquet, or with the first ten faults.
    """
    root, parts = files.of_parquet(path)
    before = [part.stat().st_mtime_ns for part in parts]
    table = files.relation(parts, root, show=show)
    strict_csv.positions(f"{path.name}:1", table.columns, (group, value, *covariates))
    try:
        with files.read_as_parquet(path.name):
            named = _without_truth(table, (group, *covariates))
            sums = sufficient_statistics.of_frame(named, group=group, value=value, covariates=covariates)
    except ValueError as error:
        parquet_faults.refuse(root, parts, group, value, covariates)
        raise InputError(str(error) if isinstance(error, InputError) else f"{path.name}: {error}") from error
    read = {str(part.relative_to(root)): files.digest(part) for part in parts}
    if [part.stat().st_mtime_ns for part in parts] != before:
        raise InputError(f"{path.name}: changed while it was read")
    return _inside(path, sums, group, absolute=absolute)._replace(read=read)


def _inside(table: Path | FrameTable, sums, group: str, *, absolute: bool) -> Reduced:
    """Sums of a table in their units."""
    names = _names(table, group, sums.labels)
    labels = [names[label] for label in sums.labels]
    units = Units.about(Decimal(repr(sums.offset)), Decimal(repr(sums.spread)), tau=absolute)
    inside = sums.unit / float(units.unit)
    return Reduced(
        labels=labels,
        n=sums.n,
        mean=inside * sums.mean,
        ss=inside**2 * sums.ss,
        units=units,
        covariates={name: _of_groups(table, name, labels, v.values()) for name, v in sums.covariates.items()},
        read={},
    )


def _without_truth(table, names: Sequence[str]):
    """With text for truth values, as in a CSV file: true is no 1 there, and no True."""
    typed = zip(table.columns, table.types, strict=True)
    truths = [files.quoted(name) for name, kind in typed if name in names and str(kind) == "BOOLEAN"]
    spelled = ", ".join(f"{name}::varchar as {name}" for name in truths)
    return table.select(f"* replace ({spelled})") if truths else table


def _of_groups(path: Table, name: str, labels: list[str], values: Iterable) -> dict[str, object]:
    """A covariate by label: numbers in decimals, as they are spelled, all else as text."""
    values = list(values)
    known = _names(path, name, values) if isinstance(values[0], str) else _numbers(path, name, values)
    return {label: known[value] for label, value in zip(labels, values, strict=True)}


def _names(path: Table, column: str, spelled: Iterable[str]) -> dict[str, str]:
    """Names less blanks at their ends; refused where nothing is left, or where two look the same."""
    first, faults, names = {}, [], {name: name.strip() for name in spelled}
    for name, stripped in names.items():
        known = first.setdefault(normalized(name), name)
        if not stripped:
            faults.append(f"{path.name}: column {column!r}: {name!r} is blank")
        elif known != name:
            message = f"{name!r} looks like {known!r} and is another: spell them alike, or apart"
            faults.append(f"{path.name}: column {column!r}: {message}")
    strict_csv.refuse(faults)
    return names


def _numbers(path: Table, column: str, values: Iterable[float]) -> dict[float, Decimal]:
    """Numbers in decimals; refused where they are not finite, or of no size to compute with."""
    spelled = {value: repr(value) for value in values}
    faults = [(text, strict_csv.fault(text, number=True)) for text in spelled.values()]
    strict_csv.refuse([f"{path.name}: column {column!r}: {text!r} {fault}" for text, fault in faults if fault])
    return {value: Decimal(text) for value, text in spelled.items()}
