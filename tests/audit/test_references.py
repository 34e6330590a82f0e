"""Every reference that is shipped: right draws of it pass, one wrong quantity is found."""

import re

import pandas as pd
import pytest
from helpers.audits import passed, rejected, saved

from analyses import reference
from analyses.reference.__main__ import main as make


@pytest.mark.parametrize("name", reference.names())
def test_independent_draws_of_every_reference_pass(name, shipped, capsys):
    """All that a reference has is compared: its means where they exist, and three shares of each quantity."""
    rows = reference.load(name).table
    figures = 3 * len(rows) + rows["mean"].notna().sum()
    assert f"in {figures} figures" in passed(capsys, shipped(name), study=name)


@pytest.mark.parametrize("name", reference.names())
def test_one_wrong_quantity_of_every_reference_is_found(name, shipped, tmp_path, capsys):
    """The last entry of theta moved by half a posterior sd, in draws whose other entries are right."""
    table, sds = pd.read_csv(shipped(name)), reference.load(name).table["sd"]
    column = [c for c in table if c.startswith("theta")][-1]
    key = ("theta", column.removeprefix("theta").strip("[]"))
    table[column] += sds.loc[key] / 2
    out = rejected(capsys, saved(tmp_path / "draws.csv", table), study=name)
    assert re.findall(r"  (\S+) is too (\w+)", out) == [(column, "large")]


def test_another_posterior_may_have_a_quantity_in_another_shape(shipped, tmp_path, capsys):
    """Wrong draws of theta and sigma of the math test; `normal` has both too, of one group."""
    table = pd.read_csv(shipped("math_test"))
    table = table[["chain", "sigma", *(c for c in table if c.startswith("theta"))]].assign(sigma=table["sigma"] * 2)
    assert "sigma is too large" in rejected(capsys, saved(tmp_path / "d.csv", table), study="math_test")


def test_netcdf_and_csv_of_the_same_draws_say_the_same(shipped, tmp_path, capsys):
    make(["eight_schools", "--draws", str(tmp_path / "e.nc"), "--size", "4000"])
    one, two = (passed(capsys, path).partition("\n")[2] for path in (tmp_path / "e.nc", shipped("eight_schools")))
    assert one == two
