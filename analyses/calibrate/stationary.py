"""Chains that run through the truth.

Given the data the truth is a draw from the posterior, so a chain that starts there is stationary, and so it is when it
is run backwards from there by the reversed kernel. Put at a random place of such a chain the truth is exchangeable
with its states: its rank is uniform, with no warm-up and whatever the correlation (Gandy and Scott 2020).

What that cannot see is a chain that does not get about: one that stays at the truth ranks it evenly. So every chain has
to leave it (`ranks.share_stuck`); that it forgets where it began, R-hat tells in every run.

A sweep is reversed by drawing in the opposite order; Metropolis and NUTS, once tuned, are their own reverse.
"""

from collections.abc import Callable

import numpy as np

from analyses.calibrate import truncation
from analyses.calibrate.batched_states import States, take
from analyses.calibrate.family import Family, Simulation
from analyses.engines import gibbs
from models.distributions import Conditionals


def truncated_conditionals(family: Family, model) -> Conditionals:
    """The product's conditionals, in the order in which a sweep draws, truncated where a prior is."""
    return truncation.truncate(model.conditionals(), family.limits)


def draw_gibbs(
    family: Family, simulation: Simulation, *, draws: int, rng, conditionals: Callable = truncated_conditionals
) -> States:
    """States of Gibbs chains through the truths, (draw, data, ...), a chain for each set of data, all at once.

    Parameters
    ----------
    family : Family
    simulation : Simulation
        Auxiliary variables that its truths lack are drawn first.
    draws : int
    rng : numpy.random.Generator
    conditionals : callable, optional
        Function of family and model, in place of the right conditionals.
    """
    forward = conditionals(family, simulation.model)
    truth = add_auxiliaries(forward, simulation.truth, rng)
    backward = {name: forward[name] for step in reversed(steps(forward, family.joint_step)) for name in step}
    chain = {"draws": draws, "tune": 0, "thin": family.thin, "rng": rng}
    return _place_at_random(gibbs.run(backward, truth, **chain), gibbs.run(forward, truth, **chain), rng)


def add_auxiliaries(conditionals: Conditionals, truth: States, rng) -> States:
    """The truth, with auxiliary variables drawn given it."""
    for name, conditional in conditionals.items():
        if name not in truth:
            truth = truth | {name: conditional(truth).draw(rng)}
    return truth


def steps(conditionals: Conditionals, joint_step: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The steps of a sweep: names that are drawn one after the other as one."""
    first = next((name for name in conditionals if name in joint_step), None)
    alone = [name for name in conditionals if name == first or name not in joint_step]
    return [joint_step if name == first else (name,) for name in alone]


def draw_moves(move: Callable[[States], States], truth: States, *, draws: int, thin: int, rng) -> States:
    """States of chains through the truths, (draw, data, ...), by a step that is its own reverse."""

    def run(state):
        kept = []
        for step in range(draws * thin):
            state = move(state)
            if step % thin == thin - 1:
                kept.append(state)
        return {name: np.stack([s[name] for s in kept], axis=1) for name in truth}

    return _place_at_random(run(truth), run(truth), rng)


def _place_at_random(backward: States, forward: States, rng) -> States:
    """Of 2L states (data, draw, ...) about each truth the L that stand about it if its place among L + 1 is random."""
    size, draws = next(iter(forward.values())).shape[:2]
    place = rng.integers(draws + 1, size=(size, 1))
    index = np.arange(draws)
    index = np.where(index < place, index, draws + index - place)
    both = {name: np.concatenate([backward[name], forward[name]], axis=1) for name in forward}
    return {name: np.moveaxis(take(values, index, axis=1), 1, 0) for name, values in both.items()}
