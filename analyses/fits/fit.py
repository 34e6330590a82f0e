"""One model by every route, held against its exact posterior."""

import time
from contextlib import contextmanager
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import pandas as pd
import xarray as xr

from analyses import ENGINES
from analyses.checks import Verdict, agreement, diagnostics, league_table, predictive
from analyses.checks import top_groups as of_crowd
from analyses.engines import exact, gibbs, summary_tables
from analyses.engines.inference_data import NAMES
from analyses.engines.quadrature import QuadratureError
from analyses.ingest.request import Request
from models.two_level import TwoLevel

MANY = 2_000  # groups, of which 4,000 draws of theta and kappa take 128 MB an engine: more are a crowd
SOME = 50  # of a crowd, whose theta is drawn: enough to see an engine that is wrong only far out


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run may be asked for. draws, tune and chains speak to NUTS; `best` is the study's own where it is None.

    `request` is the file that a study is to answer for, where there is one.
    """

    seed: int = 1
    draws: int = 1000
    tune: int = 500
    chains: int = 4
    cores: int = 1
    engines: tuple[str, ...] = ENGINES
    best: str | None = None
    progress: bool = False
    target_accept: float = 0.9
    request: Request | None = None

    def rng(self, *names: str) -> np.random.Generator:
        """Return the generator for one purpose; the same whatever else is run."""
        return np.random.default_rng([self.seed, *(crc32(name.encode()) for name in names)])

    def nuts(self, *names: str) -> dict:
        """Arguments of nuts.sample for one purpose."""
        rng = self.rng("nuts", *names)
        numbers = {"draws": self.draws, "tune": self.tune, "chains": self.chains, "cores": self.cores}
        numbers["target_accept"] = self.target_accept
        return numbers | {"progress": self.progress, "seed": int(rng.integers(2**31)), "rng": rng}


@dataclass(frozen=True, eq=False, kw_only=True)
class Fit:
    """Draws of one posterior, and the tables and verdicts that come of holding them against the exact one.

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
class TwoLevelFit(Fit):
    """The same of a two-level model, with its table of groups and what it replicates."""

    model: TwoLevel
    posterior: exact.Posterior
    groups: pd.DataFrame
    replicated: dict[str, dict[str, np.ndarray]]
    predictive: pd.DataFrame
    best: str
    among: int


@dataclass(frozen=True, eq=False, kw_only=True)
class ManyGroupsFit(Fit):
    """The same of very many groups; draws, and all that is checked by them, are of the theta of some of them.

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
    name: str, trees: dict[str, xr.DataTree], reference: pd.DataFrame, ahead, predictions, **known
) -> Fit:
    """Hold every engine's draws against the exact posterior.

    Parameters
    ----------
    name : str
    trees : dict
        Engine to its DataTree.
    reference : DataFrame
        Exact moments and quantiles by variable and label.
    ahead, predictions
        Likewise draws and exact table of what is predicted.
    **known
        The other fields of a Fit.
    """
    summaries = {e: summary_tables.summary(tree, reference) for e, tree in trees.items() if e != "exact"}
    of_exact = [summary_tables.exact_summary(reference)] if "exact" in trees else []
    said = [summary_tables.summary(draws, predictions).assign(engine=NAMES[e]) for e, draws in ahead.items()]
    said.append(summary_tables.exact_summary(predictions))
    against = {
        engine: pd.concat(
            [agreement.table(tree, reference), agreement.table(ahead[engine], predictions)], ignore_index=True
        )
        for engine, tree in trees.items()
    }
    verdicts = (
        *(diagnostics.verdict(trees[engine], rows) for engine, rows in summaries.items()),
        *(agreement.verdict(rows) for rows in against.values()),
    )
    return Fit(
        name=name,
        reference=reference,
        trees=trees,
        summary=pd.concat([*summaries.values(), *of_exact]),
        agreement=pd.concat(against.values()),
        predictions=pd.concat(said),
        verdicts=verdicts,
        **known,
    )


def fit_two_level(
    name: str, model: TwoLevel, settings: Settings, *, best: str, thin: int | None, among: int = league_table.AMONG
) -> TwoLevelFit:
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
    with timed(seconds, "exact"):
        posterior = exact.posterior(model)
        reference = posterior.table()
    with timed(seconds, "error of exact"):
        error = _error(posterior, reference)
    trees = _draws(name, posterior, settings, thin, seconds)
    with timed(seconds, "checks"):
        best = settings.best or best
        return _checked(name, posterior, trees, settings, best, among, reference, error, seconds)


def fit_many_groups(name: str, model: TwoLevel, settings: Settings, *, best: str) -> ManyGroupsFit:
    """The same of very many groups, at a cost that goes with the distinct sizes of them."""
    seconds: dict[str, float] = {}
    with timed(seconds, "exact"):
        posterior, some = exact.posterior(model, show=settings.progress), _some(model.groups)
        reference = posterior.table(some)
    with timed(seconds, "error of exact"):
        error = _error(posterior, reference)
    with timed(seconds, "every group"):
        rng = settings.rng("top", name)
        extremes = of_crowd.table(posterior, best=settings.best or best, rng=rng, show=settings.progress)
    trees = _draws(name, posterior, settings, None, seconds, only=some)
    trees = {engine: tree for engine, tree in trees.items() if engine in (settings.engines or ENGINES)}
    with timed(seconds, "checks"):
        said = _ahead(name, posterior, trees, settings)
        fitted = compare_with_exact(
            name, trees, reference, *said, error=error, nodes=len(posterior.weight), seconds=seconds
        )
    return ManyGroupsFit(
        **vars(fitted),
        **extremes._asdict(),
        model=model,
        posterior=posterior,
        best=settings.best or best,
    )


def _some(groups) -> np.ndarray:
    """Positions of groups from all over the range of means, the extremes among them, and of most and least noise."""
    order = np.argsort(groups.mean, kind="stable")
    spread = order[np.linspace(0, len(order) - 1, SOME).astype(int)]
    return np.unique([*spread, *_extremes(groups)])


def _error(posterior, reference) -> float:
    """Largest numerical error in posterior sds; nan where a finer lattice, which would tell it, is too large."""
    try:
        found = posterior.error(_extremes(posterior.model.groups))
    except QuadratureError:
        return float("nan")
    return float(found.div(reference["sd"], axis=0).max().max())


def _extremes(groups) -> np.ndarray:
    """Positions of the groups with most noise, with least, and farthest from the others: where quadrature errs most."""
    far = np.abs(groups.mean - np.median(groups.mean))
    return np.unique([np.argmax(groups.noise), np.argmin(groups.noise), np.argmax(far)])


def _draws(name, posterior, settings, thin, seconds, only=None):
    """Engine to its DataTree, with theta of all groups or only some.

    Independent draws are always made, as ranks and P(best) rest on them.
    """
    model, trees = posterior.model, {}
    if "nuts" in settings.engines:
        from analyses.engines import nuts  # PyMC takes its time to import

        with timed(seconds, "nuts"):
            trees["nuts"] = nuts.sample(model, only=only, **settings.nuts(name))
        seconds["nuts, of it sampling"] = trees["nuts"]["sample_stats"].attrs["sampling_time"]
    if "gibbs" in settings.engines:
        with timed(seconds, "gibbs"):
            thin = thin or gibbs.thinning(model, rng=settings.rng("thinning", name))
            options = {"thin": thin, "only": only, "show": settings.progress}
            trees["gibbs"] = gibbs.sample(model, **options, rng=settings.rng("gibbs", name))
    with timed(seconds, "exact draws"):
        trees["exact"] = posterior.draw(only=only, rng=settings.rng("exact", name))
    return trees


def _ahead(name, posterior, trees, settings):
    """What every engine foretells for the group that lies farthest out and for a new one, and the exact table of it."""
    model, mean = posterior.model, posterior.model.groups.mean
    at = int(np.argmax(np.abs(mean - np.median(mean))))
    ahead = {e: predictive.predicted(model, t, at=at, rng=settings.rng("new", name, e)) for e, t in trees.items()}
    return ahead, posterior.predictions(at=at)


def _checked(name, posterior, drawn, settings, best, among, reference, error, seconds) -> TwoLevelFit:
    """Tables and verdicts of the engines asked for."""
    model, groups = posterior.model, posterior.model.groups
    trees = {engine: tree for engine, tree in drawn.items() if engine in settings.engines}
    replicated = {e: predictive.replicated(model, t, rng=settings.rng("replicated", name, e)) for e, t in trees.items()}
    found, said = predictive.table(groups, replicated), _ahead(name, posterior, trees, settings)
    fitted = compare_with_exact(
        name, trees, reference, *said, error=error, nodes=len(posterior.weight), seconds=seconds
    )
    alike = [predictive.verdict(found)] if len(trees) > 1 else []
    return TwoLevelFit(
        **(vars(fitted) | {"verdicts": (*fitted.verdicts, *alike)}),
        model=model,
        posterior=posterior,
        groups=league_table.table(groups, reference, drawn["exact"], best=best, among=among),
        replicated=replicated,
        predictive=found,
        best=best,
        among=among,
    )


@contextmanager
def timed(seconds: dict[str, float], stage: str):
    """Note how long a stage took."""
    started = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - started
