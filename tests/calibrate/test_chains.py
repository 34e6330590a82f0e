"""Chains through the truth, and laws that are cut off."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers.priors import PROPER
from scipy import stats

from analyses.calibrate import batched_states, ranks, stationary, truncation
from models import distributions, priors

DRAWS = 31


def test_the_truth_ranks_evenly_in_a_chain_that_hardly_moves():
    """Correlation .99: thinned by nothing, begun at the truth, and still exact."""
    rng, rho, size = np.random.default_rng(1), 0.99, 20_000
    truth = {"x": rng.standard_normal(size)}

    def move(state):
        return {"x": rho * state["x"] + np.sqrt(1 - rho**2) * rng.standard_normal(size)}

    walked = stationary.by_moves(move, truth, draws=DRAWS, thin=1, rng=rng)["x"]
    assert ranks.p_value(ranks.rank(truth["x"], walked, rng), DRAWS) > 1e-6


def test_a_sweep_is_reversed():
    """Of an AR(1) that Gibbs makes of a pair of normals the two ends are as far from the truth as each other.

    And the truth ranks evenly in a quantity of both, which it would not were the backward order that of the sweep.
    """
    rng, rho, size = np.random.default_rng(2), 0.9, 40_000
    sd = np.sqrt(1 - rho**2)
    conditionals = {
        "x": lambda s: distributions.Normal(rho * s["y"], sd),
        "y": lambda s: distributions.Normal(rho * s["x"], sd),
    }
    x = rng.standard_normal(size)
    truth = {"x": x, "y": rng.normal(rho * x, sd)}
    family = SimpleNamespace(together=(), thin=1)
    found = stationary.by_gibbs(family, None, truth, draws=DRAWS, rng=rng, conditionals=lambda *_: conditionals)
    for name in ("x", "y"):
        assert ranks.p_value(ranks.rank(truth[name], found[name], rng), DRAWS) > 1e-6
    both = ranks.rank(truth["x"] - truth["y"], found["x"] - found["y"], rng)
    assert ranks.p_value(both, DRAWS) > 1e-6


def test_steps_that_are_one_stay_in_their_order():
    conditionals = dict.fromkeys(("mu", "nu", "sigma2", "theta"))
    found = stationary.blocks(conditionals, ("nu", "sigma2"))
    assert found == [("mu",), ("nu", "sigma2"), ("theta",)]


@pytest.mark.parametrize(
    ("name", "of", "value"),
    [
        ("mu", "mu", -3.0),
        ("tau_log__", "tau", 2.5),
        ("log_sigma", "sigma", 2.5),
        ("sigma2_log__", "sigma", 2.5),
        ("tau_power_log__", "tau", 2.5),
    ],
)
def test_what_pymc_samples_is_found_again(name, of, value):
    root, forward, inverse = stationary._spelled(name, {"mu": None})
    assert root == of
    assert inverse(forward(value)) == pytest.approx(value, rel=1e-14)
    if name != "mu":
        assert np.exp(forward(value)) == pytest.approx(value**2 if "2" in name or "power" in name else value)


@pytest.mark.parametrize(
    "law", [distributions.InverseGamma(3.0, np.full(20_000, 40.0)), distributions.Gamma(3.0, np.full(20_000, 0.2))]
)
@pytest.mark.parametrize("limits", [(0.0, 12.0), (9.0, 30.0), (0.0, 2.0)])
def test_a_law_that_is_cut_off(law, limits):
    """Against SciPy's distribution function between the limits, by Kolmogorov and Smirnov's test."""
    whole = (
        stats.invgamma(3.0, scale=40.0)
        if isinstance(law, distributions.InverseGamma)
        else stats.gamma(3.0, scale=1 / 0.2)
    )
    low, high = whole.cdf(limits)
    drawn = truncation.Cut(law, *limits).draw(np.random.default_rng(3))
    assert (drawn >= limits[0]).all()
    assert (drawn <= limits[1]).all()
    assert stats.kstest(drawn, lambda x: (whole.cdf(x) - low) / (high - low)).pvalue > 1e-6


@pytest.mark.parametrize("prior", [priors.JEFFREYS, priors.FLAT, priors.FLAT_VARIANCE])
def test_an_improper_prior_that_is_cut_off(prior):
    """Roots of the variances drawn, against the integral of the prior's density."""
    limits = (4.0, 400.0)
    sd = np.sqrt(truncation.variance(prior, limits, 20_000, np.random.default_rng(4)))
    grid = np.linspace(2.0, 20.0, 20_001)
    density = np.exp(prior.log_density(grid))
    upto = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    assert stats.kstest(sd, lambda x: np.interp(x, grid, upto / upto[-1])).pvalue > 1e-6


@pytest.mark.parametrize("prior", [prior for prior in PROPER if prior.tail_exponent > 2], ids=str)
def test_a_proper_prior_is_drawn_from(prior):
    sd = prior.draw(20_000, np.random.default_rng(5))
    grid = np.geomspace(1e-7, 1e4, 400_001)
    density = np.exp(prior.log_density(grid)) * grid  # of the log, in which the grid is even
    upto = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)]) * np.log(grid[1] / grid[0])
    assert upto[-1] == pytest.approx(1.0, abs=1e-6)
    assert stats.kstest(sd, lambda x: np.interp(x, grid, upto)).pvalue > 1e-6


def test_what_is_improper_has_no_draws():
    with pytest.raises(ValueError, match="improper"):
        priors.FLAT.draw(3, np.random.default_rng(6))
    with pytest.raises(ValueError, match="need a box"):
        truncation.variance(priors.HalfNormal(1.0), (0.0, 1.0), 3, np.random.default_rng(6))


def test_draws_on_a_lattice_are_the_densitys():
    """A normal of two correlated variables, on nodes an sd apart: only rejection makes such a lattice exact."""
    rng, rho = np.random.default_rng(7), 0.6

    def log_density(u):
        return -(u[0] ** 2 - 2 * rho * u[0] * u[1] + u[1] ** 2) / (2 * (1 - rho**2))

    u = batched_states.on_lattice(log_density, [(-7.0, 7.1, 0.7)] * 2, 5000, 50, rng, bound=1.6)
    assert u.shape == (2, 50, 5000)
    for x in (*u, (u[0] + u[1]) / np.sqrt(2 + 2 * rho)):
        assert stats.kstest(x.ravel(), stats.norm.cdf).pvalue > 1e-6


def test_an_envelope_that_is_exceeded_is_an_error():
    with pytest.raises(RuntimeError, match="envelope of the draws is exceeded"):
        batched_states.on_lattice(lambda u: -(u[0] ** 2) / 2, [(-9.0, 9.1, 2.0)], 50, 50, np.random.default_rng(8))
