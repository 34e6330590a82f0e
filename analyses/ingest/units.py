"""Offset and unit of the data: engines see numbers about 1, the report has them as they were given.

value = offset + unit * inside, the offset a value of the data and the unit a power of ten, both taken off in decimals
before anything is rounded. So an offset of 1e9, a scale of 1e300, or incomes in cents cost no digits and no sampler its
patience.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from statistics import median_low
from typing import Self

import numpy as np
import pandas as pd
import xarray as xr

from analyses.fits.fit import ManyGroupsFit, TwoLevelFit
from models.priors import KnownScale, Normal
from models.two_level import TwoLevel

LOCATIONS = {"mu", "theta", "new_theta", "new_value", "new_group_value", "largest group mean", "smallest group mean"}
SCALES = {"beta", "sigma", "sd_between", "sd of group means", "spread of sds within groups"}
AT = ("mean", "q2_5", "q50", "q97_5", "q5", "q95", "value", "exact", "observed")
AROUND = ("sd", "mcse_mean", "mcse")
EXACTLY = Context(prec=800)  # digits: more than doubles and files have between 1e305 and 1e-305
OF_GROUPS = {
    "theta": ("estimate", "theta_mean", "theta_q2_5", "theta_q97_5"),
    "sigma": ("standard_error", "theta_sd"),
}


@dataclass(frozen=True)
class Units:
    """Of what is measured; `tau` says whether tau has that unit too, and is not relative to sigma."""

    offset: Decimal
    unit: Decimal
    tau: bool

    @classmethod
    def of(cls, located: Iterable[Decimal], scales: Iterable[Decimal] = (), *, tau: bool) -> Self:
        """Of values and of what else is measured on their scale, such that most are about 1.

        The offset is the median, the unit the power of ten of the larger of the median distance from it and the median
        of the scales: one value that is far off makes no dust of the others.
        """
        offset = median_low(located := list(located))
        away = sorted(abs(EXACTLY.subtract(value, offset)) for value in located)
        known = [scale for scale in scales if scale] or [Decimal(0)]  # that of a group of one is none
        return cls.about(offset, max(median_low(away), median_low(known)) or away[-1], tau=tau)

    @classmethod
    def about(cls, offset: Decimal, spread: Decimal, *, tau: bool) -> Self:
        """About an offset, with a spread of which the unit is the power of ten."""
        return cls(offset, Decimal(1).scaleb((spread or Decimal(1)).adjusted()), tau)

    def located(self, value: Decimal) -> float:
        """Inside, of a value."""
        return self.scaled(EXACTLY.subtract(value, self.offset))

    def scaled(self, value: Decimal) -> float:
        """Inside, of an error, a standard deviation or a difference."""
        return float(EXACTLY.divide(value, self.unit))

    def outside(self, variable: str) -> tuple[float, float]:
        """Offset and unit of a variable."""
        if variable in LOCATIONS:
            return float(self.offset), float(self.unit)
        return 0.0, float(self.unit) if variable in SCALES or (variable == "tau" and self.tau) else 1.0

    def model(self, model: TwoLevel) -> TwoLevel:
        """The same with priors, given as of the data, of what is inside; the groups are inside already."""
        mu, *slopes = model.coefficients
        unit = float(self.unit)
        return replace(
            model,
            tau=model.tau.scaled(unit) if self.tau else model.tau,
            sigma=model.sigma if isinstance(model.sigma, KnownScale) else model.sigma.scaled(unit),
            coefficients=(
                Normal(self.located(Decimal(mu.mean)), mu.sd / unit) if mu.proper else mu,
                *(slope.moved(0.0, unit) for slope in slopes),
            ),
        )

    def table(self, rows: pd.DataFrame, variable: str = "variable") -> pd.DataFrame:
        """Rows of any table outside; `variable` names the column, or the level of the index, that says of what."""
        of = rows.index.get_level_values(variable) if variable in rows.index.names else rows[variable]
        offset, unit = (np.array(values) for values in zip(*map(self.outside, of), strict=True))
        at = {name: offset + unit * rows[name] for name in AT if name in rows}
        return rows.assign(**at, **{name: unit * rows[name] for name in AROUND if name in rows})

    def groups(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The table of groups outside."""
        moved = {}
        for kind, columns in OF_GROUPS.items():
            offset, unit = self.outside(kind)
            moved |= {name: offset + unit * rows[name] for name in columns if rows[name].notna().any()}
        return rows.assign(**moved)

    def tree(self, tree: xr.DataTree) -> xr.DataTree:
        """Draws and data outside. Squares of a unit that no double holds are left out."""
        square = float(self.unit) ** 2 if abs(self.unit.adjusted()) < 150 else None
        known = "sigma" not in tree["posterior"]

        def mapped(name, array):
            if name == "mean":
                return float(self.offset) + float(self.unit) * array
            if name == "ss" or (name == "noise" and known):
                return None if square is None else square * array
            offset, unit = self.outside(str(name))
            return offset + unit * array

        nodes = {}
        for group in ("posterior", "posterior_predictive", "observed_data", "constant_data"):
            dataset = tree[group].dataset
            moved = {name: mapped(name, array) for name, array in dataset.data_vars.items()}
            nodes[group] = xr.Dataset({n: a for n, a in moved.items() if a is not None}, dataset.coords, dataset.attrs)
        if "sample_stats" in tree:
            nodes["sample_stats"] = tree["sample_stats"].dataset
        return xr.DataTree.from_dict(nodes)

    def answer(self, found: TwoLevelFit) -> TwoLevelFit:
        """An answer outside; its model and posterior stay inside."""
        statistics = {name: self.outside(name) for name in next(iter(found.replicated.values()))}
        return replace(
            self._fit(found),
            replicated={
                engine: {n: statistics[n][0] + statistics[n][1] * v for n, v in values.items()}
                for engine, values in found.replicated.items()
            },
            predictive=self.table(found.predictive, "statistic"),
        )

    def crowd(self, found: ManyGroupsFit) -> ManyGroupsFit:
        """The same of very many groups."""
        offset, unit = self.outside("theta")
        return replace(self._fit(found), threshold=offset + unit * found.threshold)

    def _fit(self, found: TwoLevelFit | ManyGroupsFit):
        """What both have."""
        means = found.agreement["variable"].where(found.agreement["statistic"] == "mean", "a share")
        return replace(
            found,
            reference=self.table(found.reference),
            trees={engine: self.tree(tree) for engine, tree in found.trees.items()},
            summary=self.table(found.summary),
            agreement=self.table(found.agreement.assign(of=means), "of").drop(columns="of"),
            predictions=self.table(found.predictions),
            groups=self.groups(found.groups),
        )
