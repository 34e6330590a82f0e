"""What a table says, in one of three shapes: rows in groups, averages of groups, or estimates."""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from analyses.ingest import reduce, strict_csv
from analyses.ingest.request import InputError, Request
from analyses.ingest.units import Units
from models.groups import Estimates, Groups, Replicates
from models.groups.validation import LARGEST_SCALE

LARGEST_SIZE = 10**15  # rows in a group: doubles count no farther
RESOLVED_RATIO = 10**7  # of standard errors: then squares differ by what a double resolves


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
    repeated : str
        Which rows repeat others, where any do.
    """

    kind: type[Replicates] | type[Estimates]
    labels: list[str]
    numbers: dict[str, np.ndarray]
    units: Units
    covariates: dict[str, dict[str, object]]
    read: dict[str, str]
    repeated: str

    def groups(self, design: dict[str, dict[str, float]]) -> Groups:
        """Make the groups, with the columns of a design by label."""
        columns = {name: [column[label] for label in self.labels] for name, column in design.items()}
        return self.kind.from_summary(self.labels, **self.numbers, covariates=columns)


def of_rows(request: Request, *, show: bool) -> Contents:
    """Reduce rows in groups to sizes, means and sums of squares."""
    columns = {"group": request.columns["group"], "value": request.columns["value"], "covariates": request.covariates}
    reduced = reduce.rows_in_groups(request.table, **columns, absolute=request.absolute, show=show)
    _require_near(request, reduced.mean, np.sqrt(reduced.ss))
    return Contents(
        kind=Replicates,
        labels=reduced.labels,
        numbers={"n": reduced.n, "mean": reduced.mean, "ss": reduced.ss},
        units=reduced.units,
        covariates=reduced.covariates,
        read=reduced.read,
        repeated=reduced.repeated,
    )


def of_averages(request: Request) -> Contents:
    """Read sizes, averages and standard deviations or errors, a row a group."""
    columns, path = request.columns, request.table
    size, mean, spread = columns["n"], columns["mean"], columns["sd" if "sd" in columns else "se"]
    text, numbers = [columns["group"]], [size, mean, spread]
    frame = strict_csv.read(path, text=text, numbers=numbers, either=request.covariates, optional=[spread])
    labels, n, spreads = _require_distinct(request, frame, columns["group"]), list(frame[size]), list(frame[spread])
    several = [k > 1 for k in n]
    for column, holds, rule in (
        (size, [1 <= k <= LARGEST_SIZE and k % 1 == 0 for k in n], "is no size of a group"),
        (spread, [v is None or v >= 0 for v in spreads], "must not be negative"),
        (
            spread,
            [v is not None or k == 1 for v, k in zip(spreads, n, strict=True)],
            "is blank: only a group of one may have none",
        ),
        (
            spread,
            [more or not v for v, more in zip(spreads, several, strict=True)],
            "is of a group of one, which has no spread",
        ),
    ):
        strict_csv.check(path, frame, column, holds, rule)
    sds = [(v or Decimal(0)) * (1 if "sd" in columns else k.sqrt()) for v, k in zip(spreads, n, strict=True)]
    units = Units.of(frame[mean], sds, tau=request.absolute)
    sds_inside = np.array([units.scaled(sd) for sd in sds])
    sizes, means = np.array([float(k) for k in n]), np.array([units.located(v) for v in frame[mean]])
    _require_near(request, sds_inside, means)
    summary = {"n": sizes, "mean": means, "ss": sds_inside**2 * (sizes - 1)}
    return _of_frame(request, frame, Replicates, labels, summary, units)


def of_estimates(request: Request) -> Contents:
    """Read estimates and their standard errors or variances, a row an estimate."""
    columns, path = request.columns, request.table
    text, error = [columns["label"]] if "label" in columns else [], columns["se" if "se" in columns else "variance"]
    frame = strict_csv.read(path, text=text, numbers=[columns["estimate"], error], either=request.covariates)
    strict_csv.check(path, frame, error, (v > 0 for v in frame[error]), "must be positive")
    labels = _require_distinct(request, frame, text[0]) if text else [str(i) for i in range(1, len(frame) + 1)]
    errors = list(frame[error]) if "se" in columns else [v.sqrt() for v in frame[error]]
    if (ratio := max(errors) / min(errors)) > RESOLVED_RATIO:
        raise InputError(
            f"{path.name}: standard errors differ by a factor {ratio:.0e}: no double can weigh them together; is one "
            "in another unit?"
        )
    units = Units.of(frame[columns["estimate"]], errors, tau=True)
    estimates = np.array([units.located(v) for v in frame[columns["estimate"]]])
    errors_inside = np.array([units.scaled(v) for v in errors])
    _require_near(request, estimates, errors_inside)
    summary = {"estimate": estimates, "standard_error": errors_inside}
    return _of_frame(request, frame, Estimates, labels, summary, units)


def _of_frame(request: Request, frame: pd.DataFrame, kind, labels, numbers, units) -> Contents:
    """Contents of a table of one row a group."""
    return Contents(
        kind=kind,
        labels=labels,
        numbers=numbers,
        units=units,
        covariates={name: dict(zip(labels, frame[name], strict=True)) for name in request.covariates},
        read={request.table.name: sha256} if (sha256 := frame.attrs["sha256"]) else {},
        repeated=frame.attrs["repeated"],
    )


def _require_near(request: Request, *columns: np.ndarray) -> None:
    """Refuse numbers so much larger than most that no double holds their squares beside those of the others."""
    if (most := max(np.abs(column).max() for column in columns)) > LARGEST_SCALE:
        raise InputError(
            f"{request.table.name}: a number is {most:.0e} times as large as most: no double can weigh them together"
        )


def _require_distinct(request: Request, frame: pd.DataFrame, column: str) -> list[str]:
    """Return names that occur once each."""
    first: dict[str, int] = {}
    strict_csv.refuse([
        f"{request.table.name}:{line}: column {column!r}: {label!r} is there already, in line {first[label]}"
        for line, label in zip(frame.index, frame[column], strict=True)
        if first.setdefault(label, line) != line
    ])  # fmt: skip
    return list(frame[column])
