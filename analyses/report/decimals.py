"""Tables as text: where a spread tells how many decimals mean something, the same all the way down a column."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from analyses.report.numbers import places, probability_in_table, spelled

NAMED = ("variable", "quantity", "covariate", "statistic")  # columns that say of what a row is
SPREADS = ("sd", "theta_sd", "standard error")
LOCATED = {  # columns on the scale that those are on
    *("mean", "sd", "q2_5", "q50", "q97_5", "observed", "estimate", "REML", "standard error", "difference"),
    *("theta_mean", "theta_sd", "theta_q2_5", "theta_q97_5"),
    *("theta: mean", "A minus this school", "at the means", "simulated", "gain"),
    *("truth", "empirical Bayes", "NUTS", "Gibbs", "exact", "with the first priors"),
}
MOST, LARGEST = 9, 15  # decimals, and digits in all: beyond them powers of ten are easier to read, or doubles have none
ERRORS = {"mcse_mean", "mcse_p_best", "mcse_p_top", "mcse_log_density"}
PROBABILITIES = {
    *("p_best", "p_among", "p_top", "p_above", "p_as_small", "p", "P(above 0)", "P(as large)", "two-sided P"),
    *("P, alike", "P, differing", "P(A is greater)", "p, or 2 P(beta > 0)", "least p_top"),
}
DECIMALS = {  # of columns that are on the same scale whatever the data
    **dict.fromkeys(("rank_q2_5", "rank_q97_5", "ess", "ess_bulk", "ess_tail"), 0),
    "rank_mean": 1,
    **dict.fromkeys(("log_density", "pareto_k", "e_bfmi"), 2),
    **dict.fromkeys(("kappa_mean", "kappa_sd", "r_hat"), 3),
}


def cells(table: pd.DataFrame) -> Iterator[list[str]]:
    """Rows of a table as text, nothing where there is nothing.

    A mean and its interval have the decimals that tell a tenth of the smallest sd among the rows of their variable, but
    of one whose sds are far apart one more than their median needs at most. Every covariate has a scale of its own.
    """
    rows = table.to_dict("records")
    spreads = [_spread(row) for row in rows]
    for row, sd, decimals in zip(rows, spreads, _shared(table, spreads), strict=True):
        yield [_cell(value, name, sd, decimals) for name, value in row.items()]


def _shared(table, spreads) -> np.ndarray:
    """Decimals of each row's located columns; nan where no spread tells."""
    by = next((table[name] for name in NAMED if name in table), pd.Series("", table.index))
    by = (by.mask(by == "beta", table["label"]) if "label" in table else by).to_numpy()
    sd = pd.Series(spreads, dtype=float)
    needed = sd.map(places, na_action="ignore").groupby(by).transform("max")
    usual = sd.groupby(by).transform("median").map(places, na_action="ignore")
    return np.fmin(needed, usual + 1).to_numpy()


def _spread(row) -> float:
    """What tells how many digits of a row mean something: its sd, else the width of its interval, else its error."""
    given = [row.get(name) for name in SPREADS]
    low, high = row.get("q2_5"), row.get("q97_5")
    if isinstance(low, float) and isinstance(high, float):
        given.insert(2, (high - low) / 4)
    return next((sd for sd in given if isinstance(sd, float | int) and 0 < sd < math.inf), math.nan)


def _cell(value, name, sd, decimals) -> str:
    if isinstance(value, str | bool):
        return str(value)
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if name in PROBABILITIES:
        return probability_in_table(value)
    if name in ERRORS:
        return spelled(value, value, least=1)
    if name not in LOCATED:
        sd, decimals = None, DECIMALS.get(name, math.nan)
    if not (decimals <= MOST and abs(value) < 10.0 ** (LARGEST - decimals)):
        return spelled(value, sd)
    if name in (*DECIMALS, *SPREADS) and 0 < abs(value) < 0.5 * 10.0**-decimals:
        return spelled(value, value, least=1)
    return f"{round(value, int(decimals)) + 0.0:.{int(decimals)}f}"  # no -0.0
