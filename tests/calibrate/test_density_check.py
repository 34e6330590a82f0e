"""The deterministic test passes the right conditionals and names the step of every mistake."""

import numpy as np
import pytest
from helpers import mutants

from analyses.calibrate import density_check, mutation
from analyses.calibrate.families import FAMILIES

MISTAKES = [(family, mistake) for family, mistakes in mutants.MUTANTS.items() for mistake in mistakes]
STEPS = {"mu": "b", "beta": "b", "sigma²": "sigma2", "tau²": "tau2", "mixing": "tau2_mixing", "theta": "theta"}
STEPS |= {"lambda": "lambda", "kappa²": "kappa2", "s²": "s2", "sd between groups": "between2"}
STEPS |= {"sigma_i²": "nu and sigma2", "nu": "nu and sigma2"}
CHANGED_PRIORS = {"theta: tau where tau² belongs"}  # of the model, so that every step that has it is wrong


@pytest.mark.parametrize("family", FAMILIES)
def test_right_conditionals_are_the_joint_densitys(family):
    assert density_check.wrong_steps(FAMILIES[family], np.random.default_rng(1)) == []


@pytest.mark.parametrize(
    ("family", "mistake"), [(f, mistake) for f in mutants.MUTANTS for mistake in mutants.MUTANTS[f]]
)
def test_the_identity_names_the_step_that_is_wrong(family, mistake):
    conditionals = mutation.patched(mutants.MUTANTS[family][mistake])
    with np.errstate(all="ignore"):
        wrong = density_check.wrong_steps(FAMILIES[family], np.random.default_rng(2), conditionals)
    step = STEPS[mistake.removeprefix("000: ").removeprefix("001: ").removeprefix("003: ").split(":")[0]]
    if family in ("classrooms", "own variances") and step == "b":
        step = "mu"
    assert step in wrong
    assert len(wrong) == 1 or (family == "normal" and mistake in CHANGED_PRIORS)
