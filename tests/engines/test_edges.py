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
from analyses.engines.quadrature import QuadratureError
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


def test_few_rows_in_three_levels():
    """Ten classrooms of 25 pupils in all: what is stated covers the change to a lattice of a quarter of the step."""
    rng = np.random.default_rng(5)
    school = np.repeat([0, 1, 2, 3], [3, 3, 2, 2])
    groups = replicates(7, [3, 2, 3, 2, 3, 2, 3, 2, 3, 2])
    groups = Replicates.from_summary(groups.labels, groups.n, groups.mean + rng.normal(0, 9, 4)[school], groups.ss)
    model = ThreeLevel(classrooms=groups, school=school, schools=tuple("ABCD"))
    posterior = three_level.posterior(model)
    table, error = posterior.population(), posterior.error()
    finer = replace(posterior, lattice=posterior.lattice.finer(4)).population()
    wrong, stated = ((x.div(spread(table), axis=0)).fillna(0.0) for x in ((finer - table).abs(), error))
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
def test_large_groups_with_two_scales_name_the_remedy(given):
    """Five million rows make log sigma 2,000 times as narrow as log tau; sigma integrated out, they are answered."""
    groups = Replicates.from_summary("abcde", [10**6] * 5, VALUES[:5], [1e6] * 5)
    with pytest.raises(QuadratureError, match="Let sigma integrate out"):
        exact.posterior(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0), **given))
    assert exact.posterior(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0))).table().notna().all(axis=None)
