"""Welch's t-test of a treatment, on all records or on subjects' means, from their table (seed 000, 2A and 2B)."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from models.groups import Replicates


class Difference(NamedTuple):
    """Treated less control, its standard error, degrees of freedom, 95% interval and two-sided p."""

    value: float
    error: float
    df: float
    low: float
    high: float
    p: float


Sample = tuple[float, float, float]  # mean, variance and size


def on_records(groups: Replicates) -> Difference:
    """Every record for one of a subject of its own."""
    arms = []
    for arm in _arms(groups):
        n, mean = groups.n[arm], groups.mean[arm]
        grand = np.average(mean, weights=n)
        ss = groups.ss[arm].sum() + np.sum(n * (mean - grand) ** 2)
        arms.append((grand, ss / (n.sum() - 1), n.sum()))
    return welch(*arms)


def on_means(groups: Replicates) -> Difference:
    """Every subject's mean for one observation, as good as any other."""
    return welch(*((m.mean(), m.var(ddof=1), len(m)) for m in (groups.mean[arm] for arm in _arms(groups))))


def welch(treated: Sample, control: Sample) -> Difference:
    """Compare two samples, each given by mean, variance and size."""
    (m1, v1, n1), (m0, v0, n0) = treated, control
    parts = np.array([v1 / n1, v0 / n0])
    df, error = parts.sum() ** 2 / np.sum(parts**2 / np.array([n1 - 1, n0 - 1])), np.sqrt(parts.sum())
    half = stats.t.ppf(0.975, df) * error
    p = 2 * stats.t.sf(abs(m1 - m0) / error, df)
    return Difference(m1 - m0, error, df, m1 - m0 - half, m1 - m0 + half, p)


def _arms(groups):
    """Treated and control: the only covariate is 1 or 0."""
    return groups.design[:, 1] == 1, groups.design[:, 1] == 0
