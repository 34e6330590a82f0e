"""The exact engine at its edges: long tails, level densities, few rows, covariates that nearly determine each other."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.brute import Brute
from helpers.oracle import Oracle, row
from helpers.problems import replicates
from mpmath import mp, mpf
from scipy import special

from analyses.checks import leave_out
from analyses.engines import exact, three_level
from analyses.engines.mixture import PROBABILITIES, spread
from analyses.engines.quadrature import Lattice, QuadratureError
from models import priors
from models.groups import Estimates, Replicates
from models.propriety import ImproperPosteriorError
from models.three_level import ThreeLevel
from models.two_level import TwoLevel

VALUES = [1.0, 3.0, 2.0, 5.0, 4.0, 6.5]
TWO = Estimates.from_summary("ab", [1.0, 3.0], [0.5, 0.7])


def single_rows(shape):
    """Six single rows do not inform tau; its posterior equals its prior, with tail exponent 2 shape + 1."""
    groups = Replicates.from_summary("abcdef", [1] * 6, VALUES, [0.0] * 6)
    return TwoLevel(groups=groups, tau=priors.InverseGamma(shape, 1.0))


@pytest.mark.parametrize("shape", [0.08, 0.1, 0.3])
def test_long_tails_have_their_quantiles(shape):
    """tau^2 ~ InverseGamma(shape, 1): no mean, but quantiles, of up to 1e10 here."""
    posterior = exact.posterior(single_rows(shape))
    table, error = posterior.table(), posterior.error()
    assert table.loc[[("tau", "")], ["mean", "sd"]].isna().all(axis=None)
    for name, p in PROBABILITIES.items():
        right = np.sqrt(1 / special.gammainccinv(shape, p))
        assert table.loc[("tau", ""), name] == pytest.approx(right, rel=1e-9)
        assert abs(table.loc[("tau", ""), name] - right) <= error.loc[("tau", ""), name] + 1e-12 * right


@pytest.mark.parametrize("shape", [0.001, 0.03])
def test_tails_beyond_doubles_are_rejected_with_the_reason(shape):
    """Upper quantiles near or beyond 1e300 are rejected."""
    with pytest.raises(QuadratureError, match="it falls too slowly"):
        exact.posterior(single_rows(shape))


VAGUE = priors.InverseGamma(0.001, 0.001)
TEXTBOOK = {
    "two trials": TwoLevel(groups=TWO, tau=VAGUE),
    "two groups of two rows": TwoLevel(groups=Replicates.from_summary("ab", [2, 2], [1.0, 3.0], [0.5, 0.7]), tau=VAGUE),
    "three trials and a covariate": TwoLevel(
        groups=Estimates.from_summary("abc", [1.0, 3.0, 2.0], [0.5, 0.7, 0.6], covariates={"x": [1, 2, 4]}), tau=VAGUE
    ),
}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_the_textbooks_vague_prior(name):
    """Answered, and each group left out is answered or left blank: one group is left, whose tau falls like 1.002."""
    model = TEXTBOOK[name]
    posterior = exact.posterior(model)
    table = posterior.table()
    assert table.loc[("tau", ""), "q50"] > 0
    assert np.isnan(table.loc[("tau", ""), "mean"])
    rows = leave_out.table(posterior)
    assert len(rows) == len(model.groups)


@pytest.mark.parametrize("width", [1e6, 1e8, 1e12])
def test_level_densities_with_steep_ends(width):
    """Two estimates and a wide half-normal: the density of log tau is level over twenty units."""
    groups = Estimates.from_summary("ab", [0.0, 1.0], [1.0, 1.0])
    assert not list(faults(TwoLevel(groups=groups, tau=priors.HalfNormal(width))))


FEW_ROWS = {
    "one group of two": TwoLevel(
        groups=Replicates.from_summary("abc", [2, 1, 1], [0.2, 6.8, 6.1], [0.05, 0, 0]), tau=priors.HalfCauchy(1.0)
    ),
    "one of five, flat sigma": TwoLevel(
        groups=Replicates.from_summary("abcde", [1, 1, 1, 2, 1], [0.2, 6.8, 6.1, -2.6, -1.5], [0, 0, 0, 0.08, 0]),
        tau=priors.HalfCauchy(1.0),
        sigma=priors.FLAT,
    ),
    "many single rows and a pair": TwoLevel(
        groups=Replicates.from_summary(range(60), [2] + [1] * 59, np.linspace(-4, 4, 60), [0.5] + [0] * 59),
        tau=priors.HalfCauchy(1.0),
    ),
}


@pytest.mark.parametrize("name", FEW_ROWS)
def test_few_rows(name):
    """sd_between is a product of tau with a sigma that the few rows leave wide."""
    assert not list(faults(FEW_ROWS[name]))


def faults(model):
    """Scales that are off by 1e-10 of an sd or by more than is stated, and both by more than brute force is."""
    posterior, truth = exact.posterior(model), Brute(model)
    table, error, right = posterior.table([0]), posterior.error([0]), truth.table
    for key in [("tau", ""), ("mu", ""), ("sd_between", ""), *([("sigma", "")] * ("sigma" in model.unknown))]:
        wide = spread(table)[key]
        off = {s: abs(table.loc[key, s] - right.loc[key, s]) for s in ("mean", "sd")}
        off |= {name: abs(truth.quantile_error(key, table.loc[key, name], p)) for name, p in PROBABILITIES.items()}
        for statistic, wrong in off.items():
            if wrong > 1e-10 * wide or wrong > error.loc[key, statistic] + 1e-11 * wide:
                yield f"{key} {statistic}: off by {wrong / wide:.1e}, stated {error.loc[key, statistic] / wide:.1e}"


def finer(nodes):
    """Nodes 1.3 times as close to each other: an error of 1e-8 becomes 1e-10."""
    lattice = nodes.lattice
    closer = Lattice.grown(
        lattice.log_densities, lattice.frame, lattice.step / 1.3, lattice.point.T, depth=lattice.depth
    )
    return replace(nodes, lattice=closer)


def test_few_rows_in_three_levels():
    """Ten classrooms of 25 pupils in all: what is stated covers the change to finer lattices."""
    rng = np.random.default_rng(5)
    school = np.repeat([0, 1, 2, 3], [3, 3, 2, 2])
    groups = replicates(7, [3, 2, 3, 2, 3, 2, 3, 2, 3, 2])
    groups = Replicates.from_summary(groups.labels, groups.n, groups.mean + rng.normal(0, 9, 4)[school], groups.ss)
    model = ThreeLevel(classrooms=groups, school=school, schools=tuple("ABCD"))
    posterior = three_level.posterior(model)
    table, error = posterior.population(), posterior.error()
    closer = replace(
        posterior, nodes=finer(posterior.nodes), with_outermost=lambda name: finer(posterior.with_outermost(name))
    )
    wrong, stated = ((x.div(spread(table), axis=0)).fillna(0.0) for x in ((closer.population() - table).abs(), error))
    assert wrong.max(axis=None) < 1e-8
    assert (wrong <= stated + 1e-13).all(axis=None)


def copies(distance, offset=0.0):
    """Seven estimates with two covariates that differ by a small amount."""
    rng = np.random.default_rng(8)
    x = rng.normal(size=7) + offset
    covariates = {"x": x, "w": 3 * x - 2 + 3 * distance * rng.normal(size=7)}
    groups = Estimates.from_summary("abcdefg", rng.normal(5, 2, 7), rng.uniform(0.5, 2, 7), covariates=covariates)
    return TwoLevel(groups=groups, tau=priors.HalfNormal(2.0))


@pytest.mark.parametrize(("distance", "offset"), [(1e-3, 0.0), (3e-7, 0.0), (1e-6, 1e5)])
def test_covariates_that_nearly_determine_each_other(distance, offset):
    """Against the same doubles at 60 digits, of which normal equations lose 22: all to 1e-10 of their sds."""
    model = copies(distance, offset)
    table = exact.posterior(model).table()
    weights = {("mu", ""): [1, 0, 0], ("beta", "x"): [0, 1, 0], ("beta", "w"): [0, 0, 1]}
    with mp.workdps(60):
        oracle = Oracle(model, closed=False, step="0.2")
        truths = {key: oracle.moments_linear(list(map(mpf, x))) for key, x in weights.items()}
        truths |= {("theta", model.groups.labels[i]): oracle.moments_linear(row(model, i), i) for i in (0, 3)}
    for key, (mean, sd) in truths.items():
        assert abs(float(table.loc[key, "mean"] - mean) / float(sd)) < 1e-10
        assert abs(float(table.loc[key, "sd"] / sd - 1)) < 1e-10


@pytest.mark.parametrize("distance", [3e-8, 1e-10, 1e-12, 0.0])
def test_covariates_that_cannot_be_told_apart_are_rejected(distance):
    with pytest.raises(ImproperPosteriorError, match="'w' is determined by 'x'"):
        exact.posterior(copies(distance))


def test_a_covariate_whose_digits_lie_in_an_offset_is_rejected():
    groups = Estimates.from_summary("abcd", VALUES[:4], [1] * 4, covariates={"x": 1e9 + np.array([1.0, 2, 3, 5])})
    with pytest.raises(ImproperPosteriorError, match="'x' varies by less than a millionth of its size"):
        exact.posterior(TwoLevel(groups=groups, tau=priors.HalfNormal(1.0)))


@pytest.mark.parametrize(
    "given",
    [
        {"relative": False},
        {"coefficients": (priors.Normal(0.0, 10.0),)},
        {"sigma": priors.HalfNormal(10.0)},
    ],
)
def test_large_groups_with_two_scales(given):
    """Five million rows make log sigma 2,000 times as narrow as log tau: that costs nothing.

    Given five means whose errors are a thousandth, and a prior of tau in units of sigma = 1 or next to that, all agree.
    """
    groups = Replicates.from_summary("abcde", [10**6] * 5, VALUES[:5], [1e6] * 5)
    posterior = exact.posterior(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0), **given))
    table, error = posterior.table(), posterior.error()
    assert len(posterior.weight) < 20_000
    assert (error["q50"] < 1e-9 * spread(table)).all()
    integrated = exact.posterior(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0))).table()
    assert table.loc[("sd_between", ""), "q50"] == pytest.approx(integrated.loc[("sd_between", ""), "q50"], rel=0.1)


@pytest.mark.parametrize("size", [1e3, 1e4, 1e6])
def test_a_regression_through_precise_and_imprecise_means(size):
    """mu, far from the imprecise means' covariates, has a variance that cancels out of x'Cx: against 60 digits."""
    se, x, tau = np.array([1 / size, size, size, 2 * size, size]), [0.0, 1.0, 2.0, 3.0, 4.0], 1 / size
    y = np.array([3.0, 1.0, 4.0, 1.0, 5.0]) * se + 7
    groups = Estimates.from_summary("abcde", y, se, covariates={"x": x})
    model = TwoLevel(groups=groups, tau=priors.HalfNormal(tau))
    given = model.collapsed(np.array([tau]))
    sd = np.sqrt(given.squared_scale(given.basis))[0]
    with mp.workdps(60):
        design = mp.matrix(groups.design.tolist())
        weights = mp.diag([1 / (mp.mpf(float(v)) + mp.mpf(tau) ** 2) for v in groups.noise])
        covariance = (design.T * weights * design) ** -1
        right = [float(mp.sqrt(covariance[k, k])) for k in range(2)]
    assert sd == pytest.approx(right, rel=1e-9)


def test_shrinkage_next_to_one_has_no_more_digits():
    """Incomes and a prior of tau that is a millionth of them: kappa is 1 but for 1e-12, and known to 1e-15."""
    means = 50_000 + np.random.default_rng(1).normal(0, 10_000, 8)
    groups = Replicates.from_summary("abcdefgh", [10] * 8, means, [9 * 3e4**2] * 8)
    posterior = exact.posterior(TwoLevel(groups=groups, tau=priors.HalfNormal(0.01), relative=False))
    table, error = posterior.table(), posterior.error()
    assert table.loc[("tau", ""), "q50"] == pytest.approx(0.01 * special.ndtri(0.75), rel=1e-6)
    assert (error.loc["kappa"] < 1e-14).all(axis=None)


def test_means_that_are_far_from_zero_need_no_more_nodes():
    """Beside 1e8 a table moves by the last places of its numbers, which no shorter steps would change."""
    means = np.array([0.3, -1.2, 0.8, 0.1, -0.4, 1.9, 0.2, -0.9])
    nodes = []
    for offset in (0.0, 1e8):
        groups = Replicates.from_summary("abcdefgh", [5] * 8, means + offset, [4.0] * 8)
        model = TwoLevel(groups=groups, tau=priors.HalfNormal(1.0), relative=False)
        nodes.append(len(exact.posterior(model).weight))
    assert nodes[1] < 1.5 * nodes[0]


def test_hundreds_of_millions_of_pupils():
    """Terms that grow with the pupils cancel out of the log density of the ratios: lambda stays known."""
    groups = replicates(7, [3, 2, 3, 2, 3, 2])
    many = Replicates.from_summary(groups.labels, [100_000_000] * 6, groups.mean, [1e10] * 6)
    posterior = three_level.posterior(
        ThreeLevel(classrooms=many, school=np.array([0, 0, 1, 1, 2, 3]), schools=tuple("ABCD"))
    )
    rows, closer = posterior.top(), posterior.closer.top()
    assert ((closer - rows).abs().max(axis=1) < 1e-9 * spread(rows)).all()


def test_theta_may_have_moments_that_no_scale_has():
    """One group of two rows, mu ~ N(0, 1), sigma Jeffreys', tau ~ half-t with 0.4 degrees of freedom.

    theta is far out only where both scales are, so E theta^2 exists, E tau^2 and E sigma^2 do not. It is a sum over
    both logs, out to e^110, of a density that is written out.
    """
    groups = Replicates.from_summary(["a"], [2], [0.7], [0.4])
    model = TwoLevel(
        groups=groups, tau=priors.HalfStudentT(0.4, 1.0), relative=False, coefficients=(priors.Normal(0.0, 1.0),)
    )
    u, s = (v.ravel() for v in np.meshgrid(np.arange(-60, 110, 0.1), np.arange(-8, 110, 0.1)))
    between, noise = np.logaddexp(0, 2 * u), 2 * s - np.log(2)  # logs of the variances of theta and of its mean
    total = np.logaddexp(between, noise)
    height = -total / 2 - 0.7**2 / 2 * np.exp(-total) - s - 0.2 * np.exp(-2 * s) + u
    height -= 0.7 * np.logaddexp(0, 2 * u - np.log(0.4))
    weight = np.exp(height - height.max())
    weight /= weight.sum()
    location = 0.7 * np.exp(between - total)
    mean = weight @ location
    variance = weight @ (np.exp(between + noise - total) + (location - mean) ** 2)
    table = exact.posterior(model).table()
    assert table.loc[("theta", "a"), "mean"] == pytest.approx(mean, abs=1e-10)
    assert table.loc[("theta", "a"), "sd"] == pytest.approx(np.sqrt(variance), rel=1e-8)
    assert np.isnan(table.loc[[("tau", ""), ("sigma", "")], "sd"]).all()
