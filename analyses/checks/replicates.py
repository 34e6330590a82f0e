"""Test quantities of the data beside those of replicated data."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from models.distributions import Numbers


def share(holds: np.ndarray) -> float:
    """Monte Carlo P, which counts the data among the draws and so is never 0."""
    return float((np.sum(holds) + 1) / (np.size(holds) + 1))


def compare(observed: Mapping[str, Numbers], replicated: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Compare what is observed with replicated data.

    Parameters
    ----------
    observed, replicated : dict
        Quantity to its values, of replicated data at each draw; what is observed has one value for all draws, or one
        for each where the quantity depends on parameters too.

    Returns
    -------
    DataFrame
        quantity, observed (on average), mean, q2_5, q97_5, P(as large).
    """
    rows = []
    for name, values in replicated.items():
        low, high = np.quantile(values, [0.025, 0.975])
        as_large = share(values >= observed[name])
        rows.append((name, np.mean(observed[name]), values.mean(), low, high, as_large))
    return pd.DataFrame(rows, columns=["quantity", "observed", "mean", "q2_5", "q97_5", "P(as large)"])
