"""What the other groups say of a group, by importance sampling: draws given all, weighed as if without the group."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats
from scipy.special import logsumexp

MOST_K = 0.95  # Pareto k for which the error of the fit is computed: at 1 there is no mean


class Weighed(NamedTuple):
    """Density of each group given the others, by importance sampling.

    Attributes
    ----------
    groups : DataFrame
        log_density of each group given the others, mcse_log_density, its Monte Carlo error, and pareto_k. No error is
        stated where k is above `largest_k`: no number of draws that one could make would have a small one.
    mcse_sum : float
        Monte Carlo error of the sum of the log densities, which rest on the same draws; nan where one has none.
    """

    groups: pd.DataFrame
    mcse_sum: float


def largest_k(draws: int) -> float:
    """Largest Pareto k at which so many draws are enough (Vehtari et al. 2024, section 3.2.4)."""
    return min(1 - 1 / np.log10(draws), 0.7)


def by_importance(log_predictive: np.ndarray, *, efficiency: float = 1.0) -> Weighed:
    """Leave each group out by draws of the hyperparameters given all, weighed by smoothed 1 / p(rows of the group).

    The error has two parts. Draws at which the weighted density differs from its mean make it uncertain as in any
    ratio estimate. And the largest weights are replaced by quantiles of a generalized Pareto distribution, whose mean
    is as uncertain as the fit: with m weights and shape k, by the inverse of Fisher's information,

        var / mean^2 = (1 + k) / m ((1 + k) / (1 - k)^2 - 2 / (1 - k) + 2).

    The second part grows with k where the first, of smoothed weights, does not: above k = 1/2 raw weights have no
    variance. Both count what happens in the tail, so the error is stated too large rather than too small.

    Parameters
    ----------
    log_predictive : ndarray (draw, J)
        Log of p(rows of each group | hyperparameters).
    efficiency : float
        Effective draws for each draw; 1 for independent ones.
    """
    log_weight, k = array_stats.psislw(log_predictive.T, r_eff=efficiency)
    log_weighted = log_weight + log_predictive.T
    log_density, weight = logsumexp(log_weighted, axis=1), np.exp(log_weight)
    influence = np.exp(log_weighted - log_density[:, None]) - weight
    tail_variance = _tail_variance(weight, k, efficiency)
    error = np.sqrt(np.sum(influence**2, axis=1) / efficiency + tail_variance)
    error = np.where(k <= largest_k(len(log_predictive)), error, np.nan)
    sum_error = np.sqrt(np.sum(influence.sum(axis=0) ** 2) / efficiency + tail_variance.sum())
    groups = pd.DataFrame({"log_density": log_density, "mcse_log_density": error, "pareto_k": k})
    return Weighed(groups, float(sum_error if np.isfinite(error).all() else np.nan))


def _tail_variance(weight, k, efficiency) -> np.ndarray:
    """Variance of the sum of each group's smoothed weights, (J, draw), that comes of fitting their tail."""
    draws = weight.shape[1]
    tail = int(3 * np.sqrt(draws / efficiency)) if draws * efficiency > 225 else draws // 5  # as psislw has it
    ordered = np.partition(weight, draws - tail - 1, axis=1)
    beyond = np.sum(ordered[:, draws - tail :] - ordered[:, draws - tail - 1 : draws - tail], axis=1)
    effective = tail * efficiency
    # Three standard errors more: a k that is estimated too small goes with a tail of which too little was seen.
    k = np.minimum(k + 3 * (1 + k) / np.sqrt(effective), MOST_K)
    return beyond**2 * (1 + k) / effective * ((1 + k) / (1 - k) ** 2 - 2 / (1 - k) + 2)
