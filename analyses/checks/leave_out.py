"""What the other groups say of a group: leave one out, exactly, by a ratio of two integrals over the scales."""

from dataclasses import replace

import numpy as np
import pandas as pd
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
BLOCK = 1_000_000  # entries of an array over nodes and groups
LEAST_VARIANCE = 1e-9  # of a group's: where the others leave less to see it alone determines a coefficient
RIM = 35.0  # nodes so far below the top, in logs,
MOST_RIM = 1e-10  # may carry this share of the others' posterior
COLUMNS = ("label", "observed", "mean", "sd", *QUANTILES, "P(as large)", "log_density")
NEW_VALUE = ("new_group_value", "")


def exactly(model: TwoLevel) -> np.ndarray:
    """Log of p(rows of a group | rows of all others) for each group."""
    g = model.groups
    others = [log_evidence(replace(model, groups=g.without(i))) for i in range(len(g))]
    return log_evidence(model) - np.array(others)


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
        return pd.DataFrame([_refitted(posterior, i) for i in range(len(g))], columns=COLUMNS)
    size = max(1, BLOCK // len(posterior.weight))
    blocks = [_downdated(posterior, np.arange(k, min(k + size, len(g)))) for k in range(0, len(g), size)]
    rows = pd.concat(blocks, ignore_index=True)
    for i in np.flatnonzero(rows.pop("thin")):
        refitted = _refitted(posterior, i)
        for name in ("P(as large)", "log_density"):
            rows.loc[i, name] = refitted.get(name, np.nan)
    return rows


def _downdated(posterior, at) -> pd.DataFrame:
    """Rows of some groups, `thin` where the nodes do not do for the posterior of the others.

    Given the scales, with v = noise_i + between, r the residual of the mean and h = x_i'C x_i, C the covariance of b,
    the others say mean_i ~ N(mean_i - r v / (v - h), v^2 / (v - h)): the formulas of a deleted residual. Where sigma is
    integrated out, the inverse gamma of sigma^2 loses n_i / 2 and (r^2 / (v - h) + ss_i) / 2. The posterior of the
    others has the weight of all over the density of the group at each node.
    """
    g, given = posterior.model.groups, posterior.given
    (noise, between), x = posterior.variances(g.noise[at]), posterior.model.standard.regressors(g.design[at])
    v, residual = noise + between, g.mean[at] - given.location @ x.T
    left = v - given.squared_scale(x) / given.unit[:, None]
    left = np.where(left > LEAST_VARIANCE * v, left, np.nan)  # else without the group a coefficient has no posterior
    squares, spread = residual**2 / left, v / np.sqrt(left)
    away = residual * v / left / spread  # the mean, in scales of its prediction
    n, ss, sigma2 = g.df[at] + 1, g.ss[at], given.sigma2
    log_density = -(n * LOG_2PI + np.log(n)) / 2 - np.log(spread)
    if sigma2 is None:
        known = np.exp(2 * posterior.logs["sigma"])[:, None] if "sigma" in posterior.logs else 1.0
        log_density = log_density - (squares + ss / known + (n - 1) * np.log(known)) / 2
        as_large = ndtr(-away)
    else:
        shape, scale = sigma2.shape - n / 2, sigma2.scale[:, None] - (squares + ss) / 2
        log_density += gammaln(sigma2.shape) - gammaln(shape) + shape * np.log(scale)
        log_density -= sigma2.shape * np.log(sigma2.scale)[:, None]
        as_large = stdtr(2 * shape, -away * np.sqrt(shape / scale))
    log_weight = np.log(posterior.weight)[:, None] - log_density
    total = logsumexp(log_weight, axis=0)
    weight = np.exp(log_weight - total)
    rim = posterior.weight < np.exp(-RIM) * posterior.weight.max()
    columns = {"P(as large)": np.sum(weight * as_large, axis=0), "log_density": -total}
    thin = ~(weight[rim].sum(axis=0) < MOST_RIM)
    return pd.DataFrame({"label": [g.labels[i] for i in at], "observed": g.mean[at], **columns, "thin": thin})


def _refitted(whole, i) -> dict:
    """One row, exactly; the posterior of the others is no narrower than that of all, so its lattice is fine enough."""
    g, others = whole.model.groups, replace(whole.model, groups=whole.model.groups.without(i))
    row = {"label": g.labels[i], "observed": g.mean[i]}
    try:
        require_proper(others)
        posterior = whole.refit(others)
    except (ImproperPosteriorError, QuadratureError):
        return row
    law, moment = posterior.new_theta(g.design[i : i + 1], g.noise[i]), highest_moment(moments(others)[NEW_VALUE])
    log_evidence = whole.log_evidence + log_density_of_rows(g)
    return row | {
        "mean": law.mean[0] if moment >= 1 else np.nan,
        "sd": law.sd[0] if moment >= 2 else np.nan,
        **{name: law.quantile(p)[0] for name, p in QUANTILES.items()},
        "P(as large)": float(1 - law.cdf(g.mean[i : i + 1], np.array([0]))[0]),
        "log_density": log_evidence - posterior.log_evidence - log_density_of_rows(others.groups),
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
