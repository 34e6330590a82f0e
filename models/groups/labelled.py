"""What groups of every kind have: labels, and regressors of theta."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

MOST_SHOWN = 6  # labels in a line
MOST_DESIGNS = 12  # for which new groups are predicted one by one

Positions = Sequence[int] | np.ndarray  # of groups, from 0


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Labelled:
    """Groups with their regressors. All other fields that are arrays have an entry a group, too.

    Attributes
    ----------
    labels : tuple of str
        Names of the J groups.
    design : ndarray (J, p)
        Regressors of theta; the first column is 1.
    covariates : tuple of str
        Names of the other p - 1 columns.
    dim : str
        What a group is called: "school", "subject".
    """

    labels: tuple[str, ...]
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
        columns: dict[str, Any] = {
            f.name: value[positions] for f in fields(self) if isinstance(value := getattr(self, f.name), np.ndarray)
        }
        return replace(self, labels=tuple(self.labels[k] for k in positions), **columns)

    def without(self, position: int) -> Self:
        """All groups but one."""
        return self.subset(np.delete(np.arange(len(self)), position))

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
