"""The three-level model against densities written apart from it: PyMC's, SciPy's, and sums over a grid."""

import importlib.util
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from helpers.joint import log_derivative, untransformed
from helpers.problems import replicates
from scipy import stats
from scipy.special import logsumexp

from analyses.studies import classrooms as study
from models import classrooms, priors, three_level
from models.three_level import ThreeLevel

DATA = Path(str(resources.files("partial_pooling_data")))
SCALES = ("sigma", "tau", "kappa")
ROUNDING = 1e-9  # of terms that add up to some thousands


def small(per_school=(2, 3, 1, 2, 3, 2), **chosen):
    """Classrooms of three to five pupils about 500, sd 10 within, 7 between them, 12 between schools."""
    rng = np.random.default_rng(31)
    school = np.repeat(np.arange(len(per_school)), per_school)
    groups = replicates(32, rng.integers(3, 6, len(school)))
    groups = replace(groups, mean=groups.mean + rng.normal(0, 12, len(per_school))[school])
    return ThreeLevel(classrooms=groups, school=school, schools=tuple("ABCDEFGH"[: len(per_school)]), **chosen)


MODELS = {
    "shipped": classrooms.model(),
    "flat variances": small(),
    "flat sds": small(tau=priors.FLAT, kappa=priors.FLAT),
    "a power each": small(tau=priors.InverseGamma(-0.8), kappa=priors.InverseGamma(-0.3)),
}


@pytest.fixture(params=MODELS, scope="module")
def model(request):
    return MODELS[request.param]


@pytest.fixture(scope="module")
def centered(model):
    """PyMC's density, compiled once for a model."""
    return log_density(model, "centered")


def near(model, rng):
    """A state of one chain, lambda not the average of mu as Gibbs has it at its start."""
    here = model.start(1, rng)
    return here | {"lambda": here["lambda"] + rng.normal(0, 5, 1)}


def log_density(model, parameterization):
    """PyMC's, as a function of a state: in lambda, the three variances, and mu and theta where it has them."""
    logp = untransformed(three_level.build(model, parameterization=parameterization))

    def density(state):
        sds = {name: np.sqrt(state[f"{name}2"][0]) for name in SCALES}
        values = {name: state[name][0] for name in ("lambda", "mu", "theta")} | sds
        return logp(values) + sum(log_derivative(sd) for sd in sds.values())

    return density


# PyMC's densities


@pytest.mark.parametrize("name", ["lambda", "mu", "kappa2", "tau2", "sigma2", "theta"])
def test_conditional_is_the_joint_as_a_function_of_one_parameter(model, centered, name):
    rng = np.random.default_rng(33)
    law = model.conditionals()[name]
    for _ in range(4):
        here = near(model, rng)
        one, two = law(here).draw(rng), law(here).draw(rng)
        assert not np.allclose(one, two, rtol=1e-6, atol=0), "the pair must differ, or any law would pass"
        conditional = np.sum(law(here).log_density(one)) - np.sum(law(here).log_density(two))
        joint = centered(here | {name: one}) - centered(here | {name: two})
        assert conditional == pytest.approx(joint, abs=ROUNDING)


def test_every_parameter_is_drawn_and_the_first_start_has_all_others():
    """A sweep may draw lambda first: whatever its conditional looks at is there."""
    model = MODELS["flat variances"]
    start = model.start(3, np.random.default_rng(34))
    assert set(model.conditionals()) == set(start)
    for name, law in model.conditionals().items():
        assert law(start).draw(np.random.default_rng(34)).shape == start[name].shape


def of_means(model, sigma, tau, kappa):
    """Covariance of the classrooms' means about lambda."""
    g, same_school = model.classrooms, model.school[:, None] == model.school
    return np.diag(tau**2 + sigma**2 * g.noise) + kappa**2 * same_school


def log_joint(model, top, sigma, tau, kappa):
    """p(lambda, sigma, tau, kappa, data), theta and mu integrated out: means are multivariate normal."""
    g, (df, ss) = model.classrooms, model.classrooms.within
    height = stats.multivariate_normal(cov=of_means(model, sigma, tau, kappa)).logpdf(
        g.mean - np.atleast_1d(top)[:, None]
    )
    height = height + stats.gamma(df / 2, scale=2 * sigma**2).logpdf(ss) - np.log(sigma)
    for prior, sd in ((model.tau, tau), (model.kappa, kappa)):
        height = height - (2 * prior.shape + 1) * np.log(sd)
    return height


def test_marginal_model_is_the_centered_one_with_theta_and_mu_integrated_out(model):
    rng = np.random.default_rng(35)
    density, gaps = log_density(model, "marginal"), []
    for _ in range(6):
        here = near(model, rng)
        sds = [np.sqrt(here[f"{name}2"][0]) for name in SCALES]
        of_sds = density(here) + np.log(2 * np.array(sds)).sum()
        gaps.append(of_sds - float(log_joint(model, here["lambda"], *sds)))
    assert gaps == pytest.approx([gaps[0]] * 6, abs=ROUNDING)


def test_an_unknown_parameterization_is_refused():
    with pytest.raises(ValueError, match="'centred' is none of centered, noncentered, marginal"):
        three_level.build(MODELS["flat variances"], parameterization="centred")


# what is integrated out on paper


def summed(model, tau, kappa):
    """Log of p(data, ratios): the joint added up over lambda and log sigma.

    The nodes in lambda are half of its sd apart given the scales, over twenty of them; those in log sigma, whose sd is
    about a tenth, lie 1/40 apart. The error of such sums is below e^-70 of what they add up to.
    """
    heights, rough, mean = [], np.log(model.initial_scales["sigma"]), model.classrooms.mean
    for log_sigma in np.arange(rough - 2, rough + 4, 0.025):
        sigma = np.exp(log_sigma)
        precision = np.linalg.inv(of_means(model, sigma, tau * sigma, kappa * sigma))
        centre, sd = precision.sum(axis=0) @ mean / precision.sum(), precision.sum() ** -0.5
        at = log_joint(model, centre + sd * np.arange(-10, 10.25, 0.5), sigma, tau * sigma, kappa * sigma)
        # tau = t sigma and kappa = k sigma are two powers of sigma, d sigma = sigma d log sigma a third.
        heights.append(logsumexp(at) + np.log(sd) + 3 * log_sigma)
    assert max(heights[0], heights[-1]) < max(heights) - 40, "the grid must hold all of it"
    return logsumexp(heights)


POINTS = [(0.4, 0.9), (0.05, 1.3), (1.7, 0.02), (3.1, 6.0), (0.6, 25.0)]


@pytest.mark.parametrize("name", ["flat variances", "flat sds", "a power each"])
def test_collapsed_is_the_integral_over_lambda_and_sigma(name):
    model = MODELS[name]
    found = model.collapsed(*np.array(POINTS).T).log_unnormalized
    gaps = found - [summed(model, *at) for at in POINTS]
    assert gaps == pytest.approx([gaps[0]] * len(POINTS), abs=ROUNDING)


def test_ratios_of_any_shape_are_taken_one_by_one():
    model, points = MODELS["a power each"], np.array(POINTS[:4]).T
    found, alone = model.collapsed(*points.reshape(2, 2, 2)), [model.collapsed(*np.array(at)) for at in POINTS[:4]]
    assert found.log_unnormalized.ravel() == pytest.approx([each.log_unnormalized for each in alone], rel=1e-13)
    assert found.top.mean.ravel() == pytest.approx([each.top.mean[0] for each in alone], rel=1e-9, abs=1e-9)


# is there a posterior


def slopes(model, direction):
    """Slope of the log density of the ratios in the log of both, far out along a direction.

    What is left of a slope there is of the order of the ratio^-2, e^-24 at the nearer point.
    """
    near, far = model.collapsed(*np.exp(np.multiply.outer(direction, [12.0, 13.0]))).log_unnormalized
    return far - near


@pytest.mark.parametrize("name", ["flat variances", "flat sds", "a power each"])
def test_the_posterior_falls_as_the_rule_says(name):
    """As kappa grows like kappa^-(schools - 1) times its prior; as both grow, like tau^-(classrooms - 1) times both."""
    model = MODELS[name]
    assert slopes(model, [0, 1]) == pytest.approx(-(len(model.schools) - 1 + model.kappa.tail_exponent), abs=1e-8)
    both = len(model.classrooms) - 1 + model.tau.tail_exponent + model.kappa.tail_exponent
    assert slopes(model, [1, 1]) == pytest.approx(-both, abs=1e-8)


@pytest.mark.parametrize(("kappa", "fewest"), [(priors.FLAT_VARIANCE, 4), (priors.FLAT, 3)])
def test_too_few_schools(kappa, fewest):
    """The integral of kappa^-(schools - 1 + fall) has an end only above a power of one."""
    small([3] * fewest, kappa=kappa)
    with pytest.raises(ValueError, match=f"improper: {fewest - 1} schools are too few for"):
        small([3] * (fewest - 1), kappa=kappa)


def test_too_few_classrooms():
    """Six of them, four flat variances' worth: 6 - 1 - 1 - 2 is above one, 5 - 1 - 1 - 2 is not."""
    small([2, 2, 1, 1])
    with pytest.raises(ValueError, match="improper: 5 classrooms are too few"):
        small([2, 1, 1, 1])


@pytest.mark.parametrize("sizes", [[1] * 8, [4] * 8])
def test_no_spread_within_classrooms(sizes):
    """Of one pupil each, or with the same score for all pupils of a classroom."""
    groups = replace(replicates(36, sizes), ss=np.zeros(8))
    with pytest.raises(ValueError, match="no classroom has any spread within it: nothing tells sigma from tau"):
        ThreeLevel(classrooms=groups, school=np.repeat(np.arange(4), 2), schools=tuple("ABCD"))


@pytest.mark.parametrize("name", ["tau", "kappa"])
@pytest.mark.parametrize("prior", [priors.InverseGamma(0.5, 0.5), priors.HalfCauchy(2.0), priors.JEFFREYS])
def test_a_prior_that_is_no_power_above_minus_one_is_refused(name, prior):
    with pytest.raises(ValueError, match=f"{name} needs a prior that is a power of it above -1, not "):
        small(**{name: prior})


# the data


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("simulate_classrooms", DATA / "simulate_classrooms.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_table_is_what_the_script_makes(script, tmp_path):
    script.main(tmp_path)
    assert (tmp_path / "classrooms.csv").read_bytes() == (DATA / "classrooms.csv").read_bytes()


def test_the_study_knows_the_truth_of_the_script(script):
    assert study.TRUTH == script.TRUTH


def test_every_classroom_is_in_its_school(script):
    """A classroom's name begins with its school's, and sizes are those that the script allows."""
    model = classrooms.model()
    assert len(model.schools) == script.SCHOOLS
    assert all(c[:-1] == model.schools[i] for c, i in zip(model.classrooms.labels, model.school, strict=True))
    for found, (fewest, most) in (
        (np.bincount(model.school), script.CLASSROOMS),
        (model.classrooms.n, script.PUPILS),
    ):
        assert found.min() >= fewest
        assert found.max() <= most
