"""Calibration of classrooms in schools, `models.three_level`; its scales are not relative, so their priors are cut."""

from dataclasses import replace
from functools import partial

import numpy as np
from scipy.ndimage import maximum_filter

from analyses.calibrate import batched_states, lattice, truncation
from analyses.calibrate.batched_states import standard_deviations
from analyses.calibrate.family import Simulation
from analyses.engines.inference_data import replicate
from analyses.engines.three_level import SCALES, descend
from models import distributions, three_level

LAMBDA = 500.0  # where it is fixed
VARIANCES = {name: f"{name}2" for name in SCALES}
build = partial(three_level.build, parameterization="marginal")


def simulate(family, size, rng):
    """Draw truths level by level, lambda fixed, and data."""
    m, g = family.model, family.model.classrooms
    truth = {v: truncation.draw_variance(getattr(m, sd), family.limits[v], size, rng) for sd, v in VARIANCES.items()}
    sd = standard_deviations(truth, VARIANCES)
    truth["lambda"] = np.full(size, LAMBDA)
    truth["mu"] = rng.normal(truth["lambda"][:, None], sd["kappa"][:, None], (size, len(m.schools)))
    truth["theta"] = rng.normal(truth["mu"][:, m.school], sd["tau"][:, None])
    data = replicate(g, truth["theta"], sd["sigma"], rng=rng)
    return Simulation(replace(m, classrooms=replace(g, **data)), truth)


def quantities(model, state, rng):
    """Return a quantity of each level, the scales, the log likelihood and a future value."""
    g, theta, sd = model.classrooms, state["theta"], standard_deviations(state, VARIANCES)
    noisiest, least_noisy = theta[..., np.argmax(g.noise)], theta[..., np.argmin(g.noise)]
    ranked = {"lambda": state["lambda"], **sd, "mu, first school": state["mu"][..., 0]}
    ranked |= {"theta, noisiest": noisiest, "theta, least noisy": least_noisy}
    ranked["log likelihood"] = batched_states.log_likelihood(g, state)
    return ranked | {"future value": rng.normal(noisiest, sd["sigma"])}


def log_joint(model, state):
    """Return the log density of a state and the data, up to a constant."""
    sd, mu = standard_deviations(state, VARIANCES), state["mu"]
    middle = distributions.Normal(state["lambda"][..., None], sd["kappa"][..., None]).log_density(mu)
    lowest = distributions.Normal(mu[..., model.school], sd["tau"][..., None]).log_density(state["theta"])
    levels = batched_states.log_likelihood(model.classrooms, state) + middle.sum(axis=-1) + lowest.sum(axis=-1)
    # Priors are of the roots, the state has variances.
    return levels + sum(getattr(model, name).log_density(sd[name]) - np.log(sd[name]) for name in sd)


def observed(model):
    """Return the values of PyMC's data."""
    return {"observed_y": model.classrooms.mean, "observed_ss_within": model.classrooms.within[1]}


def to_pymc(model, truth):
    """Return the truth: PyMC samples lambda."""
    return truth


def complete(model, sampled, rng):
    """Return states with mu and theta drawn given lambda and the scales, and lambda where it is not there."""
    variances = {variance: sampled[sd] ** 2 for sd, variance in VARIANCES.items()}
    return descend(model, sampled, rng) | variances


def draw_exact(family, simulation, *, draws, rng):
    """Draw independently through `collapsed`, on one lattice of both ratios for all data.

    Given the ratios the limits are those of sigma^2 alone: its share of the inverse gamma multiplies the density.
    """
    model = simulation.model

    def given(ratios):
        nested, (low, high) = model.collapsed(*ratios), family.limits["sigma2"]
        ends = [family.limits[name][1] / ratio**2 for name, ratio in zip(("tau2", "kappa2"), ratios, strict=True)]
        high = np.maximum(np.minimum(high, np.minimum(*ends)), low)
        return replace(nested, sigma2=truncation.Truncated(nested.sigma2, low, high))

    def log_density(u, smooth=lambda share: share):
        nested = given(np.exp(u))
        with np.errstate(divide="ignore"):  # there may be no share within the limits
            return nested.log_unnormalized + np.log(smooth(nested.sigma2.share)) + u.sum(axis=0)

    def envelope(nodes):
        # The share has an edge where a ratio becomes too large for any sigma, and may rise towards it.
        return log_density(nodes, lambda share: maximum_filter(share, size=(3, 3, 1)))

    u = lattice.draw(log_density, family.reach, len(simulation), draws, rng, envelope=envelope, bound=2.0)
    tau, kappa = np.exp(u)
    sigma = np.sqrt(given((tau, kappa)).sigma2.draw(rng))
    return complete(model, {"sigma": sigma, "tau": tau * sigma, "kappa": kappa * sigma}, rng)


ENGINES = {"exact": draw_exact}
