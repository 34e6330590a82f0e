"""Sentences on the figures of a comparison."""

import numpy as np
import pandas as pd
import xarray as xr

from analyses.audit.comparison import LIKELY, Comparison
from analyses.checks import agreement
from analyses.reference import Reference, quantity_name
from analyses.report.numbers import rounded, spelled

ALARM = 1e-5  # bound on the chance that a right sampler is called different: agreement.FALSE_ALARM, and room
MOST_VARIABLES = 4  # that are told of
TAILS = {"below_q5": "below its 5% quantile", "below_q50": "across its median", "below_q95": "above its 95% quantile"}
SHAPES = {(True, False): "too wide", (False, True): "too narrow"}  # more draws than is right below q5, and below q95


def compared(posterior: xr.Dataset, reference: Reference, comparison: Comparison) -> str:
    """Which quantities were compared, each by itself and jointly."""
    sample = posterior.sizes["chain"] * posterior.sizes["draw"]
    names = []
    for name in filter(posterior.data_vars.__contains__, reference.labels):
        count, labels = posterior[name].size // sample, reference.labels[name]
        names.append(name if count == len(labels) else f"{name} ({count} of {len(labels)})")
    joint = comparison.table.loc[comparison.table["joint"], "variable"].unique()
    jointly = ", ".join(joint) or "nothing, only each quantity by itself"
    return f"Compared: {', '.join(names)}. Jointly: {jointly}."


def differences(rows: pd.DataFrame, reference: pd.DataFrame) -> list[str]:
    """Sentences on the variables that are farthest off; on joint statistics only where every quantity is right."""
    describe = _joint_difference if rows["joint"].all() else _difference
    by_variable = [group for _, group in rows[rows["joint"] == rows["joint"].all()].groupby("variable", sort=False)]
    by_variable.sort(key=lambda group: -_size(group["z"]).max())
    return [describe(group, reference) for group in by_variable[:MOST_VARIABLES]]


def _size(z) -> pd.Series:
    return z.abs().fillna(np.inf)


def _joint_difference(rows, reference) -> str:
    """A joint statistic where each quantity agrees by itself."""
    worst = rows.loc[_size(rows["z"]).idxmax()]
    return (
        f"each quantity agrees by itself, but not jointly: {worst['value']:.1%} of the draws have {_name(worst)} below "
        f"{_quantile(worst, reference)} ({_deviate(worst['z'])}){_more(rows, 'it')}"
    )


def _difference(rows, reference) -> str:
    """The worst figure of one variable, and how many more are off."""
    worst = rows.loc[_size(rows["z"]).idxmax()]
    low = worst["z"] < 0
    if worst["statistic"] == "mean":
        value, exact = (spelled(worst[name], _exact(worst, reference)["sd"]) for name in ("value", "exact"))
        figure = f"the mean is {value} where {exact} is right"
    else:
        low = worst["z"] > 0
        quantile = _quantile(worst, reference, _exact(worst, reference)["sd"])
        figure = f"{worst['value']:.1%} of the draws lie below {quantile}"
    too_many = rows[rows["label"] == worst["label"]].set_index("statistic")["z"].gt(0)
    shape = SHAPES.get((too_many.get("below_q5"), too_many.get("below_q95")), "too small" if low else "too large")
    return f"{_name(worst)} is {shape}: {figure} ({_deviate(worst['z'])}){_more(rows, worst['variable'])}"


def _more(rows, name) -> str:
    return f"; {len(rows) - 1} more figures of {name} are off" if len(rows) > 1 else ""


def _deviate(z) -> str:
    """A normal deviate; of one beyond 38 no double holds how rare it is."""
    return f"z = {z:+.0f}" if np.isfinite(z) else "z beyond 38"


def _name(row) -> str:
    return quantity_name((row["variable"], row["label"]))


def _exact(row, reference) -> pd.Series:
    return reference.loc[(row["variable"], row["label"])]


def _quantile(row, reference, sd=None) -> str:
    """The quantile that a share is of, with as many digits as an sd tells, or else the width of the posterior."""
    column, p = agreement.SHARES[row["statistic"]]
    exact = _exact(row, reference)
    return f"{spelled(exact[column], sd or exact['q95'] - exact['q5'])}, the {p:.0%} quantile"


def too_slow(comparison: Comparison, needed: int) -> str:
    """Which figure has too few effective draws, by their correlation or else by visits to its tail."""
    rows = comparison.alone
    row = rows.loc[rows["ess"].idxmin()]
    if row["ess"] < needed:
        return f"the effective sample size of {_name(row)} is {row['ess']:.0f}, and {needed:,} are needed"
    row = rows.loc[rows["size_of_visits"].idxmin()]
    quantile = _quantile(row, comparison.reference).partition(", the ")[0]
    times = f"only {row['visits']:.0f} times" if row["visits"] >= 1 else "never"
    return (
        f"the draws of {_name(row)} go {TAILS[row['statistic']]}, {quantile}, {times}: either the chains are slow "
        f"there, or the sampler leaves out a part. The visits are worth {row['size_of_visits']:.0f} effective draws, "
        f"and {needed:,} are needed"
    )


def no_difference(comparison: Comparison) -> str:
    """How many figures agree, and how large an error would have been found."""
    alone, joint = comparison.alone, comparison.table["joint"].sum()
    smallest = alone.groupby("statistic")["smallest"].max()
    errors = [f"{rounded(smallest['mean'])} posterior sds in a mean"] if "mean" in smallest else []
    shares = agreement.SHARES.items()
    errors += [f"{smallest[statistic]:.1%} of the draws below the {p:.0%} quantile" for statistic, (_, p) in shares]
    jointly = f", nor in {joint} of joint statistics" if joint else ""
    return f"No difference found in {len(alone)} figures, down to {', '.join(errors)}{jointly}."


def error_rates(comparison: Comparison) -> str:
    """How likely a wrong verdict is, in either direction."""
    return (
        f"{comparison.tests} tests, each called a difference beyond {comparison.limit:.1f} Monte Carlo errors: a right "
        f"sampler is called different with probability 1 in {1 / ALARM:,.0f} at most, unless its chains are slow in "
        f"something that none of these figures shows; an error of the size stated is missed with probability "
        f"{1 - LIKELY:.0%}. Smallest effective sample size {comparison.size:.0f}."
    )
