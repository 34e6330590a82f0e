"""The front door: one call from a table to its exact posterior, and everything that can be asked of that."""

import base64
import html
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from warnings import warn

import xarray as xr
from pandas.api.types import is_numeric_dtype

from analyses.catalog import ENGINES
from analyses.checks.league_table import End
from analyses.engines.inference_data import MANY
from analyses.fits import rescale
from analyses.fits.draws import draw
from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.ingest import build_model, usage
from analyses.ingest.data_frame import FrameTable
from analyses.ingest.reading import Reading
from analyses.ingest.request import InputError, Number, Request, finite
from analyses.ingest.wording import PYTHON, Wording
from analyses.reference import STATISTICS, Reference
from analyses.report.numbers import median_and_interval
from models.spellings import prior, spelled
from models.two_level import Parameterization, TwoLevel

if TYPE_CHECKING:
    import pymc as pm
    from narwhals.typing import IntoFrame

    from analyses.audit.outcome import Audit

TARGET_ACCEPT = 0.99  # of NUTS's proposals: nobody knows what data will come
IN_NOTEBOOKS = ("estimate", "theta_q2_5", "theta_q50", "theta_q97_5", "p_above", "rank_mean", "p_best", "p_top")
SHOWN = 10  # groups in a notebook's table
MOST_DRAWN = 60  # groups in a notebook's picture
OF_ESTIMATES = {"estimate", "variance"}


class DataWarning(UserWarning):
    """Something in a table that its reader should look at."""


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Fit(ExactFit):
    """A hierarchical normal model of a table, with its exact posterior; `fit` makes it.

    theta_i is the mean of group i, mu + x_i'beta that of all groups like it. sd_between is the standard deviation of
    theta about that, sigma the one of values within a group. kappa_i is the weight of the population in the estimate of
    theta_i: 0 leaves the group's own mean, 1 pools it completely. Everything is in the units of the data, but for a
    relative tau, which is sd_between / sigma.

    `summary`, `league`, `difference`, `probability` and `predict` compute exactly, without sampling. `sample` and
    `build` are for PyMC and ArviZ, `audit` is for draws of other programs, and `report` writes a page.
    """

    def __repr__(self) -> str:
        told = [("Note", note) for note in self.prepared.notes] + [("Warning", w) for w in self.prepared.warnings]
        return "\n".join([self._sentence(), self._priors(), *(f"{kind}: {text}" for kind, text in told)])

    def _sentence(self) -> str:
        """Say how many groups there are, and what is known of the population."""
        rows = self.summary(self.population)
        figures = [
            f"{f'beta[{label}]' if label else name} {median_and_interval(rows.loc[(name, label)])}"
            for name, label in rows.index
        ]
        return f"{len(self.labels):,} groups. Posterior medians with 95% intervals: {', '.join(figures)}."

    def _priors(self) -> str:
        """Say which priors the posterior rests on."""
        spelled = ", ".join(f"{name} ~ {prior}" for name, prior in self.prepared.priors.items())
        relative = self.posterior.model.relative and "sigma" in self.variables
        return f"Priors: {spelled}.{' tau is in units of sigma: sd_between = tau sigma.' if relative else ''}"

    def _repr_html_(self) -> str:
        """Show the sentence, the first groups of the league table, and a picture of all where they are few."""
        from analyses.report.columns import heading

        league = self.league()
        rows = league[[name for name in IN_NOTEBOOKS if name in league]].head(SHOWN).rename_axis(None)
        heads = {name: heading(name) for name in rows} | {"p_above": f"P(above {self.threshold})"}
        paragraphs = "".join(f"<p>{html.escape(line)}</p>" for line in repr(self).splitlines())
        return paragraphs + self._picture() + rows.rename(columns=heads).to_html(float_format="{:.3g}".format)

    def _picture(self) -> str:
        from analyses.report import figures, pages
        from analyses.studies.sections.few_groups import with_own_intervals

        if len(self.labels) > MOST_DRAWN:
            return ""
        league = self.league().reset_index()
        if "sigma" in self.variables:
            sigma = self.summary(["sigma"])["q50"].iloc[0]
            rows = with_own_intervals(league, sigma / league["n"] ** 0.5)
        else:
            rows = with_own_intervals(league, league["standard_error"])
        picture = base64.b64encode(
            pages.png(figures.forest(rows, xlabel=self.request.value_name if self.request else "theta"))
        ).decode("ascii")
        alt = "Each group by itself and pooled, with 95% intervals"
        return f'<img alt="{alt}" style="max-width: 40rem; width: 100%" src="data:image/png;base64,{picture}">'

    def sample(
        self,
        engine: str = "nuts",
        *,
        draws: int = 1000,
        tune: int = 500,
        chains: int = 4,
        cores: int = 1,
        target_accept: float = TARGET_ACCEPT,
    ) -> xr.DataTree:
        """Draw from the posterior.

        Parameters
        ----------
        engine : {"nuts", "gibbs", "exact"}
            NUTS in PyMC, Gibbs sampling, or independent draws.
        draws, tune, chains, cores, target_accept
            Of NUTS. Gibbs and independent draws have lengths of their own.

        Returns
        -------
        DataTree
            For ArviZ: posterior, posterior_predictive, observed_data, constant_data, log_likelihood and log_prior.

        Raises
        ------
        ValueError
            For an engine of another name.
        """
        if engine not in ENGINES:
            raise ValueError(f"engine {engine!r}: write one of {', '.join(map(repr, ENGINES))}")
        lengths: dict[str, Any] = {
            "draws": draws,
            "tune": tune,
            "chains": chains,
            "cores": cores,
            "target_accept": target_accept,
        }
        settings = replace(self.settings, **lengths)
        tree = draw(engine, self.posterior, name=self.name, settings=settings)
        return rescale.tree(self.prepared.units, self.prepared.model, tree)

    def build(self, parameterization: Parameterization = "noncentered") -> "pm.Model":
        """The model in PyMC, in the units of the data, with the labels of the groups as coordinates.

        Parameters
        ----------
        parameterization : {"noncentered", "centered", "marginal"}
            "marginal" has no theta; `models.recover_theta` draws it afterwards.

        Notes
        -----
        Draws of `sample` have the same variables. What you draw yourself has no log_likelihood; the one that `sample`
        stores integrates theta out, and `pm.compute_log_likelihood` conditions on it.
        """
        from models import pymc_model

        return pymc_model.build(self.model, parameterization=parameterization)

    def audit(self, draws: Any, *, rename: Mapping[str, str] | None = None, without: Sequence[str] = ()) -> "Audit":
        """Compare draws of any sampler with the exact posterior, quantity by quantity.

        Parameters
        ----------
        draws : DataTree, Dataset, or path of a .nc or .csv file
        rename : mapping, optional
            Their names to ours.
        without : sequence of str
            Variables that the draws lack for a reason.

        Returns
        -------
        Audit
            `passed`, `table`, and sentences when printed.

        Raises
        ------
        InputError
            For draws that cannot be read, or names that do not fit.
        """
        from analyses.audit import files, outcome

        source = "draws"
        if isinstance(draws, str | Path):
            source, draws = Path(draws).name, files.read(Path(draws))
        elif isinstance(draws, xr.DataTree):
            draws = draws["posterior"].to_dataset()
        elif not isinstance(draws, xr.Dataset):
            kind = type(draws).__name__
            raise InputError(f"draws is a {kind}: give a DataTree, such as az.from_dict makes, a Dataset, or a file")
        table = self.summary(self.variables if len(self.labels) <= MANY else self.population, ci_prob=0.9)
        against = Reference(
            name="the exact posterior of this fit", data="", priors=self.prepared.priors, table=table[[*STATISTICS]]
        )
        return outcome.audit(draws, against, source=source, rename=rename, without=without)

    def report(
        self,
        out: str | Path = "reports",
        *,
        engines: Sequence[str] = ENGINES,
        best: End | None = None,
        compare: Sequence[tuple[str, str]] = (),
        among: int | None = None,
        threshold: Number | None = None,
        unit: str = "",
    ) -> Path:
        """Write the report that `python -m analyses.run` writes of this table, and return its page.

        Parameters
        ----------
        out : str or Path
            Folder of reports; this one goes into a folder of its own in it.
        engines : sequence of str
            Those that sample and are compared with the exact posterior.
        best : {"high", "low"}, optional
        compare : sequence of pairs of labels
            Groups whose difference is wanted.
        among : int, optional
            How many are the best k of the league table.
        threshold : float, optional
            The c of P(theta > c) and P(mu > c); 0 for estimates, if not given, and none for groups of values.
        unit : str
            What values are measured in, for axes and sentences: "mmHg".

        Raises
        ------
        ValueError
            For a model that was not made of a table.
        InputError
            For engines, an end, or groups that do not exist, or a threshold that is not a finite number.
        """
        from analyses.report import publish
        from analyses.studies import meta_analysis, one_way
        from analyses.studies.sections import own_page

        if self.request is None:
            raise ValueError("this fit is of a model, not of a table: python -m analyses.run reports on the studies")
        if message := usage.fault_of_pairs(compare, "compare") or _fault_of_report(
            engines, best, among, threshold, unit
        ):
            raise InputError(message)
        started, out = time.perf_counter(), Path(out)
        request = replace(
            self.request,
            compare=tuple((a, b) for a, b in compare),
            among=among,
            threshold=None if threshold is None else finite(threshold),
            unit=unit,
        )
        build_model.require_known(request, self.posterior.model.groups)
        settings = replace(self.settings, engines=tuple(engines), best=best, request=request)
        story = {"one_way": one_way.STORY, "meta_analysis": meta_analysis.STORY}[self.name]
        publish.require_ours(out, [self.name])
        with publish.aside(out) as folder:
            page = own_page.page(story, replace(self, request=request, settings=settings))
            seconds = {"in all": time.perf_counter() - started}
            publish.write(page, folder / self.name, settings, command=[], seconds=seconds)
            publish.replace_reports(folder, out)
        return out / self.name / "index.html"


def fit(
    frame: "IntoFrame | Mapping[str, Sequence] | TwoLevel | str | Path",
    formula: None = None,
    *,
    group: str | Sequence[str] | None = None,
    value: str | None = None,
    n: str | None = None,
    mean: str | None = None,
    sd: str | None = None,
    se: str | None = None,
    estimate: str | None = None,
    variance: str | None = None,
    label: str | Sequence[str] | None = None,
    covariates: Sequence[str] = (),
    categorical: Sequence[str] = (),
    reference: Mapping[str, str] | None = None,
    missing: str = "refuse",
    priors: Mapping[str, object] | None = None,
    tau_scale: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    skip: int | None = None,
    seed: int = 1,
) -> Fit:
    """Fit a hierarchical normal model to a table, exactly.

    Model
    -----
    ::

        y_ij ~ N(theta_i, sigma^2)                  value j of group i, or averages of groups
        estimate_i ~ N(theta_i, se_i^2)             estimates with known standard errors
        theta_i ~ N(mu + x_i'beta, sd_between^2)    sd_between = tau sigma (relative) or tau (absolute)

    Parameters
    ----------
    frame : data frame, dictionary of columns, path of a file, or TwoLevel
        A row a value, with `group` and `value`; or a row a group, with `group`, `n`, `mean`, and `sd` or `se`; or a row
        an estimate, with `estimate`, and `se` or `variance`. Frames may be pandas, Polars, PyArrow, DuckDB, Dask or
        PySpark; files text, gzipped or not, Excel, Parquet or Arrow. A model that is stated already takes no other
        argument than `seed`.
    formula : None
        Formulas are not supported yet.
    group, value, n, mean, sd, se, estimate, variance, label : str
        Names of columns. `label` names the estimates; they are numbered without it. `group` and `label` may be lists of
        columns that name a group together.
    covariates : sequence of str
        Columns that are constant within a group: numbers, or text with its first level for reference. Categories of
        pandas keep their order.
    categorical : sequence of str
        Covariates whose values are categories, even if they look like numbers.
    reference : mapping, optional
        Categorical covariate to the level that the others are compared with.
    missing : {"refuse", "drop"}
        What to do with rows in which a value, a name or a covariate is missing.
    priors : mapping, optional
        "mu", "tau" or "tau2", "sigma" or "sigma2", or a covariate, to a prior: text such as "HalfNormal(2.5)", or an
        object of `models.priors`. Default: flat for mu and beta, Jeffreys' for sigma, HalfCauchy(1) for a relative tau
        and Uniform() for an absolute one.
    tau_scale : {"relative", "absolute"}, optional
        Whether tau is in units of sigma, the default for rows and averages, or in those of the data.
    delimiter, decimal, encoding, sheet, skip : optional
        How a file is written, where that is not recognized: what separates fields, the decimal mark, the encoding, the
        sheet of a workbook, and the number of lines above the header.
    seed : int
        Of every random stream.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        For what is wrong with the request or the table, a line a fault, or a posterior that is improper.

    Warns
    -----
    DataWarning
        For what its reader should look at in the table.

    Examples
    --------
    >>> scores = [5.1, 6, 6.8, 8.2, 9, 7.9, 4.1, 3.3, 4, 6.2, 6, 5.1, 9.2, 8, 7.1]
    >>> rows = {"school": list("AAABBBCCCDDDEEE"), "score": scores}
    >>> schools = fit(rows, group="school", value="score", priors={"tau": "HalfNormal(2)"})
    >>> schools.summary(["mu", "sd_between", "sigma"]).round(2)  # doctest: +NORMALIZE_WHITESPACE
                      mean    sd  q2_5   q50  q97_5
    variable   label
    mu                6.40  0.92  4.56  6.40   8.24
    sigma             0.83  0.21  0.54  0.79   1.33
    sd_between        1.88  0.63  0.98  1.77   3.43
    >>> schools.difference("B", "A").round(2).to_dict()
    {'mean': 2.21, 'sd': 0.68, 'q2_5': 0.82, 'q50': 2.23, 'q97_5': 3.52, 'p_above': 1.0}
    """
    columns = {
        name: column
        for name, column in {
            "group": group,
            "value": value,
            "n": n,
            "mean": mean,
            "sd": sd,
            "se": se,
            "estimate": estimate,
            "variance": variance,
            "label": label,
        }.items()
        if column is not None
    }
    if formula is not None:
        raise InputError(f"formula={formula!r}: formulas are not supported yet; name the columns")
    if isinstance(frame, TwoLevel):
        return _fit_of_model(frame, [*columns, *covariates, *categorical, *(priors or {})], seed)
    reading = Reading(delimiter=delimiter, decimal=decimal, encoding=encoding, sheet=sheet, skip=skip)
    categories = _Categories(categorical, reference or {})
    request = _request(frame, columns, covariates, categories, priors or {}, tau_scale, missing, reading)
    fitted = Fit.of_table(request, Settings(seed=seed, target_accept=TARGET_ACCEPT))
    for warning in fitted.prepared.warnings:
        warn(warning, DataWarning, stacklevel=2)
    return fitted


def _fault_of_report(engines, best, among, threshold, unit) -> str:
    """What is wrong with the options of a report."""
    if isinstance(engines, str) or not engines or not {*engines} <= {*ENGINES}:
        return f"engines={engines!r}: give a list of some of {', '.join(map(repr, ENGINES))}"
    if best not in (None, "high", "low"):
        return f"best={best!r}: write 'high' or 'low'"
    if among is not None and (not isinstance(among, int) or among < 1):
        return f"among={among!r}: give a whole number of 1 or more"
    if not isinstance(unit, str):
        return f"unit={unit!r}: give text, such as 'mmHg'"
    try:
        finite(0.0 if threshold is None else threshold)
    except ValueError as error:
        return f"threshold={error}"
    return ""


def _fit_of_model(model: TwoLevel, more: Sequence[str], seed: int) -> Fit:
    """Fit a model that is stated already."""
    if more:
        raise InputError(f"{more[0]} does not go with a model, which states its groups and priors itself")
    return Fit.of_model("fit", model, Settings(seed=seed))


@dataclass(frozen=True)
class _Categories:
    """Covariates that are categories, and the levels that others are compared with."""

    names: Sequence[str]
    references: Mapping[str, str]


def _request(frame, columns, covariates, categories, priors, tau_scale, missing, reading) -> Request:
    """Check what goes together before the table is read."""
    if not columns:
        raise InputError(
            "name the columns: group= and value=; or group=, n=, mean= and sd= or se=; or estimate= and se= or "
            "variance="
        )
    columns = {name: _name(name, column) for name, column in columns.items()}
    names = {"covariates": covariates, "categorical": categories.names}
    if text := [(name, value) for name, value in names.items() if isinstance(value, str)]:
        name, value = text[0]
        raise InputError(f"{name} is the text {value!r}: give a list of names, [{value!r}]")
    for name, value in (("priors", priors), ("reference", categories.references)):
        if not isinstance(value, Mapping):
            example = "{'tau': 'HalfNormal(2.5)'}" if name == "priors" else "{'dose': 'placebo'}"
            raise InputError(f"{name}={value!r}: give a dictionary, such as {example}")
    if wrong := [(name, column) for name, given in names.items() for column in given if not isinstance(column, str)]:
        name, column = wrong[0]
        raise InputError(f"{name} is a {type(column).__name__}: give the name of a column")
    for name, value, known in (
        ("tau_scale", tau_scale, (None, "relative", "absolute")),
        ("missing", missing, ("refuse", "drop")),
    ):
        if value not in known:
            raise InputError(f"{name}={value!r}: write {' or '.join(repr(k) for k in known if k)}")
    covariates = (*covariates, *(name for name in categories.names if name not in covariates))
    study = "meta_analysis" if OF_ESTIMATES & columns.keys() else "one_way"
    wording = replace(PYTHON, subject="a fit of estimates" if study == "meta_analysis" else PYTHON.subject)
    if message := (
        usage.fault(study, columns, covariates, list(priors), tau_scale, wording)
        or usage.fault_of_reading(reading, wording)
        or usage.fault_of_references(list(categories.references), covariates, wording)
    ):
        raise InputError(message)
    if study == "meta_analysis" and "label" not in columns:
        _require_plain_index(frame)
    table = _table(frame, [*columns.values(), *covariates], reading, wording)
    return Request(
        table=table,
        columns=columns,
        covariates=covariates,
        categorical=(*categories.names, *categories.references),
        references=dict(categories.references),
        priors=dict(_spelled(name, value) for name, value in priors.items()),
        absolute=tau_scale == "absolute",
        drop_missing=missing == "drop",
        reading=reading,
        wording=wording,
    )


def _name(option: str, column: object) -> str | tuple[str, ...]:
    """The name of a column, or of several that name a group together."""
    if option in ("group", "label") and isinstance(column, list | tuple) and all(isinstance(c, str) for c in column):
        return tuple(column) if len(column) > 1 else column[0]
    if not isinstance(column, str):
        raise InputError(f"{option} is a {type(column).__name__}: give the name of a column")
    return column


def _table(frame, names, reading: Reading, wording: Wording) -> Path | FrameTable:
    """A file or a frame, of which nothing is said that only files have."""
    if isinstance(frame, str | Path):
        return Path(frame)
    if said := [name for name, value in vars(reading).items() if value is not None and name != "decimal"]:
        raise InputError(f"{said[0]}= is for files, and this is a {type(frame).__name__}")
    return replace(FrameTable.of(frame, names, wording), decimal=reading.decimal or ".")


def _require_plain_index(frame) -> None:
    """Refuse estimates whose names are in the index of pandas: they would be numbered instead."""
    dtype = getattr(getattr(frame, "index", None), "dtype", None)
    if dtype is not None and not is_numeric_dtype(dtype):
        raise InputError(
            "frame: the index holds text. If it names the estimates, pass frame.reset_index() and label=; else pass "
            "frame.reset_index(drop=True)"
        )


def _spelled(name: str, value: object) -> tuple[str, str]:
    """A parameter and how its prior is spelled; refused where it is no prior of that parameter."""
    try:
        text = spelled(name, value)
        prior(name, text)
    except ValueError as error:
        raise InputError(str(error)) from error
    return name, text
