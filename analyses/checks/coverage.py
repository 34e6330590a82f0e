"""Coverage: how often the intervals of a trial hold the truth, in data like these."""

from dataclasses import replace

import numpy as np
import pandas as pd

from analyses.checks import t_tests
from analyses.contract import replicate
from analyses.engines.exact import Posterior

TRIALS = 500


def table(posterior: Posterior, truth: pd.Series, *, trials: int = TRIALS, rng) -> pd.DataFrame:
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
    inside, widths = np.zeros((trials, 3)), np.zeros((trials, 3))
    for trial in range(trials):
        theta = rng.normal(g.design @ [truth["mu"], truth["beta"]], truth["sd_between"])
        groups = replace(g, **replicate(g, theta, truth["sigma"], rng=rng))
        effect = posterior.again(replace(model, groups=groups)).b
        intervals = [t_tests.on_records(groups)[3:5], t_tests.on_means(groups)[3:5]]
        intervals.append([effect.quantile(p)[1] for p in (0.025, 0.975)])
        low, high = np.transpose(intervals)
        inside[trial], widths[trial] = (low < truth["beta"]) & (truth["beta"] < high), high - low
    covered = inside.mean(axis=0)
    return pd.DataFrame(
        {
            "analysis": ["A: t-test on all records", "B: t-test on subjects' means", "C: hierarchical model"],
            "covers the truth": covered,
            "standard error": np.sqrt(covered * (1 - covered) / trials),
            "mean width": widths.mean(axis=0),
        }
    )
