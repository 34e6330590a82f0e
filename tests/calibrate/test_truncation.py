"""Truncated laws, and draws from priors."""

import numpy as np
import pytest
from scipy import stats

from analyses.calibrate import truncation
from models import distributions, priors


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
    drawn = truncation.Truncated(law, *limits).draw(np.random.default_rng(3))
    assert (drawn >= limits[0]).all()
    assert (drawn <= limits[1]).all()
    assert stats.kstest(drawn, lambda x: (whole.cdf(x) - low) / (high - low)).pvalue > 1e-6


@pytest.mark.parametrize("prior", [priors.JEFFREYS, priors.FLAT, priors.FLAT_VARIANCE])
def test_an_improper_prior_that_is_cut_off(prior):
    """Roots of the variances drawn, against the integral of the prior's density."""
    limits = (4.0, 400.0)
    sd = np.sqrt(truncation.draw_variance(prior, limits, 20_000, np.random.default_rng(4)))
    grid = np.linspace(2.0, 20.0, 20_001)
    density = np.exp(prior.log_density(grid))
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    assert stats.kstest(sd, lambda x: np.interp(x, grid, cumulative / cumulative[-1])).pvalue > 1e-6


@pytest.mark.parametrize(
    "prior", [priors.InverseGamma(3.0, 40.0), priors.HalfStudentT(4.0, 2.0), priors.HalfNormal(3.0)]
)
def test_a_proper_prior_is_drawn_from(prior):
    sd = prior.draw(20_000, np.random.default_rng(5))
    grid = np.geomspace(1e-7, 1e4, 400_001)
    density = np.exp(prior.log_density(grid)) * grid  # of the log, in which the grid is even
    cumulative = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)]) * np.log(grid[1] / grid[0])
    assert cumulative[-1] == pytest.approx(1.0, abs=1e-6)
    assert stats.kstest(sd, lambda x: np.interp(x, grid, cumulative)).pvalue > 1e-6


def test_what_is_improper_has_no_draws():
    with pytest.raises(ValueError, match="improper"):
        priors.FLAT.draw(3, np.random.default_rng(6))
    with pytest.raises(ValueError, match="need limits"):
        truncation.draw_variance(priors.HalfNormal(1.0), (0.0, 1.0), 3, np.random.default_rng(6))
