"""The shipped tables are what the committed script makes of the raw rows, and README.md tells the truth about them."""

import csv
import importlib.util
from hashlib import sha256
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from partial_pooling_data import table
from scipy import stats

from models import math_test
from models.groups import Replicates

NAMES = ("math_test", "blood_pressure", "eight_schools", "baseball", "classrooms", "published")
DATA = Path(str(resources.files("partial_pooling_data")))


@pytest.mark.parametrize("name", NAMES)
def test_checksums_in_the_readme(name):
    assert sha256((DATA / f"{name}.csv").read_bytes()).hexdigest() in (DATA / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_column_is_in_the_readme(name):
    text = (DATA / "README.md").read_text(encoding="utf-8")
    for column in table(name).columns:
        assert f"`{column.rstrip('12345678')}" in text


@pytest.mark.parametrize("name", NAMES)
def test_doubles_are_read_as_they_were_written(name):
    """The nearest double to the digits, not one a unit off, as fast parsers may have it; names stay text."""
    t = table(name)
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for i, row in enumerate(csv.DictReader(file)):
            for column, text in row.items():
                value = t[column].iloc[i]
                assert value == (text if isinstance(value, str) else float(text))


@pytest.mark.parametrize("name", ["math_test", "blood_pressure"])
def test_tables_are_what_the_script_makes(name, raw, tmp_path):
    spec = importlib.util.spec_from_file_location("summarise", DATA / "summarise.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(raw, tmp_path)
    assert (tmp_path / f"{name}.csv").read_bytes() == (DATA / f"{name}.csv").read_bytes()


def test_rows_give_the_same_groups(raw):
    rows = pd.read_csv(raw / "mathtest.csv")
    mine, shipped = Replicates.from_rows(rows["school"], rows["mathscore"]), math_test.data()
    assert mine.labels == shipped.labels
    for name in ("n", "mean", "ss"):
        assert getattr(mine, name) == pytest.approx(getattr(shipped, name), rel=1e-12)


@pytest.mark.parametrize("centre", ["mean", "median"])
def test_levene_from_the_table_alone(centre, raw):
    """Sizes, sums of squares and absolute deviations are all that the tests of a common variance need."""
    rows, t = pd.read_csv(raw / "mathtest.csv"), table("math_test")
    expected = stats.levene(*(s for _, s in rows.groupby("school")["mathscore"]), center=centre).statistic
    about = 0.0 if centre == "mean" else t["mean"] - t["median"]
    z, squares = t[f"absolute_from_{centre}"] / t["n"], t["ss"] + t["n"] * about**2
    within = np.sum(squares - t["n"] * z**2)
    between = np.sum(t["n"] * (z - np.average(z, weights=t["n"])) ** 2)
    assert between / within * (t["n"].sum() - len(t)) / (len(t) - 1) == pytest.approx(expected, rel=1e-10)


def test_neighbouring_records_from_the_table_alone(raw):
    """Products of neighbouring deviations, by gap and in all, and the trend over the month."""
    rows, t = pd.read_csv(raw / "bloodpressure.csv", parse_dates=["date"]), table("blood_pressure").set_index("subject")
    for subject, mine in rows.groupby("subject"):
        e, day = (
            (mine["systolic"] - mine["systolic"].mean()).to_numpy(),
            (mine["date"] - pd.Timestamp("2003-05-01")).dt.days,
        )
        row, gap = t.loc[str(subject)], np.diff(day)
        assert " ".join(map(str, gap)) == row["gaps"]
        for g in range(1, 9):
            assert row[f"products_gap_{g}"] == pytest.approx(np.sum((e[1:] * e[:-1])[gap == g]), abs=1e-9)
            assert row[f"pairs_gap_{g}"] == np.sum(gap == g)
        assert row["day_cross"] / row["day_ss"] == pytest.approx(np.polyfit(day, e, 1)[0], rel=1e-9)
        assert (row["first"], row["last"]) == (mine["systolic"].iloc[0], mine["systolic"].iloc[-1])
