"""Calibration of one group of normal data, `models.one_group`, whose posterior has a closed form."""

from dataclasses import replace

import numpy as np

from analyses.calibrate.family import Simulation
from models import distributions, one_group

VARIANCES = {"sigma": "sigma2"}
build = one_group.build


def simulate(family, size, rng):
    """Draw sigma^2 and theta from their proper priors, and data."""
    m = family.model
    sigma2 = distributions.InverseGamma(m.alpha, np.full(size, m.beta)).draw(rng)
    theta = rng.normal(m.mu, m.tau * np.sqrt(sigma2))
    mean = rng.normal(theta, np.sqrt(sigma2 / m.n))
    ss = sigma2 * rng.chisquare(m.n - 1, size)
    return Simulation(replace(m, mean=mean, ss=ss), {"sigma2": sigma2, "theta": theta})


def quantities(model, state, rng):
    """Return theta, sigma, the log likelihood and a future value."""
    theta, sigma = state["theta"], np.sqrt(state["sigma2"])
    ranked = {"theta": theta, "sigma": sigma, "log likelihood": log_likelihood(model, state)}
    return ranked | {"future value": rng.normal(theta, sigma)}


def log_joint(model, state):
    """Return the log density of a state and the data, up to a constant."""
    prior = distributions.InverseGamma(model.alpha, model.beta).log_density(state["sigma2"])
    theta = distributions.Normal(model.mu, model.tau * np.sqrt(state["sigma2"])).log_density(state["theta"])
    return log_likelihood(model, state) + prior + theta


def log_likelihood(model, state):
    """Log density of the data, up to a constant."""
    squares = model.ss + model.n * (model.mean - state["theta"]) ** 2
    return -(model.n * np.log(state["sigma2"]) + squares / state["sigma2"]) / 2


def observed(model):
    """Return the values of PyMC's data."""
    return {"observed_y": model.mean, "observed_ss_within": model.ss}


def to_pymc(model, truth):
    """Return the truth: PyMC samples theta."""
    return truth


def complete(model, sampled, rng):
    """Return the state, which PyMC samples whole."""
    return sampled


def draw_exact(family, simulation, *, draws, rng):
    """Draw sigma^2 from its posterior, theta given it."""
    model = simulation.model
    law = model.sigma2()
    scale = np.broadcast_to(law.scale, (draws, len(simulation)))
    sigma2 = distributions.InverseGamma(law.shape, scale).draw(rng)
    return {"sigma2": sigma2, "theta": model.theta_given(sigma2).draw(rng)}


ENGINES = {"exact": draw_exact}
