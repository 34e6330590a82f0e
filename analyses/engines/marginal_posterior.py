"""The posterior with theta integrated out, in unbounded coordinates, for the Laplace approximation and Metropolis.

Coordinates are b and the logs of the unknown scales, u = (mu, beta.., log tau, log sigma); seed 002 has (mu, log tau).
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from models.distributions import Numbers
from models.priors import FLAT
from models.two_level import TwoLevel

RANGE_FACTOR = 3.0  # than the data say anything of tau
GRID_SIZE = 121  # tau of a grid: no two peaks of a log density of logs are nearer than some tenths


def unpack(model: TwoLevel, u: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """b (..., p), tau and sigma (...) of points u (..., d)."""
    p = len(model.coefficients)
    scales = dict(zip(model.unknown, np.moveaxis(np.exp(u[..., p:]), -1, 0), strict=True))
    return u[..., :p], scales["tau"], scales.get("sigma", np.ones(u.shape[:-1]))


def log_posterior(model: TwoLevel, u: np.ndarray) -> Numbers:
    """Log density of u (..., d) given the data, up to a constant; the logs of the scales are their Jacobian."""
    b, tau, sigma = unpack(model, u)
    return (
        model.log_marginal(b, tau, sigma) + model.log_prior(b, tau, sigma) + u[..., len(model.coefficients) :].sum(-1)
    )


def peaks(model: TwoLevel, log_density: Callable[[TwoLevel, np.ndarray], Numbers] = log_posterior) -> np.ndarray:
    """Points near every local maximum of a log density, the highest first: where a search may start.

    Along a grid of tau from below the smallest noise to above the largest distance, with b at its best given
    tau and sigma as the data have it.

    Returns
    -------
    ndarray (peak, d)
    """
    low, high = np.sqrt(model.start(2, np.random.default_rng(0))["tau2"])
    tau = np.geomspace(low / RANGE_FACTOR, high * RANGE_FACTOR, GRID_SIZE)
    flat = replace(model, tau=FLAT, coefficients=())
    sigma = np.full(GRID_SIZE, model.initial_scales["sigma"])
    given = flat.collapsed(*(tau, sigma)[: len(flat.scales)])
    logs = np.log(np.stack([tau, sigma][: len(model.unknown)], axis=-1))
    u = np.concatenate([given.location @ given.basis.T, logs], axis=-1)
    height = np.asarray(log_density(model, u))
    beside = np.concatenate([[-np.inf], height, [-np.inf]])
    maxima = np.flatnonzero((height >= beside[:-2]) & (height >= beside[2:]))
    return u[maxima[np.argsort(-height[maxima])]]
