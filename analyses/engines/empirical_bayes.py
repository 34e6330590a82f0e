"""Empirical Bayes: the marginal likelihood of (b, tau, sigma) maximised, theta given the maximum (seed 001).

Two searches that share nothing but the likelihood: Nelder and Mead's, as the source has it, and a quasi-Newton method
on the score, derived here. The maximum may lie at tau = 0, where no group differs from its regression; tau^2 is what is
searched, as the likelihood has a slope in it there. Plugged in, the maximum is treated as if it were known: the
intervals of theta are too short by the uncertainty of (b, tau, sigma).
"""

from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import optimize

from analyses.engines.marginal_posterior import peaks, unpack
from analyses.engines.summary_tables import means_and_sds
from models.groups import Estimates
from models.shrinkage import kappa, theta_given
from models.two_level import TwoLevel

Method = Literal["L-BFGS-B", "Nelder-Mead"]
METHODS: tuple[Method, ...] = ("L-BFGS-B", "Nelder-Mead")
MOST_SLOPE = 1e-2  # slope a standard error that a maximum may have left: it is then off by about a hundredth of one
MOST_STARTS = 5  # a simplex may collapse against the boundary: it begins anew where it ended
BOUNDARY = 1e-9  # of the unit of tau^2: less than that is 0


def maximum(model: TwoLevel, *, method: Method = "L-BFGS-B") -> tuple[np.ndarray, float, float]:
    """b (p,), tau^2 and sigma where the marginal likelihood is largest.

    Parameters
    ----------
    model : TwoLevel
        Its priors are not looked at.
    method : {"L-BFGS-B", "Nelder-Mead"}

    Raises
    ------
    RuntimeError
        Where the search does not end.
    """
    maxima = [_nearest(model, u, method) for u in peaks(model, _log_marginal)]
    return max(maxima, key=lambda at: float(model.log_marginal(at[0], at[1] ** 0.5, at[2])))


def _log_marginal(model, u):
    return model.log_marginal(*unpack(model, u))


def _nearest(model, u, method) -> tuple[np.ndarray, float, float]:
    """Maximum at which a search from a point of (b, logs of the scales) ends."""
    start, unit = _standard(model, u)
    free = slice(None) if "sigma" in model.unknown else slice(-1)  # sigma's log comes last and may be known to be 0

    def minus(z):
        return -model.log_marginal(*_parameters(z, start, unit, free))

    def minus_slope(z):
        b, tau, sigma = _parameters(z, start, unit, free)
        return -(score(model, b, tau**2, sigma) * unit)[free]

    z = np.zeros(len(start))[free]
    bounds = [(None, None)] * len(model.coefficients) + [(-start[-2] / unit[-2], None), (None, None)]
    searches: dict[Method, dict[str, Any]] = {
        "L-BFGS-B": {"jac": minus_slope, "options": {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 1000}},
        "Nelder-Mead": {
            "options": {"xatol": 1e-9, "fatol": 1e-13, "maxiter": 20_000, "maxfev": 40_000, "adaptive": True}
        },
    }
    for _ in range(MOST_STARTS):
        search = optimize.minimize(minus, z, method=method, bounds=bounds[free], **searches[method])
        z, slope, at_tau2 = search.x, -minus_slope(search.x), len(model.coefficients)
        if z[at_tau2] <= bounds[at_tau2][0]:
            slope[at_tau2] = max(slope[at_tau2], 0.0)  # at its boundary the likelihood may well fall
        if np.abs(slope).max() < MOST_SLOPE:
            break
    else:
        raise RuntimeError(f"{method} did not find the maximum of the marginal likelihood: {search.message}")
    b, tau, sigma = _parameters(search.x, start, unit, free)
    return b, float(tau**2) if tau**2 > BOUNDARY * unit[-2] else 0.0, float(sigma)


def score(model: TwoLevel, b: np.ndarray, tau2: float, sigma: float) -> np.ndarray:
    """Slope of the log marginal likelihood in (b, tau^2, log sigma).

    With r_i = mean_i - x_i'b and v_i = sigma^2 noise_i + between its slope in v_i is (r_i^2 / v_i - 1) / 2 v_i.
    """
    g, (df, ss) = model.groups, model.groups.within
    noise, between = model.variances(g.noise, np.sqrt(tau2), sigma)
    v, r = noise + between, g.mean - g.design @ b
    of_v = (r**2 / v - 1) / (2 * v)
    of_tau2 = np.sum(of_v) * (sigma**2 if model.relative else 1.0)
    of_log_sigma = np.sum(of_v * 2 * (v if model.relative else noise)) + ss / sigma**2 - df
    return np.array([*(g.design.T @ (r / v)), of_tau2, of_log_sigma])


def table(model: TwoLevel, *, method: Method = "L-BFGS-B") -> pd.DataFrame:
    """Estimates with standard errors, and theta and kappa as if the estimates were known.

    Returns
    -------
    DataFrame
        mean and sd by variable and label, as the exact posterior's table has them. At tau = 0 tau has no standard
        error and kappa is 1.
    """
    b, tau2, sigma = maximum(model, method=method)
    g, tau = model.groups, np.sqrt(tau2)
    noise, between = model.variances(g.noise, tau, sigma)
    theta, variance = theta_given(g.mean, noise, g.design @ b, between)
    error, shrinkage = _standard_errors(model, b, tau2, sigma), np.asarray(kappa(noise, between))
    of_tau = error[-2] / (2 * tau) if tau else np.nan
    rows = {("mu", ""): (b[0], error[0])}
    rows |= {("beta", name): (b[k], error[k]) for k, name in enumerate(g.covariates, start=1)}
    rows[("tau", "")] = (tau, of_tau)
    rows |= {("sigma", ""): (sigma, sigma * error[-1])} if "sigma" in model.unknown else {}
    rows |= {("theta", label): (m, s) for label, m, s in zip(g.labels, theta, np.sqrt(variance), strict=True)}
    rows |= {("kappa", label): (k, 0.0) for label, k in zip(g.labels, shrinkage, strict=True)}
    return means_and_sds(rows)


def by_moments(groups: Estimates) -> np.ndarray:
    """theta with mu = mean and tau^2 = s^2 - sigma^2, the variance of the estimates beyond their equal errors."""
    between = max(groups.mean.var(ddof=1) - groups.noise[0], 0.0)
    return theta_given(groups.mean, groups.noise, groups.mean.mean(), between)[0]


def james_stein(groups: Estimates) -> np.ndarray:
    """Efron and Morris's estimates: each keeps 1 - (k - 3) sigma^2 / sum of squares of its distance from the mean."""
    deviation = groups.mean - groups.mean.mean()
    return groups.mean.mean() + (1 - (len(groups) - 3) * groups.noise[0] / np.sum(deviation**2)) * deviation


def _standard(model, u):
    """Parameters (b, tau^2, log sigma) of a point, and the unit of each."""
    g, (b, tau, sigma) = model.groups, unpack(model, u)
    noise, between = model.variances(g.noise, tau, sigma)
    of_b = np.sqrt(np.mean(noise + between) / len(g))
    of_tau2 = np.min(noise + between) / (sigma**2 if model.relative else 1.0) / np.sqrt(len(g))
    start = np.array([*b, tau**2, np.log(sigma)])
    return start, np.array([*np.full(len(b), of_b), of_tau2, 1 / np.sqrt(1 + g.within[0])])


def _parameters(z, start, unit, free):
    """b, tau and sigma of standardised parameters."""
    at = start.copy()
    at[free] += unit[free] * z
    return at[:-2], np.sqrt(max(at[-2], 0.0)), np.exp(at[-1])


def _standard_errors(model, b, tau2, sigma):
    """Standard errors of (b, tau^2, log sigma) from the observed information; nan if known or at the boundary."""
    at, (_, unit) = np.array([*b, tau2, np.log(sigma)]), _standard(model, peaks(model, _log_marginal)[0])
    free = np.array([*np.full(len(b), True), tau2 > 0, "sigma" in model.unknown])
    step = 1e-5 * np.diag(unit)[free]
    slope = [
        (score(model, *_split(at + e)) - score(model, *_split(at - e)))[free] / (2 * e.sum()) for e in step
    ]  # fmt: skip
    error = np.full(len(at), np.nan)
    error[free] = np.sqrt(np.diag(np.linalg.inv(-(np.array(slope) + np.array(slope).T) / 2)))
    return error


def _split(at):
    return at[:-2], at[-2], np.exp(at[-1])
