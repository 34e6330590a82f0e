"""Which of very many groups are truly extreme: the chance to be beyond a threshold, and what a list of them is worth.

Among a million groups nobody is best with any probability to speak of. What can be asked is who is among the top 1%:
beyond the threshold that so many theta are expected to be beyond.
"""

import numpy as np
import pandas as pd
from scipy import optimize
from scipy.special import ndtr

from analyses.checks.shrinkage import End
from analyses.engines import sweep
from analyses.engines.exact import Posterior
from analyses.tables import CROWD
from models.groups import Estimates, Replicates

TOP = 0.01  # of the groups
ROUNDING = 1e-12  # of a share: far more than a sum of a million terms is off by
TOLERATED = (0.01, 0.05, 0.1, 0.2, 0.5)  # shares of false discoveries in a list


def table(posterior: Posterior, *, best: End, show: bool = False) -> tuple[pd.DataFrame, float, float]:
    """Rows of groups.parquet; with `show` it tells how far it is.

    Returns
    -------
    groups : DataFrame
    threshold : float
        That of the top 1%.
    error : float
        Largest of the intervals' ends, in posterior widths; see `sweep.theta_quantiles`.
    """
    g, found = posterior.model.groups, sweep.theta_and_kappa(posterior)
    ends, error = sweep.theta_quantiles(posterior, sweep.ENDS, show=show)
    threshold = beyond(found["theta_mean"].to_numpy(), found["theta_sd"].to_numpy(), best=best)
    above = sweep.theta_above(posterior, threshold, show=show)
    columns = {
        "label": g.labels,
        "n": g.n.astype(int) if isinstance(g, Replicates) else None,
        "standard_error": g.standard_error if isinstance(g, Estimates) else None,
        "estimate": g.mean,
        **{name: found[name].to_numpy() for name in found},
        "theta_q2_5": ends[0],
        "theta_q97_5": ends[1],
        "p_top": above if best == "high" else 1 - above,
        "p_as_small": sweep.foretold(posterior, show=show),
    }
    return pd.DataFrame(columns, columns=CROWD), threshold, error


def beyond(mean: np.ndarray, sd: np.ndarray, *, best: End, share: float = TOP) -> float:
    """Threshold that a share of all theta is expected to be beyond, were each of them normal."""
    sign = 1.0 if best == "high" else -1.0
    centre, reach = mean.mean(), 10 * (mean.std() + sd.max())

    def excess(t):
        return np.mean(ndtr(sign * (mean - t) / sd)) - share

    return float(optimize.brentq(excess, centre - reach, centre + reach))


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
