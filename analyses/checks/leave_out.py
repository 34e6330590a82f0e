"""What the other groups say of a group: leave one out, exactly where there is a quadrature, else by weighing draws."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats
from scipy.special import gammaln, logsumexp, ndtr, stdtr

from analyses.engines import exact
from analyses.engines.inference_data import QUANTILES
from analyses.engines.mixture import highest_moment
from analyses.engines.quadrature import QuadratureError
from models.distributions import LOG_2PI
from models.groups import Groups, Replicates
from models.propriety import ImproperPosteriorError, moments, require_proper
from models.two_level import TwoLevel

MOST_NODES = 1_000_000  # groups times nodes of the quadrature that are gone through exactly: some twenty seconds
LEAST_NODES = 2_000  # what setting a quadrature up costs, in nodes
HEAVIEST = 0.95  # Pareto k for which the error of the fit is computed: at 1 there is no mean
BLOCK = 1_000_000  # entries of an array over nodes and groups
DETERMINED = 1e-9  # of a group's variance: where the others leave less to see it alone determines a coefficient
RIM, THIN = 35.0, 1e-10  # nodes so far below the top (in logs) may carry this share of the others' posterior
EXACTLY = ("label", "observed", "mean", "sd", *QUANTILES, "P(as large)", "log_density")
AHEAD = ("new_group_value", "")


def exactly(model: TwoLevel) -> np.ndarray:
    """Log of p(rows of a group | rows of all others) for each: a ratio of two integrals over the scales."""
    every = log_evidence(model)
    return np.array([
        every - log_evidence(replace(model, groups=model.groups.without(i))) for i in range(len(model.groups))
    ])  # fmt: skip


def log_evidence(model: TwoLevel) -> float:
    """Log of the density of all rows, up to the constants of improper priors."""
    return exact.log_evidence(model) + log_density_of_rows(model.groups)


def table(posterior: exact.Posterior) -> pd.DataFrame:
    """What the others say of each group's mean.

    Parameters
    ----------
    posterior : Posterior
        Of all groups.

    Returns
    -------
    DataFrame
        label, observed; the others' mean, sd, q2_5, q50, q97_5 of it and their P(as large); log_density of the group's
        data. Of many groups label, observed, P(as large) and log_density alone, from the same nodes. Nan where the
        others have no posterior.
    """
    g = posterior.model.groups
    if len(g) * max(len(posterior.weight), LEAST_NODES) <= MOST_NODES:
        return pd.DataFrame([_left_out(posterior, i) for i in range(len(g))], columns=EXACTLY)
    size = max(1, BLOCK // len(posterior.weight))
    blocks = [np.arange(len(g))[k : k + size] for k in range(0, len(g), size)]
    log_density, p, thin = (np.concatenate(v) for v in zip(*(_downdated(posterior, at) for at in blocks), strict=True))
    rows = pd.DataFrame({"label": g.labels, "observed": g.mean, "P(as large)": p, "log_density": log_density})
    for i in np.flatnonzero(thin):
        row = _left_out(posterior, i)
        rows.loc[i, ["P(as large)", "log_density"]] = [row.get(name, np.nan) for name in ("P(as large)", "log_density")]
    return rows


def _downdated(posterior, at) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """log_density and P(as large) of some groups, and where the nodes do not do for the posterior of the others.

    Given the scales, with v = noise_i + between, r the residual of the mean and h = x_i'C x_i, C the covariance of b,
    the others say mean_i ~ N(mean_i - r v / (v - h), v^2 / (v - h)): the formulas of a deleted residual. Where sigma is
    integrated out, the inverse gamma of sigma^2 loses n_i / 2 and (r^2 / (v - h) + ss_i) / 2. The posterior of the
    others has the weight of all over the density of the group at each node.
    """
    g, given = posterior.model.groups, posterior.given
    (noise, between), x = posterior.variances(g.noise[at]), posterior.model.standard.regressors(g.design[at])
    v, residual = noise + between, g.mean[at] - given.location @ x.T
    seen = v - np.einsum("gj,njk,gk->ng", x, given.covariance / given.unit[:, None, None], x)
    seen = np.where(seen > DETERMINED * v, seen, np.nan)  # else without the group a coefficient has no posterior
    squares, spread = residual**2 / seen, v / np.sqrt(seen)
    away = residual * v / seen / spread  # the mean, in scales of its prediction
    log_density, as_large = _of_rows(posterior, at, squares, spread, away)
    log_weight = np.log(posterior.weight)[:, None] - log_density
    total = logsumexp(log_weight, axis=0)
    share = np.exp(log_weight - total)
    rim = posterior.weight < np.exp(-RIM) * posterior.weight.max()
    return -total, np.sum(share * as_large, axis=0), ~(share[rim].sum(axis=0) < THIN)


def _of_rows(posterior, at, squares, spread, away) -> tuple[np.ndarray, np.ndarray]:
    """Log density of each group's rows, and P(as large) of its mean, given the others and the scales: (node, group)."""
    g, whole = posterior.model.groups, posterior.given.sigma2
    n, ss = g.df[at] + 1, g.ss[at]
    log_density = -(n * LOG_2PI + np.log(n)) / 2 - np.log(spread)
    if whole is None:
        sigma2 = np.exp(2 * posterior.logs["sigma"])[:, None] if "sigma" in posterior.logs else 1.0
        return log_density - (squares + ss / sigma2 + (n - 1) * np.log(sigma2)) / 2, ndtr(-away)
    shape, scale = whole.shape - n / 2, whole.scale[:, None] - (squares + ss) / 2
    log_density += gammaln(whole.shape) - gammaln(shape) + shape * np.log(scale)
    log_density -= whole.shape * np.log(whole.scale)[:, None]
    return log_density, stdtr(2 * shape, -away * np.sqrt(shape / scale))


def _left_out(whole, i) -> dict:
    """One row, exactly; the posterior of the others is no narrower than that of all, so its lattice is fine enough."""
    g, others = whole.model.groups, replace(whole.model, groups=whole.model.groups.without(i))
    every = whole.log_evidence + log_density_of_rows(g)
    row = {"label": g.labels[i], "observed": g.mean[i]}
    try:
        require_proper(others)
        posterior = whole.refit(others)
    except (ImproperPosteriorError, QuadratureError):
        return row
    law, exist = posterior.new_theta(g.design[i : i + 1], g.noise[i]), highest_moment(moments(others)[AHEAD])
    return row | {
        "mean": law.mean[0] if exist >= 1 else np.nan,
        "sd": law.sd[0] if exist >= 2 else np.nan,
        **{name: law.quantile(p)[0] for name, p in QUANTILES.items()},
        "P(as large)": float(1 - law.cdf(g.mean[i : i + 1], np.array([0]))[0]),
        "log_density": every - posterior.log_evidence - log_density_of_rows(others.groups),
    }


def log_density_of_rows(groups: Groups) -> float:
    """Log of p(rows) over p(means, pooled sum of squares), in which there is no parameter; 0 for estimates.

    Rows turned into sqrt(n_i) mean_i and df further coordinates, of which the density sees only the squared length.
    """
    if not isinstance(groups, Replicates):
        return 0.0
    df, ss = groups.within
    of_squares = gammaln(df / 2) - df / 2 * np.log(np.pi) - (df / 2 - 1) * np.log(ss) if df else 0.0
    return float(of_squares - np.log(groups.n).sum() / 2)


class Weighed(NamedTuple):
    """What importance sampling says of each group.

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
    log_density = logsumexp(log_weight + log_predictive.T, axis=1)
    weight = np.exp(log_weight)
    influence = np.exp(log_weight + log_predictive.T - log_density[:, None]) - weight
    of_tail = _tail_variance(weight, k, efficiency)
    error = np.sqrt(np.sum(influence**2, axis=1) / efficiency + of_tail)
    error = np.where(k <= largest_k(len(log_predictive)), error, np.nan)
    of_sum = np.sqrt(np.sum(influence.sum(axis=0) ** 2) / efficiency + of_tail.sum())
    groups = pd.DataFrame({"log_density": log_density, "mcse_log_density": error, "pareto_k": k})
    return Weighed(groups, float(of_sum if np.isfinite(error).all() else np.nan))


def _tail_variance(weight, k, efficiency) -> np.ndarray:
    """Variance of the sum of each group's smoothed weights, (J, draw), that comes of fitting their tail."""
    draws = weight.shape[1]
    tail = int(3 * np.sqrt(draws / efficiency)) if draws * efficiency > 225 else draws // 5  # as psislw has it
    ordered = np.partition(weight, draws - tail - 1, axis=1)
    beyond = np.sum(ordered[:, draws - tail :] - ordered[:, draws - tail - 1 : draws - tail], axis=1)
    effective = tail * efficiency
    # Three standard errors more: a k that is estimated too small goes with a tail of which too little was seen.
    k = np.minimum(k + 3 * (1 + k) / np.sqrt(effective), HEAVIEST)
    return beyond**2 * (1 + k) / effective * ((1 + k) / (1 - k) ** 2 - 2 / (1 - k) + 2)
