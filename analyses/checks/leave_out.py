"""What the other groups say of a group's rows: leave one group out, exactly or by importance sampling."""

from dataclasses import replace

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats
from scipy.special import gammaln, logsumexp

from analyses.engines import exact
from models.groups import Replicates
from models.two_level import TwoLevel

MOST_K = 0.7  # a Pareto k above it, and the weights' mean cannot be trusted (Vehtari et al. 2024)


def exactly(model: TwoLevel) -> np.ndarray:
    """Log of p(rows of a group | rows of all others) for each: a ratio of two integrals over the scales."""
    every = log_evidence(model)
    return np.array([
        every - log_evidence(replace(model, groups=model.groups.without(i))) for i in range(len(model.groups))
    ])  # fmt: skip


def log_evidence(model: TwoLevel) -> float:
    """Log of the density of all rows, up to the constants of improper priors."""
    return exact.posterior(model).log_evidence + log_density_of_rows(model.groups)


def log_density_of_rows(groups: Replicates) -> float:
    """Log of p(rows) over p(means, pooled sum of squares), in which there is no parameter.

    Rows turned into sqrt(n_i) mean_i and df further coordinates, of which the density sees only the squared length.
    """
    df, ss = groups.within
    of_squares = gammaln(df / 2) - df / 2 * np.log(np.pi) - (df / 2 - 1) * np.log(ss) if df else 0.0
    return float(of_squares - np.log(groups.n).sum() / 2)


def by_importance(log_predictive: np.ndarray) -> pd.DataFrame:
    """The same from draws of the hyperparameters given all groups, with smoothed weights 1 / p(rows of the group).

    Parameters
    ----------
    log_predictive : ndarray (draw, J)
        Log of p(rows of each group | hyperparameters).

    Returns
    -------
    DataFrame
        log_density and pareto_k of each group.
    """
    log_weight, k = array_stats.psislw(log_predictive.T)
    return pd.DataFrame({"log_density": logsumexp(log_weight + log_predictive.T, axis=1), "pareto_k": k})
