"""The routes of this package on rows of any number, each a process of its own: NAME ROWS FOLDER.

ROWS is a folder of Parquet files. Importing is over when the clock starts; seconds are told step by step, with those of
all processors.
"""

import json
import sys
import time
from pathlib import Path

import duckdb
import narwhals  # noqa: F401  imported where it is needed, which would be while the clock runs
import numpy as np
import pandas as pd

from analyses.engines import all_groups, exact
from analyses.ingest import files
from models import priors
from models.groups import Replicates, sufficient_statistics
from models.two_level import TwoLevel

NAMED = {"group": "school", "value": "score"}
ENDS = (0.025, 0.975)
SCALES = ("tau", "sigma", "sd_between")
SAMPLE = 200  # groups that are computed by themselves
PLAIN_GROUPS, PLAIN_ROWS = 10_000, 2_000_000  # that rows are read into memory for


class Steps:
    """Seconds, and those of all processors, of steps that follow each other."""

    def __init__(self):
        self.took, self.last = {}, (time.perf_counter(), time.process_time())

    def done(self, name: str) -> None:
        """Note what has passed since the last one."""
        now = time.perf_counter(), time.process_time()
        self.took[name] = [b - a for a, b in zip(self.last, now, strict=True)]
        self.last = now


def parquet(folder: str) -> list[Path]:
    """The files."""
    return sorted(Path(folder).glob("*.parquet"))


def reduced(folder: str, steps: Steps) -> Replicates:
    """Groups, from the rows in the files."""
    found = sufficient_statistics.of_frame(files.relation(parquet(folder)), **NAMED)
    steps.done("reduce")
    mean, ss = found.offset + found.unit * found.mean, found.unit**2 * found.ss
    groups = Replicates.from_summary(found.labels, found.n, mean, ss)
    steps.done("groups")
    return groups


def answered(groups: Replicates, steps: Steps):
    """The posterior, the table of mu and the scales, and the means and sds of every group."""
    posterior = exact.posterior(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0)))
    steps.done("posterior")
    population = posterior.population(SCALES)
    steps.done("population")
    every = all_groups.theta_and_kappa(posterior)
    steps.done("moments")
    return posterior, population, every


def means(folder: str) -> dict:
    """From Parquet to means and sds of everything."""
    steps = Steps()
    answered(reduced(folder, steps), steps)
    return steps.took


def intervals(folder: str) -> dict:
    """The same, and the interval of every theta."""
    steps = Steps()
    posterior, *_ = answered(reduced(folder, steps), steps)
    all_groups.theta_quantiles(posterior, ENDS)
    steps.done("intervals")
    return steps.took


def frame(folder: str) -> dict:
    """From rows in memory, pandas, to means and sds of everything."""
    return _in_memory(files.relation(parquet(folder)).df())


def polars(folder: str) -> dict:
    """The same from Polars."""
    import polars as pl

    return _in_memory(pl.read_parquet(parquet(folder)))


def _in_memory(given) -> dict:
    steps = Steps()
    groups = Replicates.from_frame(given, **NAMED)
    steps.done("reduce")
    answered(groups, steps)
    return steps.took


def plain(folder: str) -> dict:
    """Largest relative difference of the answers from those of the plain path, quantity by quantity.

    Where there are not too many, rows are read into memory and reduced there group by group; theta and kappa of some
    groups are computed by themselves, as mixtures over the nodes.
    """
    posterior, population, every = answered(reduced(folder, Steps()), Steps())
    groups, off = posterior.model.groups, {}
    if len(groups) <= PLAIN_GROUPS and groups.n.sum() <= PLAIN_ROWS:
        given = files.relation(parquet(folder)).fetchnumpy()
        again = Replicates.from_rows(given["school"].tolist(), given["score"])
        posterior = exact.posterior(TwoLevel(groups=again, tau=priors.HalfCauchy(1.0)))
        other = posterior.population(SCALES)
        off |= {name: _off(population.loc[(name, "")], other.loc[(name, "")]) for name in ("mu", *SCALES)}
    position = {label: k for k, label in enumerate(posterior.model.groups.labels)}
    some = np.unique(np.linspace(0, len(groups) - 1, SAMPLE).astype(int))
    at = np.array([position[groups.labels[k]] for k in some])
    for name, law in (("theta", posterior.theta(at)), ("kappa", posterior.kappa(at))):
        here = every.iloc[some].rename(columns=lambda column, name=name: column.removeprefix(f"{name}_"))
        off[name] = _off(here, pd.DataFrame({"mean": law.mean, "sd": law.sd}))
    return off


def _off(found, plainly) -> float:
    moments = ["mean", "sd"]
    return float(np.max(np.abs(np.asarray(found[moments]) / np.asarray(plainly[moments]) - 1)))


ROUTES = {route.__name__: route for route in (means, intervals, frame, polars, plain)}


def main(name: str, folder: str, to: str) -> None:
    """Take the route of that name."""
    duckdb.connect().execute("select 1").fetchnumpy()  # it imports pandas' parts at its first call
    Path(to, "steps.json").write_text(json.dumps(ROUTES[name](folder)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
