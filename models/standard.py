"""Standard regressors: covariates of sd 1, about 0 where mu is flat, flat ones orthogonal to each other.

Raw years or incomes, or covariates that nearly determine each other, would cost the linear algebra its digits and slow
NUTS down. A proper prior of mu is of mu where all covariates are 0, so they are not centered; a proper prior of a slope
is of that slope, so it is mixed with no other.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from models import priors
from models.groups.labelled import Labelled


class Regression(Protocol):
    """A model of groups with regressors, and a prior for each coefficient."""

    @property
    def groups(self) -> Labelled:
        """Groups, with their design (J, p)."""

    @property
    def coefficients(self) -> tuple[priors.Coefficient, ...]:
        """Priors of mu and of each slope."""


@dataclass(frozen=True, eq=False)
class Standard[M: Regression]:
    """A model in standard regressors: x becomes (1, (covariates - center) slopes).

    Attributes
    ----------
    model : TwoLevel or GeneralizedTwoLevel
    center : ndarray (p - 1,)
    slopes : ndarray (p - 1, p - 1)
    left : ndarray (p - 1,)
        Share of each covariate's sd that the flat ones before it leave over.
    """

    model: M
    center: np.ndarray
    slopes: np.ndarray
    left: np.ndarray

    @classmethod
    def of(cls, model: M) -> "Standard[M]":
        """State a model in standard regressors."""
        g, (mu, *slopes) = model.groups, model.coefficients
        center = g.design[:, 1:].mean(axis=0) * (not mu.proper)
        # Subtracting one multiple of another column leaves as many digits as they differ in: 64 bits leave eleven more.
        x = g.design[:, 1:].astype(np.longdouble) - center
        columns, left = np.eye(len(slopes), dtype=np.longdouble), np.zeros(len(slopes))
        one = np.longdouble(1.0)  # in place of an sd of 0, of what is constant
        for k, slope in enumerate(slopes):
            whole = _spread(x[:, k])
            before = [j for j in range(k) if not (slopes[j].proper or slope.proper)]
            for j in [*before, *before]:  # twice is enough (Giraud et al. 2005)
                share = (x[:, j] @ x[:, k]) / ((x[:, j] @ x[:, j]) or one)
                x[:, k] -= share * x[:, j]
                columns[:, k] -= share * columns[:, j]
            sd = _spread(x[:, k])
            left[k] = sd / (whole or one)
            x[:, k] /= sd or one
            columns[:, k] /= sd or one
        scaled = (slope.affine(0.0, float(columns[k, k])) for k, slope in enumerate(slopes))
        groups = replace(g, design=np.column_stack([g.design[:, 0], x.astype(float)]))
        standard: Any = replace(model, groups=groups, coefficients=(mu, *scaled))  # type: ignore[type-var]
        return cls(standard, center, columns, left)

    @cached_property
    def basis(self) -> np.ndarray:
        """Matrix (p, p) that takes the standard coefficients to b."""
        basis = np.eye(len(self.center) + 1, dtype=np.longdouble)
        basis[1:, 1:] = self.slopes
        basis[0, 1:] = -self.center @ self.slopes
        return basis.astype(float)

    def regressors(self, x: np.ndarray) -> np.ndarray:
        """Standard regressors of designs (quantity, p)."""
        centered = x[:, 1:].astype(np.longdouble) - self.center
        return np.column_stack([x[:, 0], (centered @ self.slopes).astype(float)])


def _spread(x) -> np.longdouble:
    """Sd of a column whose squares may overflow or underflow."""
    largest = np.abs(x).max(initial=0.0) or np.longdouble(1.0)
    return (x / largest).std() * largest
