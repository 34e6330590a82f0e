"""What a table says, in one of three shapes: rows in groups, averages of groups, or estimates."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from analyses.ingest import columns, reader, reduce, repeats, source
from analyses.ingest.faults import Fault, Faults
from analyses.ingest.fields import Kind
from analyses.ingest.reading import Source, name_of
from analyses.ingest.request import InputError, Request
from analyses.ingest.units import Units
from models.groups import Estimates, Groups, Replicates
from models.groups.validation import LARGEST_SCALE

LARGEST_SIZE = 10**15  # rows in a group: doubles count no farther
RESOLVED_RATIO = 10**7  # of standard errors: then squares differ by what a double resolves
SIZE = Kind("is no size of a group", "give a whole number of 1 or more")
NEGATIVE = Kind("must not be negative", "is the sign a typing error?")
POSITIVE = Kind("must be positive", "an estimate without error, or with a negative one, cannot be weighed; correct it")
NO_SPREAD = Kind("is blank: only a group of one may have none", "give the group's spread, or remove the row")
SPREAD_OF_ONE = Kind("is of a group of one, which has no spread", "leave it blank, or correct the size")
AGAIN = Kind("occurs again", "give one row a group, each with a name of its own")


@dataclass(frozen=True, eq=False, kw_only=True)
class Contents:
    """Labels and numbers of a table, the numbers inside their units.

    Attributes
    ----------
    kind : type of Groups
        What is made of them.
    labels : list of str
    numbers : dict
        Arguments of `kind.from_summary`, an entry for each label.
    units : Units
    covariates : dict
        Name to label to value, Decimal where it is a number.
    read : dict
        Names of what was read to their SHA-256.
    levels : dict
        Name of a covariate of categories to its levels, the reference first, where an order was given.
    repeated : str
        Which rows repeat others, where any do.
    notes, warnings : tuples of str
        How the table was read, and what its reader should look at.
    """

    kind: type[Replicates] | type[Estimates]
    labels: list[str]
    numbers: dict[str, np.ndarray]
    units: Units
    covariates: dict[str, dict[str, object]]
    read: dict[str, str]
    repeated: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]

    def groups(self, design: dict[str, dict[str, float]]) -> Groups:
        """Make the groups, with the columns of a design by label."""
        columns = {name: [column[label] for label in self.labels] for name, column in design.items()}
        return self.kind.from_summary(self.labels, **self.numbers, covariates=columns)


def of_rows(request: Request, *, show: bool) -> Contents:
    """Reduce rows in groups to sizes, means and sums of squares.

    Raises
    ------
    InputError
        With a line for each cause.
    """
    table = source.of_request(request, show=show)
    wanted = columns.Columns(
        text=[request.columns["group"]],
        numbers=[request.columns["value"]],
        either=request.covariates,
        drop_missing=request.drop_missing,
    )
    reduced = reduce.rows_in_groups(table, wanted, absolute=request.absolute, categorical=_categorical(request, table))
    _require_near(request, reduced.mean, np.sqrt(reduced.ss))
    return Contents(
        kind=Replicates,
        labels=reduced.labels,
        numbers={"n": reduced.n, "mean": reduced.mean, "ss": reduced.ss},
        units=reduced.units,
        covariates=reduced.covariates,
        read=reduced.read,
        repeated=reduced.repeated,
        notes=reduced.notes,
        warnings=reduced.warnings,
        levels=_levels(request, table, reduced.covariates),
    )


def of_averages(request: Request) -> Contents:
    """Read sizes, averages and standard deviations or errors, a row a group."""
    names, table = request.columns, source.of_request(request)
    size, mean, spread = names["n"], names["mean"], names["sd" if "sd" in names else "se"]
    frame = _read(request, table, text=[names["group"]], numbers=[size, mean, spread], optional=[spread])
    labels, n, spreads = _require_distinct(table, frame, names["group"]), list(frame[size]), list(frame[spread])
    given, single = [v is not None for v in spreads], [k == 1 for k in n]
    for column, holds, kind in (
        (size, [1 <= k <= LARGEST_SIZE and k % 1 == 0 for k in n], SIZE),
        (spread, [v is None or v >= 0 for v in spreads], NEGATIVE),
        (spread, [has or one for has, one in zip(given, single, strict=True)], NO_SPREAD),
        (spread, [not (v and one) for v, one in zip(spreads, single, strict=True)], SPREAD_OF_ONE),
    ):
        repeats.check(table, frame, column, holds, kind)
    sds = [(v or Decimal(0)) * (1 if "sd" in names else k.sqrt()) for v, k in zip(spreads, n, strict=True)]
    units = Units.of(frame[mean], sds, tau=request.absolute)
    sds_inside = np.array([units.scaled(sd) for sd in sds])
    sizes, means = np.array([float(k) for k in n]), np.array([units.located(v) for v in frame[mean]])
    _require_near(request, sds_inside, means)
    summary = {"n": sizes, "mean": means, "ss": sds_inside**2 * (sizes - 1)}
    return _of_frame(request, table, frame, Replicates, labels, summary, units)


def of_estimates(request: Request) -> Contents:
    """Read estimates and their standard errors or variances, a row an estimate."""
    names, table = request.columns, source.of_request(request)
    text, error = [names["label"]] if "label" in names else [], names["se" if "se" in names else "variance"]
    frame = _read(request, table, text=text, numbers=[names["estimate"], error])
    repeats.check(table, frame, error, (v > 0 for v in frame[error]), POSITIVE)
    labels = _require_distinct(table, frame, text[0]) if text else [str(i) for i in range(1, len(frame) + 1)]
    errors = list(frame[error]) if "se" in names else [v.sqrt() for v in frame[error]]
    if (ratio := max(errors) / min(errors)) > RESOLVED_RATIO:
        raise InputError(
            f"{table.name}: standard errors differ by a factor {ratio:.0e}: no double can weigh them together; is one "
            "in another unit?"
        )
    units = Units.of(frame[names["estimate"]], errors, tau=True)
    estimates = np.array([units.located(v) for v in frame[names["estimate"]]])
    errors_inside = np.array([units.scaled(v) for v in errors])
    _require_near(request, estimates, errors_inside)
    summary = {"estimate": estimates, "standard_error": errors_inside}
    return _of_frame(request, table, frame, Estimates, labels, summary, units)


def _read(request: Request, table: Source, *, text, numbers, optional=()) -> pd.DataFrame:
    """Columns of a table of one row a group, and its covariates."""
    categorical = _categorical(request, table)
    as_text = [name for name in request.covariates if name in categorical]
    either = [name for name in request.covariates if name not in categorical]
    return reader.read(
        table,
        text=[*text, *as_text],
        numbers=numbers,
        either=either,
        optional=optional,
        drop_missing=request.drop_missing,
    )


def _of_frame(request: Request, table: Source, frame: pd.DataFrame, kind, labels, numbers, units) -> Contents:
    """Contents of a table of one row a group."""
    covariates = {name: dict(zip(labels, frame[name], strict=True)) for name in request.covariates}
    return Contents(
        kind=kind,
        labels=labels,
        numbers=numbers,
        units=units,
        covariates=covariates,
        read=frame.attrs["read"],
        repeated=frame.attrs["repeated"],
        notes=frame.attrs["notes"],
        warnings=frame.attrs["warnings"],
        levels=_levels(request, table, covariates),
    )


def _categorical(request: Request, table: Source) -> tuple[str, ...]:
    """Covariates that are categories: those that were named so, and those that a frame has as such."""
    return (*request.categorical, *getattr(table, "levels", {}))


def _levels(request: Request, table: Source, covariates: dict[str, dict[str, object]]) -> dict[str, tuple[str, ...]]:
    """Levels of covariates in the order of a frame's categories, the reference that was asked for first."""
    known = {name: levels for name, levels in getattr(table, "levels", {}).items() if name in covariates}
    for name, reference in request.references.items():
        values = {str(value) for value in covariates[name].values()}
        levels = known.get(name) or tuple(sorted(values))
        if reference not in values:
            listed = ", ".join(map(repr, levels))
            raise InputError(f"{table.name}: covariate {name!r} has no level {reference!r}: there are {listed}")
        known[name] = (reference, *(level for level in levels if level != reference))
    return known


def _require_near(request: Request, *numbers: np.ndarray) -> None:
    """Refuse numbers so much larger than most that no double holds their squares beside those of the others."""
    if (most := max(np.abs(column).max() for column in numbers)) > LARGEST_SCALE:
        raise InputError(
            f"{request.table.name}: a number is {most:.0e} times as large as most: no double can weigh them together"
        )


def _require_distinct(table: Source, frame: pd.DataFrame, column) -> list[str]:
    """Return names that occur once each."""
    first: dict[str, int] = {}
    faults = Faults()
    for line, label in zip(frame.index, frame[column], strict=True):
        if first.setdefault(label, line) != line:
            what = f"{label!r} is there already, in {table.place} {first[label]}"
            faults.add([Fault(line, AGAIN, what, name_of(column))])
    faults.refuse(table)
    return list(frame[column])
