"""The exact engine against 30-digit quadrature: right to 1e-10 of a posterior sd, its error never underestimated."""

from itertools import pairwise

import numpy as np
import pytest
from helpers.oracle import Oracle, row
from helpers.problems import HALF, PROBLEMS, estimates
from mpmath import mpf
from scipy.integrate import quad

from analyses.checks import agreement
from analyses.engines import exact, mixture
from models import blood_pressure, eight_schools, math_test, priors
from models.groups import Estimates, Replicates
from models.two_level import TwoLevel

PROMISE = 1e-10  # of the quantity's posterior sd

# Steps of the oracle: its own trapezoid error is then below 1e-20. sigma on paper needs a finer one, since what is
# left of sd_between given tau is as narrow as log sigma.
STUDIES = {
    "math_test": (math_test.model(), True, "0.006"),
    "blood_pressure": (blood_pressure.model(), True, "0.012"),
    "eight_schools": (eight_schools.model(), False, "0.1"),
    "weakly_informative": (eight_schools.weakly_informative(), False, "0.1"),
}
SLOW = {"math_test", "one-way, flat tau, covariate", "one-way, half-Cauchy tau", "one-way, half-Cauchy sigma"}
SLOW |= {"one-way, absolute tau", "one-way, half-t tau, half-normal sigma"}
"""A study whose scales, and problems that, take the oracle more than ten seconds."""


def marked(names):
    return [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in names]


def check(posterior, table, error, key, statistic, truth):
    sd = posterior[key]
    wrong = float(abs(mpf(table.loc[key, statistic]) - truth))
    assert wrong <= PROMISE * sd + 8 * np.finfo(float).eps * abs(table.loc[key, statistic]), (
        f"{key} {statistic} is off by {wrong / sd:.1e} sd"
    )
    assert wrong <= error.loc[key, statistic], f"{key} {statistic}: error {wrong:.1e} is more than was estimated"


def check_moments(table, error, key, mean, sd):
    check(table["sd"], table, error, key, "mean", mean)
    check(table["sd"], table, error, key, "sd", sd)


def check_quantiles(table, error, key, cdf):
    """F(q) - p over the density is the error of a quantile."""
    for name, p in mixture.PROBABILITIES.items():
        q = mpf(table.loc[key, name])
        at, density = cdf(q)
        check(table["sd"], table, error, key, name, q - (at - mpf(p)) / density)


@pytest.fixture(scope="module", params=STUDIES)
def study(request):
    model, closed, step = STUDIES[request.param]
    posterior = exact.posterior(model)
    return model, Oracle(model, closed=closed, step=step), posterior.table(), posterior.error()


@pytest.mark.parametrize("study", marked(STUDIES), indirect=True)
def test_scales_of_the_studies(study):
    model, oracle, table, error = study
    for name in (*model.unknown, "sd_between"):
        check_moments(table, error, (name, ""), *oracle.moments_scale(name))
        if name == "tau" or not oracle.closed:
            check_quantiles(table, error, (name, ""), oracle.cdf_tau)
        else:
            check_quantiles(table, error, (name, ""), lambda q, name=name: oracle.cdf_root(q, name))


def test_coefficients_of_the_studies(study):
    model, oracle, table, error = study
    for k, key in enumerate([("mu", ""), *(("beta", c) for c in model.groups.covariates)]):
        x = [mpf(int(j == k)) for j in range(len(model.coefficients))]
        check_moments(table, error, key, *oracle.moments_linear(x))
        check_quantiles(table, error, key, lambda q, x=x: oracle.cdf_linear(q, x))


def test_groups_of_the_studies(study):
    """theta and kappa of the first group, and of those with the smallest and the largest noise."""
    model, oracle, table, error = study
    g = model.groups
    for i in {0, int(np.argmin(g.noise)), int(np.argmax(g.noise))}:
        key, x = ("theta", g.labels[i]), row(model, i)
        check_moments(table, error, key, *oracle.moments_linear(x, i))
        check_quantiles(table, error, key, lambda q, x=x, i=i: oracle.cdf_linear(q, x, i))
        noise = oracle.noise[i]
        kappas = [(noise / (noise + n.tau**2), mpf(0)) for n in oracle.nodes]
        check_moments(table, error, ("kappa", g.labels[i]), *oracle._moments_of(kappas))


def oracle_step(model):
    """Small groups have wide posteriors: a coarse lattice does, finer where the prior has a factor exp(-1 / tau^2)."""
    return "0.15" if model.tau.tail_exponent < 2 or model.tau.tail_exponent == 2 else "0.1"


@pytest.mark.parametrize("name", marked(PROBLEMS))
def test_small_problems(name):
    """Every shape of problem, sigma never integrated out on paper by the oracle, which keeps to two dimensions."""
    model = PROBLEMS[name]
    posterior, oracle = exact.posterior(model), Oracle(model, closed=False, step=oracle_step(model))
    table, error = posterior.table(), posterior.error()
    for scale in (*model.unknown, "sd_between"):
        check_moments(table, error, (scale, ""), *oracle.moments_scale(scale))
    for k, key in enumerate([("mu", ""), *(("beta", c) for c in model.groups.covariates)]):
        x = [mpf(int(j == k)) for j in range(len(model.coefficients))]
        check_moments(table, error, key, *oracle.moments_linear(x))
    i = int(np.argmax(model.groups.mean))
    key, x = ("theta", model.groups.labels[i]), row(model, i)
    check_moments(table, error, key, *oracle.moments_linear(x, i))
    check_quantiles(table, error, key, lambda q: oracle.cdf_linear(q, x, i))


@pytest.mark.parametrize("name", ["one-way, proper mu", "one-way, absolute tau"])
@pytest.mark.parametrize("scale", ["tau", "sigma", "sd_between"])
def test_quantiles_of_scales_in_two_dimensions(name, scale):
    """The kernel that makes distribution functions of lattices against adaptive quadrature that stops at a quantile."""
    model = PROBLEMS[name]
    posterior = exact.posterior(model)
    top, along = posterior.given.log_density.max(), posterior.logs["tau" if scale == "sigma" else "sigma"]
    other = np.arange(along.min() - 1, along.max() + 1, 0.02)

    def line(v):
        """Density of the log of the scale at v: the other scale is integrated by the trapezoid rule along the line."""
        u, s = (other, v + 0 * other) if scale == "sigma" else (v + 0 * other, other)
        if scale == "sd_between" and model.relative:
            u = v - other
        return np.exp(model.collapsed(np.exp(u), np.exp(s)).log_density + u + s - top).sum()

    for p in (0.025, 0.5, 0.975):
        q = np.log(posterior.scale(scale).quantile(p)[0])
        ends = (q - 40, q - 6, q - 2, q, q + 1, q + 3, q + 9)
        parts = [quad(line, a, b, epsabs=0, epsrel=1e-13, limit=400)[0] for a, b in pairwise(ends)]
        assert sum(parts[:3]) / sum(parts) == pytest.approx(p, abs=1e-10)


def same_means(spread):
    """Six groups of four; `spread` is the distance of their means in sds of a mean."""
    means = 500 + spread * np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])
    return Replicates.from_summary([f"g{i}" for i in range(6)], [4] * 6, means, [12.0] * 6)


LIMITS = {
    "equal means: all of tau's posterior near 0": TwoLevel(groups=same_means(0.0), tau=priors.FLAT),
    "means a thousand sds apart: nothing is pooled": TwoLevel(groups=same_means(1e3), tau=priors.FLAT),
    "one group of a billion among small ones": TwoLevel(
        groups=Replicates.from_summary(
            list("abcd"), [3, 10**9, 4, 2], [498.0, 500.0, 507.0, 493.0], [220.0, 1e11, 290.0, 90.0]
        ),
        tau=priors.HalfCauchy(1.0),
    ),
    "one estimate without noise": TwoLevel(
        groups=Estimates.from_summary(list("abcde"), [3.0, 9.0, 5.0, 4.0, 7.0], [1e-6, 2.0, 3.0, 4.0, 5.0]),
        tau=priors.FLAT,
        sigma=priors.KnownScale(),
    ),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits(name):
    """Where shrinkage is none or complete, all sizes are equal, or one group is all the data there are."""
    model = LIMITS[name]
    posterior = exact.posterior(model)
    table, error = posterior.table(), posterior.error()
    oracle = Oracle(model, closed=model.scales != model.unknown, step="0.08")
    check_moments(table, error, ("tau", ""), *oracle.moments_scale("tau"))
    check_moments(table, error, ("mu", ""), *oracle.moments_linear([mpf(1)]))
    check_quantiles(table, error, ("tau", ""), oracle.cdf_tau)
    for i in range(3):
        check_moments(table, error, ("theta", model.groups.labels[i]), *oracle.moments_linear(row(model, i), i))


def test_shrinkage_at_the_limits():
    """kappa = 1 / (1 + 4 tau^2): over a half where the means are equal and tau is below their error, 1/2.

    Where they are a thousand sds apart tau is some thousand, and kappa less than one in a hundred thousand.
    """
    near, far = (exact.posterior(m).table().loc["kappa", "mean"] for m in list(LIMITS.values())[:2])
    assert near.min() > 0.5
    assert far.max() < 1e-5


def test_labels_and_order_do_not_matter():
    model = PROBLEMS["one-way"]
    g, order = model.groups, np.array([3, 0, 5, 1, 4, 2])
    turned = Replicates.from_summary([g.labels[i] for i in order], g.n[order], g.mean[order], g.ss[order])
    table, other = exact.posterior(model).table(), exact.posterior(TwoLevel(groups=turned, tau=HALF)).table()
    assert other.loc[table.index].to_numpy() == pytest.approx(table.to_numpy(), rel=1e-11)


def test_equivariance():
    """y to 3 y - 1000 moves locations and scales with it and leaves tau and kappa alone: all priors are scale-free."""
    model = PROBLEMS["one-way, flat tau, covariate"]
    g = model.groups
    moved = Replicates.from_summary(
        g.labels, g.n, 3 * g.mean - 1000, 9 * g.ss, covariates={"x": g.design[:, 1]}
    )  # fmt: skip
    table, other = exact.posterior(model).table(), exact.posterior(TwoLevel(groups=moved, tau=model.tau)).table()
    for key in table.index:
        scale = 1.0 if key[0] in ("tau", "kappa") else 3.0
        shift = -1000.0 if key[0] in ("mu", "theta") else 0.0
        assert other.loc[key, "mean"] == pytest.approx(scale * table.loc[key, "mean"] + shift, rel=1e-10)
        assert other.loc[key, "sd"] == pytest.approx(scale * table.loc[key, "sd"], rel=1e-9)


def test_an_offset_costs_only_its_own_digits():
    """Means about 1e8: what is left of a double there is 1e-8, of which nothing may be lost on the way."""
    model, offset = PROBLEMS["one-way"], 1e8
    g = model.groups
    moved = TwoLevel(groups=Replicates.from_summary(g.labels, g.n, g.mean + offset, g.ss), tau=model.tau)
    rounded = TwoLevel(groups=Replicates.from_summary(g.labels, g.n, moved.groups.mean - offset, g.ss), tau=model.tau)
    table, other = (exact.posterior(m).table() for m in (rounded, moved))
    for name in ("tau", "sigma", "sd_between"):
        assert other.loc[name].to_numpy() == pytest.approx(table.loc[name].to_numpy(), rel=1e-10)
    assert (other.loc["theta", "mean"] - offset).to_numpy() == pytest.approx(
        table.loc["theta", "mean"].to_numpy(), abs=1e-7
    )


def test_heavy_tails_of_sigma_in_two_dimensions():
    """Four rows in three groups: sigma falls like sigma^-4, so its sd exists by one order, and is followed that far."""
    groups = Replicates.from_summary(list("abc"), [2, 1, 1], [500.0, 512.0, 495.0], [60.0, 0.0, 0.0])
    model = TwoLevel(groups=groups, tau=priors.HalfCauchy(8.0), relative=False)
    table = exact.posterior(model).table()
    u, s = np.meshgrid(np.arange(-50, 60, 0.1), np.arange(-2, 70, 0.1))
    height = model.collapsed(np.exp(u), np.exp(s)).log_unnormalized + u + s
    weight = np.exp(height - height.max())
    mean, square = (np.sum(weight * np.exp(k * s)) / weight.sum() for k in (1, 2))
    assert table.loc[("sigma", ""), "mean"] == pytest.approx(mean, rel=1e-10)
    assert table.loc[("sigma", ""), "sd"] == pytest.approx(np.sqrt(square - mean**2), rel=1e-10)


def test_moments_that_do_not_exist_are_not_given():
    """Four estimates and flat tau: the mean of tau exists, its sd does not. With three, neither; theta has all."""
    for count, mean, sd in [(4, True, False), (3, False, False), (6, True, True)]:
        table = exact.posterior(
            TwoLevel(groups=estimates(3, count), tau=priors.FLAT, sigma=priors.KnownScale())
        ).table()
        for key in (("tau", ""), ("mu", "")):
            assert np.isfinite(table.loc[key, ["mean", "sd"]]).tolist() == [mean, sd]
        assert np.isfinite(table.loc["theta"].to_numpy()).all()
        assert np.isfinite(table["q50"]).all()


def test_so_few_rows_that_sigma_has_no_variance():
    """Three rows in two groups: given tau, b is a t with two degrees of freedom; all have quantiles."""
    groups = Replicates.from_summary(["a", "b"], [2, 1], [3.0, 5.0], [1.5, 0.0])
    table = exact.posterior(TwoLevel(groups=groups, tau=HALF)).table()
    assert table.loc[[("sigma", ""), ("sd_between", ""), ("mu", ""), ("theta", "a")], "sd"].isna().all()
    assert np.isfinite(table.loc[("sigma", ""), "mean"])
    assert np.isfinite(table["q50"]).all()


def test_improper_posteriors_are_refused():
    with pytest.raises(ValueError, match="improper"):
        exact.posterior(TwoLevel(groups=estimates(3, 2), tau=priors.FLAT, sigma=priors.KnownScale()))


@pytest.mark.parametrize("name", ["one-way, flat tau, covariate", "estimates, covariate", "one-way, absolute tau"])
def test_contrasts(name):
    """A single theta is a contrast; a difference is one whose draws have its distribution."""
    posterior = exact.posterior(PROBLEMS[name])
    count = len(posterior.model.groups)
    alone, theta = posterior.contrast(np.eye(count)), posterior.theta()
    assert alone.mean == pytest.approx(theta.mean, rel=1e-12)
    assert alone.sd == pytest.approx(theta.sd, rel=1e-12)
    difference = np.eye(count)[:1] - np.eye(count)[1:]
    law = posterior.contrast(difference)
    size = 20_000
    drawn = posterior.draw(draws=size // 4, chains=4, rng=np.random.default_rng(9))["posterior"]["theta"].values
    below = (drawn.reshape(size, count) @ difference.T < 0).mean(axis=0)
    p = law.cdf(np.zeros(count - 1), np.arange(count - 1))
    assert (np.abs(below - p) < 4.5 * np.sqrt(p * (1 - p) / size)).all()


def test_draws_are_independent_and_exact():
    """Twenty thousand draws of every problem have the distribution function of every quantity."""
    for seed, (name, model) in enumerate(PROBLEMS.items()):
        posterior = exact.posterior(model)
        tree = posterior.draw(draws=5000, chains=4, rng=np.random.default_rng(seed))
        found = agreement.verdict(agreement.table(tree, posterior.table()))
        assert found.passed, f"{name}: {found.sentence}"
        tau = np.log(tree["posterior"]["tau"].values.ravel())
        assert abs(np.corrcoef(tau[1:], tau[:-1])[0, 1]) < 4.5 / np.sqrt(tau.size), f"{name}: draws follow each other"
