"""Chains that run through the truth.

Given the data the truth is a draw from the posterior, so a chain that starts there is stationary, and so it is when it
is run backwards from there by the reversed kernel. Put at a random place of such a chain the truth is exchangeable
with its states: its rank is uniform, with no warm-up and whatever the correlation (Gandy and Scott 2020).

What that cannot see is a chain that does not get about: one that stays at the truth ranks it evenly. So every chain has
to leave it (`ranks.stuck`); that it forgets where it began, R-hat tells in every run.

A sweep is reversed by drawing in the opposite order; Metropolis and NUTS, once tuned, are their own reverse.
"""

from collections.abc import Callable

import numpy as np

from analyses.calibrate import truncation
from analyses.engines import gibbs

TUNE_ON, TUNE = 10, 150  # sets of data of its own that NUTS is tuned on, and steps on each
TRIED = 200  # sets of which those are the most typical: tuned on one with a huge tau NUTS would not move on most others


def conditionals_of(family, model) -> dict:
    """The product's conditionals, in the order in which a sweep draws, cut off where a prior is."""
    return truncation.cut(model.conditionals(), family.box)


def by_gibbs(family, model, truth: dict, *, draws: int, rng, conditionals: Callable | None = None) -> dict:
    """States of chains through the truths, (draw, data, ...), a chain for each set of data, all at once.

    Parameters
    ----------
    family
        Of `families.FAMILIES`: `together` are those of its conditionals that are one step, the earlier drawn with the
        later integrated out; `thin` are the sweeps a state that is kept.
    model
        With the data.
    truth : dict
        State with one leading index, the data; auxiliary variables that it lacks are drawn first.
    draws : int
    rng : numpy.random.Generator
    conditionals : callable, optional
        Of another's making: function of family and model.
    """
    given = (conditionals or conditionals_of)(family, model)
    truth = whole(given, truth, rng)
    reverse = {name: given[name] for block in reversed(blocks(given, family.together)) for name in block}
    asked = {"draws": draws, "tune": 0, "thin": family.thin, "rng": rng}
    return _about_a_random_place(gibbs.run(reverse, truth, **asked), gibbs.run(given, truth, **asked), rng)


def whole(conditionals: dict, truth: dict, rng) -> dict[str, np.ndarray]:
    """The truth, with auxiliary variables drawn given it."""
    truth = dict(truth)
    for name, law in conditionals.items():
        if name not in truth:
            truth[name] = law(truth).draw(rng)
    return truth


def blocks(conditionals: dict, together: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The steps of a sweep: names that are drawn one after the other as one."""
    found = []
    for name in conditionals:
        if name not in together:
            found.append((name,))
        elif name == next(n for n in conditionals if n in together):
            found.append(together)
    return found


def by_moves(move: Callable, truth: dict, *, draws: int, thin: int, rng) -> dict[str, np.ndarray]:
    """The same for a step that is its own reverse: state to state."""

    def run(state):
        kept = []
        for step in range(draws * thin):
            state = move(state)
            if step % thin == thin - 1:
                kept.append(state)
        return {name: np.stack([s[name] for s in kept], axis=1) for name in truth}

    return _about_a_random_place(run(truth), run(truth), rng)


def _about_a_random_place(back: dict, ahead: dict, rng) -> dict[str, np.ndarray]:
    """Of 2L states (data, draw, ...) about each truth the L that stand about it if its place among L + 1 is random."""
    size, draws = next(iter(ahead.values())).shape[:2]
    place, at = rng.integers(draws + 1, size=(size, 1)), np.arange(draws)
    chosen = np.where(at < place, at, draws + at - place)
    taken = {}
    for name in ahead:
        both = np.concatenate([back[name], ahead[name]], axis=1)
        index = chosen.reshape(chosen.shape + (1,) * (both.ndim - 2))
        taken[name] = np.moveaxis(np.take_along_axis(both, index, axis=1), 1, 0)
    return taken


def by_nuts(built: Callable, tuning: list, cases: list, limits: dict, *, draws: int, rng) -> dict[str, np.ndarray]:
    """NUTS through the truths, (draw, data, ...): compiled once, tuned once, the data swapped.

    Parameters
    ----------
    built : callable
        Makes the pm.Model.
    tuning, cases : list of (dict, dict)
        Sets of data of which the most typical are tuned on, and those to draw for. Each has values of the model's
        pm.Data by name, and the truth: what PyMC samples by its own name, without transformation, of a scale the sd.
    limits : dict
        Sd to its box.
    """
    from analyses.engines.nuts import pm  # with the flag that makes draws those of the seed

    model = built()
    spelled = {value.name: _spelled(value.name, cases[0][1]) for value in model.value_vars}
    kept = []
    with np.errstate(over="ignore"), model:
        kernel = pm.NUTS(target_accept=0.9, rng=rng)
        kernel.setup_chain(rng, TUNE_ON * TUNE, 0)

        def start(data, truth):
            for name, value in data.items():
                model[name].set_value(value)
            return {value: forward(truth[name]) for value, (name, forward, _) in spelled.items()}

        def held(point):
            found = {name: inverse(point[value]) for value, (name, _, inverse) in spelled.items() if name in limits}
            return all(low < found[name] < high for name, (low, high) in limits.items())

        for case in _typical(tuning):
            point = start(*case)
            for _ in range(TUNE):
                point, _ = kernel.step(point)
        kernel.stop_tuning()
        for case in cases:
            place, chain = rng.integers(draws + 1), []
            for length in (place, draws - place):  # back from the truth, and ahead
                point = start(*case)
                for _ in range(length):
                    new, _ = kernel.step(point)
                    point = new if held(new) else point
                    chain.append(point)
            kept.append(chain)
    return {
        name: np.array([[inverse(point[value]) for point in chain] for chain in kept]).swapaxes(0, 1)
        for value, (name, _, inverse) in spelled.items()
    }


def _typical(cases: list) -> list:
    """Those whose truths are nearest to the middle of all."""
    values = np.array([np.concatenate([np.ravel(value) for value in truth.values()]) for _, truth in cases])
    off = np.abs(values - np.median(values, axis=0))
    width = np.median(off, axis=0)
    nearest = np.argsort(np.sum(off / np.where(width > 0, width, 1.0), axis=1))
    return [cases[i] for i in nearest[:TUNE_ON]]


def _spelled(name: str, truth: dict):
    """What PyMC's value of that name is of: which entry of the truth, how it comes from it, and the way back.

    A scale's value is the log of it or of its square; a flat prior of the square is the `power` that is square itself.
    """
    if name in truth:
        return name, lambda x: x, lambda v: v
    of = name.removeprefix("log_").removesuffix("_log__")
    root = of.removesuffix("_power").removesuffix("2")
    power = 1.0 if of == root else 2.0
    return root, lambda x: power * np.log(x), lambda v: np.exp(v / power)
