"""A third level: pupils in classrooms in schools (seed 003, last part).

    mean_ij ~ N(theta_ij, sigma^2 / n_ij)      ss ~ sigma^2 chi^2(df)
    theta_ij ~ N(mu_i, tau^2)                  classroom j of school i
    mu_i ~ N(lambda, kappa^2)

kappa is here the source's letter for the sd between schools. Given the ratios of tau and kappa to sigma the model is
linear and Gaussian at both levels, so weighted means pool classrooms into schools and schools into lambda, and sigma
integrates out.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from models import distributions, priors
from models.distributions import LOG_2PI, Conditionals, Numbers, State
from models.groups import Replicates
from models.shrinkage import theta_law
from models.two_level import Parameterization

if TYPE_CHECKING:
    import pymc as pm

FLAT = priors.Normal()
SIGNATURE = "(),(),(n)->(n)"  # of the joint law of the means: lambda, kappa, and a variance each


@dataclass(frozen=True, eq=False)
class Averages:
    """Members pooled into the sets that they belong to, by their precision, and what that leaves behind.

    Attributes
    ----------
    mean, variance : ndarray (..., set)
    log_determinant, quadratic : ndarray (...)
        The integral over the means of the sets is exp(-(log_determinant + quadratic) / 2).
    """

    mean: np.ndarray
    variance: np.ndarray
    log_determinant: np.ndarray
    quadratic: np.ndarray

    @classmethod
    def of(cls, mean: np.ndarray, variance: np.ndarray, belongs: np.ndarray) -> Self:
        """Pool members with means and variances (..., member); `belongs` (member, set) is 1 for the set of each."""
        weight = 1 / variance
        precision = weight @ belongs
        center = (weight * mean) @ belongs / precision
        quadratic = np.sum(weight * (mean - center @ belongs.T) ** 2, axis=-1)
        log_determinant = np.sum(LOG_2PI + np.log(variance), axis=-1) + np.sum(np.log(precision) - LOG_2PI, axis=-1)
        return cls(center, 1 / precision, log_determinant, quadratic)


@dataclass(frozen=True, eq=False)
class Nested:
    """p(scales, data) up to a constant, and what pooling finds at each level, in units of sigma.

    Attributes
    ----------
    log_unnormalized : ndarray (...)
        Log density of the ratios tau / sigma and kappa / sigma.
    schools : Averages
        mu given the classrooms of its school, (..., I).
    top : Averages
        lambda given all of them, (..., 1).
    sigma2 : distributions.InverseGamma
        sigma^2 given the ratios.
    """

    log_unnormalized: np.ndarray
    schools: Averages
    top: Averages
    sigma2: distributions.InverseGamma


@dataclass(frozen=True, eq=False, kw_only=True)
class ThreeLevel:
    """Classrooms, the school of each, and priors.

    Parameters
    ----------
    classrooms : Replicates
    school : ndarray (C,) of int
        Position of each classroom's school in `schools`.
    schools : tuple of str
    tau, kappa : priors.InverseGamma
        With scale 0: a power of the sd. p(tau^2) = p(kappa^2) = 1, as the source has it, if none is given.

    Raises
    ------
    ValueError
        For a prior of another kind, or where there is no posterior.
    """

    classrooms: Replicates
    school: np.ndarray
    schools: tuple[str, ...]
    tau: priors.InverseGamma = priors.FLAT_VARIANCE
    kappa: priors.InverseGamma = priors.FLAT_VARIANCE
    sigma = priors.JEFFREYS

    def __post_init__(self):
        for name in ("tau", "kappa"):
            prior = getattr(self, name)
            if not isinstance(prior, priors.InverseGamma) or prior.shape >= 0:
                raise ValueError(f"{name} needs a prior that is a power of it above -1, not {prior}")
        if len(self.school) != len(self.classrooms) or set(self.school) != set(range(len(self.schools))):
            raise ValueError(f"each of {len(self.classrooms)} classrooms needs one of {len(self.schools)} schools")
        if self.classrooms.dim == "school":
            raise ValueError("classrooms cannot be called 'school' as well")
        self._require_proper()

    def _require_proper(self):
        (df, ss), exponents = self.classrooms.within, self.tail_exponents
        if len(self.schools) - 1 + self.kappa.tail_exponent <= 1:
            raise ValueError(f"the posterior is improper: {len(self.schools)} schools are too few for {self.kappa}")
        if min(exponents.values()) <= 1:
            raise ValueError(f"the posterior is improper: {len(self.classrooms)} classrooms are too few")
        if df == 0 or np.any(ss == 0):
            raise ValueError("no classroom has any spread within it: nothing tells sigma from tau")

    @property
    def tail_exponents(self) -> dict[str, float]:
        """Exponents with which the posterior densities of tau and kappa fall.

        As kappa grows the likelihood falls like kappa^-(I - 1), as tau does like tau^-(C - 1), and as both do the
        latter is integrated over kappa.
        """
        alone = len(self.classrooms) - 1 + self.tau.tail_exponent
        both = alone - 1 + self.kappa.tail_exponent
        return {"tau": min(alone, both), "kappa": min(len(self.schools) - 1 + self.kappa.tail_exponent, both)}

    def moments(self) -> dict[tuple[str, str], float]:
        """Order below which moments exist, by variable; without those that sigma alone spreads out."""
        tau, kappa = (exponent - 1 for exponent in self.tail_exponents.values())
        return {("tau", ""): tau, ("mu", ""): tau, ("kappa", ""): kappa, ("lambda", ""): min(tau, kappa)}

    @property
    def members(self) -> np.ndarray:
        """Design of the classrooms on schools, (C, I)."""
        return np.eye(len(self.schools))[self.school]

    def collapsed(self, tau: np.ndarray, kappa: np.ndarray) -> Nested:
        """Theta, mu, lambda and sigma integrated out, for ratios tau and kappa to sigma, ndarray (...)."""
        g, (df, ss) = self.classrooms, self.classrooms.within
        schools = Averages.of(g.mean - g.center, tau[..., None] ** 2 + g.noise, self.members)
        top = Averages.of(schools.mean, kappa[..., None] ** 2 + schools.variance, np.ones((len(self.schools), 1)))
        # tau = t sigma turns p(tau) = tau^(-2a-1) into t^(-2a-1) sigma^-2a: the powers of sigma go to its own law.
        powers = priors.InverseGamma(self.sigma.shape + self.tau.shape + self.kappa.shape)
        sigma2 = powers.given(df + len(g) - 1, ss + schools.quadratic + top.quadratic)
        height = self.tau.log_density(tau) + self.kappa.log_density(kappa)
        height -= sigma2.shape * np.log1p((schools.quadratic + top.quadratic) / ss)  # no large terms, of many pupils
        height = height - (schools.log_determinant + top.log_determinant) / 2
        return Nested(height, schools, top, sigma2)

    def log_likelihood(self, top: np.ndarray, kappa: np.ndarray, tau: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Log of p(data of each school | lambda, kappa, tau, sigma), mu and theta integrated out: (..., I).

        Given lambda, `top`, and the scales schools are independent; classrooms of one school share its mu. With v_ij =
        tau^2 + sigma^2 / n_ij, m_i the mean of the classrooms of school i weighted by 1 / v_ij, and w_i = 1 / sum_j(1 /
        v_ij), the classroom means have the density

            prod_j N(mean_ij | m_i, v_ij) / N(0 | 0, w_i) N(m_i | lambda, kappa^2 + w_i).

        The density of the pupils given their classroom means is added.

        Parameters
        ----------
        top, kappa, tau, sigma : ndarray (...)
        """
        g, members = self.classrooms, self.members
        v = tau[..., None] ** 2 + sigma[..., None] ** 2 * g.noise
        w = 1 / ((1 / v) @ members)
        m = (g.mean / v) @ members * w
        about_m = distributions.Normal(m[..., self.school], np.sqrt(v)).log_density(g.mean) + g.log_within(sigma)
        about_top = distributions.Normal(top[..., None], np.sqrt(kappa[..., None] ** 2 + w)).log_density(m)
        return about_m @ members - distributions.Normal(0.0, np.sqrt(w)).log_density(0.0) + about_top

    def log_priors(self, top: Numbers, kappa: Numbers, tau: Numbers, sigma: Numbers) -> dict[str, Numbers]:
        """Log prior density of lambda, kappa, tau and sigma by name; all are improper and without a constant."""
        return {
            "lambda": FLAT.log_density(top),
            "kappa": self.kappa.log_density(kappa),
            "tau": self.tau.log_density(tau),
            "sigma": self.sigma.log_density(sigma),
        }

    def conditionals(self) -> Conditionals:
        """Full conditionals in the order in which Gibbs draws them.

        The state maps lambda, sigma2, tau2, kappa2 (chain,), mu (chain, I) and theta (chain, C) to arrays.
        """
        g, (df, ss), schools = self.classrooms, self.classrooms.within, len(self.schools)
        size = np.bincount(self.school)

        def column(state, name):
            return state[name][:, None]

        def mu(s):
            noise = column(s, "tau2") / size
            return theta_law(s["theta"] @ self.members / size, noise, column(s, "lambda"), column(s, "kappa2"))

        def theta(s):
            return theta_law(g.mean, column(s, "sigma2") * g.noise, s["mu"][:, self.school], column(s, "tau2"))

        def squares(deviation):
            return np.sum(deviation**2, axis=-1)

        return {
            "lambda": lambda s: distributions.Normal(s["mu"].mean(axis=-1), np.sqrt(s["kappa2"] / schools)),
            "mu": mu,
            "kappa2": lambda s: self.kappa.given(schools, squares(s["mu"] - column(s, "lambda"))),
            "tau2": lambda s: self.tau.given(len(g), squares(s["theta"] - s["mu"][:, self.school])),
            "sigma2": lambda s: self.sigma.given(df + len(g), ss + squares((g.mean - s["theta"]) / np.sqrt(g.noise))),
            "theta": theta,
        }

    @property
    def initial_scales(self) -> dict[str, float]:
        """Scales somewhere near their posterior."""
        g, (df, ss) = self.classrooms, self.classrooms.within
        means = g.mean @ self.members / np.bincount(self.school)
        return {
            "sigma": float(np.sqrt(ss / df)),
            "tau": float(np.std(g.mean - means[self.school])) or 1.0,
            "kappa": float(means.std()) or 1.0,
        }

    def start(self, chains: int, rng: np.random.Generator) -> State:
        """Scattered states for Gibbs: everything about the data, variances from a tenth to ten times their spread."""
        g, sds = self.classrooms, self.initial_scales
        scales = {f"{name}2": sd**2 * 10 ** rng.uniform(-1, 1, chains) for name, sd in sds.items()}
        theta = g.mean + sds["sigma"] * rng.standard_normal((chains, len(g)))
        mu = g.center + sds["kappa"] * rng.standard_normal((chains, len(self.schools)))
        return scales | {"theta": theta, "mu": mu, "lambda": mu.mean(axis=-1)}


def build(model: ThreeLevel, *, parameterization: Parameterization = "noncentered") -> "pm.Model":
    """State the model in PyMC.

    Parameters
    ----------
    model : ThreeLevel
    parameterization : {"noncentered", "centered", "marginal"}
        "marginal" has neither theta nor mu: with v_ij = tau^2 + sigma^2 / n_ij, those of a school vary about their
        weighted mean, and that about lambda with variance kappa^2 + 1 / sum_j(1 / v_ij).

    Returns
    -------
    pm.Model
        Free: lambda, sigma, tau and kappa, in the data's units; mu (school,) and theta (classroom,) unless marginal.
        Observed: y (classroom,) and ss_within.

    Raises
    ------
    ValueError
        For another parameterization.
    """
    import pymc as pm

    from models.pymc_model import PARAMETERIZATIONS, normal_level, observe_squares, require_one_of

    def pooled(mean, top, kappa, variance):
        """Classrooms about their school's weighted mean, which stands for mu, and that mean about lambda."""
        precision = (1 / variance) @ model.members
        school = (mean / variance) @ model.members / precision
        within = pm.logp(pm.Normal.dist(school[model.school], variance**0.5), mean).sum()
        return (
            within
            - pm.logp(pm.Normal.dist(0.0, precision**-0.5), 0.0).sum()
            + pm.logp(pm.Normal.dist(top, (kappa**2 + 1 / precision) ** 0.5), school).sum()
        )

    require_one_of(parameterization, PARAMETERIZATIONS)
    g = model.classrooms
    with pm.Model(coords={"school": model.schools, g.dim: g.labels}) as built:
        y = pm.Data("observed_y", g.mean, dims=g.dim)
        sigma, tau, kappa = (getattr(model, name).variable(name) for name in ("sigma", "tau", "kappa"))
        top = pm.Flat("lambda")
        if parameterization == "marginal":
            variance = tau**2 + sigma**2 * g.noise
            pm.CustomDist("y", top, kappa, variance, logp=pooled, signature=SIGNATURE, observed=y, dims=g.dim)
        else:
            mu = normal_level("mu", top, kappa, dims="school", parameterization=parameterization)
            theta = normal_level("theta", mu[model.school], tau, dims=g.dim, parameterization=parameterization)
            pm.Normal("y", theta, sigma * np.sqrt(g.noise), observed=y, dims=g.dim)
        observe_squares(g, sigma)
    return built
