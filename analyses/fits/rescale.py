"""Results in the units of the data; engines work with numbers about 1."""

import re
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from analyses.ingest.units import LARGEST_EXPONENT, Units
from models.two_level import TwoLevel

LOCATED = re.compile(r"mean|value|exact|observed|q\d+(_\d+)?")  # columns that move with the offset
SCALED = ("sd", "mcse_mean", "mcse")  # columns that do not
OF_GROUPS = {
    "theta": ("estimate", "theta_mean", "theta_q2_5", "theta_q50", "theta_q97_5"),
    "sigma": ("standard_error", "theta_sd"),
}
TREE_GROUPS = ("posterior", "posterior_predictive", "observed_data", "constant_data")


def table(units: Units, rows: pd.DataFrame, variable: str = "variable") -> pd.DataFrame:
    """Rescale a table of moments and quantiles; `variable` is the column or index level with the names of variables."""
    of = rows.index.get_level_values(variable) if variable in rows.index.names else rows[variable]
    offset, unit = np.array([units.affine(name) for name in of]).reshape(-1, 2).T
    located = {name: offset + unit * rows[name] for name in rows if LOCATED.fullmatch(name)}
    return rows.assign(**located, **{name: unit * rows[name] for name in SCALED if name in rows})


def groups(units: Units, rows: pd.DataFrame) -> pd.DataFrame:
    """Rescale the table of groups."""
    return rows.assign(
        **{
            name: units.value(variable, rows[name])
            for variable, columns in OF_GROUPS.items()
            for name in columns
            if rows[name].notna().any()
        }
    )


def tree(units: Units, model: TwoLevel, draws: xr.DataTree) -> xr.DataTree:
    """Rescale draws, data and log densities. Squares are left out where that of the unit overflows or underflows.

    Parameters
    ----------
    units : Units
    model : TwoLevel
        Of the draws, in the units of the engines.
    draws : DataTree
    """
    nodes: dict[str, Any] = {"/": draws.dataset}
    nodes |= {name: _dataset(units, draws[name].dataset, "sigma" not in draws["posterior"]) for name in TREE_GROUPS}
    if "log_likelihood" in draws:
        nodes["log_likelihood"] = _log_likelihood(units, model, draws["log_likelihood"].dataset)
        nodes["log_prior"] = _log_prior(units, model, draws["log_prior"].dataset)
    if "sample_stats" in draws:
        nodes["sample_stats"] = draws["sample_stats"].dataset
    return xr.DataTree.from_dict(nodes)


def _log_likelihood(units: Units, model: TwoLevel, data: xr.Dataset) -> xr.Dataset:
    """Log density of each group's data in the units of the data: one factor 1 / unit a row, or for an estimate."""
    rows = model.groups.df + 1
    return data.assign(y=data["y"] - rows * np.log(units.spread("theta", 1.0)))


def _log_prior(units: Units, model: TwoLevel, data: xr.Dataset) -> xr.Dataset:
    """Log prior densities of the variables in the units of the data.

    A proper density has the inverse of its variable's unit. An improper one is a power of the variable without a
    constant, in any unit: a flat one stays 0.
    """
    mu, *slopes = (float(prior.proper) for prior in model.coefficients)
    scales = {name: getattr(model, name) for name in model.unknown}
    powers: dict[str, ArrayLike] = {"mu": mu, "beta": slopes}
    powers |= {name: 1.0 if prior.proper else prior.tail_exponent for name, prior in scales.items()}
    return data.assign({
        name: log_density - np.log(units.spread(str(name), 1.0)) * np.asarray(powers[str(name)])
        for name, log_density in data.data_vars.items()
    })  # fmt: skip


def _dataset(units: Units, data: xr.Dataset, sigma_is_known: bool) -> xr.Dataset:
    squares = {"ss_within", "noise"} if sigma_is_known else {"ss_within"}
    if abs(units.unit.adjusted()) >= LARGEST_EXPONENT:
        data = data.drop_vars(squares.intersection(data.data_vars))
    return data.assign({
        name: float(units.unit) ** 2 * array
        if name in squares
        else units.value("theta" if name == "y" else str(name), array)
        for name, array in data.data_vars.items()
    })  # fmt: skip
