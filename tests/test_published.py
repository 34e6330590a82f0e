"""Figures that others have printed for these data, to their digits or to the error of their simulation."""

import numpy as np
import pandas as pd
import pytest
from partial_pooling_data import table
from scipy import stats

from analyses.checks import t_tests
from analyses.engines import reml
from analyses.published import Figure, discrepancy, source_002, verdicts
from models import blood_pressure, eight_schools, math_test


def test_math_tests_by_lme4():
    model = math_test.model()
    found = reml.maximum(model)
    assert (found.b[0], found.error[0]) == (pytest.approx(48.1050, abs=5e-5), pytest.approx(0.5283, abs=5e-5))
    assert found.sd_between**2 == pytest.approx(23.20, abs=5e-3)
    assert found.sigma**2 == pytest.approx(84.73, abs=5e-3)
    printed = {"37": 46.28854, "1": 50.52812, "98": 52.45818, "12": 50.26418, "26": 46.77491, "90": 48.5344}
    printed |= {"82": 42.70665, "67": 56.9462}
    for school, value in printed.items():
        theta = found.theta[model.groups.labels.index(school)]
        assert theta == pytest.approx(value, abs=2e-4), "lme4's optimiser stops within 2e-4 of the maximum"


def test_blood_pressure_by_lme4():
    found = reml.maximum(blood_pressure.model())
    assert (found.b[1], found.error[1]) == (pytest.approx(-7.4330, abs=5e-5), pytest.approx(4.5143, abs=5e-5))


def test_blood_pressure_by_welch_on_records():
    g = blood_pressure.data()
    found = t_tests.on_records(g)
    assert found.value == pytest.approx(-9.4689, abs=5e-5)
    assert found.error == pytest.approx(1.004414, abs=5e-7)
    assert (found.value / found.error, found.df) == (pytest.approx(-9.4273, abs=5e-5), pytest.approx(391.66, abs=5e-3))


def test_blood_pressure_by_welch_on_person_means():
    g = blood_pressure.data()
    treated, control = (g.mean[g.design[:, 1] == arm] for arm in (1, 0))
    welch, pooled = t_tests.on_means(g), stats.ttest_ind(control, treated)
    assert welch.value == pytest.approx(-7.41597, abs=5e-6)
    assert (welch.value / welch.error, welch.df) == (pytest.approx(-1.643698, abs=5e-7), pytest.approx(17.09, abs=5e-3))
    assert (welch.p, pooled.pvalue) == (pytest.approx(0.118508, abs=5e-7), pytest.approx(0.117591, abs=5e-7))


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
    assert verdicts.figure(row, figure, 4.4)["verdict"] == verdict
    sure = Figure(off, sd=1.0, mistaken=0.0, reason="for the test")
    assert verdicts.figure(row, sure, 4.4)["verdict"] == (verdicts.OWN_ERROR if off < 4.4 else verdicts.ERROR)


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
    assert verdicts.figure(row, found, 4.4)["verdict"] in (verdicts.AGREES, verdicts.OWN_ERROR)
    assert verdicts.figure(changed, found, 4.4)["verdict"] == verdicts.UNEXPLAINED


WRONG = {
    *("000.squares_within", "000.conditional_of_s_with_beta", "000.variance_of_beta"),
    *("001.square_completed", "001.prefactor", "001.joint", "001.variance_of_theta", "001.kernel_of_lambda"),
    *("002.quadratic_in_theta", "002.cancelled_terms", "002.weight_without_index", "002.proportional_logs"),
    *("002.shrinkage_without_index", "003.lost_integral", "003.kernel_of_sigma", "003.scale_of_sigma"),
    *("003.joint_of_means", "003.number_of_groups", "003.law_of_the_total", "003.mean_squared_error"),
    "003.pupils_without_index",
}


@pytest.mark.parametrize("name", verdicts.FORMULAS)
def test_formulas(name):
    """What is printed equals what is right to rounding, or is off for everybody to see, at any values."""
    off = [discrepancy(*verdicts.FORMULAS[name](np.random.default_rng(seed))) for seed in range(20)]
    if name in WRONG:
        assert max(off) > 1e-3
    else:
        assert max(off) < verdicts.ROUNDING


def test_every_formula_has_its_row():
    stored = table("published")
    assert set(stored.loc[stored["kind"] == "formula", "figure"]) == set(verdicts.FORMULAS)


def test_the_procedure_of_the_source_repeats_its_covariance():
    """R's differences of differences about the printed mode give the printed covariance but for the mode's rounding."""
    printed = np.array([[22.3232882, 0.1935228], [0.1935228, 0.5352576]])
    found = source_002.r_covariance(eight_schools.model(), source_002.printed_mode()[0])
    assert found == pytest.approx(printed, rel=2e-5)
