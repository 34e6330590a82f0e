"""One model by every engine, each compared with the exact posterior."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
import xarray as xr

from analyses.catalog import ENGINES
from analyses.checks import Verdict, agreement, diagnostics, league_table, predictive, top_groups
from analyses.checks.league_table import End
from analyses.engines import exact, summary_tables
from analyses.engines.inference_data import NAMES
from analyses.engines.quadrature import QuadratureError
from analyses.fits import rescale
from analyses.fits.draws import draw
from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import timed
from analyses.ingest.units import Units
from models.groups import Groups
from models.two_level import TwoLevel

SOME = 50  # groups, of very many, whose theta is drawn: enough to see an engine that is wrong only far out


@dataclass(frozen=True, eq=False, kw_only=True)
class Crosscheck:
    """Draws of one posterior, with the tables and verdicts of their comparison with the exact posterior.

    `reference` is its table, good to `error` posterior sds, as estimated for coefficients, scales and the most extreme
    groups; `nodes` are those of its quadrature, 1 in closed form.
    """

    name: str
    reference: pd.DataFrame
    error: float
    nodes: int
    trees: dict[str, xr.DataTree]
    summary: pd.DataFrame
    agreement: pd.DataFrame
    predictions: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    seconds: dict[str, float]


@dataclass(frozen=True, eq=False, kw_only=True)
class TwoLevelCrosscheck(Crosscheck):
    """Draws of a two-level model, with its table of groups and what it replicates."""

    model: TwoLevel
    posterior: exact.Posterior
    groups: pd.DataFrame
    replicated: dict[str, dict[str, np.ndarray]]
    predictive: pd.DataFrame
    best: End
    among: int

    def outside(self, units: Units) -> Self:
        """Results in the units of the data; model and posterior stay in those of the engines."""
        return replace(
            _outside(self, units),
            replicated={
                engine: {name: units.value(name, values) for name, values in statistics.items()}
                for engine, statistics in self.replicated.items()
            },
            predictive=rescale.table(units, self.predictive, "statistic"),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class ManyGroupsCrosscheck(Crosscheck):
    """Draws of very many groups; these, and all that is checked by them, are of the theta of some groups.

    `groups` has them all, `threshold` the quantiles of where the top 1% begin, from so many `draws`, and the ends of
    intervals are good to `off` widths.
    """

    model: TwoLevel
    posterior: exact.Posterior
    groups: pd.DataFrame
    threshold: pd.Series
    draws: int
    off: float
    best: End

    def outside(self, units: Units) -> Self:
        """Results in the units of the data; model and posterior stay in those of the engines."""
        return replace(_outside(self, units), threshold=units.value("theta", self.threshold))


def _outside(checked, units: Units):
    """Rescale what every crosscheck of groups has; shares of draws below a quantile have no unit."""
    of = checked.agreement["variable"].where(checked.agreement["statistic"] == "mean", "a share")
    return replace(
        checked,
        reference=rescale.table(units, checked.reference),
        trees={engine: rescale.tree(units, checked.model, draws) for engine, draws in checked.trees.items()},
        summary=rescale.table(units, checked.summary),
        agreement=rescale.table(units, checked.agreement.assign(of=of), "of").drop(columns="of"),
        predictions=rescale.table(units, checked.predictions),
        groups=rescale.groups(units, checked.groups),
    )


def compare_with_exact(
    name: str,
    trees: dict[str, xr.DataTree],
    reference: pd.DataFrame,
    predicted: dict[str, xr.DataTree],
    predictions: pd.DataFrame,
    **fields,
) -> Crosscheck:
    """Compare every engine's draws with the exact posterior.

    Parameters
    ----------
    name : str
    trees : dict
        Engine to its DataTree.
    reference : DataFrame
        Exact moments and quantiles by variable and label.
    predicted, predictions
        Likewise draws and exact table of what is predicted.
    **fields
        The other fields of a Crosscheck.
    """
    summaries = {e: summary_tables.summary(tree, reference) for e, tree in trees.items() if e != "exact"}
    of_exact = [summary_tables.exact_summary(reference)] if "exact" in trees else []
    ahead = [summary_tables.summary(draws, predictions).assign(engine=NAMES[e]) for e, draws in predicted.items()]
    tables = {
        e: pd.concat([agreement.table(tree, reference), agreement.table(predicted[e], predictions)], ignore_index=True)
        for e, tree in trees.items()
    }
    verdicts = (
        *(diagnostics.verdict(trees[engine], rows) for engine, rows in summaries.items()),
        *(agreement.verdict(rows) for rows in tables.values()),
    )
    return Crosscheck(
        name=name,
        reference=reference,
        trees=trees,
        summary=pd.concat([*summaries.values(), *of_exact]),
        agreement=pd.concat(tables.values()),
        predictions=pd.concat([*ahead, summary_tables.exact_summary(predictions)]),
        verdicts=verdicts,
        **fields,
    )


def two_level(fit: ExactFit, *, best: End, thin: int | None, among: int = league_table.AMONG) -> TwoLevelCrosscheck:
    """Draw from the posterior by every engine of the fit's settings, and compare each with the exact one.

    Parameters
    ----------
    fit : ExactFit
    best : {"high", "low"}
        The study's own idea of it.
    thin : int, optional
        Sweeps of the Gibbs sampler a kept draw; as a pilot run says, if None.
    among : int
        How many are the best k of the league table.
    """
    seconds, model, settings = dict(fit.seconds), fit.posterior.model, fit.settings
    groups, reached, best = model.groups, _reach(fit, seconds), settings.best or best
    drawn = _draws(fit, thin, seconds)
    with timed(seconds, "checks"):
        trees = {engine: tree for engine, tree in drawn.items() if engine in settings.engines}
        streams = {engine: settings.rng("replicated", fit.name, engine) for engine in trees}
        replicated = {e: predictive.replicated(model, tree, rng=streams[e]) for e, tree in trees.items()}
        table = predictive.table(groups, replicated)
        compared = _compare(fit, reached, trees, seconds)
        alike = [predictive.verdict(table)] if len(trees) > 1 else []
        return TwoLevelCrosscheck(
            **(vars(compared) | {"verdicts": (*compared.verdicts, *alike)}),
            model=model,
            posterior=fit.posterior,
            groups=league_table.table(groups, reached.table, drawn["exact"], best=best, among=among),
            replicated=replicated,
            predictive=table,
            best=best,
            among=among,
        )


def many_groups(fit: ExactFit, *, best: End) -> ManyGroupsCrosscheck:
    """Compare the engines on very many groups, at a cost that goes with the distinct sizes of them."""
    seconds, model, settings = dict(fit.seconds), fit.posterior.model, fit.settings
    best = settings.best or best
    some = _some(model.groups)
    reached = _reach(fit, seconds, some)
    with timed(seconds, "every group"):
        rng = settings.rng("top", fit.name)
        extremes = top_groups.table(fit.posterior, best=best, rng=rng, show=settings.progress)
    drawn = _draws(fit, None, seconds, only=some)
    with timed(seconds, "checks"):
        trees = {engine: tree for engine, tree in drawn.items() if engine in (settings.engines or ENGINES)}
        compared = _compare(fit, reached, trees, seconds)
    return ManyGroupsCrosscheck(**vars(compared), **extremes._asdict(), model=model, posterior=fit.posterior, best=best)


@dataclass(frozen=True, eq=False)
class Reached:
    """The table of an exact posterior, and its largest numerical error in posterior sds."""

    table: pd.DataFrame
    error: float


def _reach(fit: ExactFit, seconds: dict[str, float], positions=exact.EVERY) -> Reached:
    """Tabulate the exact posterior, with theta of all groups or of some."""
    with timed(seconds, "exact table"):
        table = fit.posterior.table(positions)
    with timed(seconds, "error of exact"):
        return Reached(table, _error(fit.posterior, table))


def _compare(fit: ExactFit, reached: Reached, trees: dict[str, xr.DataTree], seconds) -> Crosscheck:
    """Compare draws with the exact posterior, and what they predict for the group farthest out and for a new one."""
    posterior, model = fit.posterior, fit.posterior.model
    at = farthest(model.groups)
    streams = {engine: fit.settings.rng("new", fit.name, engine) for engine in trees}
    predicted = {e: predictive.predicted(model, tree, at=at, rng=streams[e]) for e, tree in trees.items()}
    fields = {"error": reached.error, "nodes": len(posterior.weight), "seconds": seconds}
    return compare_with_exact(fit.name, trees, reached.table, predicted, posterior.predictions(at=at), **fields)


def _some(groups) -> np.ndarray:
    """Positions of groups across the range of means, with the extreme means and the largest and smallest noise."""
    order = np.argsort(groups.mean, kind="stable")
    spread = order[np.linspace(0, len(order) - 1, SOME).astype(int)]
    return np.unique([*spread, *_extremes(groups)])


def _error(posterior: exact.Posterior, table: pd.DataFrame) -> float:
    """Largest numerical error in posterior sds; nan where a finer lattice, which would tell it, is too large."""
    try:
        errors = posterior.error(_extremes(posterior.model.groups))
    except QuadratureError:
        return float("nan")
    return float(errors.div(table["sd"], axis=0).max().max())


def _extremes(groups) -> np.ndarray:
    """Positions of the groups where quadrature errs most: largest noise, smallest noise, farthest from the others."""
    return np.unique([np.argmax(groups.noise), np.argmin(groups.noise), farthest(groups)])


def farthest(groups: Groups) -> int:
    """Position of the group whose mean is farthest from the median of all."""
    return int(np.argmax(np.abs(groups.mean - np.median(groups.mean))))


def _draws(fit: ExactFit, thin, seconds, only=None) -> dict[str, xr.DataTree]:
    """Draw with each engine; keep theta of all groups or of some.

    Independent draws are always made, as ranks and P(best) rest on them.
    """
    trees = {}
    for engine in ENGINES:
        if engine in fit.settings.engines or engine == "exact":
            with timed(seconds, "exact draws" if engine == "exact" else engine):
                trees[engine] = draw(engine, fit.posterior, name=fit.name, settings=fit.settings, thin=thin, only=only)
    if "nuts" in trees:
        seconds["nuts, of it sampling"] = trees["nuts"]["sample_stats"].attrs["sampling_time"]
    return trees
