"""Samplers of counts: each conditional is exact, and NUTS and Gibbs agree with the exact posterior."""

from functools import cache

import arviz as az
import numpy as np
import pytest
from helpers import brute_counts
from partial_pooling_data import table
from scipy import stats

from analyses.checks import agreement
from analyses.engines import counts_samplers, generalized
from models import priors
from models.conditional_mode import GivenPopulation
from models.generalized_two_level import GeneralizedTwoLevel
from models.groups import Counts, Proportions
from models.pymc_counts import build_counts

DRAWS = 20_000
FALSE_ALARM = 1e-6


@pytest.fixture
def rng():
    return np.random.default_rng(21)


def players():
    t = table("baseball")
    groups = Proportions.from_summary(t["player"], t["hits"], t["at_bats"], dim="player")
    return GeneralizedTwoLevel(groups=groups, tau=priors.HalfNormal(1.0))


def accidents():
    x = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    groups = Counts.from_summary(
        "abcdefgh", [0, 3, 1, 14, 2, 5, 0, 9], [0.5, 2, 1, 9, 3, 4, 2, 4], covariates={"wet": x}
    )
    coefficients = (priors.Normal(), priors.Normal(0.0, 2.0))
    return GeneralizedTwoLevel(groups=groups, tau=priors.HalfCauchy(1.0), coefficients=coefficients)


MODELS = {"players": players, "accidents": accidents}


@cache
def exact(name):
    return generalized.posterior(MODELS[name]()).table()


@pytest.mark.parametrize("tau", [0.01, 0.5, 5.0])
@pytest.mark.parametrize("kind", [Proportions, Counts])
def test_theta_is_drawn_from_its_conditional(kind, tau, rng):
    y, size, m = [0, 5, 3, 300_000, 0], [5, 5, 40, 1_000_000, 1], -0.7
    groups = kind.from_summary(range(5), y, size)
    drawn = GivenPopulation(groups, np.full((DRAWS, 5), m), np.full((DRAWS, 1), tau)).draw(rng)
    one = brute_counts.binomial if kind is Proportions else brute_counts.poisson
    for i in range(5):
        log = one(float(y[i]), float(size[i])).log
        grid = np.linspace(drawn[:, i].min() - drawn[:, i].std(), drawn[:, i].max() + drawn[:, i].std(), 20_001)
        logs = log(grid) - ((grid - m) / tau) ** 2 / 2
        density = np.exp(logs - logs.max())
        below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
        uniform = np.interp(drawn[:, i], grid, below / below[-1])
        assert stats.kstest(uniform, "uniform").pvalue > FALSE_ALARM


@pytest.mark.parametrize("name", MODELS)
def test_the_state_of_gibbs_has_the_log_density_of_the_joint(name, rng):
    # Along each variable, the log of its conditional and that of the joint density differ by a constant.
    model = MODELS[name]()
    state = model.start(2, rng)
    for variable, law in model.conditionals().items():
        if variable == "tau2_mixing":
            continue
        if "tau2_mixing" in model.conditionals() and variable == "tau2":
            continue  # its law is given the auxiliary variable, which the joint density has integrated out
        other = state | {variable: law(state).draw(rng)}
        conditional = law(state).log_density(other[variable]) - law(state).log_density(state[variable])
        conditional = conditional.sum(axis=-1) if variable == "theta" else conditional
        of_variance = {"tau2": (np.log(state["tau2"]) - np.log(other["tau2"])) / 2}.get(variable, 0.0)
        joint = [model.log_joint(s["b"], np.sqrt(s["tau2"]), s["theta"]) for s in (other, state)]
        np.testing.assert_allclose(conditional, joint[0] - joint[1] + of_variance, rtol=1e-9, atol=1e-9)
        state = other


@pytest.mark.parametrize("name", MODELS)
def test_pymc_has_the_log_density_of_the_statement(name, rng):
    # But for the constants of improper priors, of which PyMC's flat ones have none either.
    model = MODELS[name]()
    built = build_counts(model, parameterization="centered")
    log_density = built.compile_logp(vars=built.free_RVs + built.observed_RVs, jacobian=False)
    state = model.start(3, rng)
    for b, tau, theta in zip(state["b"], np.sqrt(state["tau2"]), state["theta"], strict=True):
        values = {"mu": b[0], "beta": b[1:], "tau": tau, "theta": theta}
        at = {name: _backward(name, values[name.removesuffix("_log__")]) for name in built.initial_point()}
        assert float(log_density(at)) == pytest.approx(float(model.log_joint(b, tau, theta)), abs=1e-7)


def _backward(name, value):
    return np.log(value) if name.endswith("_log__") else np.asarray(value)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", range(10))
def test_gibbs_agrees_with_the_exact_posterior(name, seed):
    model = MODELS[name]()
    tree = counts_samplers.by_gibbs(model, thin=30, rng=np.random.default_rng(seed))
    verdict = agreement.verdict(agreement.table(tree, exact(name)))
    assert verdict.passed, verdict.sentence


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", range(10))
def test_nuts_agrees_with_the_exact_posterior(name, seed):
    model, rng = MODELS[name](), np.random.default_rng(seed)
    tree = counts_samplers.by_nuts(model, seed=seed, target_accept=0.95, rng=rng)
    verdict = agreement.verdict(agreement.table(tree, exact(name)))
    assert verdict.passed, verdict.sentence


def test_draws_are_a_tree_for_arviz(rng):
    tree = counts_samplers.by_gibbs(accidents(), draws=100, tune=100, thin=2, rng=rng)
    assert set(tree["posterior"].data_vars) == {"mu", "beta", "tau", "theta", "rate"}
    assert set(tree["log_prior"].data_vars) == {"mu", "beta", "tau"}
    np.testing.assert_allclose(tree["posterior"]["rate"], np.exp(tree["posterior"]["theta"]))
    alike = counts_samplers.by_gibbs(players(), draws=100, tune=100, thin=10, rng=rng)
    assert az.loo(alike).n_data_points == 18
    assert alike["posterior_predictive"]["y"].max() <= 45


def test_the_stored_log_likelihood_has_theta_integrated_out(rng):
    model = players()
    b, tau = np.array([[-1.0], [-1.2]]), np.array([0.1, 1.3])
    logs = counts_samplers.log_likelihood(model, b, tau)
    theta = b + tau[:, None] * rng.standard_normal((2, 200_000))
    for i in (0, 17):
        likelihood = np.exp(brute_counts.binomial(model.groups.y[i], 45.0).log(theta))
        mean, error = likelihood.mean(axis=1), likelihood.std(axis=1) / np.sqrt(theta.shape[1])
        assert np.all(np.abs(np.exp(logs[:, i]) - mean) < 6 * error)
