"""Which of very many groups are truly extreme: the probability to be among the top 1%, and what a list is worth."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from analyses.checks import Verdict, chance
from analyses.checks.league_table import End, data_columns
from analyses.engines import all_groups, top_probability
from analyses.engines.exact import Posterior
from analyses.engines.inference_data import QUANTILES
from analyses.engines.summary_tables import CROWD

ROUNDING = 1e-12  # of a share: far more than a sum of a million terms is off by
FAR = 0.001  # two-sided P of a group that is called far out
EXTREME = 0.01  # two-sided P of the number of them, below which the model is called a misfit
TOLERATED = (0.01, 0.05, 0.1, 0.2, 0.5)  # shares of false discoveries in a list


class Extremes(NamedTuple):
    """Figures of every group, and of the threshold.

    Attributes
    ----------
    groups : DataFrame
        Rows of groups.parquet.
    threshold : Series
        Quantiles of the theta at which the top 1% begin, by name.
    draws : int
        Joint draws behind the threshold and p_top.
    off : float
        Largest error of the intervals' ends, in posterior widths; see `all_groups.theta_quantiles`.
    """

    groups: pd.DataFrame
    threshold: pd.Series
    draws: int
    off: float


def table(posterior: Posterior, *, best: End, rng: np.random.Generator, show: bool = False) -> Extremes:
    """Moments, quantiles and P(top 1%) of every group; with `show` it tells how far it is.

    p_above is empty until a threshold is asked for.
    """
    quantiles, off = all_groups.theta_quantiles(posterior, list(QUANTILES.values()), show=show)
    among = top_probability.probabilities(posterior, sign=1 if best == "high" else -1, rng=rng, show=show)
    columns = data_columns(posterior.model.groups) | {
        **{name: values.to_numpy() for name, values in all_groups.theta_and_kappa(posterior).items()},
        **{f"theta_{name}": values for name, values in zip(QUANTILES, quantiles, strict=True)},
        "p_top": among.p,
        "mcse_p_top": among.error,
        "p_as_small": all_groups.predictive_pit(posterior, show=show),
    }
    threshold = pd.Series({name: np.quantile(among.threshold, p) for name, p in QUANTILES.items()})
    return Extremes(pd.DataFrame(columns, columns=CROWD), threshold, len(among.threshold), off)


def discoveries(p_top: np.ndarray) -> pd.DataFrame:
    """The longest lists of the likeliest groups of which no more than a share is expected to be false.

    Returns
    -------
    DataFrame
        no more false than, groups in the list, expected false, least probability; a row for each share that leaves any.
    """
    ordered = np.sort(p_top)[::-1]
    false = np.cumsum(1 - ordered)
    share = false / np.arange(1, len(ordered) + 1)  # it grows with the list, but for rounding
    rows = []
    for most in TOLERATED:
        if size := int(np.max(np.flatnonzero(share <= most * (1 + ROUNDING)), initial=-1)) + 1:
            rows.append((f"{100 * most:.0f}%", size, float(false[size - 1]), float(ordered[size - 1])))
    return pd.DataFrame(rows, columns=["no more false than", "groups in the list", "expected false", "least p_top"])


def two_sided(groups: pd.DataFrame) -> pd.Series:
    """Two-sided P of each group's mean in what the population predicts for it."""
    return 2 * groups["p_as_small"].where(groups["p_as_small"] < 0.5, 1 - groups["p_as_small"])


def fit(groups: pd.DataFrame) -> Verdict:
    """Judge whether as many groups are far out as the model predicts: given the population they are independent."""
    size, count = len(groups), int((two_sided(groups) < FAR).sum())
    law = stats.binom(size, FAR)
    p = min(1.0, 2 * min(law.cdf(count), law.sf(count - 1)))
    figures = f"{count:,} of {size:,}, {FAR * size:,.1f} expected, two-sided {chance(p)}"
    return Verdict("fit", bool(p >= EXTREME), f"groups among the outermost 0.1%: {figures}")
