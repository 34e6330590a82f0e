"""Unequal variances of the groups, with a common distribution (Hoff 2009, chapter 8).

    y_ij ~ N(theta_i, sigma_i^2)                    row j of group i
    theta_i ~ N(mu, sd_between^2)                   p(mu) = p(sd_between) = 1
    sigma_i^2 ~ InverseGamma(nu/2, nu s^2/2)        p(s^2) = 1/s^2, nu on a grid with p(nu) = 1/nu

As nu grows every sigma_i becomes s: the model with a common variance is the end of the grid. The spread between groups
is absolute, as there is no one sigma to measure it in.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

from models import distributions, priors
from models.distributions import Conditionals, Numbers, State
from models.groups import Replicates
from models.shrinkage import theta_law

if TYPE_CHECKING:
    import pymc as pm

SIGNATURE = "(n),(),(n)->(n)"  # of the means' law: theta, s^2 and the sums of squares
GRID = 2.0 ** np.arange(0, 10.5, 0.5)  # a factor apart, so that equal weights are p(nu) = 1/nu


@dataclass(frozen=True, eq=False)
class OwnVariances:
    """The groups; all priors are fixed.

    Raises
    ------
    ValueError
        For fewer than three groups, or none with any spread within it: there is no posterior.
    """

    groups: Replicates

    def __post_init__(self):
        df, ss = self.groups.within
        if len(self.groups) < 3:
            raise ValueError(f"the posterior is improper: {len(self.groups)} groups are too few for a flat sd_between")
        if df == 0 or np.any(ss == 0):
            raise ValueError("no group has any spread within it: nothing is known of sigma_i")

    def squares(self, theta: np.ndarray) -> np.ndarray:
        """Sum of squares of each group's rows about theta_i, (..., J): q_i = ss_i + n_i (mean_i - theta_i)^2."""
        g = self.groups
        return g.ss + g.n * (g.mean - theta) ** 2

    def log_likelihood(self, squares: np.ndarray, s2: Numbers, nu: Numbers) -> np.ndarray:
        """Log of p(rows of each group | theta_i, s^2, nu), sigma_i integrated out: broadcast against (..., J).

        Theta is in the squares alone, and the integral over sigma_i^2 is that of an inverse gamma: t-like in theta_i.
        """
        n = self.groups.n
        prior = distributions.InverseGamma(nu / 2, nu * s2 / 2)
        posterior = distributions.InverseGamma((nu + n) / 2, (nu * s2 + squares) / 2)
        return posterior.log_integral - prior.log_integral - n / 2 * distributions.LOG_2PI

    def nu_given(self, theta: np.ndarray, s2: np.ndarray) -> np.ndarray:
        """Log weights (..., grid) of nu given theta (..., J) and s^2 (...), sigma_i integrated out."""
        squares, s2 = self.squares(theta)[..., None, :], s2[..., None, None]
        return self.log_likelihood(squares, s2, GRID[:, None]).sum(axis=-1)

    def conditionals(self) -> Conditionals:
        """Laws in the order in which Gibbs draws them; nu without sigma_i, which is then drawn given it.

        The state maps mu, between2, s2, nu (chain,), sigma2 and theta (chain, J) to arrays.
        """
        g = self.groups

        def column(state, name):
            return state[name][:, None]

        def sigma2(s):
            scale = column(s, "nu") * column(s, "s2") + self.squares(s["theta"])
            return distributions.InverseGamma((column(s, "nu") + g.n) / 2, scale / 2)

        return {
            "mu": lambda s: distributions.Normal(s["theta"].mean(axis=-1), np.sqrt(s["between2"] / len(g))),
            "between2": lambda s: priors.FLAT.given(len(g), np.sum((s["theta"] - column(s, "mu")) ** 2, axis=-1)),
            "nu": lambda s: distributions.Grid(GRID, self.nu_given(s["theta"], s["s2"])),
            "sigma2": sigma2,
            "s2": lambda s: distributions.Gamma(len(g) * s["nu"] / 2, s["nu"] / 2 * np.sum(1 / s["sigma2"], axis=-1)),
            "theta": lambda s: theta_law(g.mean, s["sigma2"] / g.n, column(s, "mu"), column(s, "between2")),
        }

    def start(self, chains: int, rng: np.random.Generator) -> State:
        """Scattered states for Gibbs."""
        g, (df, ss) = self.groups, self.groups.within
        spread = g.mean.std() * 10 ** rng.uniform(-0.5, 0.5, chains)
        theta = g.mean + spread[:, None] * rng.standard_normal((chains, len(g)))
        return {"theta": theta, "s2": ss / df * 10 ** rng.uniform(-0.5, 0.5, chains), "between2": spread**2}


def build(model: OwnVariances) -> "pm.Model":
    """State the model in PyMC, sigma_i integrated out and nu summed out; both are drawn afterwards.

    Returns
    -------
    pm.Model
        mu, sd_between, s, theta (group,).
    """
    import pymc as pm
    import pytensor.tensor as pt

    g, rows = model.groups, model.groups.n
    grid = GRID[:, None]
    constant = gammaln((grid + rows) / 2) - gammaln(grid / 2) - rows / 2 * np.log(np.pi)

    def log_density(mean, theta, s2, ss):
        q = ss + rows * (mean - theta) ** 2
        of_groups = grid / 2 * pt.log(grid * s2) - (grid + rows) / 2 * pt.log(grid * s2 + q)
        return pt.logsumexp((constant + of_groups).sum(axis=1)) - np.log(len(GRID))

    with pm.Model(coords={g.dim: g.labels}) as built:
        y, ss = pm.Data("observed_y", g.mean, dims=g.dim), pm.Data("observed_ss_within", g.ss, dims=g.dim)
        # From 0, far from the data, a chain may fall into the neck where sd_between is 0, and stay there.
        mu, between = pm.Flat("mu", initval=g.mean.mean()), priors.FLAT.variable("sd_between")
        s, theta = priors.JEFFREYS.variable("s"), pm.Normal("theta", mu, between, initval=g.mean, dims=g.dim)
        pm.CustomDist("y", theta, s**2, ss, logp=log_density, signature=SIGNATURE, observed=y, dims=g.dim)
    return built
