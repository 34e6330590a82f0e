"""Are small groups extreme for being small: counts against plain loops, P's in the model's own world and in another."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from helpers.problems import HALF
from scipy import stats

from analyses.checks import funnel
from analyses.engines import exact
from analyses.studies import math_test as study
from models import math_test
from models.groups import Replicates
from models.two_level import TwoLevel

SIZES = np.array([4, 5, 4, 6, 8, 5, 7, 12, 20, 15, 30, 18, 25, 14, 22, 16, 11, 4, 6, 28])
RATIO = "spread of small over that of large, noise allowed for"
MU, BETWEEN, SIGMA = 500.0, 7.0, 10.0


# test quantities


def plainly(groups, mean, mu, sigma, between):
    """The same by loops."""
    middle = np.median(groups.n)
    rows = [
        (abs(y - mu), sigma / np.sqrt(n), n < middle)  # how far off, standard error, whether small
        for y, n in zip(mean, groups.n, strict=True)
    ]
    farthest = sorted(rows, reverse=True)[: funnel.FARTHEST]
    beyond = [few for off, error, few in rows if off > 2 * error]
    squared = {few: [o**2 / (e**2 + between**2) for o, e, f in rows if f == few] for few in (True, False)}
    return {
        "small ones among the 10 farthest": sum(few for *_, few in farthest),
        "beyond two standard errors": len(beyond),
        "small ones beyond two standard errors": sum(beyond),
        "large ones beyond two standard errors": len(beyond) - sum(beyond),
        RATIO: np.sqrt(np.mean(squared[True]) / np.mean(squared[False])),
    }


def simulated(rng, sizes=SIZES, spread=BETWEEN):
    """Groups of those sizes; from the model, where the spread of theta is the same for all."""
    theta = rng.normal(MU, spread, len(sizes))
    mean = rng.normal(theta, SIGMA / np.sqrt(sizes))
    ss = SIGMA**2 * rng.chisquare(sizes - 1)
    return Replicates.from_summary([f"g{i}" for i in range(len(sizes))], sizes, mean, ss)


def test_quantities_are_those_of_plain_loops():
    """For several means at once, each with its own mu, sigma and sd between groups."""
    rng = np.random.default_rng(191)
    g = simulated(rng)
    mean = rng.normal(MU, 9, (3, 2, len(g)))
    mu, sigma, between = rng.normal(MU, 3, (3, 2)), rng.uniform(6, 14, (3, 2)), rng.uniform(3, 9, (3, 2))
    found = funnel.statistics(g, mean, mu, sigma, between)
    for i in np.ndindex(3, 2):
        expected = plainly(g, mean[i], mu[i], sigma[i], between[i])
        assert list(found) == list(expected)
        assert [found[name][i] for name in found] == pytest.approx(list(expected.values()), rel=1e-12)


def test_small_is_below_the_median():
    """The median group itself is none of them."""
    g = Replicates.from_summary(list("abcde"), [3, 9, 5, 4, 7], [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 8.0, 4.0, 3.0, 6.0])
    assert funnel.small(g).tolist() == [True, False, False, True, False]


# against the two worlds


def compared(groups, rng):
    """The table of a study, by quantity."""
    tree = exact.posterior(TwoLevel(groups=groups, tau=HALF)).draw(draws=250, chains=4, rng=rng)
    return funnel.table(groups, tree, rng=rng).set_index("quantity")


def test_what_is_observed_is_an_average_over_draws():
    rng = np.random.default_rng(192)
    g = simulated(rng)
    tree = exact.posterior(TwoLevel(groups=g, tau=HALF)).draw(draws=5, chains=4, rng=rng)
    draws = [tree["posterior"][name].values.ravel() for name in ("mu", "sigma", "sd_between")]
    expected = [plainly(g, g.mean, *here) for here in zip(*draws, strict=True)]
    observed = funnel.table(g, tree, rng=rng).set_index("quantity")["observed"]
    for name, value in observed.items():
        assert value == pytest.approx(np.mean([one[name] for one in expected]), rel=1e-12)


def test_worlds_are_what_their_names_say():
    """Where scales are known, twice the standard error is passed with known probability: 2 Phi(-2) where all are alike,
    else 2 Phi(-2 error / hypot(error, between)) for each. Means of 4000 draws of counts, of independent groups.
    """
    rng, draws = np.random.default_rng(193), 4000
    g = simulated(rng)
    known = {"mu": MU, "sigma": SIGMA, "sd_between": BETWEEN}
    variables = {name: (("chain", "draw"), np.full((1, draws), value)) for name, value in known.items()}
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(variables)})
    rows = funnel.table(g, tree, rng=rng).set_index("quantity")
    error = SIGMA / np.sqrt(SIZES)
    for world, between in (("alike", 0.0), ("differing", BETWEEN)):
        p = 2 * stats.norm.sf(2 * error / np.hypot(error, between))
        for name, which in (
            ("beyond two standard errors", p > 0),
            ("small ones beyond two standard errors", funnel.small(g)),
            ("large ones beyond two standard errors", ~funnel.small(g)),
        ):
            spread = np.sqrt(np.sum((p * (1 - p))[which]) / draws)
            assert rows.loc[name, f"mean, {world}"] == pytest.approx(p[which].sum(), abs=4.5 * spread)


def test_in_the_models_own_world_p_is_roughly_uniform():
    """Fifty small simulations. mu and the scales are fitted to the same data, so it is not quite."""
    rng = np.random.default_rng(194)
    p = [compared(simulated(rng), rng).loc[RATIO, "P, differing"] for _ in range(50)]
    assert stats.kstest(p, "uniform").pvalue > 1e-5
    assert min(p) < 0.25
    assert max(p) > 0.75


def test_small_groups_that_are_truly_more_extreme_are_noticed():
    """With three times the spread between them, in sixty groups: twenty are too few to be sure of it.

    With a common spread of some 15 the ratio squared is about (461 / 245) / (55 / 231) = 8 times an F with 30 and 30
    degrees of freedom, of which 2.4 is the 99% quantile: passed but for once in a thousand times.
    """
    rng, sizes = np.random.default_rng(195), np.tile(SIZES, 3)
    assert stats.f.cdf(stats.f.ppf(0.99, 30, 30) / 8, 30, 30) < 0.001
    few = sizes < np.median(sizes)
    found = compared(simulated(rng, sizes, np.where(few, 3 * BETWEEN, BETWEEN)), rng)
    assert found.loc[RATIO, "P, differing"] < 0.01
    assert found.loc[RATIO, "observed"] > 1


def test_groups_that_differ_are_not_taken_for_alike():
    """Twenty groups, half of them with a standard error below a third of sd_between."""
    rng = np.random.default_rng(196)
    assert compared(simulated(rng), rng).loc["beyond two standard errors", "P, alike"] < 0.01


# what the study says of the schools


def test_extreme_schools_are_small():
    """School 67 is the highest and has 4 pupils, school 17 the third lowest and has 7."""
    g = math_test.data()
    order, high, low = np.argsort(g.mean), g.labels.index("67"), g.labels.index("17")
    assert (order[-1], order[2]) == (high, low)
    assert (g.n[high], g.n[low]) == (4, 7)
    assert funnel.small(g)[[high, low]].all()


def test_the_likelihood_is_largest_at_the_sample_means():
    """sigma^2 is then ss / N. The search ends where a step gains less than the objective's rounding, 5e3 times 2e-16.

    theta a ten-thousandth of a standard error off would lose 5e-9; so would log sigma sqrt(5e-9 / 1993) off.
    """
    g = math_test.data()
    theta, sigma = study.maximize_likelihood(g)
    assert np.abs((theta - g.mean) * np.sqrt(g.n) / sigma).max() < 1e-4
    assert np.log(sigma) == pytest.approx(np.log(g.ss.sum() / g.n.sum()) / 2, abs=np.sqrt(5e-9 / g.n.sum()))


def test_it_is_so_for_other_data():
    """Nothing but the likelihood is used: means that are moved are found again."""
    g = math_test.data()
    moved = replace(g, mean=g.mean + np.linspace(-30.0, 20.0, len(g)), ss=2.5 * g.ss)
    theta, sigma = study.maximize_likelihood(moved)
    assert np.abs((theta - moved.mean) * np.sqrt(g.n) / sigma).max() < 1e-4
    assert sigma**2 == pytest.approx(2.5 * g.ss.sum() / g.n.sum(), rel=1e-5)
