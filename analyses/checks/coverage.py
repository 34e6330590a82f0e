"""Coverage: how often the intervals of a trial hold the truth, in data like these."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from analyses.checks import t_tests
from analyses.engines.exact import Posterior
from analyses.engines.inference_data import replicate
from analyses.engines.mixture import t_quantiles
from models.groups import Replicates
from models.two_level import TwoLevel

TRIALS = 500
FINER = 2  # than the lattice of one set of data: others may be narrower
MOST_AT_ENDS = 1e-12  # of the top, where the lattice ends
MORE = 10  # nodes at either end, until it does


def table(posterior: Posterior, truth: pd.Series, *, trials: int = TRIALS, rng: np.random.Generator) -> pd.DataFrame:
    """Coverage and mean width of the two t-tests' and the model's 95% intervals for the effect of a treatment.

    Parameters
    ----------
    posterior : Posterior
        Of the trial: a model with one covariate.
    truth : Series
        mu, beta, sd_between and sigma, which every trial shares, on subjects drawn anew.
    trials : int
    rng : numpy.random.Generator
    """
    model, g = posterior.model, posterior.model.groups
    assert isinstance(g, Replicates)  # of a trial there are records
    theta = rng.normal(g.design @ [truth["mu"], truth["beta"]], truth["sd_between"], (trials, len(g)))
    data = replicate(g, theta, np.full(trials, truth["sigma"]), rng=rng)
    each = [replace(g, mean=mean, ss=ss) for mean, ss in zip(data["mean"], data["ss"], strict=True)]
    replicated = replace(model, groups=replace(g, mean=data["mean"], ss=data["ss"]))
    intervals = {
        "A: t-test on all records": _intervals(map(t_tests.on_records, each)),
        "B: t-test on subjects' means": _intervals(map(t_tests.on_means, each)),
        "C: hierarchical model": effects(replicated, posterior),
    }
    low, high = np.stack(list(intervals.values()), axis=-1)
    covered = ((low < truth["beta"]) & (truth["beta"] < high)).mean(axis=0)
    columns = {
        "analysis": list(intervals),
        "covers the truth": covered,
        "standard error": np.sqrt(covered * (1 - covered) / trials),
        "mean width": (high - low).mean(axis=0),
    }
    return pd.DataFrame(columns)


def _intervals(differences: Iterable[t_tests.Difference]) -> np.ndarray:
    """Ends of confidence intervals, (2, data)."""
    return np.array([(difference.low, difference.high) for difference in differences]).T


def effects(stack: TwoLevel, like: Posterior) -> np.ndarray:
    """Ends of the exact 95% intervals for the covariate's effect, (2, data), of many sets of data on one lattice."""
    lattice = like.nodes.lattice
    first, last = lattice.index.min() * FINER, lattice.index.max() * FINER
    while True:
        z = lattice.step[:, None] / FINER * np.arange(first, last + 1)
        u = like.nodes.coordinates.logs(lattice.frame.point(z))[0][:, None]
        given = stack.collapsed(np.exp(u) * np.ones(len(stack.groups.mean)))
        log_weight = given.log_unnormalized + u + lattice.frame.log_stretch(z)[:, None]
        weight = np.exp(log_weight - log_weight.max(axis=0))
        if max(weight[0].max(), weight[-1].max()) < MOST_AT_ENDS:
            break
        first, last = first - MORE, last + MORE
    row = given.basis[1]
    scale = np.sqrt(given.squared_scale(row[None])[..., 0])
    weight = weight / weight.sum(axis=0)
    return np.array([t_quantiles(weight, given.location @ row, scale, given.df, p) for p in (0.025, 0.975)])
