"""The routes of this package on rows of any number, each a process of its own: NAME ROWS FOLDER SEED.

ROWS is a folder of Parquet files. Importing is over when the clock starts; seconds are told step by step, with those of
all processors.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import duckdb
import narwhals  # noqa: F401  imported where it is needed, which would be while the clock runs
import numpy as np
import pandas as pd

from analyses.benchmark.rivals.contender_io import Stopwatch, write_record
from analyses.engines import all_groups, exact
from analyses.ingest import parquet as parquet_files
from models import priors
from models.groups import Replicates, sufficient_statistics
from models.two_level import TwoLevel

COLUMNS = {"group": "school", "value": "score"}
INTERVAL = (0.025, 0.975)
SCALES = ("tau", "sigma", "sd_between")
SAMPLE = 200  # groups that are computed by themselves
PLAIN_GROUPS, PLAIN_ROWS = 10_000, 2_000_000  # that rows are read into memory for


class Answers(NamedTuple):
    """The posterior, the table of mu and the scales, and the means and sds of every group."""

    posterior: exact.Posterior
    population: pd.DataFrame
    groups: pd.DataFrame


def parquet(folder: str) -> list[Path]:
    """List the files of the rows."""
    return sorted(Path(folder).glob("*.parquet"))


def reduce_rows(folder: str, watch: Stopwatch) -> Replicates:
    """Reduce the rows in the files to groups."""
    sums = sufficient_statistics.of_frame(parquet_files.relation(parquet(folder)), **COLUMNS)
    watch.lap("reduce")
    mean, ss = sums.offset + sums.unit * sums.mean, sums.unit**2 * sums.ss
    groups = Replicates.from_summary(sums.labels, sums.n, mean, ss)
    watch.lap("groups")
    return groups


def answer(groups: Replicates, watch: Stopwatch, sigma: priors.Scale = priors.JEFFREYS) -> Answers:
    """Compute the posterior, its scales, and the means and sds of every group."""
    posterior = scales_posterior(groups, sigma)
    watch.lap("posterior")
    population = posterior.population(SCALES)
    watch.lap("population")
    every = all_groups.theta_and_kappa(posterior)
    watch.lap("moments")
    return Answers(posterior, population, every)


def scales_posterior(groups: Replicates, sigma: priors.Scale = priors.JEFFREYS) -> exact.Posterior:
    """Posterior of mu, sigma and tau, with tau ~ HalfCauchy(1) in units of sigma."""
    return exact.posterior(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0), sigma=sigma))


def means(folder: str) -> dict:
    """From Parquet to means and sds of everything."""
    watch = Stopwatch()
    answer(reduce_rows(folder, watch), watch)
    return watch.measured


def both_scales(folder: str) -> dict:
    """From Parquet to means and sds of everything, where sigma has a prior with which it does not integrate out."""
    watch = Stopwatch()
    answer(reduce_rows(folder, watch), watch, priors.HalfNormal(20.0))
    return watch.measured


def intervals(folder: str) -> dict:
    """From Parquet to means and sds of everything, and the interval of every theta."""
    watch = Stopwatch()
    posterior = answer(reduce_rows(folder, watch), watch).posterior
    all_groups.theta_quantiles(posterior, INTERVAL)
    watch.lap("intervals")
    return watch.measured


def frame(folder: str) -> dict:
    """From rows in memory, pandas, to means and sds of everything."""
    return _in_memory(parquet_files.relation(parquet(folder)).df())


def polars(folder: str) -> dict:
    """From rows in memory, Polars, to means and sds of everything."""
    import polars as pl

    return _in_memory(pl.read_parquet(parquet(folder)))


def _in_memory(rows) -> dict:
    watch = Stopwatch()
    groups = Replicates.from_frame(rows, **COLUMNS)
    watch.lap("reduce")
    answer(groups, watch)
    return watch.measured


def plain(folder: str) -> dict:
    """Largest relative difference of the answers from those of the plain path, quantity by quantity.

    Where there are not too many, rows are read into memory and reduced there group by group; theta and kappa of some
    groups are computed by themselves, as mixtures over the nodes.
    """
    answers = answer(reduce_rows(folder, Stopwatch()), Stopwatch())
    posterior, groups = answers.posterior, answers.posterior.model.groups
    differences = {}
    if len(groups) <= PLAIN_GROUPS and groups.n.sum() <= PLAIN_ROWS:
        rows = parquet_files.relation(parquet(folder)).fetchnumpy()
        posterior = scales_posterior(Replicates.from_rows(rows["school"].tolist(), rows["score"]))
        population = posterior.population(SCALES)
        for name in ("mu", *SCALES):
            differences[name] = _difference(answers.population.loc[(name, "")], population.loc[(name, "")])
    sample = np.unique(np.linspace(0, len(groups) - 1, SAMPLE).astype(int))
    position = {label: k for k, label in enumerate(posterior.model.groups.labels)}
    positions = np.array([position[groups.labels[k]] for k in sample])
    for name, mixture in (("theta", posterior.theta(positions)), ("kappa", posterior.kappa(positions))):
        moments = answers.groups.iloc[sample][[f"{name}_mean", f"{name}_sd"]].set_axis(["mean", "sd"], axis=1)
        differences[name] = _difference(moments, pd.DataFrame({"mean": mixture.mean, "sd": mixture.sd}))
    return {"seconds": {}, "differences": differences}


def _difference(moments, plain_moments) -> float:
    names = ["mean", "sd"]
    return float(np.max(np.abs(np.asarray(moments[names]) / np.asarray(plain_moments[names]) - 1)))


ROUTES = {route.__name__: route for route in (means, both_scales, intervals, frame, polars, plain)}


def main(name: str, rows: str, folder: str, seed: str) -> None:
    """Take the route of that name."""
    duckdb.connect().execute("select 1").fetchnumpy()  # it imports pandas' parts at its first call
    write_record(folder, **ROUTES[name](rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
