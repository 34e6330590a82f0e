"""The math tests on single rows in PyMC, drawn from by its own NUTS."""

import sys
import time

import pandas as pd
import pymc as pm
from contender_io import hand_in_tree, of_pymc, read


def stated(frame: pd.DataFrame) -> pm.Model:
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
    started = time.perf_counter()
    model = stated(frame)
    built = time.perf_counter()
    tree = pm.sample(
        draws=1000,
        tune=1000,
        chains=4,
        cores=1,
        random_seed=int(seed),
        nuts_sampler="pymc",
        progressbar=False,
        compute_convergence_checks=False,
        model=model,
    )
    seconds = of_pymc(tree, built - started, time.perf_counter() - built)
    hand_in_tree(folder, seconds, tree["posterior"].dataset)


if __name__ == "__main__":
    main(*sys.argv[1:])
