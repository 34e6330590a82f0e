"""The lecture's example (seed 003): its inputs, its sampler in closed form, and what it prints."""

import numpy as np
import pytest
from helpers.mutants import sample_clipped
from scipy import stats

from analyses.checks import agreement
from analyses.engines import direct_sampling, empirical_bayes, exact
from analyses.published import lecture
from models import baseball, eight_schools, priors
from models.least_squares import pool


@pytest.fixture(scope="module")
def printed_sigma():
    model = baseball.model(sigma=baseball.PRINTED)
    return model, exact.posterior(model)


def test_inputs():
    """Grand mean .265 and s^2 = .0048."""
    y = baseball.averages()["average"]
    assert round(y.mean(), 3) == 0.265
    assert round(y.var(), 4) == 0.0048


def test_total_variance_has_the_printed_law(printed_sigma):
    """sigma^2 + tau^2 ~ InverseGamma((k - 3) / 2, (k - 1) s^2 / 2) above sigma^2, against quadrature."""
    model, posterior = printed_sigma
    law, sigma2 = direct_sampling.total_variance(model), baseball.PRINTED**2
    assert law.args[0] == 7.5
    tau = np.array([0.005, 0.02, 0.04, 0.08])
    below = (law.cdf(sigma2 + tau**2) - law.cdf(sigma2)) / law.sf(sigma2)
    assert posterior.scale("tau").cdf(tau, np.zeros(4, dtype=int)) == pytest.approx(below, abs=1e-11)


def test_mu_and_theta_are_conditionally_as_printed(printed_sigma):
    """mu | tau^2 ~ N(mean, (sigma^2 + tau^2) / k)."""
    model, _ = printed_sigma
    tau = 0.05
    g = model.groups
    p = pool(g.cells, (g.cells.noise + tau**2)[None], model.coefficients)
    assert p.mean[0, 0] + g.center == pytest.approx(g.mean.mean(), rel=1e-12)
    assert p.covariance[0, 0, 0] == pytest.approx((baseball.PRINTED**2 + tau**2) / 18, rel=1e-12)


def test_direct_sampling_agrees_and_clipping_does_not(printed_sigma):
    model, posterior = printed_sigma
    right = direct_sampling.sample(model, rng=np.random.default_rng(111))
    wrong = sample_clipped(model, rng=np.random.default_rng(112))
    assert agreement.verdict(agreement.table(right, posterior.table())).passed
    assert not agreement.verdict(agreement.table(wrong, posterior.table())).passed


def test_direct_sampling_is_for_equal_errors_and_flat_priors():
    for model in (eight_schools.model(), baseball.model(tau=priors.FLAT)):
        with pytest.raises(ValueError, match="equal standard errors"):
            direct_sampling.sample(model, rng=np.random.default_rng(113))


def test_the_printed_table_is_that_of_clipped_draws_with_a_sigma_of_6_hundredths():
    """The true posterior with that sigma is more than twice as far off, and either reading of another sigma farther."""
    found = lecture.readings(lecture.printed_quantiles())
    best = found.pop((baseball.PRINTED, "clipped at 0"))
    assert 2 * best < found.min()


def test_the_number_of_draws_behind_the_printed_table_can_be_told():
    """From a table made of so many draws, rounded to three digits, to the error of a variance on 3 x 6 degrees."""
    model, printed = baseball.model(sigma=baseball.PRINTED), lecture.printed_quantiles()
    theta = sample_clipped(model, draws=10_000, chains=41, rng=np.random.default_rng(115))["posterior"]["theta"]
    quantiles = np.quantile(theta.values, [0.025, 0.5, 0.975], axis=1)
    made = printed * 0 + np.round(quantiles[:, 0].T, 3)
    said = lecture.draws_of_the_source(made, model)
    assert abs(np.log(said / 10_000)) < 4.5 * np.sqrt(2 / 18)


@pytest.mark.parametrize(
    ("way", "sample"),
    [(direct_sampling.total_at, direct_sampling.sample), (direct_sampling.clipped_at, sample_clipped)],
    ids=["truncated", "clipped"],
)
def test_errors_of_quantiles_are_those_of_repetitions(way, sample):
    """Two hundred runs of 2,000 draws each: means by their standard error, variances by chi-square.

    A sample quantile of n draws has a bias of order 1/n, here a fifteenth of its sd over the root of 2,000 at most.
    """
    model, runs, size = baseball.model(sigma=baseball.PRINTED), 200, 2_000
    found = lecture.Sampled.of(model, way)
    theta = sample(model, draws=size, chains=runs, rng=np.random.default_rng(116))["posterior"]["theta"].values
    drawn = np.quantile(theta, list(lecture.QUANTILES.values()), axis=1)
    sd, tests = found.sd / np.sqrt(size), 3 * 18
    z = (drawn.mean(axis=1) - found.quantile) / sd * np.sqrt(runs)
    assert np.abs(z).max() < stats.norm.isf(1e-4 / tests / 2) + np.sqrt(runs) / 15
    ratio = drawn.var(axis=1, ddof=1) / sd**2
    ends = stats.chi2.ppf([1e-4 / tests / 2, 1 - 1e-4 / tests / 2], runs - 1) / (runs - 1)
    assert ends[0] < ratio.min()
    assert ratio.max() < ends[1]
    seen = lecture._among_equals(drawn).mean(axis=1) * size
    _, which, count = np.unique(model.groups.mean, return_inverse=True, return_counts=True)
    free = 1 - 1 / count[which]
    expected = found.sd_apart**2 @ free / free.sum()
    assert seen == pytest.approx(expected, rel=4.5 * np.sqrt(2 / (runs * (18 - len(count)))) + 0.02)


def test_squared_errors_as_printed(printed_sigma):
    """.075 for the averages; .022 for the medians of the printed table; 16 of 18 improve."""
    t = baseball.averages()
    rest, raw = t["rest_of_season"].to_numpy(), t["average"].to_numpy()
    assert round(np.sum((raw - rest) ** 2), 3) == 0.075
    medians = lecture.printed_quantiles()["q50"].to_numpy()
    assert np.sum((medians - rest) ** 2) == pytest.approx(0.022, abs=0.0005)
    assert np.sum(np.abs(medians - rest) < np.abs(raw - rest)) == 16


def test_shrinkage_of_efron_and_morris():
    """They keep c = .212 of each deviation, from an arcsine scale; on the scale of averages it is nearly that."""
    g = baseball.data()
    kept = (empirical_bayes.james_stein(g) - g.mean.mean()) / (g.mean - g.mean.mean())
    assert kept == pytest.approx(np.full(18, 0.212), abs=0.005)


def test_empirical_bayes_by_moments_is_the_maximum_but_for_one_degree_of_freedom():
    """With equal errors the likelihood is largest where sigma^2 + tau^2 is the mean square, not s^2: k for k - 1."""
    model = baseball.model(sigma=baseball.PRINTED)
    g, table = model.groups, empirical_bayes.table(model)
    maximum = table.loc[("tau", ""), "mean"] ** 2 + g.noise[0]
    assert maximum == pytest.approx(g.mean.var(), rel=1e-6)
    kept = (empirical_bayes.by_moments(g) - g.mean.mean()) / (g.mean - g.mean.mean())
    assert kept == pytest.approx(np.full(18, 1 - g.noise[0] / g.mean.var(ddof=1)), rel=1e-12)


def test_empirical_bayes_of_equal_means_is_their_mean():
    """s^2 below sigma^2 leaves nothing between players."""
    g = baseball.data(sigma=0.5)
    assert empirical_bayes.by_moments(g) == pytest.approx(np.full(18, g.mean.mean()), rel=1e-12)
