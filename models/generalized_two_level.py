"""The two-level model of counts, stated once, as data.

    y_i ~ Binomial(n_i, logit^-1 theta_i)  or  Poisson(exposure_i exp(theta_i))
    theta_i ~ N(x_i'b, tau^2)

Given b and tau groups are independent, and each has one number, theta_i. So with the likelihood L_i of a group,

    p(b, tau, y) = p(b) p(tau) prod_i integral L_i(t) N(t | x_i'b, tau^2) dt.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from models import distributions, priors, spellings
from models.conditional_mode import GivenPopulation
from models.distributions import Conditionals, Numbers, State
from models.groups.counted import Counted
from models.groups.proportions import Proportions
from models.least_squares import regression
from models.standard import Standard

LEAST_SPREAD = 0.1  # of theta, about which chains start
MOST_OF_UPPER = 0.9  # of the upper end of tau: the largest with which a chain starts


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class GeneralizedTwoLevel:
    """Counts and priors.

    Parameters
    ----------
    groups : Proportions or Counts
    tau : priors.InverseGamma, priors.HalfStudentT, priors.HalfNormal, priors.Exponential or priors.BoundedUniform
        Of the sd of theta about its regression, on the scale of theta.
    coefficients : tuple of priors.Normal
        mu's first, then one a covariate; flat where none is given.

    Raises
    ------
    ValueError
        For a tau that is known, or another number of coefficients than the design has.

    Examples
    --------
    >>> groups = Proportions.from_summary(["A", "B", "C"], [0, 18, 8], [47, 148, 119], dim="hospital")
    >>> GeneralizedTwoLevel(groups=groups, tau=priors.HalfNormal(1.0))
    Proportions of 3 groups, hospital A, B, C
    y_i ~ Binomial(n_i, p_i), logit p_i = theta_i ~ N(mu, tau^2)
    mu ~ Flat(), tau ~ HalfNormal(1)
    """

    groups: Counted
    tau: priors.Scale
    coefficients: tuple[priors.Coefficient, ...] = ()

    def __post_init__(self):
        if isinstance(self.tau, priors.KnownScale):
            raise ValueError("tau is what is to be found: give it a prior, not Known")
        spellings.require_prior("tau", self.tau)
        if not self.coefficients:
            object.__setattr__(self, "coefficients", self.groups.design.shape[1] * (priors.Normal(),))
        names = ("mu", *self.groups.covariates)
        if len(self.coefficients) != len(names):
            raise ValueError(f"{len(self.coefficients)} priors for the coefficients {', '.join(names)}: give one each")
        for name, prior in zip(names, self.coefficients, strict=True):
            spellings.require_prior(name, prior)

    def __repr__(self) -> str:
        slopes = "".join(f" + beta[{name}] {name}_i" for name in self.groups.covariates)
        binomial = isinstance(self.groups, Proportions)
        likelihood = "Binomial(n_i, p_i), logit p_i" if binomial else "Poisson(exposure_i rate_i), log rate_i"
        priors = ", ".join(f"{name} ~ {prior}" for name, prior in self.spelled_priors.items())
        return f"{self.groups!r}\ny_i ~ {likelihood} = theta_i ~ N(mu{slopes}, tau^2)\n{priors}"

    @property
    def spelled_priors(self) -> dict[str, str]:
        """Priors of the coefficients and of tau as users write them, by name."""
        stated = {**dict(zip(("mu", *self.groups.covariates), self.coefficients, strict=True)), "tau": self.tau}
        return dict(spellings.stated(name, prior) for name, prior in stated.items())

    @cached_property
    def standard(self) -> Standard[Self]:
        """State this model in standard regressors."""
        return Standard.of(self)

    def log_priors(self, b: np.ndarray, tau: Numbers) -> dict[str, Numbers]:
        """Log prior density of mu, beta (..., p - 1) and tau, by name; an improper one has no constant.

        Parameters
        ----------
        b : ndarray (..., p)
        tau : ndarray (...)
        """
        mu, *slopes = (prior.log_density(b[..., k]) for k, prior in enumerate(self.coefficients))
        beta = {"beta": np.stack(slopes, axis=-1)} if slopes else {}
        return {"mu": mu, **beta, "tau": self.tau.log_density(tau)}

    def log_prior(self, b: np.ndarray, tau: Numbers) -> Numbers:
        """Log density of (b, tau), (..., p) and (...): the sum of `log_priors`."""
        parts = self.log_priors(b, tau)
        return sum(np.sum(part, axis=-1) if name == "beta" else part for name, part in parts.items())

    def log_joint(self, b: np.ndarray, tau: np.ndarray, theta: np.ndarray) -> Numbers:
        """Log of p(b, tau, theta, y), at b (..., p), tau (...) and theta (..., J)."""
        g = self.groups
        population = distributions.Normal(b @ g.design.T, tau[..., None]).log_density(theta)
        of_groups = g.log_likelihood(theta) + g.log_supremum + population
        return self.log_prior(b, tau) + np.sum(of_groups, axis=-1)

    def conditionals(self) -> Conditionals:
        """Full conditionals, in the order in which Gibbs draws them.

        Returns
        -------
        dict
            Name to a function of the state that gives a law. The state maps b (chain, p), tau2 (chain,) and theta
            (chain, J) to arrays.

        Notes
        -----
        Given theta the counts tell nothing of b and tau. With e_i = theta_i - x_i'b,

            b | .       ~ N((X'X)^-1 X'theta, tau^2 (X'X)^-1)            where it is flat
            tau^2 | .   ~ IG(a + J / 2, s + e'e / 2)                     for InverseGamma(a, s)
            theta_i | . ~ L_i(theta_i) N(theta_i | x_i'b, tau^2)         log-concave, drawn by rejection
        """
        g, inner, basis = self.groups, self.standard.model, self.standard.basis
        regressed = regression(inner.groups.design, inner.coefficients)

        def b(state):
            mean, covariance = regressed(state["theta"], state["tau2"][:, None])
            return distributions.MultivariateNormal(mean @ basis.T, basis @ covariance @ basis.T)

        def residuals(state):
            return len(g), np.sum((state["theta"] - state["b"] @ g.design.T) ** 2, axis=-1)

        def theta(state):
            return GivenPopulation(g, state["b"] @ g.design.T, np.sqrt(state["tau2"])[:, None])

        return {"b": b, **self.tau.conditionals("tau2", residuals), "theta": theta}

    def start(self, chains: int, rng: np.random.Generator) -> State:
        """Scattered states: tau from a hundredth of the spread of rough values of theta to five times that."""
        rough = self.groups.rough
        b, *_ = np.linalg.lstsq(self.groups.design, rough)
        spread = max(float(np.std(rough - self.groups.design @ b)), LEAST_SPREAD)
        tau = np.minimum(np.geomspace(0.01 * spread, 5 * spread, chains), MOST_OF_UPPER * self.tau.upper)
        b = np.tile(b, (chains, 1))
        theta = GivenPopulation(self.groups, b @ self.groups.design.T, tau[:, None]).draw(rng)
        return {"b": b, "tau2": tau**2, "theta": theta}
