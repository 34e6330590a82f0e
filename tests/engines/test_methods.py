"""Empirical Bayes, the normal approximation and Metropolis: right where they are exact, measured elsewhere."""

import numpy as np
import pytest
from helpers.problems import PROBLEMS, replicates
from scipy import optimize, stats

from analyses.checks import agreement
from analyses.engines import empirical_bayes, exact, laplace, marginal_posterior, metropolis
from models import blood_pressure, eight_schools, math_test, priors
from models.two_level import TwoLevel

STUDIES = {
    "math_test": math_test.model(),
    "blood_pressure": blood_pressure.model(),
    "eight_schools": eight_schools.model(),
    "weakly_informative": eight_schools.weakly_informative(),
}
EVERY = STUDIES | PROBLEMS


# empirical Bayes


def printed_log_likelihood(groups, mu, lam, w):
    """Seed 001's final marginal log likelihood, in the sums over a school's scores that it has."""
    n, total, squares = groups.n, groups.n * groups.mean, groups.ss + groups.n * groups.mean**2
    bracket = lam * squares + lam * w * mu**2 - lam * (total + w * mu) ** 2 / (n + w)
    return np.sum(n / 2 * np.log(lam) + np.log(w / (n + w)) / 2 - bracket / 2)


def test_the_printed_marginal_likelihood_is_right():
    """Up to a constant, at random (mu, lambda, omega): lambda = 1 / sigma^2, omega = 1 / tau^2."""
    model, rng = STUDIES["math_test"], np.random.default_rng(101)
    gaps = []
    for _ in range(5):
        mu, sigma, tau = rng.normal(48, 3), rng.uniform(6, 12), rng.uniform(0.3, 1)
        ours = model.log_marginal(np.array([mu]), tau, sigma)
        gaps.append(ours - printed_log_likelihood(model.groups, mu, sigma**-2, tau**-2))
    assert gaps == pytest.approx([gaps[0]] * 5, abs=1e-8), "of terms of some tens of thousands"


@pytest.mark.parametrize("name", EVERY)
def test_score_is_the_slope_of_the_marginal_likelihood(name):
    model = EVERY[name]
    b, tau, sigma = marginal_posterior.unpack(model, marginal_posterior.peaks(model)[0] + 0.1)
    at = np.array([*b, tau**2, np.log(sigma)])

    def height(x):
        return model.log_marginal(x[:-2], np.sqrt(x[-2]), np.exp(x[-1]))

    slope = optimize.approx_fprime(at, height, 1e-6 * np.maximum(np.abs(at), 1))
    found = empirical_bayes.score(model, b, tau**2, sigma)
    free = slice(None) if "sigma" in model.unknown else slice(-1)
    # A forward difference is off by half a step times the curvature, which is of the order of the slopes' spread.
    assert found[free] == pytest.approx(slope[free], rel=1e-3, abs=1e-3 * np.abs(slope[free]).max())


@pytest.mark.parametrize("name", EVERY)
def test_two_searches_find_the_same_maximum(name):
    """They agree to a thousandth of a standard error: Nelder-Mead's simplex stops where heights differ by 1e-13."""
    quick, slow = (empirical_bayes.table(EVERY[name], method=method) for method in empirical_bayes.METHODS)
    shared = quick.index[~quick.index.isin(["theta", "kappa"], level=0)]
    error = quick.loc[shared, "sd"].fillna(1.0)
    assert ((quick.loc[shared, "mean"] - slow.loc[shared, "mean"]).abs() < 1e-3 * error).all()


def test_equal_sizes_have_a_maximum_in_closed_form():
    """J groups of n: sigma^2 = ss / df, and sigma^2 / n and the variance between add up to that of the means.

    Where the means vary less than that the maximum is at tau = 0, and sigma^2 is the variance of all rows.
    """
    inside = []
    for seed in range(1, 13):
        groups = replicates(seed, [4] * 7)
        found = empirical_bayes.table(TwoLevel(groups=groups, tau=priors.FLAT))["mean"]
        sigma2, of_means = groups.ss.sum() / groups.df.sum(), groups.mean.var()
        inside.append(of_means > sigma2 / 4)
        if not inside[-1]:
            sigma2, tau2 = (groups.ss.sum() + 28 * of_means) / 28, 0.0
        else:
            tau2 = of_means / sigma2 - 1 / 4
        assert found["mu", ""] == pytest.approx(groups.mean.mean(), rel=1e-8)
        assert found["sigma", ""] ** 2 == pytest.approx(sigma2, rel=1e-6)
        assert found["tau", ""] ** 2 == pytest.approx(tau2, rel=1e-5)
    assert {True, False} == set(map(bool, inside)), "both cases must have been seen"


def test_eight_schools_have_their_maximum_at_the_boundary():
    """At tau = 0 every school equals the pooled mean with no error, which is not credible."""
    table = empirical_bayes.table(STUDIES["eight_schools"])
    assert table.loc[("tau", ""), "mean"] == 0
    assert np.isnan(table.loc[("tau", ""), "sd"])
    assert table.loc[("mu", "")].tolist() == pytest.approx([7.68561672, np.sqrt(16.58053)], rel=1e-6)
    assert table.loc["theta", "mean"].to_numpy() == pytest.approx(np.full(8, 7.68561672), rel=1e-6)
    assert (table.loc["theta", "sd"] == 0).all()


@pytest.mark.parametrize("name", ["math_test", "blood_pressure", "eight_schools"])
def test_plugging_in_is_overconfident(name):
    """Uncertainty of the hyperparameters adds to the spread of theta, on average over the groups."""
    plugged, full = empirical_bayes.table(STUDIES[name]), exact.posterior(STUDIES[name]).table()
    assert plugged.loc["theta", "sd"].mean() < full.loc["theta", "sd"].mean()


def test_the_general_priors_of_the_source():
    """Seed 001: lambda ~ Gamma(a, b), omega ~ Gamma(c, d), mu ~ N(nu, 1/phi), and the conditionals it ends with."""
    a, b, c, d, nu, phi = 2.0, 150.0, 1.5, 0.4, 45.0, 0.02
    model = TwoLevel(
        groups=math_test.data(),
        tau=priors.InverseGamma(c, d),
        sigma=priors.InverseGamma(a, b),
        coefficients=(priors.Normal(nu, phi**-0.5),),
    )
    g, rng = model.groups, np.random.default_rng(102)
    here = model.start(1, rng) | {"b": np.array([[47.0]])}
    theta, mu, lam, w = here["theta"][0], 47.0, 1 / here["sigma2"][0], 1 / here["tau2"][0]
    laws = {name: law(here) for name, law in model.conditionals().items()}
    within = np.sum(g.ss + g.n * (g.mean - theta) ** 2)
    between = np.sum((theta - mu) ** 2)
    assert laws["sigma2"].shape == pytest.approx((g.n.sum() + len(g)) / 2 + a)
    assert laws["sigma2"].scale[0] == pytest.approx((within + w * between) / 2 + b)
    assert laws["tau2"].shape == pytest.approx(len(g) / 2 + c)
    assert laws["tau2"].scale[0] == pytest.approx(lam * between / 2 + d)
    precision = w * lam * len(g) + phi
    assert laws["b"].mean[0, 0] == pytest.approx((w * lam * theta.sum() + phi * nu) / precision)
    assert laws["b"].covariance[0, 0, 0] == pytest.approx(1 / precision)
    assert laws["theta"].mean[0] == pytest.approx((g.n * g.mean + w * mu) / (g.n + w))
    assert laws["theta"].sd[0] ** 2 == pytest.approx(1 / (lam * (g.n + w))), "printed without its inverse"


# the normal approximation


@pytest.mark.parametrize("name", EVERY)
def test_the_mode_is_one(name):
    """A step of a hundredth of an sd in any direction goes down, as far as the curvature predicts."""
    model = EVERY[name]
    law, rng = laplace.approximation(model), np.random.default_rng(103)
    factor, top = np.linalg.cholesky(law.covariance), marginal_posterior.log_posterior(model, law.mean)
    for _ in range(10):
        step = rng.normal(size=len(law.mean))
        step *= 0.01 / np.linalg.norm(step)
        sides = marginal_posterior.log_posterior(model, law.mean + np.outer([1, -1], factor @ step))
        down = top - sides.mean()
        assert down == pytest.approx(0.01**2 / 2, rel=0.01)


def test_the_approximation_of_the_source():
    """Seed 002: mode (7.926685, 1.841525), as exact as its optimiser's default lets it be, and its covariance."""
    law = laplace.approximation(STUDIES["eight_schools"])
    sd = np.sqrt(np.diag(law.covariance))
    assert np.abs((law.mean - [7.926685, 1.841525]) / sd).max() < 1e-3
    printed = np.array([[22.3232882, 0.1935228], [0.1935228, 0.5352576]])
    assert law.covariance == pytest.approx(printed, rel=5e-3), "at a mode that is off by a thousandth of an sd"


def test_draws_of_the_approximation_have_its_moments():
    model = STUDIES["blood_pressure"]
    law = laplace.approximation(model)
    draws = laplace.sample(model, draws=5000, chains=4, rng=np.random.default_rng(104))["posterior"]
    for k, values in enumerate([draws["mu"], draws["beta"][..., 0], np.log(draws["tau"]), np.log(draws["sigma"])]):
        z = (values.values - law.mean[k]) / np.sqrt(law.covariance[k, k])
        assert stats.kstest(z.ravel(), "norm").pvalue > 1e-5


def test_the_more_groups_the_better_the_approximation():
    """The distance of tau's median from the exact one, in sds, falls as groups are added."""
    off = []
    for count in (10, 1000):
        model = TwoLevel(groups=replicates(9, [4] * count), tau=priors.InverseGamma(0.5, 0.5))
        row = exact.posterior(model).table().loc[("tau", "")]
        off.append(abs(np.exp(laplace.approximation(model).mean[1]) - row["q50"]) / row["sd"])
    assert off[1] < off[0] / 3


# Metropolis


@pytest.mark.parametrize("name", EVERY)
def test_metropolis_agrees(name):
    tree = metropolis.sample(EVERY[name], thin=40, rng=np.random.default_rng(105))
    found = agreement.verdict(agreement.table(tree, exact.posterior(EVERY[name]).table()))
    assert found.passed, found.sentence


def test_acceptance_of_the_source():
    """Seed 002's steps, 2 times the Cholesky factor, were accepted at a rate of 0.3288 in ten thousand."""
    tree = metropolis.sample(STUDIES["eight_schools"], rng=np.random.default_rng(106))
    rate = float(tree["sample_stats"]["acceptance_rate"].mean())
    # Acceptances come in runs: a tenth of the steps are as good as independent.
    assert rate == pytest.approx(0.3288, abs=4.5 * np.sqrt(0.33 * 0.67 * (1 / 1_000 + 1 / 8_000)))


def test_scaling_the_covariance_instead_gives_another_acceptance():
    tree = metropolis.sample(STUDIES["eight_schools"], scale=np.sqrt(2.0), rng=np.random.default_rng(107))
    assert float(tree["sample_stats"]["acceptance_rate"].mean()) > 0.42
