"""Figures of draws compared with a reference: means, and shares below the exact 5, 50 and 95% quantiles.

Shares of joint statistics (`joint_statistics`) are compared too. `significance` says how rare a deviation is.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from analyses.audit import joint_statistics, significance
from analyses.checks import agreement
from analyses.engines.summary_tables import stacked
from analyses.reference import STATISTICS, Reference

LIKELY = 0.95  # the chance with which the smallest error that is stated would have been found


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """Figures of draws, and how rare their deviations are.

    Attributes
    ----------
    table : DataFrame
        Rows of `agreement.table`; `joint`, whether the figure is of a joint statistic; `visits` of a share's tail and
        `size_of_visits`, the effective draws that they are worth; `z` in standard errors from `size`, `z_alone` from
        the figure's own effective size; `smallest`, the error that would have been found with probability LIKELY.
    reference : DataFrame
        The reference's table, and rows of the joint statistics.
    size : float
        Effective draws of the whole file.
    """

    table: pd.DataFrame
    reference: pd.DataFrame
    size: float

    @property
    def tests(self) -> int:
        """Number of tests in the table."""
        return agreement.tests(self.table)

    @property
    def limit(self) -> float:
        """Largest deviation of a figure that does not differ, whatever chains are slow in."""
        return significance.limit(self.tests, self.size)

    @property
    def wrong(self) -> pd.DataFrame:
        """Rows that differ."""
        return self.table[~(self.table["z"].abs() <= self.limit)]

    @property
    def suspect(self) -> pd.DataFrame:
        """Rows that would differ, were each figure's effective size known and its chains not slow in anything else."""
        return self.table[~(self.table["z_alone"].abs() <= agreement.limit(self.tests))]

    @property
    def alone(self) -> pd.DataFrame:
        """Rows of the quantities, each by itself."""
        return self.table[~self.table["joint"]]


def compare(posterior: xr.Dataset, reference: Reference) -> Comparison:
    """Compare draws, named as the reference names them, figure by figure, each quantity by itself and jointly."""
    joint, exact = joint_statistics.statistics(reference, posterior), reference.table[[*STATISTICS]]
    if joint:
        exact = pd.concat([exact, joint_statistics.quantiles(reference, posterior)])
    every = posterior.drop_attrs().merge(joint).assign_attrs(engine="audit")
    table = agreement.table(xr.DataTree.from_dict({"posterior": every}), exact)
    table = table.assign(joint=table["variable"].isin(list(joint)), p=table["statistic"].map(significance.PROBABILITY))
    draws = posterior.sizes["chain"] * posterior.sizes["draw"]
    table = _add_visits(table, posterior, exact, draws)
    size = float(table.loc[~table["joint"], ["ess", "size_of_visits"]].min(axis=None))
    table = _add_deviates(table, size, draws)
    return Comparison(table=table.assign(smallest=_smallest_errors(table, size, draws)), reference=exact, size=size)


def _add_visits(table, posterior, exact, draws) -> pd.DataFrame:
    """How often the tail of each share is visited, and what that is worth: infinitely much where it is not counted."""
    index, values = stacked(posterior)
    visits = significance.visits(values, exact.loc[index]).stack().rename("visits")
    table = table.join(visits.rename_axis([*index.names, "statistic"]), on=["variable", "label", "statistic"])
    size = significance.size_of_visits(table["visits"], table["p"], draws)
    return table.assign(size_of_visits=size.fillna(np.inf))


def _add_deviates(table, size, draws) -> pd.DataFrame:
    """`z_alone`, from each figure's own effective size; `z`, from that of the file and from visits."""
    value, p, mean = table["value"], table["p"], table["p"].isna()
    own = _beside_reference(table["ess"], table["joint"])
    least = _beside_reference(np.minimum(table["ess"], max(size, 1.0)), table["joint"])
    z_alone = table["z"].where(mean, significance.deviate(value, p, own))
    by_size = significance.deviate(value, p, np.minimum(own, table["ess"].min()))
    by_visits = _deviate_by_visits(table, size, draws)
    z_share = np.where(np.abs(by_size) <= np.abs(by_visits), by_size, by_visits)
    z_joint = significance.deviate(value, p, least)
    z = np.select([mean, table["joint"]], [table["z"] * np.sqrt(least / own), z_joint], z_share)
    return table.assign(z=z, z_alone=z_alone, mcse=table["mcse"] * np.sqrt(table["ess"] / least))


def _deviate_by_visits(table, size, draws) -> np.ndarray:
    """Deviates of shares from their visits, which are not more than the size of the file is worth."""
    upper = table["p"] > 0.5  # then the tail is above the quantile
    share, p = (x.where(~upper, 1 - x) for x in (table["value"], table["p"]))
    visits = np.minimum(table["visits"], significance.worth(table["p"], size, draws))
    with np.errstate(divide="ignore", invalid="ignore"):  # all draws on one side: no visit, and a deviate of 0
        z = significance.deviate_of_visits(share, p, visits, draws)
    return np.where(upper, -z, z)


def _smallest_errors(table, size, draws) -> list[float]:
    """The error of each figure that would have been found with probability LIKELY."""
    limit = significance.limit(agreement.tests(table), size)
    sizes = _beside_reference(pd.Series(max(size, 1.0), table.index), table["joint"])

    @cache
    def smallest(p, n):
        if p == 0:
            return (limit + stats.norm.ppf(LIKELY)) / np.sqrt(n)
        return significance.smallest(p, n, draws, limit, LIKELY)

    return [smallest(p, n) for p, n in zip(table["p"].fillna(0.0), sizes, strict=True)]  # 0 stands for a mean


def _beside_reference(n, joint) -> pd.Series:
    """Effective draws, fewer where what they are compared with has a Monte Carlo error too."""
    return n.where(~joint, n * joint_statistics.SIZE / (n + joint_statistics.SIZE))
