"""Mixtures of t and normal laws: quantiles by Halley's method, and a t by its normal image."""

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import special

from analyses.engines import mixture


def mixtures(rng):
    """Weights of nodes, and locations and scales of several quantities: from one component to two peaks far apart."""
    nodes = int(rng.integers(1, 200))
    weight = rng.dirichlet(np.full(nodes, rng.choice([0.05, 1.0])))
    location = rng.normal(0, 1, (nodes, 5)) * rng.choice([0.1, 3.0, 1e4], 5) + rng.choice([0.0, 1e6], 5)
    scale = np.exp(rng.normal(0, rng.choice([0.1, 3.0]), (nodes, 5)))
    return weight, location, scale


@pytest.mark.parametrize("df", [np.inf, 1e7, 130.0, 12.0, 1.5])
def test_quantiles_cross_the_probability(df):
    """P(x <= quantile) is p, within the rounding of a sum of probabilities and of x itself."""
    rng = np.random.default_rng([452, int(min(df, 1e7))])
    p = np.array([0.001, 0.025, 0.5, 0.95, 0.975])
    for _ in range(40):
        weight, location, scale = mixtures(rng)
        law = mixture.t_mixture(weight, location, scale, df)
        for level, x in zip(p, law.quantile(p), strict=True):
            near = np.maximum(4 * np.spacing(np.abs(x)), 1e-13 * np.abs(x - location[np.argmax(weight)]))
            below, above = (law.cdf(x + side * near, np.arange(5)) for side in (-1, 1))
            assert (below <= level + 1e-13).all()
            assert (above >= level - 1e-13).all()


@pytest.mark.parametrize("df", [101.0, 150.0, 2000.0, 1e5, 1e9])
def test_the_normal_image_of_a_t(df):
    """Hill's series against the incomplete beta function at 40 digits, from the center to beyond the tails."""
    x = np.linspace(-9, 9, 37)
    with mp.workdps(40):
        tails = [mp.betainc(mpf(df) / 2, mpf(1) / 2, 0, df / (df + mpf(v) ** 2), regularized=True) / 2 for v in x]
        right = np.array([float(1 - tail if v > 0 else tail) for v, tail in zip(x, tails, strict=True)])
    assert mixture._t_cdf_and_density(df, x)[0] == pytest.approx(right, abs=4e-16)


@pytest.mark.parametrize("df", [3.0, 500.0, np.inf])
def test_the_density_is_the_derivative(df):
    """By central differences, whose error is a sixth of the third derivative times the squared step: 1e-9."""
    x, h = np.linspace(-5, 5, 41), 1e-4
    (up, _), (down, _), (_, density) = (mixture._t_cdf_and_density(df, v) for v in (x + h, x - h, x))
    assert (up - down) / (2 * h) == pytest.approx(density, abs=1e-8)


def test_light_nodes_are_left_out_of_distribution_functions():
    """All that are left out weigh 1e-15 together, and no heavier one is."""
    weight = np.array([1e-17, 0.5, 3e-16, 2e-15, 0.5 - 2.31e-15])
    assert mixture._heavy(weight).tolist() == [1, 3, 4]


def test_a_mean_far_out_does_not_mislead_the_search():
    """A tenth of a millionth of the mass a billion sds away moves the sd to 3e5, and no quantile."""
    weight, location = np.array([1 - 1e-7, 1e-7]), np.array([[0.0], [1e9]])
    law = mixture.t_mixture(weight, location, np.ones((2, 1)), np.inf)
    p = np.array([0.025, 0.5, 0.975])
    assert law.sd[0] > 1e5
    assert law.quantile(p)[:, 0] == pytest.approx(special.ndtri(p / (1 - 1e-7)), abs=1e-13)


def test_quantiles_on_a_lattice_of_a_normal_law_need_no_brackets(monkeypatch):
    """Newton's method from the nearest nodes is enough, and is what makes tables quick."""
    monkeypatch.setattr(mixture, "_root", None)
    u = 0.35 * np.arange(-26, 27)
    weight = np.exp(-(u**2) / 2) / np.exp(-(u**2) / 2).sum()
    p = np.array([1e-4, 0.025, 0.5, 0.975])
    assert mixture.lattice_quantile(weight, u, 0.35)(p)[:, 0] == pytest.approx(special.ndtri(p), abs=1e-9)


def test_quantiles_on_a_lattice_of_spikes_are_found_between_brackets():
    """Two nodes hold all the mass: between them the distribution function is level but for ripples."""
    u, weight = np.arange(41.0), np.zeros(41)
    weight[[0, 40]] = 0.3, 0.7
    cdf, quantile = mixture.lattice_cdf(weight, u, 1.0), mixture.lattice_quantile(weight, u, 1.0)
    p = np.array([0.05, 0.2, 0.299, 0.301, 0.31, 0.6, 0.95])
    assert cdf(quantile(p)[:, 0]) == pytest.approx(p, abs=1e-12)
