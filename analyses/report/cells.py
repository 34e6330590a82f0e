"""Tables as text: in a column the same decimals all the way down, as many as mean something."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from analyses.report.numbers import places, spelled

NAMED = ("variable", "quantity", "covariate")  # columns that say of what a row is
SPREADS = ("sd", "theta_sd", "standard error")
LOCATED = {  # columns on the scale that those are on
    *("mean", "sd", "q2_5", "q50", "q97_5", "observed", "estimate", "REML", "standard error", "difference"),
    *("theta_mean", "theta_sd", "theta_q2_5", "theta_q97_5"),
    *("truth", "empirical Bayes", "NUTS", "Gibbs", "exact", "with the first priors"),
}
ERRORS = {"mcse_mean", "mcse_p_best"}
DECIMALS = {  # of columns that are on the same scale whatever the data
    **dict.fromkeys(("rank_q2_5", "rank_q97_5", "ess", "ess_bulk", "ess_tail"), 0),
    **dict.fromkeys(("rank_mean",), 1),
    **dict.fromkeys(("log_density", "pareto_k", "e_bfmi"), 2),
    **dict.fromkeys(("kappa_mean", "kappa_sd", "p_best", "p_among", "p_top", "p_above", "r_hat"), 3),
}


def cells(table: pd.DataFrame) -> Iterator[list[str]]:
    """Rows of a table as text, nothing where there is nothing.

    A mean and its interval have the decimals that tell a tenth of the smallest sd among the rows of their variable, but
    of a table whose sds are far apart one more than its median needs at most.
    """
    rows = table.to_dict("records")
    for row, decimals in zip(rows, _of_rows(table, rows), strict=True):
        yield [_cell(value, name, decimals) for name, value in row.items()]


def _of_rows(table, rows) -> list[int | None]:
    """Decimals of each row's located columns; None where no spread tells."""
    by = next((table[name] for name in NAMED if name in table), pd.Series("", table.index)).to_numpy()
    spread = pd.Series([_spread(row) for row in rows], dtype=float)
    needed = spread.map(places, na_action="ignore").groupby(by)
    most = np.fmin(needed.transform("max"), spread.groupby(by).transform("median").map(places, na_action="ignore") + 1)
    return [None if math.isnan(decimals) else int(decimals) for decimals in most]


def _spread(row) -> float:
    """What tells how many digits of a row mean something: its sd, else the width of its interval, else its error."""
    given = [row.get(name) for name in SPREADS]
    low, high = row.get("q2_5"), row.get("q97_5")
    if isinstance(low, float) and isinstance(high, float):
        given.insert(2, (high - low) / 4)
    return next((sd for sd in given if isinstance(sd, float) and 0 < sd < math.inf), math.nan)


def _cell(value, name, decimals) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if name in ERRORS:
        return spelled(value, value, least=1)
    decimals = decimals if name in LOCATED else DECIMALS.get(name)
    return spelled(value) if decimals is None else f"{round(value, decimals) + 0.0:.{decimals}f}"  # no -0.0
