"""Events in an exposure: a rate a group."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, xlogy

from models.distributions import Numbers
from models.groups import naming, validation
from models.groups.counted import Counted

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame


class Counts(Counted):
    """y_i ~ Poisson(exposure_i rate_i), log rate_i = theta_i, i = 1..J."""

    @classmethod
    def from_summary(
        cls,
        labels: Iterable[object],
        events: ArrayLike,
        exposure: ArrayLike,
        *,
        covariates: Mapping[str, ArrayLike] | None = None,
        dim: str = "group",
    ) -> Self:
        """From events and exposures, an entry a group.

        Raises
        ------
        ValueError
            For lengths or indexes that differ, a label that is missing, occurs twice or looks like another, an entry
            that is no finite number, events that are not whole or below 0, or an exposure that is not positive.

        Examples
        --------
        >>> pumps = Counts.from_summary(["1", "2"], [5, 1], [94.3, 15.7])
        >>> pumps.slope(np.log(pumps.size)).round()
        array([-8887.,  -245.])
        """
        columns = {"events": events, "exposure": exposure}
        validation.require_aligned({"labels": labels, **columns}, covariates)
        names = naming.read("labels", labels)
        fields = validation.shared_fields(names, columns, covariates, dim)
        y, size = fields.pop("events"), fields.pop("exposure")
        validation.require(names, "events", y, (y >= 0) & (y == np.round(y)), "must be a whole number, 0 or more")
        validation.require(names, "exposure", size, size > 0, "must be positive")
        validation.require_scale(names, "exposure", size, small=True)
        return cls(y=y, size=size, **fields)

    @classmethod
    def from_frame(
        cls,
        frame: "IntoFrame | dict",
        *,
        events: str,
        exposure: str,
        label: str | None = None,
        covariates: Sequence[str] = (),
        dim: str = "group",
    ) -> Self:
        """From a data frame of one row a group, with its events and exposure; labels count from 1 if there are none.

        Any frame that narwhals knows, and a dictionary of columns.

        Raises
        ------
        ValueError
            For a column that is not there or holds no numbers, a label, number or covariate that is missing, a
            covariate that does not vary, or what `from_summary` refuses.

        Examples
        --------
        >>> frame = {"pump": [1, 2], "failures": [5, 1], "hours": [94.3, 15.7]}
        >>> Counts.from_frame(frame, events="failures", exposure="hours", label="pump")
        Counts of 2 groups, group 1, 2
        """
        return cls._from_frame(frame, events, exposure, label, covariates, dim)

    def log_likelihood(self, theta: np.ndarray) -> np.ndarray:
        """y theta - exposure exp(theta), over its supremum: no large terms cancel near the peak, however large y is."""
        y, size = self.y, self.size
        off = theta - np.log(np.where(y > 0, y, 1.0) / size)
        with np.errstate(over="ignore"):
            return np.where(y > 0, np.maximum(y, 1.0) * (off - np.expm1(off)), -np.exp(off))

    def slope(self, theta: np.ndarray) -> np.ndarray:
        """y - exposure exp(theta)."""
        with np.errstate(over="ignore"):
            return self.y - self.size * np.exp(theta)

    def curvature(self, theta: np.ndarray) -> np.ndarray:
        """exposure exp(theta)."""
        with np.errstate(over="ignore"):
            return self.size * np.exp(theta)

    @property
    def log_supremum(self) -> np.ndarray:
        """Log of the Poisson probability of y where y is expected."""
        return xlogy(self.y, self.y) - self.y - gammaln(self.y + 1)

    def response(self, theta: Numbers) -> np.ndarray:
        """The rate."""
        with np.errstate(over="ignore"):
            return np.exp(theta)

    def link(self, response: Numbers) -> np.ndarray:
        """Log of the rate."""
        return np.log(response)

    @property
    def response_name(self) -> str:
        """What `response` is called: rate."""
        return "rate"

    @property
    def falls_left(self) -> np.ndarray:
        """Whether there is an event."""
        return self.y > 0

    @property
    def falls_right(self) -> np.ndarray:
        """Always: no exposure is free of events at any rate."""
        return np.ones(len(self), dtype=bool)

    @property
    def rough(self) -> np.ndarray:
        """Log of the rate with half an event more."""
        return np.log((self.y + 0.5) / self.size)

    def replicate(self, theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw counts for draws of theta (..., J)."""
        return rng.poisson(self.size * self.response(theta)).astype(float)
