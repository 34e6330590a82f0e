"""What cannot be read is named in a line: files, columns, cells, and what is asked of them."""

import numpy as np
import pytest
import xarray as xr
from helpers.audits import SAMPLE, audited, frame, netcdf, refused, saved

from analyses import reference
from analyses.audit.__main__ import main

SHORT = "chain,mu,tau,theta[B]\n" + "".join(f"{chain},{i},1,{i + chain}\n" for chain in (1, 2) for i in (1, 2, 3))
FAULTS = {
    "missing file": (None, (), ["table.csv", "no such file"]),
    "no chain": (SHORT.replace("chain", "run"), (), ["no column `chain`", "run, mu, tau"]),
    "lengths": (SHORT + "2,4,1,4\n", (), ["chains have 3 to 4 draws"]),
    "no number": (SHORT.replace("2,3,1,5", "2,3,1,nan"), (), ["theta", "draw 3 of chain 2", "no finite number"]),
    "infinite": (SHORT.replace("1,2,1,3", "1,inf,1,3"), (), ["mu", "draw 2 of chain 1", "no finite number"]),
    "a cell left out": (SHORT.replace("1,2,1,3", "1,,1,3"), (), ["mu", "draw 2 of chain 1", "no finite number"]),
    "text": (SHORT.replace("1,2,1,3", "1,two,1,3"), (), ["mu is not made of numbers"]),
    "empty": ("", (), ["no CSV file"]),
    "no chain's name": ("chain,mu\n1,1\n1,2\n,3\n2,4\n2,5\n", (), ["chain"]),
    "a name twice": ("chain,mu,mu\n" + "1,1,2\n1,2,1\n" * 9, (), ["mu"]),
    "only a header": ("chain,mu,tau\n", (), ["no draws"]),
    "only chains": ("chain\n1\n2\n", (), ["nothing to compare", "mu"]),
    "neither": (b"\x89HDF\r\n\x1a\n" * 9, (), ["no CSV file"]),
    "nothing to compare": (SHORT.replace("mu,tau,theta", "a,b,c"), (), ["nothing to compare", "a, b, c", "--rename"]),
    "seven": ("".join(["chain,", *(f"theta[{k}]," for k in range(1, 8)), "mu\n", "1,1,1,1,1,1,1,1,1\n"]), (),
              ["theta has 7 entries where the reference has 8"]),
    "eight mus": ("chain,mu[1],mu[2]\n1,1,1\n", (), ["mu has 2 entries where the reference has a single number"]),
    "other labels": ("".join(["chain,", *(f"theta[{k}]," for k in "ABCDEFGZ"), "mu\n", "1,1,1,1,1,1,1,1,1,1\n"]), (),
                     ["theta", "Z"]),
    "--rename of nothing": (SHORT, ("--rename", "m=mu"), ["--rename m", "mu, tau, theta"]),
    "--rename to nothing": (SHORT, ("--rename", "mu=m"), ["--rename mu=m", "eight_schools has", "mu", "theta"]),
    "--rename twice": (SHORT, ("--rename", "mu=tau", "--rename", "tau=tau"), ["--rename", "tau", "twice"]),
    **{f"--rename {bad!r}": (SHORT, ("--rename", bad), [f"--rename {bad}: write THEIRS=OURS"])
       for bad in ("mu", "=mu", "mu=", "=")},
}  # fmt: skip
"""Content of a file, what is asked of it, and what the one line on standard error must say."""


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named(fault, tmp_path, capsys):
    content, arguments, said = FAULTS[fault]
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    err = refused(capsys, path, *arguments)
    assert [part for part in said if part not in err] == []
    assert err.startswith("usage:") or err.count("\n") == 1


@pytest.mark.parametrize(
    ("asked", "near"), [("eight_school", "'eight_schools'"), ("Blood_pressure", "'blood_pressure'")]
)
def test_a_study_that_is_not_there_is_refused_with_the_nearest(asked, near, right, tmp_path, capsys):
    err = refused(capsys, saved(tmp_path / "draws.csv", frame(right)), study=asked)
    assert f"{asked!r}: did you mean {near}?" in err


def test_without_a_study_all_are_listed(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main([str(tmp_path / "draws.csv")])
    assert left.value.code == 2
    assert ", ".join(reference.names()) in capsys.readouterr().err


def test_netcdf_without_a_posterior_is_refused(right, tmp_path, capsys):
    """The prior's draws are there, and are not taken for the posterior's."""
    prior = xr.Dataset({"mu": (SAMPLE, right["mu"])})
    err = refused(capsys, netcdf(tmp_path / "prior.nc", {"prior": prior}))
    assert "no group `posterior`" in err
    assert "there is prior" in err


@pytest.mark.parametrize("content", [b"", b"hello\n", bytes(range(256)) * 4, b"\x89HDF\r\n\x1a\n"])
def test_what_is_neither_netcdf_nor_csv_is_refused(content, tmp_path, capsys):
    path = tmp_path / "draws.nc"
    path.write_bytes(content)
    assert refused(capsys, path).startswith("draws.nc: neither netCDF nor a CSV file")


def test_a_draw_in_netcdf_that_is_no_number_is_named(right, tmp_path, capsys):
    """Also where the dimensions come in another order."""
    theta = right["theta"].copy()
    theta[2, 17, 4] = np.nan
    posterior = xr.Dataset({"theta": (("school", "draw", "chain"), theta.T)})
    err = refused(capsys, netcdf(tmp_path / "draws.nc", {"posterior": posterior}))
    assert "theta: draw 18 of chain 3 is no finite number" in err


def test_a_table_that_cannot_be_written_is_named(right, tmp_path, capsys):
    table = tmp_path / "nowhere" / "table.csv"
    status, _, err = audited(capsys, saved(tmp_path / "draws.csv", frame(right)), "--table", table)
    assert status == 2
    assert err.startswith(str(table.parent))


# --- what a file says besides is not dropped in silence ---------------------------------------------------------------


def test_two_spellings_of_one_entry_are_refused(right, tmp_path, capsys):
    """One of them would have been compared, and nobody told which."""
    table = frame(right, labels=range(1, 9)).assign(**{"theta.1": 0.0})
    assert "theta[1] and theta.1 are the same entry" in refused(capsys, saved(tmp_path / "draws.csv", table))


def test_a_quantity_renamed_twice_is_refused(right, tmp_path, capsys):
    """Of two new names for one column the first would have been forgotten."""
    table = saved(tmp_path / "draws.csv", frame(right).rename(columns={"mu": "m"}))
    assert "--rename m: it is given twice" in refused(capsys, table, "--rename", "m=tau", "--rename", "m=mu")


def test_rows_of_warm_up_are_refused(right, tmp_path, capsys):
    """CmdStan writes them before the comment that ends the adaptation, with save_warmup."""
    head, *rows = frame(right).to_csv(index=False).splitlines()
    path = tmp_path / "stan.csv"
    path.write_text("\n".join([head, *rows[:9], "# Adaptation terminated", *rows]) + "\n")
    assert "rows of warm-up" in refused(capsys, path)


def test_some_entries_by_number_are_refused(right, tmp_path, capsys):
    """theta[1], theta[2], counted from 0 or from 1: nobody can tell, so the labels are asked for."""
    table = frame(right, labels=range(1, 9)).drop(columns=[f"theta[{k}]" for k in range(3, 9)])
    assert "name them as the reference does: theta[A]" in refused(capsys, saved(tmp_path / "draws.csv", table))
