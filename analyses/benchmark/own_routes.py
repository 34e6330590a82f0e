"""The routes of this package on the math tests, each called like the rivals: NAME ROWS FOLDER SEED.

All begin with the rows in memory: reducing them to sizes, means and sums of squares is part of the set-up.
"""

import sys
from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd

from analyses.benchmark.rivals.contender_io import Stopwatch, compete, pymc_seconds
from analyses.engines import exact, gibbs, nuts
from models import math_test, pymc_model
from models.groups import Replicates
from models.two_level import TwoLevel

KEPT = 40_000  # draws, where one costs little: as many as JAGS keeps
KEPT_WITHOUT_THETA = 400_000
BLOCK = 1_024  # draws of theta at a time
CHAINS, TUNE = 125, 100  # of Gibbs: all chains advance in one array, so that many cost little more than few
SAMPLER = {"draws": 1000, "chains": 4, "cores": 1, "target_accept": 0.8}  # the last is PyMC's default
TUNING_STEPS = {"marginal": 500, "centered": 1000, "noncentered": 1000}  # few numbers need few, the rest is PyMC's


def summaries_model(frame: pd.DataFrame) -> TwoLevel:
    """State the model, from rows."""
    return math_test.model(groups=Replicates.from_frame(frame, group="school", value="score", dim="school"))


def independent(model: TwoLevel, seed: int, watch: Stopwatch, *, with_theta: bool) -> Mapping:
    """Draw independently from the exact posterior; the quadrature is the set-up."""
    posterior = exact.posterior(model)
    watch.lap("setup")
    rng = np.random.default_rng(seed)
    draws = posterior.independent(KEPT if with_theta else KEPT_WITHOUT_THETA, rng=rng)
    if with_theta:
        draws["theta"] = draw_theta(model, draws, rng)
    watch.lap("sampling")
    return with_mu({name: values.reshape(4, -1, *values.shape[1:]) for name, values in draws.items()})


def draw_theta(model, draws, rng) -> np.ndarray:
    """Draw theta given the rest, in blocks that stay in the cache."""
    conditional = model.conditionals()["theta"]
    state = {"b": draws["b"], "tau2": draws["tau"] ** 2, "sigma2": draws["sigma"] ** 2}
    theta = np.empty((len(state["b"]), len(model.groups)))
    for k in range(0, len(theta), BLOCK):
        block = {name: values[k : k + BLOCK] for name, values in state.items()}
        theta[k : k + BLOCK] = conditional(block).draw(rng)
    return theta


def with_mu(draws) -> dict[str, np.ndarray]:
    """Give the first coefficient its name, in arrays (chain, draw, ...)."""
    return {"mu": draws["b"][..., 0]} | draws


def gibbs_sweeps(model: TwoLevel, seed: int, watch: Stopwatch) -> Mapping:
    """Sweep over theta of every school and the rest; the discarded sweeps are the set-up."""
    rng = np.random.default_rng(seed)
    conditionals, state = model.conditionals(), model.start(CHAINS, rng)
    tuned = gibbs.run(conditionals, state, draws=1, tune=TUNE - 1, thin=1, rng=rng)
    watch.lap("setup")
    state = {name: values[:, -1] for name, values in tuned.items()}
    draws = gibbs.run(conditionals, state, draws=KEPT // CHAINS, tune=0, thin=1, rng=rng)
    watch.lap("sampling")
    return with_mu(draws | {name: np.sqrt(draws[f"{name}2"]) for name in ("tau", "sigma")})


def nuts_draws(model: TwoLevel, seed: int, watch: Stopwatch, *, parameterization: str) -> Mapping:
    """Run NUTS on summaries; where theta is integrated out, drawing it afterwards counts as sampling."""
    marginal = parameterization == "marginal"
    built = pymc_model.build_for_nuts(model) if marginal else pymc_model.build(model, parameterization=parameterization)
    watch.lap("setup")
    tree = nuts.run(built, tune=TUNING_STEPS[parameterization], seed=seed, **SAMPLER)
    watch.lap("run")
    watch.seconds = pymc_seconds(tree, **watch.seconds)
    posterior = tree["posterior"].dataset
    if not marginal:
        return posterior
    draws = {name: posterior[name].values for name in ("mu", "tau", "sigma")}
    columns = {"b": draws["mu"].reshape(-1, 1), "tau": draws["tau"].ravel(), "sigma": draws["sigma"].ravel()}
    theta = draw_theta(model, columns, np.random.default_rng(seed)).reshape(*draws["mu"].shape, -1)
    watch.lap("sampling")
    return draws | {"theta": theta}


ROUTES = {
    "population": partial(independent, with_theta=False),
    "exact": partial(independent, with_theta=True),
    "gibbs": gibbs_sweeps,
    **{name: partial(nuts_draws, parameterization=name) for name in TUNING_STEPS},
}


def main(name: str, rows: str, folder: str, seed: str) -> None:
    """Take the route of that name."""
    compete(summaries_model, ROUTES[name], rows, folder, seed)


if __name__ == "__main__":
    main(*sys.argv[1:])
