"""Is this the right posterior? Each quantity of an engine's draws against the exact one, in Monte Carlo errors.

Two kinds of statistic, chosen to stay honest where tails are heavy:

- the mean, with the exact sd over the root of the effective sample size as its standard error;
- the share of draws below the exact 5, 50 and 95% quantiles: p(1 - p) over the effective sample size of the indicator.

All kappa_i are monotone in the same ratio of scales, so together they are one test.
"""

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import ndtri

from analyses.checks import Verdict
from analyses.engines import effective_size
from analyses.engines.inference_data import NAMES, SAMPLE
from analyses.engines.summary_tables import flat, stacked

SHARES = {"below_q5": ("q5", 0.05), "below_q50": ("q50", 0.5), "below_q95": ("q95", 0.95)}
LEAST_ESS = 100  # fewer, and a share's error is no normal; a chain that is stuck must not pass for want of power

# Of one verdict, were z normal. It is not quite: shares near 5% are skewed and effective sizes are estimated, so that
# alarms are up to seventeen times as many, and a run of every study gives some thirty verdicts. Together that is one
# red run in seven thousand at most, counted and computed in tests/checks/test_agreement.py.
FALSE_ALARM = 3e-7


def table(tree: xr.DataTree, reference: pd.DataFrame) -> pd.DataFrame:
    """Compare every mean and share with the exact ones.

    Parameters
    ----------
    tree : DataTree
        Of any engine.
    reference : DataFrame
        `table` of the exact posterior.

    Returns
    -------
    DataFrame
        Rows of agreement.csv, and `ess`.
    """
    index, draws = stacked(tree["posterior"].dataset)
    exact = reference.loc[index]
    rows = [_rows("mean", index, draws, exact["mean"], exact["sd"])]
    for statistic, (quantile, p) in SHARES.items():
        below = draws <= exact[quantile].to_numpy()[:, None, None]
        rows.append(_rows(statistic, index, below.astype(float), p, np.sqrt(p * (1 - p))))
    engine = tree["posterior"].attrs["engine"]
    return pd.concat(rows).dropna(subset=["exact", "mcse"]).reset_index().assign(engine=engine)


def between(one: xr.DataTree, two: xr.DataTree) -> pd.DataFrame:
    """Compare two engines where no exact posterior is known: each mean, and each share below quantiles of both's draws.

    Returns
    -------
    DataFrame
        As `table` has it, `exact` being the other engine's value, `mcse` the error of the difference, `ess` the smaller
        of the two.
    """
    posteriors = [tree["posterior"].dataset.drop_attrs() for tree in (one, two)]
    stacks = [posterior.stack(sample=SAMPLE, create_index=False) for posterior in posteriors]
    pooled = xr.concat(stacks, "sample").transpose("sample", ...)
    moments = {"mean": pooled.mean("sample"), "sd": pooled.std("sample", ddof=1)}
    quantiles = {q: pooled.quantile(p, "sample").drop_vars("quantile") for q, p in SHARES.values()}
    reference = pd.DataFrame({name: flat(statistics) for name, statistics in (moments | quantiles).items()})
    key = ["variable", "label", "statistic"]
    a, b = (table(tree, reference).set_index(key) for tree in (one, two))
    names = " and ".join(NAMES[tree["posterior"].attrs["engine"]] for tree in (one, two))
    error, smaller = np.hypot(a["mcse"], b["mcse"]), np.minimum(a["ess"], b["ess"])
    z = (a["value"] - b["value"]) / error
    return a.assign(engine=names, exact=b["value"], mcse=error, ess=smaller, z=z).reset_index()


def _rows(statistic, index, draws, exact, sd):
    """Rows for the means of some draws that have that exact mean and sd."""
    size = draws.shape[1] * draws.shape[2]
    ess = effective_size.of_mean(draws)
    # A constant has no effective sample size: count its draws as independent, which damns it where it is wrong.
    # A size beyond the draws' number is mostly the noise of its own estimate.
    ess = np.minimum(np.where(np.isnan(ess), size, ess), size)
    value = draws.mean(axis=(1, 2))
    out = pd.DataFrame({"statistic": statistic, "value": value, "exact": exact, "ess": ess}, index=index)
    out["mcse"] = sd / np.sqrt(ess)
    return out.assign(z=(out["value"] - out["exact"]) / out["mcse"])


def limit(tests: int) -> float:
    """Largest |z| that so many tests of a correct engine exceed with probability FALSE_ALARM."""
    return float(-ndtri(FALSE_ALARM / (2 * tests)))


def tests(table: pd.DataFrame) -> int:
    """Count the tests in a table; kappa is one for each statistic."""
    label = table["label"].where(table["variable"] != "kappa", "")
    return len(table[["engine", "variable", "label", "statistic"]].assign(label=label).drop_duplicates())


def verdict(table: pd.DataFrame) -> Verdict:
    """Judge one engine's rows, or those of two engines against each other."""
    engine, most = table["engine"].iloc[0], limit(tests(table))
    engine, other = (NAMES[engine], "the exact posterior") if engine in NAMES else (engine, "each other")
    worst = table.loc[table["z"].abs().fillna(np.inf).idxmax()]  # a z that is no number is the worst, not none
    size, z = table["ess"].min(), worst["z"]
    figure = " ".join(filter(None, (worst["variable"], worst["label"], worst["statistic"])))
    if not abs(z) <= most:
        finding = f"differs from {other}: {figure} is off by z = {z:+.1f}, limit {most:.1f}"
    elif not size >= LEAST_ESS:
        finding = f"an effective sample size of {size:.0f} is too small to compare with {other}"
    else:
        finding = f"agrees with {other} in {len(table)} figures, largest |z| {abs(z):.1f} ({figure}), limit {most:.1f}"
    return Verdict("agreement", bool(abs(z) <= most and size >= LEAST_ESS), f"{engine}: {finding}")
