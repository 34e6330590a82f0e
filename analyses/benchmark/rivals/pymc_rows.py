"""The math tests on single rows in PyMC, drawn from by its own NUTS."""

import sys

import pandas as pd
import pymc as pm
from contender_io import QUIET, SAMPLER, Stopwatch, hand_in, pymc_seconds, read


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


def main(rows: str, folder: str, seed: str) -> None:
    """Sample, chains in turn."""
    frame = read(rows)
    watch = Stopwatch()
    model = rows_model(frame)
    watch.lap("build")
    tree = pm.sample(**SAMPLER, **QUIET, random_seed=int(seed), nuts_sampler="pymc", model=model)
    watch.lap("run")
    hand_in(folder, pymc_seconds(tree, **watch.seconds), tree["posterior"].dataset)


if __name__ == "__main__":
    main(*sys.argv[1:])
