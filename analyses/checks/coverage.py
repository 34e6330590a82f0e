"""Coverage: how often the intervals of a trial hold the truth, in data like these."""

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
BEYOND = 1e-12  # of the top, where the lattice ends


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
    ends = [
        np.array([t_tests.on_records(groups)[3:5] for groups in each]).T,
        np.array([t_tests.on_means(groups)[3:5] for groups in each]).T,
        effects(replace(model, groups=replace(g, mean=data["mean"], ss=data["ss"])), posterior),
    ]
    inside = np.stack([(low < truth["beta"]) & (truth["beta"] < high) for low, high in ends], axis=1)
    widths = np.stack([high - low for low, high in ends], axis=1)
    covered = inside.mean(axis=0)
    return pd.DataFrame(
        {
            "analysis": ["A: t-test on all records", "B: t-test on subjects' means", "C: hierarchical model"],
            "covers the truth": covered,
            "standard error": np.sqrt(covered * (1 - covered) / trials),
            "mean width": widths.mean(axis=0),
        }
    )


def effects(stack: TwoLevel, like: Posterior) -> np.ndarray:
    """Ends of the exact 95% intervals for the covariate's effect, (2, data), of many sets of data on one lattice."""
    low, high, step = like.logs["tau"].min(), like.logs["tau"].max(), like.lattice.step / FINER
    while True:
        u = np.arange(low, high, step)[:, None]
        given = stack.collapsed(np.exp(u) * np.ones(len(stack.groups.mean)))
        height = given.log_unnormalized + u
        weight = np.exp(height - height.max(axis=0))
        if max(weight[0].max(), weight[-1].max()) < BEYOND:
            break
        low, high = low - 1, high + 1
    row = given.basis[1]
    squared = np.einsum("j,ndjk,k->nd", row, given.covariance, row)
    of = weight / weight.sum(axis=0), given.location @ row, np.sqrt(squared), given.df
    return np.array([t_quantiles(*of, p) for p in (0.025, 0.975)])
