"""The one model, stated once, as data.

    mean_i ~ N(theta_i, sigma^2 noise_i)      ss_i ~ sigma^2 chi^2(df_i)      theta_i ~ N(x_i'b, sd_between^2)
    sd_between = tau sigma (relative) or tau (absolute)

Rows in groups: noise_i = 1/n_i. Estimates: noise_i = se_i^2, no df, sigma known to be 1. b is mu and beta.

From this statement come the PyMC model (pymc_model.py), the full conditionals that Gibbs draws, `log_marginal` and
`log_likelihood` with theta integrated out, and `collapsed` with b gone too, and sigma where it can.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from models import distributions, priors, spellings
from models.distributions import Conditionals, Numbers, State
from models.groups import Estimates, Groups, Positions
from models.least_squares import Factor, factor, regression, square
from models.shrinkage import theta_law
from models.standard import Standard

Arithmetic = Any  # numbers, arrays or PyMC's variables: whatever can be added and multiplied
MOST_OF_UPPER = 0.9  # of the upper end of a scale: the largest with which a chain starts
Parameterization = Literal["centered", "noncentered", "marginal"]  # of the PyMC model: see pymc_model.py


class LogSquares(NamedTuple):
    """Log density of the pooled sum of squares: the part that depends on sigma, and a constant."""

    log_unnormalized: np.ndarray
    log_constant: Numbers


@dataclass(frozen=True, eq=False)
class Collapsed:
    """p(scales, data), and b given the scales: a t (normal where df is inf) about location.

    Attributes
    ----------
    log_unnormalized : ndarray (...)
        Log of p(scales, data), a density of the scales themselves, minus `log_constant`.
    log_constant : float
        What does not depend on the scales, all constants but those of improper priors. It grows with the rows, and the
        digits that it would cost `log_unnormalized` are the ones that matter. An array for many sets of data.
    location : ndarray (..., p)
        Location of the standard coefficients: b is `basis` times them.
    root : ndarray (..., p, p)
        Of the squared scale matrix of the t, root root', which is `unit` times what it is for sigma = 1.
    basis : ndarray (p, p)
    unit : ndarray (...)
        What stands for sigma^2 where sigma is integrated out; 1 where it is given.
    df : float
    sigma2 : distributions.InverseGamma or None
        sigma^2 given tau, where sigma is integrated out.
    """

    log_unnormalized: np.ndarray
    log_constant: Numbers
    location: np.ndarray
    root: np.ndarray
    basis: np.ndarray
    unit: np.ndarray
    df: float = np.inf
    sigma2: distributions.InverseGamma | None = None

    @property
    def covariance(self) -> np.ndarray:
        """Squared scale matrix of the t, (..., p, p)."""
        return square(self.root)

    def squared_scale(self, x: np.ndarray) -> np.ndarray:
        """Squared scales (..., quantity) of sums of the standard coefficients with weights x (..., quantity, p)."""
        return np.sum((x @ self.root) ** 2, axis=-1)

    @property
    def log_density(self) -> Numbers:
        """Log of p(scales, data)."""
        return self.log_unnormalized + self.log_constant


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class TwoLevel:
    """Groups and priors.

    Parameters
    ----------
    groups : Groups
    tau : priors.InverseGamma, priors.HalfStudentT or priors.HalfNormal
    sigma : the same, or priors.KnownScale
        KnownScale, and nothing else, for Estimates; else JEFFREYS where it is not given, or None.
    coefficients : tuple of priors.Normal
        mu's first, then one a covariate; flat where none is given.
    relative : bool
        Whether tau is in units of sigma.

    Raises
    ------
    ValueError
        For estimates with a sigma that is not known, a tau that is, or another number of coefficients than the
        design has. Whether there is a posterior is asked later, by `propriety.require_proper`.

    Examples
    --------
    >>> groups = Estimates.from_summary(["A", "B", "C"], [28, 8, -3], [15, 10, 16])
    >>> model = TwoLevel(groups=groups, tau=priors.HalfCauchy(5.0))
    >>> model.sigma, model.unknown, model.coefficients
    (KnownScale(), ('tau',), (Normal(mean=0.0, sd=inf),))
    """

    groups: Groups
    tau: priors.Scale
    sigma: priors.Scale | priors.KnownScale = None  # type: ignore[assignment]  # None is replaced below
    coefficients: tuple[priors.Coefficient, ...] = ()
    relative: bool = True

    def __post_init__(self):
        estimates = isinstance(self.groups, Estimates)
        if self.sigma is None:
            object.__setattr__(self, "sigma", priors.KnownScale() if estimates else priors.JEFFREYS)
        if estimates and self.sigma != priors.KnownScale():
            raise ValueError(f"estimates come with their standard errors: sigma is known to be 1, not {self.sigma}")
        if isinstance(self.tau, priors.KnownScale):
            raise ValueError("tau is what is to be found: give it a prior, not Known")
        for name, prior in {"tau": self.tau, "sigma": self.sigma}.items():
            spellings.require_prior(name, prior)
        if not self.coefficients:
            object.__setattr__(self, "coefficients", self.groups.design.shape[1] * (priors.Normal(),))
        if len(self.coefficients) != self.groups.design.shape[1]:
            needed = ("mu", *self.groups.covariates)
            raise ValueError(f"{len(self.coefficients)} priors for the coefficients {', '.join(needed)}: give one each")
        for name, prior in zip(("mu", *self.groups.covariates), self.coefficients, strict=True):
            spellings.require_prior(name, prior)

    def __repr__(self) -> str:
        g, known = self.groups, "sigma" not in self.unknown
        slopes = "".join(f" + beta[{name}] {name}_i" for name in g.covariates)
        between = "tau^2 sigma^2" if self.relative and not known else "tau^2"
        likelihood = "y_i ~ N(theta_i, se_i^2)" if known else "y_ij ~ N(theta_i, sigma^2)"
        priors = ", ".join(f"{name} ~ {prior}" for name, prior in self.spelled_priors.items())
        return f"{g!r}\n{likelihood}, theta_i ~ N(mu{slopes}, {between})\n{priors}"

    @property
    def spelled_priors(self) -> dict[str, str]:
        """Priors of the coefficients and the unknown scales as users write them, by name."""
        scales = {name: getattr(self, name) for name in self.unknown}
        coefficients = dict(zip(("mu", *self.groups.covariates), self.coefficients, strict=True))
        return dict(spellings.stated(name, prior) for name, prior in (coefficients | scales).items())

    def subset(self, positions: Positions | None) -> Self:
        """The model of the groups at some positions, or of all groups if `positions` is None.

        Given b and the scales, theta of a group does not depend on the other groups.
        """
        return self if positions is None else replace(self, groups=self.groups.subset(positions))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Scales with a posterior."""
        return ("tau",) if isinstance(self.sigma, priors.KnownScale) else ("tau", "sigma")

    @property
    def scales(self) -> tuple[str, ...]:
        """Scales left for quadrature: sigma integrates out where all else scales with it and its prior is conjugate."""
        return ("tau",) if self._conjugate else self.unknown

    @property
    def _conjugate(self) -> priors.InverseGamma | None:
        """The prior of sigma, where sigma integrates out."""
        flat = not any(prior.proper for prior in self.coefficients)
        return self.sigma if self.relative and flat and isinstance(self.sigma, priors.InverseGamma) else None

    @property
    def powers(self) -> dict[str, tuple[int, int]]:
        """Scales as powers of (tau, sigma); kappa = noise / (noise + ratio^2)."""
        return {
            "tau": (1, 0),
            "sigma": (0, 1),
            "sd_between": (1, int(self.relative)),
            "ratio": (1, int(self.relative) - 1),
        }

    @cached_property
    def standard(self) -> Standard[Self]:
        """State this model in standard regressors."""
        return Standard.of(self)

    def variances(self, noise: Arithmetic, tau: Arithmetic, sigma: Arithmetic) -> tuple[Arithmetic, Arithmetic]:
        """Variances of the group means about theta and of theta about its regression, as arrays or PyMC variables."""
        return noise * sigma**2, (tau * sigma if self.relative else tau) ** 2

    def log_priors(self, b: np.ndarray, tau: Numbers, sigma: Numbers) -> dict[str, Numbers]:
        """Log prior density of mu, beta (..., p - 1) and the unknown scales, by name.

        Each is a density of the variable itself, of tau and not of tau^2. An improper one has no constant, so that of a
        flat prior is 0.

        Parameters
        ----------
        b : ndarray (..., p)
        tau, sigma : ndarray (...)
        """
        mu, *slopes = (prior.log_density(b[..., k]) for k, prior in enumerate(self.coefficients))
        beta = {"beta": np.stack(slopes, axis=-1)} if slopes else {}
        scales = {"tau": self.tau.log_density(tau), "sigma": self.sigma.log_density(sigma)}
        return {"mu": mu, **beta, **{name: scales[name] for name in self.unknown}}

    def log_prior(self, b: np.ndarray, tau: Numbers, sigma: Numbers) -> Numbers:
        """Log density of (b, tau, sigma), (..., p) and (...) twice: the sum of `log_priors`."""
        parts = self.log_priors(b, tau, sigma)
        return sum(np.sum(part, axis=-1) if name == "beta" else part for name, part in parts.items())

    def log_marginal(self, b: np.ndarray, tau: ArrayLike, sigma: ArrayLike) -> Numbers:
        """Log of p(means, pooled sum of squares | b, tau, sigma), theta integrated out (seed 001; seed 002).

        Parameters
        ----------
        b : ndarray (..., p)
        tau, sigma : ndarray (...)
        """
        sigma = np.asarray(sigma, dtype=float)
        squares = self._log_squares(sigma)
        means = np.sum(self._log_means(b, np.asarray(tau), sigma), axis=-1)
        return means + squares.log_unnormalized + squares.log_constant

    def log_likelihood(self, b: np.ndarray, tau: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """Log of p(data of each group | b, tau, sigma), theta integrated out: (..., J).

        Given b and the scales groups are independent. With v_i = sigma^2 noise_i + sd_between^2 and n_i rows it is

            log N(mean_i | x_i'b, v_i) - (n_i - 1) / 2 log(2 pi sigma^2) - ss_i / (2 sigma^2) - log(n_i) / 2,

        the density of the rows themselves; of an estimate it is the first term. Its sum is `log_marginal` but for a
        constant, as that is a density of means and a pooled sum of squares.

        Parameters
        ----------
        b : ndarray (..., p)
        tau, sigma : ndarray (...)
        """
        return self._log_means(b, tau, sigma) + self.groups.log_within(sigma)

    def _log_means(self, b, tau, sigma):
        """Log density of the mean of each group, theta integrated out, (..., J)."""
        g = self.groups
        noise, between = self.variances(g.noise, tau[..., None], sigma[..., None])
        return distributions.Normal(b @ g.design.T, np.sqrt(noise + between)).log_density(g.mean)

    @property
    def _log_squares_constant(self):
        """Log of the factor of sigma^-df exp(-ss / (2 sigma^2)) in the density of the pooled sum of squares."""
        df, ss = self.groups.within
        return (df / 2 - 1) * np.log(ss) - df / 2 * np.log(2) - gammaln(df / 2) if df else 0.0

    def _log_squares(self, sigma):
        """Log density of the pooled sum of squares, ss ~ sigma^2 chi^2(df).

        Written in the ratio of sigma^2 to ss / df, near which no large terms cancel however many rows there are.
        """
        df, ss = self.groups.within
        if df == 0:
            return LogSquares(np.zeros_like(sigma), 0.0)
        ratio = sigma**2 / (ss / df)
        log_constant = self._log_squares_constant - df / 2 * (1 + np.log(ss / df))
        return LogSquares(-df / 2 * ((1 - ratio) / ratio + np.log(ratio)), log_constant)

    def collapsed(self, tau: np.ndarray, sigma: np.ndarray | None = None) -> Collapsed:
        """Theta and b integrated out of p(theta, b, tau, sigma, data), and sigma too where it is not given.

        With v_i the variances and X the design, b | scales ~ N(bhat, (X'V^-1 X)^-1) and

            p(tau, data) = p(tau) prod (2 pi v_i)^-1/2 |X'V^-1 X / 2 pi|^-1/2 exp(-Q / 2),

        Q the weighted residual sum of squares. In units of sigma the rest is an inverse gamma integral over sigma^2.

        Parameters
        ----------
        tau, sigma : ndarray (...)
            `sigma` is needed where `scales` names it.

        Examples
        --------
        >>> from models import eight_schools
        >>> c = eight_schools.model().collapsed(np.array([0.1, 5.0, 50.0]))
        >>> c.location[:, 0].round(2)  # of mu: from pooled completely to left alone
        array([7.69, 7.85, 8.69])
        """
        ratio = tau if sigma is None or self.relative else tau / sigma
        return self.collapse(self.factor(ratio), ratio, sigma)

    def factor(self, ratio: np.ndarray) -> Factor:
        """What the group means say of b where sigma is 1, for values of sd_between / sigma (...).

        All work that goes with the number of groups is here, none of it depends on sigma.
        """
        cells = self.standard.model.groups.cells
        return factor(cells, cells.noise + np.asarray(ratio)[..., None] ** 2)

    def collapse(self, means: Factor, ratio: np.ndarray, sigma: np.ndarray | None = None) -> Collapsed:
        """Return `collapsed` for values of sd_between / sigma (...), for which `means` is `factor`."""
        basis, coefficients = self.standard.basis, self.standard.model._centered_coefficients
        tau = ratio if sigma is None or self.relative else ratio * sigma
        p = means.pooled(coefficients, 1.0 if sigma is None else sigma**2)
        location = p.mean + np.eye(len(basis))[0] * self.groups.center
        height = self.tau.log_density(tau) - (p.log_precision + p.log_variances) / 2
        log_basis = sum(np.log(basis[k, k]) for k, prior in enumerate(self.coefficients) if not prior.proper)
        if self._conjugate is None or sigma is not None:
            sigma = np.ones_like(tau) if sigma is None else sigma
            squares = self._log_squares(sigma)
            height = height + self.sigma.log_density(sigma) + squares.log_unnormalized - p.quadratic / 2
            log_constant = squares.log_constant + log_basis
            return Collapsed(height, log_constant, location, p.root, basis, np.ones_like(tau))
        df, ss = self.groups.within
        prior = self._conjugate
        within = prior.given(df + len(self.groups) - len(self.coefficients), ss)  # as if no mean told anything
        # About the sum of squares within groups, next to which the rest is small; about 1 where there is none.
        spread = bool(np.all(within.scale > 0))
        about = distributions.InverseGamma(within.shape, within.scale if spread else 1.0)
        sigma2 = distributions.InverseGamma(within.shape, within.scale + p.quadratic / 2)
        relative = np.log1p(p.quadratic / 2 / about.scale) if spread else np.log(sigma2.scale)
        height = height - within.shape * relative
        log_constant = self._log_squares_constant + prior.log_constant - np.log(2) + about.log_integral + log_basis
        unit = np.asarray(sigma2.scale / sigma2.shape)
        root, t_df = p.root * np.sqrt(unit)[..., None, None], 2 * float(sigma2.shape)
        return Collapsed(height, log_constant, location, root, basis, unit, t_df, sigma2)

    @property
    def _centered_coefficients(self):
        """Priors of the coefficients for centered means: the center is subtracted from mu too."""
        mu, *slopes = self.coefficients
        return mu.affine(self.groups.center, 1.0), *slopes

    def theta_given(self, b: np.ndarray, tau: Numbers, sigma: Numbers) -> distributions.Normal:
        """Law of theta given b (..., p) and the scales (...): N(kappa x'b + (1 - kappa) mean, (1 - kappa) noise)."""
        g, scales = self.groups, (np.asarray(scale)[..., None] for scale in (tau, sigma))
        noise, between = self.variances(g.noise, *scales)
        return theta_law(g.mean, noise, b @ g.design.T, between)

    def conditionals(self) -> Conditionals:
        """Full conditionals, in the order in which Gibbs draws them (seeds 000 and 001, with their slips mended).

        Returns
        -------
        dict
            Name to a function of the state that gives a law. The state maps b (chain, p), tau2 and sigma2 (chain,) and
            theta (chain, J) to arrays.

        Notes
        -----
        With e_i = theta_i - x_i'b and tau relative, N rows, J groups,

            b | .      ~ N((X'X)^-1 X'theta, tau^2 sigma^2 (X'X)^-1)                       where it is flat
            sigma^2 | . ~ IG((N + J) / 2, (sum_i ss_i + n_i (mean_i - theta_i)^2 + e'e / tau^2) / 2)   for 1/sigma^2
            tau^2 | .  ~ IG(a + J / 2, s + e'e / (2 sigma^2))                              for InverseGamma(a, s)
            theta_i | . ~ N(kappa_i x_i'b + (1 - kappa_i) mean_i, (1 - kappa_i) sigma^2 noise_i)
        """
        g, (df, ss), inner, basis = self.groups, self.groups.within, self.standard.model, self.standard.basis
        regressed, precision = regression(inner.groups.design, inner.coefficients), 1 / g.noise

        def variances(state):
            return self.variances(g.noise, np.sqrt(state["tau2"])[:, None], np.sqrt(state["sigma2"])[:, None])

        def deviations(state):
            return np.sum((state["theta"] - state["b"] @ g.design.T) ** 2, axis=-1)

        def b(state):
            mean, covariance = regressed(state["theta"], variances(state)[1])
            return distributions.MultivariateNormal(mean @ basis.T, basis @ covariance @ basis.T)

        def theta(state):
            return self.theta_given(state["b"], np.sqrt(state["tau2"]), np.sqrt(state["sigma2"]))

        def residuals_of_sigma(state):
            count, squares = df + len(g), ss + ((g.mean - state["theta"]) ** 2) @ precision
            if not self.relative:
                return count, squares
            return count + len(g), squares + deviations(state) / state["tau2"]

        def residuals_of_tau(state):
            return len(g), deviations(state) / (state["sigma2"] if self.relative else 1.0)

        return {
            "b": b,
            **self.sigma.conditionals("sigma2", residuals_of_sigma),
            **self.tau.conditionals("tau2", residuals_of_tau),
            "theta": theta,
        }

    @property
    def initial_scales(self) -> dict[str, float]:
        """Scales somewhere near their posterior, from the spread within groups and that of their means."""
        g, (df, ss) = self.groups, self.groups.within
        sigma = 1.0 if "sigma" not in self.unknown else np.sqrt(ss / df) if ss else g.mean.std() or 1.0
        between = g.mean.std() or sigma * np.sqrt(g.noise.mean())
        sigma = min(sigma, MOST_OF_UPPER * self.sigma.upper)
        tau = min(between / (sigma if self.relative else 1.0), MOST_OF_UPPER * self.tau.upper)
        return {"tau": float(tau), "sigma": float(sigma)}

    def start(self, chains: int, rng: np.random.Generator) -> State:
        """Scattered states: tau from the smallest noise to the largest distance, theta given it and the data.

        A posterior with two peaks has one where the precise groups agree and one where the others differ. Chains start
        at both, and R-hat tells if they stay apart.
        """
        g, sigma = self.groups, self.initial_scales["sigma"]
        b, *_ = np.linalg.lstsq(g.design, g.mean)
        population, unit = g.design @ b, sigma if self.relative else 1.0
        least = np.sqrt(g.noise.min()) * sigma / unit
        tau = np.geomspace(least, max(np.abs(g.mean - population).max() / unit, 10 * least), chains)
        tau = np.minimum(tau, MOST_OF_UPPER * self.tau.upper)
        law = self.theta_given(b, tau, sigma)
        theta = rng.normal(law.mean, law.sd)
        return {"b": np.tile(b, (chains, 1)), "sigma2": np.full(chains, sigma**2), "tau2": tau**2, "theta": theta}
