"""What was not looked at is said, and does not pass for the whole posterior."""

import numpy as np
import pytest
import xarray as xr
from helpers.audits import SAMPLE, audited, frame, netcdf, passed, refused, rejected, saved

from analyses.audit.__main__ import PARTIAL


def partial(capsys, path, *arguments, **study) -> str:
    status, out, err = audited(capsys, path, *arguments, **study)
    assert (status, err) == (PARTIAL, ""), out + err
    assert "This says nothing of the whole posterior: " in out
    return out


@pytest.mark.parametrize("entry", ["theta_{}", "theta{}", "theta__{}", "theta.{}.", "Theta[{}]", "theta_raw{}"])
def test_group_effects_under_other_names_do_not_pass(entry, right, tmp_path, capsys):
    """All eight are wrong, and none is read."""
    table = frame(right | {"theta": right["theta"] * 100}, entry=entry, labels=range(1, 9))
    out = partial(capsys, saved(tmp_path / "draws.csv", table))
    assert "theta" in out.split("whole posterior: ")[1]
    assert "Compared: mu, tau." in out


@pytest.mark.parametrize("name", ["mu", "tau", "theta"])
def test_a_variable_that_is_missing_is_named(name, right, tmp_path, capsys):
    table = frame(right)
    table = table.drop(columns=[c for c in table if c.startswith(name)])
    out = partial(capsys, saved(tmp_path / "draws.csv", table))
    assert f"{name} was not compared" in out
    assert f"{name}," not in out.split("Compared: ")[1].split(".")[0]
    passed(capsys, tmp_path / "draws.csv", "--without", name)


def test_a_column_like_a_variable_that_is_left_out_on_purpose_is_still_named(right, tmp_path, capsys):
    table = frame(right, entry="theta_{}")
    assert "theta_A, theta_B" in partial(capsys, saved(tmp_path / "draws.csv", table), "--without", "theta")


def test_columns_beside_a_variable_that_is_whole_hide_nothing(right, tmp_path, capsys):
    table = frame(right).assign(theta_1=0.0, tau2=1.0, lp__=-3.0)
    assert "not looked at: theta_1, tau2, lp__\n" in passed(capsys, saved(tmp_path / "draws.csv", table))


def test_theta_of_a_few_groups_is_enough_and_said(right, tmp_path, capsys):
    table = frame(right)[["chain", "mu", "tau", "theta[H]", "theta[B]"]]
    out = passed(capsys, saved(tmp_path / "draws.csv", table))
    assert "Compared: mu, tau, theta (2 of 8). Jointly: theta - mu," in out
    table["theta[B]"] += 3.0
    assert "  theta[B] is too large" in rejected(capsys, saved(tmp_path / "draws.csv", table))


def test_a_column_without_a_label_beside_those_that_have_one_is_listed(right, tmp_path, capsys):
    out = passed(capsys, saved(tmp_path / "draws.csv", frame(right).assign(theta=0.0)))
    assert "not looked at: theta\n" in out


def test_a_variable_of_netcdf_without_draws_is_listed(right, tmp_path, capsys):
    sampled = {name: (SAMPLE, right[name]) for name in ("mu", "tau")} | {"theta": ((*SAMPLE, "k"), right["theta"])}
    out = passed(capsys, netcdf(tmp_path / "d.nc", {"posterior": xr.Dataset(sampled | {"seen": ("k", np.ones(8))})}))
    assert "not looked at: seen\n" in out


def test_without_a_variable_that_is_not_there_is_refused(right, tmp_path, capsys):
    err = refused(capsys, saved(tmp_path / "draws.csv", frame(right)), "--without", "sigma")
    assert err.startswith("--without sigma: eight_schools has kappa, mu")
