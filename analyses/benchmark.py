"""python -m analyses.benchmark: effective draws per second on the math tests, by what a user might write.

Three routes to the same posterior take turns, several times over, so that a machine whose speed drifts is fair to all;
only their ratios mean anything. A route's figure is the smallest effective sample size of mu, sigma, tau and every
theta, per second. For the two PyMC models the seconds are those of sampling alone, for the exact route all it takes.
"""

import argparse
import sys
import time

import arviz as az
import numpy as np
import pandas as pd

from analyses.contract import complete
from analyses.engines import exact, nuts
from models import builder, math_test

QUANTITIES = ["mu", "sigma", "tau", "theta"]
ASKED = {"draws": 1000, "tune": 1000, "chains": 4, "cores": 1, "target_accept": 0.9}


def rows(model, seed):
    """Run NUTS on single rows, centered: the model as textbooks write it."""
    labels, values = model.groups.rows(np.random.default_rng(0))
    tree = nuts.run(builder.build_rows(model, labels, values), seed=seed, **ASKED)
    return tree["posterior"].dataset, tree["posterior"].attrs["sampling_time"]


def marginal(model, seed):
    """Run NUTS on summaries with theta integrated out; drawing it afterwards counts."""
    tree = nuts.run(builder.build(model), seed=seed, **ASKED)
    found = tree["posterior"]
    started = time.perf_counter()
    drawn = {"b": found["mu"].values[..., None], "tau": found["tau"].values, "sigma": found["sigma"].values}
    whole = complete(model, drawn, engine="nuts", rng=np.random.default_rng(seed))
    return whole["posterior"].dataset, found.attrs["sampling_time"] + time.perf_counter() - started


def independent(model, seed):
    """Draw independently from the exact posterior, quadrature included."""
    started = time.perf_counter()
    tree = exact.posterior(model).draw(rng=np.random.default_rng(seed))
    return tree["posterior"].dataset, time.perf_counter() - started


def measure(rounds: int) -> pd.DataFrame:
    """Smallest effective sample size per second of each route, a row a round."""
    model = math_test.statement()
    routes = {"rows": rows, "marginal": marginal, "exact": independent}
    found = []
    for seed in range(rounds):
        figures = {}
        for name, route in routes.items():
            draws, seconds = route(model, seed)
            smallest = min(float(array.min()) for array in az.ess(draws[QUANTITIES]).data_vars.values())
            figures[name] = smallest / seconds
        found.append(figures)
    return pd.DataFrame(found)


def main(arguments: list[str] | None = None) -> int:
    """Print the figures and their ratios."""
    parser = argparse.ArgumentParser(prog="python -m analyses.benchmark", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often the routes take turns (default: 5)")
    per_second = measure(parser.parse_args(arguments).rounds)
    print("smallest effective sample size per second, a row a round")
    print(per_second.round().astype(int).to_string(index=False))
    for route in ("marginal", "exact"):
        ratio = per_second[route] / per_second["rows"]
        print(f"{route} / rows: median {ratio.median():.0f}, from {ratio.min():.0f} to {ratio.max():.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
