"""The columns of every table that a run writes, and how draws become their rows."""

import errno
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from analyses.engines import effective_size
from analyses.engines.inference_data import QUANTILES, SAMPLE

TAIL_PROBABILITIES = (0.11, 0.89)  # the smaller effective size of the two quantiles is ess_tail: ArviZ's own choice
KEYS = ("engine", "variable", "label")
SUMMARY = (*KEYS, "mean", "sd", *QUANTILES, "mcse_mean", "ess_bulk", "ess_tail", "r_hat")
AGREEMENT = (*KEYS, "statistic", "value", "exact", "mcse", "z")
THETA = ("label", "n", "standard_error", "estimate", "theta_mean", "theta_sd", "theta_q2_5", "theta_q50", "theta_q97_5")
RANKS = ("rank_mean", "rank_q2_5", "rank_q97_5", "p_best", "mcse_p_best", "p_among")
GROUPS = (*THETA, "p_above", "kappa_mean", *RANKS)
CROWD = (*THETA, "p_above", "kappa_mean", "kappa_sd", "p_top", "mcse_p_top", "p_as_small")  # of very many groups


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


def stacked(posterior: xr.Dataset) -> tuple[pd.MultiIndex, np.ndarray]:
    """Variable and label of each quantity, and all draws in one array (quantity, chain, draw)."""
    keys, draws = [], []
    for name, array in posterior.data_vars.items():
        values = array.transpose(..., *SAMPLE)
        labels = values[values.dims[0]].values if values.ndim > len(SAMPLE) else [""]
        keys += [(str(name), str(label)) for label in labels]
        draws.append(values.values.reshape(len(labels), *values.shape[-2:]))
    return pd.MultiIndex.from_tuples(keys, names=["variable", "label"]), np.concatenate(draws).astype(float)


def convergence(posterior: xr.Dataset) -> pd.DataFrame:
    """R-hat and effective sizes of every quantity, by variable and label."""
    index, draws = stacked(posterior)
    return pd.DataFrame(_convergence(draws), index=index)


def _convergence(draws):
    return {
        "ess_bulk": effective_size.bulk(draws),
        "ess_tail": effective_size.tail(draws, TAIL_PROBABILITIES),
        "r_hat": effective_size.r_hat(draws),
    }


def summary(tree: xr.DataTree, reference: pd.DataFrame) -> pd.DataFrame:
    """Rows of summary.csv for an engine's draws; no mean or sd where the exact posterior, `reference`, has none."""
    index, draws = stacked(tree["posterior"].dataset)
    quantiles = np.quantile(draws, list(QUANTILES.values()), axis=(1, 2))
    sd = draws.std(axis=(1, 2), ddof=1)
    columns = {
        "mean": draws.mean(axis=(1, 2)),
        "sd": sd,
        **dict(zip(QUANTILES, quantiles, strict=True)),
        "mcse_mean": sd / np.sqrt(effective_size.of_mean(draws)),
        **_convergence(draws),
    }
    rows = pd.DataFrame(columns, index=index)
    exists = reference.loc[rows.index, ["mean", "sd"]].notna()
    rows["mean"], rows["sd"] = rows["mean"].where(exists["mean"]), rows["sd"].where(exists["sd"])
    rows["mcse_mean"] = rows["mcse_mean"].where(exists["sd"])
    return rows.reset_index().assign(engine=tree["posterior"].attrs["engine"])[list(SUMMARY)]


def means_and_sds(rows: Mapping[tuple[str, str], tuple[float, float]]) -> pd.DataFrame:
    """Table of mean and sd by variable and label."""
    index = pd.MultiIndex.from_tuples(rows, names=["variable", "label"])
    return pd.DataFrame(list(rows.values()), index=index, columns=["mean", "sd"])


def exact_summary(reference: pd.DataFrame) -> pd.DataFrame:
    """Rows of summary.csv for the exact posterior, which has no Monte Carlo error."""
    return reference.reset_index().assign(engine="exact").reindex(columns=SUMMARY)


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table that is too long for text; columns without any value are left out."""
    import duckdb

    filled = table.dropna(axis=1, how="all")
    try:
        duckdb.connect().from_df(filled).write_parquet(str(path))
    except duckdb.IOException as error:
        raise OSError(errno.EIO, str(error).splitlines()[0], str(path)) from error


def write(table: pd.DataFrame, path: Path, columns: Iterable[str]) -> None:
    """Write a table with those columns, each number in the shortest digits that read back to it."""
    table.to_csv(path, columns=list(columns), index=False, lineterminator="\n")
