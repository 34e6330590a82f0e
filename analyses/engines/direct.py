"""Direct sampling where all standard errors are equal and p(mu, tau^2) = 1 (seed 003).

Then sigma^2 + tau^2 given the data is InverseGamma((k - 3) / 2, (k - 1) s^2 / 2), cut off below at sigma^2, mu given it
normal about the mean, and theta given both as always.
"""

import numpy as np
import xarray as xr
from scipy import stats

from analyses.contract import complete
from models import priors
from models.two_level import TwoLevel


def total_variance(model: TwoLevel):
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


def sample(model: TwoLevel, *, draws: int = 1000, chains: int = 4, rng) -> xr.DataTree:
    """Draw independently: tau^2 from its truncated law, then mu, then theta."""
    law, sigma2 = total_variance(model), model.groups.noise[0]
    above = rng.uniform(0, law.cdf(np.inf) - law.cdf(sigma2), (chains, draws))
    return _below(model, law.isf(above), rng)


def sample_clipped(model: TwoLevel, *, draws: int = 1000, chains: int = 4, rng) -> xr.DataTree:
    """The same with negative tau^2 set to 0, a mistake that is easily made; shown, as the source may have made it."""
    total = total_variance(model).rvs(size=(chains, draws), random_state=rng)
    return _below(model, np.maximum(total, model.groups.noise[0]), rng)


def _below(model, total, rng):
    """Mu and theta given sigma^2 + tau^2."""
    g = model.groups
    mu = rng.normal(g.mean.mean(), np.sqrt(total / len(g)))
    tau = np.sqrt(total - g.noise[0])
    return complete(model, {"b": mu[..., None], "tau": tau}, engine="direct", rng=rng)
