"""What is calibrated: every engine of every family, each with its share of the false alarms."""

from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd

from analyses.calibrate import ranks
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.ranks import Judgement

DRAWS = 31  # that a truth is ranked among
ALARM = 1e-5  # of all units together
BLOCK = 1000  # sets of data at a time
SMALLER = {"exact": 250}  # what a lattice has to hold for each fits the processor's memory better so
SETS = {"exact": 16_000, "gibbs": 16_000, "metropolis": 16_000, "nuts": 1000, "one at a time": 1000, "direct": 1000}
FEWER = {("classrooms", "exact"): 4000, ("absolute", "one at a time"): 200}  # where two scales make a set cost more
QUICK = 8  # times fewer
MOST_STUCK = 0.5  # of the sets of data: in a box that cuts off most of a posterior NUTS may stay for long


class Unit(NamedTuple):
    """One engine on one family."""

    family: str
    engine: str

    def sets(self, *, quick: bool) -> int:
        """Sets of data at the first stage."""
        return FEWER.get(self, SETS[self.engine]) // (QUICK if quick else 1)


UNITS = tuple(Unit(family, engine) for family in FAMILIES for engine in FAMILIES[family].engines)


class StuckChainError(RuntimeError):
    """A chain that stays where it was put: at the truth it would rank the truth evenly."""


BREAKS = (RuntimeError, FloatingPointError, np.linalg.LinAlgError)  # an engine's own, with their reasons


def judged(unit: Unit, *, seed: int, quick: bool) -> Judgement:
    """Calibrate an engine on a family; one that breaks down, or stays where it is put, fails with the reason."""
    family = FAMILIES[unit.family]
    rng = np.random.default_rng([seed, *(crc32(name.encode()) for name in unit)])
    ranked = ranking(family, family.engines[unit.engine], rng, block=SMALLER.get(unit.engine, BLOCK))
    try:
        return ranks.judge(ranked, size=unit.sets(quick=quick), draws=DRAWS, alarm=ALARM / len(UNITS))
    except BREAKS as error:
        return Judgement(False, pd.Series({"": 0.0}), {}, 0, str(error))


def ranking(family, engine: Callable, rng, *, block: int = BLOCK) -> Callable:
    """Function of a number of sets of data that simulates them and ranks every quantity's truth among the draws."""

    def some(size):
        model, truth = family.simulate(size, rng)
        drawn = family.quantities(model, engine(model, truth, draws=DRAWS, rng=rng), rng)
        true = family.quantities(model, truth, rng)
        for name, at in true.items():
            if (share := ranks.stuck(at, drawn[name])) > MOST_STUCK:
                raise StuckChainError(f"{name} never leaves the truth in {share:.0%} of the sets of data")
        return {name: ranks.rank(at, drawn[name], rng) for name, at in true.items()}

    def ranked(sets):
        parts = [some(min(block, sets - done)) for done in range(0, sets, block)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return ranked
