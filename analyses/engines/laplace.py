"""The normal approximation: the mode of the integrated posterior, and its curvature there (seed 002).

The approximation is poor where the posterior of tau is skewed. It is shown beside the exact posterior, never judged.
"""

import numpy as np
import pandas as pd
import xarray as xr
from scipy import optimize

from analyses.engines.inference_data import complete
from analyses.engines.marginal_posterior import log_posterior, peaks, unpack
from analyses.engines.summary_tables import means_and_sds
from models.distributions import MultivariateNormal
from models.propriety import require_proper
from models.two_level import TwoLevel

STEP = 1e-3  # of differences, in sds: their error is of the order of its square, their rounding 1e-16 over it


def approximation(model: TwoLevel) -> MultivariateNormal:
    """Normal law of u = (b, logs of the scales) with the posterior's mode and curvature.

    Raises
    ------
    ValueError
        Where there is no posterior.
    RuntimeError
        Where the search for the mode does not end at one.
    """
    require_proper(model)

    def minus(u):
        return -log_posterior(model, u)

    width = np.array([*np.full(len(model.coefficients), _scale(model)), *np.ones(len(model.unknown))])
    start = peaks(model)[0]
    search = optimize.minimize(lambda z: minus(start + width * z), 0 * start, method="BFGS", options={"gtol": 1e-7})
    mode = start + width * search.x
    for _ in range(3):  # Newton's steps square what error the search has left
        gradient, hessian = _derivatives(minus, mode, width)
        mode, width = mode - np.linalg.solve(hessian, gradient), np.sqrt(1 / np.abs(np.diag(hessian)))
    covariance = np.linalg.inv(_derivatives(minus, mode, width)[1])
    if not np.linalg.eigvalsh(covariance).min() > 0:
        raise RuntimeError(f"the search for the mode of the posterior ended at {mode}, which is none")
    return MultivariateNormal(mode, covariance)


def table(model: TwoLevel) -> pd.DataFrame:
    """Mean and sd of coefficients and scales, by variable and label; the scales are log-normal."""
    law = approximation(model)
    sd, p = np.sqrt(np.diag(law.covariance)), len(model.coefficients)
    labels = [("mu", ""), *(("beta", name) for name in model.groups.covariates)]
    rows = dict(zip(labels, zip(law.mean, sd, strict=False), strict=False))
    for name, m, s in zip(model.unknown, law.mean[p:], sd[p:], strict=True):
        mean = np.exp(m + s**2 / 2)
        rows[(name, "")] = (mean, mean * np.sqrt(np.expm1(s**2)))
    return means_and_sds(rows)


def sample(model: TwoLevel, *, draws: int = 1000, chains: int = 4, rng: np.random.Generator) -> xr.DataTree:
    """Draw independently from the approximation, theta from its conditional; chains only give the shape."""
    law = approximation(model)
    spread = MultivariateNormal(np.broadcast_to(law.mean, (chains, draws, len(law.mean))), law.covariance)
    b, tau, sigma = unpack(model, spread.draw(rng))
    return complete(model, {"b": b, "tau": tau, "sigma": sigma}, engine="laplace", rng=rng)


def _scale(model):
    """Size of a standard error of b, roughly."""
    g, rough_scales = model.groups, model.initial_scales
    noise, between = model.variances(g.noise, rough_scales["tau"], rough_scales["sigma"])
    return np.sqrt(np.mean(noise + between) / len(g))


def _derivatives(f, at, width):
    """Gradient and matrix of second derivatives from central differences."""
    e = np.diag(STEP * width)
    up, down = (np.array([f(at + sign * step) for step in e]) for sign in (1, -1))
    hessian = np.diag((up + down - 2 * f(at)) / np.diag(e) ** 2)
    for i in range(len(at)):
        for j in range(i):
            corners = f(at + e[i] + e[j]) - f(at + e[i] - e[j]) - f(at - e[i] + e[j]) + f(at - e[i] - e[j])
            hessian[i, j] = hessian[j, i] = corners / (4 * e[i, i] * e[j, j])
    return (up - down) / (2 * np.diag(e)), hessian
