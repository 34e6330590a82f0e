"""The third part of the benchmark's page: a model whose sigma does not integrate out."""

import pandas as pd

from analyses.benchmark import two_scales
from analyses.benchmark.efficiency import Z_LIMIT
from analyses.benchmark.page import (
    Part,
    absent,
    broke_down,
    not_compared,
    ratio_with_range,
    rounds_in_words,
    times,
    with_ranges,
)
from analyses.benchmark.simulate_rows import Size
from analyses.checks import Verdict
from analyses.report.numbers import rounded
from analyses.report.pages import Section

COMPILED = "times_table_sampling"  # compiling not counted
COUNTED = (
    "y_ij ~ N(theta_i, sigma²), theta_i ~ N(mu, tau²), mu ~ N(0, 10²), tau and sigma ~ HalfNormal(1). Rows are made at "
    "random, in groups as unequal as the counties of the radon surveys: {sizes}. Each run is a process of its own on "
    "all processors; the clock starts when the rows are in memory and packages imported.\n\n"
    "The exact table has the mean, sd, quantiles and stated error of mu, tau, sigma, every theta and every kappa. "
    "Samplers are called as their documents call them, with nothing asked, so their seconds are those of as many draws "
    "as they make, without a summary. Caches of PyTensor and numba are empty. Compiling is in the first ratio; the "
    "second has what PyMC calls sampling time, in which numba compiles too, and nutpie's without its compile call."
)


def part(table: pd.DataFrame) -> Part:
    """Sections and verdicts from the table of the contenders."""
    text = f"Seconds as multiples of the exact table's. {rounds_in_words(table, 'ratios')}"
    without = f" Not installed: {absent(table)}." if absent(table) else ""
    sizes = " and ".join(f"{size.rows:,} rows in {size.groups} groups" for size in _sizes(table))
    sections = (
        Section(title="Where sigma does not integrate out", text=text + without, table=_ratios(table)),
        Section(title="What two scales should cost", table=_targets(table)),
        Section(title="How two scales are counted", text=COUNTED.format(sizes=sizes)),
    )
    return Part(_sentence(table), sections, {"benchmark_two_scales.csv": table}, tuple(_verdicts(table)))


def _sizes(table):
    return [Size(*size) for size in dict.fromkeys(zip(table["rows"], table["groups"], strict=True))]


def _sentence(table):
    rows = table[(table["contender"] == "pymc") & (table["times_table"] > 0)]
    if rows.empty:
        return "What two scales cost is in the table."
    each = [f"{times(ratio)} times ({n} groups)" for ratio, n in zip(rows["times_table"], rows["groups"], strict=True)]
    return f"Where sigma does not integrate out, PyMC on rows takes {' and '.join(each)} as long as the exact table."


def _ratios(table):
    return pd.DataFrame([
        {
            "rows": f"{row['rows']:,}",
            "groups": row["groups"],
            "contender": f"{row['name']}, {row['version']}" if row["version"] else row["name"],
            "seconds": "" if pd.isna(row["seconds"]) else rounded(row["seconds"], 3),
            "of which compiling": rounded(row["compile_seconds"], 3) if row["compile_seconds"] > 0 else "",
            "times the exact table": ratio_with_range(row, "times_table"),
            "compiling not counted": ratio_with_range(row, COMPILED),
            "agrees": _agrees(row),
        }
        for _, row in table.iterrows()
    ])  # fmt: skip


def _agrees(row):
    if unlike := not_compared(row):
        return unlike
    return "" if pd.isna(row["z"]) else f"z = {row['z']:.1f}"


def _targets(table):
    reached = with_ranges(two_scales.targets(table))
    return reached.assign(rows=[f"{rows:,}" for rows in reached["rows"]])


def _verdicts(table):
    """Who broke down, and whose means are not those of the exact posterior."""
    for _, row in table.iterrows():
        if failure := broke_down(row, f" at {Size(row['rows'], row['groups'])}"):
            yield row["name"], failure
        elif not pd.isna(row["z"]):
            right = abs(row["z"]) < Z_LIMIT
            sentence = f"means of mu, sigma and tau at {row['groups']} groups: largest |z| {abs(row['z']):.1f}"
            yield row["name"], Verdict("agreement", bool(right), sentence)
