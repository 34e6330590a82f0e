"""Priors with an end that the data would have a scale exceed, against Gauss and Legendre's rule up to the end."""

from itertools import pairwise

import numpy as np
import pytest
from helpers.problems import estimates, replicates
from numpy.polynomial.legendre import leggauss
from scipy.special import ndtr

from analyses.engines import exact
from analyses.engines.mixture import PROBABILITIES
from analyses.engines.quadrature import QuadratureError
from models import priors
from models.groups import Replicates
from models.two_level import TwoLevel

X, W = leggauss(120)


def panels(ends):
    """Nodes and weights between consecutive ends."""
    pieces = [((b - a) / 2 * X + (a + b) / 2, (b - a) / 2 * W) for a, b in pairwise(ends)]
    return (np.concatenate(parts) for parts in zip(*pieces, strict=True))


def check(model, tau, sigma, weight):
    """All of a table against sums over points of tau and sigma, the density of which has no Jacobian."""
    given = model.collapsed(tau, sigma) if sigma is not None else model.collapsed(tau)
    weight = weight * np.exp(given.log_density - given.log_density.max())
    weight /= weight.sum()
    posterior = exact.posterior(model)
    table, error = posterior.table(), posterior.error()
    scales = {"tau": tau} | ({} if sigma is None else {"sigma": sigma})
    for name, value in scales.items():
        mean = weight @ value
        for statistic, right in (("mean", mean), ("sd", np.sqrt(weight @ (value - mean) ** 2))):
            off = abs(table.loc[(name, ""), statistic] - right)
            assert off < 1e-10 * table.loc[(name, ""), "sd"], (name, statistic)
            assert off <= error.loc[(name, ""), statistic] + 1e-13 * right
        assert table.loc[(name, ""), "q97_5"] < getattr(model, name).upper
    location, sd = given.location @ given.basis[0], np.sqrt(given.covariance[:, 0, 0])
    for name, p in PROBABILITIES.items():
        assert weight @ ndtr((table.loc[("mu", ""), name] - location) / sd) == pytest.approx(p, abs=1e-11)
    return table


@pytest.mark.parametrize("end", [0.5, 3.0, 60.0])
def test_estimates(end):
    """tau ~ Uniform(0, end), of which the data would have it 5: far below, a little below and far above."""
    model = TwoLevel(groups=estimates(7, 6), tau=priors.BoundedUniform(end))
    tau, weight = panels(np.array([0, 0.05, 0.2, 0.5, 1]) * end)
    table = check(model, tau, None, weight)
    for name, p in PROBABILITIES.items():  # up to the quantile
        q = table.loc[("tau", ""), name]
        below, share = panels(np.array([0, 0.2, 1]) * q)
        height = model.collapsed(tau).log_density.max()
        part = share @ np.exp(model.collapsed(below).log_density - height)
        assert part / (weight @ np.exp(model.collapsed(tau).log_density - height)) == pytest.approx(p, abs=1e-11)


TWO = {
    "bounded tau, absolute": {"tau": priors.BoundedUniform(4.0), "relative": False},
    "bounded tau and sigma, half-normal": {"tau": priors.BoundedUniform(0.3), "sigma": priors.HalfNormal(8.0)},
    "bounded sigma": {"tau": priors.HalfNormal(1.0), "sigma": priors.BoundedUniform(9.0)},
}


@pytest.mark.parametrize("name", TWO)
def test_rows_of_two_scales(name):
    model = TwoLevel(groups=replicates(4, [3, 5, 2, 4, 4]), **TWO[name])
    tau, of_tau = panels(np.linspace(0, min(model.tau.upper, 14.0), 7))
    most = min(model.sigma.upper, 200.0)
    sigma, of_sigma = panels(np.concatenate([[1.0], np.linspace(4, min(most, 20), 5), [most][: most > 20]]))
    both = [v.ravel() for v in np.meshgrid(tau, sigma)]
    check(model, *both, np.outer(of_sigma, of_tau).ravel())


@pytest.mark.parametrize("relative", [True, False])
def test_ends_of_both_that_the_data_do_not_reach(relative):
    """Uniform(0, 100) of sigma and of tau, as textbooks have them."""
    tau, sigma = priors.BoundedUniform(60.0 if relative else 400.0), priors.BoundedUniform(100.0)
    model = TwoLevel(groups=replicates(4, [9, 8, 9, 7, 9, 8, 6]), tau=tau, sigma=sigma, relative=relative)
    tau, of_tau = panels(np.concatenate([[0, 0.3, 1, 3], [10, 30, 60]]) * (1 if relative else 400 / 60))
    sigma, of_sigma = panels(np.array([2.0, 7, 10, 14, 20, 40, 100]))
    both = [v.ravel() for v in np.meshgrid(tau, sigma)]
    check(model, *both, np.outer(of_sigma, of_tau).ravel())


@pytest.mark.parametrize("relative", [True, False])
def test_ends_of_both_that_the_data_would_have_them_exceed(relative):
    """Each scale is answered. In coordinates of another power there is an oblique edge, so its law is refused."""
    tau, sigma = priors.BoundedUniform(0.5 if relative else 4.0), priors.BoundedUniform(8.0)
    model = TwoLevel(groups=replicates(4, [3, 5, 2, 4, 4]), tau=tau, sigma=sigma, relative=relative)
    posterior = exact.posterior(model)
    points = panels(np.linspace(0, model.tau.upper, 7)), panels(np.linspace(1, 8, 7))
    (tau, of_tau), (sigma, of_sigma) = points
    tau, sigma = (v.ravel() for v in np.meshgrid(tau, sigma))
    weight = np.outer(of_sigma, of_tau).ravel() * np.exp(model.collapsed(tau, sigma).log_density)
    rows = posterior.population(("tau", "sigma"))
    for name, value in (("tau", tau), ("sigma", sigma)):
        assert rows.loc[(name, ""), "mean"] == pytest.approx(weight @ value / weight.sum(), rel=1e-10)
    with pytest.raises(QuadratureError, match="reaches the ends of the priors of tau and of sigma"):
        _ = posterior.scale("sd_between") if relative else posterior.kappa()


def test_an_exponential_prior_is_one():
    """Two estimates, mu ~ N(0, 1): E tau by the trapezoid rule in log tau of a density that is written out."""
    y, se = np.array([0.4, 2.1]), np.array([0.5, 0.7])
    groups = estimates(1, 2)
    groups = type(groups).from_summary("ab", y, se)
    model = TwoLevel(groups=groups, tau=priors.Exponential(1.5), coefficients=(priors.Normal(0.0, 1.0),))
    u = np.arange(-45, 6, 0.01)
    tau = np.exp(u)
    a, b, c = se[0] ** 2 + tau**2 + 1, se[1] ** 2 + tau**2 + 1, 1.0
    det = a * b - c**2
    height = -np.log(det) / 2 - (b * y[0] ** 2 + a * y[1] ** 2 - 2 * c * y[0] * y[1]) / (2 * det) - tau / 1.5 + u
    weight = np.exp(height - height.max())
    assert exact.posterior(model).table().loc[("tau", ""), "mean"] == pytest.approx(
        weight @ tau / weight.sum(), rel=1e-11
    )


def test_a_prior_of_single_rows_keeps_its_end():
    """Single rows do not inform tau relative to sigma: its posterior is Uniform(0, 2)."""
    groups = Replicates.from_summary("abcdef", [1] * 6, [1.0, 3.0, 2.0, 5.0, 4.0, 6.5], [0.0] * 6)
    table = exact.posterior(TwoLevel(groups=groups, tau=priors.BoundedUniform(2.0))).table()
    assert table.loc[("tau", ""), "mean"] == pytest.approx(1.0, abs=1e-10)
    assert table.loc[("tau", ""), list(PROBABILITIES)].to_numpy() == pytest.approx(
        2 * np.array(list(PROBABILITIES.values())), abs=1e-10
    )


@pytest.mark.parametrize("relative", [True, False])
def test_an_end_of_sigma_beside_one_of_tau_that_is_far(relative):
    """sigma ~ Uniform(0, 0.9), which the data would have 1, tau ~ Uniform(0, 1000): the laws of all powers of both.

    Where sigma ends, the lattice of the ratio, or of the product, has an axis, and no edge across it.
    """
    groups = replicates(4, [4] * 9)
    groups = Replicates.from_summary(groups.labels, groups.n, groups.mean / 10, [3.0] * 9)
    tau, sigma = priors.BoundedUniform(1000.0), priors.BoundedUniform(0.9)
    model = TwoLevel(groups=groups, tau=tau, sigma=sigma, relative=relative)
    tau, of_tau = panels(np.concatenate([[0], np.geomspace(0.03, 1000, 15)]))
    sigma, of_sigma = panels(np.linspace(0.3, 0.9, 5))
    tau, sigma = (v.ravel() for v in np.meshgrid(tau, sigma))
    given = model.collapsed(tau, sigma)
    weight = np.outer(of_sigma, of_tau).ravel() * np.exp(given.log_density - given.log_density.max())
    weight /= weight.sum()
    table = exact.posterior(model).table()
    ratio, between = (tau, tau * sigma) if relative else (tau / sigma, tau)
    for key, value in ((("sd_between", ""), between), (("kappa", groups.labels[0]), 1 / (1 + 4 * ratio**2))):
        mean = weight @ value
        assert table.loc[key, "mean"] == pytest.approx(mean, rel=1e-10)
        assert table.loc[key, "sd"] == pytest.approx(np.sqrt(weight @ (value - mean) ** 2), rel=1e-9)
