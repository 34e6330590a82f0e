"""The first part of the benchmark's page: effective draws per second on the math tests."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analyses.benchmark import efficiency
from analyses.benchmark.contenders import CONTENDERS, SAME
from analyses.benchmark.page import (
    NAME,
    OURS,
    THEIRS,
    Part,
    absent,
    broke_down,
    not_compared,
    ratio_with_range,
    rounds_in_words,
    times,
    with_ranges,
)
from analyses.checks import Verdict
from analyses.report.figures import figure_of
from analyses.report.pages import Section

BY_KEY = {contender.key: contender for contender in CONTENDERS}
RATIOS = {  # column of the page to column of the table
    "times PyMC on rows": "times_pymc",
    "times JAGS": "times_jags",
    "sampling alone: times PyMC on rows": "times_pymc_sampling",
    "sampling alone: times JAGS": "times_jags_sampling",
    "mu, sigma, tau: times JAGS": "times_jags_population",
    "mu, sigma, tau: times PyMC on rows": "times_pymc_population",
}
SECONDS = {
    "name": "contender",
    "setup_seconds": "set-up",
    "compile_seconds": "compiling",
    "first_compile_seconds": "compiling first",
    "sampling_seconds": "sampling",
    "draws": "draws",
    "smallest_ess": "smallest ESS",
    "smallest_of": "of",
    "smallest_ess_population": "of mu, sigma, tau",
}
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
    "highest. A contender whose mean of mu, sigma or sd_between is more than {limit} Monte Carlo standard errors from "
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


def part(table: pd.DataFrame) -> Part:
    """Sections, figure and verdicts from the table of the league."""
    figures = {"benchmark_ratios": (bars(table), _caption(table))} if _has_ratio(table).any() else {}
    text = f"The math tests: 1993 pupils in 100 schools. {rounds_in_words(table, 'ratios')}"
    sections = (
        Section(title="Effective draws per second", text=text, figures=figures, table=_ratios(table)),
        Section(
            title="What should be reached",
            text="Of mu, sigma and tau, set-up included, compiling not.",
            table=_targets(table),
        ),
        Section(
            title="Seconds",
            text="Medians, on the machine that made this page.",
            table=table[list(SECONDS)].rename(columns=SECONDS),
        ),
        Section(title="Who takes part", table=_contenders(table)),
        Section(title="What is counted", text=COUNTED.format(limit=efficiency.Z_LIMIT)),
        Section(title="What is not like for like", text=UNLIKE),
    )
    return Part(_sentence(table), sections, {"benchmark.csv": table}, tuple(_verdicts(table)))


def _sentence(table):
    exact = table[table["contender"] == "exact"]
    comparisons = [
        f"{times(ratio)} times as many as {BY_KEY[other].name}"
        for other in ("jags", "pymc")
        for ratio in exact[f"times_{other}"]
        if ratio > 0
    ]
    if not comparisons:
        return "Who was compared is in the table."
    return (
        f"Independent draws from the exact posterior come to {' and '.join(comparisons)} in a second, set-up included."
    )


def _has_ratio(table):
    return table["times_pymc"] > 0


def bars(table: pd.DataFrame) -> Figure:
    """Ratios to the rows model in PyMC on a log scale, set-up included, with the range over the rounds."""
    shown = table[_has_ratio(table)].sort_values("times_pymc")
    figure, ax = figure_of(height=0.9 + 0.3 * len(shown))
    y = np.arange(len(shown))
    colors = [OURS if BY_KEY[key].ours else THEIRS for key in shown["contender"]]
    ax.barh(y, shown["times_pymc"] - 1, left=1, color=colors, height=0.6)
    ax.hlines(y, shown["times_pymc_low"], shown["times_pymc_high"], color="#222222", linewidth=1.2)
    ax.axvline(1, color="#222222", linewidth=0.8)
    ax.set(xscale="log", yticks=y, xlabel="times the effective draws per second of PyMC on rows, set-up included")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.tick_params(labelsize=8)
    ax.xaxis.label.set_size(8)
    ax.set_yticklabels(shown["name"] + np.where(shown["posterior"] == SAME, "", "*"))
    return figure


def _caption(table):
    other = " * Another posterior." if (table.loc[_has_ratio(table), "posterior"] != SAME).any() else ""
    return f"Ratios to PyMC on rows, with their range over the rounds; routes of this package in blue.{other}"


def _ratios(table):
    return pd.DataFrame([
        {"contender": row["name"]}
        | {heading: ratio_with_range(row, column) for heading, column in RATIOS.items()}
        | {"compiling (s)": row["compile_seconds"], "agrees": _agrees(row)}
        for _, row in table.iterrows()
    ])  # fmt: skip


def _agrees(row):
    if unlike := not_compared(row):
        return unlike
    return f"{'no' if efficiency.is_wrong(row) else 'yes'}, z = {row['z']:.1f}"


def _targets(table):
    names = {key: contender.name for key, contender in BY_KEY.items()}
    return with_ranges(efficiency.targets(table).replace({"of": names, "times": names}))


def _contenders(table):
    return pd.DataFrame({
        "contender": table["name"],
        "version": table["version"],
        "what it is": [BY_KEY[key].description for key in table["contender"]],
        "posterior": table["posterior"],
    })  # fmt: skip


def _verdicts(table):
    """Who ran, and whether those who should have our posterior have it."""
    ran = (table["status"] == "").sum()
    without = f"; not installed: {absent(table)}" if absent(table) else ""
    yield NAME, Verdict("runs", bool(ran > 0), f"{ran} of {len(table)} contenders ran{without}")
    for _, row in table.iterrows():
        if failure := broke_down(row):
            yield row["name"], failure
        elif row["posterior"] == SAME and not row["status"]:
            right = not efficiency.is_wrong(row)
            agrees = f"means of mu, sigma and sd_between {'agree' if right else 'do not agree'} with the exact ones"
            yield row["name"], Verdict("agreement", right, f"{agrees}, largest |z| {abs(row['z']):.1f}")
