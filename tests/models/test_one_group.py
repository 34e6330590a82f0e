"""One group in closed form, against its prior times its likelihood and against every engine."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.joint import log_derivative, untransformed
from scipy import stats
from scipy.special import logsumexp

from analyses.checks import agreement
from analyses.engines import conjugate
from analyses.engines.mixture import PROBABILITIES
from models import one_group
from models.distributions import InverseGamma
from models.one_group import OneGroup

MODELS = {
    "the example": one_group.example(),
    "seven rows": OneGroup(n=7, mean=512.0, ss=640.0, mu=495.0, tau=0.7, alpha=2.3, beta=150.0),
    "a single row": OneGroup(n=1, mean=512.0, ss=0.0, mu=495.0, tau=0.7, alpha=2.3, beta=150.0),
}
ROUNDING = 1e-9  # of terms that add up to some hundreds


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]


def log_joint(model, theta, sigma2):
    """Prior times likelihood, row by row of the model's statement."""
    sigma = np.sqrt(sigma2)
    height = stats.invgamma(model.alpha, scale=model.beta).logpdf(sigma2)
    height = height + stats.norm(model.mu, model.tau * sigma).logpdf(theta)
    height = height + stats.norm(theta, sigma / np.sqrt(model.n)).logpdf(model.mean)
    return height + (stats.gamma((model.n - 1) / 2, scale=2 * sigma2).logpdf(model.ss) if model.n > 1 else 0.0)


def equal_differences(one, other):
    """Two log densities up to a constant each."""
    gaps = np.subtract(one, other)
    assert gaps == pytest.approx(np.full(len(gaps), gaps[0]), abs=ROUNDING)


def points(model):
    """Theta and sigma^2 over what the posterior leaves of them, and beyond."""
    rough = (model.beta + model.ss / 2) / (model.alpha + model.n / 2)
    return model.mean + np.sqrt(rough) * np.linspace(-3, 2, 6), rough * np.geomspace(0.2, 9, 6)


# the algebra


def test_theta_is_the_joint_added_up_over_sigma(model):
    """By the trapezoid rule in log sigma^2, where the joint is smooth and both ends are below e^-40 of its top."""
    theta, _ = points(model)
    u = np.arange(-5, 60, 0.02)
    heights = log_joint(model, theta[:, None], np.exp(u)) + u
    assert (heights[:, [0, -1]].max(axis=1) < heights.max(axis=1) - 40).all()
    equal_differences(model.theta().logpdf(theta), logsumexp(heights, axis=1))


def over_theta(model, sigma2):
    """The joint added up over theta, half of its posterior sd apart: its error is below e^-70."""
    t = np.linspace(-20, 20, 81) * np.sqrt(sigma2 / (model.n + model.tau**-2))[:, None]
    centre = (model.n * model.mean + model.mu / model.tau**2) / (model.n + model.tau**-2)
    return logsumexp(log_joint(model, centre + t, sigma2[:, None]), axis=1) + np.log(t[:, 1] - t[:, 0])


def test_sigma_is_the_joint_added_up_over_theta(model):
    _, sigma2 = points(model)
    equal_differences(model.sigma2().log_density(sigma2), over_theta(model, sigma2))


def printed_scale(model):
    """Of sigma^2, as the source prints it: without beta, and without the factor one half."""
    squares = model.ss + model.n * model.mean**2
    total = model.n * model.mean + model.mu / model.tau**2
    return squares + model.mu**2 / model.tau**2 - total**2 / (model.n + model.tau**-2)


def test_scale_of_sigma_as_printed_is_wrong_and_mended_is_right(model):
    """The printed difference of squares costs a factor of squares over scale, some ten thousand, in precision."""
    assert model.sigma2().scale == pytest.approx(model.beta + printed_scale(model) / 2, rel=1e-10)
    assert printed_scale(model) != pytest.approx(model.sigma2().scale, rel=0.1)


def test_exponent_of_sigma_as_printed_is_wrong_and_mended_is_right(model):
    """The source prints (sigma^2)^(-alpha + n/2 + 1) for (sigma^2)^-(alpha + n/2 + 1)."""
    _, sigma2 = points(model)
    rest = over_theta(model, sigma2) + (model.beta + printed_scale(model) / 2) / sigma2
    equal_differences(-(model.alpha + model.n / 2 + 1) * np.log(sigma2), rest)
    off = (-model.alpha + model.n / 2 + 1) * np.log(sigma2) - rest
    assert np.ptp(off) > 1.0


def of_pymc(model):
    """PyMC's log density of theta and sigma^2."""
    logp = untransformed(one_group.build(model))
    return lambda theta, sigma2: logp({"theta": theta, "sigma": np.sqrt(sigma2)}) + log_derivative(np.sqrt(sigma2))


def test_conditionals_are_the_joint_of_pymc_as_a_function_of_one_parameter(model):
    density = of_pymc(model)
    theta, sigma2 = points(model)

    equal_differences(model.theta_given(sigma2[2]).log_density(theta), [density(t, sigma2[2]) for t in theta])
    equal_differences(model.sigma2_given(theta[2]).log_density(sigma2), [density(theta[2], s) for s in sigma2])


def test_one_after_the_other_is_the_joint_of_pymc(model):
    """p(sigma^2 | y) p(theta | sigma^2, y), with all constants but that of the data."""
    density = of_pymc(model)
    both = list(zip(*points(model), strict=True))
    product = [model.sigma2().log_density(s) + model.theta_given(s).log_density(t) for t, s in both]
    equal_differences(product, [density(t, s) for t, s in both])


@pytest.mark.parametrize("name", ["n", "tau", "alpha", "beta"])
@pytest.mark.parametrize("value", [0.0, -2.5, np.nan])
def test_what_must_be_positive(name, value):
    with pytest.raises(ValueError, match=f"{name} is {value}: it must be positive"):
        replace(MODELS["seven rows"], **{name: value})


# the engines


def by_nuts(model, rng):
    options = {"draws": 1000, "tune": 1000, "chains": 4, "cores": 1, "seed": int(rng.integers(2**31))}
    return conjugate.by_nuts(model, rng=rng, **options)


ENGINES = {
    "exact": lambda model, rng: conjugate.draw(model, rng=rng),
    "gibbs": lambda model, rng: conjugate.by_gibbs(model, rng=rng),
    "nuts": by_nuts,
}


def assert_agrees(tree, table):
    found = agreement.verdict(agreement.table(tree, table))
    assert found.passed, found.sentence


@pytest.mark.parametrize("engine", ENGINES)
def test_engines_agree(model, engine):
    rng = np.random.default_rng(41)
    tree = ENGINES[engine](model, rng)
    assert_agrees(tree, conjugate.table(model))
    assert_agrees(conjugate.predicted(model, tree, rng=rng), conjugate.predictions(model))


def test_the_table_is_that_of_the_closed_form(model):
    """SciPy's t, and the roots of the quantiles of its inverse gamma; sigma's moments add up to the mean of sigma^2."""
    table, theta, law = conjugate.table(model), model.theta(), model.sigma2()
    sigma2 = stats.invgamma(law.shape, scale=law.scale)
    for name, p in PROBABILITIES.items():
        assert table.loc[("theta", ""), name] == pytest.approx(theta.ppf(p), rel=1e-12)
        assert table.loc[("sigma", ""), name] == pytest.approx(np.sqrt(sigma2.ppf(p)), rel=1e-12)
    assert table.loc[("theta", ""), ["mean", "sd"]].tolist() == pytest.approx([theta.mean(), theta.std()], rel=1e-12)
    assert (table.loc[("sigma", ""), ["mean", "sd"]] ** 2).sum() == pytest.approx(sigma2.mean(), rel=1e-12)
    assert table.loc[("sigma", ""), "mean"] == pytest.approx(sigma2.expect(np.sqrt), rel=1e-7), "quadrature's own"


def test_what_comes_next_has_the_total_variance(model):
    """That of a value given theta and sigma, on average, and that of its mean."""
    found, law, theta = conjugate.predictions(model), model.sigma2(), model.theta()
    sigma2 = law.scale / (law.shape - 1)
    expected = {
        "new_value": (theta.mean(), sigma2 + theta.var()),
        "new_theta": (model.mu, model.tau**2 * sigma2),
        "new_group_value": (model.mu, (1 + model.tau**2) * sigma2),
    }
    assert set(found.index) == {(name, "") for name in expected}
    for name, (mean, variance) in expected.items():
        assert found.loc[(name, ""), "mean"] == pytest.approx(mean, rel=1e-12)
        assert found.loc[(name, ""), "sd"] ** 2 == pytest.approx(variance, rel=1e-12)


def test_draws_with_the_printed_scale_are_noticed():
    """The rule has power: sigma^2 drawn with the scale as printed, theta given it as it should be."""
    model, rng = MODELS["seven rows"], np.random.default_rng(42)
    sigma2 = InverseGamma(model.sigma2().shape, np.full((4, 1000), printed_scale(model))).draw(rng)
    drawn = {"theta": model.theta_given(sigma2).draw(rng), "sigma": np.sqrt(sigma2)}
    wrong = conjugate.complete(model, drawn, engine="exact", rng=rng)
    assert not agreement.verdict(agreement.table(wrong, conjugate.table(model))).passed
