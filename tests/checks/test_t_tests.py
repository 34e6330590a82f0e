"""Welch's t-tests from tables are SciPy's from rows."""

import numpy as np
import pytest
from scipy import stats

from analyses.checks import t_tests
from models import blood_pressure
from models.groups import Replicates


def trial():
    """Nine subjects, unequal arms, unequal numbers of records."""
    return Replicates.from_summary(
        list("abcdefghi"),
        n=[5, 12, 3, 1, 8, 20, 2, 6, 9],
        mean=[151.0, 148.5, 160.2, 139.0, 144.4, 147.7, 166.0, 158.1, 140.3],
        ss=[80.0, 310.0, 41.0, 0.0, 95.0, 700.0, 12.0, 130.0, 160.0],
        covariates={"treatment": [1, 0, 0, 1, 1, 0, 0, 0, 1]},
    )


def assert_same(found, treated, control):
    """SciPy's test, treated less control."""
    expected = stats.ttest_ind(treated, control, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.value == pytest.approx(np.mean(treated) - np.mean(control), rel=1e-10)
    assert found.error == pytest.approx(found.value / expected.statistic, rel=1e-10)
    assert found.df == pytest.approx(expected.df, rel=1e-10)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-10)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)


@pytest.mark.parametrize("groups", [trial(), blood_pressure.data()], ids=["unequal arms", "blood pressure"])
def test_t_test_on_records(groups):
    labels, values = groups.rows(np.random.default_rng(171))
    treated = np.isin(labels, [name for name, x in zip(groups.labels, groups.design[:, 1], strict=True) if x == 1])
    assert_same(t_tests.on_records(groups), values[treated], values[~treated])


@pytest.mark.parametrize("groups", [trial(), blood_pressure.data()], ids=["unequal arms", "blood pressure"])
def test_t_test_on_means(groups):
    treated = groups.design[:, 1] == 1
    assert_same(t_tests.on_means(groups), groups.mean[treated], groups.mean[~treated])


def test_arms_changed_over_change_the_sign_alone():
    g = trial()
    other = Replicates.from_summary(g.labels, g.n, g.mean, g.ss, covariates={"treatment": 1 - g.design[:, 1]})
    for test in (t_tests.on_records, t_tests.on_means):
        one, two = test(g), test(other)
        expected = (-one.value, one.error, one.df, -one.high, -one.low, one.p)
        assert tuple(two) == pytest.approx(expected, rel=1e-13)
