"""What the benchmark found, as a page: each part hands in its sentence, sections, tables and verdicts."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analyses.benchmark import league
from analyses.benchmark.contenders import CONTENDERS, POINT, SAME
from analyses.checks import Verdict
from analyses.report.figures import POOLED, RAW, figure_of
from analyses.report.numbers import rounded
from analyses.report.pages import Page, Section

BY_KEY = {contender.key: contender for contender in CONTENDERS}
NAME = "benchmark"
OURS, THEIRS = POOLED, RAW
COUNTED = (
    "A contender's figure is the smallest effective sample size (bulk) of mu, sigma, tau and every theta, per second. "
    "ArviZ computes them here, from the draws of all. Each run is a process of its own, on one core, "
    "chains in turn; the rows are in memory when the clock starts, and importing packages is not counted, nor is "
    "writing the draws down.\n\n"
    "Set-up is stating the model, reducing rows to summaries where that is done, quadrature, pilot runs, adapting and "
    "tuning. Compiling is told apart, as it is the same for any number of draws and may be kept on disk: in PyMC and "
    "bambi all of pm.sample that is not what it calls sampling time; in nutpie its compile call; in numpyro what a "
    "first run takes beyond a second one; in JAGS reading the data and building the graph. The first compilation is "
    "that of the first round, and is longer where no cache has it yet.\n\n"
    "The contenders take turns, and a ratio is taken within a round: its median is given, with the lowest and the "
    "highest. A contender whose mean of mu, sigma or sd_between is more than {wrong} Monte Carlo standard errors from "
    "the exact one has no ratio."
)
UNLIKE = (
    "JAGS, Gibbs and independent draws keep 40,000 (400,000 without theta), NUTS 4,000 after 4,000 of tuning, or 2,000 "
    "where theta is integrated out: where draws are cheap a set-up is spread over more of them, as a user would do. "
    "Sampling alone has none of that. Replicated data and shrinkage, which a run of this package adds, are nobody's "
    "draws and not counted.\n\n"
    "PyMC's NUTS aims at an acceptance of 0.8, its default, on summaries and on rows, nutpie and numpyro at theirs. "
    "Our runs of PyMC have fast mathematics switched off, so that draws repeat; the others have it. JAGS has proper "
    "priors in place of the flat ones, too wide to be felt; it finds nothing to adapt here. bambi chooses priors of "
    "its own, so its posterior is another, and its figure says what a formula costs. numpyro computes in single "
    "precision, all four chains at once. nutpie does not say when it has tuned: its time is divided by the number of "
    "its steps. lme4 gives a point estimate and no draws: only its time is stated."
)


class Part(NamedTuple):
    """One part of the page."""

    sentence: str
    sections: tuple[Section, ...]
    tables: dict[str, pd.DataFrame]
    verdicts: tuple[tuple[str, Verdict], ...] = ()


def page(*parts: Part) -> Page:
    """All parts as one page."""
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


def of_league(found: pd.DataFrame) -> Part:
    """What the league found; `found` as league.table gives it."""
    figures = {"benchmark_ratios": (bars(found), _caption(found))} if _drawn(found).any() else {}
    sections = (
        Section(title="Effective draws per second", text=_rounds(found), figures=figures, table=_ratios(found)),
        Section(
            title="What should be reached",
            text="Of mu, sigma and tau, set-up included, compiling not.",
            table=_targets(found),
        ),
        Section(title="Seconds", text="Medians, on the machine that made this page.", table=_seconds(found)),
        Section(title="Who takes part", table=_contenders(found)),
        Section(title="What is counted", text=COUNTED.format(wrong=league.WRONG)),
        Section(title="What is not like for like", text=UNLIKE),
    )
    return Part(_sentence(found), sections, {"benchmark.csv": found}, tuple(_verdicts(found)))


def _sentence(found):
    at = found.set_index("contender")
    said = [
        f"{times(at.loc[who, f'times_{other}'])} times as many as {BY_KEY[other].name}"
        for who, other in (("exact", "jags"), ("exact", "pymc"))
        if who in at.index and at.loc[who, f"times_{other}"] > 0
    ]
    if not said:
        return "Who was compared is in the table."
    return f"Independent draws from the exact posterior come to {' and '.join(said)} in a second, set-up included."


def times(ratio: float) -> str:
    """Two digits of a ratio, which the next machine will not repeat anyway.

    Examples
    --------
    >>> times(0.1234), times(5.587), times(69.6), times(1234.5)
    ('0.12', '5.6', '70', '1,234')
    """
    return rounded(ratio) if ratio < 99.5 else f"{ratio:,.0f}"


def _rounds(found):
    rounds = int(found["rounds"].max())
    turns = f"{rounds} rounds, in turn." if rounds > 1 else "One round: ratios as they fell out, without a range."
    return f"The math tests: 1993 pupils in 100 schools. {turns}"


def _drawn(found):
    return found["times_pymc"] > 0


def bars(found: pd.DataFrame) -> Figure:
    """Ratios to the rows model in PyMC on a log scale, set-up included, with the range over the rounds."""
    shown = found[_drawn(found)].sort_values("times_pymc")
    figure, ax = figure_of(height=0.9 + 0.3 * len(shown))
    y = np.arange(len(shown))
    colours = [OURS if BY_KEY[key].ours else THEIRS for key in shown["contender"]]
    ax.barh(y, shown["times_pymc"] - 1, left=1, color=colours, height=0.6)
    ax.hlines(y, shown["times_pymc_low"], shown["times_pymc_high"], color="#222222", linewidth=1.2)
    ax.axvline(1, color="#222222", linewidth=0.8)
    ax.set(xscale="log", yticks=y, xlabel="times the effective draws per second of PyMC on rows, set-up included")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.tick_params(labelsize=8)
    ax.xaxis.label.set_size(8)
    ax.set_yticklabels(shown["name"] + np.where(shown["posterior"] == SAME, "", "*"))
    return figure


def _caption(found):
    other = " * Another posterior." if (found.loc[_drawn(found), "posterior"] != SAME).any() else ""
    return f"Ratios to PyMC on rows, with their range over the rounds; routes of this package in blue.{other}"


def _ratios(found):
    return pd.DataFrame(
        {
            "contender": found["name"],
            "times PyMC on rows": _ranges(found, "times_pymc"),
            "times JAGS": _ranges(found, "times_jags"),
            "sampling alone: times PyMC on rows": _ranges(found, "times_pymc_sampling"),
            "sampling alone: times JAGS": _ranges(found, "times_jags_sampling"),
            "mu, sigma, tau: times JAGS": _ranges(found, "times_jags_population"),
            "mu, sigma, tau: times PyMC on rows": _ranges(found, "times_pymc_population"),
            "compiling (s)": found["compile_seconds"],
            "agrees": [_agrees(row) for _, row in found.iterrows()],
        }
    )


def _ranges(found, column):
    """Medians with the lowest and the highest of the rounds, where there were several."""
    ends = zip(*(found[f"{column}{end}"] for end in ("", "_low", "_high")), found["rounds"], strict=True)
    return [_ranged(*row) for row in ends]


def _ranged(middle, low, high, rounds):
    if not middle > 0:
        return ""
    spread = f" ({times(low)} to {times(high)})" if rounds > 1 and low < high else ""
    return f"{times(middle)}{spread}"


def _agrees(row):
    if row["status"]:
        return row["status"]
    if row["posterior"] != SAME:
        return "a point estimate" if row["posterior"] == POINT else "another posterior"
    return f"{'no' if league.wrong(row) else 'yes'}, z = {row['z']:.1f}"


def _targets(found):
    names = {key: contender.name for key, contender in BY_KEY.items()}
    reached = league.targets(found).replace({"of": names, "times": names})
    reached["measured"] = _ranges(reached.assign(rounds=found["rounds"].max()), "measured")
    return reached.drop(columns=["measured_low", "measured_high"])


def _seconds(found):
    return pd.DataFrame(
        {
            "contender": found["name"],
            "set-up": found["setup_seconds"],
            "compiling": found["compile_seconds"],
            "compiling first": found["first_compile_seconds"],
            "sampling": found["sampling_seconds"],
            "draws": found["draws"],
            "smallest ESS": found["smallest_ess"],
            "of": found["smallest_of"],
            "of mu, sigma, tau": found["smallest_ess_population"],
        }
    )


def _contenders(found):
    return pd.DataFrame(
        {
            "contender": found["name"],
            "version": found["version"],
            "what it is": [BY_KEY[key].what for key in found["contender"]],
            "posterior": found["posterior"],
        }
    )


def _verdicts(found):
    """Who ran, and whether those who should have our posterior have it."""
    ran, absent = found[found["status"] == ""], found.loc[found["status"] == league.NOT_INSTALLED, "name"]
    without = f"; not installed: {', '.join(absent)}" if len(absent) else ""
    yield NAME, Verdict("runs", len(ran) > 0, f"{len(ran)} of {len(found)} contenders ran{without}")
    for _, row in found.iterrows():
        if row["status"] and row["status"] != league.NOT_INSTALLED:
            yield row["name"], Verdict("runs", False, f"broke down: {row['status']}")
        elif row["posterior"] == SAME and not row["status"]:
            right = not league.wrong(row)
            agrees = f"means of mu, sigma and sd_between {'agree' if right else 'do not agree'} with the exact ones"
            yield row["name"], Verdict("agreement", right, f"{agrees}, largest |z| {abs(row['z']):.1f}")
