"""What the draws of a stranger's sampler say against a reference posterior, and what they could not have said.

Compared are the mean of each quantity, the shares of draws below the exact 5, 50 and 95% quantiles, and such shares of
joint statistics (`joint`). How large a deviation is due to chance is in `sizes`.
"""

from dataclasses import dataclass

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from analyses.audit import joint_statistics, significance
from analyses.checks import agreement
from analyses.engines.summary_tables import flat, stacked
from analyses.reference import Reference
from analyses.report.numbers import rounded, spelled

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
    compared : str
        Which quantities were compared, each by itself and together.
    """

    passed: bool | None
    sentence: str
    more: tuple[str, ...]
    table: pd.DataFrame
    compared: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """Figures of draws, and how rare their deviations are.

    Attributes
    ----------
    table : DataFrame
        Rows of `agreement.table`; `z` in standard errors from `size`, `z_alone` from the figure's own effective size.
    reference : DataFrame
        The reference's table, and rows of the joint statistics.
    joint : tuple of str
        Names of the joint statistics.
    size : float
        Effective draws of the whole file.
    """

    table: pd.DataFrame
    reference: pd.DataFrame
    joint: tuple[str, ...]
    size: float

    @property
    def tests(self) -> int:
        """How many tests the figures are."""
        return agreement.tests(self.table)

    @property
    def limit(self) -> float:
        """Beyond it a figure differs, whatever chains are slow in."""
        return significance.limit(self.tests, self.size)

    @property
    def wrong(self) -> pd.DataFrame:
        """Rows that differ."""
        return self.table[~(self.table["z"].abs() <= self.limit)]

    @property
    def alone(self) -> pd.DataFrame:
        """Rows of the quantities, each by itself."""
        return self.table[~self.table["variable"].isin(self.joint)]

    @property
    def suspect(self) -> pd.DataFrame:
        """Rows that would differ, were each figure's effective size known and its chains not slow in anything else."""
        return self.table[~(self.table["z_alone"].abs() <= agreement.limit(self.tests))]


def audit(tree: xr.DataTree, reference: Reference, others: list[Reference]) -> Finding:
    """Compare draws with the reference; where they differ, say how, and whether another posterior explains them.

    Parameters
    ----------
    tree : DataTree
        Of `draws.named`.
    reference : Reference
    others : list of Reference
        Of the same data, under other priors.
    """
    posterior = tree["posterior"].dataset
    found = compare(posterior, reference)
    passed, sentence, more = _judged(posterior, found, reference, others)
    return Finding(
        passed=passed, sentence=sentence, more=more, table=found.table, compared=_compared(posterior, reference, found)
    )


def _judged(posterior, found, reference, others):
    """Whether the draws pass, the sentence, and what is told besides."""
    suspect = found.suspect.assign(z=found.suspect["z_alone"])
    off = suspect if found.wrong["variable"].isin(found.joint).all() else found.wrong
    said = tuple(_differences(off, found))
    if mixed := _mixing(posterior, found):  # then no error is known, and nothing is said of how likely an alarm is
        return False, f"These draws cannot be trusted: {mixed}.", said
    if not found.wrong.empty:
        sentence = f"These draws are not from this posterior: {len(found.wrong)} of {len(found.table)} figures differ."
        return False, sentence, (*said, *_explained(posterior, reference, others), _alarm(found))
    if found.size < agreement.LEAST_ESS and not suspect.empty:
        sentence = f"These draws cannot be trusted: {_slowest(found, agreement.LEAST_ESS)}."
        return False, sentence, (*said, *_explained(posterior, reference, others))
    if found.size < LEAST:
        return None, _too_few(found), said
    return True, _nothing_found(found), (*_equally_good(posterior, others), _alarm(found))


def compare(posterior: xr.Dataset, reference: Reference) -> Comparison:
    """Compare draws, named as the reference names them, figure by figure, each quantity by itself and jointly."""
    together = joint_statistics.statistics(reference, posterior)
    of_joint = [joint_statistics.quantiles(reference, posterior)] if together else []
    exact = pd.concat([reference.table[["mean", "sd", "q5", "q50", "q95"]], *of_joint])
    every = posterior.drop_attrs().merge(together).assign_attrs(engine="audit")
    table = agreement.table(xr.DataTree.from_dict({"posterior": every}), exact)
    names = tuple(map(str, together.data_vars))
    table = _with_visits(table, posterior, exact)
    alone = table[~table["variable"].isin(names)]
    size = float(alone[["ess", "size_of_visits"]].min(axis=None))
    count = posterior.sizes["chain"] * posterior.sizes["draw"]
    table = _with_smallest(_with_deviates(table, names, size, count), size, count)
    return Comparison(table=table, reference=exact, joint=names, size=size)


def _with_smallest(table, size, count):
    """The error of each figure that would have been found with probability LIKELY."""
    limit, size = significance.limit(agreement.tests(table), size), max(size, 1.0)
    beside = _beside_reference(pd.Series(size, table.index), table["size_of_visits"].eq(np.inf) & table["p"].notna())
    pairs = list(zip(table["p"].fillna(0.0), beside, strict=True))  # 0 stands for a mean
    found = {
        (p, n): significance.smallest(p, n, count, limit, LIKELY)
        if p
        else (limit + stats.norm.ppf(LIKELY)) / np.sqrt(n)
        for p, n in {*pairs}
    }
    return table.assign(smallest=[found[pair] for pair in pairs])


def _with_visits(table, posterior, exact):
    """The probability of each share, and how often its tail is visited: infinitely often where that is not counted."""
    index, draws = stacked(posterior)
    counted = (
        significance.visits(draws, exact.loc[index]).stack().rename("visits").rename_axis([*index.names, "statistic"])
    )
    table = table.join(counted, on=["variable", "label", "statistic"])
    p, visits = table["statistic"].map(significance.PROBABILITY), table["visits"]
    count = draws.shape[1] * draws.shape[2]
    return table.assign(p=p, size_of_visits=significance.size_of_visits(visits, p, count).fillna(np.inf))


def _with_deviates(table, names, size, count):
    """`z_alone`, from each figure's own effective size; `z`, from that of the file and from visits."""
    p, mean, of_joint = table["p"], table["p"].isna(), table["variable"].isin(names)
    own, least = (_beside_reference(n, of_joint) for n in (table["ess"], np.minimum(table["ess"], max(size, 1.0))))
    alone = table["z"].where(mean, significance.deviate(table["value"], p, own))
    z = (table["z"] * np.sqrt(least / own)).where(mean, significance.deviate(table["value"], p, _least_ess(table, own)))
    by_visits = _by_visits(table, size, count)
    z = z.where(mean | of_joint | (z.abs() <= np.abs(by_visits)), by_visits)
    z = z.where(~of_joint, significance.deviate(table["value"], p, least))
    return table.assign(z=z, z_alone=alone, mcse=table["mcse"] * np.sqrt(table["ess"] / least))


def _least_ess(table, own):
    return np.minimum(own, table["ess"].min())


def _beside_reference(n, of_joint):
    """Effective draws, fewer where what they are compared with has a Monte Carlo error too."""
    return n.where(~of_joint, n * joint_statistics.SIZE / (n + joint_statistics.SIZE))


def _by_visits(table, size, count):
    """Deviates of shares from their visits, which are not more than the size of the file is worth."""
    p = table["p"]
    upper = p > 0.5  # then the tail is above the quantile
    share = table["value"].where(~upper, 1 - table["value"])
    with np.errstate(divide="ignore", invalid="ignore"):  # all draws on one side: no visit, and a deviate of 0
        z = significance.deviate_of_visits(
            share, np.minimum(p, 1 - p), np.minimum(table["visits"], significance.worth(p, size, count)), count
        )
    return np.where(upper, -z, z)


TAILS = {"below_q5": "below its 5% quantile", "below_q50": "across its median", "below_q95": "above its 95% quantile"}


def _slowest(found, needed) -> str:
    """Which figure has too few effective draws, by their correlation or else by visits to its tail."""
    row = found.alone.loc[found.alone["ess"].idxmin()]
    if row["ess"] < needed:
        return f"the effective sample size of {_key(row)} is {row['ess']:.0f}, and {needed:,} are needed"
    row = found.alone.loc[found.alone["size_of_visits"].idxmin()]
    exact = found.reference.loc[(row["variable"], row["label"])]
    at = spelled(exact[agreement.SHARES[row["statistic"]][0]], exact["q95"] - exact["q5"])
    times = f"only {row['visits']:.0f} times" if row["visits"] >= 1 else "never"
    return (
        f"the draws of {_key(row)} go {TAILS[row['statistic']]}, {at}, {times}: either the chains are slow there, or "
        f"the sampler leaves out a part. The visits are worth {row['size_of_visits']:.0f} effective draws, and "
        f"{needed:,} are needed"
    )


def _key(row) -> str:
    return _name((row["variable"], row["label"]))


def _too_few(found) -> str:
    """What has to be had before a figure means anything."""
    off = len(found.suspect)
    so_far = f"{off} figures are off by more than independent draws would be" if off else "No figure differs so far"
    return f"Too few effective draws to tell: {_slowest(found, LEAST)} to see that a tail is missing. {so_far}."


def _mixing(posterior, found) -> str:
    """Why the draws say nothing, if they do not."""
    faults = []
    if posterior.sizes["chain"] > 1:
        with np.errstate(divide="ignore", invalid="ignore"):  # chains that never move
            r_hat = flat(az.rhat(posterior)).fillna(np.inf)
        if not r_hat.max() <= MOST_R_HAT:
            faults.append(
                f"the chains do not agree with each other, R-hat of {_name(r_hat.idxmax())} is {r_hat.max():.2f}"
            )
    if not found.alone["ess"].min() >= agreement.LEAST_ESS:
        faults.append(_slowest(found, agreement.LEAST_ESS))
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


def _differences(wrong, found) -> list[str]:
    """Sentences on the variables that are farthest off; on joint statistics only where every quantity is right."""
    alone = wrong[wrong.index.isin(found.alone.index)]
    if not alone.empty:
        return [_of_variable(name, rows, found.reference) for name, rows in _worst(alone)]
    return [_of_joint(name, rows, found.reference) for name, rows in _worst(wrong)]


def _of_joint(name, rows, reference) -> str:
    """One sentence on a joint statistic, where each quantity agrees by itself."""
    worst = rows.loc[rows["z"].abs().fillna(np.inf).idxmax()]
    column, p = agreement.SHARES[worst["statistic"]]
    key = (name, worst["label"])
    at = spelled(reference.loc[key, column], reference.loc[key, "q95"] - reference.loc[key, "q5"])
    more = f"; {len(rows) - 1} more figures of it are off" if len(rows) > 1 else ""
    return (
        f"each quantity agrees by itself, but not jointly: {worst['value']:.1%} of the draws have {_name(key)} below "
        f"{at}, the {p:.0%} quantile ({_deviate(worst['z'])}){more}"
    )


def _of_variable(name, rows, reference) -> str:
    """One sentence on the worst figure of one variable, and how many more are off."""
    worst = rows.loc[rows["z"].abs().fillna(np.inf).idxmax()]
    key = (name, worst["label"])
    if worst["statistic"] == "mean":
        sd = reference.loc[key, "sd"]
        found = f"the mean is {spelled(worst['value'], sd)} where {spelled(worst['exact'], sd)} is right"
        low = worst["z"] < 0
    else:
        column, p = agreement.SHARES[worst["statistic"]]
        at = spelled(reference.loc[key, column], reference.loc[key, "sd"])
        found = f"{worst['value']:.1%} of the draws lie below {at}, the {p:.0%} quantile"
        low = worst["z"] > 0
    others = rows.drop(index=worst.name)
    tails = {row["statistic"]: row["z"] > 0 for _, row in rows[rows["label"] == worst["label"]].iterrows()}
    wide = tails.get("below_q5") is True and tails.get("below_q95") is False
    narrow = tails.get("below_q5") is False and tails.get("below_q95") is True
    how = "too wide" if wide else "too narrow" if narrow else "too small" if low else "too large"
    more = f"; {len(others)} more figures of {name} are off" if len(others) else ""
    return f"{_name(key)} is {how}: {found} ({_deviate(worst['z'])}){more}"


def _explained(posterior, reference, others) -> list[str]:
    """What would make the draws right: another prior, or a variance in the place of an sd."""
    said = [f"they agree with {_spelled(other)}" for other in others if _agrees(posterior, other)]
    for name in posterior.data_vars:
        if not (posterior[name] > 0).all() or _agrees(posterior[[name]], reference):
            continue
        for what, change in (("squares", np.sqrt), ("square roots", np.square)):
            if _agrees(posterior[[name]].map(change, keep_attrs=True), reference):
                said.append(f"{name} agrees if its draws are taken for {what}: a variance and an sd are exchanged")
    return said


def _equally_good(posterior, others) -> list[str]:
    """Other posteriors that the draws do not tell from this one."""
    same = [_spelled(other) for other in others if _agrees(posterior, other)]
    return [f"These draws do not tell it from {'; '.join(same)}."] if same else []


def _spelled(other) -> str:
    return f"{other.name}: {', '.join(f'{name} ~ {prior}' for name, prior in other.priors.items())}"


def _agrees(posterior, reference) -> bool:
    return compare(posterior, reference).suspect.empty


def _compared(posterior, reference, found) -> str:
    """Which quantities, each by itself and jointly."""
    alone = [_counted(name, posterior, reference) for name in reference.labels if name in posterior]
    jointly = ", ".join(found.joint) or "nothing, only each quantity by itself"
    return f"Compared: {', '.join(alone)}. Jointly: {jointly}."


def _counted(name, posterior, reference) -> str:
    count, all_of = posterior[name].size // (posterior.sizes["chain"] * posterior.sizes["draw"]), reference.labels[name]
    return name if count == len(all_of) else f"{name} ({count} of {len(all_of)})"


def _nothing_found(found) -> str:
    alone = found.alone
    means, shares = (alone[alone["statistic"].eq("mean") == is_mean] for is_mean in (True, False))
    down = [f"{rounded(means['smallest'].max())} posterior sds in a mean"] if len(means) else []
    down += [f"{shares.loc[shares['statistic'] == s, 'smallest'].max():.1%} of the draws below the {p:.0%} quantile"
             for s, (_, p) in agreement.SHARES.items()]  # fmt: skip
    together = f", nor in {len(found.table) - len(alone)} of joint statistics" if found.joint else ""
    return f"No difference found in {len(alone)} figures, down to {', '.join(down)}{together}."


def _alarm(found) -> str:
    return (
        f"{found.tests} tests, each called a difference beyond {found.limit:.1f} Monte Carlo errors: a right sampler "
        f"is called different with probability 1 in {1 / ALARM:,.0f} at most, unless its chains are slow in something "
        f"that none of these figures shows; an error of the size stated is missed with probability {1 - LIKELY:.0%}. "
        f"Smallest effective sample size {found.size:.0f}."
    )
