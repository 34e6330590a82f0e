"""NUTS through the truths: compiled once, tuned once, the data swapped."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analyses.calibrate.batched_states import States, at, standard_deviations
from analyses.calibrate.family import Family, Kind, Simulation

TUNING_SETS = 10  # sets of data of its own that NUTS is tuned on
TUNING_STEPS = 150  # on each of them
CANDIDATES = 200  # of which those are the most typical: tuned on a huge tau NUTS would not move on most others


@dataclass(frozen=True, eq=False)
class Transform:
    """From an entry of the truth to a value of PyMC's, and back."""

    name: str
    forward: Callable
    backward: Callable


def draw(family: Family, simulation: Simulation, *, draws: int, rng) -> States:
    """States (draw, data, ...) of chains through the truths; a step that would leave the limits is not taken."""
    from analyses.engines.nuts import pm  # with the flag that makes draws those of the seed

    kind, observed = family.kind, family.kind.observed(simulation.model)
    tuning, truth = (_truth(kind, s) for s in (kind.simulate(family, CANDIDATES, rng), simulation))
    model = kind.build(family.model)
    transforms = {value.name: transform(value.name, truth) for value in model.value_vars}
    limits = {sd: np.sqrt(family.limits[v]) for sd, v in kind.VARIANCES.items() if v in family.limits}
    with np.errstate(over="ignore"), model:
        kernel = pm.NUTS(target_accept=0.9, rng=rng)
        kernel.setup_chain(rng, TUNING_SETS * TUNING_STEPS, 0)

        def start(case):
            for name in observed:
                model[name].set_value(case[name])
            return {value: t.forward(case[t.name]) for value, t in transforms.items()}

        def inside(point):
            bounded = {t.name: t.backward(point[value]) for value, t in transforms.items() if t.name in limits}
            return all(low < bounded[sd] < high for sd, (low, high) in limits.items())

        def walk(case, length):
            point, chain = start(case), []
            for _ in range(length):
                proposed, _ = kernel.step(point)
                point = proposed if inside(proposed) else point
                chain.append(point)
            return chain

        for i in _most_typical([tuning[t.name] for t in transforms.values()]):
            point = start(at(tuning, i))
            for _ in range(TUNING_STEPS):
                point, _ = kernel.step(point)
        kernel.stop_tuning()
        chains = []
        for i in range(len(simulation)):
            case, place = at(truth, i), rng.integers(draws + 1)
            chains.append(walk(case, place) + walk(case, draws - place))  # back from the truth, and ahead
    sampled = {
        t.name: np.array([[t.backward(point[value]) for point in chain] for chain in chains]).swapaxes(0, 1)
        for value, t in transforms.items()
    }
    variances = {v: sampled[sd] ** 2 for sd, v in kind.VARIANCES.items() if sd in sampled}
    return kind.complete(simulation.model, sampled | variances, rng)


def _truth(kind: Kind, simulation: Simulation) -> States:
    """Values of PyMC's data and of what it samples, scales as sds."""
    model, truth = simulation.model, simulation.truth
    return kind.observed(model) | kind.to_pymc(model, truth) | standard_deviations(truth, kind.VARIANCES)


def _most_typical(values: list[np.ndarray]) -> np.ndarray:
    """Positions of the sets of data whose truths are nearest to the middle of all."""
    columns = np.concatenate([v.reshape(len(v), -1) for v in values], axis=1)
    distance = np.abs(columns - np.median(columns, axis=0))
    width = np.median(distance, axis=0)
    return np.argsort(np.sum(distance / np.where(width > 0, width, 1.0), axis=1))[:TUNING_SETS]


def transform(name: str, truth: States) -> Transform:
    """How PyMC's value of a name comes from the truth: a scale's value is its log."""
    if name in truth:
        return Transform(name, lambda x: x, lambda value: value)
    return Transform(name.removesuffix("_log__"), np.log, np.exp)
