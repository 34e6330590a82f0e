"""The routes of this package on the math tests, each called like the rivals: NAME ROWS FOLDER SEED.

All begin with the rows in memory: reducing them to sizes, means and sums of squares is part of the set-up.
"""

import sys
import time

import numpy as np
import pandas as pd

from analyses.benchmark.rivals.exchange import hand_in_tree, of_pymc, read
from analyses.contract import complete
from analyses.engines import exact, gibbs, nuts
from models import builder, math_test
from models.groups import Replicates

KEPT = 40_000  # where a draw costs little: as many as JAGS keeps
ASKED = {"draws": 1000, "tune": 1000, "chains": 4, "cores": 1, "target_accept": 0.8}  # the last is PyMC's default


def stated(frame: pd.DataFrame):
    """State the model, from rows."""
    return math_test.statement(schools=Replicates.from_frame(frame, group="school", value="score", dim="school"))


def independent(frame: pd.DataFrame, seed: int):
    """Independent draws; the quadrature is their set-up."""
    started = time.perf_counter()
    posterior = exact.posterior(stated(frame))
    ready = time.perf_counter()
    tree = posterior.draw(draws=KEPT // 4, chains=4, rng=np.random.default_rng(seed))
    ended = time.perf_counter()
    return tree, {"setup": ready - started, "compile": 0.0, "sampling": ended - ready}


def swept(frame: pd.DataFrame, seed: int):
    """Gibbs; the pilot run that sets the thinning, and its share of sweeps thrown away, are its set-up."""
    rng, tune, draws = np.random.default_rng(seed), 500, KEPT // gibbs.CHAINS
    started = time.perf_counter()
    model = stated(frame)
    thin = gibbs.thinning(model, rng=rng)
    ready = time.perf_counter()
    tree = gibbs.sample(model, draws=draws, tune=tune, thin=thin, rng=rng)
    ran = time.perf_counter() - ready
    tuning = ran * tune / (tune + draws * thin)
    return tree, {"setup": ready - started + tuning, "compile": 0.0, "sampling": ran - tuning}


def with_theta(parameterization: str):
    """NUTS on summaries, theta sampled with the rest."""

    def sampled(frame, seed):
        started = time.perf_counter()
        built = builder.build(stated(frame), parameterization=parameterization)
        ready = time.perf_counter()
        tree = nuts.run(built, seed=seed, **ASKED)
        return tree, of_pymc(tree, ready - started, time.perf_counter() - ready)

    return sampled


def marginal(frame: pd.DataFrame, seed: int):
    """NUTS on summaries with theta integrated out; drawing it afterwards counts as sampling."""
    started = time.perf_counter()
    model = stated(frame)
    built = builder.build(model)
    ready = time.perf_counter()
    tree = nuts.run(built, seed=seed, **ASKED)
    ran = time.perf_counter()
    seconds, found = of_pymc(tree, ready - started, ran - ready), tree["posterior"].dataset
    drawing = time.perf_counter()
    drawn = {"b": found["mu"].values[..., None], "tau": found["tau"].values, "sigma": found["sigma"].values}
    whole = complete(model, drawn, engine="nuts", rng=np.random.default_rng(seed))
    seconds["sampling"] += time.perf_counter() - drawing
    return whole, seconds


ROUTES = {
    "exact": independent,
    "gibbs": swept,
    "marginal": marginal,
    "centered": with_theta("centered"),
    "noncentered": with_theta("noncentered"),
}


def main(name: str, rows: str, folder: str, seed: str) -> None:
    """Take the route of that name."""
    tree, seconds = ROUTES[name](read(rows), int(seed))
    hand_in_tree(folder, seconds, tree["posterior"].dataset)


if __name__ == "__main__":
    main(*sys.argv[1:])
