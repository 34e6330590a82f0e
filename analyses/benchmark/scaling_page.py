"""The second part of the benchmark's page: time and memory against rows and groups."""

import pandas as pd
from matplotlib.figure import Figure

from analyses.benchmark import scaling
from analyses.benchmark.page import (
    OURS,
    THEIRS,
    Part,
    absent,
    broke_down,
    ratio_with_range,
    rounds_in_words,
    times,
    with_ranges,
)
from analyses.benchmark.simulate_rows import Size
from analyses.checks import Verdict
from analyses.report.figures import figure_of
from analyses.report.numbers import rounded
from analyses.report.pages import Section

NAMES = {route.key: route.name for route in scaling.ROUTES}
STYLES = {  # route to color, line and marker
    "bare": (THEIRS, "-", "o"),
    "means": (OURS, "-", "o"),
    "intervals": (OURS, "--", "s"),
    "command": (OURS, ":", "^"),
    "mixedlm": ("#222222", "--", "v"),
    "lme4": ("#222222", "-", "D"),
}
STEPS = dict(
    zip(scaling.STEPS, ("reducing", "stating", "posterior", "population", "moments", "intervals"), strict=True)
)
RATIOS = {
    **dict.fromkeys(("means", "both_scales", "intervals", "command"), "bare"),
    **dict.fromkeys(("mixedlm", "lme4", "polars"), "frame"),
}
CAPTION = (
    "Seconds, medians over the rounds, on logarithmic scales: on the left against rows in about a hundred groups, on "
    "the right against groups of about twenty rows. Routes of this package in blue."
)
COUNTED = (
    "Each run is a process of its own, on all processors that it may use. Its clock starts when everything is imported "
    "and stops when the answers are there; that of the command starts before Python does and stops when its report is "
    "written. Peak memory is the process's own, interpreter and imports included. Parquet files lie in the cache of "
    "the system.\n\n"
    "Rows are made at random, each of a group and normal about its mean, and lie in random order; sizes of groups are "
    "spread evenly from a quarter of the average up to as far above it. The labels are whole numbers. The posterior "
    "costs what the distinct sizes of groups do, which are in benchmark_sizes.csv.\n\n"
    "From Parquet to means is: rows reduced where they are, by DuckDB; the posterior of mu, sigma, tau with "
    "tau ~ HalfCauchy(1) in units of sigma, with the means, sds and quantiles of all three and of sd_between; means "
    "and sds of every theta and kappa. The bare group-by is a count, an average and a variance of each group in "
    "DuckDB, fetched as NumPy arrays. Routes take turns, ratios are taken within a round, and the command runs in the "
    "first round only. Beside the ratios of seconds stand those of the seconds of all processors "
    "together: DuckDB keeps all of them busy, what follows one, and other work on the machine is felt less.\n\n"
    "lme4 begins with rows in memory, the groups a factor already, and mixedlm-rs with a pandas frame. Both give a "
    "point: no sds of the scales, no theta. They are compared with means from a pandas frame, and run up to {rows:,} "
    "rows and {groups:,} groups.\n\n"
    "Answers are held against a plain path, once for each size: up to {plain_groups:,} groups and {plain_rows:,} rows "
    "the rows are read into memory and reduced group by group, and mu, the scales, and theta and kappa of {sample} "
    "groups, each a mixture over the nodes, are compared; beyond, theta and kappa alone. The largest relative "
    "difference of a mean or an sd is told."
)


def part(table: pd.DataFrame) -> Part:
    """Sections, figure and verdicts from the table of the sizes."""
    figures = {"benchmark_sizes": (lines(table), CAPTION)} if table["seconds"].notna().any() else {}
    sections = (
        Section(title="What size costs", text=_text(table), figures=figures, table=_by_size(table, _ratios)),
        Section(title="What size should cost", table=_targets(table)),
        Section(title="Seconds and memory", text="Medians, and the highest peaks.", table=_by_size(table, _seconds)),
        Section(
            title="Where the time goes",
            text="Shares of the steps from Parquet to means and intervals: reading and reducing rows, stating the "
            "groups, the posterior of the scales, the table of mu and the scales, means and sds of theta and kappa of "
            "all groups, the intervals of theta.",
            table=_by_size(table, _shares),
        ),
        Section(title="How size is counted", text=_counted()),
    )
    return Part(_sentence(table), sections, {"benchmark_sizes.csv": table}, tuple(_verdicts(table)))


def _counted():
    from analyses.benchmark.scaling_routes import PLAIN_GROUPS, PLAIN_ROWS, SAMPLE

    sizes = {"plain_groups": PLAIN_GROUPS, "plain_rows": PLAIN_ROWS, "sample": SAMPLE}
    return COUNTED.format(**sizes, **scaling.LARGEST_IN_MEMORY._asdict())


def lines(table: pd.DataFrame) -> Figure:
    """Seconds against rows and against groups."""
    figure, (few, many) = figure_of(width=7.4, height=3.6, ncols=2, sharey=True)
    _draw(few, table[table["groups"] == scaling.FEW], "rows")
    _draw(many, table[table["rows"] == scaling.AVERAGE * table["groups"]], "groups")
    few.set(xlabel=f"rows, in {scaling.FEW} groups", ylabel="seconds")
    many.set(xlabel=f"groups, of about {scaling.AVERAGE} rows")
    for ax in (few, many):
        ax.xaxis.label.set_size(8)
        ax.yaxis.label.set_size(8)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(frameon=False, fontsize=7)
    return figure


def _draw(ax, table, against):
    ax.tick_params(labelsize=8)
    ax.set(xscale="log", yscale="log")
    for key, (color, line, marker) in STYLES.items():
        points = table[(table["route"] == key) & table["seconds"].notna()].sort_values(against)
        if len(points):
            style = {"color": color, "linestyle": line, "marker": marker, "markersize": 4, "linewidth": 1.2}
            ax.plot(points[against], points["seconds"], label=NAMES[key], **style)


def _sentence(table):
    rows = table[(table["rows"] == scaling.LARGE.rows) & (table["groups"] == scaling.LARGE.groups)]
    rows = rows[(rows["route"] == "intervals") & (rows["times_bare"] > 0)]
    if not len(rows):
        return "What size costs is in the table."
    row = rows.iloc[0]
    return (
        f"From {row['rows']:,} rows in a Parquet file to the means, sds and intervals of {row['groups']:,} groups "
        f"takes {times(row['times_bare'])} times what DuckDB takes to group the rows, and {row['peak_mib']:,.0f} MiB."
    )


def _text(table):
    without = f" Not installed: {absent(table)}." if absent(table) else ""
    against = "Ratios to the bare group-by of the same rows; of mixedlm-rs, lme4, Polars, to means from a pandas frame."
    return f"{against} {rounds_in_words(table, 'figures')}{without}"


def _by_size(table, cells):
    """A row for each size, with the cells that a function makes of its routes; None where there are none."""
    rows = []
    for (n, groups), same_size in table.groupby(["rows", "groups"]):
        routes = {row["route"]: row for _, row in same_size.iterrows()}
        if shown := cells(routes):
            rows.append({"rows": int(n), "groups": int(groups)} | shown)
    return pd.DataFrame(rows).fillna("") if rows else None


def _ratios(routes):
    cells = {}
    for key, other in RATIOS.items():
        row = routes.get(key, {})
        cells[f"{NAMES[key]} / {NAMES[other]}"] = ratio_with_range(row, f"times_{other}") or row.get("status", "")
    for key in ("means", "intervals"):
        cells[f"processors: {NAMES[key]} / bare group-by"] = ratio_with_range(routes.get(key, {}), "cpu_times_bare")
    return cells | {"answers off by": _off(routes)}


def _off(routes):
    if "plain" not in routes:
        return ""
    row = routes["plain"]
    return row["status"] or f"{row['off']:.1e} ({row['off_most']})"


def _targets(table):
    reached = with_ranges(scaling.targets(table))
    for name in ("rows", "groups"):
        reached[name] = ["any" if pd.isna(value) else f"{int(value):,}" for value in reached[name]]
    return reached


def _seconds(routes):
    cells = {f"{NAMES[key]} (s)": _three_digits(row["seconds"]) for key, row in routes.items() if key != "plain"}
    for key in ("bare", "intervals", "command"):
        if key in routes:
            peak = routes[key]["peak_mib"]
            cells[f"{NAMES[key]} (MiB)"] = "" if pd.isna(peak) else f"{peak:,.0f}"
    return cells


def _three_digits(seconds):
    return "" if pd.isna(seconds) else rounded(seconds, 3)


def _shares(routes):
    row = routes.get("intervals", {})
    if not row.get("seconds", 0) > 0:
        return {}
    steps = row[[f"{step}_seconds" for step in STEPS]].astype(float)
    shares = {name: f"{100 * s / steps.sum():.0f}%" for name, s in zip(STEPS.values(), steps, strict=True)}
    return {"seconds": _three_digits(row["seconds"])} | shares


def _verdicts(table):
    """Who broke down, and whether the answers are those of the plain path."""
    for _, row in table.iterrows():
        if failure := broke_down(row, f" at {Size(row['rows'], row['groups'])}"):
            yield row["name"], failure
    compared = table[(table["route"] == "plain") & (table["status"] == "")]
    if len(compared):
        alike = bool((compared["off"] <= scaling.DIFFERENCE_LIMIT).all())
        worst = compared.loc[compared["off"].idxmax(skipna=True)] if compared["off"].notna().any() else compared.iloc[0]
        message = f"largest relative difference from the plain path at {len(compared)} sizes {worst['off']:.1e}"
        yield "sizes", Verdict("agreement", alike, f"{message} ({worst['off_most']})")
