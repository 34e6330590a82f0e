"""The verdict on every printed figure: complete, with its reason, and the same for every seed."""

import numpy as np
import pandas as pd
import pytest
from partial_pooling_data import table

from analyses.published import Figure, verdicts


@pytest.fixture(scope="module")
def rows():
    """Every row of published.csv with its verdict."""
    return verdicts.table(np.random.default_rng(91))


def test_no_printed_figure_is_left_out():
    """As many as were counted in the sources by hand: 136 computed ones (4, 73, 59) and 53 inputs."""
    stored = table("published")
    computed = stored[stored["kind"] == "computed"]["source"].value_counts()
    assert computed.to_dict() == {"001": 4, "002": 73, "003": 59}
    inputs = stored[(stored["kind"] == "input") & stored["figure"].str.count(r"\.").ge(2)]
    data = inputs["source"].value_counts()
    assert data["002"] + data["003"] + (stored["figure"] == "baseball.sigma").sum() == 53
    assert not stored["figure"][stored["kind"] == "computed"].duplicated().any()


def test_figures(rows):
    """Every row has a verdict and every error its reason; every input but one is as it was copied."""
    assert verdicts.is_settled(rows)
    inputs = rows[rows["kind"] == "input"].set_index("figure")["verdict"]
    assert inputs[inputs != verdicts.AGREES].to_dict() == {"baseball.sigma": verdicts.ERROR}
    assert (rows.loc[rows["source"] == "002", "kind"] == "computed").sum() == 73
    of_002 = rows[(rows["source"] == "002") & (rows["kind"] != "formula")]
    assert set(of_002["verdict"]) == {verdicts.AGREES, verdicts.OWN_ERROR}


def test_seven_medians_are_wrong_and_tails_are_not(rows):
    """Clipping puts a lump of theta at mu: that moves the middle, and hardly the ends. METHOD counts them."""
    errors = rows[(rows["verdict"] == verdicts.ERROR) & (rows["kind"] == "computed")]["figure"]
    assert errors.str.contains("q50").all()
    assert len(errors) == 7


@pytest.mark.slow
def test_a_verdict_does_not_depend_on_the_seed(rows):
    """Ten other seeds. Errors of the lecture's table are computed; those of the walk-through's chain leave no doubt."""
    for seed in range(10):
        assert verdicts.table(np.random.default_rng(seed))["verdict"].tolist() == rows["verdict"].tolist()


@pytest.mark.parametrize(
    ("off", "verdict"),
    [(2.0, verdicts.OWN_ERROR), (4.3, verdicts.UNDECIDED), (4.5, verdicts.UNDECIDED), (6.0, verdicts.ERROR)],
)
def test_a_figure_next_to_the_limit_is_undecided(off, verdict):
    """Of an sd from 200 runs one in 10,000 is off by a fifth; a limit of 4.4 is then anything from 3.6 to 5.5."""
    row = pd.Series({"printed": "0.0", "decimals": "9"})
    figure = Figure(off, sd=1.0, runs=200, mistaken=0.0, reason="for the test")
    assert verdicts.judge_figure(row, figure, 4.4).verdict == verdict
    sure = Figure(off, sd=1.0, mistaken=0.0, reason="for the test")
    assert verdicts.judge_figure(row, sure, 4.4).verdict == (verdicts.OWN_ERROR if off < 4.4 else verdicts.ERROR)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("eight_schools.separate.q2_5.A", -1.39947),  # one unit of the last digit
        ("eight_schools.pooled.mean", 7.68561672495605),
        ("eight_schools.rank_shrinkage.B", 2.0),
        ("eight_schools.mode.mu", 7.936685),
        ("eight_schools.theta_mean.A", 13.2),  # eight of the source's own Monte Carlo errors
        ("baseball.squared_error.average", 0.076),
    ],
)
def test_another_figure_would_be_noticed(name, printed, rows):
    row = rows[(rows["figure"] == name) & (rows["kind"] == "computed")].iloc[0]
    found = Figure(row["right"], sd=row["own_error"] if "theta" in name else 0.0, bound=0.0)
    if "mode" in name:
        found = Figure(row["right"], bound=row["own_error"])
    changed = row.copy()
    changed["printed"] = str(printed)
    # 4.4 is about what `limit` gives for a hundred figures.
    assert verdicts.judge_figure(row, found, 4.4).verdict in (verdicts.AGREES, verdicts.OWN_ERROR)
    assert verdicts.judge_figure(changed, found, 4.4).verdict == verdicts.UNEXPLAINED
