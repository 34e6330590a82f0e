"""Direct sampling where all standard errors are equal and p(mu, tau^2) = 1 (seed 003).

Then sigma^2 + tau^2 given the data is InverseGamma((k - 3) / 2, (k - 1) s^2 / 2), cut off below at sigma^2, mu given it
normal about the mean, and theta given both as always.
"""

import numpy as np
import xarray as xr
from scipy import stats
from scipy.stats.distributions import rv_frozen

from analyses.engines.inference_data import Drawn, complete
from models import priors
from models.shrinkage import theta_given
from models.two_level import TwoLevel


def total_variance(model: TwoLevel) -> rv_frozen:
    """Law of sigma^2 + tau^2 before it is cut off.

    Raises
    ------
    ValueError
        Where standard errors differ, or priors are others.
    """
    g = model.groups
    flat = model.tau == priors.FLAT_VARIANCE and model.coefficients == (priors.Normal(),)
    if not flat or np.ptp(g.noise) > 0:
        raise ValueError("direct sampling needs equal standard errors and p(mu, tau^2) = 1")
    return stats.invgamma((len(g) - 3) / 2, scale=len(g) * g.mean.var() / 2)


def total_at(model: TwoLevel, above: np.ndarray) -> np.ndarray:
    """Values of sigma^2 + tau^2, cut off below at sigma^2, that are exceeded with those probabilities."""
    law, sigma2 = total_variance(model), model.groups.noise[0]
    return law.isf(above * (law.cdf(np.inf) - law.cdf(sigma2)))


def clipped_at(model: TwoLevel, above: np.ndarray) -> np.ndarray:
    """Values of sigma^2 + tau^2 with negative tau^2 set to 0, a mistake that the source may have made."""
    return np.maximum(total_variance(model).isf(above), model.groups.noise[0])


def draw_given_total(model: TwoLevel, total: np.ndarray, *, rng: np.random.Generator) -> Drawn:
    """Draw b (..., 1), tau (...) and theta (..., J) given sigma^2 + tau^2."""
    g = model.groups
    mu = rng.normal(g.mean.mean(), np.sqrt(total / len(g)))
    tau2 = total - g.noise[0]
    mean, variance = theta_given(g.mean, g.noise, mu[..., None], tau2[..., None])
    return {"b": mu[..., None], "tau": np.sqrt(tau2), "theta": rng.normal(mean, np.sqrt(variance))}


def sample(model: TwoLevel, *, draws: int = 1000, chains: int = 4, rng: np.random.Generator) -> xr.DataTree:
    """Draw independently: tau^2 from its truncated law, then mu, then theta."""
    total = total_at(model, rng.uniform(size=(chains, draws)))
    return complete(model, draw_given_total(model, total, rng=rng), engine="direct", rng=rng)
