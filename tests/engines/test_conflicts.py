"""Posteriors with several peaks: the exact engine against brute force over the whole range, written apart.

Precise groups that agree beside imprecise ones that do not, priors against data, two populations of sizes; one scale
and two; one to three peaks with valleys of every depth (tests/conflicts.py). Nothing here looks for a peak.
"""

import numpy as np
import pytest
from helpers.brute import Brute
from helpers.conflicts import conflict, sixty

from analyses.checks import agreement, diagnostics
from analyses.engines import empirical_bayes, exact, gibbs, laplace, nuts, reml
from analyses.engines.mixture import PROBABILITIES, spread
from analyses.engines.summary_tables import summary
from models import priors
from models.groups import Estimates, Replicates
from models.two_level import TwoLevel

PROMISE = 1e-8  # of a posterior sd
EPS = np.finfo(float).eps
PART = 50  # tables to a test
SLOW = 39  # tests more, which make 2,000 tables with the quick one


def compared(model):
    """Entries of the engine's table that are off by more than the stated error, a line each."""
    g = model.groups
    groups = np.unique([np.argmin(g.noise), np.argmax(np.abs(g.mean - np.median(g.mean)))])
    posterior, truth = exact.posterior(model), Brute(model)
    table, error, right = posterior.table(groups), posterior.error(groups), truth.table
    wide, rows = spread(table), model.groups.df.sum() + len(model.groups)
    for key in table.index:
        for statistic in ("mean", "sd"):
            if np.isnan(table.loc[key, statistic]) and np.isnan(right.loc[key, statistic]):
                continue  # neither gives a moment that does not exist, or hardly
            off = abs(table.loc[key, statistic] - right.loc[key, statistic])
            # Brute force is right to some 1e-11 sds, but for the rounding of a log likelihood of so many rows; and both
            # round what is far from 0.
            known = (1e-11 + 8 * EPS * rows) * wide[key] + 4 * np.spacing(abs(table.loc[key, "mean"]))
            yield from _faults(key, statistic, off, known, wide[key], error.loc[key, statistic])
        for name, p in PROBABILITIES.items():
            point = truth.cdf(key, table.loc[key, name])
            # In a deep valley the density is next to 0, and a distribution function is known to its rounding only.
            known = (
                (1e-11 + 8 * EPS * rows) * wide[key]
                + 16 * EPS / point.density
                + 4 * np.spacing(abs(table.loc[key, name]))
            )
            off = abs(point.cdf - p) / point.density
            yield from _faults(key, name, off, known, wide[key], error.loc[key, name])


def _faults(key, statistic, off, known, wide, stated):
    if not off <= PROMISE * wide + known:
        yield f"{key} {statistic} is off by {off / wide:.1e} sd"
    if not off <= stated + known:
        yield f"{key} {statistic} is off by {off:.1e}, stated {stated:.1e}"


@pytest.mark.parametrize("part", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, SLOW + 1))])
def test_random_conflicts(part):
    rng = np.random.default_rng([2026, part])
    for number in range(PART):
        model, story = conflict(rng)
        faults = list(compared(model))
        assert not faults, f"table {number} of part {part}, {story}: {faults}"


@pytest.mark.parametrize(
    ("farthest", "tau", "theta"), [(7.1, 1.192, 4.882), (7.15, 2.512, 10.366), (7.2, 2.667, 11.010)]
)
def test_two_peaks_of_sixty_estimates(farthest, tau, theta):
    """Fifty precise estimates that agree, ten imprecise ones that do not: peaks at .018 and 2.6, of equal height first.

    The figures are those of a sum over 40,000 nodes, written when the fault was found.
    """
    model = sixty(farthest)
    table = exact.posterior(model).table()
    assert table.loc[("tau", ""), "mean"] == pytest.approx(tau, abs=6e-4)
    assert table.loc["theta", "mean"].iloc[-1] == pytest.approx(theta, abs=6e-4)
    assert not list(compared(model))


@pytest.mark.parametrize("parameterization", ["marginal", "centered", "noncentered"])
def test_nuts_does_not_pass_where_it_misses_a_peak(parameterization):
    """A chain stays at the peak where it starts. Chains start at both, so R-hat has to be large."""
    model = sixty(7.1)
    tree = nuts.sample(model, parameterization=parameterization, seed=1, rng=np.random.default_rng(1))
    _not_both_green(model, tree)


def test_gibbs_does_not_pass_where_it_misses_a_peak():
    model = sixty(7.1)
    _not_both_green(model, gibbs.sample(model, rng=np.random.default_rng(1)))


def _not_both_green(model, tree):
    """R-hat shows that the chains did not mix, or the comparison with the exact posterior shows no agreement."""
    reference = exact.posterior(model).table()
    assert not diagnostics.verdict(tree, summary(tree, reference)).passed
    assert not agreement.verdict(agreement.table(tree, reference)).passed


def test_independent_draws_meet_both_peaks():
    model = sixty(7.1)
    posterior = exact.posterior(model)
    tree = posterior.draw(rng=np.random.default_rng(1))
    found = agreement.verdict(agreement.table(tree, posterior.table()))
    assert found.passed, found.sentence


@pytest.mark.parametrize("method", empirical_bayes.METHODS)
@pytest.mark.parametrize(("farthest", "between"), [(7.0, 0.018), (7.4, 2.7)])
def test_empirical_bayes_ends_at_the_higher_peak(method, farthest, between):
    """There are two local maxima, and a search from each ends at it. The answer is the higher one."""
    model = sixty(farthest)
    _, tau2, _ = empirical_bayes.maximum(model, method=method)
    tau = np.geomspace(1e-4, 100, 4001)
    b = model.collapsed(tau).location
    assert np.sqrt(tau2) == pytest.approx(tau[np.argmax(model.log_marginal(b, tau, np.ones_like(tau)))], rel=4e-3)
    assert np.sqrt(tau2) == pytest.approx(between, rel=0.1)


@pytest.mark.parametrize(("farthest", "between"), [(7.0, 0.018), (7.4, 2.7)])
def test_laplace_and_restricted_likelihood_end_at_the_higher_peak(farthest, between):
    model = sixty(farthest)
    assert np.exp(laplace.approximation(model).mean[-1]) == pytest.approx(between, rel=0.1)
    assert reml.maximum(model).sd_between == pytest.approx(between, rel=0.1)


@pytest.mark.parametrize("rows", [None, 4])
def test_a_slope_whose_prior_the_data_contradict(rows):
    """x is in the hundred thousands, and so is tau where the slope is its prior's 1 and not the data's 0.

    The density has a peak at a tau of 2, and one that dominates it five orders of magnitude higher.
    """
    rng = np.random.default_rng(5)
    x = np.round(2e5 * (1.5 + rng.normal(size=12)))
    y, labels, mu = 50 + 3 * rng.normal(size=12), "abcdefghijkl", priors.Normal()
    if rows is None:
        groups = Estimates.from_summary(labels, y, np.full(12, 2.0), covariates={"x": x})
    else:
        groups = Replicates.from_summary(labels, [rows] * 12, y, [48.0] * 12, covariates={"x": x})
    slope = priors.Normal(1.0, 0.04)
    assert not list(compared(TwoLevel(groups=groups, tau=priors.HalfCauchy(5.0), coefficients=(mu, slope))))
