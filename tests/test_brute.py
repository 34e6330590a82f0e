"""The brute-force posterior in doubles against 30 digits, and against itself on a finer lattice."""

import numpy as np
import pytest
from helpers.brute import Brute
from helpers.conflicts import KINDS, LEAST_FALL, conflict, sixty, tuned
from helpers.oracle import Oracle, row
from helpers.problems import PROBLEMS
from mpmath import mpf
from scipy.special import roots_legendre

from models import propriety

PROMISE = 1e-11  # of the quantity's posterior sd
ESTIMATES = [name for name in PROBLEMS if name.startswith("estimates")]


def check_moments(brute, key, mean, sd):
    found = brute.table.loc[key]
    assert abs(found["mean"] - mean) <= PROMISE * sd + np.spacing(abs(found["mean"]))
    if np.isfinite(found["sd"]):
        assert abs(found["sd"] - sd) <= PROMISE * sd


def check_cdf(brute, key, point, truth):
    """The error of a quantile is that of the distribution function over the density."""
    found, (cdf, density) = brute.cdf(key, point), truth
    assert abs(found.cdf - cdf) <= PROMISE * density * brute.table.loc[key, "sd"]
    assert abs(found.density / density - 1) <= 1e-9


@pytest.mark.parametrize("name", [*ESTIMATES, pytest.param("one-way, proper mu", marks=pytest.mark.slow)])
def test_against_30_digits(name):
    model = PROBLEMS[name]
    brute, oracle = Brute(model), Oracle(model, closed=False, step="0.1")
    for scale in (*model.unknown, "sd_between"):
        check_moments(brute, (scale, ""), *oracle.moments_scale(scale))
    last = len(model.groups) - 1
    theta, x = ("theta", model.groups.labels[last]), row(model, last)
    mu = [mpf(int(k == 0)) for k in range(len(model.coefficients))]
    check_moments(brute, theta, *oracle.moments_linear(x, last))
    check_moments(brute, ("mu", ""), *oracle.moments_linear(mu))
    mean, sd = brute.table.loc[theta]
    check_cdf(brute, theta, mean - 1.5 * sd, oracle.cdf_linear(mpf(mean - 1.5 * sd), x, last))
    if len(model.unknown) == 1:
        check_cdf(brute, ("tau", ""), 5.0, oracle.cdf_tau(mpf(5)))


def test_distribution_functions_of_scales_against_30_digits():
    """The oracle integrates sigma out in closed form, which Brute never does."""
    brute, oracle = Brute(PROBLEMS["one-way"]), Oracle(PROBLEMS["one-way"], closed=True, step="0.02")
    for scale in ("tau", "sigma", "sd_between"):
        check_moments(brute, (scale, ""), *oracle.moments_scale(scale))
        q = float(brute.table.loc[(scale, ""), "mean"])
        truth = oracle.cdf_tau(mpf(q)) if scale == "tau" else oracle.cdf_root(mpf(q), scale)
        check_cdf(brute, (scale, ""), q, truth)


@pytest.mark.parametrize("name", ["one-way", "one-way, absolute tau", "estimates, covariate"])
def test_distribution_function_of_kappa(name):
    """E kappa is the integral of 1 - F."""
    brute, key = Brute(PROBLEMS[name]), ("kappa", "g1")
    points, weights = roots_legendre(60)
    points, weights = (points + 1) / 2, weights / 2
    smooth, stretch = points**2 * (3 - 2 * points), 6 * points * (1 - points)
    above = [1 - brute.cdf(key, q).cdf for q in smooth]
    assert brute.table.loc[key, "mean"] == pytest.approx(weights * stretch @ above, abs=1e-7)


def test_sixty():
    """Two peaks of log tau whose shares depend on the last digits of the data."""
    table = Brute(sixty(7.1)).table
    assert table.loc[("tau", ""), "mean"] == pytest.approx(1.192, abs=5e-4)
    assert table.loc[("theta", "59"), "mean"] == pytest.approx(4.882, abs=5e-4)
    assert Brute(sixty(7.15)).table.loc[("tau", ""), "mean"] == pytest.approx(2.512, abs=5e-4)


@pytest.mark.parametrize("kind", list(dict.fromkeys(KINDS)), ids=lambda kind: kind.__name__)
def test_conflicts_on_a_finer_lattice(kind):
    model = tuned(kind(np.random.default_rng(8)), 1.0)
    brute, finer = Brute(model), Brute(model, refine=2)
    change, sd = (brute.table - finer.table).abs(), finer.table["sd"]
    assert np.all(change["sd"] <= PROMISE * sd)
    assert np.all(change["mean"] <= PROMISE * sd + 4 * np.spacing(finer.table["mean"].abs()))
    for key in [("mu", ""), ("tau", ""), ("sd_between", ""), ("theta", model.groups.labels[-1])]:
        q = brute.table.loc[key, "mean"]
        point, truth = brute.cdf(key, q), finer.cdf(key, q)
        # In a valley the density is so low that the rounding of the sum of the weights counts.
        assert abs(point.cdf - truth.cdf) <= PROMISE * truth.density * sd[key] + 16 * np.finfo(float).eps


def test_conflicts_are_proper():
    for seed in range(5):
        model, description = conflict(np.random.default_rng(seed))
        propriety.require_proper(model)
        assert propriety.tail_exponents(model)["tau"] >= LEAST_FALL
        assert "tau" in description
