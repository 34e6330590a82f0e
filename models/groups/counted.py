"""Groups whose data are a count: one number theta a group, whose likelihood is that of an exponential family.

    log L_i(theta) = y_i theta - size_i A(theta) + constant

A binomial count has A = log(1 + exp(theta)) and the trials for size; a Poisson count A = exp(theta) and the exposure.
L is concave in theta. It has a peak where y_i is inside its range, and rises forever where y_i is at an end of it.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from models.distributions import Numbers
from models.groups.labelled import Labelled


class Distinct(NamedTuple):
    """Groups that differ in data or design, one of each kind.

    Attributes
    ----------
    positions : ndarray (R,)
        Position of the first of each kind.
    members : ndarray (R,)
        How many groups are of that kind.
    which : ndarray (J,)
        The kind of each group.
    """

    positions: np.ndarray
    members: np.ndarray
    which: np.ndarray


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Counted(Labelled):
    """Counts, each out of a size.

    Attributes
    ----------
    y : ndarray (J,)
        The counts.
    size : ndarray (J,)
        Trials, or exposure.
    """

    y: np.ndarray
    size: np.ndarray

    @classmethod
    @abstractmethod
    def from_summary(
        cls,
        labels: Iterable[object],
        y: ArrayLike,
        size: ArrayLike,
        *,
        covariates: Mapping[str, ArrayLike] | None = None,
        dim: str = "group",
    ) -> Self:
        """From counts and sizes, an entry a group."""

    @classmethod
    def _from_frame(cls, frame, y: str, size: str, label: str | None, covariates: Sequence[str], dim: str) -> Self:
        """From a data frame of one row a group."""
        from models.groups import dataframes  # narwhals takes its time to import

        labels, (counts, sizes), columns = dataframes.summaries(frame, label, [y, size], covariates)
        return cls.from_summary(labels, counts, sizes, covariates=columns, dim=dim)

    @abstractmethod
    def log_likelihood(self, theta: np.ndarray) -> np.ndarray:
        """Log of L_i(theta) over its supremum, of theta (..., J): elementwise, and 0 at most."""

    @abstractmethod
    def slope(self, theta: np.ndarray) -> np.ndarray:
        """Derivative of `log_likelihood`, y_i minus its expectation, elementwise."""

    @abstractmethod
    def curvature(self, theta: np.ndarray) -> np.ndarray:
        """Minus the second derivative of `log_likelihood`, the variance of y_i, elementwise."""

    @property
    @abstractmethod
    def log_supremum(self) -> np.ndarray:
        """Log of the supremum of p(y_i | theta) over theta, (J,)."""

    @abstractmethod
    def response(self, theta: Numbers) -> np.ndarray:
        """What theta stands for: a probability, or a rate."""

    @abstractmethod
    def link(self, response: Numbers) -> np.ndarray:
        """The theta that stands for a probability, or a rate."""

    @property
    @abstractmethod
    def response_name(self) -> str:
        """What `response` is called in tables and draws."""

    @property
    @abstractmethod
    def falls_left(self) -> np.ndarray:
        """Whether L_i falls to 0 as theta goes to minus infinity, (J,)."""

    @property
    @abstractmethod
    def falls_right(self) -> np.ndarray:
        """Whether L_i falls to 0 as theta goes to infinity, (J,)."""

    @property
    @abstractmethod
    def rough(self) -> np.ndarray:
        """A value of theta for each group that is finite whatever its count, (J,): to start from."""

    @abstractmethod
    def replicate(self, theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw counts for draws of theta (..., J)."""

    @property
    def inside(self) -> np.ndarray:
        """Whether L_i has a peak, (J,)."""
        return self.falls_left & self.falls_right

    @cached_property
    def distinct(self) -> Distinct:
        """Groups of equal data and design, which are computed once."""
        import pandas as pd  # takes its time to import

        columns = pd.DataFrame(np.column_stack([self.y, self.size, self.design]))
        kinds = columns.groupby(list(columns), sort=False).ngroup().to_numpy()
        _, positions, members = np.unique(kinds, return_index=True, return_counts=True)
        return Distinct(positions, members, kinds)
