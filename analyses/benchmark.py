"""python -m analyses.benchmark: effective draws per second on the math tests, by what a user might write.

Three routes to the same posterior take turns, several times over, so that a machine whose speed drifts is fair to all;
only their ratios mean anything. A route's figure is the smallest effective sample size of mu, sigma, tau and every
theta, per second. For the two PyMC models the seconds are those of sampling alone, for the exact route all it takes,
and where theta was integrated out the drawing of it counts.
"""

import argparse
import sys
import time

import arviz as az
import numpy as np
import pandas as pd

from analyses.contract import complete
from analyses.engines import exact, nuts
from analyses.tables import flat
from models import builder, math_test

QUANTITIES = ["mu", "sigma", "tau", "theta"]
ASKED = {"draws": 1000, "tune": 1000, "chains": 4, "cores": 1, "target_accept": 0.8}  # the last is PyMC's default


def rows(model, sampler, seed):
    """Run NUTS on single rows, centered: the model as textbooks write it."""
    labels, values = model.groups.rows(np.random.default_rng(0))
    tree = nuts.run(builder.build_rows(model, labels, values), sampler=sampler, seed=seed, **ASKED)
    return tree["posterior"].dataset, tree["posterior"].attrs["sampling_time"]


def marginal(model, sampler, seed):
    """Run NUTS on summaries with theta integrated out; drawing it afterwards counts."""
    tree = nuts.run(builder.build(model), sampler=sampler, seed=seed, **ASKED)
    found = tree["posterior"]
    started = time.perf_counter()
    drawn = {"b": found["mu"].values[..., None], "tau": found["tau"].values, "sigma": found["sigma"].values}
    whole = complete(model, drawn, engine="nuts", rng=np.random.default_rng(seed))
    return whole["posterior"].dataset, found.attrs["sampling_time"] + time.perf_counter() - started


def independent(model, sampler, seed):
    """Draw independently from the exact posterior, quadrature included."""
    started = time.perf_counter()
    tree = exact.posterior(model).draw(draws=ASKED["draws"], rng=np.random.default_rng(seed))
    return tree["posterior"].dataset, time.perf_counter() - started


def measure(rounds: int, sampler: str) -> pd.DataFrame:
    """Effective sample size of every quantity by each route, and its seconds, averaged over the rounds.

    Averaged before the smallest is taken: the smallest of a hundred noisy figures is too small.
    """
    model = math_test.statement()
    routes = {"rows": rows, "marginal": marginal, "exact": independent}
    found = {name: [] for name in routes}
    for seed in range(rounds):
        for name, route in routes.items():
            draws, seconds = route(model, sampler, seed)
            found[name].append([*flat(az.ess(draws[QUANTITIES])), seconds])
    means = {name: np.mean(figures, axis=0) for name, figures in found.items()}
    columns = {"seconds": [m[-1] for m in means.values()], "smallest_ess": [m[:-1].min() for m in means.values()]}
    return pd.DataFrame(columns, index=list(routes))


def main(arguments: list[str] | None = None) -> int:
    """Print the figures and their ratios."""
    parser = argparse.ArgumentParser(prog="python -m analyses.benchmark", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often the routes take turns (default: 5)")
    parser.add_argument("--sampler", default="pymc", help="pymc, or another that pm.sample knows and that is installed")
    options = parser.parse_args(arguments)
    table = measure(options.rounds, options.sampler)
    table["per_second"] = table["smallest_ess"] / table["seconds"]
    table["over_rows"] = table["per_second"] / table.loc["rows", "per_second"]
    print(table.round({"seconds": 3, "smallest_ess": 0, "per_second": 0, "over_rows": 1}).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
