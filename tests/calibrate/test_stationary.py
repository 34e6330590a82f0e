"""Chains through the truth."""

from types import SimpleNamespace

import numpy as np

from analyses.calibrate import ranks, stationary
from analyses.calibrate.family import Simulation
from models import distributions

DRAWS = 31


def test_the_truth_ranks_evenly_in_a_chain_that_hardly_moves():
    """Correlation .99: thinned by nothing, begun at the truth, and still exact."""
    rng, rho, size = np.random.default_rng(1), 0.99, 20_000
    truth = {"x": rng.standard_normal(size)}

    def move(state):
        return {"x": rho * state["x"] + np.sqrt(1 - rho**2) * rng.standard_normal(size)}

    walked = stationary.draw_moves(move, truth, draws=DRAWS, thin=1, rng=rng)["x"]
    assert ranks.p_value(ranks.rank(truth["x"], walked, rng), DRAWS) > 1e-6


def test_a_sweep_is_reversed():
    """Of an AR(1) that Gibbs makes of a pair of normals the two ends are as far from the truth as each other.

    And the truth ranks evenly in a quantity of both, which it would not were the backward order that of the sweep.
    """
    rng, rho, size = np.random.default_rng(2), 0.9, 40_000
    sd = np.sqrt(1 - rho**2)
    conditionals = {
        "x": lambda s: distributions.Normal(rho * s["y"], sd),
        "y": lambda s: distributions.Normal(rho * s["x"], sd),
    }
    x = rng.standard_normal(size)
    truth = {"x": x, "y": rng.normal(rho * x, sd)}
    family = SimpleNamespace(joint_step=(), thin=1)
    simulation = Simulation(None, truth)
    walked = stationary.draw_gibbs(family, simulation, draws=DRAWS, rng=rng, conditionals=lambda *_: conditionals)
    for name in ("x", "y"):
        assert ranks.p_value(ranks.rank(truth[name], walked[name], rng), DRAWS) > 1e-6
    both = ranks.rank(truth["x"] - truth["y"], walked["x"] - walked["y"], rng)
    assert ranks.p_value(both, DRAWS) > 1e-6


def test_steps_that_are_one_stay_in_their_order():
    conditionals = dict.fromkeys(("mu", "nu", "sigma2", "theta"))
    steps = stationary.steps(conditionals, ("nu", "sigma2"))
    assert steps == [("mu",), ("nu", "sigma2"), ("theta",)]
