"""The routes of this package on the math tests, each called like the rivals: NAME ROWS FOLDER SEED.

All begin with the rows in memory: reducing them to sizes, means and sums of squares is part of the set-up.
"""

import sys
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from analyses.benchmark.rivals.contender_io import Stopwatch, hand_in, pymc_seconds, read
from analyses.engines import exact, gibbs, nuts
from models import math_test, pymc_model
from models.groups import Replicates

KEPT = 40_000  # draws, where one costs little: as many as JAGS keeps
KEPT_WITHOUT_THETA = 400_000
BLOCK = 1_024  # draws of theta at a time
CHAINS, TUNE = 125, 100  # of Gibbs: all chains advance in one array, so that many cost little more than few
SAMPLER = {"draws": 1000, "chains": 4, "cores": 1, "target_accept": 0.8}  # the last is PyMC's default
TUNING_STEPS = {"marginal": 500, "centered": 1000, "noncentered": 1000}  # few numbers need few, the rest is PyMC's


def summaries_model(frame: pd.DataFrame):
    """State the model, from rows."""
    return math_test.model(schools=Replicates.from_frame(frame, group="school", value="score", dim="school"))


def independent(frame: pd.DataFrame, seed: int, watch: Stopwatch, *, with_theta: bool) -> xr.Dataset:
    """Draw independently from the exact posterior; the quadrature is the set-up."""
    posterior = exact.posterior(summaries_model(frame))
    watch.lap("setup")
    rng = np.random.default_rng(seed)
    draws = posterior.independent(KEPT if with_theta else KEPT_WITHOUT_THETA, rng=rng)
    if with_theta:
        draws["theta"] = draw_theta(posterior.model, draws, rng)
    watch.lap("sampling")
    return labelled({name: values.reshape(4, -1, *values.shape[1:]) for name, values in draws.items()})


def draw_theta(model, draws, rng) -> np.ndarray:
    """Draw theta given the rest, in blocks that stay in the cache."""
    conditional = model.conditionals()["theta"]
    state = {"b": draws["b"], "tau2": draws["tau"] ** 2, "sigma2": draws["sigma"] ** 2}
    theta = np.empty((len(state["b"]), len(model.groups)))
    for k in range(0, len(theta), BLOCK):
        block = {name: values[k : k + BLOCK] for name, values in state.items()}
        theta[k : k + BLOCK] = conditional(block).draw(rng)
    return theta


def labelled(draws) -> xr.Dataset:
    """Name the dimensions of arrays (chain, draw, ...)."""
    columns = {"mu": draws["b"][..., 0], **{name: draws[name] for name in ("sigma", "tau", "theta") if name in draws}}
    return xr.Dataset({name: (("chain", "draw", "school")[: v.ndim], v) for name, v in columns.items()})


def gibbs_sweeps(frame: pd.DataFrame, seed: int, watch: Stopwatch) -> xr.Dataset:
    """Sweep over theta of every school and the rest; the discarded sweeps are the set-up."""
    rng = np.random.default_rng(seed)
    model = summaries_model(frame)
    conditionals, state = model.conditionals(), model.start(CHAINS, rng)
    tuned = gibbs.run(conditionals, state, draws=1, tune=TUNE - 1, thin=1, rng=rng)
    watch.lap("setup")
    state = {name: values[:, -1] for name, values in tuned.items()}
    draws = gibbs.run(conditionals, state, draws=KEPT // CHAINS, tune=0, thin=1, rng=rng)
    watch.lap("sampling")
    return labelled(draws | {name: np.sqrt(draws[f"{name}2"]) for name in ("tau", "sigma")})


def nuts_draws(frame: pd.DataFrame, seed: int, watch: Stopwatch, *, parameterization: str) -> xr.Dataset:
    """Run NUTS on summaries; where theta is integrated out, drawing it afterwards counts as sampling."""
    model = summaries_model(frame)
    built = pymc_model.build(model, parameterization=parameterization)
    watch.lap("build")
    tree = nuts.run(built, tune=TUNING_STEPS[parameterization], seed=seed, **SAMPLER)
    watch.lap("run")
    watch.seconds = pymc_seconds(tree, **watch.seconds)
    posterior = tree["posterior"].dataset
    if parameterization != "marginal":
        return posterior
    columns = {"b": posterior["mu"].values.reshape(-1, 1)}
    columns |= {name: posterior[name].values.ravel() for name in ("tau", "sigma")}
    theta = draw_theta(model, columns, np.random.default_rng(seed)).reshape(*posterior["mu"].shape, -1)
    watch.lap("sampling")
    return posterior.assign(theta=(("chain", "draw", "school"), theta))


ROUTES = {
    "population": partial(independent, with_theta=False),
    "exact": partial(independent, with_theta=True),
    "gibbs": gibbs_sweeps,
    **{name: partial(nuts_draws, parameterization=name) for name in TUNING_STEPS},
}


def main(name: str, rows: str, folder: str, seed: str) -> None:
    """Take the route of that name."""
    frame = read(rows)
    watch = Stopwatch()
    draws = ROUTES[name](frame, int(seed), watch)
    hand_in(folder, {"compile": 0.0} | watch.seconds, draws)


if __name__ == "__main__":
    main(*sys.argv[1:])
