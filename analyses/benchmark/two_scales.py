"""A model whose sigma does not integrate out, on rows like those of the radon surveys: a table of it, beside samplers.

    y_ij ~ N(theta_i, sigma^2)    theta_i ~ N(mu, tau^2)    mu ~ N(0, 10^2)    tau, sigma ~ HalfNormal(1)

Exact: means, sds, quantiles and stated errors of all. Samplers: as many draws as they make where nothing is asked.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.benchmark import contest, efficiency
from analyses.benchmark.contenders import ANOTHER, SAME, Contender, own, rival, with_empty_caches
from analyses.benchmark.contest import ENDS, Entry, Target, ratio
from analyses.benchmark.rivals.contender_io import Stopwatch, read, write_record
from analyses.benchmark.runs import CHECKED
from analyses.benchmark.simulate_rows import Size
from analyses.engines import exact
from models import priors
from models.groups import Replicates
from models.two_level import TwoLevel

MODULE = "analyses.benchmark.two_scales"
MINNESOTA, UNITED_STATES = Size(919, 85), Size(12_573, 386)  # houses and counties
SKEWNESS = 1.1  # sd of the log of a county's houses
MU, BETWEEN, SIGMA = 1.3, 0.3, 0.75  # of log radon, about as in Minnesota
TIMES = 30
CONTENDERS = (
    Contender(
        "table",
        "exact table",
        "rows to means, sds, quantiles and stated errors of mu, tau, sigma, every theta and kappa",
        own(MODULE),
        ours=True,
        hands_in="seconds",
    ),
    Contender(
        "pymc", "PyMC on rows", "pm.sample() as it comes", with_empty_caches(rival("pymc", "two_scales_pymc.py"))
    ),
    Contender(
        "nutpie",
        "nutpie on rows",
        "the same model, nutpie.sample()",
        with_empty_caches(rival("nutpie", "two_scales_nutpie.py")),
    ),
    Contender(
        "bambi",
        "bambi",
        "score ~ 1 + (1|school), its own priors and parameterization, fit() as it comes",
        with_empty_caches(rival("bambi", "two_scales_bambi.py")),
        ANOTHER,
    ),
)
COLUMNS = (
    *("rows", "groups", "contender", "name", "version", "posterior", "status", "rounds"),
    *("seconds", "compile_seconds", *(f"times_table{measure}{end}" for measure in ("", "_sampling") for end in ENDS)),
    "z",
)
TARGETS = tuple(
    Target(
        {"of": "PyMC on rows, times the exact table", **size._asdict(), "at least": TIMES},
        (*size, "pymc"),
        "times_table",
        "at least",
        TIMES,
    )
    for size in (MINNESOTA, UNITED_STATES)
)


def model(frame: pd.DataFrame) -> TwoLevel:
    """State the model, from rows."""
    groups = Replicates.from_frame(frame, group="school", value="score", dim="school")
    half, mu = priors.HalfNormal(1.0), priors.Normal(0.0, 10.0)
    return TwoLevel(groups=groups, tau=half, sigma=half, coefficients=(mu,), relative=False)


def write_rows(size: Size, path: Path, rng: np.random.Generator) -> None:
    """Write rows in groups of very unequal sizes, at least one in each."""
    share = np.exp(SKEWNESS * rng.standard_normal(size.groups))
    more = rng.multinomial(size.rows - size.groups, share / share.sum())
    school = np.repeat(np.arange(size.groups), 1 + more)
    theta = MU + BETWEEN * rng.standard_normal(size.groups)
    score = theta[school] + SIGMA * rng.standard_normal(size.rows)
    pd.DataFrame({"school": school, "score": score}).to_csv(path, index=False)


def play(
    sizes: Iterable[Size],
    contenders: Iterable[Contender] = CONTENDERS,
    *,
    rounds: int,
    pythons: list[str],
    seed: int,
    say: Callable[[str], None] = print,
) -> tuple[list[Entry], dict[Size, pd.Series]]:
    """Let contenders take turns on rows of all sizes; with the exact means of each."""
    with tempfile.TemporaryDirectory() as name:
        rows = {size: Path(name) / f"{size.groups}.csv" for size in sizes}
        for size, path in rows.items():
            write_rows(size, path, np.random.default_rng(size))
        entries = contest.enter(contenders, pythons, rows)
        means = {size: exact_means(path) for size, path in rows.items()}
        return contest.play(entries, rows, rounds=rounds, seed=seed, say=say), means


def exact_means(rows: Path) -> pd.Series:
    """Exact means of what is checked."""
    table = exact.posterior(model(read(str(rows)))).population(("sigma", "sd_between"))
    return table.droplevel("label").loc[list(CHECKED), "mean"]


def table(entries: list[Entry], means: dict[Size, pd.Series]) -> pd.DataFrame:
    """Summarize the rounds: a row a size and contender, COLUMNS.

    Seconds are all that follows reading the rows and importing packages. Ratios to the exact table are taken within a
    round; those of sampling leave compiling out.
    """
    ours = {e.size: _seconds(e)[""] for e in entries if e.contender.key == "table" and e.finished}
    return pd.DataFrame([_row(entry, ours.get(entry.size), means) for entry in entries]).reindex(columns=COLUMNS)


def _row(entry, ours, means):
    contender = entry.contender
    row = {**entry.size._asdict(), "contender": contender.key, "name": contender.name, "version": entry.version}
    row |= {"posterior": contender.posterior, "status": entry.status, "rounds": len(entry.runs)}
    if not entry.finished:
        return row
    seconds = _seconds(entry)
    row |= {"seconds": seconds[""].median(), "compile_seconds": (seconds[""] - seconds["_sampling"]).median()}
    for measure, own_seconds in seconds.items():
        row |= ratio(f"times_table{measure}", own_seconds, ours)
    if entry.runs[0].draws and contender.posterior == SAME:
        row["z"] = efficiency.largest_z(entry.runs, means[entry.size])
    return row


def _seconds(entry):
    """Seconds of each round: all, and without compiling."""
    every = pd.Series([run.total for run in entry.runs])
    return {"": every, "_sampling": every - [run.seconds.get("compile", 0.0) for run in entry.runs]}


def targets(table: pd.DataFrame) -> pd.DataFrame:
    """Compare what should be reached with what was."""
    return contest.compare(TARGETS, table.set_index(["rows", "groups", "contender"]))


def main(rows: str, folder: str, _: str) -> None:
    """Make the exact table and state its errors."""
    frame, watch = read(rows), Stopwatch()
    posterior = exact.posterior(model(frame))
    posterior.table()
    watch.lap("table")
    posterior.error()
    watch.lap("errors")
    write_record(folder, **watch.measured)


if __name__ == "__main__":
    main(*sys.argv[1:])
