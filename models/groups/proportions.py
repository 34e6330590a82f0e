"""Successes out of trials: a proportion a group."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, expit, logit, xlogy

from models.distributions import Numbers
from models.groups import naming, validation
from models.groups.counted import Counted

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame


class Proportions(Counted):
    """y_i ~ Binomial(n_i, p_i), logit p_i = theta_i, i = 1..J."""

    @classmethod
    def from_summary(
        cls,
        labels: Iterable[object],
        successes: ArrayLike,
        trials: ArrayLike,
        *,
        covariates: Mapping[str, ArrayLike] | None = None,
        dim: str = "group",
    ) -> Self:
        """From successes and trials, an entry a group.

        Raises
        ------
        ValueError
            For lengths or indexes that differ, a label that is missing, occurs twice or looks like another, an entry
            that is no finite number, counts that are not whole, no trials, or successes below 0 or above the trials.

        Examples
        --------
        >>> players = Proportions.from_summary(["Clemente", "Robinson"], [18, 17], [45, 45])
        >>> players.slope(np.array([0.0, 0.0]))
        array([-4.5, -5.5])
        """
        columns = {"successes": successes, "trials": trials}
        validation.require_aligned({"labels": labels, **columns}, covariates)
        names = naming.read("labels", labels)
        fields = validation.shared_fields(names, columns, covariates, dim)
        y, size = fields.pop("successes"), fields.pop("trials")
        validation.require(
            names, "trials", size, (size >= 1) & (size == np.round(size)), "must be a whole number, 1 or more"
        )
        validation.require(names, "successes", y, (y >= 0) & (y == np.round(y)), "must be a whole number, 0 or more")
        validation.require(names, "successes", y, y <= size, "must not exceed the trials")
        return cls(y=y, size=size, **fields)

    @classmethod
    def from_frame(
        cls,
        frame: "IntoFrame | dict",
        *,
        successes: str,
        trials: str,
        label: str | None = None,
        covariates: Sequence[str] = (),
        dim: str = "group",
    ) -> Self:
        """From a data frame of one row a group, with its successes and trials; labels count from 1 if there are none.

        Any frame that narwhals knows, and a dictionary of columns.

        Raises
        ------
        ValueError
            For a column that is not there or holds no numbers, a label, number or covariate that is missing, a
            covariate that does not vary, or what `from_summary` refuses.

        Examples
        --------
        >>> frame = {"hospital": ["A", "B"], "deaths": [0, 18], "operations": [47, 148]}
        >>> Proportions.from_frame(frame, successes="deaths", trials="operations", label="hospital")
        Proportions of 2 groups, group A, B
        """
        return cls._from_frame(frame, successes, trials, label, covariates, dim)

    def log_likelihood(self, theta: np.ndarray) -> np.ndarray:
        """y log p + (n - y) log(1 - p), over its supremum: no large terms cancel near the peak, however large n is."""
        y, n = self.y, self.size
        with np.errstate(divide="ignore"):
            peak = logit(y / n)
        inside = self.inside
        off = theta - np.where(inside, peak, 0.0)
        right, away = off > 0, np.abs(off)
        # log(1 - p) + off, or log p - off, over its value at the peak: the log of `other` + `share` exp(-away).
        share, count = np.where(right, 1 - y / n, y / n), np.where(right, n - y, y)
        other, less = np.where(right, y / n, 1 - y / n), share * np.expm1(-away)
        near = less > -0.5
        far = np.where(near | ~inside, 1.0, other + share * np.exp(-away))
        log = np.where(near, np.log1p(np.where(near, less, 0.0)), np.log(far))
        of_peak = -count * away - n * log
        return np.where(inside, of_peak, -n * np.logaddexp(0.0, np.where(y > 0, -theta, theta)))

    def slope(self, theta: np.ndarray) -> np.ndarray:
        """y - n p."""
        return np.where(self.y == self.size, self.size * expit(-theta), self.y - self.size * expit(theta))

    def curvature(self, theta: np.ndarray) -> np.ndarray:
        """n p (1 - p)."""
        return self.size * expit(theta) * expit(-theta)

    @property
    def log_supremum(self) -> np.ndarray:
        """Log of the binomial probability of y where p is y / n."""
        y, n = self.y, self.size
        log_ways = -np.log(n + 1) - betaln(n - y + 1, y + 1)
        return log_ways + xlogy(y, y / n) + xlogy(n - y, 1 - y / n)

    def response(self, theta: Numbers) -> np.ndarray:
        """p."""
        return expit(theta)

    def link(self, response: Numbers) -> np.ndarray:
        """Logit p."""
        return logit(response)

    @property
    def response_name(self) -> str:
        """What `response` is called: p."""
        return "p"

    @property
    def falls_left(self) -> np.ndarray:
        """Whether there is a success."""
        return self.y > 0

    @property
    def falls_right(self) -> np.ndarray:
        """Whether there is a failure."""
        return self.y < self.size

    @property
    def rough(self) -> np.ndarray:
        """Logit of p with half a success and half a failure more."""
        return logit((self.y + 0.5) / (self.size + 1))

    def replicate(self, theta: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw counts for draws of theta (..., J)."""
        return rng.binomial(self.size.astype(int), self.response(theta)).astype(float)
