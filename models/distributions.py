"""The few distributions that full conditionals are made of. Each draws itself and knows its log density."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special, stats
from scipy.optimize import elementwise
from scipy.special import gammaln, logsumexp

LOG_2PI = np.log(2 * np.pi)
FAR_IN_ROOTS = 6.0  # sds beyond a gamma's mean: next to nothing of it is left
TINY, LARGE = 1e-300, 700.0  # between which the exponential integral has values that doubles can tell
LAGUERRE_NODES = 60  # so far out they give 1e-12, for shapes up to the hundreds too
MOST_TRIALS = 8  # some are enough for nearly all where the prior is not far narrower than the data

Numbers = float | np.ndarray  # one, or an array of them


@dataclass(frozen=True, eq=False)
class Normal:
    """x ~ N(mean, sd^2), elementwise."""

    mean: Numbers
    sd: Numbers

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one value of the whole array."""
        return self.mean + self.sd * rng.standard_normal(_shape(self.mean, self.sd))

    def log_density(self, x: Numbers) -> Numbers:
        """Log density of each element."""
        return -LOG_2PI / 2 - np.log(self.sd) - ((x - self.mean) / self.sd) ** 2 / 2

    def slope(self, x: Numbers) -> Numbers:
        """Derivative of each element's log density with respect to x; minus it is that with respect to the mean."""
        return (self.mean - x) / self.sd / self.sd

    def slope_of_sd(self, x: Numbers) -> Numbers:
        """Derivative of each element's log density with respect to the sd."""
        return (((x - self.mean) / self.sd) ** 2 - 1) / self.sd


@dataclass(frozen=True, eq=False)
class MultivariateNormal:
    """x ~ N(mean, covariance), with mean (..., k) and covariance (..., k, k)."""

    mean: np.ndarray
    covariance: np.ndarray

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one value for each leading index."""
        z = rng.standard_normal(self.mean.shape)
        return self.mean + np.einsum("...jk,...k->...j", np.linalg.cholesky(self.covariance), z)

    def log_density(self, x: np.ndarray) -> Numbers:
        """Log density for each leading index."""
        deviation = (x - self.mean)[..., None]
        quadratic = np.sum(deviation * np.linalg.solve(self.covariance, deviation), axis=(-2, -1))
        return -(self.mean.shape[-1] * LOG_2PI + np.linalg.slogdet(self.covariance)[1] + quadratic) / 2


@dataclass(frozen=True, eq=False)
class InverseGamma:
    """x > 0 with density proportional to x^(-shape-1) exp(-scale/x)."""

    shape: Numbers
    scale: Numbers

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one value of the whole array."""
        return self.scale / rng.standard_gamma(self.shape, _shape(self.shape, self.scale))

    @property
    def log_integral(self) -> Numbers:
        """Log of the integral of x^(-shape-1) exp(-scale/x) over x."""
        return gammaln(self.shape) - self.shape * np.log(self.scale)

    def log_density(self, x: Numbers) -> Numbers:
        """Log density of each element."""
        return -self.log_integral - (self.shape + 1) * np.log(x) - self.scale / x


@dataclass(frozen=True, eq=False)
class BoundedInverseGamma:
    """0 < x < upper with density proportional to x^(-shape-1) exp(-scale/x); the shape may be 0."""

    shape: float
    scale: Numbers
    upper: float

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one value of the whole array.

        scale / x is a gamma variable above scale / upper, whose distribution function is inverted. Where that bound
        lies far out, an exponential variable is added to it, and kept with the ratio of the two densities.
        """
        least = self._least
        x, missing = np.empty(least.shape), self._is_far(least)
        share = _gamma_above(self.shape, least[~missing])
        x[~missing] = _gamma_above_inverse(self.shape, share * rng.random(share.shape))
        while missing.any():
            bound = least[missing]
            rate = self._rate(bound)
            proposed = bound + rng.standard_exponential(bound.shape) / rate
            kept = np.log(rng.random(bound.shape)) < self._log_ratio(bound, proposed - bound)
            x[missing] = np.where(kept, proposed, x[missing])
            missing[missing] = ~kept
        return self.scale / x

    @property
    def _least(self) -> np.ndarray:
        """The bound of scale / x."""
        return np.asarray(self.scale) / self.upper

    def _is_far(self, bound) -> np.ndarray:
        """Whether next to nothing of the gamma variable lies above its bound."""
        return bound > max(1.0, self.shape + FAR_IN_ROOTS * np.sqrt(self.shape))

    def _rate(self, bound):
        """Rate with which the density of the gamma variable falls at its bound; 1 where it falls faster than that."""
        return 1 - max(self.shape - 1, 0.0) / bound

    def _log_ratio(self, bound, beyond):
        """Log density of the gamma variable beyond its bound minus that of the exponential one; both 0 at the bound."""
        return (self.shape - 1) * np.log1p(beyond / bound) - (1 - self._rate(bound)) * beyond

    def _log_integral(self, bound):
        """Log of the integral of y^(shape-1) exp(-y) from a bound on; far out by Gauss and Laguerre's rule."""
        far = self._is_far(bound)
        t, weight = np.polynomial.laguerre.laggauss(LAGUERRE_NODES)
        away = np.where(far, bound, 1e3 * (1 + self.shape))[..., None]  # some bound that is far, where it is not used
        rate = self._rate(away)
        beyond = np.exp(self._log_ratio(away, t / rate)) @ weight
        with np.errstate(divide="ignore"):
            near = np.log(_gamma_above(self.shape, bound))
        outside = (self.shape - 1) * np.log(away[..., 0]) - away[..., 0] - np.log(rate[..., 0]) + np.log(beyond)
        return np.where(far, outside, near + (gammaln(self.shape) if self.shape > 0 else 0.0))

    def log_density(self, x: Numbers) -> Numbers:
        """Log density of each element; minus infinity above the bound."""
        log_integral = self._log_integral(self._least) - self.shape * np.log(self.scale)
        return np.where(x < self.upper, -(self.shape + 1) * np.log(x) - self.scale / x - log_integral, -np.inf)


@dataclass(frozen=True, eq=False)
class Gamma:
    """x > 0 with density proportional to x^(shape-1) exp(-rate x)."""

    shape: Numbers
    rate: Numbers

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one value of the whole array."""
        return rng.standard_gamma(self.shape, _shape(self.shape, self.rate)) / self.rate

    def log_density(self, x: Numbers) -> Numbers:
        """Log density of each element."""
        return self.shape * np.log(self.rate) - gammaln(self.shape) + (self.shape - 1) * np.log(x) - self.rate * x


@dataclass(frozen=True, eq=False)
class GeneralizedInverseGaussian:
    """x > 0 with density proportional to x^(power-1) exp(-(rate x + scale / x) / 2)."""

    power: float
    rate: Numbers
    scale: Numbers

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one value of the whole array.

        Without the rate it is an inverse gamma, whose draws are kept with probability exp(-rate x / 2): quick, as
        SciPy is not. What is still missing after some trials, or has no such law, is left to SciPy. With the power 1/2
        it is one over an inverse Gaussian.
        """
        if self.power == 0.5:
            return 1 / rng.wald(np.sqrt(self.rate / self.scale), self.rate)
        x, missing = np.empty(np.shape(self.scale)), np.ones(np.shape(self.scale), dtype=bool)
        for _ in range(MOST_TRIALS if self.power < 0 else 0):
            proposed = InverseGamma(-self.power, self.scale / 2).draw(rng)
            kept = missing & (rng.random(x.shape) < np.exp(-self.rate * proposed / 2))
            x, missing = np.where(kept, proposed, x), missing & ~kept
        if missing.any():
            scale, rate = (np.broadcast_to(v, x.shape)[missing] for v in (self.scale, self.rate))
            law = stats.geninvgauss(self.power, np.sqrt(rate * scale))
            x[missing] = np.sqrt(scale / rate) * law.rvs(scale.shape, random_state=rng)
        return x

    def log_density(self, x: Numbers) -> Numbers:
        """Log density of each element."""
        unit = np.sqrt(self.scale / self.rate)
        return stats.geninvgauss.logpdf(x / unit, self.power, np.sqrt(self.rate * self.scale)) - np.log(unit)


@dataclass(frozen=True, eq=False)
class Grid:
    """x one of the values (k,), with log weights (..., k), up to a constant."""

    values: np.ndarray
    log_weight: np.ndarray

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one value for each leading index: the largest of log weights with Gumbel noise."""
        return self.values[np.argmax(self.log_weight + rng.gumbel(size=self.log_weight.shape), axis=-1)]

    def log_density(self, x: np.ndarray) -> Numbers:
        """Log probability of x, (...): -inf where it is none of the values."""
        normalized = self.log_weight - logsumexp(self.log_weight, axis=-1, keepdims=True)
        return np.max(np.where(np.asarray(x)[..., None] == self.values, normalized, -np.inf), axis=-1)


def _gamma_above(shape, x):
    """Probability that a gamma variable exceeds x; for the shape 0, which has none, the integral of exp(-y) / y."""
    return special.gammaincc(shape, x) if shape > 0 else special.exp1(x)


def _gamma_above_inverse(shape, share):
    """The x that is exceeded with some probability, or from which on the integral is `share`."""
    if shape > 0:
        return special.gammainccinv(shape, share)
    ends = np.full(np.shape(share), np.log(TINY)), np.full(np.shape(share), np.log(LARGE))
    root = elementwise.find_root(lambda u, share: special.exp1(np.exp(u)) - share, ends, args=(share,))
    return np.exp(root.x)


def _shape(*parameters: Numbers) -> tuple[int, ...]:
    return np.broadcast_shapes(*map(np.shape, parameters))


class Law(Protocol):
    """A law of an array, as a full conditional is."""

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one value of the whole array."""

    def log_density(self, x: np.ndarray) -> Numbers:
        """Log density at x."""


State = dict[str, np.ndarray]  # of Gibbs: what has been drawn by name, the chains first
Conditionals = dict[str, Callable[[State], Law]]  # the law of each given the state, in the order of drawing
