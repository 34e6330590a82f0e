"""One model by every engine, each compared with the exact posterior."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from analyses.catalog import ENGINES
from analyses.checks import Verdict, agreement, diagnostics, league_table, predictive, top_groups
from analyses.engines import exact, summary_tables
from analyses.engines.inference_data import NAMES
from analyses.engines.quadrature import QuadratureError
from analyses.fits.draws import draw
from analyses.fits.settings import Settings, timed
from models.two_level import TwoLevel

SOME = 50  # groups, of very many, whose theta is drawn: enough to see an engine that is wrong only far out


@dataclass(frozen=True, eq=False, kw_only=True)
class Crosscheck:
    """Draws of one posterior, and the tables and verdicts that come of comparing them with the exact one.

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
    best: str
    among: int


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
    best: str


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


def two_level(
    name: str, model: TwoLevel, settings: Settings, *, best: str, thin: int | None, among: int = league_table.AMONG
) -> TwoLevelCrosscheck:
    """Reach the posterior by every engine asked for, and check each against the exact one.

    Parameters
    ----------
    name : str
        What the random streams are named after.
    model : TwoLevel
    settings : Settings
    best : {"high", "low"}
        The study's own idea of it.
    thin : int, optional
        Sweeps of the Gibbs sampler a kept draw; as a pilot run says, if None.
    among : int
        How many are the best k of the league table.
    """
    seconds: dict[str, float] = {}
    reached, groups, best = _reach(model, settings, seconds), model.groups, settings.best or best
    drawn = _draws(name, reached.posterior, settings, thin, seconds)
    with timed(seconds, "checks"):
        trees = {engine: tree for engine, tree in drawn.items() if engine in settings.engines}
        streams = {engine: settings.rng("replicated", name, engine) for engine in trees}
        replicated = {e: predictive.replicated(model, tree, rng=streams[e]) for e, tree in trees.items()}
        table = predictive.table(groups, replicated)
        fit = _compare(name, reached, trees, settings, seconds)
        alike = [predictive.verdict(table)] if len(trees) > 1 else []
        return TwoLevelCrosscheck(
            **(vars(fit) | {"verdicts": (*fit.verdicts, *alike)}),
            model=model,
            posterior=reached.posterior,
            groups=league_table.table(groups, reached.table, drawn["exact"], best=best, among=among),
            replicated=replicated,
            predictive=table,
            best=best,
            among=among,
        )


def many_groups(name: str, model: TwoLevel, settings: Settings, *, best: str) -> ManyGroupsCrosscheck:
    """Reach the posterior of very many groups, at a cost that goes with the distinct sizes of them."""
    seconds: dict[str, float] = {}
    some, best = _some(model.groups), settings.best or best
    reached = _reach(model, settings, seconds, some)
    with timed(seconds, "every group"):
        rng = settings.rng("top", name)
        extremes = top_groups.table(reached.posterior, best=best, rng=rng, show=settings.progress)
    drawn = _draws(name, reached.posterior, settings, None, seconds, only=some)
    with timed(seconds, "checks"):
        trees = {engine: tree for engine, tree in drawn.items() if engine in (settings.engines or ENGINES)}
        fit = _compare(name, reached, trees, settings, seconds)
    return ManyGroupsCrosscheck(**vars(fit), **extremes._asdict(), model=model, posterior=reached.posterior, best=best)


@dataclass(frozen=True, eq=False)
class Reached:
    """An exact posterior, its table, and the largest numerical error of that in posterior sds."""

    posterior: exact.Posterior
    table: pd.DataFrame
    error: float


def _reach(model: TwoLevel, settings: Settings, seconds: dict[str, float], positions=exact.EVERY) -> Reached:
    """Compute the exact posterior, with theta of all groups or of some."""
    with timed(seconds, "exact"):
        posterior = exact.posterior(model, show=settings.progress)
        table = posterior.table(positions)
    with timed(seconds, "error of exact"):
        return Reached(posterior, table, _error(posterior, table))


def _compare(name: str, reached: Reached, trees: dict[str, xr.DataTree], settings: Settings, seconds) -> Crosscheck:
    """Compare draws with the exact posterior, and what they foretell for the group farthest out and for a new one."""
    model, mean = reached.posterior.model, reached.posterior.model.groups.mean
    farthest = int(np.argmax(np.abs(mean - np.median(mean))))
    streams = {engine: settings.rng("new", name, engine) for engine in trees}
    predicted = {e: predictive.predicted(model, tree, at=farthest, rng=streams[e]) for e, tree in trees.items()}
    fields = {"error": reached.error, "nodes": len(reached.posterior.weight), "seconds": seconds}
    return compare_with_exact(
        name, trees, reached.table, predicted, reached.posterior.predictions(at=farthest), **fields
    )


def _some(groups) -> np.ndarray:
    """Positions of groups from all over the range of means, the extremes among them, and of most and least noise."""
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
    """Positions of the groups with most noise, with least, and farthest from the others: where quadrature errs most."""
    far = np.abs(groups.mean - np.median(groups.mean))
    return np.unique([np.argmax(groups.noise), np.argmin(groups.noise), np.argmax(far)])


def _draws(name, posterior, settings, thin, seconds, only=None) -> dict[str, xr.DataTree]:
    """Draw by each engine, theta of all groups or only of some.

    Independent draws are always made, as ranks and P(best) rest on them.
    """
    trees = {}
    for engine in ENGINES:
        if engine in settings.engines or engine == "exact":
            with timed(seconds, "exact draws" if engine == "exact" else engine):
                trees[engine] = draw(engine, posterior, name=name, settings=settings, thin=thin, only=only)
    if "nuts" in trees:
        seconds["nuts, of it sampling"] = trees["nuts"]["sample_stats"].attrs["sampling_time"]
    return trees
