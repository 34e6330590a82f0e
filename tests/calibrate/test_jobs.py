"""Every engine of every family, and an engine that does not move."""

import numpy as np

from analyses.calibrate import jobs
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.jobs import Job


def test_jobs_are_all_engines_of_all_families():
    assert {job.family for job in jobs.JOBS} == FAMILIES.keys()
    assert all({"gibbs", "nuts"} <= set(family.engines) for family in FAMILIES.values())
    assert all(job.test(quick=True).size * jobs.QUICK == job.test(quick=False).size for job in jobs.JOBS)


def test_a_chain_that_does_not_move_fails(monkeypatch):
    """Though it ranks the truth evenly, which it returns."""

    def stay(family, simulation, *, draws, rng):
        return {name: np.stack(draws * [values]) for name, values in simulation.truth.items()}

    monkeypatch.setitem(jobs.CHAINS, "gibbs", stay)
    judgement = jobs.judge(Job("normal", "gibbs"), seed=1, quick=True)
    assert not judgement.passed
    assert judgement.fault == "theta never leaves the truth in 100% of the sets of data"
