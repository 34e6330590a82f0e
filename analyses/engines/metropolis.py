"""Random-walk Metropolis on the integrated posterior, all chains at once (seed 002).

A step is `scale` times the Cholesky factor of the normal approximation's covariance times a standard normal.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr

from analyses.engines import laplace
from analyses.engines.inference_data import SAMPLE, complete
from analyses.engines.marginal_posterior import log_posterior, unpack
from models.distributions import Numbers
from models.two_level import TwoLevel


def sample(
    model: TwoLevel,
    *,
    draws: int = 64,
    tune: int = 500,
    thin: int = 20,
    chains: int = 64,
    scale: float = 2.0,
    rng: np.random.Generator,
) -> xr.DataTree:
    """Draw from the posterior of a model.

    Parameters
    ----------
    model : TwoLevel
    draws : int
        Kept in each chain.
    tune : int
        Steps thrown away first.
    thin : int
        Steps a kept draw.
    chains : int
        From draws of a normal with twice the approximation's spread. They advance together, so many short ones take
        the time of few.
    scale : float
        Of the steps; seed 002 takes 2 in two dimensions.
    rng : numpy.random.Generator

    Returns
    -------
    DataTree
        With `acceptance_rate` of the steps behind each draw in sample_stats.
    """
    law = laplace.approximation(model)
    factor = np.linalg.cholesky(law.covariance)
    u = law.mean + 2 * rng.standard_normal((chains, len(law.mean))) @ factor.T
    height, kept, accepted = log_posterior(model, u), [], []
    for step in range(-tune, draws * thin):
        u, height, accept = move(lambda at: log_posterior(model, at), u, height, scale * factor, rng)
        if step >= 0:
            accepted.append(accept)
            if (step + 1) % thin == 0:
                kept.append(u)
    b, tau, sigma = unpack(model, np.stack(kept, axis=1))
    rate = np.mean(np.reshape(accepted, (draws, thin, chains)), axis=1).T
    stats = xr.Dataset({"acceptance_rate": (SAMPLE, rate)})
    return complete(model, {"b": b, "tau": tau, "sigma": sigma}, engine="metropolis", rng=rng, sample_stats=stats)


def move(
    log_density: Callable[[np.ndarray], Numbers],
    u: np.ndarray,
    height: Numbers,
    factor: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One step of all chains: u (chain, d), its log density, and whether the proposal was accepted."""
    proposed = u + rng.standard_normal(u.shape) @ factor.T
    proposed_height = log_density(proposed)
    accept = np.log(rng.random(len(u))) < proposed_height - height
    return np.where(accept[:, None], proposed, u), np.where(accept, proposed_height, height), accept
