"""Two scales on single rows in PyMC, drawn from as pm.sample does where nothing is asked."""

import sys

import pandas as pd
import pymc as pm
from contender_io import QUIET, compete


def rows_model(frame: pd.DataFrame) -> pm.Model:
    """State the model: y_ij ~ N(theta_i, sigma^2), theta_i ~ N(mu, tau^2)."""
    school, schools = pd.factorize(frame["school"])
    with pm.Model(coords={"school": schools}) as model:
        mu = pm.Normal("mu", 0, 10)
        sigma = pm.HalfNormal("sigma", 1)
        tau = pm.HalfNormal("tau", 1)
        theta = pm.Normal("theta", mu, tau, dims="school")
        pm.Normal("score", theta[school], sigma, observed=frame["score"].to_numpy())
    return model


def in_units_of_sigma(posterior) -> dict:
    """Draws by name, with tau divided by sigma."""
    draws = {name: posterior[name].values for name in ("mu", "sigma", "theta")}
    return draws | {"tau": posterior["tau"].values / draws["sigma"]}


def sample(model, seed, watch) -> dict:
    """Sample; all of pm.sample that is not its sampling time is compiling."""
    tree = pm.sample(**QUIET, random_seed=seed, nuts_sampler="pymc", model=model)
    watch.lap("sampling")
    sampling = tree["posterior"].attrs["sampling_time"]
    watch.seconds |= {"compile": watch.seconds["sampling"] - sampling, "sampling": sampling}
    return in_units_of_sigma(tree["posterior"].dataset)


if __name__ == "__main__":
    compete(rows_model, sample, *sys.argv[1:])
