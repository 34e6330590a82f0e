"""Is sigma common to all groups? The classical tests, from what a table of groups has (seed 000, part 1, F)."""

import numpy as np
import pandas as pd
from scipy import stats

from models.distributions import Numbers
from models.groups import Replicates


def bartlett(groups: Replicates) -> tuple[float, float]:
    """Statistic and p of Bartlett's test, for groups of two or more; it takes the rows for normal."""
    several = groups.df > 0
    df, ss = groups.df[several], groups.ss[several]
    pooled = ss.sum() / df.sum()
    spread = df.sum() * np.log(pooled) - np.sum(df * np.log(ss / df))
    correction = 1 + (np.sum(1 / df) - 1 / df.sum()) / (3 * (len(df) - 1))
    return spread / correction, stats.chi2.sf(spread / correction, len(df) - 1)


def levene(n: np.ndarray, ss: np.ndarray, absolute: np.ndarray, shift: Numbers = 0.0) -> tuple[float, float]:
    """Statistic and p of Levene's test: analysis of variance of the absolute deviations from a group's middle.

    Parameters
    ----------
    n, ss : ndarray (J,)
        Sizes, and sums of squared deviations from the mean.
    absolute : ndarray (J,)
        Sums of absolute deviations from the middle.
    shift : ndarray (J,)
        Mean less middle: 0 for Levene's own test, mean less median for Brown and Forsythe's.
    """
    z, rows = absolute / n, n.sum()
    within = np.sum(ss + n * shift**2 - n * z**2)
    between = np.sum(n * (z - np.average(z, weights=n)) ** 2)
    statistic = (between / (len(n) - 1)) / (within / (rows - len(n)))
    return statistic, stats.f.sf(statistic, len(n) - 1, rows - len(n))


def table(groups: Replicates, t: pd.DataFrame) -> pd.DataFrame:
    """All three tests; `t` has median, absolute_from_mean and absolute_from_median of each group."""
    n, shift = groups.n, (t["mean"] - t["median"]).to_numpy()
    of_mean, of_median = (t[f"absolute_from_{middle}"].to_numpy() for middle in ("mean", "median"))
    rows = [
        ("Bartlett", *bartlett(groups)),
        ("Levene", *levene(n, groups.ss, of_mean)),
        ("Brown and Forsythe", *levene(n, groups.ss, of_median, shift)),
    ]
    return pd.DataFrame(rows, columns=["test", "statistic", "p"])
