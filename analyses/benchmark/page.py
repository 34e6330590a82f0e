"""The benchmark as a page: each part hands in its sentence, sections, tables and verdicts."""

import math
from dataclasses import dataclass

import pandas as pd

from analyses.benchmark.contenders import POINT, SAME
from analyses.benchmark.contest import ENDS, NOT_INSTALLED
from analyses.checks import Verdict
from analyses.report.figures import POOLED, RAW
from analyses.report.numbers import rounded
from analyses.report.pages import Page, Section

NAME = "benchmark"
OURS, THEIRS = POOLED, RAW  # colors


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the page."""

    sentence: str
    sections: tuple[Section, ...]
    tables: dict[str, pd.DataFrame]
    verdicts: tuple[tuple[str, Verdict], ...] = ()


def build(*parts: Part) -> Page:
    """Put all parts on one page."""
    sections = tuple(section for part in parts for section in part.sections)
    return Page(
        name=NAME,
        title="Benchmark: effective draws per second, and what size costs",
        question="What do summaries and quadrature buy, beside what a user might write for PyMC, numpyro or JAGS, and "
        "how do time and memory grow with rows and groups?",
        sentence=" ".join(part.sentence for part in parts),
        sections=sections,
        picture=next((name for section in sections for name in section.figures), ""),
        data=("math_test",),
        tables={name: table for part in parts for name, table in part.tables.items()},
        more=tuple(verdict for part in parts for verdict in part.verdicts),
    )


def times(ratio: float) -> str:
    """Two digits of a ratio, which the next machine will not repeat anyway.

    Examples
    --------
    >>> times(0.1234), times(5.587), times(69.6), times(1234.5)
    ('0.12', '5.6', '70', '1,234')
    """
    return rounded(ratio) if ratio < 99.5 else f"{ratio:,.0f}"


def ratio_with_range(row: pd.Series, column: str) -> str:
    """A median with the lowest and the highest of the rounds, where they differ; empty where there is none.

    Examples
    --------
    >>> ratio_with_range({"times": 7.5, "times_low": 5.0, "times_high": 10.0}, "times")
    '7.5 (5.0 to 10)'
    """
    middle, low, high = (row.get(f"{column}{end}", math.nan) for end in ENDS)
    if not middle > 0:
        return ""
    return times(middle) + (f" ({times(low)} to {times(high)})" if low < high else "")


def with_ranges(reached: pd.DataFrame) -> pd.DataFrame:
    """Targets as the page shows them: what was measured with its range."""
    measured = [ratio_with_range(row, "measured") for _, row in reached.iterrows()]
    return reached.assign(measured=measured).drop(columns=["measured_low", "measured_high"], errors="ignore")


def broke_down(row: pd.Series, where: str = "") -> Verdict | None:
    """The verdict on a contender that broke down; None if it did not."""
    if row["status"] in ("", NOT_INSTALLED):
        return None
    return Verdict("runs", False, f"broke down{where}: {row['status']}")


def not_compared(row: pd.Series) -> str:
    """Why a contender's means are not compared with ours; empty where they are."""
    if row["status"] or row["posterior"] == SAME:
        return row["status"]
    return "a point estimate" if row["posterior"] == POINT else "another posterior"


def absent(table: pd.DataFrame) -> str:
    """Names of the contenders that are not installed."""
    return ", ".join(table.loc[table["status"] == NOT_INSTALLED, "name"].unique())


def rounds_in_words(table: pd.DataFrame, figures: str) -> str:
    """Say how many rounds there were, and what the figures of a single one lack."""
    rounds = int(table["rounds"].max())
    return f"{rounds} rounds, in turn." if rounds > 1 else f"One round: {figures} as they fell out, without a range."
