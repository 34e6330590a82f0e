"""The promise: right chains are not called different more often than is said, however slow they are in a tail."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from helpers.audits import SAMPLE
from scipy.signal import lfilter
from scipy.special import ndtri
from scipy.stats import binom

from analyses.audit import comparison, significance
from analyses.reference import Reference

ROWS = {"mean": 0.0, "sd": 1.0, "q5": ndtri(0.05), "q50": 0.0, "q95": ndtri(0.95)}
NORMAL = Reference(
    name="normal law",
    data="",
    priors={},
    table=pd.DataFrame(ROWS, pd.MultiIndex.from_tuples([("x", "")], names=["variable", "label"])),
)
CHAINS, SIZE = 4, 1000
CHANCE = 1e-4  # that a count above the bound is bad luck


def autoregression(rng, runs, effective):
    """Chains from their stationary law, worth so many independent draws."""
    each = CHAINS * SIZE / effective
    correlation = (each - 1) / (each + 1)
    noise = rng.standard_normal((runs, CHAINS, SIZE)) * np.sqrt(1 - correlation**2)
    noise[..., 0] /= np.sqrt(1 - correlation**2)
    return lfilter([1], [1, -correlation], noise, axis=-1)


def regimes(rng, runs, effective, tail=0.05):
    """Independent normal draws, but for a regime: the upper tail is entered rarely, and left as rarely."""
    each = CHAINS * SIZE / effective
    stays, move = (each - 1) / (each + 1), rng.random((runs, CHAINS, SIZE))
    above = np.empty(move.shape, dtype=bool)
    above[..., 0] = move[..., 0] < tail
    for k in range(1, SIZE):
        above[..., k] = move[..., k] < tail * (1 - stays) + stays * above[..., k - 1]
    within = rng.random(move.shape)
    return ndtri(np.where(above, 1 - tail * within, (1 - tail) * within))


def wider_regimes(rng, runs, effective):
    """The regime is the upper tenth, so that within it the 95% quantile is crossed all the time."""
    return regimes(rng, runs, effective, tail=0.1)


def rarity(x):
    """How rare the rarest of four figures is by the audit, for chains (run, chain, draw), with Bonferroni's factor."""
    found = [comparison.compare(xr.Dataset({"x": (SAMPLE, draws)}), NORMAL) for draws in x]
    return np.array([significance.probability(c.table["z"].abs().max(), c.size) * len(c.table) for c in found])


@pytest.mark.slow
@pytest.mark.parametrize("effective", [110, 300, 1000])
@pytest.mark.parametrize("chains", [autoregression, regimes, wider_regimes])
def test_right_chains_are_called_different_as_rarely_as_is_said(chains, effective):
    """Four hundred runs at levels of 1 in 100 and 1 in 1000, as nobody can count to the level that is used.

    Without visits and Student's t, regimes worth 110 effective draws are beyond the level of 1 in 1000 in 3 of 100.
    """
    runs = 400
    rare = rarity(chains(np.random.default_rng(91), runs, effective))
    for level in (0.01, 0.001):
        assert (rare < level).sum() <= binom.ppf(1 - CHANCE, runs, level)


def test_independent_draws_visit_a_tail_as_often_as_is_expected():
    """Each tail and the median, of 400,000 draws: visits are 1 in 22 draws and 1 in 4; errors below 1/sqrt(visits)."""
    x = np.random.default_rng(92).standard_normal((1, 4, 100_000))
    counted = significance.visits(x, NORMAL.table)
    expected = {"below_q5": 0.05 / 1.1, "below_q50": 0.25, "below_q95": 0.05 / 1.1}
    for name, rate in expected.items():
        assert significance.visits_a_draw(significance.PROBABILITY[name]) == pytest.approx(rate)
        assert counted[name].iloc[0] == pytest.approx(4e5 * rate, abs=4 * np.sqrt(4e5 * rate))


def test_draws_between_the_median_and_a_tail_end_no_visit():
    """Two draws in the tail with one beside it are one visit; the median ends it, and a chain's end does not."""
    x = np.array([[[2.0, 1.0, 2.0, -1.0, 2.0, 0.5]]])
    assert significance.visits(x, NORMAL.table)["below_q95"].tolist() == [1.0]


@pytest.mark.parametrize("p", [0.05, 0.5])
def test_visits_and_their_size_are_inverse(p):
    for size in (30.0, 400.0, 3900.0):
        assert significance.size_of_visits(significance.worth(p, size, 4000), p, 4000) == pytest.approx(size, rel=1e-12)


def test_a_size_of_visits_is_that_of_a_two_state_chain():
    """Draws that alternate between long stays: n (1 - r) / (1 + r), r the correlation of successive states."""
    correlation, n = 0.9, 4000
    stays = n * significance.visits_a_draw(0.05) * (1 - correlation)
    assert significance.size_of_visits(stays, 0.05, n) == pytest.approx(n * (1 - correlation) / (1 + correlation))


def test_a_tail_without_a_visit_says_nothing_by_visits():
    z = significance.deviate_of_visits(pd.Series([1e-9]), 0.05, pd.Series([0.0]), 4000)
    assert z.tolist() == [0.0]
