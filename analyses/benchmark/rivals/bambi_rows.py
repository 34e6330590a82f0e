"""The math tests by a formula, in bambi with the priors that it chooses: another posterior."""

import sys

import bambi
from contender_io import QUIET, SAMPLER, compete, pymc_seconds


def formula_model(frame) -> bambi.Model:
    """State the model by a formula."""
    model = bambi.Model("score ~ 1 + (1|school)", frame)
    model.build()
    return model


def sample(model, seed, watch) -> dict:
    """Sample, chains in turn."""
    tree = model.fit(**SAMPLER, **QUIET, random_seed=seed)
    watch.lap("run")
    watch.seconds = pymc_seconds(tree, **watch.seconds)
    posterior = tree["posterior"].dataset
    mu, sigma = posterior["Intercept"].values, posterior["sigma"].values
    tau = posterior["1|school_sigma"].values / sigma
    return {"mu": mu, "sigma": sigma, "tau": tau, "theta": mu[..., None] + posterior["1|school"].values}


if __name__ == "__main__":
    compete(formula_model, sample, *sys.argv[1:])
