"""Each full conditional against the joint density that PyMC has of the centered model.

The joint as a function of one parameter alone is that parameter's full conditional, up to a constant. So between any
two values of it the difference of the conditional's log density is that of the joint: no sampling, no tolerance but
rounding.
"""

import numpy as np
import pytest
from helpers.joint import log_density, state
from helpers.priors import BOUNDED
from helpers.problems import PROBLEMS

from models import blood_pressure, eight_schools, math_test, priors, pymc_model
from models.distributions import InverseGamma
from models.two_level import TwoLevel


def mixed(model):
    """Whether a conditional depends on a mixing variable, which the joint does not have."""
    return any(name.endswith("_mixing") for name in model.conditionals())


GROUPS = PROBLEMS["one-way"].groups
MODELS = {
    "math_test": math_test.model(),
    "blood_pressure": blood_pressure.model(),
    "eight_schools": eight_schools.model(),
    **{name: model for name, model in PROBLEMS.items() if not mixed(model)},
    "bounded tau": TwoLevel(groups=PROBLEMS["one-way"].groups, tau=BOUNDED["tau"]),
    "bounded tau and sigma": TwoLevel(
        groups=PROBLEMS["one-way"].groups, tau=priors.HalfNormal(1.0), sigma=BOUNDED["sigma"]
    ),
}
TOLERANCE = 1e-9  # of terms that add up to some thousands


def differences(model, name, law=None):
    """Of the conditional of `name`, and of the joint, between random pairs of its values at random states."""
    rng = np.random.default_rng(11)
    density = log_density(model, pymc_model.build(model, parameterization="centered"))
    law = law or model.conditionals()[name]
    for _ in range(5):
        here = state(model, rng)
        one, two = law(here).draw(rng), law(here).draw(rng)
        assert not np.allclose(one, two, rtol=1e-6, atol=0), "the pair must differ, or any law would pass"
        conditional = np.sum(law(here).log_density(one)) - np.sum(law(here).log_density(two))
        yield conditional, density(here | {name: one}) - density(here | {name: two})


@pytest.mark.parametrize(("model", "name"), [(m, name) for m in MODELS for name in MODELS[m].conditionals()])
def test_conditional_is_the_joint_as_a_function_of_one_parameter(model, name):
    for conditional, joint in differences(MODELS[model], name):
        assert conditional == pytest.approx(joint, abs=TOLERANCE)


@pytest.mark.parametrize("problem", ["one-way, half-Cauchy tau", "one-way, half-t tau, half-normal sigma"])
@pytest.mark.parametrize("name", ["tau2", "tau2_mixing"])
def test_half_t_as_a_mixture_of_inverse_gammas(name, problem):
    """Given the mixing variable tau2 has an inverse gamma prior, so its conditional is that of such a model; the mixing
    variable's own is prior times the density of tau2 given it.
    """
    rng = np.random.default_rng(12)
    model = PROBLEMS[problem]
    nu = model.tau.nu
    here = state(model, rng) | {"tau2_mixing": np.array([0.83])}
    law = model.conditionals()[name](here)
    if name == "tau2":
        given = TwoLevel(groups=model.groups, tau=priors.InverseGamma(nu / 2, nu / 0.83)).conditionals()["tau2"](here)
        assert law.shape == pytest.approx(given.shape, rel=1e-15)
        assert law.scale == pytest.approx(given.scale, rel=1e-14)
        return
    prior = InverseGamma(0.5, model.tau.scale**-2)
    one, two = 0.4, 2.9
    expected = [prior.log_density(a) + InverseGamma(nu / 2, nu / a).log_density(here["tau2"][0]) for a in (one, two)]
    assert law.log_density(one) - law.log_density(two) == pytest.approx([expected[0] - expected[1]], abs=1e-12)


def test_exponential_as_a_mixture_of_half_normals():
    """Given the mixing variable a, tau is HalfNormal(sqrt(a)); a's law is its prior times that of tau2 given a."""
    rng, scale = np.random.default_rng(14), 1.7
    model = TwoLevel(groups=PROBLEMS["one-way"].groups, tau=priors.Exponential(scale))
    here = state(model, rng) | {"tau2_mixing": np.array([0.83])}
    given = TwoLevel(groups=model.groups, tau=priors.HalfNormal(np.sqrt(0.83))).conditionals()["tau2"](here)
    law = model.conditionals()["tau2"](here)
    for one, other in ((law.power, given.power), (law.rate, given.rate), (law.scale, given.scale)):
        assert one == pytest.approx(other, rel=1e-14)
    mixing, tau2, (one, two) = model.conditionals()["tau2_mixing"](here), here["tau2"], (0.4, 2.9)
    expected = [-np.log(a) / 2 - tau2 / (2 * a) - a / (2 * scale**2) for a in (one, two)]
    assert mixing.log_density(one) - mixing.log_density(two) == pytest.approx(expected[0] - expected[1], abs=1e-12)


def test_the_mixture_is_an_exponential():
    """The integral over a of HalfNormal(sqrt(a)) and of an exponential with mean 2 scale^2, by the trapezoid rule."""
    scale, u, tau = 1.7, np.arange(-40, 20, 0.02), np.array([0.05, 1.0, 6.0])
    state_of = {"tau2": tau[:, None] ** 2, "tau2_mixing": np.exp(u)}
    joint = np.exp(priors.Exponential(scale).log_joint("tau2", state_of) + u).sum(axis=1) * 2 * tau
    expected = np.exp(priors.Exponential(scale).log_density(tau))
    assert joint / joint[0] == pytest.approx(expected / expected[0], rel=1e-10)


@pytest.mark.parametrize("nu", [1.0, 4.0])
def test_the_mixture_is_a_half_t(nu):
    """The integral of p(tau2 | a) p(a) over a, by the trapezoid rule in log a, is p(tau2) for tau ~ HalfStudentT."""
    scale, u = 3.0, np.arange(-60, 60, 0.05)
    a, tau = np.exp(u), np.array([0.2, 3.0, 40.0])
    of_tau2 = InverseGamma(nu / 2, nu / a).log_density(tau[:, None] ** 2)
    log_of_tau2 = np.log(np.exp(of_tau2 + InverseGamma(0.5, scale**-2).log_density(a) + u).sum(axis=1) * 0.05)
    assert log_of_tau2 + np.log(2 * tau) == pytest.approx(priors.HalfStudentT(nu, scale).log_density(tau), abs=1e-12)


def printed_law_of_sigma2(model, *, mended):
    """sigma^2's conditional with seed 000's V_s for blood pressure, beta x_i subtracted once too often, or mended."""
    g = model.groups

    def law(state):
        shift = 0.0 if mended else state["b"][:, 1:] @ g.design[:, 1:].T
        within = g.ss.sum() + np.sum(g.n * (g.mean - state["theta"] - shift) ** 2, axis=-1)
        between = np.sum((state["theta"] - state["b"] @ g.design.T) ** 2, axis=-1) / state["tau2"]
        count = g.n.sum() + len(g)
        return InverseGamma(count / 2, (within + between) / 2)

    return law


def test_sigma_as_printed_for_blood_pressure_is_wrong_and_mended_is_right():
    model = blood_pressure.model()
    for conditional, joint in differences(model, "sigma2", printed_law_of_sigma2(model, mended=True)):
        assert conditional == pytest.approx(joint, abs=TOLERANCE)
    off = [abs(c - j) for c, j in differences(model, "sigma2", printed_law_of_sigma2(model, mended=False))]
    assert min(off) > 1e3 * TOLERANCE


def test_variance_of_beta_as_printed_is_too_small_by_the_number_of_subjects():
    """Seed 000 sums ||x||^2 over the subjects once too often. Given mu, beta ~ N(., tau^2 sigma^2 / ||x||^2)."""
    model, rng = blood_pressure.model(), np.random.default_rng(13)
    here = state(model, rng)
    law = model.conditionals()["b"](here)
    given_mu = 1 / np.linalg.inv(law.covariance[0])[1, 1]
    x = model.groups.design[:, 1]
    printed = here["tau2"][0] * here["sigma2"][0] / sum(np.sum(x**2) for _ in x)
    assert given_mu == pytest.approx(len(x) * printed, rel=1e-12)
