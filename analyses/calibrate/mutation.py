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
from types import ModuleType
from typing import NamedTuple

import numpy as np

from analyses.calibrate import density_check, jobs, ranks, stationary, truncation, two_level
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.jobs import SETS, StuckChainError
from analyses.ingest.request import InputError
from models.groups.naming import nearest

FIRST_SETS, MORE = 500, 4  # sets of data to begin with, and how many times more until the mutation is caught
FAILURES = (FloatingPointError, np.linalg.LinAlgError, StuckChainError)  # of wrong draws, not of wrong code


class Mutation(NamedTuple):
    """A family, and what is wrong, in words."""

    family: str
    mistake: str


def load(path: Path) -> ModuleType:
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
    module.SAMPLERS = {}
    try:
        spec.loader.exec_module(module)
    except (ImportError, NameError, SyntaxError) as error:
        raise InputError(f"{path}: {error}") from error
    if not getattr(module, "MUTANTS", None):
        raise InputError(f"{path}: no mistakes in it: it needs MUTANTS, family to words to a patch")
    if unknown := [name for name in (*module.MUTANTS, *module.SAMPLERS) if name not in FAMILIES]:
        near = nearest(unknown[0], FAMILIES)
        hint = f"did you mean {near!r}?" if near else f"there are {', '.join(FAMILIES)}"
        raise InputError(f"{path}: no family {unknown[0]!r}: {hint}")
    return module


def mutations(path: Path) -> list[Mutation]:
    """All mutations of a file."""
    module = load(path)
    kinds = module.MUTANTS, module.SAMPLERS
    return [Mutation(family, mistake) for kind in kinds for family in kind for mistake in kind[family]]


def run(path: Path, mutation: Mutation, *, seed: int, quick: bool) -> dict:
    """Put one mutation to both tests: a row of their table."""
    family, module = FAMILIES[mutation.family], load(path)
    rng = np.random.default_rng([seed, mutations(path).index(mutation)])
    row = mutation._asdict() | {"identity": ""}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # a wrong sampler may do what it likes
        try:
            if patch := module.MUTANTS.get(mutation.family, {}).get(mutation.mistake):
                conditionals = patched(patch)
                row["identity"] = ", ".join(density_check.wrong_steps(family, rng, conditionals))
                engine, most = partial(stationary.draw_gibbs, conditionals=conditionals), SETS["gibbs"]
            else:
                sample = module.SAMPLERS[mutation.family][mutation.mistake]
                engine, most = partial(two_level.draw_by_sampler, sample=sample), SETS["direct"]
            most = max(FIRST_SETS, most // jobs.QUICK) if quick else most
            return row | _calibrate(jobs.rank_simulator(family, engine, rng), most)
        except FAILURES as error:
            return row | {"sets": 0, "quantity": "", "p": 0.0, "power": 1.0, "caught": True, "breaks": str(error)}


def patched(patch: Callable) -> Callable:
    """Conditionals with the mistake, truncated as the right ones are: a function of family and model."""

    def conditionals(family, model):
        right = model.conditionals()
        wrong = patch(model, right)
        if unknown := wrong.keys() - right.keys():
            raise InputError(f"{family.name}: no conditional {sorted(unknown)[0]!r}: there are {', '.join(right)}")
        return truncation.truncate(right | wrong, family.limits)

    return conditionals


def _calibrate(simulate_ranks, most):
    """Whether, and with how many sets of data, the test that correct engines pass fails."""
    test, sets = jobs.uniformity_test(most), min(FIRST_SETS, most)
    while True:
        simulated = simulate_ranks(sets)
        p = ranks.p_values(simulated, test.draws)
        caught = bool(len(p) * p.min() <= test.limit())
        if caught or sets == most:
            break
        sets = min(MORE * sets, most)
    power = test.power(simulated)
    return {"sets": sets, "quantity": p.idxmin(), "p": p.min(), "power": power, "caught": caught, "breaks": ""}
