"""Effective draws per second on the math tests."""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.benchmark import contest
from analyses.benchmark.contenders import SAME, Contender
from analyses.benchmark.contest import ENDS, Entry, Target, ratio
from analyses.benchmark.runs import CHECKED, POPULATION, Run
from analyses.engines import exact
from models import math_test

Z_LIMIT = 4.5  # Monte Carlo standard errors: of thirty right means one is so far off once in five thousand benchmarks
REFERENCES = ("pymc", "nutpie", "jags")
MEASURES = ("", "_sampling", "_population")  # set-up included; sampling alone; set-up included, without theta
COLUMNS = (
    *("contender", "name", "version", "posterior", "status", "rounds", "draws"),
    *("setup_seconds", "compile_seconds", "first_compile_seconds", "sampling_seconds"),
    *("smallest_ess", "smallest_of", "smallest_ess_population", "per_second", "per_second_sampling"),
    *(f"times_{other}{measure}{end}" for other in REFERENCES for measure in MEASURES for end in ENDS),
    "z",
)


def _target(key, other, least):
    labels = {"of": key, "times": other, "at least": least}
    return Target(labels, key, f"times_{other}_population", "at least", least)


TARGETS = (
    _target("population", "jags", 60),
    _target("gibbs", "jags", 8),
    _target("marginal", "pymc", 5),
    _target("nutpie_marginal", "nutpie", 5),
)


def play(
    contenders: Iterable[Contender], *, rounds: int, pythons: list[str], seed: int, say: Callable[[str], None] = print
) -> list[Entry]:
    """Let contenders take turns on the rows of the math tests."""
    with tempfile.TemporaryDirectory() as name:
        rows = Path(name) / "rows.csv"
        write_rows(rows)
        return contest.play(contest.enter(contenders, pythons), {None: rows}, rounds=rounds, seed=seed, say=say)


def write_rows(path: Path) -> None:
    """Write rows that have exactly the sizes, means and sums of squares of the math tests."""
    labels, values = math_test.data().rows(np.random.default_rng(0))
    pd.DataFrame({"school": labels, "score": values}).to_csv(path, index=False)


def exact_means() -> pd.Series:
    """Exact means of what is checked."""
    table = exact.posterior(math_test.model()).population(("sigma", "sd_between"))
    return table.droplevel("label").loc[list(CHECKED), "mean"]


def table(entries: list[Entry], exact: pd.Series) -> pd.DataFrame:
    """Summarize the rounds: a row a contender, COLUMNS.

    The smallest effective sample size is that of the averages over the rounds: the smallest of a hundred noisy figures
    would be too small. Ratios are medians over the rounds, with the lowest and the highest; a contender whose draws
    are not from the posterior that they should be from, or that broke down in some round, has none.
    """
    rows = {entry.contender.key: _row(entry, exact) for entry in entries}
    ranked = [entry for entry in entries if entry.finished and entry.runs[0].draws]
    rates = {e.contender.key: rates_of(e.runs) for e in ranked if not is_wrong(rows[e.contender.key])}
    for key, own in rates.items():
        for other in REFERENCES:
            for measure in MEASURES:
                reference = rates[other][measure] if other in rates else None
                rows[key] |= ratio(f"times_{other}{measure}", own[measure], reference)
    return pd.DataFrame(list(rows.values())).reindex(columns=COLUMNS).astype({"draws": "Int64"})


def _row(entry, exact):
    contender, runs = entry.contender, entry.runs
    row = {"contender": contender.key, "name": contender.name, "version": entry.version}
    row |= {"posterior": contender.posterior, "status": entry.status, "rounds": len(runs), "smallest_of": ""}
    if not runs:
        return row
    for step in ("setup", "compile", "sampling"):
        row[f"{step}_seconds"] = float(np.median([run.seconds[step] for run in runs]))
    row |= {"draws": 0, "first_compile_seconds": runs[0].seconds["compile"]}
    if not runs[0].draws:
        return row
    rates = rates_of(runs).median(skipna=False)
    return row | {
        "draws": runs[0].draws.count,
        "smallest_ess": smallest_ess(runs),
        "smallest_of": average_ess(runs).idxmin()[0],
        "smallest_ess_population": smallest_ess(runs, POPULATION),
        "per_second": rates[""],
        "per_second_sampling": rates["_sampling"],
        "z": largest_z(runs, exact) if contender.posterior == SAME else np.nan,
    }


def average_ess(runs: tuple[Run, ...]) -> pd.Series:
    """Effective sample size of every quantity, averaged over the rounds."""
    return sum(run.draws.ess for run in runs) / len(runs)


def smallest_ess(runs: tuple[Run, ...], names: tuple[str, ...] = (*POPULATION, "theta")) -> float:
    """The smallest of the averages over the rounds; nan where not all of the names were drawn."""
    ess = average_ess(runs)
    return float(ess.loc[list(names)].min()) if set(names) <= set(ess.index.get_level_values("variable")) else np.nan


def rates_of(runs: tuple[Run, ...]) -> pd.DataFrame:
    """Effective draws per second: a row a round, a column for each of MEASURES. Compiling is never included."""
    sampling = pd.Series([run.seconds["sampling"] for run in runs], dtype=float)
    seconds = sampling + [run.seconds["setup"] for run in runs]
    smallest, population = smallest_ess(runs), smallest_ess(runs, POPULATION)
    return pd.DataFrame({"": smallest / seconds, "_sampling": smallest / sampling, "_population": population / seconds})


def largest_z(runs: tuple[Run, ...], exact: pd.Series) -> float:
    """The largest difference from the exact means, in Monte Carlo standard errors of all rounds together."""
    mean = sum(run.draws.mean for run in runs) / len(runs)
    mcse = np.sqrt(sum(run.draws.mcse**2 for run in runs)) / len(runs)
    z = ((mean - exact.loc[mean.index.get_level_values("variable")].to_numpy()) / mcse).to_numpy()
    return float(z[np.argmax(np.abs(z))])  # nan if there is one


def is_wrong(row) -> bool:
    """Whether the draws are not from the posterior that they should be from; nan, which tells nothing, counts."""
    return row["posterior"] == SAME and row["rounds"] > 0 and not abs(row["z"]) < Z_LIMIT


def targets(table: pd.DataFrame) -> pd.DataFrame:
    """Compare what should be reached with what was."""
    return contest.compare(TARGETS, table.set_index("contender"))
