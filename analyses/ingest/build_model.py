"""From a table of one's own to a model of it: what is refused is refused here, before anything is computed from it."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches

import numpy as np

from analyses.ingest import reduce, strict_csv
from analyses.ingest.request import InputError, Request, prior
from analyses.ingest.units import Units
from models.groups import Estimates, Groups, Replicates
from models.groups.covariates import design
from models.groups.naming import maybe_missing
from models.groups.validation import LARGEST_SCALE
from models.propriety import require_proper, says_nothing_of_tau
from models.two_level import TwoLevel

FEW = 5  # groups: with fewer the prior of tau speaks as loud as they do
SUMS = ("total", "sum", "all", "overall", "mean", "average", "grand total", "pooled")
UNEQUAL = 1000  # times the smallest standard error: the largest adds nothing
RESOLVED = 10**7  # times: then squares differ by what a double resolves
MOST = 10**15  # rows in a group: doubles count no farther
WIDE = 1e50  # times the data: the fourth power of a prior that wide still fits a double
PARAMETERS = ("mu", "beta", "tau", "tau2", "sigma", "sigma2")
NARROW = 1e-6  # of the data's size


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """A model of a file.

    `model` is inside `units`; `priors` spells its priors, of what is outside; `references` maps a covariate of text to
    the level that the others are held against; `read` maps the file's name to the SHA-256 of what was read.
    """

    model: TwoLevel
    units: Units
    priors: dict[str, str]
    references: dict[str, str]
    warnings: tuple[str, ...]
    read: dict[str, str]


def one_way(asked: Request, *, show: bool = False) -> Prepared:
    """Rows in groups, or the averages of groups; with `show` it tells how far it is.

    Raises
    ------
    InputError
        With a line for each fault.
    """
    found = _rows(asked, show) if "value" in asked.columns else _averages(asked)
    defaults = {"tau": "Uniform()" if asked.absolute else "HalfCauchy(1)", "sigma": "Jeffreys()"}
    return _prepared(asked, found, defaults)


def meta_analysis(asked: Request) -> Prepared:
    """Estimates with their standard errors.

    Raises
    ------
    InputError
        With a line for each fault.
    """
    return _prepared(asked, _estimates(asked), {"tau": "Uniform()"})


@dataclass(frozen=True, eq=False, kw_only=True)
class Given:
    """What a file says: `groups` makes them from columns of the design; see `scan.Scanned` for the rest."""

    labels: list[str]
    units: Units
    groups: Callable
    covariates: dict[str, dict[str, object]]
    read: dict[str, str]
    repeated: str


def _rows(asked, show) -> Given:
    """Rows in groups."""
    group, value = asked.columns["group"], asked.columns["value"]
    found = reduce.rows_in_groups(
        asked.path, group=group, value=value, covariates=asked.covariates, absolute=asked.absolute, show=show
    )
    _require_near(asked, found.mean, np.sqrt(found.ss))

    def groups(x):
        return Replicates.from_summary(
            found.labels, found.n, found.mean, found.ss, covariates=_columns(x, found.labels)
        )

    return Given(
        labels=found.labels,
        units=found.units,
        groups=groups,
        covariates=found.covariates,
        read=found.read,
        repeated=found.repeated,
    )


def _table(asked, frame, labels, units, groups) -> Given:
    """What a table of one row a group says."""
    return Given(
        labels=labels,
        units=units,
        groups=groups,
        covariates={name: dict(zip(labels, frame[name], strict=True)) for name in asked.covariates},
        read={asked.path.name: frame.attrs["sha256"]},
        repeated=frame.attrs["repeated"],
    )


def _averages(asked):
    """The same of groups that are given by their averages."""
    column, path = asked.columns, asked.path
    size, mean, spread = column["n"], column["mean"], column["sd" if "sd" in column else "se"]
    numbers = [size, mean, spread]
    frame = strict_csv.read(path, text=[column["group"]], numbers=numbers, either=asked.covariates, optional=[spread])
    labels, n = _once(asked, frame, column["group"]), list(frame[size])
    strict_csv.check(path, frame, size, (1 <= v <= MOST and v % 1 == 0 for v in n), "is no size of a group")
    each = list(zip(n, frame[spread], strict=True))
    strict_csv.check(path, frame, spread, (v is None or v >= 0 for _, v in each), "must not be negative")
    strict_csv.check(
        path, frame, spread, (k == 1 or v is not None for k, v in each), "is blank: only a group of one may have none"
    )
    strict_csv.check(
        path, frame, spread, (k > 1 or not v for k, v in each), "is of a group of one, which has no spread"
    )
    sds = [(v or Decimal(0)) * (Decimal(1) if "sd" in column else k.sqrt()) for k, v in each]
    units = Units.of(frame[mean], sds, tau=asked.absolute)
    spreads, means = [units.scaled(sd) for sd in sds], [units.located(v) for v in frame[mean]]
    _require_near(asked, spreads, means)
    ss = [sd**2 * float(k - 1) for sd, k in zip(spreads, n, strict=True)]
    inside = list(map(float, n)), means, ss
    return _table(
        asked, frame, labels, units, lambda x: Replicates.from_summary(labels, *inside, covariates=_columns(x, labels))
    )


def _estimates(asked):
    """The same of estimates with their standard errors."""
    column = asked.columns
    named, error = [column["label"]] if "label" in column else [], column["se" if "se" in column else "variance"]
    frame = strict_csv.read(asked.path, text=named, numbers=[column["estimate"], error], either=asked.covariates)
    strict_csv.check(asked.path, frame, error, (v > 0 for v in frame[error]), "must be positive")
    labels = _once(asked, frame, named[0]) if named else [str(i) for i in range(1, len(frame) + 1)]
    errors = list(frame[error]) if "se" in column else [v.sqrt() for v in frame[error]]
    if (ratio := max(errors) / min(errors)) > RESOLVED:
        raise InputError(
            f"{asked.path.name}: standard errors differ by a factor {ratio:.0e}: no double can weigh them together; is "
            "one in another unit?"
        )
    units = Units.of(frame[column["estimate"]], errors, tau=True)
    inside = [units.located(v) for v in frame[column["estimate"]]], [units.scaled(v) for v in errors]
    _require_near(asked, *inside)
    return _table(
        asked, frame, labels, units, lambda x: Estimates.from_summary(labels, *inside, covariates=_columns(x, labels))
    )


def _require_near(asked, *columns) -> None:
    """Refuse numbers so much larger than most that no double holds their squares beside those of the others."""
    if (most := max(np.abs(column).max() for column in columns)) > LARGEST_SCALE:
        raise InputError(
            f"{asked.path.name}: a number is {most:.0e} times as large as most: no double can weigh them together"
        )


def _columns(covariates, labels):
    return {name: [at[label] for label in labels] for name, at in covariates.items()}


def _once(asked, frame, column) -> list[str]:
    """Names that occur once each."""
    first = {label: line for line, label in reversed(list(zip(frame.index, frame[column], strict=True)))}
    faults = [
        f"{asked.path.name}:{line}: column {column!r}: {label!r} is there already, in line {first[label]}"
        for line, label in zip(frame.index, frame[column], strict=True)
        if line != first[label]
    ]
    strict_csv.refuse(faults)
    return list(frame[column])


def _prepared(asked: Request, given: Given, defaults) -> Prepared:
    """The model, once what is wrong with groups, covariates and priors has been refused."""
    where = asked.path.name
    if taken := [name for name in asked.covariates if name in PARAMETERS]:
        raise InputError(f"{where}: covariate {taken[0]!r} has the name of a parameter: name its column otherwise")
    if len(set(given.labels)) == 1:
        raise InputError(f"{where}: all rows are of one group, {given.labels[0]!r}: there is nothing to pool it with")
    columns, references = _design(where, given.covariates)
    try:
        groups = given.groups(columns)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error
    for label in (label for pair in asked.compare for label in pair):
        if label not in groups.labels:
            near = get_close_matches(label, groups.labels, n=1)
            raise InputError(
                f"--compare: {where} has no group {label!r}{f': did you mean {near[0]!r}?' if near else ''}"
            )
    spelled = _spelled(asked, groups, defaults)
    try:
        stated = _stated(groups, spelled, relative=not asked.absolute)
        require_proper(stated)
        model = given.units.model(stated)
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error
    _require_comparable(where, model)
    return Prepared(
        model=model,
        units=given.units,
        priors=spelled,
        references=references,
        warnings=tuple(_warnings(asked, given, model)),
        read=given.read,
    )


def _stated(groups: Groups, spelled: dict[str, str], *, relative: bool) -> TwoLevel:
    """The model with priors as they are spelled."""
    given = {name: prior(name, dist) for name, dist in spelled.items()}
    return TwoLevel(
        groups=groups,
        tau=given.get("tau") or given["tau2"],
        sigma=given.get("sigma") or given.get("sigma2"),
        coefficients=tuple(given[name] for name in ("mu", *groups.covariates)),
        relative=relative,
    )


def _warnings(asked, given, model):
    """What the reader should know of the data first."""
    groups, where = model.groups, asked.path.name
    if given.repeated:
        yield given.repeated
    if same := _but_for_case(groups.labels):
        yield f"{where}: {' and '.join(map(repr, same))} differ only in case: look whether they are one"
    yield from _maybe_missing(asked, given)
    if sums := [label for label in groups.labels if label.strip().casefold() in SUMS]:
        yield f"{where}: {sums[0]!r} is a group here: if its row is a sum or a mean of the others, leave it out"
    ratio = groups.standard_error.max() / groups.standard_error.min() if isinstance(groups, Estimates) else 1
    if ratio > UNEQUAL:
        yield f"{where}: standard errors differ by a factor {ratio:,.0f}: look whether one is in another unit"
    if len(groups) < FEW:
        yield f"{where}: {len(groups)} groups say little of tau: its prior weighs as much as they do"
    if says_nothing_of_tau(model):
        yield f"{where}: these data say nothing of tau: what is said of it, and of what hangs on it, is its prior"


def _maybe_missing(asked: Request, given: Given):
    """Groups, and levels of covariates, that are called what other programs write for a missing value."""
    named = {c: ("the name of a group", given.labels) for k, c in asked.columns.items() if k in ("group", "label")}
    named |= {name: ("a level", at.values()) for name, at in given.covariates.items()}
    for column, (what, values) in named.items():
        if said := maybe_missing(values, what):
            yield f"{asked.path.name}: column {column!r}: {said}"


def _but_for_case(labels) -> list[str]:
    """The first two labels that are one but for capital letters, if any."""
    seen = {}
    for label in labels:
        if (other := seen.setdefault(label.casefold(), label)) != label:
            return [other, label]
    return []


def _design(where, covariates):
    """Columns of the design by name, a value for each group; the reference level of covariates that are text."""
    doubles = {
        name: {label: float(v) if isinstance(v, Decimal) else v for label, v in at.items()}
        for name, at in covariates.items()
    }
    text = [name for name, at in covariates.items() if not isinstance(next(iter(at.values())), Decimal)]
    try:
        return design(doubles), {name: min(covariates[name].values()) for name in text}
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error


def _require_comparable(where: str, model: TwoLevel) -> None:
    """Refuse priors that are out of all proportion to the data, in whose units the model is."""
    coefficients = zip(("mu", *model.groups.covariates), model.standard.model.coefficients, strict=True)
    sizes = {name: p.size if p.sd > NARROW else p.sd for name, p in coefficients if p.proper}
    sizes |= {name: p.size for name, p in (("tau", model.tau), ("sigma", model.sigma)) if p.proper}
    for name, size in sizes.items():
        if not NARROW <= size <= WIDE:
            raise InputError(
                f"{where}: the prior of {name} is {size:.0e} times the size of the data: give it in their unit"
            )


def _spelled(asked: Request, groups: Groups, defaults) -> dict[str, str]:
    """How the prior of every parameter is spelled: as asked, else the default."""
    found = {"mu": "Flat()"} | dict.fromkeys(groups.covariates, "Flat()") | defaults
    for name, dist in sorted(asked.priors.items(), key=lambda prior: prior[0] in found):  # a level's own prior last
        if name in ("tau2", "sigma2"):
            del found[name.removesuffix("2")]
        levels = [c for c in groups.covariates if c == name or c.startswith(f"{name}[")]
        if name not in ("mu", "tau", "tau2", "sigma", "sigma2") and not levels:
            known = ", ".join(repr(c) for c in groups.covariates)
            raise InputError(f"{asked.path.name}: --prior of {name!r}: the coefficients are those of mu, {known}")
        found |= dict.fromkeys(levels or [name], dist)
    return found
