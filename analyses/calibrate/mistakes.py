"""Would the calibration have noticed? Samplers with one mistake each, from a file, put to the same test.

The file is a Python module that has

    MUTANTS    family to mistakes: words to a function of the model and its right conditionals, which gives those to put
               in their place
    SAMPLERS   family to samplers that are wrong as a whole: words to a function of model, draws, chains and rng that
               gives a DataTree
"""

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analyses.calibrate import box, identity, ranks, units
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.units import ALARM, DRAWS, SETS, UNITS

FIRST, MORE = 500, 4  # sets of data to begin with, and how many times more until the mistake is caught
BREAKS = (ArithmeticError, RuntimeError, ValueError, np.linalg.LinAlgError)  # what wrong draws lead to


class Mistake(NamedTuple):
    """A family, and what is wrong, in words."""

    family: str
    what: str


def load(path: Path):
    """The module with the mistakes.

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    """
    if not path.is_file():
        raise FileNotFoundError(2, "no file with mistakes; those of this package lie in its checkout", str(path))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def every(path: Path) -> list[Mistake]:
    """All mistakes of the file."""
    module = load(path)
    kinds = (module.MUTANTS, getattr(module, "SAMPLERS", {}))
    return [Mistake(family, what) for kind in kinds for family in kind for what in kind[family]]


def tried(path: Path, mistake: Mistake, *, seed: int, quick: bool) -> dict:
    """Put one mistake to both tests: a row of the table of mistakes."""
    family, module = FAMILIES[mistake.family], load(path)
    rng = np.random.default_rng([seed, every(path).index(mistake)])
    row = {"family": mistake.family, "mistake": mistake.what, "identity": ""}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a wrong sampler may do what it likes
        try:
            if patch := module.MUTANTS.get(mistake.family, {}).get(mistake.what):
                given = patched(family, patch)
                row["identity"] = ", ".join(identity.broken(family, rng, given))
                engine, most = _gibbs(family, given), SETS["gibbs"]
            else:
                engine, most = _sampler(family, module.SAMPLERS[mistake.family][mistake.what]), SETS["direct"]
            most = max(FIRST, most // units.QUICK) if quick else most
            return row | _caught(units.ranking(family, engine, rng), most)
        except BREAKS as error:
            return row | {"sets": 0, "quantity": "", "p": 0.0, "power": 1.0, "caught": True, "breaks": str(error)}


def patched(family, patch) -> Callable:
    """Conditionals of a model with the mistake, cut off as the right ones are."""

    def conditionals(model):
        right = model.conditionals()
        return box.cut(right | patch(model, right), getattr(family, "box", {}))

    return conditionals


def _gibbs(family, conditionals):
    return lambda model, truth, *, draws, rng: family.by_gibbs(
        model, truth, draws=draws, rng=rng, conditionals=conditionals
    )


def _sampler(family, sample):
    def engine(model, truth, *, draws, rng):
        return family.each(model, truth, lambda one: sample(one, draws=2 * draws, chains=1, rng=rng), draws)

    return engine


def _caught(ranked, most):
    """Whether, and with how many sets of data, the test that correct engines pass fails."""
    sets, alarm = min(FIRST, most), ALARM / len(UNITS)
    while True:
        found = ranked(sets)
        p = pd.Series({name: ranks.p_value(r, DRAWS) for name, r in found.items()})
        caught = bool(len(p) * p.min() <= ranks.limit(alarm, 0))
        if caught or sets == most:
            break
        sets = min(MORE * sets, most)
    power = ranks.power(found, size=most, draws=DRAWS, alarm=alarm)
    return {"sets": sets, "quantity": p.idxmin(), "p": p.min(), "power": power, "caught": caught, "breaks": ""}
