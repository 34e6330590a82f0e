"""The fourth part of the benchmark's page: how long a user waits."""

import pandas as pd

from analyses.benchmark import waiting
from analyses.benchmark.page import NAME, Part, broke_down, ratio_with_range, rounds_in_words, times
from analyses.checks import Verdict
from analyses.report.numbers import rounded
from analyses.report.pages import Section

COUNTED = (
    "The bare process imports PyMC and samples a noncentered model of eight schools once, chains in turn. Commands are "
    "timed from outside, Python's start and the report too; each begins with empty caches of PyTensor and numba. "
    "Three levels, priors and Bayes factors are timed from within, when everything is imported. Limits are multiples "
    "of the bare process; those that were stated in seconds are for a machine on which it takes {bare} s."
)


def part(table: pd.DataFrame) -> Part:
    """Sections and verdicts from the table of the jobs."""
    sections = (
        Section(
            title="How long one waits",
            text=f"As multiples of a bare process of PyMC. {rounds_in_words(table, 'ratios')}",
            table=_rows(table),
        ),
        Section(title="How waiting is counted", text=COUNTED.format(bare=waiting.BARE_SECONDS)),
    )
    return Part(_sentence(table), sections, {"benchmark_waiting.csv": table}, tuple(_verdicts(table)))


def _verdicts(table):
    """How many jobs ran, and which broke down."""
    ran = (table["status"] == "").sum()
    yield NAME, Verdict("runs", bool(ran == len(table)), f"{ran} of {len(table)} jobs ran")
    for _, row in table.iterrows():
        if failure := broke_down(row):
            yield row["name"], failure


def _sentence(table):
    every = table.loc[table["job"] == "all", "times_bare"]
    if not (every > 0).any():
        return "How long one waits is in the table."
    return f"All studies together take {times(every.iloc[0])} times what a bare process of PyMC takes."


def _rows(table):
    met = waiting.targets(table).set_index("of")["met"]
    return pd.DataFrame([
        {
            "job": row["name"],
            "what": row["what"],
            "seconds": "" if pd.isna(row["seconds"]) else rounded(row["seconds"], 3),
            "of all processors": "" if pd.isna(row["cpu_seconds"]) else rounded(row["cpu_seconds"], 3),
            "times bare": ratio_with_range(row, "times_bare"),
            "at most": "" if pd.isna(row["limit"]) else times(row["limit"]),
            "met": row["status"] or met.get(row["name"], ""),
        }
        for _, row in table.iterrows()
    ])  # fmt: skip
