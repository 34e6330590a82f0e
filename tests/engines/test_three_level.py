"""The exact posterior of three levels against a grid in all three scales, and against every engine."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from helpers.problems import replicates
from scipy.special import ndtr

from analyses.checks import agreement
from analyses.engines import three_level
from analyses.fits.settings import Settings
from models import classrooms, priors
from models.three_level import ThreeLevel

SCALES = ("sigma", "tau", "kappa")

# the engines, on the shipped table


@pytest.fixture(scope="module")
def shipped():
    posterior = three_level.posterior(classrooms.model())
    return posterior, posterior.table(), posterior.predictions(at=0)


ENGINES = {
    "exact": lambda posterior: posterior.draw(draws=5000, rng=np.random.default_rng(63)),
    "gibbs": lambda posterior: three_level.by_gibbs(posterior.model, rng=np.random.default_rng(63)),
    "nuts": lambda posterior: three_level.by_nuts(posterior.model, **Settings(seed=63).nuts("classrooms")),
}


def judged(tree, reference):
    return agreement.verdict(agreement.table(tree, reference))


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_agree(engine, shipped):
    """Engines agree in every parameter and in predictions for the first classroom and for new ones.

    Independent draws are so many that tau in kappa's place would be seen in the latter, though it is hardly smaller.
    """
    posterior, reference, predictions = shipped
    tree = ENGINES[engine](posterior)
    labels = posterior.new_labels(0)
    ahead = three_level.predicted(posterior.model, tree, labels, at=0, rng=np.random.default_rng(64))
    for found in (judged(tree, reference), judged(ahead, predictions)):
        assert found.passed, found.sentence


class Doubled(ThreeLevel):
    """Gibbs draws kappa^2 from twice its sum of squares."""

    def conditionals(self):
        def kappa2(state):
            squares = np.sum((state["mu"] - state["lambda"][:, None]) ** 2, axis=-1)
            return self.kappa.given(len(self.schools), 2 * squares)

        return super().conditionals() | {"kappa2": kappa2}


def test_a_doubled_sum_of_squares_is_noticed(shipped):
    """The rule detects it: the test has power."""
    posterior, reference, _ = shipped
    right = posterior.model
    wrong = Doubled(classrooms=right.classrooms, school=right.school, schools=right.schools)
    found = judged(three_level.by_gibbs(wrong, rng=np.random.default_rng(65), draws=100), reference)
    assert "differs from the exact posterior" in found.sentence


def test_what_comes_next_has_the_total_variance(shipped):
    """A new school's mean varies about lambda, a classroom about that, a pupil about that, each with its own variance.

    So the second moments of the scales add up, and a school that is known differs from that by what is known of it. The
    scales are right to 1e-9 of their sds or so: they are computed with three on the lattice.
    """
    _, table, found = shipped
    mean2 = (table.loc[list(SCALES), ["mean", "sd"]] ** 2).sum(axis=1).droplevel("label")
    top, mu, theta = (table.loc[key] for key in (("lambda", ""), ("mu", "1"), ("theta", "1a")))
    old, new = "a new classroom of school 1", "a new classroom of a new school"
    expected = {
        ("new_value", "1a"): (theta["mean"], theta["sd"] ** 2 + mean2["sigma"]),
        ("new_theta", old): (mu["mean"], mu["sd"] ** 2 + mean2["tau"]),
        ("new_theta", new): (top["mean"], top["sd"] ** 2 + mean2["kappa"] + mean2["tau"]),
        ("new_group_value", old): (mu["mean"], mu["sd"] ** 2 + mean2["tau"] + mean2["sigma"]),
        ("new_group_value", new): (top["mean"], top["sd"] ** 2 + mean2["kappa"] + mean2["tau"] + mean2["sigma"]),
    }
    assert set(found.index) == set(expected)
    for key, (mean, variance) in expected.items():
        assert found.loc[key, "mean"] == pytest.approx(mean, rel=1e-9)
        assert found.loc[key, "sd"] ** 2 == pytest.approx(variance, rel=1e-8)


# a small problem on a grid


def small():
    """Two classrooms of three to five pupils in each of seven schools, sd 10 within, 7 and 12 between them."""
    rng, school = np.random.default_rng(61), np.repeat(np.arange(7), 2)
    groups = replicates(62, rng.integers(3, 6, 14))
    groups = replace(groups, mean=groups.mean + rng.normal(0, 12, 7)[school])
    return ThreeLevel(classrooms=groups, school=school, schools=tuple("ABCDEFG"))


CENTRE = 500.0  # what is added up is a deviation from it
CLASSROOM = 5
POSITIONS = {"lambda": 0, "mu": 2, "theta": CLASSROOM}  # the second classroom of the third school


def given_scales(model, sigma, tau, kappa):
    """Log density of the data and of the logs of the scales (node,), and mean and variance at `POSITIONS` given both.

    The classrooms' means are multivariate normal about lambda, which is flat; mu and theta have a covariance with them.
    """
    g, (df, ss), y = model.classrooms, model.classrooms.within, model.classrooms.mean - CENTRE
    same_school, same = (model.school[:, None] == model.school).astype(float), np.eye(len(g))
    s2, t2, k2 = (x[:, None, None] ** 2 for x in (sigma, tau, kappa))
    covariance = s2 * np.diag(g.noise) + t2 * same + k2 * same_school
    inverse = np.linalg.inv(covariance)
    precision, top = inverse.sum(axis=(1, 2)), inverse.sum(axis=1) @ y / inverse.sum(axis=(1, 2))
    residual = y - top[:, None]
    height = -(np.linalg.slogdet(covariance)[1] + np.log(precision)) / 2
    height -= np.einsum("nj,njk,nk->n", residual, inverse, residual) / 2
    # p(sigma) = 1 / sigma; p(tau) = tau and p(kappa) = kappa, and as much again for the logs.
    height += -df * np.log(sigma) - ss / (2 * sigma**2) + 2 * np.log(tau) + 2 * np.log(kappa)
    means, variances = [top], [1 / precision]
    k2, t2 = k2[:, 0], t2[:, 0]
    of_mu = k2 * same_school[CLASSROOM]
    for own, with_means in ((k2, of_mu), (k2 + t2, of_mu + t2 * same[CLASSROOM])):
        weight = np.einsum("nj,njk->nk", with_means, inverse)
        means.append(top + np.sum(weight * residual, axis=1))
        of_top = (1 - weight.sum(axis=1)) ** 2 / precision
        variances.append(own[:, 0] - np.sum(weight * with_means, axis=1) + of_top)
    return height, np.array(means), np.array(variances)


# Logs of the scales minus those of rough ones. Downward the density of log tau and of log kappa falls like tau^2 and
# kappa^2: below -11 lies some e^-22 of it. Upward that of log kappa falls like kappa^-4 with seven schools, its part in
# the second moment like kappa^-2: beyond 11 lies e^-22 of that; tau falls like tau^-10. Log sigma's sd is about
# (2 * 42)^(-1/2) = 0.11, those of the other two are above 0.3: steps are so much shorter that the sums' own error,
# 2 exp(-2 (pi sd / step)^2), is below e^-25. All of it together is far below a millionth of any sd.
GRID = {"sigma": (-0.9, 1.3, 0.075), "tau": (-11.0, 4.0, 0.25), "kappa": (-11.0, 11.0, 0.25)}
ACCURACY = 1e-6


def axis(model, name):
    low, high, step = GRID[name]
    return model.initial_scales[name] * np.exp(np.arange(low, high, step))


def along(model, **axes):
    """given_scales on the product of three axes, in parts for the sake of memory; the first axis outermost."""
    parts = []
    for sigma in axes["sigma"]:
        tau, kappa = (x.ravel() for x in np.meshgrid(axes["tau"], axes["kappa"], indexing="ij"))
        parts.append((np.full(tau.size, sigma), tau, kappa, *given_scales(model, np.full(tau.size, sigma), tau, kappa)))
    return [np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)]


@pytest.fixture(scope="module")
def model():
    return small()


@pytest.fixture(scope="module")
def posterior(model):
    return three_level.posterior(model)


@pytest.fixture(scope="module")
def table(posterior):
    """The first rows of `Posterior.table`; the others take seconds and come from the laws of the levels."""
    return posterior.population()


@pytest.fixture(scope="module")
def grid(model):
    """Values of the scales, weight, and means and variances of the other quantities, at each node."""
    *scales, height, means, variances = along(model, **{name: axis(model, name) for name in SCALES})
    weight = np.exp(height - height.max())
    return dict(zip(SCALES, scales, strict=True)), weight / weight.sum(), height.max(), means, variances


def assert_moments(row, mean, sd):
    assert row["mean"] == pytest.approx(mean, rel=0, abs=ACCURACY * sd)
    assert row["sd"] == pytest.approx(sd, rel=0, abs=ACCURACY * sd)


@pytest.mark.parametrize("name", SCALES)
def test_moments_of_a_scale(name, table, grid):
    values, weight = grid[0][name], grid[1]
    mean = weight @ values
    assert_moments(table.loc[(name, "")], mean, np.sqrt(weight @ (values - mean) ** 2))


@pytest.mark.parametrize("name", POSITIONS)
def test_law_of_a_level(name, posterior, grid):
    """Given the scales it is normal; far out in kappa, at e^-30 of the weight, its variance is lost in rounding."""
    _, weight, _, means, variances = grid
    which = list(POSITIONS).index(name)
    mean = weight @ means[which]
    sd = np.sqrt(weight @ (variances[which] + (means[which] - mean) ** 2))
    law, at = posterior.level(name), POSITIONS[name]
    assert_moments({"mean": law.mean[at], "sd": law.sd[at]}, CENTRE + mean, sd)
    for z in (-2.1, -0.6, 0.0, 1.3, 2.4):
        below = weight @ ndtr((mean + z * sd - means[which]) / np.sqrt(np.maximum(variances[which], 1e-9)))
        found = law.cdf(np.array([CENTRE + mean + z * sd]), np.array([at]))
        assert found == pytest.approx(below, rel=0, abs=ACCURACY)


@pytest.mark.parametrize("name", SCALES)
def test_quantiles_of_a_scale(name, model, table, grid):
    """The density of its log, the other two added up on their axes, is integrated up to each quantile by Gauss's rule.

    Twenty nodes integrate polynomials of degree 39: on the longest piece, the lowest, e^(2u) over eleven units is off
    by less than 1e-9 of itself.
    """
    _, _, top, _, _ = grid
    axes = {other: axis(model, other) for other in SCALES}
    cell = np.prod([GRID[other][2] for other in SCALES])
    whole = np.exp(along(model, **axes)[3] - top).sum() * cell
    nodes, weights = np.polynomial.legendre.leggauss(20)
    at = np.log([axes[name][0], *table.loc[(name, ""), ["q2_5", "q50", "q97_5"]]])
    below = 0.0
    for (low, high), p in zip(pairwise(at), (0.025, 0.5, 0.975), strict=True):
        u = (low + high) / 2 + (high - low) / 2 * nodes
        *scales, height, _, _ = along(model, **(axes | {name: np.exp(u)}))
        which = np.searchsorted(np.exp(u), scales[SCALES.index(name)])
        density = np.bincount(which, np.exp(height - top), minlength=20) * cell / GRID[name][2]
        below += (high - low) / 2 * weights @ density
        assert below / whole == pytest.approx(p, rel=0, abs=ACCURACY)


def with_schools(sizes, **others):
    """Classrooms of four pupils; `sizes` are the numbers of classrooms in the schools."""
    school = np.repeat(np.arange(len(sizes)), sizes)
    groups = replicates(63, [4] * len(school))
    groups = replace(groups, mean=groups.mean + np.random.default_rng(64).normal(0, 12, len(sizes))[school])
    return ThreeLevel(classrooms=groups, school=school, schools=tuple("ABCDEFG"[: len(sizes)]), **others)


FLAT = {"tau": priors.FLAT, "kappa": priors.FLAT}


@pytest.mark.parametrize(
    ("sizes", "others", "means", "sds"),
    [
        ((3, 3, 3, 3), {}, {"sigma", "tau"}, {"sigma", "tau"}),  # kappa^-2
        ((3, 3, 3, 3, 3), {}, {"lambda", "sigma", "tau", "kappa"}, {"sigma", "tau"}),  # kappa^-3
        ((3, 3, 3), FLAT, {"sigma", "tau"}, {"sigma", "tau"}),
        ((1, 1, 1, 1, 1, 2), {}, {"lambda", "sigma", "tau", "kappa"}, {"sigma"}),  # both grow: ^-3
        ((2, 3, 2, 3, 2, 3), {}, *2 * [{"lambda", "sigma", "tau", "kappa"}]),
    ],
)
def test_moments_that_do_not_exist_are_blank_and_quantiles_are_there(sizes, others, means, sds):
    found = three_level.posterior(with_schools(sizes, **others)).population().droplevel("label")
    assert set(found.index[found["mean"].notna()]) == means
    assert set(found.index[found["sd"].notna()]) == sds
    assert np.isfinite(found[["q2_5", "q50", "q97_5"]]).all(axis=None)
