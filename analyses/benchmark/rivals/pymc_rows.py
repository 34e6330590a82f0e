"""The math tests on single rows in PyMC, drawn from by its own NUTS."""

import sys

import pandas as pd
import pymc as pm
from contender_io import QUIET, SAMPLER, compete, pymc_seconds


def rows_model(frame: pd.DataFrame) -> pm.Model:
    """State the model: y_ij ~ N(theta_i, sigma^2), theta_i ~ N(mu, tau^2 sigma^2)."""
    school, schools = pd.factorize(frame["school"])
    with pm.Model(coords={"school": schools}) as model:
        mu = pm.Flat("mu")
        sigma = pm.Deterministic("sigma", pm.math.exp(pm.Flat("log_sigma")))  # p(sigma^2) = 1 / sigma^2
        tau = pm.Deterministic("tau", pm.math.sqrt(pm.InverseGamma("tau2", 0.5, 0.5)))
        theta = pm.Normal("theta", mu, tau * sigma, dims="school")
        pm.Normal("score", theta[school], sigma, observed=frame["score"].to_numpy())
    return model


def sample(model, seed, watch):
    """Sample, chains in turn."""
    tree = pm.sample(**SAMPLER, **QUIET, random_seed=seed, nuts_sampler="pymc", model=model)
    watch.lap("run")
    watch.seconds = pymc_seconds(tree, **watch.seconds)
    return tree["posterior"].dataset


if __name__ == "__main__":
    compete(rows_model, sample, *sys.argv[1:])
