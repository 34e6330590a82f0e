"""What the page says of ranks, of coverage, and of an engine that is wrong."""

import numpy as np
import pandas as pd
import pytest

from analyses.calibrate import coverage, jobs, page, stationary
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.jobs import Job
from analyses.calibrate.ranks import UniformityTest
from analyses.report import pages


def judge(family, *, wrong=False):
    """Gibbs with few sets of data; wrong: its sigma is a fifth too large."""

    def engine(family, simulation, *, draws, rng):
        states = stationary.draw_gibbs(family, simulation, draws=draws, rng=rng)
        return states | {"sigma2": 1.44 * states["sigma2"]} if wrong else states

    simulate_ranks = jobs.rank_simulator(FAMILIES[family], engine, np.random.default_rng(1))
    return UniformityTest(size=1000, draws=jobs.DRAWS, alarm=jobs.ALARM).judge(simulate_ranks)


@pytest.fixture(scope="module")
def covered():
    rng = np.random.default_rng(2)
    return pd.concat([coverage.table(name, sets=4, rng=rng) for name in coverage.CONDITIONS])


@pytest.mark.parametrize("wrong", [pytest.param(False, marks=pytest.mark.slow), True])
def test_the_page(wrong, covered):
    judgements = {Job(name, "gibbs"): judge(name, wrong=wrong and name == "normal") for name in FAMILIES}
    built = page.calibration_page(judgements, covered, quick=True)
    assert built.passed is not wrong
    failed = [(family, verdict.sentence) for family, verdict in built.verdicts if not verdict.passed]
    assert [family for family, _ in failed] == (["normal"] if wrong else [])
    assert all("do not rank evenly: sigma" in sentence for _, sentence in failed)
    html = pages.render(built, {name: b"" for section in built.sections for name in section.figures})
    assert ("1 of 10 runs of an engine on a family of models failed" in html) is wrong
    assert "at most, by construction" in html
    assert len(built.sections) == len(FAMILIES) + 3
