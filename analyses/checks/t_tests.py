"""Welch's t-test of a treatment, on all records or on subjects' means, from their table (seed 000, 2A and 2B)."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from models.groups import Replicates


class Difference(NamedTuple):
    """Treated minus control, its standard error, degrees of freedom, 95% interval and two-sided p."""

    value: float
    error: float
    df: float
    low: float
    high: float
    p: float


class Sample(NamedTuple):
    """Summary of a sample."""

    mean: float
    variance: float
    size: float


def on_records(groups: Replicates) -> Difference:
    """Compare the arms as if every record were of another subject."""

    def sample(arm):
        n, mean = groups.n[arm], groups.mean[arm]
        grand = np.average(mean, weights=n)
        ss = groups.ss[arm].sum() + np.sum(n * (mean - grand) ** 2)
        return Sample(grand, ss / (n.sum() - 1), n.sum())

    return welch(*map(sample, _arms(groups)))


def on_means(groups: Replicates) -> Difference:
    """Compare the arms by subjects' means, each an observation as good as any other."""
    means = (groups.mean[arm] for arm in _arms(groups))
    return welch(*(Sample(mean.mean(), mean.var(ddof=1), len(mean)) for mean in means))


def welch(treated: Sample, control: Sample) -> Difference:
    """Welch's t-test of two samples."""
    parts = np.array([sample.variance / sample.size for sample in (treated, control)])
    df = parts.sum() ** 2 / np.sum(parts**2 / np.array([treated.size - 1, control.size - 1]))
    value, error = treated.mean - control.mean, np.sqrt(parts.sum())
    half = stats.t.ppf(0.975, df) * error
    return Difference(value, error, df, value - half, value + half, 2 * stats.t.sf(abs(value) / error, df))


def _arms(groups) -> list[np.ndarray]:
    """Which groups are treated and which are controls: the only covariate is 1 or 0."""
    return [groups.design[:, 1] == treatment for treatment in (1, 0)]
