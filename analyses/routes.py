"""One model by every route, held against its exact posterior."""

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import pandas as pd
import xarray as xr

from analyses import tables
from analyses.checks import Verdict, agreement, diagnostics, predictive, shrinkage
from analyses.engines import exact, gibbs
from models.two_level import TwoLevel

ENGINES = ("nuts", "gibbs", "exact")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run may be asked for. draws, tune and chains speak to NUTS; `best` is the study's own where it is None."""

    seed: int = 1
    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    cores: int = 1
    engines: tuple[str, ...] = ENGINES
    best: str | None = None
    progress: bool = False

    def rng(self, *names: str) -> np.random.Generator:
        """Return the generator for one purpose; the same whatever else is run."""
        return np.random.default_rng([self.seed, *(crc32(name.encode()) for name in names)])

    def nuts(self, *names: str) -> dict:
        """Arguments of nuts.sample for one purpose."""
        rng = self.rng("nuts", *names)
        asked = {"draws": self.draws, "tune": self.tune, "chains": self.chains, "cores": self.cores}
        return asked | {"progress": self.progress, "seed": int(rng.integers(2**31)), "rng": rng}


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer:
    """A model, its exact posterior, the engines' draws, and the tables and verdicts that come of them."""

    name: str
    model: TwoLevel
    posterior: exact.Posterior
    reference: pd.DataFrame
    error: float
    trees: dict[str, xr.DataTree]
    summary: pd.DataFrame
    agreement: pd.DataFrame
    groups: pd.DataFrame
    replicated: dict[str, dict[str, np.ndarray]]
    predictive: pd.DataFrame
    predictions: pd.DataFrame
    best: str
    verdicts: tuple[Verdict, ...]
    seconds: dict[str, float] = field(default_factory=dict)


def answer(name: str, model: TwoLevel, settings: Settings, *, best: str, thin: int) -> Answer:
    """Reach the posterior by every engine asked for, and check each against the exact one.

    Parameters
    ----------
    name : str
        What the random streams are named after.
    model : TwoLevel
    settings : Settings
    best : {"high", "low"}
        The study's own idea of it.
    thin : int
        Sweeps of the Gibbs sampler a kept draw.
    """
    seconds: dict[str, float] = {}
    best = settings.best or best
    with _timed(seconds, "exact"):
        posterior = exact.posterior(model)
        reference = posterior.table()
    with _timed(seconds, "error of exact"):
        error = posterior.error().div(reference["sd"], axis=0).max().max()
    with _timed(seconds, "exact draws"):
        independent = posterior.draw(rng=settings.rng("exact", name))
    trees = {}
    if "nuts" in settings.engines:
        from analyses.engines import nuts  # PyMC takes its time to import

        with _timed(seconds, "nuts"):
            trees["nuts"] = nuts.sample(model, **settings.nuts(name))
    if "gibbs" in settings.engines:
        with _timed(seconds, "gibbs"):
            trees["gibbs"] = gibbs.sample(model, thin=thin, rng=settings.rng("gibbs", name))
    if "exact" in settings.engines:
        trees["exact"] = independent
    with _timed(seconds, "checks"):
        of_draws = {engine: tables.summary(tree) for engine, tree in trees.items() if engine != "exact"}
        of_exact = [tables.exact_summary(reference)] if "exact" in trees else []
        against = {engine: agreement.table(tree, reference) for engine, tree in trees.items()}
        replicated = {
            e: predictive.replicated(model, t, rng=settings.rng("replicated", name, e)) for e, t in trees.items()
        }
        predicted = predictive.table(model.groups, replicated)
        farthest = model.groups.labels[int(np.argmax(np.abs(model.groups.mean - np.median(model.groups.mean))))]
        return Answer(
            name=name,
            model=model,
            posterior=posterior,
            reference=reference,
            error=float(error),
            trees=trees,
            summary=pd.concat([*of_draws.values(), *of_exact]),
            agreement=pd.concat(against.values()),
            groups=shrinkage.table(model.groups, reference, independent, best=best),
            replicated=replicated,
            predictive=predicted,
            predictions=predictive.predictions(model, trees, group=farthest, rng=settings.rng("predictions", name)),
            best=best,
            verdicts=(
                *(diagnostics.verdict(trees[engine], rows) for engine, rows in of_draws.items()),
                *(agreement.verdict(rows) for rows in against.values()),
                *([predictive.verdict(predicted)] if len(trees) > 1 else []),
            ),
            seconds=seconds,
        )


@contextmanager
def _timed(seconds, stage):
    started = time.perf_counter()
    yield
    seconds[stage] = round(time.perf_counter() - started, 3)
