"""A power of a prior or of a likelihood is one of the same family, and what moves with it is computed exactly."""

import numpy as np
import pytest
from helpers.priors import COEFFICIENTS, SCALES
from helpers.problems import PROBLEMS, estimates, replicates
from scipy.stats import norm

from analyses.checks import sensitivity
from analyses.engines import exact, mixture
from models import priors
from models.distributions import Normal
from models.two_level import TwoLevel

SDS = np.array([0.03, 0.4, 2.0, 17.0])


@pytest.mark.parametrize("prior", [p for p in (*SCALES, *COEFFICIENTS.values()) if p != priors.JEFFREYS], ids=str)
def test_a_power_of_a_prior_is_one(prior):
    """Its log density is alpha times the first, up to a constant."""
    for alpha in (0.8, 1.25):
        scaled, expected = prior.power_scaled(alpha).log_density(SDS), alpha * prior.log_density(SDS)
        assert scaled == pytest.approx(expected + (scaled - expected)[2], rel=1e-12, abs=1e-12)


def test_a_scale_without_a_scale_keeps_its_prior():
    """1/sigma to any power is not 1/sigma, and would say something of sigma that nobody said."""
    assert priors.JEFFREYS.power_scaled(1.25) == priors.JEFFREYS


@pytest.mark.parametrize("groups", [replicates(1, [3, 1, 5, 2]), estimates(2, 5)], ids=["rows", "estimates"])
def test_a_power_of_the_data_is_one(groups):
    """log p(data | theta, sigma) is alpha times the first, up to a constant, at any theta and sigma."""
    rng = np.random.default_rng(5)

    def log_likelihood(g, theta, sigma):
        means = Normal(theta, sigma * np.sqrt(g.noise)).log_density(g.mean).sum()
        return means - g.df.sum() * np.log(sigma) - g.ss.sum() / (2 * sigma**2)

    for alpha in (0.8, 1.25):
        off = []
        for _ in range(4):
            theta, sigma = rng.normal(groups.mean, 5.0), rng.uniform(5, 20) if groups.df.any() else 1.0
            off.append(
                log_likelihood(groups.power_scaled(alpha), theta, sigma) - alpha * log_likelihood(groups, theta, sigma)
            )
        assert off == pytest.approx([off[0]] * 4, abs=1e-9)


def test_what_only_the_prior_tells_moves_with_it_alone():
    """As many coefficients as estimates: tau's posterior is its prior, whose power has s / sqrt(alpha)."""
    model = TwoLevel(groups=estimates(3, 2, covariate=True), tau=priors.HalfNormal(2.0))
    found = sensitivity.by_power(model).loc[("sd_between", "")]
    median = 2.0 * norm.ppf(0.75)
    width = 2.0 * (norm.ppf(0.9875) - norm.ppf(0.5125)) / 4
    shift = median * (1.25**-0.5 - 0.8**-0.5) / width / np.log2(1.25 / 0.8)
    assert found["prior"] == pytest.approx(shift, rel=1e-9)
    assert found["data"] == pytest.approx(0.0, abs=1e-9)


def test_shifts_are_those_of_weighted_draws():
    """d median / d alpha from 40,000 draws weighted by prior^(alpha - 1), within five errors of a weighted median."""
    model = PROBLEMS["estimates, half-normal tau"]
    posterior = exact.posterior(model)
    draws = posterior.draw(draws=10_000, chains=4, rng=np.random.default_rng(6))["posterior"]["tau"].values.ravel()
    ends = []
    for alpha in sensitivity.ALPHAS:
        weight = np.exp((alpha - 1) * model.tau.log_density(draws))
        order = np.argsort(draws)
        share = np.cumsum(weight[order]) / weight.sum()
        ends.append(draws[order][np.searchsorted(share, 0.5)])
    width = mixture.width(posterior.table()).loc[("tau", "")]
    found = sensitivity.by_power(model).loc[("sd_between", ""), "prior"]
    error = 5 * np.sqrt(2) * 1.25 * width / np.sqrt(len(draws)) / width / sensitivity.DOUBLINGS
    assert found == pytest.approx((ends[1] - ends[0]) / width / sensitivity.DOUBLINGS, abs=error)


def test_priors_without_a_posterior_are_left_out():
    model = TwoLevel(groups=estimates(3, 2), tau=priors.HalfCauchy(2.0))
    improper = TwoLevel(groups=model.groups, tau=priors.FLAT)
    assert list(sensitivity.side_by_side({"mine": model, "flat": improper})) == ["mine"]
