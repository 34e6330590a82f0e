"""Two scales by a formula, in bambi with the priors that it chooses, drawn from as it does where nothing is asked."""

import sys

from bambi_rows import formula_model
from contender_io import QUIET, compete


def sample(model, seed, watch) -> dict:
    """Sample; all of fit that is not its sampling time is compiling."""
    tree = model.fit(**QUIET, random_seed=seed)
    watch.lap("sampling")
    sampling = tree["posterior"].attrs["sampling_time"]
    watch.seconds |= {"compile": watch.seconds["sampling"] - sampling, "sampling": sampling}
    posterior = tree["posterior"].dataset
    mu, sigma = posterior["Intercept"].values, posterior["sigma"].values
    theta = mu[..., None] + posterior["1|school"].values
    return {"mu": mu, "sigma": sigma, "tau": posterior["1|school_sigma"].values / sigma, "theta": theta}


if __name__ == "__main__":
    compete(formula_model, sample, *sys.argv[1:])
