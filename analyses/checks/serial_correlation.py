"""Are records of a subject independent given theta? Correlation of neighbours and trends (seed 000, 2D)."""

import numpy as np
import pandas as pd
import xarray as xr

from analyses.checks import Verdict, chance, share
from models.distributions import Numbers

ODD = 0.05  # two-sided P below which records are called dependent, shared among the quantities
GAPS = {"a day apart": slice(1, 2), "two days apart": slice(2, 3), "three to eight apart": slice(3, 9)}


def calendar(t: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Subject's position and day of each record, subject after subject, from the table's gaps and mean days."""
    subject, day = [], []
    for i, (gaps, mean) in enumerate(zip(t["gaps"], t["day_mean"], strict=True)):
        since = np.cumsum([0, *map(int, gaps.split())])
        subject.append(np.full(len(since), i))
        day.append(since + mean - since.mean())
    return np.concatenate(subject), np.rint(np.concatenate(day))


def statistics(subject: np.ndarray, day: np.ndarray, y: np.ndarray) -> dict[str, Numbers]:
    """Test quantities of records y (..., N), which stand in order of date, subject after subject.

    Neighbours more than eight days apart are left out, as the table leaves them out.
    """
    size = np.bincount(subject)
    starts = np.cumsum(size) - size

    def of_subjects(x):
        return np.add.reduceat(x, starts, axis=-1)

    e = y - (of_subjects(y) / size)[..., subject]
    since = day - (of_subjects(day) / size)[subject]
    neighbours, gap = subject[1:] == subject[:-1], np.diff(day)
    product = e[..., 1:] * e[..., :-1]
    products = np.stack([np.where(neighbours & (gap == g), product, 0.0).sum(axis=-1) for g in range(9)])
    pairs = np.array([np.sum(neighbours & (gap == g)) for g in range(9)])
    return _described(products, pairs, size.sum(), of_subjects(e**2), of_subjects(since * e), of_subjects(since**2))


def from_table(t: pd.DataFrame) -> dict[str, float]:
    """The same from the sums that the table keeps."""
    products, pairs = (
        np.array([0.0, *(t[f"{name}_gap_{g}"].sum() for g in range(1, 9))]) for name in ("products", "pairs")
    )
    sums = (t[name].to_numpy() for name in ("ss", "day_cross", "day_ss"))
    return _described(products, pairs, t["n"].sum(), *sums)


def _described(products, pairs, records, ss, cross, day_ss):
    """From sums: products and pairs by gap 0..8 first; squares, and products with days, by subject last."""
    variance = ss.sum(axis=-1) / records
    found = {"correlation of neighbours": products.sum(axis=0) / pairs.sum() / variance}
    for name, gaps in GAPS.items():
        found[f"correlation of neighbours {name}"] = products[gaps].sum(axis=0) / pairs[gaps].sum() / variance
    found["trend, mmHg a week"] = 7 * cross.sum(axis=-1) / day_ss.sum()
    found["sd of subjects' trends, mmHg a week"] = 7 * (cross / day_ss).std(axis=-1, ddof=1)
    return found


def replicated(
    subject: np.ndarray, day: np.ndarray, tree: xr.DataTree, *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Test quantities of records that are independent given theta, at every draw of sigma.

    theta drops out, as every quantity is of deviations from a subject's mean.
    """
    sigma = tree["posterior"].dataset["sigma"].values.ravel()
    found = statistics(subject, day, sigma[:, None] * rng.standard_normal((len(sigma), len(subject))))
    return {name: np.asarray(values) for name, values in found.items()}


def table(observed: dict[str, float], replicates: dict[str, np.ndarray]) -> pd.DataFrame:
    """Compare what is observed with replicated records: mean, interval, P(as large)."""
    rows = []
    for name, values in replicates.items():
        low, high = np.quantile(values, [0.025, 0.975])
        rows.append((name, observed[name], values.mean(), low, high, share(values >= observed[name])))
    return pd.DataFrame(rows, columns=["quantity", "observed", "mean", "q2_5", "q97_5", "P(as large)"])


def verdict(rows: pd.DataFrame) -> Verdict:
    """Judge from `table` whether records look independent: by the oddest quantity, with P times their number."""
    p = two_sided(rows)
    found = f"{rows['quantity'][p.idxmin()]} has a two-sided {chance(p.min())}, the smallest of {len(p)} quantities"
    return Verdict("fit", bool(p.min() >= ODD / len(p)), f"independent records: {found}")


def two_sided(rows: pd.DataFrame) -> pd.Series:
    """Two-sided P of each quantity in `table`."""
    return 2 * np.minimum(rows["P(as large)"], 1 - rows["P(as large)"])
