"""Is sigma common to all groups? The classical tests, from what a table of groups has (seed 000, part 1, F)."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from models.distributions import Numbers
from models.groups import Replicates


class Test(NamedTuple):
    """Statistic and p of a test by its name."""

    test: str
    statistic: float
    p: float


def bartlett(groups: Replicates) -> Test:
    """Bartlett's test, for groups of two or more; it assumes that the rows are normal."""
    several = groups.df > 0
    df, ss = groups.df[several], groups.ss[several]
    spread = df.sum() * np.log(ss.sum() / df.sum()) - np.sum(df * np.log(ss / df))
    statistic = spread / (1 + (np.sum(1 / df) - 1 / df.sum()) / (3 * (len(df) - 1)))
    return Test("Bartlett", statistic, stats.chi2.sf(statistic, len(df) - 1))


def levene(name: str, groups: Replicates, absolute: np.ndarray, shift: Numbers = 0.0) -> Test:
    """Levene's test: analysis of variance of the absolute deviations from a group's middle.

    Parameters
    ----------
    name : str
    groups : Replicates
    absolute : ndarray (J,)
        Sums of absolute deviations from the middle.
    shift : ndarray (J,)
        Mean minus middle: 0 for Levene's own test, mean minus median for Brown and Forsythe's.
    """
    n, z = groups.n, absolute / groups.n
    df, df_within = len(n) - 1, n.sum() - len(n)
    within = np.sum(groups.ss + n * shift**2 - n * z**2)
    between = np.sum(n * (z - np.average(z, weights=n)) ** 2)
    statistic = (between / df) / (within / df_within)
    return Test(name, statistic, stats.f.sf(statistic, df, df_within))


def table(groups: Replicates, t: pd.DataFrame) -> pd.DataFrame:
    """All three tests; `t` has median, absolute_from_mean and absolute_from_median of each group."""
    from_mean, from_median = (t[f"absolute_from_{middle}"].to_numpy() for middle in ("mean", "median"))
    shift = (t["mean"] - t["median"]).to_numpy()
    tests = [
        bartlett(groups),
        levene("Levene", groups, from_mean),
        levene("Brown and Forsythe", groups, from_median, shift),
    ]
    return pd.DataFrame(tests)
