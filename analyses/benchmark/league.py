"""Effective draws per second on the math tests, contenders in turn.

Several times over, so that a machine whose speed drifts is fair to all; and as only ratios within a round mean
anything, it is those that are summarised.
"""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analyses.benchmark.contenders import CHECKED, POPULATION, SAME, Broke, Contender, Found, Run, run
from analyses.engines import exact
from analyses.report.numbers import rounded
from models import math_test

WRONG = 4.5  # Monte Carlo standard errors: of thirty right means one is so far off once in five thousand benchmarks
NOT_INSTALLED = "not installed"
AGAINST = ("pymc", "nutpie", "jags")
COLUMNS = (
    *("contender", "name", "version", "posterior", "status", "rounds", "draws"),
    *("setup_seconds", "compile_seconds", "first_compile_seconds", "sampling_seconds"),
    *("smallest_ess", "smallest_of", "smallest_ess_population", "per_second", "per_second_sampling"),
    *(
        f"times_{who}{what}{end}"
        for who in AGAINST
        for what in ("", "_sampling", "_population")
        for end in ("", "_low", "_high")
    ),
    "z",
)


class Entry(NamedTuple):
    """A contender, its version, its runs in order of the rounds, and what went wrong if anything did."""

    contender: Contender
    version: str = ""
    runs: tuple[Run, ...] = ()
    status: str = ""


class Target(NamedTuple):
    """A contender that should be so many times another in mu, sigma and tau, set-up included."""

    who: str
    other: str
    least: float


TARGETS = (
    Target("population", "jags", 60),
    Target("gibbs", "jags", 8),
    Target("marginal", "pymc", 5),
    Target("nutpie_marginal", "nutpie", 5),
)


def play(
    contenders: Iterable[Contender], *, rounds: int, pythons: list[str], seed: int, say: Callable[[str], None] = print
) -> list[Entry]:
    """Let all contenders take turns. One that is not installed or that fails is left out of what follows, and told."""
    entries = {c.key: (c, c.find(pythons)) for c in contenders}
    state = {key: Entry(c, f.version) if f else Entry(c, status=NOT_INSTALLED) for key, (c, f) in entries.items()}
    with tempfile.TemporaryDirectory() as name:
        rows = Path(name) / "rows.csv"
        write_rows(rows)
        for number in range(rounds):
            for key, (_, found) in entries.items():
                if not state[key].status:
                    state[key] = turn(state[key], found, rows, seed + number)
                    say(f"round {number + 1} of {rounds}: {_told(state[key])}")
    return list(state.values())


def turn(entry: Entry, found: Found, rows: Path, seed: int) -> Entry:
    """Let one contender run once more; its draws, some 100 MB, are judged at once and thrown away."""
    with tempfile.TemporaryDirectory(dir=rows.parent) as folder:
        try:
            return entry._replace(runs=(*entry.runs, run(found, entry.contender.posterior, rows, Path(folder), seed)))
        except Broke as error:
            return entry._replace(status=str(error))


def _told(entry) -> str:
    last = entry.status or ", ".join(f"{what} {rounded(s, 3)} s" for what, s in entry.runs[-1].seconds.items())
    return f"{entry.contender.name}: {last}"


def write_rows(path: Path) -> None:
    """Write rows that have exactly the sizes, means and sums of squares of the math tests."""
    labels, values = math_test.data().rows(np.random.default_rng(0))
    pd.DataFrame({"school": labels, "score": values}).to_csv(path, index=False)


def truth() -> pd.DataFrame:
    """Exact means of what is checked."""
    table = exact.posterior(math_test.model()).population(("sigma", "sd_between"))
    return table.droplevel("label").loc[list(CHECKED)]


def table(entries: list[Entry], exact_means: pd.DataFrame) -> pd.DataFrame:
    """Summarise the rounds: a row a contender, COLUMNS.

    The smallest effective sample size is that of the averages over the rounds: the smallest of a hundred noisy figures
    would be too small. Ratios are medians over the rounds, with the lowest and the highest; a contender whose draws
    are not from the posterior that they should be from, or that broke down in some round, has none.
    """
    rows = pd.DataFrame([_row(entry, exact_means) for entry in entries]).set_index("contender", drop=False)
    right = [e for e in entries if _ranked(e) and not wrong(rows.loc[e.contender.key])]
    for what, rate in (("", whole), ("_sampling", alone), ("_population", of_population)):
        rates = pd.DataFrame({e.contender.key: pd.Series(rate(e.runs), dtype=float) for e in right})
        for who in AGAINST:
            found = ratios(rates, who).add_prefix(f"times_{who}{what}")
            rows[list(found.columns)] = found.reindex(rows.index)
    return rows.reset_index(drop=True).reindex(columns=COLUMNS).astype({"draws": "Int64"})


def _ranked(entry):
    return bool(entry.runs and not entry.status and entry.runs[0].ess is not None)


def _row(entry, exact_means):
    c, runs = entry.contender, entry.runs
    row = {"contender": c.key, "name": c.name, "version": entry.version, "posterior": c.posterior}
    row |= {"status": entry.status, "rounds": len(runs), "smallest_of": ""}
    if not runs:
        return row
    for what in ("setup", "compile", "sampling"):
        row[f"{what}_seconds"] = float(np.median([r.seconds[what] for r in runs]))
    row |= {"draws": runs[0].draws, "first_compile_seconds": runs[0].seconds["compile"]}
    if runs[0].ess is None:
        return row
    ess = average(runs)
    return row | {
        "smallest_ess": smallest(runs),
        "smallest_of": ess.idxmin()[0],
        "smallest_ess_population": smallest(runs, POPULATION),
        "per_second": float(np.median(whole(runs))),
        "per_second_sampling": float(np.median(alone(runs))),
        "z": z(runs, exact_means) if c.posterior == SAME else np.nan,
    }


def average(runs: tuple[Run, ...]) -> pd.Series:
    """Effective sample size of every quantity, averaged over the rounds."""
    return sum(r.ess for r in runs) / len(runs)


def smallest(runs: tuple[Run, ...], names=None) -> float:
    """The smallest of the averages, of mu, sigma, tau and every theta, or of some; nan where not all were drawn."""
    ess, wanted = average(runs), list(names or (*POPULATION, "theta"))
    return float(ess.loc[wanted].min()) if set(wanted) <= set(ess.index.get_level_values("variable")) else np.nan


def whole(runs: tuple[Run, ...], names=None) -> list[float]:
    """Effective draws per second in each round, set-up included and compiling not."""
    return [smallest(runs, names) / (r.seconds["setup"] + r.seconds["sampling"]) for r in runs]


def alone(runs: tuple[Run, ...]) -> list[float]:
    """The same for sampling alone."""
    return [smallest(runs) / r.seconds["sampling"] for r in runs]


def of_population(runs: tuple[Run, ...]) -> list[float]:
    """The same as `whole` for mu, sigma and tau, without theta."""
    return whole(runs, POPULATION)


def ratios(rates: pd.DataFrame, other: str) -> pd.DataFrame:
    """How many times that of `other` a rate is: the median over the rounds, the lowest and the highest.

    Parameters
    ----------
    rates : DataFrame
        A row a round, a column a contender.
    other : str
        Where it is no column there is nothing to compare with.

    Returns
    -------
    DataFrame
        Columns "", "_low" and "_high".

    Examples
    --------
    >>> ratios(pd.DataFrame({"a": [6.0, 8.0, 20.0], "b": [1.0, 2.0, 2.0]}), "b").loc["a"].to_list()
    [6.0, 4.0, 10.0]
    """
    over = rates.div(rates.get(other, np.nan), axis=0)
    return pd.DataFrame({"": over.median(), "_low": over.min(), "_high": over.max()}, index=rates.columns)


def z(runs: tuple[Run, ...], exact_means: pd.DataFrame) -> float:
    """The largest difference from the exact means, in Monte Carlo standard errors of all rounds together."""
    mean = sum(r.mean for r in runs) / len(runs)
    mcse = np.sqrt(sum(r.mcse**2 for r in runs)) / len(runs)
    off = ((mean - exact_means["mean"].loc[mean.index.get_level_values("variable")].to_numpy()) / mcse).to_numpy()
    return float(off[np.argmax(np.abs(off))])  # nan if there is one


def wrong(row: pd.Series) -> bool:
    """Whether the draws are not from the posterior that they should be from; nan, which tells nothing, counts."""
    return row["posterior"] == SAME and row["rounds"] > 0 and not abs(row["z"]) < WRONG


def targets(found: pd.DataFrame) -> pd.DataFrame:
    """What should be reached, and what was."""
    found = found.set_index("contender")
    return pd.DataFrame([_reached(target, found) for target in TARGETS])


def _reached(target, found):
    column = f"times_{target.other}_population"
    measured, low, high = (
        found.loc[target.who, f"{column}{end}"] if target.who in found.index else np.nan
        for end in ("", "_low", "_high")
    )
    met = "not measured" if np.isnan(measured) else "yes" if measured >= target.least else "no"
    asked = {"of": target.who, "times": target.other, "at least": target.least}
    return asked | {"measured": measured, "measured_low": low, "measured_high": high, "met": met}
