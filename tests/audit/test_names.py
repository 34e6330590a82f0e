"""What is matched with what: entries by their labels however they are spelled, chains and draws by their columns."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from helpers.audits import SAMPLE, SCHOOLS, frame, netcdf, passed, saved

from analyses.audit.files import read

DRESSES = {
    "theta[A]": {},
    "theta[H] to theta[A]": {"labels": SCHOOLS[::-1]},
    "theta[1], in no order": {"labels": [3, 1, 2, 8, 4, 5, 7, 6]},
    "theta[0]": {"labels": range(8)},
    "theta.1": {"entry": "theta.{}", "labels": range(1, 9)},
    "R's posterior": {"labels": range(1, 9), "chain": ".chain", "draw": ".draw"},
    "CmdStanPy's draws_pd": {"labels": range(1, 9), "chain": "chain__", "draw": "draw__"},
}


@pytest.mark.parametrize("dress", DRESSES)
def test_entries_are_matched_by_their_labels(dress, right, tmp_path, capsys):
    """The schools' posteriors differ, so that a wrong order would be told."""
    options = DRESSES[dress]
    labels = [str(k) for k in options.get("labels", SCHOOLS)]
    ordered = np.argsort([SCHOOLS.index(k) if k in SCHOOLS else int(k) for k in labels]).argsort()
    out = passed(capsys, saved(tmp_path / "d.csv", frame(right | {"theta": right["theta"][..., ordered]}, **options)))
    assert "in 40 figures" in out
    assert "not looked at" not in out


def test_the_comments_of_stan_are_passed_over(right, tmp_path, capsys):
    """At the head, between warmup and draws, and at the end."""
    table = frame(right, entry="theta.{}", labels=range(1, 9)).assign(lp__=-1.0, divergent__=0)
    head, *rows = table.to_csv(index=False).splitlines()
    lines = [
        "# stan_version_major = 2",
        "#   num_samples = 1000",
        head,
        "# Step size = 0.4",
        *rows,
        "#",
        "# 0.1 seconds",
    ]
    path = tmp_path / "stan.csv"
    path.write_text("\n".join(lines) + "\n")
    assert "not looked at: lp__, divergent__\n" in passed(capsys, path)


def test_rows_of_chains_may_alternate(right, tmp_path, capsys):
    """A draw of each chain in turn: what belongs to a chain is told by its column, not by its place."""
    table = frame(right)
    turn = np.arange(len(table)).reshape(4, -1).T.ravel()
    tables = []
    for name, rows in (("one.csv", table), ("two.csv", table.iloc[turn])):
        passed(capsys, saved(tmp_path / name, rows), "--table", tmp_path / f"table-{name}")
        tables.append((tmp_path / f"table-{name}").read_text())
    assert tables[0] == tables[1]


def test_netcdf_of_old_with_numbered_dimensions_is_read(right, tmp_path, capsys):
    posterior = xr.Dataset(
        {
            "mu": (SAMPLE, right["mu"]),
            "tau": (SAMPLE, right["tau"]),
            "theta": ((*SAMPLE, "theta_dim_0"), right["theta"]),
        },
        {"chain": np.arange(4), "draw": np.arange(1000), "theta_dim_0": np.arange(8)},
    )
    stats = xr.Dataset({"lp": (SAMPLE, right["mu"])})
    out = passed(capsys, netcdf(tmp_path / "draws.nc", {"posterior": posterior, "sample_stats": stats}))
    assert "4 chains of 1000 draws" in out
    assert "in 40 figures" in out


@pytest.mark.parametrize("name", ["beta", "beta[1]", "beta[treatment]", "b_treatment"])
def test_a_single_coefficient_needs_no_label(name, shipped, tmp_path, capsys):
    table = pd.read_csv(shipped("blood_pressure")).rename(columns={"beta[treatment]": name})
    rename = ("--rename", "b_treatment=beta") if name == "b_treatment" else ()
    path = saved(tmp_path / "draws.csv", table[["chain", name, "mu"]])
    without = [word for name in ("tau", "sigma", "theta") for word in ("--without", name)]
    out = passed(capsys, path, *rename, *without, study="blood_pressure")
    assert "in 8 figures" in out
    assert "Compared: beta, mu. Jointly: nothing, only each quantity by itself." in out


def test_what_the_reference_lacks_is_listed(right, tmp_path, capsys):
    """Eight names and no more: a file of Stan's may have hundreds."""
    table = frame(right).assign(**{f"x{k}": 0.0 for k in range(9)})
    out = passed(capsys, saved(tmp_path / "draws.csv", table))
    assert "not looked at: x0, x1, x2, x3, x4, x5, x6, x7 and more\n" in out


@pytest.mark.parametrize("column", [{"model": "mine"}, {"diverging": False}, {"gap": np.nan}])
def test_a_column_that_is_not_looked_at_may_hold_anything(column, right, tmp_path, capsys):
    """A name, a flag, a quantity that is sometimes undefined: nothing that is compared depends on it."""
    out = passed(capsys, saved(tmp_path / "draws.csv", frame(right).assign(**column)))
    assert f"not looked at: {next(iter(column))}\n" in out


@pytest.mark.parametrize("chains", [1, 2])
def test_few_chains_are_read_too(chains, right, tmp_path, capsys):
    table = frame({name: values.reshape(chains, -1, *values.shape[2:]) for name, values in right.items()})
    out = passed(capsys, saved(tmp_path / "draws.csv", table))
    assert f": {chains} chain" in out
    assert ("nothing can tell whether it has seen all" in out) is (chains == 1)


def test_a_name_of_theirs_stands_back_behind_one_that_is_renamed_to_it(right, tmp_path, capsys):
    """Their tau may be a variance, and the sd have a name of its own."""
    table = frame(right).rename(columns={"tau": "sd_school"}).assign(tau=right["tau"].ravel() ** 2)
    out = passed(capsys, saved(tmp_path / "draws.csv", table), "--rename", "sd_school=tau")
    assert "not looked at: tau\n" in out


def test_rows_out_of_order_are_put_in_the_order_of_their_draws(right, tmp_path, capsys):
    """Else shuffled rows would hide that draws are correlated."""
    table = frame(right, draw="draw")
    shuffled = table.sample(frac=1, random_state=1)
    one, two = (read(saved(tmp_path / f"{k}.csv", t)).sortby("chain") for k, t in enumerate((table, shuffled)))
    assert one.identical(two)


def test_the_table_has_every_figure(right, tmp_path, capsys):
    """Mean and three shares of ten quantities, three shares of twelve joint statistics, and the error of each."""
    out = passed(capsys, saved(tmp_path / "draws.csv", frame(right)), "--table", tmp_path / "table.csv")
    found = pd.read_csv(tmp_path / "table.csv", keep_default_na=False)
    assert len(found) == 40 + 36
    squares = {"squares of theta - mu over sd_between", "squares of y - theta over se"}
    joint = {"theta - mu", "|mean of theta - mu|", "log p(mu, tau | y)"} | squares
    assert {*found["variable"]} == {"mu", "tau", "theta"} | joint
    worst = found.loc[found["statistic"] == "mean", "smallest"].max()
    assert f"down to {worst:.2g} posterior sds in a mean" in out
