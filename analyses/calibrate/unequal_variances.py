"""Calibration of groups with unequal variances, `models.unequal_variances`, which has no exact engine."""

from dataclasses import replace

import numpy as np

from analyses.calibrate import truncation
from analyses.calibrate.batched_states import draw_conditionals, standard_deviations
from analyses.calibrate.family import Simulation
from models import distributions, priors, unequal_variances

MU = 500.0  # where it is fixed
VARIANCES = {"sd_between": "between2", "s": "s2"}
build = unequal_variances.build
ENGINES = {}


def simulate(family, size, rng):
    """Draw the spread between groups and s from their truncated priors, mu fixed, and data."""
    g, mu = family.model.groups, np.full(size, MU)
    between2 = truncation.draw_variance(priors.FLAT, family.limits["between2"], size, rng)
    s2 = truncation.draw_variance(priors.JEFFREYS, family.limits["s2"], size, rng)
    nu = rng.choice(unequal_variances.GRID, size)
    sigma2 = distributions.InverseGamma(nu[:, None] / 2, (nu * s2)[:, None] / 2 * np.ones(len(g))).draw(rng)
    theta = rng.normal(mu[:, None], np.sqrt(between2)[:, None], (size, len(g)))
    ss = sigma2 * 2 * rng.standard_gamma(g.df / 2, size=theta.shape)
    mean = rng.normal(theta, np.sqrt(sigma2 / g.n))
    truth = {"mu": mu, "between2": between2, "s2": s2, "nu": nu, "sigma2": sigma2, "theta": theta}
    return Simulation(replace(family.model, groups=replace(g, mean=mean, ss=ss)), truth)


def quantities(model, state, rng):
    """Return what is ranked; nu, on a grid, with ties put in order at random."""
    theta, sigma = state["theta"], np.sqrt(state["sigma2"])
    fewest, most = np.argmax(model.groups.noise), np.argmin(model.groups.noise)
    ranked = {"mu": state["mu"], **standard_deviations(state, VARIANCES), "nu": state["nu"]}
    ranked |= {"theta, fewest rows": theta[..., fewest], "theta, most rows": theta[..., most]}
    ranked |= {"sigma, fewest rows": sigma[..., fewest], "log likelihood": log_likelihood(model, state)}
    return ranked | {"future value": rng.normal(theta[..., fewest], sigma[..., fewest])}


def log_joint(model, state):
    """Return the log density of a state and the data, up to a constant."""
    nu, s2, between = state["nu"], state["s2"], np.sqrt(state["between2"])
    sigma2 = distributions.InverseGamma(nu[..., None] / 2, (nu * s2)[..., None] / 2).log_density(state["sigma2"])
    theta = distributions.Normal(state["mu"][..., None], between[..., None]).log_density(state["theta"])
    levels = log_likelihood(model, state) + sigma2.sum(axis=-1) + theta.sum(axis=-1)
    return levels - np.log(s2) - np.log(between)  # p(s^2) = 1/s^2; p(between) = 1 is 1 / between of its square


def log_likelihood(model, state):
    """Log density of the data, up to a constant, given theta and every sigma_i."""
    sigma2 = state["sigma2"]
    return -np.sum(model.groups.n * np.log(sigma2) + model.squares(state["theta"]) / sigma2, axis=-1) / 2


def observed(model):
    """Return the values of PyMC's data."""
    return {"observed_y": model.groups.mean, "observed_ss_within": model.groups.ss}


def to_pymc(model, truth):
    """Return the truth: PyMC samples mu and theta."""
    return truth


def complete(model, sampled, rng):
    """Return states with nu and sigma_i drawn from their conditionals."""
    return draw_conditionals(model.conditionals(), sampled, ("nu", "sigma2"), rng)
