"""The math tests by a formula, in bambi with the priors that it chooses: another posterior."""

import sys
import time

import bambi
from contender_io import hand_in, of_pymc, read


def main(rows: str, folder: str, seed: str) -> None:
    """Sample, chains in turn."""
    frame = read(rows)
    started = time.perf_counter()
    model = bambi.Model("score ~ 1 + (1|school)", frame)
    model.build()
    built = time.perf_counter()
    tree = model.fit(
        draws=1000,
        tune=1000,
        chains=4,
        cores=1,
        random_seed=int(seed),
        progressbar=False,
        compute_convergence_checks=False,
    )
    seconds = of_pymc(tree, built - started, time.perf_counter() - built)
    posterior = tree["posterior"].dataset
    mu, sigma = posterior["Intercept"].values, posterior["sigma"].values
    theta = mu[..., None] + posterior["1|school"].values
    hand_in(folder, seconds, mu=mu, sigma=sigma, tau=posterior["1|school_sigma"].values / sigma, theta=theta)


if __name__ == "__main__":
    main(*sys.argv[1:])
