"""Posterior predictive checks see a misfit where there is one; predictions have the moments that they must."""

import numpy as np
import pytest
from helpers.problems import PROBLEMS

from analyses.checks import agreement, predictive
from analyses.engines import exact
from models import blood_pressure, eight_schools, math_test, priors
from models.groups import Replicates
from models.two_level import TwoLevel

EVERY = {study.__name__.rpartition(".")[2]: study.model() for study in (math_test, blood_pressure, eight_schools)}
EVERY |= PROBLEMS


def drawn(model, seed=71, draws=2500):
    posterior = exact.posterior(model)
    return posterior, posterior.draw(draws=draws, chains=4, rng=np.random.default_rng(seed))


def two_engines(model):
    """What two right engines replicate."""
    return {
        engine: predictive.replicated(model, drawn(model, seed)[1], rng=np.random.default_rng(seed))
        for engine, seed in (("nuts", 71), ("gibbs", 72))
    }


@pytest.mark.parametrize("study", [math_test, blood_pressure, eight_schools])
def test_right_engines_predict_alike(study):
    model = study.model()
    found = predictive.verdict(predictive.table(model.groups, two_engines(model)))
    assert found.passed, found.sentence


def test_an_engine_with_another_spread_predicts_otherwise():
    """A tenth more spread between groups is seen."""
    model = math_test.model()
    replicated = two_engines(model)
    tree = drawn(model, 72)[1]
    tree["posterior"]["sd_between"] = 1.1 * tree["posterior"]["sd_between"]
    replicated["gibbs"] = predictive.replicated(model, tree, rng=np.random.default_rng(72))
    assert not predictive.verdict(predictive.table(model.groups, replicated)).passed


def test_an_outlying_group_is_a_misfit():
    """Nineteen groups about 0 and one at 40 sds are not draws from one normal population."""
    rng = np.random.default_rng(73)
    mean = np.append(rng.normal(0, 1, 19), 40.0)
    groups = Replicates.from_summary([f"g{i}" for i in range(20)], [20] * 20, mean, rng.chisquare(19, 20) * 4)
    model = TwoLevel(groups=groups, tau=priors.InverseGamma(0.5, 0.5))
    table = predictive.table(groups, two_engines(model))
    assert predictive.sentence(table).startswith("The model does not produce data like these")
    assert "largest group mean" in predictive.sentence(table)


def test_predictions_of_a_new_group_have_the_exact_moments():
    """theta of a new group: its mixture over the scales in closed form, its draws the other way."""
    model = blood_pressure.model()
    posterior, tree = drawn(model, draws=5000)
    rows = posterior.predictions(at=2)
    assert rows.index.get_level_values(1).tolist()[1:3] == ["a new subject, treatment 0", "a new subject, treatment 1"]
    ahead = predictive.predicted(model, tree, at=2, rng=np.random.default_rng(74))
    found = agreement.verdict(agreement.table(ahead, rows))
    assert found.passed, found.sentence


@pytest.mark.parametrize("name", EVERY)
def test_what_comes_next_adds_up(name):
    """Means stay, variances add: of theta and the noise; of mu, the spread between groups, and the noise.

    Total variance: V(theta_new) = V(x'b) + E sd_between^2 and V(value) = V(theta) + noise E sigma^2.
    """
    model = EVERY[name]
    posterior = exact.posterior(model)
    rows, table = posterior.predictions(at=1), posterior.table()
    label, designs = model.groups.labels[1], model.groups.designs

    def second(scale):
        return table.loc[(scale, ""), "mean"] ** 2 + table.loc[(scale, ""), "sd"] ** 2

    noise = model.groups.noise_of_one[1] * (second("sigma") if "sigma" in model.unknown else 1.0)
    theta, value = table.loc[("theta", label)], rows.loc[("new_value", label)]
    assert value["mean"] == pytest.approx(theta["mean"], rel=1e-9)
    assert value["sd"] == pytest.approx(np.sqrt(theta["sd"] ** 2 + noise), rel=1e-7)
    between = posterior.new_theta(np.array(list(designs.values())), noise=1e-300)
    for i, (new, x) in enumerate(designs.items()):
        theta, value = rows.loc[("new_theta", new)], rows.loc[("new_group_value", new)]
        assert between.mean[i] == pytest.approx(theta["mean"], nan_ok=True)
        if len(x) == 1:
            mu = table.loc[("mu", "")]
            assert theta["mean"] == pytest.approx(mu["mean"], rel=1e-9, nan_ok=True)
            spread = np.sqrt(mu["sd"] ** 2 + second("sd_between"))
            assert theta["sd"] == pytest.approx(spread, rel=1e-6, nan_ok=True)
        assert value["sd"] == pytest.approx(np.sqrt(theta["sd"] ** 2 + noise), rel=1e-7, nan_ok=True)


@pytest.mark.parametrize("name", EVERY)
def test_both_routes_draw_what_comes_next(name):
    """Seed 003's steps, on independent draws, against the closed forms."""
    posterior, tree = drawn(EVERY[name], 75)
    ahead = predictive.predicted(EVERY[name], tree, at=1, rng=np.random.default_rng(76))
    found = agreement.verdict(agreement.table(ahead, posterior.predictions(at=1)))
    assert found.passed, found.sentence


def test_a_route_without_the_noise_is_noticed():
    """The step that is easily forgotten: theta of a new group is not yet a value of it."""
    posterior, tree = drawn(math_test.model())
    ahead = predictive.predicted(posterior.model, tree, at=1, rng=np.random.default_rng(77))
    ahead["posterior"]["new_group_value"] = ahead["posterior"]["new_theta"]
    assert not agreement.verdict(agreement.table(ahead, posterior.predictions(at=1))).passed
