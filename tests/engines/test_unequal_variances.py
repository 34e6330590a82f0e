"""Two engines for unequal variances agree, the rule detects disagreement, and predictions are right."""

from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from helpers.problems import replicates
from scipy import stats
from scipy.integrate import quad
from scipy.special import gammaln

from analyses.checks import agreement
from analyses.engines import exact, unequal_variances
from models import eight_schools, math_test
from models.groups import Replicates
from models.unequal_variances import GRID, OwnVariances

# Means so much farther apart than their errors that sd_between keeps away from 0, where NUTS with theta gets stuck.
SMALL = OwnVariances(replicates(151, [9, 18, 12, 25, 14, 16, 20, 10]))


@pytest.fixture(scope="module")
def drawn():
    """Draws of both engines."""
    asked = {"draws": 1000, "tune": 1000, "chains": 4, "cores": 1, "seed": 152}
    by_nuts = unequal_variances.by_nuts(SMALL, rng=np.random.default_rng(153), **asked)
    return by_nuts, unequal_variances.by_gibbs(SMALL, rng=np.random.default_rng(154))


def test_nuts_and_gibbs_agree(drawn):
    found = agreement.verdict(agreement.between(*drawn))
    assert found.passed, found.sentence


def test_every_variable_is_compared(drawn):
    rows = agreement.between(*drawn)
    labels = {name: len(SMALL.groups) if name in ("theta", "sigma") else 1 for name in drawn[0]["posterior"].data_vars}
    assert set(labels) == {"mu", "sd_between", "s", "log_nu", "theta", "sigma"}
    assert rows["variable"].value_counts().to_dict() == {name: 4 * count for name, count in labels.items()}
    assert rows["engine"].unique().tolist() == ["NUTS and Gibbs"]


def test_engines_are_labelled_alike(drawn):
    """Both have nu on the grid, and every draw is a number."""
    for tree in drawn:
        posterior = tree["posterior"].dataset
        assert posterior["group"].values.tolist() == list(SMALL.groups.labels)
        assert np.abs(posterior["log_nu"].values[..., None] - np.log(GRID)).min(axis=-1).max() == 0
        assert all(np.isfinite(variable).all() for variable in posterior.data_vars.values())


def test_a_sweep_that_forgets_how_many_rows_is_noticed(drawn, monkeypatch):
    """theta is drawn as if each group had three rows fewer: wrong, but not by much."""
    right = unequal_variances.OwnVariances.conditionals

    def wrong(self):
        g = self.groups
        fewer = Replicates.from_summary(g.labels, g.n - 3, g.mean, g.ss)
        return right(self) | {"theta": right(OwnVariances(fewer))["theta"]}

    monkeypatch.setattr(unequal_variances.OwnVariances, "conditionals", wrong)
    by_gibbs = unequal_variances.by_gibbs(SMALL, draws=1000, rng=np.random.default_rng(155))
    assert not agreement.verdict(agreement.between(drawn[0], by_gibbs)).passed


# the rule, on draws that are known to be right


@pytest.fixture(scope="module")
def right():
    """Two correct engines: both draw independently."""
    posterior = exact.posterior(eight_schools.model())
    return tuple(posterior.draw(draws=2000, chains=4, rng=np.random.default_rng(n)) for n in (156, 157))


def changed(tree, change):
    """Draws with a change to the dataset of the posterior."""
    return xr.DataTree.from_dict({"posterior": change(tree["posterior"].dataset.copy(deep=True))})


def agree(one, two):
    return agreement.verdict(agreement.between(one, two)).passed


def test_two_right_engines_agree(right):
    assert agree(*right)
    assert agree(*reversed(right))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.assign(mu=d.mu + 0.2 * d.mu.std()),
        lambda d: d.assign(tau=d.tau * 1.2),
        lambda d: d.assign(theta=d.theta.mean() + 1.2 * (d.theta - d.theta.mean())),
        lambda d: d.assign(theta=d.theta.where(d.school != "C", d.theta + 0.2 * d.theta.sel(school="C").std())),
    ],
)
def test_a_wrong_engine_does_not(right, change):
    """A shift by 0.2 sd, thirteen errors of the difference of two means of 8000 draws; scales off by a fifth, nine of
    a share beyond the 5% quantile.
    """
    one, two = right
    assert not agree(one, changed(two, change))
    assert not agree(changed(one, change), two)


@pytest.mark.parametrize("chains", [1, 4])
def test_a_stuck_chain_cannot_pass(right, chains):
    """Chains that never moved have too small an effective sample size to agree, one or all four."""

    def stop(d):
        for name in d:
            d[name][:chains] = d[name][:chains].isel(draw=0)
        return d

    one, two = right
    assert not agree(one, changed(two, stop))
    assert not agree(changed(one, stop), two)


# log p(rows of a group | hyperparameters)


def tree_of(mu, between, s, nu):
    """A tree of one chain of these draws."""
    values = {"mu": mu, "sd_between": between, "s": s, "log_nu": np.log(nu)}
    variables = {name: (("chain", "draw"), np.atleast_2d(value)) for name, value in values.items()}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(variables)})


def by_adaptive_quadrature(g, i, mu, between, s, nu):
    """Log of the integral over theta of N(theta | mu, between^2) and a t-like density, written out, of group i's rows.

    p(rows | theta) = Gamma((nu + n)/2) / Gamma(nu/2) (pi nu s^2)^(-n/2) (1 + q / (nu s^2))^(-(nu + n)/2).
    """
    n, mean, ss = g.n[i], g.mean[i], g.ss[i]
    constant = gammaln((nu + n) / 2) - gammaln(nu / 2) - n / 2 * np.log(np.pi * nu * s**2)

    def log_density(theta):
        q = ss + n * (mean - theta) ** 2
        of_rows = constant - (nu + n) / 2 * np.log1p(q / (nu * s**2))
        return of_rows + stats.norm.logpdf(theta, mu, between)

    error = s / np.sqrt(n)
    near = [c + k * error for c in (mu, mean) for k in (-10, -3, -1, 0, 1, 3, 10)]
    ends = sorted([*near, mu - 12 * between, mu + 12 * between, mu - 40 * between, mu + 40 * between])
    top = max(map(log_density, near))
    parts = [
        quad(lambda theta: np.exp(log_density(theta) - top), a, b, epsabs=1e-14, epsrel=1e-11, limit=200)[0]
        for a, b in pairwise(ends)
        if b > a
    ]
    return top + np.log(sum(parts))


CLOSE = 1e-6  # of the density


def test_prediction_of_schools_at_draws_of_their_posterior():
    """The smallest school, the largest, the one farthest off and the one with the largest sd."""
    g = math_test.data()
    model, rng = OwnVariances(g), np.random.default_rng(158)
    tree = unequal_variances.by_gibbs(model, draws=1, thin=1, chains=5, rng=rng)
    found = unequal_variances.log_predictive(model, tree)
    draws = tree["posterior"].dataset
    assert found.shape == (5, len(g))
    for i in {np.argmin(g.n), np.argmax(g.n), np.argmax(np.abs(g.mean - g.center)), np.argmax(g.ss / (g.n - 1))}:
        for chain in range(5):
            mu, between, s, log_nu = (float(draws[x][chain, 0]) for x in ("mu", "sd_between", "s", "log_nu"))
            expected = by_adaptive_quadrature(g, i, mu, between, s, np.exp(log_nu))
            assert found[chain, i] == pytest.approx(expected, abs=CLOSE)


@pytest.mark.parametrize("nu", [1.0, 1.414, 4.0, 64.0])
def test_prediction_of_small_groups(nu):
    """Small groups, also where sd_between is several times s, or s far below the sd of a group."""
    g = replicates(159, [4, 4, 4, 4])
    draws = {"mu": [497.0, 503.0, 486.5, 496.4], "between": [6.0, 4.5, 21.4, 9.0], "s": [11.0, 9.0, 7.2, 4.1]}
    draws["nu"] = [nu] * 4
    found = unequal_variances.log_predictive(OwnVariances(g), tree_of(**draws))
    for row, here in enumerate(zip(*draws.values(), strict=True)):
        for i in range(len(g)):
            assert found[row, i] == pytest.approx(by_adaptive_quadrature(g, i, *here), abs=CLOSE)


def test_prediction_with_nu_without_end_is_that_of_a_common_variance():
    """Means are N(mu, sd_between^2 + s^2/n), and rows about them normal: what is left is of the order of 1/nu."""
    g, (mu, between, s) = SMALL.groups, (498.0, 8.0, 9.5)
    found = unequal_variances.log_predictive(SMALL, tree_of(mu, between, s, 1e7))[0]
    of_means = stats.norm.logpdf(g.mean, mu, np.hypot(between, s / np.sqrt(g.n))) - np.log(g.n) / 2
    within = -(g.n - 1) / 2 * np.log(2 * np.pi * s**2) - g.ss / (2 * s**2)
    assert found == pytest.approx(of_means + within, abs=1e-4)
