"""What the others say of a group: the ratio of two integrals against averages over draws, densities against rows."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from helpers.group_densities import log_density_of_group, rows_of
from helpers.problems import HALF, PROBLEMS, estimates, replicates
from scipy import stats
from scipy.integrate import quad
from scipy.special import logsumexp

from analyses.checks import leave_out, predictive
from analyses.engines import exact
from models import priors
from models.groups import Estimates, Replicates
from models.two_level import TwoLevel

ERRORS = 4.5  # of Monte Carlo: a right figure is farther off less than once in a hundred thousand times


def test_density_of_a_group_is_the_multivariate_normal():
    """What the tests below rest on."""
    y = np.array([491.0, 503.0, 512.0, 498.0, 507.0])
    expected = stats.multivariate_normal.logpdf(y, np.full(5, 497.0), 64.0 * np.eye(5) + 30.0)
    assert log_density_of_group(y, 497.0, np.sqrt(30.0), 8.0) == pytest.approx(expected, rel=1e-12)


# groups without one


@pytest.mark.parametrize("at", [0, 3, 6])
def test_the_other_groups_are_those_without_it(at):
    """As if it had never been there."""
    g = replicates(161, [2, 6, 2, 3, 3, 8, 2], covariate=True)
    kept = [i for i in range(len(g)) if i != at]
    expected = Replicates.from_summary(
        [g.labels[i] for i in kept],
        g.n[kept],
        g.mean[kept],
        g.ss[kept],
        covariates={"x": g.design[kept, 1]},
    )
    found = g.without(at)
    assert (found.labels, found.covariates, found.dim) == (expected.labels, expected.covariates, expected.dim)
    for name in ("n", "mean", "ss", "df", "noise", "design", "noise_of_one"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    assert found.within == pytest.approx(expected.within, rel=1e-15)
    assert isinstance(found, Replicates)
    assert len(g) == 7, "and the groups themselves are left as they were"


def test_estimates_without_one():
    g = estimates(162, 5)
    found = g.without(2)
    assert found.labels == ("g0", "g1", "g3", "g4")
    assert np.array_equal(found.standard_error, g.standard_error[[0, 1, 3, 4]])


# density of all rows


@pytest.mark.parametrize("sizes", [[3, 1, 5, 2], [1, 2], [12, 9, 30]])
def test_density_of_rows_is_that_of_means_and_squares_and_a_factor(sizes):
    """At any theta and sigma, for the factor has no parameter."""
    rng = np.random.default_rng(163)
    g = replicates(164, sizes)
    rows, (df, ss) = rows_of(g, rng), g.within
    for _ in range(3):
        theta, sigma = rng.normal(500, 8, len(g)), rng.uniform(5, 15)
        of_rows = sum(stats.norm.logpdf(y, t, sigma).sum() for y, t in zip(rows, theta, strict=True))
        of_means = stats.norm.logpdf(g.mean, theta, sigma / np.sqrt(g.n)).sum()
        of_squares = stats.chi2.logpdf(ss / sigma**2, df) - np.log(sigma**2)
        assert of_means + of_squares + leave_out.log_density_of_rows(g) == pytest.approx(of_rows, rel=1e-11)


def test_density_of_single_rows_is_that_of_their_means():
    g = Replicates.from_summary(list("abc"), [1, 1, 1], [3.0, 5.0, 9.0], [0.0, 0.0, 0.0])
    assert leave_out.log_density_of_rows(g) == 0.0


def test_evidence_of_estimates():
    """All priors proper: adaptive quadrature over log tau of a multivariate normal, mu on paper in its covariance."""
    g, scale, (mean, sd) = estimates(165, 5), 6.0, (15.0, 12.0)
    model = TwoLevel(
        groups=g,
        tau=priors.HalfCauchy(scale),
        sigma=priors.KnownScale(),
        coefficients=(priors.Normal(mean, sd),),
    )

    def density(u):
        covariance = np.diag(g.standard_error**2 + np.exp(2 * u)) + sd**2
        of_means = stats.multivariate_normal.pdf(g.mean, np.full(5, mean), covariance)
        return of_means * stats.halfcauchy.pdf(np.exp(u), scale=scale) * np.exp(u)

    top = density(np.log(scale))
    parts = [
        quad(lambda u: density(u) / top, *ends, epsabs=1e-14, epsrel=1e-12)[0]
        for ends in pairwise([-40, -10, -2, 1, 2, 4, 15])
    ]
    assert exact.posterior(model).log_evidence == pytest.approx(np.log(sum(parts) * top), abs=1e-9)


def test_evidence_of_rows():
    """All priors proper: the trapezoid rule over both log scales of a multivariate normal of all fourteen rows.

    To the left log tau's density falls like e^u, log sigma's like exp(-1/sigma^2); to the right the likelihood does
    the rest. Steps are a quarter of the narrowest width, that of log sigma: 1 / sqrt(2 df) = 0.22.
    """
    g = replicates(166, [3, 5, 2, 4])
    model = TwoLevel(
        groups=g,
        tau=priors.HalfCauchy(8.0),
        sigma=priors.HalfCauchy(9.0),
        coefficients=(priors.Normal(480.0, 15.0),),
        relative=False,
    )
    y = np.concatenate(rows_of(g, np.random.default_rng(167)))
    group = np.repeat(np.arange(4), g.n.astype(int))
    step = 0.055
    u, s = (x.ravel() for x in np.meshgrid(np.arange(-24, 9, 3 * step), np.arange(0, 6, step)))
    same = (group[:, None] == group).astype(float)
    covariance = np.exp(2 * s)[:, None, None] * np.eye(14) + np.exp(2 * u)[:, None, None] * same + 15.0**2
    off = np.broadcast_to((y - 480.0)[:, None], (len(u), 14, 1))
    quadratic = np.sum(off * np.linalg.solve(covariance, off), axis=(1, 2))
    height = -(14 * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1] + quadratic) / 2
    height += stats.halfcauchy.logpdf(np.exp(u), scale=8.0) + u + stats.halfcauchy.logpdf(np.exp(s), scale=9.0) + s
    assert leave_out.log_evidence(model) == pytest.approx(logsumexp(height) + np.log(3 * step**2), abs=1e-8)


# one left out


@pytest.mark.parametrize("name", ["one-way", "one-way, flat tau, covariate", "one-way, half-Cauchy sigma"])
def test_left_out_exactly_is_an_average_over_the_posterior_of_the_others(name):
    """Independent draws of b and the scales from it, and the closed form of the group's rows given them.

    Of three groups each, one of them of a single row.
    """
    model, rng = PROBLEMS[name], np.random.default_rng(168)
    g, found = model.groups, leave_out.exactly(model)
    rows = rows_of(g, rng)
    assert found.shape == (len(g),)
    for i in (0, 1, len(g) - 1):
        others = TwoLevel(groups=g.without(i), tau=model.tau, sigma=model.sigma)
        draws = exact.posterior(others).draw(draws=2500, chains=4, rng=rng)["posterior"].dataset
        population = draws["mu"].values + (draws["beta"].values[..., 0] * g.design[i, 1] if g.covariates else 0.0)
        density = np.exp(log_density_of_group(rows[i], population, draws["sd_between"].values, draws["sigma"].values))
        error = density.std(ddof=1) / density.mean() / np.sqrt(density.size)
        assert error < 0.1, "or it says nothing"
        assert found[i] == pytest.approx(np.log(density.mean()), abs=ERRORS * error)


def test_constants_of_improper_priors_drop_out():
    """Multiplying all data moves each density by its rows' Jacobian alone."""
    model = PROBLEMS["one-way"]
    g, factor = model.groups, 2.5
    moved = Replicates.from_summary(g.labels, g.n, factor * g.mean, factor**2 * g.ss)
    found = leave_out.exactly(TwoLevel(groups=moved, tau=HALF)) - leave_out.exactly(model)
    assert found == pytest.approx(-g.n * np.log(factor), abs=1e-9)


@pytest.mark.parametrize("name", ["one-way", "estimates, half-normal tau", "one-way, absolute tau"])
def test_table_of_groups(name):
    """log_density is the ratio of evidences; the prediction of a group's mean is that of a new group with its noise."""
    model = PROBLEMS[name]
    rows = leave_out.table(exact.posterior(model))
    if model.groups.df.any():
        assert rows["log_density"].to_numpy() == pytest.approx(leave_out.exactly(model), abs=1e-9)
    at = 2
    others = exact.posterior(replace(model, groups=model.groups.without(at)))
    drawn = others.draw(draws=5000, chains=4, rng=np.random.default_rng(8))["posterior"]
    sigma = drawn["sigma"].values if "sigma" in drawn else 1.0
    sd = np.sqrt(drawn["sd_between"].values ** 2 + sigma**2 * model.groups.noise[at])
    mean = predictive.population(others.model, drawn, model.groups.design[at : at + 1])[..., 0]
    share = stats.norm.sf(model.groups.mean[at], mean, sd)
    assert rows.loc[at, "P(as large)"] == pytest.approx(share.mean(), abs=ERRORS * share.std() / np.sqrt(share.size))
    if "sigma" not in drawn:  # the density of an estimate is that of its prediction
        density = stats.norm.pdf(model.groups.mean[at], mean, sd)
        error = ERRORS * density.std() / np.sqrt(density.size) / density.mean()
        assert rows.loc[at, "log_density"] == pytest.approx(np.log(density.mean()), abs=error)


@pytest.mark.parametrize("name", PROBLEMS)
def test_many_groups_are_left_out_at_the_nodes_of_all(name, monkeypatch):
    """Deleted residuals at each node against a quadrature for each group: to rounding of sums of logs."""
    posterior = exact.posterior(PROBLEMS[name])
    one_by_one = leave_out.table(posterior)
    monkeypatch.setattr(leave_out, "MOST_NODES", 0)
    rows = leave_out.table(posterior)
    for column in ("log_density", "P(as large)"):
        assert rows[column].to_numpy() == pytest.approx(one_by_one[column].to_numpy(), abs=1e-10, nan_ok=True)


def test_blocks_of_groups_do_not_matter(monkeypatch):
    posterior = exact.posterior(PROBLEMS["one-way"])
    monkeypatch.setattr(leave_out, "MOST_NODES", 0)
    whole = leave_out.table(posterior)
    monkeypatch.setattr(leave_out, "BLOCK", 4 * len(posterior.weight))
    assert leave_out.table(posterior).equals(whole)


def test_nodes_that_are_too_few_for_the_others_are_not_taken(monkeypatch):
    """A group so far out that without it tau is next to 0, which all groups together exclude."""
    rng = np.random.default_rng(176)
    y = np.append(rng.normal(0, 1, 40), 80.0)
    groups = Estimates.from_summary(range(41), y, np.ones(41))
    posterior = exact.posterior(TwoLevel(groups=groups, tau=priors.HalfNormal(3.0)))
    expected = leave_out.table(posterior)["log_density"]
    thin = leave_out._downdated(posterior, np.arange(41))["thin"].to_numpy()
    monkeypatch.setattr(leave_out, "MOST_NODES", 0)
    assert leave_out.table(posterior)["log_density"].to_numpy() == pytest.approx(expected.to_numpy(), abs=1e-8)
    assert thin[-1]
    assert not thin[:-1].any()


def test_a_group_that_alone_has_a_covariate_is_foretold_by_nobody(monkeypatch):
    """Without it the covariate is constant, and its coefficient has no posterior."""
    rng = np.random.default_rng(177)
    groups = Estimates.from_summary(range(9), rng.normal(size=9), np.ones(9), covariates={"x": np.eye(9)[4]})
    monkeypatch.setattr(leave_out, "MOST_NODES", 0)
    rows = leave_out.table(exact.posterior(TwoLevel(groups=groups, tau=HALF)))
    assert rows["log_density"].isna().tolist() == (np.arange(9) == 4).tolist()
