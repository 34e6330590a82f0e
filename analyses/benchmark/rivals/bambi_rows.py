"""The math tests by a formula, in bambi with the priors that it chooses: another posterior."""

import sys

import bambi
from contender_io import QUIET, SAMPLER, Stopwatch, hand_in, pymc_seconds, read


def main(rows: str, folder: str, seed: str) -> None:
    """Sample, chains in turn."""
    frame = read(rows)
    watch = Stopwatch()
    model = bambi.Model("score ~ 1 + (1|school)", frame)
    model.build()
    watch.lap("build")
    tree = model.fit(**SAMPLER, **QUIET, random_seed=int(seed))
    watch.lap("run")
    posterior = tree["posterior"].dataset
    mu, sigma = posterior["Intercept"].values, posterior["sigma"].values
    tau = posterior["1|school_sigma"].values / sigma
    theta = mu[..., None] + posterior["1|school"].values
    hand_in(folder, pymc_seconds(tree, **watch.seconds), {"mu": mu, "sigma": sigma, "tau": tau, "theta": theta})


if __name__ == "__main__":
    main(*sys.argv[1:])
