"""Chains that did not mix are said not to have."""

import numpy as np
import pytest
import xarray as xr

from analyses.checks import diagnostics
from analyses.engines import exact, nuts, summary_tables
from models import eight_schools


def verdict(tree):
    return diagnostics.verdict(tree, summary_tables.summary(tree, REFERENCE))


REFERENCE = exact.posterior(eight_schools.model()).table()


@pytest.fixture
def independent():
    return exact.posterior(eight_schools.model()).draw(draws=1000, chains=4, rng=np.random.default_rng(81))


def test_independent_draws_pass(independent):
    assert verdict(independent).passed


def test_a_chain_that_stands_apart_is_named(independent):
    """R-hat sees a chain whose mu is off by half an sd."""
    draws = independent["posterior"].dataset.copy(deep=True)
    draws["mu"][0] += 0.5 * draws["mu"].std()
    found = verdict(xr.DataTree.from_dict({"posterior": draws}))
    assert not found.passed
    assert "R-hat of mu" in found.sentence


def test_few_effective_draws_are_too_few(independent):
    """Fifty different values repeated twenty times are fifty."""
    draws = independent["posterior"].dataset.isel(draw=np.repeat(np.arange(50), 20))
    found = verdict(xr.DataTree.from_dict({"posterior": draws.assign_coords(draw=np.arange(1000))}))
    assert not found.passed
    assert "effective sample size" in found.sentence


@pytest.fixture(scope="module")
def centered():
    model = eight_schools.model()
    return nuts.sample(model, parameterization="centered", seed=82, rng=np.random.default_rng(82))


def test_the_funnel_is_noticed(centered):
    """The centered eight schools diverge for any seed."""
    found = verdict(centered)
    assert not found.passed
    assert "divergent transitions" in found.sentence


def test_a_constant_is_not_mixed(independent):
    """A quantity without an R-hat never moved."""
    draws = independent["posterior"].dataset.copy(deep=True)
    draws["theta"][..., 2] = 5.0
    found = verdict(xr.DataTree.from_dict({"posterior": draws}))
    assert not found.passed
    assert "theta C" in found.sentence


def test_low_energy_fraction_is_a_fault(independent):
    """Energies that creep as a random walk have an E-BFMI near 0."""
    walk = np.cumsum(np.random.default_rng(83).normal(size=(4, 1000)), axis=1)
    stats = xr.Dataset({"energy": (("chain", "draw"), walk), "diverging": (("chain", "draw"), walk > np.inf)})
    tree = xr.DataTree.from_dict({"posterior": independent["posterior"].dataset, "sample_stats": stats})
    found = verdict(tree)
    assert not found.passed
    assert "E-BFMI is 0.0" in found.sentence


def test_runs_side_by_side(centered):
    table = diagnostics.table({"centered": centered})
    assert table["divergences"][0] == centered["sample_stats"]["diverging"].sum()
    assert table["draws"][0] == 4000
