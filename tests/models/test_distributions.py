"""The laws that conditionals are made of: each density is one, and draws have it."""

import numpy as np
import pytest
from scipy import stats

from models.distributions import Gamma, GeneralizedInverseGaussian, Grid

DRAWS = 20_000
SURE = 1e-5  # a right law is called wrong as seldom as that, by each test
GAMMAS = [(0.7, 0.3), (3.2, 5.0), (41.0, 0.02)]
WEIGHTS = np.log([[0.1, 0.25, 0.05, 0.4, 0.2], [0.3, 0.02, 0.5, 0.08, 0.1]])
VALUES = np.array([0.5, 2.0, 3.0, 8.0, 64.0])


@pytest.mark.parametrize(("shape", "rate"), GAMMAS)
def test_gamma_is_normalised(shape, rate):
    """By the trapezoid rule in log x, whose ends are next to nothing: x^shape left, exp(-rate x) right."""
    u = np.arange(-60.0, 12.0, 0.01)
    assert np.exp(Gamma(shape, rate).log_density(np.exp(u)) + u).sum() * 0.01 == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("shape", "rate"), GAMMAS)
def test_gamma_has_a_rate_not_a_scale(shape, rate):
    x = np.array([0.4, 1.0, 7.0]) * shape / rate
    expected = stats.gamma.logpdf(x, shape, scale=1 / rate)
    assert Gamma(shape, rate).log_density(x) == pytest.approx(expected, rel=1e-12)


def test_draws_of_gamma_have_its_distribution():
    """Elementwise: each column has its own shape and rate."""
    shape, rate = np.transpose(GAMMAS)
    law = Gamma(np.broadcast_to(shape, (DRAWS, len(shape))), rate)
    drawn = law.draw(np.random.default_rng(131))
    for column, a, b in zip(drawn.T, shape, rate, strict=True):
        assert stats.kstest(column, stats.gamma(a, scale=1 / b).cdf).pvalue > SURE
    assert np.abs(np.corrcoef(drawn.T) - np.eye(len(shape))).max() < 4.5 / np.sqrt(DRAWS)


def test_grid_is_normalised():
    """However large the constant that its log weights lack."""
    law = Grid(VALUES, WEIGHTS + np.array([[-1e3], [800.0]]))
    total = sum(np.exp(law.log_density(np.full(2, x))) for x in VALUES)
    assert total == pytest.approx([1.0, 1.0], abs=1e-12)


def test_grid_has_the_weights():
    law = Grid(VALUES, WEIGHTS + 3.7)
    assert law.log_density(np.array([3.0, 64.0])) == pytest.approx([WEIGHTS[0, 2], WEIGHTS[1, 4]], abs=1e-13)


def test_draws_of_grid_have_its_distribution():
    """Both leading indices, each with its own weights, and independent of each other."""
    law = Grid(VALUES, np.broadcast_to(WEIGHTS + 40.0, (DRAWS, *WEIGHTS.shape)))
    drawn = law.draw(np.random.default_rng(132))
    assert drawn.shape == (DRAWS, 2)
    counts = [[np.sum(column == x) for x in VALUES] for column in drawn.T]
    for seen, weight in zip(counts, np.exp(WEIGHTS), strict=True):
        assert sum(seen) == DRAWS, "nothing but the values"
        assert stats.chisquare(seen, DRAWS * weight).pvalue > SURE
    together = [[np.sum((drawn[:, 0] == x) & (drawn[:, 1] == y)) for y in VALUES] for x in VALUES]
    assert stats.chi2_contingency(together).pvalue > SURE


@pytest.mark.parametrize(("power", "rate"), [(-2.5, 0.02), (-2.5, 3.0), (-0.5, 1.0), (1.5, 0.7), (0.0, 2.0)])
def test_generalized_inverse_gaussian_draws_its_law(power, rate):
    """Where rejection serves (a small rate), where it leaves much to SciPy, and where it cannot begin (power 0 and "
    "up)."""
    scale = np.full(4000, 5.0)
    law = GeneralizedInverseGaussian(power, rate, scale)
    exact = stats.geninvgauss(power, np.sqrt(rate * 5.0), scale=np.sqrt(5.0 / rate))
    assert stats.kstest(law.draw(np.random.default_rng(146)), exact.cdf).pvalue > 1e-5


def test_generalized_inverse_gaussian_is_normalised():
    """By the trapezoid rule in log x, and it has the powers that it says."""
    law, u = GeneralizedInverseGaussian(-1.5, 0.4, np.array(7.0)), np.arange(-12.0, 9.0, 0.01)
    assert np.exp(law.log_density(np.exp(u)) + u).sum() * 0.01 == pytest.approx(1.0, abs=1e-10)
    change = law.log_density(2.0) - law.log_density(5.0)
    assert change == pytest.approx(-2.5 * np.log(2 / 5) - 0.2 * (2 - 5) - 3.5 * (1 / 2 - 1 / 5))
