"""The deterministic test: each step's law against the joint density, as a function of what the step draws.

Between two values of what is drawn, all else equal, the log density of its law differs as that of the joint does. No
sampling, and no tolerance but rounding; but a draw that is not of its law's density, a wrong joint, or an engine that
has no laws, it cannot see.
"""

from collections.abc import Callable

import numpy as np

from analyses.calibrate import stationary

SETS = 20  # of data, each with a truth of its own
ROUNDING = 1e-9  # of the terms that add up to the joint


def broken(family, rng, conditionals: Callable | None = None) -> list[str]:
    """Names of the steps whose law is not that of the joint; none if all is well.

    Parameters
    ----------
    family
        Of `families.FAMILIES`.
    rng : numpy.random.Generator
    conditionals : callable, optional
        Family and model to conditionals, in place of the right ones.
    """
    model, truth = family.simulate(SETS, rng)
    right, found = stationary.conditionals_of(family, model), []
    given = (conditionals or stationary.conditionals_of)(family, model)
    state = stationary.whole(right, truth, rng)
    for block in stationary.blocks(right, family.together):
        other = dict(state)
        for name in block:
            other[name] = right[name](other).draw(rng)
        joint = family.log_joint(model, state) - family.log_joint(model, other)
        step = _log_density(given, block, state, other, state) - _log_density(given, block, state, other, other)
        if not np.all(np.abs(step - joint) < ROUNDING * (1 + np.abs(family.log_joint(model, state)))):
            found.append(" and ".join(block))
    return found


def _log_density(conditionals, block, state, other, values):
    """Log density of a block's values, all else being as in `state`."""
    here, total = state | {name: other[name] for name in block}, 0.0
    for name in block:
        law = conditionals[name](here).log_density(values[name])
        total = total + law.reshape(len(law), -1).sum(axis=1)
        here = here | {name: values[name]}
    return total
