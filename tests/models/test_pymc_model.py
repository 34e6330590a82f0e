"""The PyMC models are the statement: their log densities agree with it, and with each other once theta is gone."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
from helpers.joint import log_density, state
from helpers.problems import PROBLEMS, replicates

from models import blood_pressure, eight_schools, math_test, priors, pymc_model
from models.distributions import MultivariateNormal, Normal
from models.groups import Replicates
from models.shrinkage import theta_given
from models.two_level import TwoLevel

MODELS = {
    "math_test": math_test.model(),
    "blood_pressure": blood_pressure.model(),
    "eight_schools": eight_schools.model(),
    "weakly_informative": eight_schools.weakly_informative(),
    "two covariates, one with a proper prior": TwoLevel(
        groups=Replicates.from_summary(
            ["a", "b", "c", "d", "e"],
            [3, 4, 2, 5, 3],
            [501.0, 494.5, 508.0, 489.0, 497.5],
            [210.0, 333.0, 95.0, 402.0, 180.0],
            covariates={"x": [0.5, -1.0, 2.0, 0.0, 1.5], "w": [1, 0, 0, 1, 1]},
        ),
        tau=priors.FLAT,
        coefficients=(priors.Normal(), priors.Normal(2.0, 5.0), priors.Normal()),
    ),
    **PROBLEMS,
}
TOLERANCE = 1e-9  # of terms that add up to some thousands


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


def unpacked(model, here):
    known = isinstance(model.sigma, priors.KnownScale)
    return here["b"][0], np.sqrt(here["tau2"][0]), np.float64(1.0) if known else np.sqrt(here["sigma2"][0])


def states(model):
    rng = np.random.default_rng(21)
    for _ in range(4):
        here = state(model, rng)
        yield here | ({"sigma2": np.ones(1)} if isinstance(model.sigma, priors.KnownScale) else {})


def walked(model, here):
    """What NUTS walks in beside theta: the coefficients, and the logs of the scales."""
    b, *sds = unpacked(model, here)
    coefficients = {"mu": b[0]} | ({"beta": b[1:]} if model.groups.covariates else {})
    return coefficients | {f"{name}_log__": np.log(sd) for name, sd in zip(model.unknown, sds, strict=False)}


def theta_law(model, here):
    b, tau, sigma = unpacked(model, here)
    noise, between = model.variances(model.groups.noise, tau, sigma)
    mean, variance = theta_given(model.groups.mean, noise, model.groups.design @ b, between)
    return Normal(mean, np.sqrt(variance)), np.sqrt(between)


def test_marginal_is_prior_times_marginal_likelihood(model):
    """With all constants: an improper density is the bare power of the sd on both sides."""
    density = log_density(model, pymc_model.build(model, parameterization="marginal"))
    offsets = []
    for here in states(model):
        b, tau, sigma = unpacked(model, here)
        of_sds = density(here) + np.log(2 * tau) + (np.log(2 * sigma) if "sigma" in model.unknown else 0.0)
        offsets.append(of_sds - model.log_prior(b, tau, sigma) - model.log_marginal(b, tau, sigma))
    assert offsets == pytest.approx([offsets[0]] * len(offsets), abs=TOLERANCE)
    # PyMC has the half-Cauchy's log(2 / pi) in single precision.
    half_cauchy = any(isinstance(prior, priors.HalfStudentT) for prior in (model.tau, model.sigma))
    assert offsets[0] == pytest.approx(0.0, abs=1e-7 if half_cauchy else TOLERANCE)


def test_centered_is_marginal_times_conditional_of_theta(model):
    """p(theta, rest) = p(rest) p(theta | rest): integrating theta out of the centered model leaves the marginal one."""
    centered = log_density(model, pymc_model.build(model, parameterization="centered"))
    marginal = log_density(model, pymc_model.build(model, parameterization="marginal"))
    for here in states(model):
        law, _ = theta_law(model, here)
        of_theta = law.log_density(here["theta"][0]).sum()
        assert centered(here) - of_theta == pytest.approx(marginal(here), abs=TOLERANCE)


def test_noncentered_is_centered_in_other_coordinates(model):
    """NUTS walks in z, theta = x'b + sd_between z, so the densities that it sees differ by J log sd_between."""
    centered, noncentered = (
        pymc_model.build(model, parameterization=name).compile_logp() for name in ("centered", "noncentered")
    )
    for here in states(model):
        _, sd_between = theta_law(model, here)
        z = np.random.default_rng(22).normal(size=len(model.groups))
        theta = model.groups.design @ here["b"][0] + sd_between * z
        rest = walked(model, here)
        expected = centered(rest | {"theta": theta}) + len(z) * np.log(sd_between)
        assert float(noncentered(rest | {"theta_noncentered__": z})) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("parameterization", ["centered", "noncentered"])
@pytest.mark.parametrize("name", ["math_test", "blood_pressure", "one-way, absolute tau"])
def test_rows_are_summaries_up_to_a_constant(name, parameterization):
    """n, mean and sum of squares are sufficient: given them the rows' density does not depend on the parameters."""
    model = MODELS[name]
    rows = log_density(
        model,
        pymc_model.build_rows(model, *model.groups.rows(np.random.default_rng(23)), parameterization=parameterization),
    )
    summaries = log_density(model, pymc_model.build(model, parameterization=parameterization))
    gaps = [rows(here) - summaries(here) for here in states(model)]
    scale = max(abs(rows(here)) for here in states(model))
    assert gaps == pytest.approx([gaps[0]] * len(gaps), abs=1e-12 * scale + TOLERANCE)


def test_collapsed_is_the_rest_divided_by_its_conditional(model):
    """p(scales, y) = p(y, b, tau, sigma) / p(b, sigma | scales, y), whatever b and sigma."""
    for here in states(model):
        b, tau, sigma = unpacked(model, here)
        c = model.collapsed(*(np.array([{"tau": tau, "sigma": sigma}[s]]) for s in model.scales))
        joint = model.log_marginal(b, tau, sigma) + model.log_prior(b, tau, sigma)
        conditional = 0.0
        if c.sigma2 is not None:
            conditional += c.sigma2.log_density(sigma**2)[0] + np.log(2 * sigma)
        unit = sigma**2 / c.unit[0] if c.sigma2 is not None else 1.0
        covariance = c.basis @ c.covariance[0] @ c.basis.T * unit
        conditional += MultivariateNormal(c.basis @ c.location[0], covariance).log_density(b)
        assert joint - conditional == pytest.approx(c.log_density[0], abs=TOLERANCE)


@pytest.mark.parametrize("parameterization", pymc_model.PARAMETERIZATIONS)
@pytest.mark.parametrize("study", [math_test, blood_pressure, eight_schools])
def test_builders_have_coordinates_and_data(study, parameterization):
    built = study.build(parameterization=parameterization)
    groups = study.data()
    assert isinstance(built, pm.Model)
    assert built.coords[groups.dim] == groups.labels
    assert {"observed_y", "noise"} <= {data.name for data in built.data_vars}
    assert built.named_vars_to_dims["y"] == (groups.dim,)
    assert ("theta" in built.named_vars) == (parameterization != "marginal")


@pytest.mark.parametrize("parameterization", pymc_model.PARAMETERIZATIONS)
@pytest.mark.parametrize(
    ("container", "field"),
    [("observed_y", "mean"), ("noise", "noise"), ("df_within", "df"), ("observed_ss_within", "ss")],
)
def test_data_can_be_swapped(container, field, parameterization):
    """A model compiled once serves other data of the same shape: each of its data containers, changed alone."""
    groups, other = replicates(1, [3, 4, 5]), replicates(2, [6, 3, 8])
    swapped = replace(groups, **{field: getattr(other, field)})
    model, expected = (TwoLevel(groups=g, tau=priors.FLAT) for g in (groups, swapped))
    built = pymc_model.build(model, parameterization=parameterization)
    here = next(states(model))
    before = log_density(model, built)(here)
    with built:
        pm.set_data({container: getattr(other, field) if field in ("mean", "noise") else getattr(other, field).sum()})
    after = log_density(model, built)(here)
    anew = log_density(expected, pymc_model.build(expected, parameterization=parameterization))
    assert after == pytest.approx(anew(here), abs=1e-10)
    assert abs(after - before) > 0.1


@pytest.mark.parametrize("study", [math_test, blood_pressure, eight_schools])
def test_unknown_parameterization_is_refused(study):
    with pytest.raises(ValueError, match="'centred' is none of centered, noncentered, marginal"):
        study.build(parameterization="centred")


@pytest.mark.parametrize("study", [math_test, blood_pressure])
def test_rows_of_the_studies(study):
    labels, values = study.data().rows(np.random.default_rng(24))
    assert study.build_rows(labels, values)["observed_y"].get_value().shape == (len(values),)
    with pytest.raises(ValueError, match="'marginal' is none of centered, noncentered"):
        study.build_rows(labels, values, parameterization="marginal")
    with pytest.raises(ValueError, match="'nobody' is no s"):
        study.build_rows(["nobody", *labels[1:]], values)
