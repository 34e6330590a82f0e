"""Coverage where the model holds, and data that violate it."""

import numpy as np
import pandas as pd
import pytest

from analyses.calibrate import coverage
from models import blood_pressure


@pytest.mark.parametrize("name", coverage.CONDITIONS)
def test_what_is_violated(name):
    """Moments of simulated data: the same variances on average in all, which is what makes them comparable."""
    rng = np.random.default_rng(3)
    groups = blood_pressure.data()
    truth = pd.Series({"mu": 120.0, "beta": -8.0, "sd_between": 9.0, "sigma": 7.0})
    trials = [coverage.simulate(groups, truth, rng=rng, **coverage.CONDITIONS[name]) for _ in range(1500)]
    between = np.array([trial.truth["theta"] - groups.design @ [120.0, -8.0] for trial in trials])
    squares = np.array([(trial.model.mean - trial.truth["theta"]) ** 2 * groups.n for trial in trials])
    heavy, serial = "heavy" in name, "correlated" in name
    # Sds of these averages over 30,000 groups: .07 for normals; the t's fourth moment does not exist.
    assert np.mean(between**2) == pytest.approx(81.0, rel=0.25 if heavy else 5 * np.sqrt(2 / between.size))
    # Beyond three sds lie .0027 of a normal and .0138 of that t: .005 is seven binomial sds from either.
    assert bool(np.mean(np.abs(between) > 27.0) > 0.005) is heavy
    inflated = np.mean(squares) / 49.0
    # The mean of n rows of an AR(1) varies by (1 + rho) / (1 - rho) = 4 times as much, for large n.
    assert inflated > 2.5 if serial else inflated == pytest.approx(1.0, abs=0.1)


def test_intervals_hold_the_truth_where_the_model_does():
    """Over 100 sets of data, within four Monte Carlo errors: 50 and 90% of the model's, and far fewer of the records'.

    No theorem has it for scales that are the same in all sets, but 20 subjects' priors weigh little.
    """
    table = coverage.table("the model", sets=100, rng=np.random.default_rng(4)).set_index(
        ["of", "analysis", "interval"]
    )
    for of in ("effect of treatment", "theta"):
        for interval, level in (("50%", 0.5), ("90%", 0.9)):
            row = table.loc[of, "the model: NUTS = exact", interval]
            assert row["coverage"] == pytest.approx(level, abs=4 * row["error"])
    assert table.loc["effect of treatment", "t-test on all records", "90%"]["coverage"] < 0.6
