"""Are records of a subject independent given theta? Correlation of neighbours and trends (seed 000, 2D)."""

import numpy as np
import pandas as pd
import xarray as xr

from analyses.checks import Verdict, chance, replicates
from models.distributions import Numbers

ODD = 0.05  # two-sided P below which records are called dependent, shared among the quantities
MOST_DAYS = 8  # between neighbors: pairs farther apart are left out, as the table leaves them out
GAPS = {
    "": slice(MOST_DAYS + 1),
    " a day apart": slice(1, 2),
    " two days apart": slice(2, 3),
    " three to eight apart": slice(3, MOST_DAYS + 1),
}


def calendar(t: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Subject's position and day of each record, subject after subject, from the table's gaps and mean days."""
    size = t["n"].to_numpy()
    since = [np.cumsum([0, *map(int, gaps.split())]) for gaps in t["gaps"]]
    days = [day + mean - day.mean() for day, mean in zip(since, t["day_mean"], strict=True)]
    return np.repeat(np.arange(len(t)), size), np.rint(np.concatenate(days))


def statistics(subject: np.ndarray, day: np.ndarray, y: np.ndarray) -> dict[str, Numbers]:
    """Test quantities of records y (..., N), which stand in order of date, subject after subject."""
    size = np.bincount(subject)
    starts = np.cumsum(size) - size

    def sums(x):
        return np.add.reduceat(x, starts, axis=-1)

    e = y - (sums(y) / size)[..., subject]
    since = day - (sums(day) / size)[subject]
    product = e[..., 1:] * e[..., :-1]
    pairs = [(subject[1:] == subject[:-1]) & (np.diff(day) == gap) for gap in range(MOST_DAYS + 1)]
    products = np.stack([np.where(pair, product, 0.0).sum(axis=-1) for pair in pairs])
    return _quantities(products, np.sum(pairs, axis=1), size.sum(), sums(e**2), sums(since * e), sums(since**2))


def from_table(t: pd.DataFrame) -> dict[str, Numbers]:
    """Test quantities of the records from the sums that the table keeps."""
    products, pairs = (
        np.array([0.0, *(t[f"{name}_gap_{gap}"].sum() for gap in range(1, MOST_DAYS + 1))])
        for name in ("products", "pairs")
    )
    return _quantities(products, pairs, t["n"].sum(), *t[["ss", "day_cross", "day_ss"]].to_numpy().T)


def _quantities(products, pairs, records, ss, cross, day_ss) -> dict[str, Numbers]:
    """From sums: products and pairs by gap 0..8 first; squares, and products with days, by subject last."""
    variance = ss.sum(axis=-1) / records
    correlations = {
        f"correlation of neighbours{gap}": products[days].sum(axis=0) / pairs[days].sum() / variance
        for gap, days in GAPS.items()
    }
    return correlations | {
        "trend, mmHg a week": 7 * cross.sum(axis=-1) / day_ss.sum(),
        "sd of subjects' trends, mmHg a week": 7 * (cross / day_ss).std(axis=-1, ddof=1),
    }


def replicated(
    subject: np.ndarray, day: np.ndarray, tree: xr.DataTree, *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Test quantities of records that are independent given theta, at every draw of sigma.

    theta drops out, as every quantity is of deviations from a subject's mean.
    """
    sigma = tree["posterior"].dataset["sigma"].values.reshape(-1, 1)
    y = sigma * rng.standard_normal((len(sigma), len(subject)))
    return {name: np.asarray(values) for name, values in statistics(subject, day, y).items()}


def table(observed: dict[str, Numbers], replicated: dict[str, np.ndarray]) -> pd.DataFrame:
    """Compare what is observed with replicated records: mean, interval, P(as large)."""
    return replicates.compare(observed, replicated)


def verdict(rows: pd.DataFrame) -> Verdict:
    """Judge from `table` whether records look independent: by the oddest quantity, with P times their number."""
    p = two_sided(rows)
    oddest = f"{rows['quantity'][p.idxmin()]} has a two-sided {chance(p.min())}, the smallest of {len(p)} quantities"
    return Verdict("fit", bool(p.min() >= ODD / len(p)), f"independent records: {oddest}")


def two_sided(rows: pd.DataFrame) -> pd.Series:
    """Two-sided P of each quantity in `table`."""
    return 2 * np.minimum(rows["P(as large)"], 1 - rows["P(as large)"])
