"""Log densities of the models at a point of their parameters, each with its gradient: for authors of samplers.

    log_likelihood            log p(y | theta, sigma)
    log_population            log p(theta | b, tau, sigma)
    log_marginal_likelihood   log p(y | b, tau, sigma), theta integrated out
    log_prior                 log p(b, tau, sigma)

y are rows or estimates, and b is mu and beta. The densities have all constants but those of improper priors.
Derivatives are with respect to the parameters themselves: to tau, not to its square or its log. Each is partial: all
other parameters, and all other group effects, are held fixed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from models import priors
from models.distributions import Normal, Numbers
from models.groups.grouped_data import log_within
from models.groups.naming import nearest
from models.one_group import OneGroup
from models.three_level import ThreeLevel
from models.two_level import TwoLevel

Point = Mapping[str, ArrayLike]  # by the names of parameters
Gradient = dict[str, Numbers]


@dataclass(frozen=True, eq=False)
class LogDensity:
    """Value and gradient of a log density at a point.

    Attributes
    ----------
    value : float
    gradient : dict
        Name of each parameter to the partial derivative with respect to it: a float, or an array for group effects.
        Parameters that the density does not depend on may be missing.
    """

    value: float
    gradient: Gradient

    def __add__(self, other: Self) -> "LogDensity":
        """Log of the product of two densities."""
        return LogDensity(self.value + other.value, _sum(self.gradient, other.gradient))


def log_density(model: TwoLevel, point: Point) -> LogDensity:
    """Log of p(y, theta, parameters), or of p(y, parameters) with theta integrated out, and its gradient.

    Model
    -----
    ::

        y_ij ~ N(theta_i, sigma^2)            rows, or estimates: y_i ~ N(theta_i, se_i^2)
        theta_i ~ N(x_i'b, sd_between^2)      b is mu and beta
        sd_between = tau sigma (relative) or tau (absolute)

    As a function of the parameters this is the log posterior density up to a constant.

    Parameters
    ----------
    model : TwoLevel
    point : mapping
        Name to value: "mu", "beta[x]" for each covariate x, "tau", "sigma" unless it is known, and, if theta is not to
        be integrated out, "theta": an entry a group, in the order of `model.groups.labels`.

    Returns
    -------
    LogDensity
        `value`, with all constants but those of improper priors, and `gradient`, by the names of the point: with
        respect to the parameters themselves, not to logs or squares of the scales, each with all others held fixed.

    Raises
    ------
    ValueError
        For a name that is unknown or missing, a value of another shape or not finite, or a scale that is not positive.

    Examples
    --------
    >>> from models import eight_schools
    >>> density = log_density(eight_schools.model(), {"mu": 8.0, "tau": 6.0})
    >>> round(density.value, 3), {name: round(float(slope), 4) for name, slope in density.gradient.items()}
    (-30.134, {'mu': -0.0043, 'tau': -0.1516})
    >>> joint = log_density(eight_schools.model(), {"mu": 8.0, "tau": 6.0, "theta": [8.0] * 8})
    >>> joint.gradient["theta"].round(3)
    array([ 0.089,  0.   , -0.043, -0.008, -0.111, -0.058,  0.1  ,  0.012])
    """
    prior, *rest = two_level_terms(model, point).values()
    return sum(rest, start=prior)


def two_level_terms(model: TwoLevel, point: Point) -> dict[str, LogDensity]:
    """Terms of `log_density` by name, the prior first."""
    values = _read(model, point)
    place = _Place(model, values)
    terms = {"log_prior": _log_prior(place)}
    if "theta" in values:
        g, theta = model.groups, values["theta"]
        terms["log_likelihood"] = _log_likelihood(g.mean, g.noise, g.df, g.ss, theta, place.sigma)
        terms["log_population"] = _log_population(place, theta)
    else:
        terms["log_marginal_likelihood"] = _log_marginal_likelihood(place)
    return {name: _of_parameters(term, values) for name, term in terms.items()}


@dataclass(frozen=True, eq=False)
class _Place:
    """A point of a two-level model, and the chain rule there."""

    model: TwoLevel
    values: dict[str, Numbers]

    @property
    def tau(self) -> Numbers:
        return self.values["tau"]

    @property
    def sigma(self) -> Numbers:
        return self.values.get("sigma", 1.0)

    @property
    def b(self) -> np.ndarray:
        return np.array([self.values[name] for name in _coefficients(self.model)])

    @property
    def population(self) -> np.ndarray:
        return self.model.groups.design @ self.b

    @property
    def between(self) -> Numbers:
        return self.tau * self.sigma if self.model.relative else self.tau

    def of_population(self, slopes) -> Gradient:
        """Gradient with respect to b, from slopes with respect to x_i'b."""
        return dict(zip(_coefficients(self.model), self.model.groups.design.T @ slopes, strict=True))

    def of_between(self, slope) -> Gradient:
        """Gradient with respect to tau and sigma, from the slope with respect to the sd between groups."""
        return {"tau": slope * self.sigma, "sigma": slope * self.tau} if self.model.relative else {"tau": slope}


def _log_prior(place) -> LogDensity:
    model, tau, sigma = place.model, place.tau, place.sigma
    coefficients = zip(_coefficients(model), model.coefficients, place.b, strict=True)
    scales = {"tau": model.tau.slope(tau), "sigma": model.sigma.slope(sigma)}
    gradient = {name: prior.slope(x) for name, prior, x in coefficients} | scales
    return LogDensity(float(model.log_prior(place.b, tau, sigma)), gradient)


def _log_population(place, theta) -> LogDensity:
    law = Normal(place.population, place.between)
    gradient = place.of_population(-law.slope(theta)) | place.of_between(np.sum(law.slope_of_sd(theta)))
    return LogDensity(float(np.sum(law.log_density(theta))), gradient | {"theta": law.slope(theta)})


def _log_marginal_likelihood(place) -> LogDensity:
    """Log density of means ~ N(x_i'b, sigma^2 noise_i + sd_between^2) and of the rows given their means."""
    g, sigma, between = place.model.groups, place.sigma, place.between
    sd = np.hypot(sigma * np.sqrt(g.noise), between)
    law = Normal(place.population, sd)
    slopes = law.slope_of_sd(g.mean) / sd  # with respect to half the variance
    scales = _sum(place.of_between(np.sum(slopes) * between), {"sigma": np.sum(slopes * g.noise) * sigma})
    means = LogDensity(float(np.sum(law.log_density(g.mean))), place.of_population(-law.slope(g.mean)) | scales)
    return means + _log_within(g.df, g.ss, sigma)


def one_group_terms(model: OneGroup, theta: float, sigma: float) -> dict[str, LogDensity]:
    """Log prior of sigma, log likelihood of the rows and log density of theta in one group."""
    prior = priors.InverseGamma(model.alpha, model.beta)
    law = Normal(model.mu, model.tau * sigma)
    population = {"theta": law.slope(theta), "sigma": law.slope_of_sd(theta) * model.tau}
    return {
        "log_prior": LogDensity(float(prior.log_density(sigma)), {"sigma": prior.slope(sigma)}),
        "log_likelihood": _log_likelihood(model.mean, 1 / model.n, model.n - 1, model.ss, theta, sigma),
        "log_population": LogDensity(float(law.log_density(theta)), population),
    }


def three_level_terms(
    model: ThreeLevel, scales: Mapping[str, float], top: float, mu: np.ndarray, theta: np.ndarray
) -> dict[str, LogDensity]:
    """Log prior of the scales, log likelihood of the rows, and log density of theta and mu, lambda being `top`."""
    g, tau, kappa = model.classrooms, scales["tau"], scales["kappa"]
    of_mu, of_theta = Normal(top, kappa), Normal(mu[model.school], tau)
    population = {
        "lambda": -np.sum(of_mu.slope(mu)),
        "tau": np.sum(of_theta.slope_of_sd(theta)),
        "kappa": np.sum(of_mu.slope_of_sd(mu)),
        "mu": of_mu.slope(mu) - of_theta.slope(theta) @ model.members,
        "theta": of_theta.slope(theta),
    }
    of_scales = {name: getattr(model, name) for name in scales}
    log_prior = sum(prior.log_density(scales[name]) for name, prior in of_scales.items())
    slopes = {name: prior.slope(scales[name]) for name, prior in of_scales.items()}
    log_population = np.sum(of_mu.log_density(mu)) + np.sum(of_theta.log_density(theta))
    return {
        "log_prior": LogDensity(float(log_prior), slopes),
        "log_likelihood": _log_likelihood(g.mean, g.noise, g.df, g.ss, theta, scales["sigma"]),
        "log_population": LogDensity(float(log_population), population),
    }


def _log_likelihood(mean, noise, df, ss, theta, sigma) -> LogDensity:
    """Log density of the rows or estimates given theta and sigma: their means, and the rows given their means."""
    unit = np.sqrt(noise)
    law = Normal(theta, sigma * unit)
    gradient = {"theta": -law.slope(mean), "sigma": np.sum(law.slope_of_sd(mean) * unit)}
    return LogDensity(float(np.sum(law.log_density(mean))), gradient) + _log_within(df, ss, sigma)


def _log_within(df, ss, sigma) -> LogDensity:
    """Log density of the rows given their means and sigma."""
    slope = (np.sum(ss) / sigma**2 - np.sum(df)) / sigma
    return LogDensity(float(np.sum(log_within(df, ss, sigma))), {"sigma": slope})


def _sum(one: Gradient, other: Gradient) -> Gradient:
    return one | {name: one.get(name, 0.0) + slope for name, slope in other.items()}


def _of_parameters(density, names) -> LogDensity:
    """Gradient in the order of the names; a known sigma has no entry."""
    slopes = ((name, density.gradient[name]) for name in names if name in density.gradient)
    return LogDensity(density.value, {name: slope if np.ndim(slope) else float(slope) for name, slope in slopes})


def _coefficients(model) -> tuple[str, ...]:
    return "mu", *(f"beta[{name}]" for name in model.groups.covariates)


def _read(model, point) -> dict[str, Numbers]:
    """Values of a point in the order of the parameters, theta last if there is one."""
    needed, names = (*_coefficients(model), *model.unknown), [*point.keys()]
    parameters = f"The parameters are {', '.join(needed)}; theta, an entry a group, may be left out."
    for name in names:
        if name not in (*needed, "theta"):
            near = nearest(str(name), (other for other in (*needed, "theta") if other not in names))
            hint = f": did you mean {near!r}?" if near else "."
            raise ValueError(f"the point has {name!r}, which is no parameter of this model{hint} {parameters}")
    if missing := [name for name in needed if name not in names]:
        raise ValueError(f"the point has no {missing[0]!r}. {parameters}")
    values = {name: _numbers(name, point[name], ()) for name in needed}
    for name in model.unknown:
        if not values[name] > 0:
            raise ValueError(f"{name} is {values[name]:g} at the point: it must be positive")
    return values | {name: _numbers(name, point[name], (len(model.groups),)) for name in names if name == "theta"}


def _numbers(name, value, shape) -> Numbers:
    """Require finite numbers of that shape."""
    numbers = np.asarray(value, dtype=float)
    if numbers.shape != shape:
        needed = f"{shape[0]} numbers, one a group" if shape else "one number"
        raise ValueError(f"{name} has shape {numbers.shape} at the point: give {needed}")
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} is {value} at the point: it must be finite")
    return numbers if shape else float(numbers)
