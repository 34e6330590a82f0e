"""The posterior with theta integrated out, on the real line: what Laplace expands and Metropolis walks.

Coordinates are b and the logs of the unknown scales, u = (mu, beta.., log tau, log sigma); seed 002 has (mu, log tau).
"""

import numpy as np

from models.laws import Numbers
from models.two_level import TwoLevel


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


def rough(model: TwoLevel) -> np.ndarray:
    """A point near the posterior: least squares for b, the spread of the data for the scales."""
    b, *_ = np.linalg.lstsq(model.groups.design, model.groups.mean)
    return np.array([*b, *(np.log(model.rough[name]) for name in model.unknown)])
