"""Draws made elsewhere, put to the audit's command line as files."""

import re

import numpy as np
import pandas as pd
import xarray as xr

from analyses.audit.__main__ import main

SCHOOLS, SAMPLE = "ABCDEFGH", ("chain", "draw")

ALARM = "a right sampler is called different with probability 1 in 100,000 at most"


def audited(capsys, path, *arguments, study="eight_schools"):
    """Status, standard output and standard error."""
    capsys.readouterr()
    try:
        status = main([str(path), "--study", study, *map(str, arguments)])
    except SystemExit as left:
        status = left.code
    return status, *capsys.readouterr()


def passed(capsys, path, *arguments, **study) -> str:
    status, out, err = audited(capsys, path, *arguments, **study)
    assert (status, err) == (0, ""), out + err
    assert re.search(r"No difference found in \d+ figures, down to 0\.\d+ posterior sds in a mean", out)
    assert ALARM in out
    return out


def rejected(capsys, path, *arguments, **study) -> str:
    status, out, err = audited(capsys, path, *arguments, **study)
    assert (status, err) == (3, ""), out + err
    assert "No difference found" not in out
    return out


def refused(capsys, path, *arguments, **study) -> str:
    status, out, err = audited(capsys, path, *arguments, **study)
    assert (status, out) == (2, ""), out + err
    assert err.endswith("\n")
    return err


def smallest_size(out) -> int:
    return int(re.search(r"Smallest effective sample size (\d+)", out)[1])


def frame(draws, *, entry="theta[{}]", labels=SCHOOLS, chain="chain", draw=None) -> pd.DataFrame:
    """A row a draw; `draws` has mu and tau (chain, draw), theta (chain, draw, school)."""
    chains, size = draws["mu"].shape
    columns = {chain: np.repeat(np.arange(1, chains + 1), size)}
    columns |= {draw: np.tile(np.arange(1, size + 1), chains)} if draw else {}
    columns |= {name: draws[name].ravel() for name in ("mu", "tau")}
    columns |= {entry.format(k): draws["theta"][..., i].ravel() for i, k in enumerate(labels)}
    return pd.DataFrame(columns)


def saved(path, table) -> str:
    table.to_csv(path, index=False)
    return path


def netcdf(path, groups):
    xr.DataTree.from_dict(groups).to_netcdf(path, engine="h5netcdf")
    return path
