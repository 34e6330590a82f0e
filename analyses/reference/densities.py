"""Log densities of the models at a point of their parameters, with all constants but those of improper priors.

A point has no group effects: theta, and mu of the third level, lie an sd above and below their mean in turn.
"""

import numpy as np

from analyses.engines.three_level import SCALES
from models import classrooms, one_group, priors
from models.distributions import LOG_2PI, Normal
from models.two_level import TwoLevel

Point = dict[str, float]  # by the names of parameters and densities


def two_level_densities(model: TwoLevel, point: Point) -> Point:
    """Log densities of a two-level model."""
    g, tau, sigma = model.groups, point["tau"], point.get("sigma", 1.0)
    b = np.array([point["mu"], *(point[f"beta[{name}]"] for name in g.covariates)])
    population, sd = g.design @ b, tau * sigma if model.relative else tau
    theta = population + sd * _alternating(len(g))
    # Rows say what their summaries do, up to a factor without parameters: that where no group differs tells it.
    factor = _log_likelihood(g, population, sigma) - model.log_marginal(b, 0.0, sigma)
    return {
        "log_likelihood": _log_likelihood(g, theta, sigma),
        "log_population": float(Normal(population, sd).log_density(theta).sum()),
        "log_marginal_likelihood": float(model.log_marginal(b, tau, sigma) + factor),
        "log_prior": float(model.log_prior(b, np.asarray(tau), np.asarray(sigma))),
    }


def one_group_densities(model: one_group.OneGroup, point: Point) -> Point:
    """Log densities of one group, theta being one of the parameters."""
    theta, sigma = point["theta"], point["sigma"]
    squares = model.ss + model.n * (model.mean - theta) ** 2
    return {
        "log_likelihood": _log_density_of_rows(model.n, squares, sigma),
        "log_population": float(Normal(model.mu, model.tau * sigma).log_density(theta)),
        "log_prior": float(priors.InverseGamma(model.alpha, model.beta).log_density(sigma)),
    }


def three_level_densities(model: classrooms.ThreeLevel, point: Point) -> Point:
    """Log densities of classrooms in schools."""
    g = model.classrooms
    mu = point["lambda"] + point["kappa"] * _alternating(len(model.schools))
    population = mu[model.school]
    theta = population + point["tau"] * _alternating(len(g))
    log_mu = Normal(point["lambda"], point["kappa"]).log_density(mu).sum()
    log_theta = Normal(population, point["tau"]).log_density(theta).sum()
    return {
        "log_likelihood": _log_likelihood(g, theta, point["sigma"]),
        "log_population": float(log_mu + log_theta),
        "log_prior": float(sum(getattr(model, name).log_density(point[name]) for name in SCALES)),
    }


def _log_likelihood(g, theta, sigma) -> float:
    """Log density of the rows, or of the estimates, given theta and sigma."""
    if not g.df.any():
        return float(Normal(theta, sigma * np.sqrt(g.noise)).log_density(g.mean).sum())
    squares = g.within[1] + np.sum((g.mean - theta) ** 2 / g.noise)
    return _log_density_of_rows(g.df.sum() + len(g), squares, sigma)


def _log_density_of_rows(n, squares, sigma) -> float:
    """Log density of n rows with that sum of squares about their means."""
    return float(-n * (LOG_2PI / 2 + np.log(sigma)) - squares / sigma**2 / 2)


def _alternating(count) -> np.ndarray:
    return np.where(np.arange(count) % 2, -1.0, 1.0)
