"""The laws that conditionals are made of: each density is one, and draws have it."""

import numpy as np
import pytest
from mpmath import mp
from scipy import special, stats

from models.distributions import BoundedInverseGamma, Gamma, GeneralizedInverseGaussian, Grid

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


@pytest.mark.parametrize(
    ("power", "rate"), [(-2.5, 0.02), (-2.5, 3.0), (-0.5, 1.0), (1.5, 0.7), (0.0, 2.0), (0.5, 0.7)]
)
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


@pytest.mark.parametrize("upper", [0.002, 0.05, 0.3, 4.0, 1e6, 1e14])
@pytest.mark.parametrize("shape", [0.0, 0.5, 1.0, 8.0, 400.0])
def test_bounded_inverse_gamma_draws_its_law(shape, upper):
    """From a bound that next to all of the law lies beyond, to one that hardly touches it.

    With shape 0 the law is one only with a bound.
    """
    law = BoundedInverseGamma(shape, np.full(4000, 2.5), upper)

    def cdf(x):
        with mp.workdps(30):
            whole = mp.gammainc(shape, 2.5 / upper)
            return np.array([float(mp.gammainc(shape, 2.5 / v) / whole) for v in x])

    drawn = law.draw(np.random.default_rng(147))
    assert drawn.max() < upper
    some = np.sort(drawn)[::10]
    assert stats.kstest(drawn, lambda x: np.interp(x, some, cdf(some))).pvalue > 1e-5


@pytest.mark.parametrize(("shape", "upper"), [(0.0, 3.0), (2.5, 0.4), (2.5, 40.0)])
def test_bounded_inverse_gamma_is_normalized(shape, upper):
    """By the trapezoid rule in the logit of its share of the bound; beyond it there is nothing."""
    law, v = BoundedInverseGamma(shape, np.array(1.7), upper), np.arange(-40.0, 40.0, 0.02)
    x = upper * special.expit(v)
    density = np.exp(law.log_density(x)) * x * special.expit(-v)
    assert density.sum() * 0.02 == pytest.approx(1.0, abs=1e-10)
    assert law.log_density(np.array([1.01 * upper]))[0] == -np.inf


@pytest.mark.parametrize("shape", [0.0, 0.5, 1.0, 8.0, 400.0])
@pytest.mark.parametrize("least", [1e-8, 0.9, 1.1, 40.0, 521.0, 600.0, 800.0, 1e5])
def test_bounded_inverse_gamma_has_a_constant_however_far_out_its_bound(shape, least):
    """Against 30 digits; an incomplete gamma function itself underflows from 745 on."""
    scale, upper, x = 2.0 * least, 2.0, 1.5
    density = BoundedInverseGamma(shape, np.array(scale), upper).log_density(x)
    with mp.workdps(30):
        integral = mp.log(mp.gammainc(shape, least)) - mp.mpf(shape) * mp.log(scale)
        right = float(-(mp.mpf(shape) + 1) * mp.log(x) - scale / mp.mpf(x) - integral)
    assert float(density) == pytest.approx(right, rel=1e-12, abs=1e-12)
