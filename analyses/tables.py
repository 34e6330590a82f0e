"""The columns of every table that a run writes, and how draws become their rows."""

from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from analyses.contract import QUANTILES, SAMPLE

SUMMARY = (
    "engine",
    "variable",
    "label",
    "mean",
    "sd",
    "q2_5",
    "q50",
    "q97_5",
    "mcse_mean",
    "ess_bulk",
    "ess_tail",
    "r_hat",
)
AGREEMENT = ("engine", "variable", "label", "statistic", "value", "exact", "mcse", "z")
GROUPS = (
    "label",
    "n",
    "standard_error",
    "estimate",
    "theta_mean",
    "theta_sd",
    "theta_q2_5",
    "theta_q97_5",
    "kappa_mean",
    "rank_mean",
    "rank_q2_5",
    "rank_q97_5",
    "p_best",
    "mcse_p_best",
    "p_among",
)
CROWD = (  # of very many groups
    "label",
    "n",
    "standard_error",
    "estimate",
    "theta_mean",
    "theta_sd",
    "theta_q2_5",
    "theta_q97_5",
    "kappa_mean",
    "kappa_sd",
    "p_top",
    "p_as_small",
)


def flat(statistics: xr.Dataset) -> pd.Series:
    """One number a quantity, by variable and label, from a dataset whose only dimension is the group or covariate."""
    values = {
        (str(name), str(label) if array.dims else ""): float(value)
        for name, array in statistics.data_vars.items()
        for label, value in zip(*_entries(array), strict=True)
    }
    return pd.Series(values).rename_axis(["variable", "label"])


def _entries(array):
    return (array[array.dims[0]].values, array.values) if array.dims else ([""], [array.item()])


def summary(tree: xr.DataTree, reference: pd.DataFrame) -> pd.DataFrame:
    """Rows of summary.csv for an engine's draws; no mean or sd where the exact posterior, `reference`, has none."""
    posterior = tree["posterior"].dataset
    with np.errstate(invalid="ignore", divide="ignore"):  # a constant has no R-hat: nan says so
        columns = {
            "mean": posterior.mean(SAMPLE),
            "sd": posterior.std(SAMPLE, ddof=1),
            **{name: posterior.quantile(p, SAMPLE).drop_vars("quantile") for name, p in QUANTILES.items()},
            "mcse_mean": az.mcse(posterior, method="mean"),
            "ess_bulk": az.ess(posterior, method="bulk"),
            "ess_tail": az.ess(posterior, method="tail"),
            "r_hat": az.rhat(posterior),
        }
    rows = pd.DataFrame({name: flat(statistics) for name, statistics in columns.items()})
    exists = reference.loc[rows.index, ["mean", "sd"]].notna()
    rows["mean"], rows["sd"] = rows["mean"].where(exists["mean"]), rows["sd"].where(exists["sd"])
    rows["mcse_mean"] = rows["mcse_mean"].where(exists["sd"])
    return rows.reset_index().assign(engine=posterior.attrs["engine"])[list(SUMMARY)]


def exact_summary(reference: pd.DataFrame) -> pd.DataFrame:
    """Rows of summary.csv for the exact posterior, which has no Monte Carlo error."""
    return reference.reset_index().assign(engine="exact").reindex(columns=SUMMARY)


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table that is too long for text; columns without any value are left out."""
    import duckdb

    filled = table.dropna(axis=1, how="all")
    duckdb.connect().from_df(filled).write_parquet(str(path))


def write(table: pd.DataFrame, path: Path, columns) -> None:
    """Write a table with those columns, numbers in the shortest digits that read back as they are."""
    table.to_csv(path, columns=list(columns), index=False, lineterminator="\n")
