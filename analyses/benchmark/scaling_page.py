"""The second part of the benchmark's page: what size costs."""

import pandas as pd
from matplotlib.figure import Figure

from analyses.benchmark import scaling
from analyses.benchmark.page import OURS, THEIRS, Part, times
from analyses.benchmark.simulate_rows import Size
from analyses.checks import Verdict
from analyses.report.figures import figure_of
from analyses.report.numbers import rounded
from analyses.report.pages import Section

BY_KEY = {route.key: route for route in scaling.ROUTES}
DRAWN = {  # route to colour, line and marker
    "bare": (THEIRS, "-", "o"),
    "means": (OURS, "-", "o"),
    "intervals": (OURS, "--", "s"),
    "command": (OURS, ":", "^"),
    "lme4": ("#222222", "-", "D"),
}
STEPS = dict(
    zip(scaling.STEPS, ("reducing", "stating", "posterior", "population", "moments", "intervals"), strict=True)
)
RATIOS = {"means": "bare", "intervals": "bare", "command": "bare", "lme4": "frame", "polars": "frame"}
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
    "lme4 begins with rows in memory, the groups a factor already, and gives a point: no sds of the scales, no theta. "
    "It is held against means from a pandas frame. It runs up to {rows:,} rows and {groups:,} groups.\n\n"
    "Answers are held against a plain path, once for each size: up to {plain_groups:,} groups and {plain_rows:,} rows "
    "the rows are read into memory and reduced group by group, and mu, the scales, and theta and kappa of {sample} "
    "groups, each a mixture over the nodes, are compared; beyond, theta and kappa alone. The largest relative "
    "difference of a mean or an sd is told."
)


def of_sizes(found: pd.DataFrame) -> Part:
    """What was found; `found` as sizes.table gives it."""
    from analyses.benchmark.scaling_routes import PLAIN_GROUPS, PLAIN_ROWS, SAMPLE

    told = {"plain_groups": PLAIN_GROUPS, "plain_rows": PLAIN_ROWS, "sample": SAMPLE, **scaling.OF_LME4._asdict()}
    shown = bool(found["seconds"].notna().any())
    figures = {"benchmark_sizes": (lines(found), CAPTION)} if shown else {}
    sections = (
        Section(title="What size costs", text=_text(found), figures=figures, table=_ratios(found)),
        Section(title="What size should cost", table=_targets(found)),
        Section(title="Seconds and memory", text="Medians, and the highest peaks.", table=_seconds(found)),
        Section(
            title="Where the time goes",
            text="Shares of the steps from Parquet to means and intervals: reading and reducing rows, stating the "
            "groups, the posterior of the scales, the table of mu and the scales, means and sds of theta and kappa of "
            "all groups, the intervals of theta.",
            table=_shares(found),
        ),
        Section(title="How size is counted", text=COUNTED.format(**told)),
    )
    return Part(_sentence(found), sections, {"benchmark_sizes.csv": found}, tuple(_verdicts(found)))


CAPTION = (
    "Seconds, medians over the rounds, on logarithmic scales: on the left against rows in about a hundred groups, on "
    "the right against groups of about twenty rows. Routes of this package in blue."
)


def lines(found: pd.DataFrame) -> Figure:
    """Seconds against rows and against groups."""
    figure, (few, many) = figure_of(width=7.4, height=3.6, ncols=2, sharey=True)
    _draw(few, found[found["groups"] == scaling.FEW], "rows")
    _draw(many, found[found["rows"] == scaling.AVERAGE * found["groups"]], "groups")
    few.set(xlabel=f"rows, in {scaling.FEW} groups", ylabel="seconds")
    many.set(xlabel=f"groups, of about {scaling.AVERAGE} rows")
    for ax in (few, many):
        ax.xaxis.label.set_size(8)
        ax.yaxis.label.set_size(8)
        if ax.get_legend_handles_labels()[0]:
            ax.legend(frameon=False, fontsize=7)
    return figure


def _draw(ax, found, against):
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)
    ax.set(xscale="log", yscale="log")
    for key, (colour, line, marker) in DRAWN.items():
        of = found[(found["route"] == key) & found["seconds"].notna()].sort_values(against)
        if len(of):
            style = {"color": colour, "linestyle": line, "marker": marker, "markersize": 4, "linewidth": 1.2}
            ax.plot(of[against], of["seconds"], label=BY_KEY[key].name, **style)


def _sentence(found):
    row = _at(found, scaling.LARGE, "intervals")
    if row is None or not row["times_bare"] > 0:
        return "What size costs is in the table."
    return (
        f"From {row['rows']:,} rows in a Parquet file to the means, sds and intervals of {row['groups']:,} groups "
        f"takes {times(row['times_bare'])} times what DuckDB takes to group the rows, and {row['peak_mib']:,.0f} MiB."
    )


def _at(found, size: Size, route: str):
    rows = found[(found["rows"] == size.rows) & (found["groups"] == size.groups) & (found["route"] == route)]
    return rows.iloc[0] if len(rows) else None


def _text(found):
    rounds = int(found["rounds"].max())
    absent = found.loc[found["status"] == scaling.NOT_INSTALLED, "name"].unique()
    without = f" Not installed: {', '.join(absent)}." if len(absent) else ""
    turns = f"{rounds} rounds, in turn." if rounds > 1 else "One round: figures as they fell out, without a range."
    against = "Ratios to the bare group-by of the same rows; of lme4 and Polars, to means from a pandas frame."
    return f"{against} {turns}{without}"


def _sized(found):
    """Sizes in order, each with its rows by route."""
    for (rows, groups), part in found.groupby(["rows", "groups"]):
        yield {"rows": int(rows), "groups": int(groups)}, part.set_index("route")


def _ratios(found):
    rows = []
    for row, of in _sized(found):
        for key, other in RATIOS.items():
            row[f"{BY_KEY[key].name} / {BY_KEY[other].name}"] = _ranged(of, key, f"times_{other}")
        for key in ("means", "intervals"):
            busy = of.loc[key, "cpu_times_bare"] if key in of.index else float("nan")
            row[f"processors: {BY_KEY[key].name} / bare group-by"] = times(busy) if busy > 0 else ""
        rows.append(row | {"answers off by": _off(of)})
    return pd.DataFrame(rows)


def _ranged(of, key, column):
    """A median with the lowest and the highest of the rounds, where there were several."""
    if key not in of.index or not of.loc[key, column] > 0:
        return of.loc[key, "status"] if key in of.index else ""
    middle, low, high = (of.loc[key, f"{column}{end}"] for end in scaling.ENDS)
    return f"{times(middle)} ({times(low)} to {times(high)})" if low < high else times(middle)


def _off(of):
    if "plain" not in of.index:
        return ""
    row = of.loc["plain"]
    return row["status"] or f"{row['off']:.1e} ({row['off_most']})"


def _targets(found):
    reached = scaling.targets(found)
    reached["measured"] = [_measured(row) for _, row in reached.iterrows()]
    for name in ("rows", "groups"):
        reached[name] = ["any" if pd.isna(value) else f"{int(value):,}" for value in reached[name]]
    return reached.drop(columns=["low", "high"], errors="ignore")


def _measured(row):
    if row["met"] == "not measured":
        return ""
    low, high = row.get("low"), row.get("high")
    spread = f" ({times(low)} to {times(high)})" if not pd.isna(low) and low < high else ""
    return f"{times(row['measured'])}{spread}"


def _seconds(found):
    rows = []
    for row, of in _sized(found):
        for key in of.index.drop("plain", errors="ignore"):
            row[f"{BY_KEY[key].name} (s)"] = _figure(of.loc[key, "seconds"])
        for key in ("bare", "intervals", "command"):
            if key in of.index:
                peak = of.loc[key, "peak_mib"]
                row[f"{BY_KEY[key].name} (MiB)"] = "" if pd.isna(peak) else f"{peak:,.0f}"
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def _figure(seconds):
    return "" if pd.isna(seconds) else rounded(seconds, 3)


def _shares(found):
    rows = []
    for row, of in _sized(found):
        if "intervals" in of.index and of.loc["intervals", "seconds"] > 0:
            each = of.loc["intervals", [f"{step}_seconds" for step in STEPS]].astype(float)
            shares = {name: f"{100 * s / each.sum():.0f}%" for name, s in zip(STEPS.values(), each, strict=True)}
            rows.append(row | {"seconds": _figure(of.loc["intervals", "seconds"])} | shares)
    return pd.DataFrame(rows) if rows else None


def _verdicts(found):
    """Who broke down, and whether the answers are those of the plain path."""
    broke = found[(found["status"] != "") & (found["status"] != scaling.NOT_INSTALLED)]
    for _, row in broke.iterrows():
        at = f"{row['rows']:,} rows in {row['groups']:,} groups"
        yield row["name"], Verdict("runs", False, f"broke down at {at}: {row['status']}")
    compared = found[(found["route"] == "plain") & (found["status"] == "")]
    if len(compared):
        alike = bool((compared["off"] <= scaling.ALIKE).all())
        worst = compared.loc[compared["off"].idxmax(skipna=True)] if compared["off"].notna().any() else compared.iloc[0]
        said = f"largest relative difference from the plain path at {len(compared)} sizes {worst['off']:.1e}"
        yield "sizes", Verdict("agreement", alike, f"{said} ({worst['off_most']})")
