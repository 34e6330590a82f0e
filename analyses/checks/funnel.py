"""Are small groups extreme because they are small? Counts beyond the funnel, against two worlds (seed 000, 1B)."""

import numpy as np
import pandas as pd
import xarray as xr

from analyses.checks import Verdict, chance, replicates
from models.groups import Replicates

FARTHEST = 10
DOUBTFUL = 0.05  # P below which small groups are called more different than one population has it


def small(groups: Replicates) -> np.ndarray:
    """Groups smaller than the median one."""
    return groups.n < np.median(groups.n)


def statistics(
    groups: Replicates, mean: np.ndarray, mu: np.ndarray, sigma: np.ndarray, between: np.ndarray
) -> dict[str, np.ndarray]:
    """Test quantities of means (..., J) for mu, sigma and the sd between groups (...)."""
    off, is_small = np.abs(mean - mu[..., None]), small(groups)
    error = sigma[..., None] * np.sqrt(groups.noise)
    beyond = off > 2 * error
    farthest = is_small[np.argsort(-off, axis=-1)[..., :FARTHEST]]
    squared = (off / np.hypot(error, between[..., None])) ** 2
    ratio = squared[..., is_small].mean(axis=-1) / squared[..., ~is_small].mean(axis=-1)
    return {
        f"small ones among the {FARTHEST} farthest": farthest.sum(axis=-1),
        "beyond two standard errors": beyond.sum(axis=-1),
        "small ones beyond two standard errors": beyond[..., is_small].sum(axis=-1),
        "large ones beyond two standard errors": beyond[..., ~is_small].sum(axis=-1),
        "spread of small over that of large, noise allowed for": np.sqrt(ratio),
    }


def table(groups: Replicates, tree: xr.DataTree, *, rng: np.random.Generator) -> pd.DataFrame:
    """Compare the data with replicated means where groups do not differ, and where all differ alike.

    Parameters
    ----------
    groups : Replicates
    tree : DataTree
        Draws of mu, sigma and sd_between; quantities depend on them as well as on the means, so what is observed is
        averaged over the posterior.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame
        A row a quantity: observed, and for each world its mean and the probability of as large a value.
    """
    mu, sigma, between = (tree["posterior"].dataset[name].values.ravel() for name in ("mu", "sigma", "sd_between"))
    shape = (len(mu), len(groups))
    observed = statistics(groups, np.broadcast_to(groups.mean, shape), mu, sigma, between)
    columns: dict[str, pd.Series] = {}
    for world, spread in (("alike", 0 * between), ("differing", between)):
        theta = rng.normal(mu[:, None], spread[:, None], shape)
        mean = rng.normal(theta, sigma[:, None] * np.sqrt(groups.noise))
        rows = replicates.compare(observed, statistics(groups, mean, mu, sigma, between))
        columns |= {"quantity": rows["quantity"], "observed": rows["observed"]}
        columns |= {f"mean, {world}": rows["mean"], f"P, {world}": rows["P(as large)"]}
    return pd.DataFrame(columns)


def verdict(rows: pd.DataFrame) -> Verdict:
    """Judge from `table` whether groups of all sizes come from one population: by the last quantity."""
    ratio = rows.iloc[-1]
    sentence = f"{ratio['quantity']}: as large a value has {chance(ratio['P, differing'])}"
    return Verdict("fit", bool(ratio["P, differing"] > DOUBTFUL), sentence)
