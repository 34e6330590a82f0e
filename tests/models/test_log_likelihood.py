"""Densities of all that a group's data say, theta integrated out, and of the parameters above theta."""

import numpy as np
import pytest
from helpers.group_densities import log_density_of_group, rows_of
from helpers.problems import PROBLEMS, estimates, replicates
from scipy import stats

from analyses.checks import leave_out
from models import classrooms, priors
from models.one_group import OneGroup
from models.two_level import TwoLevel


def some_values(model, rng):
    """Values of b, tau and sigma with two leading dimensions, as draws have them."""
    b = np.append(480.0, np.ones(len(model.coefficients) - 1)) + rng.normal(0, 5, (2, 3, len(model.coefficients)))
    known = "sigma" not in model.unknown
    return b, rng.uniform(0.2, 9, (2, 3)), np.ones((2, 3)) if known else rng.uniform(4, 15, (2, 3))


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name.startswith("one-way")])
def test_it_is_the_density_of_rows(name):
    """Of a normal whose covariance has sigma^2 on its diagonal and sd_between^2 everywhere."""
    model, rng = PROBLEMS[name], np.random.default_rng(401)
    b, tau, sigma = some_values(model, rng)
    between, population = tau * sigma if model.relative else tau, b @ model.groups.design.T
    rows = rows_of(model.groups, rng)
    expected = [log_density_of_group(y, population[..., i], between, sigma) for i, y in enumerate(rows)]
    assert model.log_likelihood(b, tau, sigma) == pytest.approx(np.stack(expected, axis=-1), rel=1e-11)


@pytest.mark.parametrize("covariate", [False, True])
def test_it_is_the_density_of_estimates(covariate):
    model = TwoLevel(groups=estimates(402, 5, covariate=covariate), tau=priors.FLAT)
    b, tau, sigma = some_values(model, np.random.default_rng(403))
    sd = np.hypot(model.groups.standard_error, tau[..., None])
    expected = stats.norm.logpdf(model.groups.mean, b @ model.groups.design.T, sd)
    assert model.log_likelihood(b, tau, sigma) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", PROBLEMS)
def test_it_adds_up_to_the_marginal_density(name):
    """But for what rows are more than means and a pooled sum of squares, as `leave_out` counts it."""
    model = PROBLEMS[name]
    values = some_values(model, np.random.default_rng(404))
    expected = model.log_marginal(*values) + leave_out.log_density_of_rows(model.groups)
    assert model.log_likelihood(*values).sum(axis=-1) == pytest.approx(expected, rel=1e-11)


def test_a_school_is_one_normal_vector():
    """Pupils of a classroom share its theta, classrooms of a school its mu."""
    model, rng = classrooms.model(), np.random.default_rng(405)
    top, kappa, tau, sigma = (rng.uniform(low, high, (1, 2)) for low, high in ((45, 55), (1, 9), (1, 9), (5, 15)))
    rows = rows_of(model.classrooms, rng)
    for i in range(len(model.schools)):
        own = np.flatnonzero(model.school == i)
        y = np.concatenate([rows[j] for j in own])
        room = np.repeat(own, [len(rows[j]) for j in own])
        for k in range(2):
            same = (room[:, None] == room) * tau[0, k] ** 2 + sigma[0, k] ** 2 * np.eye(len(y))
            expected = stats.multivariate_normal.logpdf(y, np.full(len(y), top[0, k]), same + kappa[0, k] ** 2)
            assert model.log_likelihood(top, kappa, tau, sigma)[0, k, i] == pytest.approx(expected, rel=1e-11)


def test_log_priors_are_densities_of_the_variables_themselves():
    """An inverse gamma on tau^2 is stated for tau: 2 tau times its density of tau^2."""
    model = TwoLevel(
        groups=replicates(406, [3, 5, 2, 4], covariate=True),
        tau=priors.InverseGamma(2.0, 3.0),
        sigma=priors.HalfNormal(8.0),
        coefficients=(priors.Normal(480.0, 15.0), priors.Normal(0.0, 2.0)),
    )
    b, tau, sigma = some_values(model, np.random.default_rng(407))
    expected = {
        "mu": stats.norm.logpdf(b[..., 0], 480.0, 15.0),
        "beta": stats.norm.logpdf(b[..., 1:], 0.0, 2.0),
        "tau": stats.invgamma.logpdf(tau**2, 2.0, scale=3.0) + np.log(2 * tau),
        "sigma": stats.halfnorm.logpdf(sigma, scale=8.0),
    }
    found = model.log_priors(b, tau, sigma)
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-12)


def test_log_priors_without_a_constant():
    """Flat ones are 0, and 1/sigma is just that; a sigma that is known has none."""
    rows = TwoLevel(groups=replicates(408, [3, 5, 2, 4]), tau=priors.FLAT)
    values = some_values(rows, np.random.default_rng(409))
    found = rows.log_priors(*values)
    assert not found["mu"].any()
    assert not found["tau"].any()
    assert found["sigma"] == pytest.approx(-np.log(values[2]), rel=1e-14)
    assert list(TwoLevel(groups=estimates(410, 4), tau=priors.FLAT).log_priors(*values)) == ["mu", "tau"]


def test_log_priors_of_three_levels_are_powers():
    """p(kappa^2) = p(tau^2) = 1 are kappa and tau; lambda is flat; nothing is below lambda and the scales."""
    values = np.random.default_rng(411).uniform(1, 9, (4, 1, 5))
    found = classrooms.model().log_priors(*values)
    _, kappa, tau, sigma = np.log(values)
    expected = {"lambda": 0 * kappa, "kappa": kappa, "tau": tau, "sigma": -sigma}
    assert list(found) == list(expected)
    for name in expected:
        assert found[name] == pytest.approx(expected[name], rel=1e-14, abs=1e-14)


def test_log_priors_of_one_group_are_its_joint_prior():
    """theta's is given sigma, in which it is measured."""
    model = OneGroup(n=5, mean=53.0, ss=300.0, mu=50.0, tau=0.5, alpha=2.0, beta=200.0)
    found = model.log_priors(np.array([51.0]), np.array([9.0]))
    assert found["theta"] == pytest.approx(stats.norm.logpdf(51.0, 50.0, 4.5), rel=1e-13)
    assert found["sigma"] == pytest.approx(stats.invgamma.logpdf(81.0, 2.0, scale=200.0) + np.log(18.0), rel=1e-13)
