"""Estimates that come with their standard errors; their sigma is known to be 1."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import ArrayLike

from models.groups import naming, validation
from models.groups.grouped_data import Groups

if TYPE_CHECKING:
    from narwhals.typing import IntoFrame


class Estimates(Groups):
    """y_i ~ N(theta_i, standard_error_i^2), i = 1..J."""

    @classmethod
    def from_summary(
        cls,
        labels: Iterable[object],
        estimate: ArrayLike,
        standard_error: ArrayLike,
        *,
        covariates: Mapping[str, ArrayLike] | None = None,
        dim: str = "group",
    ) -> Self:
        """From estimates and their standard errors, an entry a group.

        Raises
        ------
        ValueError
            For lengths or indexes that differ, a label that is missing, occurs twice or looks like another, a standard
            error that is not positive, an entry that is no finite number, or numbers so large or small that their
            squares are not.

        Warns
        -----
        RoundedWarning
            Where estimates lose digits to an offset that all share.

        Examples
        --------
        >>> Estimates.from_summary(["A", "B"], [28, 8], [15, 10]).noise
        array([225., 100.])
        """
        columns = {"labels": labels, "estimate": estimate, "standard_error": standard_error}
        validation.require_aligned(columns, covariates)
        names, se = naming.read("labels", labels), validation.numbers("standard_error", standard_error)
        validation.require(names, "standard_error", se, se > 0, "must be positive")
        validation.require_scale(names, "standard_error", se, small=True)
        fields = validation.shared_fields(names, {"standard_error": se, "mean": estimate}, covariates, dim)
        validation.require_scale(names, "mean", fields["mean"])
        error, none = fields.pop("standard_error"), np.zeros(len(fields["mean"]))
        groups = cls(noise=error**2, df=none, ss=none, **fields)
        validation.warn_of_rounding(names, groups.mean, error, single=none == 0)
        return groups

    @classmethod
    def from_frame(
        cls,
        frame: "IntoFrame | dict",
        *,
        estimate: str,
        standard_error: str | None = None,
        variance: str | None = None,
        label: str | None = None,
        covariates: Sequence[str] = (),
        dim: str = "group",
    ) -> Self:
        """From a data frame of one row an estimate, with its standard error or variance; labels count from 1 if none.

        Raises
        ------
        ValueError
            For a column that is not there or holds no numbers, a label, number or covariate that is missing, both or
            neither of standard error and variance, or a covariate that does not vary.

        Examples
        --------
        >>> Estimates.from_frame({"y": [28, 8], "v": [225, 100]}, estimate="y", variance="v").standard_error
        array([15., 10.])
        """
        from models.groups import dataframes  # narwhals takes its time to import

        error = variance if standard_error is None else standard_error
        if error is None or (standard_error is not None and variance is not None):
            raise ValueError("give either the standard error's column or the variance's")
        labels, (estimates, errors), columns = dataframes.summaries(frame, label, [estimate, error], covariates)
        if variance is not None:
            variances = validation.numbers("variance", errors)
            validation.require(labels, "variance", variances, variances > 0, "must be positive")
            errors = np.sqrt(variances).tolist()
        return cls.from_summary(labels, estimates, errors, covariates=columns, dim=dim)

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of each estimate."""
        return np.sqrt(self.noise)
