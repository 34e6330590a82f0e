"""States of many sets of data: name to an array (data, ...), or (draw, data, ...) for draws."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from models.distributions import Conditionals
from models.groups import Groups

States = dict[str, np.ndarray]
Limits = dict[str, tuple[float, float]]  # of variances, by name


def at(state: States, index) -> States:
    """Each array's entries at one leading index."""
    return {name: values[index] for name, values in state.items()}


def standard_deviations(state: States, variances: Mapping[str, str]) -> States:
    """Roots of variances, from the sd's name to the variance's."""
    return {sd: np.sqrt(state[variance]) for sd, variance in variances.items()}


def log_likelihood(groups: Groups, state: States) -> np.ndarray:
    """Log density of the data, up to a constant, given theta and a common sigma: (..., data)."""
    (df, ss), sigma2 = groups.within, state["sigma2"]
    squares = ss + np.sum((groups.mean - state["theta"]) ** 2 / groups.noise, axis=-1)
    return -((df + len(groups)) * np.log(sigma2) + squares / sigma2) / 2


def draw_conditionals(conditionals: Conditionals, states: States, names: Iterable[str], rng) -> States:
    """Complete states (draw, data, ...) from conditionals, which have one leading index, in the order of the names."""
    for name in names:
        drawn = [conditionals[name](at(states, i)).draw(rng) for i in range(len(next(iter(states.values()))))]
        states = states | {name: np.stack(drawn)}
    return states


def take(values: np.ndarray, index: np.ndarray, axis: int) -> np.ndarray:
    """Entries along an axis at an index of two dimensions, the same for all that follow."""
    return np.take_along_axis(values, index.reshape(index.shape + (1,) * (values.ndim - 2)), axis=axis)


def first_accepted(propose: Callable[[], States], draws: int) -> States:
    """The first so many draws of each set of data that are `accepted`, which is an entry of what is proposed."""
    states = propose()
    while states["accepted"].sum(axis=0).min() < draws:
        states = {name: np.concatenate([states[name], values]) for name, values in propose().items()}
    order = np.argsort(~states.pop("accepted"), axis=0, kind="stable")[:draws]
    return {name: take(values, order, axis=0) for name, values in states.items()}
