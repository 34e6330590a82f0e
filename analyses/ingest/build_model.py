"""From a table of one's own to a model of it: what is refused is refused here, before anything is computed from it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from analyses.ingest import contents, doubts
from analyses.ingest.contents import Contents
from analyses.ingest.reading import name_of
from analyses.ingest.request import InputError, Request
from analyses.ingest.units import NONE, Units
from models.groups import Estimates, Groups
from models.groups.covariates import design
from models.groups.naming import nearest
from models.propriety import require_proper, says_nothing_of_tau
from models.spellings import prior
from models.two_level import TwoLevel

FEW = 5  # groups: with fewer the prior of tau speaks as loud as they do
UNEQUAL_RATIO = 1000  # of standard errors: the estimate with the largest adds nothing
PARAMETERS = ("mu", "beta", "tau", "tau2", "sigma", "sigma2")
NARROWEST, WIDEST = 1e-6, 1e50  # priors, in units of the data: the fourth power of one that wide still fits a double


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """A model of a table.

    `model` is inside `units`; `priors` spells its priors, of what is outside; `references` maps a covariate of text to
    the level that the others are compared with; `warnings` say what its reader should look at, and `notes` how the
    table was read; `read` maps the file's name to the SHA-256 of what was read. A model that is not of a table has none
    of these, and no units.
    """

    model: TwoLevel
    units: Units
    priors: dict[str, str]
    references: dict[str, str]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    read: dict[str, str] = field(default_factory=dict)

    @property
    def outside(self) -> TwoLevel:
        """The model in the units of the data."""
        if self.units == NONE:
            return self.model
        return _with_priors(self.units.groups(self.model.groups), self.priors, relative=self.model.relative)


def prepare(request: Request, *, show: bool = False) -> Prepared:
    """Build the model of rows, of averages of groups, or of estimates, as the columns of the request say."""
    return one_way(request, show=show) if request.study == "one_way" else meta_analysis(request)


def one_way(request: Request, *, show: bool = False) -> Prepared:
    """Build the model of rows in groups, or of averages of groups; with `show` a bar tells how far it is.

    Raises
    ------
    InputError
        With a line for each fault.
    """
    table = contents.of_rows(request, show=show) if "value" in request.columns else contents.of_averages(request)
    tau = "Uniform()" if request.absolute else "HalfCauchy(1)"
    return _prepared(request, table, {"tau": tau, "sigma": "Jeffreys()"})


def meta_analysis(request: Request) -> Prepared:
    """Build the model of estimates with their standard errors.

    Raises
    ------
    InputError
        With a line for each fault.
    """
    return _prepared(request, contents.of_estimates(request), {"tau": "Uniform()"})


def _prepared(request: Request, table: Contents, defaults: dict[str, str]) -> Prepared:
    """Build the model, once what is wrong with groups, covariates and priors has been refused."""
    where = request.table.name
    if taken := [name for name in request.covariates if name in PARAMETERS]:
        raise InputError(f"{where}: covariate {taken[0]!r} has the name of a parameter: name its column otherwise")
    if len(set(table.labels)) == 1:
        raise InputError(f"{where}: all rows are of one group, {table.labels[0]!r}: there is nothing to pool it with")
    try:
        groups = table.groups(design(_doubles(table.covariates), table.levels))
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error
    require_known(request, groups)
    spelled = _spelled(request, groups, defaults)
    try:
        outside = _with_priors(groups, spelled, relative=not request.absolute)
        if not request.covariates:  # which may be what is wrong
            _require_rows(request, groups)
        require_proper(outside)
        model = table.units.model(outside)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error
    _require_rows(request, groups)
    _require_comparable(where, model)
    return Prepared(
        model=model,
        units=table.units,
        priors=spelled,
        references={name: _reference(table, name, v) for name, v in table.covariates.items() if not _is_number(v)},
        warnings=tuple(_warnings(request, table, model)),
        notes=tuple(f"{where}: {note}" for note in table.notes),
        read=table.read,
    )


def _require_rows(request: Request, groups: Groups) -> None:
    """Refuse a row a group, unless sigma was given a prior: such tables are averages or estimates."""
    if "value" in request.columns and groups.n.max() == 1 and not {"sigma", "sigma2"} & request.priors.keys():
        raise InputError(
            request.wording.filled(
                f"{request.table.name}: every group has a single row, which does not tell sigma from tau. One row per "
                "group: did you mean ⟨n⟩, ⟨mean⟩ and ⟨sd⟩, or ⟨estimate⟩ and ⟨se⟩? Else give sigma a prior"
            )
        )


def _reference(table: Contents, name: str, values: dict[str, object]) -> str:
    """The level of a covariate that the others are compared with."""
    return table.levels[name][0] if name in table.levels else min(map(str, values.values()))


def _is_number(values: dict[str, object]) -> bool:
    return isinstance(next(iter(values.values())), Decimal)


def _doubles(covariates: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """Covariates with numbers as doubles."""
    return {
        name: {label: float(v) for label, v in values.items()} if _is_number(values) else values
        for name, values in covariates.items()
    }


def require_known(request: Request, groups: Groups) -> None:
    """Refuse a comparison with a group that the table lacks.

    Raises
    ------
    InputError
    """
    for label in (label for pair in request.compare for label in pair):
        if label not in groups.labels:
            near = nearest(label, groups.labels)
            hint = f": did you mean {near!r}?" if near else ""
            raise InputError(f"compare: {request.table.name} has no group {label!r}{hint}")


def _with_priors(groups: Groups, spelled: dict[str, str], *, relative: bool) -> TwoLevel:
    """State the model with the priors that were spelled."""
    priors = {name: prior(name, distribution) for name, distribution in spelled.items()}
    return TwoLevel(
        groups=groups,
        tau=priors.get("tau") or priors["tau2"],
        sigma=priors.get("sigma") or priors.get("sigma2"),
        coefficients=tuple(priors[name] for name in ("mu", *groups.covariates)),
        relative=relative,
    )


def _warnings(request: Request, table: Contents, model: TwoLevel) -> Iterator[str]:
    """Say what the reader should know of the data first."""
    groups, where = model.groups, request.table.name
    if table.repeated:
        yield table.repeated
    yield from (f"{where}: {request.wording.filled(message)}" for message in table.warnings)
    for column, message in _doubts(request, table):
        yield f"{where}: column {column!r}: {request.wording.filled(message)}"
    ratio = groups.standard_error.max() / groups.standard_error.min() if isinstance(groups, Estimates) else 1
    if ratio > UNEQUAL_RATIO:
        yield f"{where}: standard errors differ by a factor {ratio:,.0f}: check whether one is in another unit"
    if len(groups) < FEW:
        yield f"{where}: {len(groups)} groups say little of tau: its prior weighs as much as they do"
    if says_nothing_of_tau(model):
        yield f"{where}: the data do not inform tau; its posterior equals its prior"


def _doubts(request: Request, table: Contents) -> Iterator[tuple[str, str]]:
    """What may be wrong with names of groups and levels, and with the choice of a column, each with the column."""
    for option, column in request.columns.items():
        name = name_of(column)
        yield from ((name, message) for message in doubts.of_option(option, name))
        if option in ("group", "label"):
            yield from ((name, message) for message in doubts.of_names(table.labels, "the name of a group"))
            yield from ((name, message) for message in doubts.of_groups(table.labels))
    for name, values in table.covariates.items():
        levels = list(dict.fromkeys(values.values()))
        if not isinstance(levels[0], Decimal):
            yield from ((name, message) for message in doubts.of_names(levels, "a level"))


def _require_comparable(where: str, model: TwoLevel) -> None:
    """Refuse priors that are out of all proportion to the data, in whose units the model is."""
    coefficients = zip(("mu", *model.groups.covariates), model.standard.model.coefficients, strict=True)
    sizes = {name: p.size if p.sd > NARROWEST else p.sd for name, p in coefficients if p.proper}
    sizes |= {name: p.size for name, p in (("tau", model.tau), ("sigma", model.sigma)) if p.proper}
    for name, size in sizes.items():
        if not NARROWEST <= size <= WIDEST:
            raise InputError(
                f"{where}: the prior of {name} is {size:.0e} times the size of the data: give it in their unit"
            )


def _spelled(request: Request, groups: Groups, defaults: dict[str, str]) -> dict[str, str]:
    """Spell the prior of every parameter: as asked, else the default."""
    spelled = {"mu": "Flat()"} | dict.fromkeys(groups.covariates, "Flat()") | defaults
    for name, distribution in sorted(request.priors.items(), key=lambda item: item[0] in spelled):  # a level's own last
        if name in ("tau2", "sigma2"):
            del spelled[name.removesuffix("2")]
        levels = [c for c in groups.covariates if c == name or c.startswith(f"{name}[")]
        if name not in ("mu", "tau", "tau2", "sigma", "sigma2") and not levels:
            known = ", ".join(repr(c) for c in groups.covariates)
            raise InputError(f"{request.table.name}: prior of {name!r}: the coefficients are those of mu, {known}")
        spelled |= dict.fromkeys(levels or [name], distribution)
    return spelled
