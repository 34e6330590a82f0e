"""One group of normal data with a conjugate hierarchical prior, in closed form (seed 003, first part).

y_j ~ N(theta, sigma^2), j = 1..n
theta | sigma^2 ~ N(mu, tau^2 sigma^2)          mu and tau known
sigma^2 ~ InverseGamma(alpha, beta)             alpha and beta known
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from partial_pooling_data import table

from models import distributions, priors
from models.distributions import Conditionals, Numbers
from models.shrinkage import theta_law

if TYPE_CHECKING:
    import pymc as pm
    from scipy.stats.distributions import rv_frozen


@dataclass(frozen=True, kw_only=True)
class OneGroup:
    """Data and prior.

    Parameters
    ----------
    n, mean, ss : float
        Rows, their mean, and their sum of squared deviations from it; for simulations the last two may be arrays.
    mu, tau : float
        Prior of theta; tau in units of sigma.
    alpha, beta : float
        Prior of sigma^2.

    Raises
    ------
    ValueError
        For n, tau, alpha or beta that are not positive, a negative ss, or a number that is not finite.

    Examples
    --------
    >>> bool(50 < example().theta().mean() < example().mean)
    True
    """

    n: float
    mean: Numbers
    ss: Numbers
    mu: float
    tau: float
    alpha: float
    beta: float

    def __post_init__(self):
        for name in ("n", "tau", "alpha", "beta"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be positive")
        if not (np.all(self.ss >= 0) and np.isfinite(self.ss + self.mean + self.mu).all()):
            raise ValueError(f"ss must not be negative and all be finite: {self}")

    def sigma2(self) -> distributions.InverseGamma:
        """sigma^2 | y ~ InverseGamma(alpha + n/2, beta + (ss + (mean - mu)^2 / (1/n + tau^2)) / 2).

        The source prints the second as sum y^2 + mu^2/tau^2 - (n mean + mu/tau^2)^2 / (n + 1/tau^2): without beta,
        and twice too large.
        """
        squares = self.ss + (self.mean - self.mu) ** 2 / (1 / self.n + self.tau**2)
        return priors.InverseGamma(self.alpha, self.beta).given(self.n, squares)

    def theta_given(self, sigma2: Numbers) -> distributions.Normal:
        """theta | sigma^2, y ~ N(kappa mu + (1 - kappa) mean, sigma^2 / (n + 1/tau^2)), kappa = 1 / (1 + n tau^2)."""
        return theta_law(self.mean, sigma2 / self.n, self.mu, self.tau**2 * sigma2)

    def sigma2_given(self, theta: Numbers) -> distributions.InverseGamma:
        """sigma^2 | theta, y ~ InverseGamma(alpha + (n + 1)/2, beta + (ss + n (mean - theta)^2 + e^2 / tau^2) / 2).

        e = theta - mu: n rows about theta, and theta about mu.
        """
        squares = self.ss + self.n * (self.mean - theta) ** 2 + ((theta - self.mu) / self.tau) ** 2
        return priors.InverseGamma(self.alpha, self.beta).given(self.n + 1, squares)

    def log_priors(self, theta: Numbers, sigma: Numbers) -> dict[str, Numbers]:
        """Log prior density of theta given sigma, and of sigma, by name."""
        of_theta = distributions.Normal(self.mu, self.tau * sigma).log_density(theta)
        return {"theta": of_theta, "sigma": priors.InverseGamma(self.alpha, self.beta).log_density(sigma)}

    def conditionals(self) -> Conditionals:
        """Laws of sigma^2 and theta, in the order in which Gibbs draws them; the state maps both to arrays (chain,)."""
        return {
            "sigma2": lambda state: self.sigma2_given(state["theta"]),
            "theta": lambda state: self.theta_given(state["sigma2"]),
        }

    def theta(self) -> "rv_frozen":
        """theta | y: Student's t with 2 alpha + n degrees of freedom, from SciPy; the question of the slide.

        Its squared scale is one over the mean of 1/sigma^2, which is shape over scale, and over n + 1/tau^2.
        """
        from scipy import stats

        sigma2 = self.sigma2()
        theta = self.theta_given(sigma2.scale / sigma2.shape)
        return stats.t(2 * sigma2.shape, theta.mean, theta.sd)


def example() -> OneGroup:
    """School 1 of the math tests, with what was known beforehand of a test made to have mean 50 and sd 10.

    The school's mean is within 10 or so of the 50: tau = 1/2. Some four pupils' worth of knowledge about sigma^2 = 100.
    """
    first = table("math_test").iloc[0]
    return OneGroup(n=int(first["n"]), mean=first["mean"], ss=first["ss"], mu=50.0, tau=0.5, alpha=2.0, beta=200.0)


def build(model: OneGroup | None = None) -> "pm.Model":
    """The model in PyMC; of the example, if none is given.

    Model
    -----
    ::

        y ~ N(theta, sigma^2 / n)                   mean of the n values
        ss_within ~ sigma^2 chi^2(n - 1)            where n > 1
        theta | sigma^2 ~ N(mu, tau^2 sigma^2)
        sigma^2 ~ InverseGamma(alpha, beta)

    Returns
    -------
    pm.Model
        Free: sigma, theta. Observed: y and ss_within.

    References
    ----------
    Seed 003, the first hierarchical model.
    """
    import pymc as pm

    model = model or example()
    with pm.Model() as built:
        sigma = priors.InverseGamma(model.alpha, model.beta).variable("sigma")
        theta = pm.Normal("theta", np.float64(model.mu), np.float64(model.tau) * sigma)
        y, ss = (pm.Data(f"observed_{name}", np.float64(v)) for name, v in (("y", model.mean), ("ss_within", model.ss)))
        pm.Normal("y", theta, sigma / np.sqrt(model.n), observed=y)
        if model.n > 1:
            pm.Gamma("ss_within", np.float64((model.n - 1) / 2), 1 / (2 * sigma**2), observed=ss)
    return built
