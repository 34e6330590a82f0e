"""The benchmark of two scales: its rows, its arithmetic on made-up figures, and the whole part on a small table."""

import sys

import numpy as np
import pandas as pd
import pytest

from analyses.benchmark import __main__ as command, contest, runs, two_scales, two_scales_page
from analyses.benchmark.contenders import Installation
from analyses.benchmark.contest import Entry
from analyses.benchmark.runs import DrawsSummary, Run
from analyses.benchmark.simulate_rows import Size
from analyses.engines import exact

BY_KEY = {contender.key: contender for contender in two_scales.CONTENDERS}
SMALL = Size(300, 20)
MEANS = pd.Series({"mu": 1.3, "sigma": 0.75, "sd_between": 0.3})


def entry(key, *seconds, mean=MEANS, status=""):
    """Runs of so many seconds of compiling and of sampling, each with means that are good to a hundredth."""
    index = pd.MultiIndex.from_product([MEANS.index, [""]], names=["variable", "label"])
    draws = DrawsSummary(4000, pd.Series(dtype=float), mean.set_axis(index), pd.Series(0.01, index))
    handed_in = [Run({"compile": c, "sampling": s}, draws=draws if key != "table" else None) for c, s in seconds]
    return Entry(BY_KEY[key], Installation((), "1.0"), SMALL, tuple(handed_in), status)


def test_ratios_are_taken_within_a_round_with_compiling_and_without():
    entries = [entry("table", (0, 1), (0, 2)), entry("pymc", (20, 40), (10, 70)), entry("nutpie", status="Killed")]
    table = two_scales.table(entries, {SMALL: MEANS}).set_index("contender")
    assert table.loc["pymc", ["times_table", "times_table_low", "times_table_high"]].to_list() == [50, 40, 60]
    assert table.loc["pymc", "times_table_sampling"] == 37.5
    assert table.loc["pymc", ["seconds", "compile_seconds"]].to_list() == [70, 15]
    assert table.loc["nutpie", "status"] == "Killed"
    assert np.isnan(table.loc["nutpie", "times_table"])


def test_means_of_another_posterior_are_noticed():
    off = entry("pymc", (1, 1), mean=MEANS.add([0.0, 0.0, 0.06]))
    table = two_scales.table([entry("table", (0, 1)), off], {SMALL: MEANS})
    verdicts = dict(two_scales_page.part(table).verdicts)
    assert not verdicts["PyMC on rows"].passed
    assert "largest |z| 6.0" in verdicts["PyMC on rows"].sentence


def test_rows_are_as_many_and_as_unequal_as_said(tmp_path):
    path = tmp_path / "rows.csv"
    two_scales.write_rows(two_scales.MINNESOTA, path, np.random.default_rng(1))
    rows = pd.read_csv(path)
    sizes = rows["school"].value_counts()
    assert (len(rows), len(sizes)) == two_scales.MINNESOTA
    assert sizes.min() >= 1
    assert sizes.max() > 5 * sizes.median()


@pytest.mark.slow
def test_nuts_on_rows_has_the_exact_means(tmp_path):
    """The script of the contender on a small table: the model is the one that the table is of."""
    path = tmp_path / "rows.csv"
    two_scales.write_rows(SMALL, path, np.random.default_rng(2))
    means, pymc = two_scales.exact_means(path), BY_KEY["pymc"]
    (tmp_path / "out").mkdir()
    run = runs.measure(pymc, pymc.find([sys.executable]), path, tmp_path / "out", 3)
    assert abs(two_scales.efficiency.largest_z((run,), means)) < two_scales.efficiency.Z_LIMIT
    posterior = exact.posterior(two_scales.model(pd.read_csv(path, dtype={"school": str})))
    assert posterior.model.scales == ("tau", "sigma")


def test_the_whole_part_runs(tmp_path, monkeypatch, capsys):
    """From the command line, on one small table, the exact table alone."""
    absent = [c for c in two_scales.CONTENDERS if c.key != "table"]
    monkeypatch.setattr(two_scales, "MINNESOTA", SMALL)
    monkeypatch.setattr(two_scales, "UNITED_STATES", SMALL)
    monkeypatch.setattr(
        contest,
        "enter",
        lambda contenders, pythons, sizes: [
            Entry(c, None if c in absent else c.find([]), SMALL, status=contest.NOT_INSTALLED if c in absent else "")
            for c in contenders
        ],
    )
    assert command.main(["--parts", "scales", "--rounds", "1", "--out", str(tmp_path)]) == 0
    written = pd.read_csv(tmp_path / "benchmark_two_scales.csv", keep_default_na=False)
    assert tuple(written.columns) == two_scales.COLUMNS
    assert float(written.loc[0, "times_table"]) == 1
    html = (tmp_path / "benchmark" / "index.html").read_text(encoding="utf-8")
    assert "Not installed: PyMC on rows, nutpie on rows, bambi" in html
