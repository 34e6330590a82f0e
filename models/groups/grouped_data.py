"""Data in the form that the likelihood needs: one row a group.

    mean_i ~ N(theta_i, sigma^2 noise_i)      ss_i ~ sigma^2 chi^2(df_i)

`Replicates` are rows in groups, kept as size, mean and sum of squares: the likelihood sees nothing else of them.
`Estimates` come with their standard errors; their sigma is known to be 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from models.distributions import LOG_2PI, Numbers
from models.groups.equal_noise import Cells

MOST_SHOWN = 6  # labels in a line
MOST_DESIGNS = 12  # for which new groups are predicted one by one

Positions = Sequence[int] | np.ndarray  # of groups, from 0


def log_within(df: Numbers, ss: Numbers, sigma: Numbers) -> Numbers:
    """Log density of the rows of a group given their mean and sigma.

    With n = df + 1 rows it is p(rows | theta, sigma) over p(their mean | theta, sigma), in which theta cancels:

        -(n - 1) / 2 log(2 pi sigma^2) - ss / (2 sigma^2) - log(n) / 2

    It is 0 for estimates, which have no rows.
    """
    variance = sigma**2
    return -(df * (LOG_2PI + np.log(variance)) + ss / variance + np.log(df + 1)) / 2


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Groups:
    """Group means with what is known of their noise.

    Attributes
    ----------
    labels : tuple of str
        Names of the J groups.
    mean : ndarray (J,)
        Mean of each group, or its estimate.
    noise : ndarray (J,)
        Variance of `mean` about theta, in units of sigma^2.
    df, ss : ndarray (J,)
        Degrees of freedom and sum of squares within each group, both 0 where there are none.
    design : ndarray (J, p)
        Regressors of theta; the first column is 1.
    covariates : tuple of str
        Names of the other p - 1 columns.
    dim : str
        What a group is called: "school", "subject".

    Notes
    -----
    For simulations `mean` and `ss` may have leading dimensions: many sets of data of one design at once. Conditionals,
    `log_marginal` and `collapsed` take them, and so do states and scales with the same dimensions; nothing else does.
    """

    labels: tuple[str, ...]
    mean: np.ndarray
    noise: np.ndarray
    df: np.ndarray
    ss: np.ndarray
    design: np.ndarray
    covariates: tuple[str, ...] = ()
    dim: str = "group"

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        shown = self.labels if len(self) <= MOST_SHOWN else (*self.labels[: MOST_SHOWN - 1], "...", self.labels[-1])
        covariates = f"; covariates {', '.join(self.covariates)}" if self.covariates else ""
        return f"{type(self).__name__} of {len(self):,} groups, {self.dim} {', '.join(shown)}{covariates}"

    def subset(self, positions: Positions) -> Self:
        """Groups at some positions."""
        columns = {name: getattr(self, name)[positions] for name in ("mean", "noise", "df", "ss", "design")}
        return replace(self, labels=tuple(self.labels[k] for k in positions), **columns)

    def without(self, position: int) -> Self:
        """All groups but one."""
        return self.subset(np.delete(np.arange(len(self)), position))

    def power_scaled(self, alpha: float) -> Self:
        """Groups whose likelihood is that of these to the power alpha: as if each value had been seen alpha times."""
        return replace(self, noise=self.noise / alpha, ss=alpha * self.ss)

    @cached_property
    def within(self) -> tuple[float, Numbers]:
        """Degrees of freedom and sum of squares within groups, pooled; an array (...) where `ss` is (..., J)."""
        return float(self.df.sum()), self.ss.sum(axis=-1)

    @cached_property
    def center(self) -> float:
        """Average of the means, which the algebra subtracts first: digits that all means share are not lost."""
        return float(self.mean.mean())

    @cached_property
    def designs(self) -> dict[str, np.ndarray]:
        """Every distinct row of the design, under a name that tells its covariates: "a new school".

        Where there are many, one alone: the average of numbers, and 0, the reference level, of 0/1 columns.
        """
        rows = np.unique(self.design, axis=0)
        if len(rows) > MOST_DESIGNS:
            levels = np.isin(rows, (0.0, 1.0)).all(axis=0) & (rows.min(axis=0) == 0)
            rows = np.where(levels, 0.0, self.design.mean(axis=0, keepdims=True))
        return {self._name_new(x): x for x in rows}

    def _name_new(self, x) -> str:
        values = zip(self.covariates, x[1:], strict=True)
        return ", ".join([f"a new {self.dim}", *(f"{name} {value:.6g}" for name, value in values)])

    def log_within(self, sigma: np.ndarray) -> Numbers:
        """`log_within` of each group, for sigma (...): (..., J)."""
        return log_within(self.df, self.ss, sigma[..., None])

    @property
    def noise_of_one(self) -> np.ndarray:
        """Noise of one more value of each group: of an estimate, its own; of rows, that of one row."""
        return self.noise

    @cached_property
    def cells(self) -> Cells:
        """Groups of equal noise, each class reduced to the sufficient statistics of its means minus the center."""
        return Cells.compress(self.noise, self.mean - self.center, self.design)
