"""Draws on one lattice for many sets of data."""

import numpy as np
import pytest
from scipy import stats

from analyses.calibrate import lattice


def test_draws_on_a_lattice_are_the_densitys():
    """A normal of two correlated variables, on nodes an sd apart: only rejection makes such a lattice exact."""
    rng, rho = np.random.default_rng(7), 0.6

    def log_density(u):
        return -(u[0] ** 2 - 2 * rho * u[0] * u[1] + u[1] ** 2) / (2 * (1 - rho**2))

    u = lattice.draw(log_density, [(-7.0, 7.1, 0.7)] * 2, 5000, 50, rng, bound=1.6)
    assert u.shape == (2, 50, 5000)
    for x in (*u, (u[0] + u[1]) / np.sqrt(2 + 2 * rho)):
        assert stats.kstest(x.ravel(), stats.norm.cdf).pvalue > 1e-6


def test_an_envelope_that_is_exceeded_is_an_error():
    with pytest.raises(RuntimeError, match="envelope of the draws is exceeded"):
        lattice.draw(lambda u: -(u[0] ** 2) / 2, [(-9.0, 9.1, 2.0)], 50, 50, np.random.default_rng(8))
