"""What the page says of ranks, of coverage, and of an engine that is wrong."""

import numpy as np
import pandas as pd
import pytest

from analyses.calibrate import coverage, jobs, page, ranks, stationary
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.jobs import Unit
from analyses.report import pages
from models import blood_pressure


def judged(family, *, wrong=False):
    """Gibbs with few sets of data; wrong: its sigma is a fifth too large."""

    def engine(model, truth, *, draws, rng):
        found = stationary.by_gibbs(FAMILIES[family], model, truth, draws=draws, rng=rng)
        return found | {"sigma2": 1.44 * found["sigma2"]} if wrong else found

    ranked = jobs.ranking(FAMILIES[family], engine, np.random.default_rng(1))
    return ranks.judge(ranked, size=1000, draws=jobs.DRAWS, alarm=jobs.ALARM)


@pytest.fixture(scope="module")
def covered():
    rng = np.random.default_rng(2)
    return pd.concat([coverage.table(name, sets=4, rng=rng) for name in coverage.CONDITIONS])


@pytest.mark.parametrize("wrong", [pytest.param(False, marks=pytest.mark.slow), True])
def test_the_page(wrong, covered):
    found = {Unit(name, "gibbs"): judged(name, wrong=wrong and name == "normal") for name in FAMILIES}
    made = page.calibration(found, covered, quick=True)
    assert made.passed is not wrong
    failed = [(of, verdict.sentence) for of, verdict in made.verdicts if not verdict.passed]
    assert [of for of, _ in failed] == (["normal"] if wrong else [])
    assert all("do not rank evenly: sigma" in sentence for _, sentence in failed)
    html = pages.render(made, {name: b"" for section in made.sections for name in section.figures})
    assert ("1 of 10 runs of an engine on a family of models failed" in html) is wrong
    assert "at most, by construction" in html
    assert len(made.sections) == len(FAMILIES) + 3


def test_units_are_all_engines_of_all_families():
    assert {unit.family for unit in jobs.UNITS} == FAMILIES.keys()
    assert all({"gibbs", "nuts"} <= FAMILIES[name].engines.keys() for name in FAMILIES)
    assert all(unit.sets(quick=True) * jobs.QUICK == unit.sets(quick=False) for unit in jobs.UNITS)


@pytest.mark.parametrize("name", coverage.CONDITIONS)
def test_what_is_violated(name):
    """Moments of simulated data: the same variances on average in all, which is what makes them comparable."""
    rng = np.random.default_rng(3)
    groups = blood_pressure.data()
    truth = pd.Series({"mu": 120.0, "beta": -8.0, "sd_between": 9.0, "sigma": 7.0})
    made = [coverage.simulate(groups, truth, rng=rng, **coverage.CONDITIONS[name]) for _ in range(1500)]
    between = np.array([theta - groups.design @ [120.0, -8.0] for _, theta in made])
    about = np.array([(g.mean - theta) ** 2 * groups.n for g, theta in made])
    heavy, serial = "heavy" in name, "correlated" in name
    # Sds of these averages over 30,000 groups: .07 for normals; the t's fourth moment does not exist.
    assert np.mean(between**2) == pytest.approx(81.0, rel=0.25 if heavy else 5 * np.sqrt(2 / between.size))
    # Beyond three sds lie .0027 of a normal and .0138 of that t: .005 is seven binomial sds from either.
    assert bool(np.mean(np.abs(between) > 27.0) > 0.005) is heavy
    inflated = np.mean(about) / 49.0
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
            found = table.loc[of, "the model: NUTS = exact", interval]
            assert found["coverage"] == pytest.approx(level, abs=4 * found["error"])
    assert table.loc["effect of treatment", "t-test on all records", "90%"]["coverage"] < 0.6
