"""What the other groups say of a group: leave one group out, exactly or by importance sampling."""

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats
from scipy.special import gammaln, logsumexp

from analyses.checks.predictive import population
from analyses.contract import QUANTILES
from analyses.engines import exact
from analyses.engines.mixture import highest_moment
from analyses.engines.quadrature import QuadratureError
from models import laws
from models.groups import Groups, Replicates
from models.propriety import Improper, moments, require_proper
from models.two_level import TwoLevel

MOST_NODES = 1_000_000  # groups times nodes of the quadrature that are gone through exactly: some twenty seconds
LEAST_NODES = 2_000  # what setting a quadrature up costs, in nodes
MOST_K = 0.7  # a Pareto k above it, and the weights' mean cannot be trusted (Vehtari et al. 2024)
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


def table(posterior: exact.Posterior, tree: xr.DataTree) -> pd.DataFrame:
    """What the others say of each group's mean.

    Parameters
    ----------
    posterior : Posterior
        Of all groups.
    tree : DataTree
        Independent draws from it, for where leaving each group out would take too long.

    Returns
    -------
    DataFrame
        label, observed; the others' mean, sd, q2_5, q50, q97_5 of it and their P(as large); log_density of the group's
        data. Or label, observed, log_density and pareto_k, by importance sampling. Nan where the others have no
        posterior.
    """
    model = posterior.model
    if len(model.groups) * max(len(posterior.weight), LEAST_NODES) > MOST_NODES:
        weighed = by_importance(log_predictive(model, tree))
        return pd.DataFrame({"label": model.groups.labels, "observed": model.groups.mean}).join(weighed)
    every = posterior.log_evidence + log_density_of_rows(model.groups)
    return pd.DataFrame([_left_out(posterior, i, every) for i in range(len(model.groups))], columns=EXACTLY)


def _left_out(whole, i, every) -> dict:
    """One row; the posterior of the others is no narrower than that of all, so its lattice is fine enough."""
    g, others = whole.model.groups, replace(whole.model, groups=whole.model.groups.without(i))
    row = {"label": g.labels[i], "observed": g.mean[i]}
    try:
        require_proper(others)
        posterior = whole.again(others)
    except (Improper, QuadratureError):
        return row
    law, exist = posterior.new_theta(g.design[i : i + 1], g.noise[i]), highest_moment(moments(others)[AHEAD])
    return row | {
        "mean": law.mean[0] if exist >= 1 else np.nan,
        "sd": law.sd[0] if exist >= 2 else np.nan,
        **{name: law.quantile(p)[0] for name, p in QUANTILES.items()},
        "P(as large)": float(1 - law.cdf(g.mean[i : i + 1], np.array([0]))[0]),
        "log_density": every - posterior.log_evidence - log_density_of_rows(others.groups),
    }


def log_predictive(model: TwoLevel, tree: xr.DataTree) -> np.ndarray:
    """Log of p(data of each group | hyperparameters) at each draw, (draw, J)."""
    g, draws = model.groups, tree["posterior"].dataset
    b = population(model, draws, g.design).reshape(-1, len(g))
    sigma = draws["sigma"].values.reshape(-1, 1) if "sigma" in draws else np.ones((len(b), 1))
    between = draws["sd_between"].values.reshape(-1, 1) ** 2
    means = laws.Normal(b, np.sqrt(sigma**2 * g.noise + between)).log_density(g.mean)
    return means - g.df * np.log(2 * np.pi * sigma**2) / 2 - np.log(g.df + 1) / 2 - g.ss / (2 * sigma**2)


def log_density_of_rows(groups: Groups) -> float:
    """Log of p(rows) over p(means, pooled sum of squares), in which there is no parameter; 0 for estimates.

    Rows turned into sqrt(n_i) mean_i and df further coordinates, of which the density sees only the squared length.
    """
    if not isinstance(groups, Replicates):
        return 0.0
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
