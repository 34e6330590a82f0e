"""The routes of this package on the math tests, each called like the rivals: NAME ROWS FOLDER SEED.

All begin with the rows in memory: reducing them to sizes, means and sums of squares is part of the set-up.
"""

import sys
import time

import numpy as np
import pandas as pd
import xarray as xr

from analyses.benchmark.rivals.contender_io import hand_in_tree, of_pymc, read
from analyses.engines import exact, gibbs, nuts
from models import math_test, pymc_model
from models.groups import Replicates

KEPT = 40_000  # where a draw costs little: as many as JAGS keeps
MANY = 400_000  # where it costs next to nothing
BLOCK = 1_024  # draws of theta at a time
CHAINS, TUNE = 125, 100  # of Gibbs: all chains advance in one array, so that many cost little more than few
ASKED = {"draws": 1000, "chains": 4, "cores": 1, "target_accept": 0.8}  # the last is PyMC's default
STEPS = {"marginal": 500, "centered": 1000, "noncentered": 1000}  # of tuning: few numbers need few, the rest is PyMC's


def stated(frame: pd.DataFrame):
    """State the model, from rows."""
    return math_test.model(groups=Replicates.from_frame(frame, group="school", value="score", dim="school"))


def population(frame: pd.DataFrame, seed: int):
    """Independent draws of mu, sigma and tau; the quadrature is their set-up."""
    started = time.perf_counter()
    posterior = exact.posterior(stated(frame))
    ready = time.perf_counter()
    drawn = posterior.independent(MANY, rng=np.random.default_rng(seed))
    ended = time.perf_counter()
    return in_chains(drawn), {"setup": ready - started, "compile": 0.0, "sampling": ended - ready}


def independent(frame: pd.DataFrame, seed: int):
    """The same with theta of every school."""
    started = time.perf_counter()
    posterior = exact.posterior(stated(frame))
    ready = time.perf_counter()
    rng = np.random.default_rng(seed)
    drawn = posterior.independent(KEPT, rng=rng)
    drawn["theta"] = theta(posterior.model, drawn, rng)
    ended = time.perf_counter()
    return in_chains(drawn), {"setup": ready - started, "compile": 0.0, "sampling": ended - ready}


def theta(model, drawn, rng) -> np.ndarray:
    """Draw theta given the rest, in blocks that stay in the cache."""
    law, state = (
        model.conditionals()["theta"],
        {"b": drawn["b"], "tau2": drawn["tau"] ** 2, "sigma2": drawn["sigma"] ** 2},
    )
    found = np.empty((len(state["b"]), len(model.groups)))
    for k in range(0, len(found), BLOCK):
        found[k : k + BLOCK] = law({name: values[k : k + BLOCK] for name, values in state.items()}).draw(rng)
    return found


def in_chains(drawn) -> xr.Dataset:
    """Independent draws as four chains, which is nothing but their shape."""
    return labelled({name: v.reshape(4, -1, *v.shape[1:]) for name, v in drawn.items()})


def labelled(drawn) -> xr.Dataset:
    """What is handed in, of arrays (chain, draw, ...)."""
    columns = {"mu": drawn["b"][..., 0], **{name: drawn[name] for name in ("sigma", "tau", "theta") if name in drawn}}
    return xr.Dataset({name: (("chain", "draw", "school")[: v.ndim], v) for name, v in columns.items()})


def swept(frame: pd.DataFrame, seed: int):
    """Gibbs, theta of every school with the rest; the sweeps that are thrown away are its set-up."""
    rng = np.random.default_rng(seed)
    started = time.perf_counter()
    model = stated(frame)
    conditionals, state = model.conditionals(), model.start(CHAINS, rng)
    tuned = gibbs.run(conditionals, state, draws=1, tune=TUNE - 1, thin=1, rng=rng)
    ready = time.perf_counter()
    state = {name: values[:, -1] for name, values in tuned.items()}
    drawn = gibbs.run(conditionals, state, draws=KEPT // CHAINS, tune=0, thin=1, rng=rng)
    ended = time.perf_counter()
    drawn |= {name: np.sqrt(drawn[f"{name}2"]) for name in ("tau", "sigma")}
    return labelled(drawn), {"setup": ready - started, "compile": 0.0, "sampling": ended - ready}


def with_theta(parameterization: str):
    """NUTS on summaries, theta sampled with the rest."""

    def sampled(frame, seed):
        started = time.perf_counter()
        built = pymc_model.build(stated(frame), parameterization=parameterization)
        ready = time.perf_counter()
        tree = nuts.run(built, tune=STEPS[parameterization], seed=seed, **ASKED)
        return tree["posterior"].dataset, of_pymc(tree, ready - started, time.perf_counter() - ready)

    return sampled


def marginal(frame: pd.DataFrame, seed: int):
    """NUTS on summaries with theta integrated out; drawing it afterwards counts as sampling."""
    started = time.perf_counter()
    model = stated(frame)
    built = pymc_model.build(model)
    ready = time.perf_counter()
    tree = nuts.run(built, tune=STEPS["marginal"], seed=seed, **ASKED)
    ran = time.perf_counter()
    seconds, found = of_pymc(tree, ready - started, ran - ready), tree["posterior"].dataset
    drawing = time.perf_counter()
    columns = {"b": found["mu"].values.reshape(-1, 1), **{n: found[n].values.ravel() for n in ("tau", "sigma")}}
    given = theta(model, columns, np.random.default_rng(seed)).reshape(*found["mu"].shape, -1)
    seconds["sampling"] += time.perf_counter() - drawing
    return found.assign(theta=(("chain", "draw", "school"), given)), seconds


ROUTES = {
    "population": population,
    "exact": independent,
    "gibbs": swept,
    "marginal": marginal,
    "centered": with_theta("centered"),
    "noncentered": with_theta("noncentered"),
}


def main(name: str, rows: str, folder: str, seed: str) -> None:
    """Take the route of that name."""
    draws, seconds = ROUTES[name](read(rows), int(seed))
    hand_in_tree(folder, seconds, draws)


if __name__ == "__main__":
    main(*sys.argv[1:])
