"""Are records independent: quantities against plain loops, the true calendar, and dependence that is noticed."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from partial_pooling_data import table
from scipy import stats
from scipy.signal import lfilter

from analyses.checks import serial_correlation

SIGMA = 5.5
DRAWS = 2000
FIRST = "correlation of neighbours"
TREND = "trend, mmHg a week"
TRENDS = "sd of subjects' trends, mmHg a week"


@pytest.fixture
def raw(raw):
    """Raw records, with the days since 1 May."""
    rows = pd.read_csv(raw / "bloodpressure.csv", parse_dates=["date"])
    return rows.assign(day=(rows["date"] - pd.Timestamp("2003-05-01")).dt.days)


@pytest.fixture(scope="module")
def days():
    """Subject and day of every record of the study."""
    return serial_correlation.calendar(table("blood_pressure"))


# raw rows


def test_the_calendar_is_the_true_one(raw, days):
    names = table("blood_pressure")["subject"].to_numpy()
    subject, day = days
    for i, name in enumerate(names):
        assert day[subject == i].tolist() == raw.loc[raw["subject"].astype(str) == name, "day"].tolist()
    assert len(day) == len(raw)


def test_the_table_has_the_quantities_of_the_rows(raw, days):
    """Sums of up to 426 products of some hundreds, in doubles."""
    t = table("blood_pressure")
    y = np.concatenate([raw.loc[raw["subject"].astype(str) == name, "systolic"] for name in t["subject"]])
    found, expected = serial_correlation.from_table(t), serial_correlation.statistics(*days, y)
    assert list(found) == list(expected)
    for name in found:
        assert found[name] == pytest.approx(expected[name], abs=1e-11)


# made-up rows


def test_the_calendar_begins_anew_with_each_subject(days):
    """As many records as the table counts, in order, within May."""
    subject, day = days
    t = table("blood_pressure")
    assert np.bincount(subject).tolist() == t["n"].tolist()
    assert np.all(np.diff(subject) >= 0)
    assert np.all(np.diff(day)[np.diff(subject) == 0] > 0)
    assert day.min() >= 0, "1 May"
    assert day.max() <= 30
    for i, mean in enumerate(t["day_mean"]):
        assert day[subject == i].mean() == pytest.approx(mean, abs=1e-6)


def plainly(subject, day, y):
    """The same quantities by loops; neighbours more than eight days apart are no pair, as in the table."""
    found, squares, pairs, cross, day_squares, slopes = {}, 0.0, [], 0.0, 0.0, []
    for i in np.unique(subject):
        e, since = (x[subject == i] - x[subject == i].mean() for x in (y, day))
        squares += np.sum(e**2)
        cross, day_squares = cross + np.sum(since * e), day_squares + np.sum(since**2)
        slopes.append(np.polyfit(since, e, 1)[0])
        for j in range(1, len(e)):
            if since[j] - since[j - 1] < 8.5:
                pairs.append((round(since[j] - since[j - 1]), e[j] * e[j - 1]))
    for name, gaps in {
        FIRST: range(1, 9),
        f"{FIRST} a day apart": [1],
        f"{FIRST} two days apart": [2],
        f"{FIRST} three to eight apart": range(3, 9),
    }.items():
        found[name] = np.mean([product for gap, product in pairs if gap in gaps]) / (squares / len(y))
    return found | {TREND: 7 * cross / day_squares, TRENDS: 7 * np.std(slopes, ddof=1)}


def made_up():
    """Three subjects of 9, 5 and 12 records, gaps of 1 to 11 days, about 140, 150 and 128 mmHg.

    The second begins two days after the first has ended: they are no neighbours for that.
    """
    rng = np.random.default_rng(181)
    subject = np.repeat([0, 1, 2], [9, 5, 12])
    gaps = [2, 1, 11, 1, 2, 3, 8, 1, 1, 2, 1, 5, 1, 1, 9, 2, 4, 1, 1, 2, 1, 6, 1]
    starts = (4, 35, 7)
    day = np.concatenate([
        np.cumsum([start, *part]) for start, part in zip(starts, np.split(gaps, [8, 12]), strict=True)
    ]).astype(float)  # fmt: skip
    return subject, day, rng.normal(np.array([140.0, 150.0, 128.0])[subject], SIGMA)


def test_quantities_are_those_of_plain_loops():
    subject, day, y = made_up()
    found, expected = serial_correlation.statistics(subject, day, y), plainly(subject, day, y)
    assert set(found) == set(expected)
    for name in found:
        assert found[name] == pytest.approx(expected[name], abs=1e-10)


def test_replicated_rows_are_treated_one_by_one():
    """Leading dimensions change nothing."""
    subject, day, _ = made_up()
    y = np.random.default_rng(182).normal(140, SIGMA, (2, 3, len(subject)))
    found = serial_correlation.statistics(subject, day, y)
    for i in np.ndindex(2, 3):
        alone = serial_correlation.statistics(subject, day, y[i])
        for name in found:
            assert found[name][i] == pytest.approx(alone[name], abs=1e-11)


def test_a_constant_added_to_a_subject_changes_nothing():
    """Nor a shift of its calendar: all is of deviations from a subject's own means."""
    subject, day, y = made_up()
    found = serial_correlation.statistics(subject, day, y)
    moved = serial_correlation.statistics(
        subject, day + np.array([0, 5, 2])[subject], y + np.array([17.0, -40.0, 3.0])[subject]
    )
    for name in found:
        assert moved[name] == pytest.approx(found[name], abs=1e-10)


# dependence is noticed, independence is not taken for it


def compared(days, y):
    """P of as large a quantity, by name, where sigma is known to a tenth."""
    rng = np.random.default_rng(183)
    sigma = SIGMA * rng.uniform(0.9, 1.1, (4, DRAWS // 4))
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"sigma": (("chain", "draw"), sigma)})})
    rows = serial_correlation.table(
        serial_correlation.statistics(*days, y), serial_correlation.replicated(*days, tree, rng=rng)
    )
    assert rows["quantity"].tolist() == list(plainly(*made_up()))
    assert np.all((rows["q2_5"] < rows["mean"]) & (rows["mean"] < rows["q97_5"]))
    return rows.set_index("quantity")["P(as large)"]


def levels(subject, rng):
    """A theta of its own for each subject: it must not matter."""
    return rng.normal(140, 10, subject.max() + 1)[subject]


def test_neighbours_that_resemble_each_other_are_noticed(days):
    """A correlation of a half between successive records, over 400 pairs ten standard errors: with 2000 draws P is
    then that of none of them, 1 in 2001.
    """
    rng, (subject, _) = np.random.default_rng(184), days
    e = np.concatenate([
        lfilter([np.sqrt(1 - 0.25)], [1, -0.5], rng.standard_normal(n + 50))[50:] for n in np.bincount(subject)
    ])  # fmt: skip
    p = compared(days, levels(subject, rng) + SIGMA * e)
    assert p[FIRST] < 0.001
    assert p[f"{FIRST} a day apart"] < 0.001


def test_neighbours_that_differ_are_noticed(days):
    """The other way round: next to all replicated records have as large a correlation as -1/2 makes."""
    rng, (subject, _) = np.random.default_rng(185), days
    e = np.concatenate([
        lfilter([np.sqrt(1 - 0.25)], [1, 0.5], rng.standard_normal(n + 50))[50:] for n in np.bincount(subject)
    ])  # fmt: skip
    assert compared(days, levels(subject, rng) + SIGMA * e)[FIRST] > 0.999


def test_a_common_trend_is_noticed(days):
    """Of a third of sigma a week, where its standard error is a twentieth or so: 7 / (9 sqrt(426))."""
    rng, (subject, day) = np.random.default_rng(186), days
    y = levels(subject, rng) + SIGMA * (rng.standard_normal(len(day)) + day / 7 / 3)
    assert compared(days, y)[TREND] < 0.001


def test_trends_of_their_own_are_noticed(days):
    """Half the subjects rise and half fall by half of sigma a week: no common trend, but they differ."""
    rng, (subject, day) = np.random.default_rng(187), days
    y = levels(subject, rng) + SIGMA * (rng.standard_normal(len(day)) + (-1.0) ** subject * day / 7 / 2)
    assert compared(days, y)[TRENDS] < 0.001


def test_independent_records_are_not(days):
    """Fifty data sets: P is uniform, up to sigma's tenth, which a correlation does not see."""
    rng, (subject, day) = np.random.default_rng(188), days
    p = [compared(days, levels(subject, rng) + SIGMA * rng.standard_normal(len(day))) for _ in range(50)]
    for name in (FIRST, f"{FIRST} two days apart", TREND):
        assert stats.kstest([one[name] for one in p], "uniform").pvalue > 1e-5
