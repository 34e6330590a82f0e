"""What the draws of a stranger's sampler say against a reference posterior, and what they could not have said.

The test is the one that every run of our own engines passes (`checks.agreement`): means, and shares of draws below the
exact 5, 50 and 95% quantiles, in Monte Carlo errors from effective sample sizes.
"""

from dataclasses import dataclass

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from scipy import special, stats

from analyses.checks import agreement
from analyses.reference import Reference
from analyses.report.numbers import rounded, spelled
from analyses.tables import flat

LIKELY = 0.95  # the chance with which the smallest error that is stated would have been found
MOST_R_HAT = 1.05  # beyond it chains have not seen the same posterior, whatever the draws' mean
ALARM = 1e-5  # bound on the chance that a right sampler is called different: agreement.FALSE_ALARM, and room
WORST = 4  # variables that are told of
LEAST = 1000  # effective draws: with fewer an empty tail would hardly be seen, or not at all


@dataclass(frozen=True, eq=False, kw_only=True)
class Finding:
    """Whether a difference was found, in sentences.

    Attributes
    ----------
    passed : bool or None
        None where the draws are too few to tell.
    sentence : str
    more : tuple of str
        What is off, quantity by quantity, and what would explain it; or how large an error could have been missed.
    table : DataFrame
        Every figure that was compared: those of agreement.csv, and `smallest`, the error of it that would have been
        found with probability LIKELY, in posterior sds of a mean and in shares of draws.
    """

    passed: bool | None
    sentence: str
    more: tuple[str, ...]
    table: pd.DataFrame


def audit(tree: xr.DataTree, reference: Reference, others: list[Reference]) -> Finding:
    """Hold draws against the reference; where they differ, say how, and whether another posterior explains them.

    Parameters
    ----------
    tree : DataTree
        Of `draws.named`.
    reference : Reference
    others : list of Reference
        Of the same data, under other priors.
    """
    table = _compared(tree, reference)
    most = agreement.limit(agreement.tests(table))
    mixed = _mixing(tree, table)
    wrong = table[~(table["z"].abs() <= most)]
    said = tuple(_of_variable(name, rows, reference) for name, rows in _worst(wrong))
    if mixed:  # then no error of theirs is known, and nothing is said of how likely an alarm would be
        return Finding(passed=False, sentence=f"These draws cannot be trusted: {mixed}.", more=said, table=table)
    if wrong.empty and (few := _too_few(table)):
        return Finding(passed=None, sentence=few, more=(), table=table)
    if wrong.empty:
        return Finding(passed=True, sentence=_nothing_found(table), more=(_alarm(table, most),), table=table)
    more = (*said, *_explained(tree, reference, others, most), _alarm(table, most))
    sentence = f"These draws are not from this posterior: {len(wrong)} of {len(table)} figures differ."
    return Finding(passed=False, sentence=sentence, more=more, table=table)


def _compared(tree, reference):
    table = agreement.table(tree, reference.table)
    limit, z = agreement.limit(agreement.tests(table)), stats.norm.ppf(LIKELY)
    shares = table["statistic"].map({name: p for name, (_, p) in agreement.SHARES.items()})  # nan for a mean
    of_mean = (limit + z) / np.sqrt(table["ess"])
    smallest, exact = of_mean.where(shares.isna(), _smallest(table, shares, limit)), _exact_z(table, shares)
    return table.assign(smallest=smallest, z=table["z"].where(shares.isna(), exact))


def _smallest(table, p, limit):
    """How far a share has to be off, towards one half, to go beyond the limit with probability LIKELY."""
    p, n = np.minimum(p, 1 - p), np.floor(table["ess"])
    least = stats.binom.isf(stats.norm.sf(limit), n, p) + 1
    return special.betaincinv(least, n - least + 1, LIKELY) - p


def _exact_z(table, p):
    """The normal deviate that is as rare as so uneven a share: a binomial's tails near 5% are no normal's."""
    n = np.floor(table["ess"])
    k = table["value"] * n
    above, below = special.betainc(k, n - k + 1, p), special.betaincc(k + 1, n - k, p)
    return np.where(table["value"] > p, -special.ndtri(above), special.ndtri(below))


def _too_few(table) -> str:
    """What has to be had before no difference means anything."""
    row = table.loc[table["ess"].idxmin()]
    if row["ess"] >= LEAST:
        return ""
    of = _name((row["variable"], row["label"]))
    return (
        f"Too few draws to tell: the effective sample size of {of} is {row['ess']:.0f}, and {LEAST:,} are needed to "
        "see that a tail is missing. No figure differs so far."
    )


def _mixing(tree, table) -> str:
    """Why the draws say nothing, if they do not."""
    posterior = tree["posterior"].dataset
    faults = []
    if posterior.sizes["chain"] > 1:
        with np.errstate(divide="ignore", invalid="ignore"):  # chains that never move
            r_hat = flat(az.rhat(posterior)).fillna(np.inf)
        if not r_hat.max() <= MOST_R_HAT:
            faults.append(
                f"the chains do not agree with each other, R-hat of {_name(r_hat.idxmax())} is {r_hat.max():.2f}"
            )
    if not table["ess"].min() >= agreement.LEAST_ESS:
        row = table.loc[table["ess"].idxmin()]
        of = _name((row["variable"], row["label"]))
        faults.append(f"the effective sample size of {of} is {row['ess']:.0f}, and {agreement.LEAST_ESS} are needed")
    return "; ".join(faults)


def _name(key) -> str:
    return f"{key[0]}[{key[1]}]" if key[1] else key[0]


def _worst(wrong):
    """Rows of the variables that are farthest off, the farthest first."""
    by_variable = list(wrong.groupby("variable", sort=False))
    return sorted(by_variable, key=lambda item: -item[1]["z"].abs().fillna(np.inf).max())[:WORST]


def _deviate(z) -> str:
    """A normal deviate; of one beyond 38 no double holds how rare it is."""
    return f"z = {z:+.0f}" if np.isfinite(z) else "z beyond 38"


def _of_variable(name, rows, reference) -> str:
    """One sentence on the worst figure of one variable, and how many more are off."""
    worst = rows.loc[rows["z"].abs().fillna(np.inf).idxmax()]
    key = (name, worst["label"])
    if worst["statistic"] == "mean":
        sd = reference.table.loc[key, "sd"]
        found = f"the mean is {spelled(worst['value'], sd)} where {spelled(worst['exact'], sd)} is right"
        low = worst["z"] < 0
    else:
        column, p = agreement.SHARES[worst["statistic"]]
        at = spelled(reference.table.loc[key, column], reference.table.loc[key, "sd"])
        found = f"{worst['value']:.1%} of the draws lie below {at}, the {p:.0%} quantile"
        low = worst["z"] > 0
    others = rows.drop(index=worst.name)
    tails = {row["statistic"]: row["z"] > 0 for _, row in rows[rows["label"] == worst["label"]].iterrows()}
    wide = tails.get("below_q5") is True and tails.get("below_q95") is False
    narrow = tails.get("below_q5") is False and tails.get("below_q95") is True
    how = "too wide" if wide else "too narrow" if narrow else "too small" if low else "too large"
    more = f"; {len(others)} more figures of {name} are off" if len(others) else ""
    return f"{_name(key)} is {how}: {found} ({_deviate(worst['z'])}){more}"


def _explained(tree, reference, others, most) -> list[str]:
    """What would make the draws right: another prior, or a variance in the place of an sd."""
    said = []
    for other in others:
        if agreement.table(tree, other.table)["z"].abs().max() <= most:
            priors = ", ".join(f"{name} ~ {prior}" for name, prior in other.priors.items())
            said.append(f"they agree with {other.name}: {priors}")
    posterior = tree["posterior"].dataset
    for name in posterior.data_vars:
        if not (posterior[name] > 0).all() or _agrees(posterior[[name]], reference, most):
            continue
        for what, change in (("squares", np.sqrt), ("square roots", np.square)):
            if _agrees(posterior[[name]].map(change, keep_attrs=True), reference, most):
                said.append(f"{name} agrees if its draws are taken for {what}: a variance and an sd are exchanged")
    return said


def _agrees(posterior, reference, most) -> bool:
    posterior.attrs["engine"] = "audit"
    rows = agreement.table(xr.DataTree.from_dict({"posterior": posterior}), reference.table)
    return bool(rows["z"].abs().max() <= most)


def _nothing_found(table) -> str:
    means, shares = (table[(table["statistic"] == "mean") == is_mean] for is_mean in (True, False))
    down = [f"{rounded(means['smallest'].max())} posterior sds in a mean"] if len(means) else []
    down += [f"{shares.loc[shares['statistic'] == s, 'smallest'].max():.1%} of the draws below the {p:.0%} quantile"
             for s, (_, p) in agreement.SHARES.items()]  # fmt: skip
    return f"No difference found in {len(table)} figures, down to {', '.join(down)}."


def _alarm(table, most) -> str:
    return (
        f"{agreement.tests(table)} tests, each called a difference beyond {most:.1f} Monte Carlo errors: a right "
        f"sampler is called different with probability 1 in {1 / ALARM:,.0f} at most; an error of the size stated is "
        f"missed with probability {1 - LIKELY:.0%}. Smallest effective sample size {table['ess'].min():.0f}."
    )
