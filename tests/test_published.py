"""Figures that others have printed for these data, to their digits or to the error of their simulation."""

import numpy as np
import pandas as pd
import pytest
from partial_pooling_data import table
from scipy import optimize, stats

from analyses.engines import exact
from models import blood_pressure, eight_schools, math_test
from models.cells import Cells
from models.pooling import pool, theta_given


def restricted_likelihood(model):
    """Maximise the restricted likelihood of (tau, sigma): what pooling leaves behind when b is integrated out."""
    g, (df, ss) = model.groups, model.groups.within

    def pooled(tau):
        return pool(g.cells, (g.cells.noise + tau**2)[None], model.coefficients)

    def minus(log_tau):
        p = pooled(np.exp(log_tau))
        free = df + len(g) - len(model.coefficients)
        return (p.log_determinant + free * np.log(ss + p.quadratic))[0]

    tau = np.exp(optimize.minimize_scalar(minus, bracket=(-1, 0), tol=1e-12).x)
    p = pooled(tau)
    sigma2 = float((ss + p.quadratic[0]) / (df + len(g) - len(model.coefficients)))
    b = p.mean[0] + np.eye(len(model.coefficients))[0] * g.centre
    theta, _ = theta_given(g.mean, g.noise, g.design @ b, tau**2)
    se = np.sqrt(sigma2 * np.diag(p.covariance[0]))
    return b, se, tau**2 * sigma2, sigma2, dict(zip(g.labels, theta, strict=True))


def test_math_tests_by_lme4():
    b, se, between, within, theta = restricted_likelihood(math_test.statement())
    assert (b[0], se[0]) == (pytest.approx(48.1050, abs=5e-5), pytest.approx(0.5283, abs=5e-5))
    assert (between, within) == (pytest.approx(23.20, abs=5e-3), pytest.approx(84.73, abs=5e-3))
    printed = {"37": 46.28854, "1": 50.52812, "98": 52.45818, "12": 50.26418, "26": 46.77491, "90": 48.5344}
    printed |= {"82": 42.70665, "67": 56.9462}
    for school, value in printed.items():
        assert theta[school] == pytest.approx(value, abs=2e-4), "lme4's optimiser stops within 2e-4 of the maximum"


def test_blood_pressure_by_lme4():
    b, se, *_ = restricted_likelihood(blood_pressure.statement())
    assert (b[1], se[1]) == (pytest.approx(-7.4330, abs=5e-5), pytest.approx(4.5143, abs=5e-5))


def arms():
    t = table("blood_pressure")
    return t[t["treatment"] == 2], t[t["treatment"] == 1]


def test_blood_pressure_by_welch_on_records():
    moments = []
    for arm in arms():
        n, mean = arm["n"].sum(), np.average(arm["mean"], weights=arm["n"])
        ss = arm["ss"].sum() + np.sum(arm["n"] * (arm["mean"] - mean) ** 2)
        moments.append((mean, ss / (n - 1), n))
    (m1, v1, n1), (m0, v0, n0) = moments
    assert (n1, n0) == (215, 211)
    assert m1 - m0 == pytest.approx(-9.4689, abs=5e-5)
    assert np.sqrt(v1 / n1 + v0 / n0) == pytest.approx(1.004414, abs=5e-7)
    welch = stats.ttest_ind_from_stats(m0, np.sqrt(v0), n0, m1, np.sqrt(v1), n1, equal_var=False)
    pooled = stats.ttest_ind_from_stats(m0, np.sqrt(v0), n0, m1, np.sqrt(v1), n1)
    assert (welch.statistic, pooled.statistic) == (pytest.approx(9.4273, abs=5e-5), pytest.approx(9.451231, abs=5e-7))
    parts = np.array([v1 / n1, v0 / n0])
    assert parts.sum() ** 2 / np.sum(parts**2 / np.array([n1 - 1, n0 - 1])) == pytest.approx(391.66, abs=5e-3)


def test_blood_pressure_by_welch_on_person_means():
    treated, control = (arm["mean"] for arm in arms())
    welch, pooled = stats.ttest_ind(control, treated, equal_var=False), stats.ttest_ind(control, treated)
    assert treated.mean() - control.mean() == pytest.approx(-7.41597, abs=5e-6)
    assert (welch.statistic, welch.df) == (pytest.approx(1.643698, abs=5e-7), pytest.approx(17.09, abs=5e-3))
    assert (welch.pvalue, pooled.pvalue) == (pytest.approx(0.118508, abs=5e-7), pytest.approx(0.117591, abs=5e-7))


def test_eight_schools_pooled():
    """Seed 002: the mean weighted by inverse variances, and its variance, are what pooling gives for tau = 0."""
    model = eight_schools.statement()
    p = pool(
        Cells.separate(model.groups.noise, model.groups.mean, model.groups.design),
        model.groups.noise,
        model.coefficients,
    )
    assert p.mean[0] == pytest.approx(7.68561672495604, abs=5e-14)
    assert p.covariance[0, 0] == pytest.approx(16.58053, abs=5e-6)


def test_eight_schools_mode():
    """Seed 002's mode and curvature in (mu, log tau), as good as the default tolerance of its optimiser, 1e-8."""
    model = eight_schools.statement()

    def minus(u):
        return -model.log_marginal(np.array([u[0]]), np.exp(u[1]), 1.0) - u[1]

    found = optimize.minimize(minus, [8.0, 2.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14})
    assert minus([7.926685, 1.841525]) - found.fun < 1e-6
    covariance = np.array([[22.3232882, 0.1935228], [0.1935228, 0.5352576]])
    step = 1e-4 * np.sqrt(np.diag(covariance))
    at = [7.926685, 1.841525]
    hessian = [[_second(minus, at, i, j, step) for j in range(2)] for i in range(2)]
    assert np.linalg.inv(hessian) == pytest.approx(covariance, rel=1e-3), "optim's own differences have steps of 1e-3"


def _second(f, at, i, j, step):
    e = np.diag(step)
    corners = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    return sum(a * b * f(at + a * e[i] + b * e[j]) for a, b in corners) / (4 * step[i] * step[j])


PRINTED_ESS = 450  # of the 5000 draws of seed 002's chain, from its acceptance rate and autocorrelation
PRINTED_TESTS = 8 + 8 + 8 + 1 + 7
LIMIT = stats.norm.isf(1e-3 / (2 * PRINTED_TESTS))
THETA_MEAN = [11.226786, 7.812253, 6.078697, 7.609353, 5.162853, 6.231208, 10.340858, 8.490497]
THETA_SD = [8.510583, 6.185383, 7.993831, 6.515474, 6.381664, 6.729192, 6.990141, 8.045273]
A_IS_GREATER = [0.6346, 0.6800, 0.6382, 0.7162, 0.6804, 0.5382, 0.5994]
SHRINKAGE = [0.8328975, 0.7376910, 0.8458181, 0.7620532, 0.7096051, 0.7620532, 0.7376910, 0.8676774]


@pytest.fixture(scope="module")
def schools():
    return exact.posterior(eight_schools.statement())


@pytest.mark.parametrize(("variable", "printed"), [("theta", THETA_MEAN), ("kappa", SHRINKAGE)])
def test_eight_schools_means_within_the_error_of_the_printed_chain(schools, variable, printed):
    t = schools.table().loc[variable]
    z = (pd.Series(printed, t.index) - t["mean"]) / (t["sd"] / np.sqrt(PRINTED_ESS))
    assert z.abs().max() < LIMIT


def test_probability_of_an_effect_of_28_in_school_a(schools):
    p = 1 - schools.theta().cdf(np.array([28.0]), np.array([0]))[0]
    assert abs(0.0468 - p) < LIMIT * np.sqrt(p * (1 - p) / PRINTED_ESS)


def test_eight_schools_sds_within_the_error_of_the_printed_chain(schools):
    """An sd's standard error from n independent draws is sd sqrt((kurtosis - 1) / 4 n)."""
    t = schools.table().loc["theta"]
    draws = schools.draw(draws=5000, chains=4, rng=np.random.default_rng(91))["posterior"]["theta"].values.reshape(
        -1, 8
    )
    error = t["sd"] * np.sqrt((stats.kurtosis(draws, fisher=False) - 1) / 4 / PRINTED_ESS)
    assert ((pd.Series(THETA_SD, t.index) - t["sd"]) / error).abs().max() < LIMIT


def test_school_a_against_the_others(schools):
    """Seed 002's P(theta_A > theta_j), against independent joint draws; both have their Monte Carlo error."""
    theta = schools.draw(draws=25_000, chains=4, rng=np.random.default_rng(92))["posterior"]["theta"].values.reshape(
        -1, 8
    )
    p = (theta[:, :1] > theta[:, 1:]).mean(axis=0)
    error = np.sqrt(p * (1 - p) * (1 / PRINTED_ESS + 1 / len(theta)))
    assert (np.abs(A_IS_GREATER - p) / error).max() < LIMIT
