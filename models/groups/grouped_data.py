"""Data in the form that the likelihood needs: one row a group.

    mean_i ~ N(theta_i, sigma^2 noise_i)      ss_i ~ sigma^2 chi^2(df_i)

`Replicates` are rows in groups, kept as size, mean and sum of squares: the likelihood sees nothing else of them.
`Estimates` come with their standard errors; their sigma is known to be 1.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from models.distributions import LOG_2PI, Numbers
from models.groups.equal_noise import Cells
from models.groups.labelled import Labelled


def log_within(df: Numbers, ss: Numbers, sigma: Numbers) -> Numbers:
    """Log density of the rows of a group given their mean and sigma.

    With n = df + 1 rows it is p(rows | theta, sigma) over p(their mean | theta, sigma), in which theta cancels:

        -(n - 1) / 2 log(2 pi sigma^2) - ss / (2 sigma^2) - log(n) / 2

    It is 0 for estimates, which have no rows.
    """
    variance = sigma**2
    return -(df * (LOG_2PI + np.log(variance)) + ss / variance + np.log(df + 1)) / 2


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Groups(Labelled):
    """Group means with what is known of their noise.

    Attributes
    ----------
    mean : ndarray (J,)
        Mean of each group, or its estimate.
    noise : ndarray (J,)
        Variance of `mean` about theta, in units of sigma^2.
    df, ss : ndarray (J,)
        Degrees of freedom and sum of squares within each group, both 0 where there are none.

    Notes
    -----
    For simulations `mean` and `ss` may have leading dimensions: many sets of data of one design at once. Conditionals,
    `log_marginal` and `collapsed` take them, and so do states and scales with the same dimensions; nothing else does.
    """

    mean: np.ndarray
    noise: np.ndarray
    df: np.ndarray
    ss: np.ndarray

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
