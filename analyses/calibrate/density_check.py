"""The deterministic test: each step's law against the joint density, as a function of what the step draws.

Between two values of what is drawn, all else equal, the log density of its law differs as that of the joint does. No
sampling, and no tolerance but rounding; but a draw that is not of its law's density, a wrong joint, or an engine that
has no laws, it cannot see.
"""

from collections.abc import Callable

import numpy as np

from analyses.calibrate.family import Family
from analyses.calibrate.stationary import add_auxiliaries, steps, truncated_conditionals

SETS = 20  # of data, each with a truth of its own
ROUNDING = 1e-9  # of the terms that add up to the joint


def wrong_steps(family: Family, rng, conditionals: Callable = truncated_conditionals) -> list[str]:
    """Names of the steps whose law is not that of the joint; none if all is well.

    Parameters
    ----------
    family : Family
    rng : numpy.random.Generator
    conditionals : callable, optional
        Function of family and model, in place of the right conditionals.
    """
    simulation = family.kind.simulate(family, SETS, rng)
    model = simulation.model
    right, tested, wrong = truncated_conditionals(family, model), conditionals(family, model), []
    state = add_auxiliaries(right, simulation.truth, rng)
    for step in steps(right, family.joint_step):
        redrawn = dict(state)
        for name in step:
            redrawn[name] = right[name](redrawn).draw(rng)
        log_joint = family.kind.log_joint(model, state)
        joint = log_joint - family.kind.log_joint(model, redrawn)
        conditional = _log_density(tested, step, state, redrawn) - _log_density(tested, step, redrawn, redrawn)
        if not np.all(np.abs(conditional - joint) < ROUNDING * (1 + np.abs(log_joint))):
            wrong.append(" and ".join(step))
    return wrong


def _log_density(conditionals, step, state, redrawn):
    """Log density of a step's values in a state, each given those before it and what was there for those after it."""
    condition, total = redrawn, 0.0
    for name in step:
        law = conditionals[name](condition).log_density(state[name])
        total = total + law.reshape(len(law), -1).sum(axis=1)
        condition = condition | {name: state[name]}
    return total
