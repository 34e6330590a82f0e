"""Many sets of data at once: conditionals, likelihood and collapsed posterior are those of each set by itself."""

import numpy as np
import pytest

from analyses.calibrate import stationary, two_level
from analyses.calibrate.families import FAMILIES

TWO_LEVEL = [name for name, family in FAMILIES.items() if family.kind is two_level]


def entry(state, i):
    """One set of data's part of a state, with a leading index of one."""
    return {name: values[[i]] for name, values in state.items()}


@pytest.mark.parametrize("name", TWO_LEVEL)
def test_conditionals(name):
    rng, family = np.random.default_rng(1), FAMILIES[name]
    simulation = family.kind.simulate(family, 3, rng)
    model, truth = simulation.model, simulation.truth
    state = stationary.add_auxiliaries(model.conditionals(), truth, rng)
    for step, law in model.conditionals().items():
        together = law(state).log_density(state[step])
        for i in range(3):
            here = entry(state, i)
            alone = two_level.select(model, i).conditionals()[step](here).log_density(here[step])
            assert together[i] == pytest.approx(alone[0], rel=1e-12)


@pytest.mark.parametrize("name", TWO_LEVEL)
def test_likelihood_and_collapsed(name):
    rng, family = np.random.default_rng(2), FAMILIES[name]
    simulation = family.kind.simulate(family, 3, rng)
    model, truth = simulation.model, simulation.truth
    tau, sigma = np.sqrt(truth["tau2"]), np.sqrt(truth["sigma2"])
    scales = [np.sqrt(truth[f"{scale}2"]) for scale in model.scales]
    together, marginal = model.collapsed(*scales), model.log_marginal(truth["b"], tau, sigma)
    for i in range(3):
        alone = two_level.select(model, i)
        assert marginal[i] == pytest.approx(alone.log_marginal(truth["b"][i], tau[i], sigma[i]), rel=1e-12)
        separate = alone.collapsed(*(scale[[i]] for scale in scales))
        shift = model.groups.center - alone.groups.center  # they subtract another average
        # What a stack subtracts, and divides by, is its own: density and b have to be the same all the same.
        assert together.log_density[i] == pytest.approx(separate.log_density[0], rel=1e-11)
        assert together.location[i] == pytest.approx(separate.location[0], abs=1e-9 * (1 + abs(shift)))
        assert together.covariance[i] == pytest.approx(separate.covariance[0], rel=1e-10)


def test_the_third_level():
    rng, family = np.random.default_rng(3), FAMILIES["classrooms"]
    simulation = family.kind.simulate(family, 3, rng)
    model, truth = simulation.model, simulation.truth
    ratios = [np.sqrt(truth[name] / truth["sigma2"]) for name in ("tau2", "kappa2")]
    together = model.collapsed(*ratios)
    for i in range(3):
        g = model.classrooms
        alone = type(model)(
            classrooms=type(g)(**(vars_of(g) | {"mean": g.mean[i], "ss": g.ss[i]})),
            school=model.school,
            schools=model.schools,
        )
        separate = alone.collapsed(*(ratio[[i]] for ratio in ratios))
        assert together.sigma2.scale[i] == pytest.approx(separate.sigma2.scale[0], rel=1e-10)
        assert together.log_unnormalized[i] == pytest.approx(separate.log_unnormalized[0], rel=1e-10)


def vars_of(groups):
    return {name: getattr(groups, name) for name in type(groups).__dataclass_fields__}
