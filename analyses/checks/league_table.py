"""What pooling did to each group: raw mean, posterior, shrinkage, rank and probability of being the best."""

from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import rankdata

from analyses.checks import probability
from analyses.engines.inference_data import QUANTILES
from analyses.engines.summary_tables import GROUPS
from models.groups import Estimates, Groups, Replicates

AMONG = 3
End = Literal["high", "low"]  # of theta


def table(groups: Groups, reference: pd.DataFrame, tree: xr.DataTree, *, best: End, among: int = AMONG) -> pd.DataFrame:
    """Rows of groups.csv; p_above is empty until a threshold is asked for.

    Parameters
    ----------
    groups : Groups
    reference : DataFrame
        `table` of the exact posterior: moments and quantiles of theta and kappa without Monte Carlo error.
    tree : DataTree
        Independent joint draws, for what depends on all theta at once.
    best : {"high", "low"}
        Which end has rank 1.
    among : int
        How many are the best k, for the probability to be one of them.
    """
    theta = tree["posterior"].dataset["theta"].values.reshape(-1, len(groups))
    rank = rankdata(theta if best == "low" else -theta, axis=1)
    first = np.sum(rank == 1, axis=0)
    low, high = np.quantile(rank, [0.025, 0.975], axis=0, method="inverted_cdf")
    columns = data_columns(groups) | {
        **{f"theta_{name}": reference.loc["theta", name].to_numpy() for name in ("mean", "sd", *QUANTILES)},
        "kappa_mean": reference.loc["kappa", "mean"].to_numpy(),
        "rank_mean": rank.mean(axis=0),
        "rank_q2_5": low,
        "rank_q97_5": high,
        "p_best": first / len(theta),
        "mcse_p_best": _binomial_error(first, len(theta)),
        "p_among": (rank <= among).mean(axis=0),
    }
    return pd.DataFrame(columns, columns=GROUPS)


def data_columns(groups: Groups) -> dict[str, Any]:
    """Columns of a table of groups that hold the data."""
    return {
        "label": groups.labels,
        "n": groups.n.astype(int) if isinstance(groups, Replicates) else None,
        "standard_error": groups.standard_error if isinstance(groups, Estimates) else None,
        "estimate": groups.mean,
    }


def _binomial_error(count, size):
    """Standard error of a share of independent draws; half a draw is added so that it is never 0."""
    p = (count + 0.5) / (size + 1)
    return np.sqrt(p * (1 - p) / size)


def sentence(groups: pd.DataFrame, *, best: End, dim: str) -> str:
    """Say who is best and how sure that is."""
    top = groups.loc[groups["p_best"].idxmax()]
    ranks = f"between {top['rank_q2_5']:.0f} and {top['rank_q97_5']:.0f} of {len(groups)}"
    return (
        f"The {dim} most likely to be {'highest' if best == 'high' else 'lowest'} is {top['label']}, "
        f"with probability {probability(top['p_best'])}; its rank is {ranks} with probability 0.95."
    )
