"""What is calibrated: every engine of every family, each with its share of the false alarms."""

from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd

from analyses.calibrate import nuts_chains, ranks, stationary
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.family import Engine, Family
from analyses.calibrate.ranks import Judgement, UniformityTest

CHAINS = {"gibbs": stationary.draw_gibbs, "nuts": nuts_chains.draw}  # engines of all families
DRAWS = 31  # that a truth is ranked among
ALARM = 1e-5  # of all jobs together
BLOCK = 1000  # sets of data at a time
BLOCKS = {"exact": 250}  # what a lattice has to hold for each fits the processor's memory better so
SETS = {"exact": 16_000, "gibbs": 16_000, "metropolis": 16_000, "nuts": 1000, "one at a time": 1000, "direct": 1000}
FEWER = {("classrooms", "exact"): 4000, ("absolute", "one at a time"): 200}  # where two scales make a set cost more
QUICK = 8  # times fewer
MOST_STUCK = 0.5  # of the sets of data: within limits that cut off most of a posterior NUTS may stay for long


class Job(NamedTuple):
    """One engine on one family."""

    family: str
    engine: str

    def test(self, *, quick: bool) -> UniformityTest:
        """The test, with its number of sets of data at the first stage."""
        return uniformity_test(FEWER.get(self, SETS[self.engine]) // (QUICK if quick else 1))


JOBS = tuple(Job(name, engine) for name, family in FAMILIES.items() for engine in family.engines)


class StuckChainError(RuntimeError):
    """A chain that stays where it was put: at the truth it would rank the truth evenly."""


FAILURES = (RuntimeError, FloatingPointError, np.linalg.LinAlgError)  # an engine's own, with their reasons


def uniformity_test(size: int) -> UniformityTest:
    """The test of one job with so many sets of data at the first stage."""
    return UniformityTest(size=size, draws=DRAWS, alarm=ALARM / len(JOBS))


def judge(job: Job, *, seed: int, quick: bool) -> Judgement:
    """Calibrate an engine on a family; one that breaks down, or stays where it is put, fails with the reason."""
    family = FAMILIES[job.family]
    engine = (CHAINS | family.kind.ENGINES)[job.engine]
    rng = np.random.default_rng([seed, *(crc32(name.encode()) for name in job)])
    try:
        return job.test(quick=quick).judge(rank_simulator(family, engine, rng, block=BLOCKS.get(job.engine, BLOCK)))
    except FAILURES as error:
        return Judgement(pd.Series({"": 0.0}), {}, 0, 0.0, str(error))


def rank_simulator(family: Family, engine: Engine, rng, *, block: int = BLOCK) -> Callable[[int], dict]:
    """Function of a number of sets of data that simulates them and ranks every quantity's truth among the draws."""

    def rank_block(size):
        simulation = family.kind.simulate(family, size, rng)
        model = simulation.model
        draws = family.kind.quantities(model, engine(family, simulation, draws=DRAWS, rng=rng), rng)
        truth = family.kind.quantities(model, simulation.truth, rng)
        for name, values in truth.items():
            if (share := ranks.share_stuck(values, draws[name])) > MOST_STUCK:
                raise StuckChainError(f"{name} never leaves the truth in {share:.0%} of the sets of data")
        return {name: ranks.rank(values, draws[name], rng) for name, values in truth.items()}

    def simulate_ranks(sets):
        blocks = [rank_block(min(block, sets - done)) for done in range(0, sets, block)]
        return {name: np.concatenate([part[name] for part in blocks]) for name in blocks[0]}

    return simulate_ranks
