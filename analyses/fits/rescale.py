"""Results put back into the units of the data, once engines have worked in numbers about 1."""

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from analyses.fits.fit import ManyGroupsFit, TwoLevelFit
from analyses.ingest.units import Units

LOCATED = (
    "mean",
    "q2_5",
    "q50",
    "q97_5",
    "q5",
    "q95",
    "value",
    "exact",
    "observed",
)  # columns that move with the offset
SCALED = ("sd", "mcse_mean", "mcse")  # columns that do not
OF_GROUPS = {
    "theta": ("estimate", "theta_mean", "theta_q2_5", "theta_q97_5"),
    "sigma": ("standard_error", "theta_sd"),
}
TREE_GROUPS = ("posterior", "posterior_predictive", "observed_data", "constant_data")
LARGEST_EXPONENT = 150  # of a unit: squares of larger ones, or of the inverse, are no doubles


def table(units: Units, rows: pd.DataFrame, variable: str = "variable") -> pd.DataFrame:
    """Rescale a table of moments and quantiles; `variable` names the column, or index level, that says of what."""
    of = rows.index.get_level_values(variable) if variable in rows.index.names else rows[variable]
    offset, unit = np.array([units.affine(name) for name in of]).reshape(-1, 2).T
    located = {name: offset + unit * rows[name] for name in LOCATED if name in rows}
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


def tree(units: Units, draws: xr.DataTree) -> xr.DataTree:
    """Rescale draws and data. Squares of a unit that no double holds are left out."""
    nodes = {name: _dataset(units, draws[name].dataset, "sigma" not in draws["posterior"]) for name in TREE_GROUPS}
    if "sample_stats" in draws:
        nodes["sample_stats"] = draws["sample_stats"].dataset
    return xr.DataTree.from_dict(nodes)


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


def two_level(units: Units, fit: TwoLevelFit) -> TwoLevelFit:
    """Rescale a fit of a two-level model; its model and posterior stay in the units of the engines."""
    return replace(
        _any_fit(units, fit),
        replicated={
            engine: {name: units.value(name, values) for name, values in statistics.items()}
            for engine, statistics in fit.replicated.items()
        },
        predictive=table(units, fit.predictive, "statistic"),
    )


def many_groups(units: Units, fit: ManyGroupsFit) -> ManyGroupsFit:
    """Rescale a fit of very many groups."""
    return replace(_any_fit(units, fit), threshold=units.value("theta", fit.threshold))


def _any_fit(units: Units, fit):
    """Rescale what every fit of groups has; shares of draws below a quantile have no unit."""
    of = fit.agreement["variable"].where(fit.agreement["statistic"] == "mean", "a share")
    return replace(
        fit,
        reference=table(units, fit.reference),
        trees={engine: tree(units, draws) for engine, draws in fit.trees.items()},
        summary=table(units, fit.summary),
        agreement=table(units, fit.agreement.assign(of=of), "of").drop(columns="of"),
        predictions=table(units, fit.predictions),
        groups=groups(units, fit.groups),
    )
