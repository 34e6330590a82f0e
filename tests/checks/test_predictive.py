"""Posterior predictive checks see a misfit where there is one; predictions have the moments that they must."""

import numpy as np
import pytest

from analyses.checks import predictive
from analyses.engines import exact
from models import blood_pressure, eight_schools, math_test, priors
from models.groups import Replicates
from models.two_level import TwoLevel


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
    model = study.statement()
    found = predictive.verdict(predictive.table(model.groups, two_engines(model)))
    assert found.passed, found.sentence


def test_an_engine_with_another_spread_predicts_otherwise():
    """A tenth more spread between groups is seen."""
    model = math_test.statement()
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
    model = blood_pressure.statement()
    posterior, tree = drawn(model, draws=5000)
    rows = predictive.predictions(model, {"exact": tree}, group="3", rng=np.random.default_rng(74)).set_index(
        "prediction"
    )
    law = posterior.new_theta(np.array([[1.0, 0.0], [1.0, 1.0]]))
    size = 20_000
    for i, name in enumerate(["theta of a new subject with treatment 0", "theta of a new subject with treatment 1"]):
        assert rows.loc[name, "mean"] == pytest.approx(law.mean[i], abs=4.5 * law.sd[i] / np.sqrt(size))
        share = law.cdf(np.array([rows.loc[name, "q97_5"]]), np.array([i]))[0]
        assert share == pytest.approx(0.975, abs=4.5 * np.sqrt(0.975 * 0.025 / size))


def test_prediction_for_a_group_adds_its_noise():
    """A new estimate has the variance of theta and that of the estimate."""
    model = eight_schools.statement()
    posterior, tree = drawn(model, draws=5000)
    rows = predictive.predictions(model, {"exact": tree}, group="A", rng=np.random.default_rng(75)).set_index(
        "prediction"
    )
    sd = np.hypot(posterior.theta().sd[0], 15.0)
    # Relative error of an sd: 1 / sqrt(2 n) for a normal, and no more than twice that here.
    assert rows.loc["new value in school A", "sd"] == pytest.approx(sd, rel=4.5 * 2 / np.sqrt(2 * 20_000))
