"""How long a user waits: commands and computations beside a bare process of PyMC, all caches empty, in turn.

The bare process imports PyMC and samples eight schools once. A limit in seconds is for a machine on which that takes
BARE_SECONDS; elsewhere only the ratio means anything.
"""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.benchmark import contest
from analyses.benchmark.contenders import Contender, own, rival, with_empty_caches
from analyses.benchmark.contest import ENDS, Entry, Target, ratio
from analyses.benchmark.scaling import one_way
from analyses.catalog import RUNS
from analyses.cli.command import FAILED, PASSED, USAGE

BARE_SECONDS = 5.3
SMALL = ((12, 9, 15, 11), (14, 17, 10, 13, 16), (8, 7, 11, 9), (19, 12, 15, 18, 14), (10, 13, 9, 12))
COLUMNS = (
    *("job", "name", "version", "status", "rounds", "what", "limit", "times_bare", "times_bare_low", "times_bare_high"),
    *(f"seconds{end}" for end in ENDS),
    "cpu_seconds",
)


def _command(key, name, arguments, *, statuses=(PASSED, FAILED)):
    return Contender(
        key,
        name,
        "the command as a whole",
        with_empty_caches(own("analyses.run")),
        ours=True,
        hands_in="nothing",
        arguments=arguments,
        statuses=statuses,
    )


def _job(key, name, description):
    return Contender(key, name, description, own("analyses.benchmark.jobs", key), ours=True, hands_in="seconds")


def _studies(*names):
    return lambda rows, folder: [*names, "--out", str(folder / "report"), "--quiet"]


BARE = with_empty_caches(rival("pymc", "bare_pymc.py"))
JOBS = (
    Contender("bare", "a bare process of PyMC", "import and sample", BARE, hands_in="nothing", arguments=_studies()),
    _command("all", "every study", _studies()),
    *(_command(name, f"the study {name}", _studies(name)) for name in RUNS),
    _command("table", "a small table by all engines", one_way),
    _command("exact", "the same, exact alone", lambda rows, folder: [*one_way(rows, folder), "--engines", "exact"]),
    _command("missing", "a missing file", lambda rows, folder: one_way(rows / "nowhere", folder), statuses=(USAGE,)),
    _job("three_levels", "three levels", "table and stated errors"),
    _job("priors", "every prior with every other", "table of a hundred groups, the slowest"),
    _job("evidence", "Bayes factors", "for 200 priors of tau"),
)
LIMITS = {  # bare processes
    "all": 4.0,
    **dict.fromkeys((*RUNS, "table"), 10 / BARE_SECONDS),
    "exact": 3 / BARE_SECONDS,
    "missing": 1 / BARE_SECONDS,
    "three_levels": 1 / BARE_SECONDS,
    "priors": 0.5 / BARE_SECONDS,
    "evidence": 2 / BARE_SECONDS,
}
TARGETS = tuple(
    Target({"of": job.name, "at most": LIMITS[job.key]}, job.key, "times_bare", "at most", LIMITS[job.key])
    for job in JOBS
    if job.key in LIMITS
)


def play(
    jobs: Iterable[Contender] = JOBS,
    *,
    rounds: int,
    pythons: list[str],
    seed: int,
    say: Callable[[str], None] = print,
) -> list[Entry]:
    """Let all jobs take turns, on a small table where they need one."""
    with tempfile.TemporaryDirectory() as name:
        rows = Path(name) / "small.csv"
        write_rows(rows)
        return contest.play(contest.enter(jobs, pythons), {None: rows}, rounds=rounds, seed=seed, say=say)


def write_rows(path: Path) -> None:
    """Write a few rows in five groups."""
    rows = [(label, value) for label, values in zip("abcde", SMALL, strict=True) for value in values]
    pd.DataFrame(rows, columns=["school", "score"]).to_csv(path, index=False)


def table(entries: list[Entry]) -> pd.DataFrame:
    """Summarize the rounds: a row a job, COLUMNS; ratios to the bare process are taken within a round."""
    bare = next((_seconds(e) for e in entries if e.contender.key == "bare" and e.finished), None)
    return pd.DataFrame([_row(entry, bare) for entry in entries]).reindex(columns=COLUMNS)


def _row(entry, bare):
    job = entry.contender
    row = {"job": job.key, "name": job.name, "version": entry.version, "status": entry.status}
    row |= {"rounds": len(entry.runs), "what": job.description, "limit": LIMITS.get(job.key, np.nan)}
    if not entry.finished:
        return row
    seconds = _seconds(entry)
    row |= {"cpu_seconds": float(np.median([run.cpu for run in entry.runs]))}
    if job.key == "priors":
        row["what"] += f": {max(entry.runs, key=lambda run: run.total).slowest}"
    return row | ratio("times_bare", seconds, bare) | ratio("seconds", seconds, pd.Series(1.0, seconds.index))


def _seconds(entry):
    return pd.Series([run.total for run in entry.runs])


def targets(table: pd.DataFrame) -> pd.DataFrame:
    """Compare what should be reached with what was."""
    return contest.compare(TARGETS, table.set_index("job"))
