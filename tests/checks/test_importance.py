"""Importance sampling: densities of groups given the others agree with exact ones, to the error that is stated."""

import numpy as np
import pytest
from helpers.group_densities import log_density_of_group, rows_of
from helpers.problems import HALF, replicates
from scipy import stats
from scipy.special import logsumexp

from analyses.checks import importance, leave_out
from analyses.engines import exact
from models import priors
from models.groups import Estimates
from models.two_level import TwoLevel

ERRORS = 4.5  # of Monte Carlo: a right figure is farther off less than once in a hundred thousand times


def test_importance_sampling_agrees_with_the_exact_ratio():
    """Where both can be had: with a common variance. The error is that of the mean of the weights, 1 / p(rows)."""
    model = TwoLevel(groups=replicates(169, [4, 7, 5, 9, 4, 6, 12, 5, 8, 4, 6, 10]), tau=HALF)
    rng = np.random.default_rng(170)
    draws = exact.posterior(model).draw(draws=5000, chains=4, rng=rng)["posterior"].dataset
    mu, between, sigma = (draws[name].values.ravel() for name in ("mu", "sd_between", "sigma"))
    rows = rows_of(model.groups, rng)
    log_predictive = np.stack([log_density_of_group(y, mu, between, sigma) for y in rows], axis=-1)
    found, expected = importance.by_importance(log_predictive).groups, leave_out.exactly(model)
    assert found["pareto_k"].max() < importance.largest_k(len(mu))
    weight = np.exp(-log_predictive + log_predictive.max(axis=0))
    error = weight.std(axis=0, ddof=1) / weight.mean(axis=0) / np.sqrt(len(mu))
    assert np.all(error < 0.05), "or it says nothing"
    naive = logsumexp(log_predictive, axis=0) - np.log(len(mu))
    assert np.any(np.abs(naive - expected) > 5 * ERRORS * error), "draws without weights have seen the group"
    assert np.all(np.abs(found["log_density"] - expected) < ERRORS * error)


def log_predictive_of(model, tree):
    """Log of p(estimate of each group | hyperparameters) at each draw, (draw, J)."""
    draws, g = tree["posterior"].dataset, model.groups
    mu, between = (draws[name].values.reshape(-1, 1) for name in ("mu", "sd_between"))
    return stats.norm.logpdf(g.mean, mu, np.hypot(g.standard_error, between))


def outlying() -> TwoLevel:
    """Ten estimates, of which the first lies so far out that its weights are uneven.

    Their k is 0.76, but estimated from 4,000 draws as 0.40 to 0.90, with log densities that are off by 0.1.
    """
    rng = np.random.default_rng(171)
    se = rng.uniform(0.3, 1.0, 10)
    y = rng.normal(0, np.hypot(1, se)) + np.where(np.arange(10) == 0, 3.0, 0.0)
    return TwoLevel(groups=Estimates.from_summary(range(10), y, se), tau=priors.HalfNormal(2.0))


@pytest.fixture(scope="module")
def repeated():
    """A hundred sets of 4,000 draws: errors over stated errors of each group, and of the sum; and k."""
    model, rng = outlying(), np.random.default_rng(172)
    posterior = exact.posterior(model)
    right, runs = leave_out.table(posterior)["log_density"], []
    for _ in range(100):
        found = importance.by_importance(log_predictive_of(model, posterior.draw(rng=rng)))
        off = found.groups["log_density"] - right
        runs.append((off, off / found.groups["mcse_log_density"], found.groups["pareto_k"], off.sum() / found.mcse_sum))
    return [np.array(part) for part in zip(*runs, strict=True)]


def test_the_stated_error_covers_what_is_true(repeated):
    """Root mean squares over a hundred runs are 1 at most but for chance, whose 99.99% limit is that of a chi-square.

    The outlying group is among them, in the runs whose k looks harmless: its estimate is then too small, and what the
    draws have not seen of the tail is missing.
    """
    _, z, k, of_sum = repeated
    for part in (*z.T, of_sum):
        told = part[np.isfinite(part)]
        assert len(told) > 50
        assert np.mean(told**2) < stats.chi2.isf(1e-4 / (z.shape[1] + 1), len(told)) / len(told)
    assert np.median(k[:, 0]) > 0.5, "or it says nothing"


def test_an_even_group_has_no_larger_error_than_it_needs(repeated):
    """Where k is small the stated error is the true one to a factor of two."""
    _, z, k, _ = repeated
    even = np.max(k, axis=0) < 0.3
    assert even.sum() >= 3
    assert np.sqrt(np.mean(z[:, even] ** 2)) > 0.5


def test_no_error_is_stated_where_k_is_too_large():
    """Weights that are Pareto with k = 1.5 have no mean."""
    weight = np.random.default_rng(173).pareto(1 / 1.5, (4_000, 1)) + 1
    found = importance.by_importance(-np.log(weight))
    assert found.groups["pareto_k"].iloc[0] > importance.largest_k(4_000)
    assert np.isnan(found.groups["mcse_log_density"].iloc[0])
    assert np.isnan(found.mcse_sum)


@pytest.mark.parametrize(("draws", "k"), [(100, 0.5), (1_000, 2 / 3), (4_000, 0.7)])
def test_the_largest_k_is_that_of_the_draws(draws, k):
    """1 - 1 / log10(S) until it is 0.7 (Vehtari et al. 2024)."""
    assert importance.largest_k(draws) == pytest.approx(k)


def test_dependent_draws_have_a_larger_error():
    """Each draw four times: as many effective ones as before, and so the same error."""
    model = outlying()
    log_predictive = log_predictive_of(model, exact.posterior(model).draw(rng=np.random.default_rng(175)))
    once = importance.by_importance(log_predictive).groups["mcse_log_density"]
    often = importance.by_importance(np.repeat(log_predictive, 4, axis=0), efficiency=0.25).groups["mcse_log_density"]
    even = once.index[1:]  # the tails that are fitted differ
    assert often[even].to_numpy() == pytest.approx(once[even].to_numpy(), rel=0.3)
