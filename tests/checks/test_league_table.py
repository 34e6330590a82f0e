"""Ranks, P(best) and intervals of groups come from joint draws; the rest is the exact posterior's."""

import numpy as np
import pytest
import xarray as xr
from scipy import special

from analyses.checks import league_table
from analyses.engines import exact, summary_tables
from models import eight_schools, math_test
from models.groups import Estimates


@pytest.fixture(scope="module")
def schools():
    posterior = exact.posterior(eight_schools.model())
    return posterior, posterior.table(), posterior.draw(draws=5000, chains=4, rng=np.random.default_rng(61))


def test_two_groups_have_a_probability_in_closed_form():
    """For two independent normals P(theta_1 > theta_2) is known, and ranks with it."""
    groups = Estimates.from_summary(["a", "b"], [1.0, 0.0], [1.0, 1.0])
    rng, size = np.random.default_rng(62), 40_000
    theta = np.stack([rng.normal(1, 1, (4, size // 4)), rng.normal(0, 1, (4, size // 4))], axis=-1)
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset({"theta": (("chain", "draw", "group"), theta)})})
    reference = exact.posterior(eight_schools.model()).table()
    both = reference.loc[[("theta", "A"), ("theta", "B"), ("kappa", "A"), ("kappa", "B")]]
    table = league_table.table(groups, both, tree, best="high")
    p = special.ndtr(1 / np.sqrt(2))
    assert table["p_best"].tolist() == pytest.approx([p, 1 - p], abs=4.5 * table["mcse_p_best"][0])
    assert table["mcse_p_best"][0] == pytest.approx(np.sqrt(p * (1 - p) / size), rel=0.02)
    assert table["rank_mean"].tolist() == pytest.approx([2 - p, 1 + p], abs=4.5 * table["mcse_p_best"][0])


def test_low_is_best_where_it_is_asked_for(schools):
    posterior, reference, tree = schools
    high, low = (league_table.table(posterior.model.groups, reference, tree, best=best) for best in ("high", "low"))
    assert high["p_best"].sum() == pytest.approx(1)
    assert low["p_best"].sum() == pytest.approx(1)
    assert (high["rank_mean"] + low["rank_mean"]).tolist() == pytest.approx([9.0] * 8)


def test_pooling_moves_each_mean_towards_the_others(schools):
    """No posterior mean lies farther from mu's than its estimate does, nor on its other side."""
    posterior, reference, tree = schools
    table = league_table.table(posterior.model.groups, reference, tree, best="high")
    pooled = reference.loc[("mu", ""), "mean"]
    share = (table["theta_mean"] - pooled) / (table["estimate"] - pooled)
    assert share[(table["estimate"] - pooled).abs() > 1].between(0, 1).all()
    assert table["kappa_mean"].rank().tolist() == table["standard_error"].rank().tolist()


def test_mean_shrinkage_is_not_that_at_the_mean_of_tau(schools):
    """kappa is averaged over tau: a plug-in of tau's mean is off in the second digit."""
    posterior, reference, _ = schools
    plugged = 1 / (1 + reference.loc[("tau", ""), "mean"] ** 2 / posterior.model.groups.noise)
    assert np.abs(plugged - reference.loc["kappa", "mean"]).max() > 0.01


def test_columns():
    posterior = exact.posterior(math_test.model())
    tree = posterior.draw(draws=50, chains=2, rng=np.random.default_rng(63))
    table = league_table.table(posterior.model.groups, posterior.table(), tree, best="high")
    assert tuple(table.columns) == summary_tables.GROUPS
    assert table["standard_error"].isna().all()
    assert table["n"].sum() == 1993
    assert "is 51, with probability" in league_table.sentence(table, best="high", dim="school")


def test_never_seen_is_not_impossible(schools):
    """A group that was best in no draw has an error all the same."""
    posterior, reference, tree = schools
    few = xr.DataTree.from_dict({"posterior": tree["posterior"].dataset.isel(draw=slice(1))})
    table = league_table.table(posterior.model.groups, reference, few, best="high")
    assert (table["p_best"] == 0).any()
    assert (table["mcse_p_best"] > 0).all()
