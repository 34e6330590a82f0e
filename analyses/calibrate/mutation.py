"""Would the calibration have noticed? Samplers with one mistake each, from a file, by the limit of its first stage.

The file is a Python module that has

    MUTANTS    family to mistakes: words to a function of the model and its right conditionals, which gives those to put
               in their place
    SAMPLERS   family to samplers that are wrong as a whole: words to a function of model, draws, chains and rng that
               gives a DataTree
"""

import importlib.util
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analyses.calibrate import density_check, jobs, ranks, stationary, truncation
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.jobs import ALARM, DRAWS, SETS, UNITS, StuckChainError
from analyses.ingest.request import InputError

FIRST, TIMES = 500, 4  # sets of data to begin with, and how many times more until the mistake is caught
BREAKS = (
    FloatingPointError,
    np.linalg.LinAlgError,
    StuckChainError,
)  # what wrong draws lead to, not what wrong code does


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
    InputError
        Where it is no such module, with what is wrong.
    """
    if not path.is_file():
        raise FileNotFoundError(2, "no file with mistakes; those of this package lie in its checkout", str(path))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (ImportError, NameError, SyntaxError) as error:
        raise InputError(f"{path}: {error}") from error
    if not getattr(module, "MUTANTS", None):
        raise InputError(f"{path}: no mistakes in it: it needs MUTANTS, family to words to a patch")
    if unknown := [name for kind in _kinds(module) for name in kind if name not in FAMILIES]:
        raise InputError(f"{path}: no family {unknown[0]!r}: there are {', '.join(FAMILIES)}")
    return module


def _kinds(module):
    return module.MUTANTS, getattr(module, "SAMPLERS", {})


def every(path: Path) -> list[Mistake]:
    """All mistakes of the file."""
    return [Mistake(family, what) for kind in _kinds(load(path)) for family in kind for what in kind[family]]


def tried(path: Path, mistake: Mistake, *, seed: int, quick: bool) -> dict:
    """Put one mistake to both tests: a row of the table of mistakes."""
    family, module = FAMILIES[mistake.family], load(path)
    rng = np.random.default_rng([seed, every(path).index(mistake)])
    row = {"family": mistake.family, "mistake": mistake.what, "identity": ""}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a wrong sampler may do what it likes
        try:
            if patch := module.MUTANTS.get(mistake.family, {}).get(mistake.what):
                given = patched(patch)
                row["identity"] = ", ".join(density_check.broken(family, rng, given))
                engine, most = partial(stationary.by_gibbs, family, conditionals=given), SETS["gibbs"]
            else:
                engine, most = _sampler(family, module.SAMPLERS[mistake.family][mistake.what]), SETS["direct"]
            most = max(FIRST, most // jobs.QUICK) if quick else most
            return row | _caught(jobs.ranking(family, engine, rng), most)
        except BREAKS as error:
            return row | {"sets": 0, "quantity": "", "p": 0.0, "power": 1.0, "caught": True, "breaks": str(error)}


def patched(patch: Callable) -> Callable:
    """Conditionals with the mistake, cut off as the right ones are: a function of family and model."""

    def conditionals(family, model):
        right = model.conditionals()
        wrong = patch(model, right)
        if unknown := wrong.keys() - right.keys():
            raise InputError(f"{family.name}: no conditional {sorted(unknown)[0]!r}: there are {', '.join(right)}")
        return truncation.cut(right | wrong, family.box)

    return conditionals


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
        sets = min(TIMES * sets, most)
    power = ranks.power(found, size=most, draws=DRAWS, alarm=alarm)
    return {"sets": sets, "quantity": p.idxmin(), "p": p.min(), "power": power, "caught": caught, "breaks": ""}
