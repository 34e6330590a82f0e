"""The tests of a common variance, from tables of groups, are SciPy's from rows."""

import numpy as np
import pytest
from scipy import stats

from analyses.checks import equal_variances
from analyses.studies import math_test as study
from models.groups import Replicates


@pytest.fixture
def rows():
    rng = np.random.default_rng(121)
    return [rng.normal(500, s, n) for s, n in [(5, 4), (9, 12), (12, 7), (20, 9)]]


@pytest.fixture
def groups(rows):
    return Replicates.from_rows(np.repeat(list("abcd"), [len(y) for y in rows]), np.concatenate(rows))


def test_bartlett(rows, groups):
    expected, test = stats.bartlett(*rows), equal_variances.bartlett(groups)
    assert (test.statistic, test.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


@pytest.mark.parametrize("center", ["mean", "median"])
def test_levene(rows, groups, center):
    middle = [getattr(np, center)(y) for y in rows]
    absolute = np.array([np.sum(np.abs(y - m)) for y, m in zip(rows, middle, strict=True)])
    shift = np.array([y.mean() - m for y, m in zip(rows, middle, strict=True)])
    expected, test = stats.levene(*rows, center=center), equal_variances.levene(center, groups, absolute, shift)
    assert (test.statistic, test.p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


def test_covariances_of_pupils_are_as_derived():
    """tau^2 sigma^2 within a school, 0 between schools, to four and a half of their own standard errors."""
    tau, sigma = 0.6, 9.0
    within, between = study.simulated_covariances(tau, sigma, np.random.default_rng(122))
    variance, covariance = (tau**2 + 1) * sigma**2, (tau * sigma) ** 2
    error, error_between = np.sqrt([variance**2 + covariance**2, variance**2]) / np.sqrt(study.PAIRS)
    assert within == pytest.approx(covariance, abs=4.5 * error)
    assert between == pytest.approx(0.0, abs=4.5 * error_between)
    assert covariance > 20 * error
