"""Weighted least squares: the coefficients given the variances, theta integrated out.

mean_i ~ N(theta_i, noise_i)      theta_i ~ N(x_i'b, between)      b_k ~ N(m_k, s_k^2) or flat
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.linalg import eigh

from models.distributions import LOG_2PI, Numbers
from models.groups.equal_noise import Cells
from models.priors import Coefficient


@dataclass(frozen=True, eq=False)
class Pooled:
    """b ~ N(mean, covariance) given the variances, and what it leaves behind when it is integrated out.

    The integral of p(means | b) p(b) over b is exp(-(log_determinant + quadratic) / 2); the quadratic alone scales
    as one over the variances. As the variances grow, `log_variances` grows, `log_precision` and `quadratic` fall.

    Attributes
    ----------
    mean : ndarray (..., p)
    root : ndarray (..., p, p)
        Of the covariance, root root'. A variance x'Cx is |root'x|^2: summed from the covariance it may cancel.
    log_variances, log_precision, quadratic : ndarray (...)
        Log determinants of 2 pi times the variances of the means, and of the precision of b over 2 pi.
    """

    mean: np.ndarray
    root: np.ndarray
    log_variances: np.ndarray
    log_precision: np.ndarray
    quadratic: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of b, (..., p, p)."""
        return square(self.root)

    @property
    def log_determinant(self) -> np.ndarray:
        """Log of what the integral is divided by, squared, but for the exponential."""
        return self.log_variances + self.log_precision


def square(root: np.ndarray) -> np.ndarray:
    """root root'."""
    return root @ np.swapaxes(root, -1, -2)


def regression(
    design: np.ndarray, prior: Sequence[Coefficient]
) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """b given theta, all of them with the same variance about their regression.

    Its precision is X'X / between + D, with D = diag(1 / s^2). In the basis M in which M'(X'X + D)M is one and both
    parts are diagonal, M'X'XM = seen and M'DM = told, that is a vector for each state, and no matrix has to be solved.

    Parameters
    ----------
    design : ndarray (J, p)
    prior : sequence of p priors.Coefficient

    Returns
    -------
    callable
        (theta (..., J), between (..., 1)) to mean (..., p) and covariance (..., p, p) of b.
    """
    precision = np.array([p.sd**-2.0 for p in prior])
    eigenvalues, basis = eigh(design.T @ design, design.T @ design + np.diag(precision))
    seen = np.maximum(eigenvalues, 0.0)
    told = np.sum(basis**2 * precision[:, None], axis=0)
    columns, expected = design @ basis, basis.T @ (precision * np.array([p.mean for p in prior]))

    def pooled(theta, between):
        variance = 1 / (seen / between + told)
        mean = variance * (theta @ columns / between + expected)
        return mean @ basis.T, (basis * variance[..., None, :]) @ basis.T

    return pooled


def pool(cells: Cells, variance: np.ndarray, prior: Sequence[Coefficient]) -> Pooled:
    """Weighted least squares of the cells' means, the priors of b among them.

    Parameters
    ----------
    cells : Cells
        R rows. Their means, and `variance`, may have leading dimensions.
    variance : ndarray (..., R)
        Variance of each row about its regression.
    prior : sequence of p priors.Coefficient
        One a coefficient; sd = inf is flat.
    """
    return factor(cells, variance).pooled(prior)


@dataclass(frozen=True, eq=False)
class Factor:
    """What the means say of b: means ~ N(X b, V) is exp(-(|z - R b|^2 + rest + log_variances) / 2), in p rows.

    Attributes
    ----------
    r : ndarray (..., p, p)
        Upper triangular: R'R = X'V^-1 X.
    z : ndarray (..., p)
    rest, log_variances : ndarray (...)
        Residual sum of squares, and log determinant of 2 pi V.
    count : float
        Number of means.
    """

    r: np.ndarray
    z: np.ndarray
    rest: np.ndarray
    log_variances: np.ndarray
    count: float

    def __getitem__(self, which: np.ndarray) -> "Factor":
        """Those at some positions of the first dimension."""
        return Factor(self.r[which], self.z[which], self.rest[which], self.log_variances[which], self.count)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """One after the other, along the first dimension."""
        arrays = {
            name: np.concatenate([getattr(p, name) for p in parts]) for name in ("r", "z", "rest", "log_variances")
        }
        return cls(**arrays, count=parts[0].count)

    def pooled(self, prior: Sequence[Coefficient], unit: Numbers = 1.0) -> Pooled:
        """Pool the means, whose variances are `unit` (...) times V, and the priors of b."""
        m, s = np.array([p.mean for p in prior]), np.array([p.sd for p in prior])
        proper = np.isfinite(s)
        sd = np.sqrt(np.asarray(unit, dtype=float))
        r, z, rest = self.r / sd[..., None, None], self.z / sd[..., None], self.rest / unit
        log_variances = self.log_variances + 2 * self.count * np.log(sd)
        if proper.any():  # a proper prior is one more row: its mean, seen with its sd
            rows = np.broadcast_to(np.diag(1 / s)[proper], (*r.shape[:-2], proper.sum(), len(m)))
            right = np.broadcast_to((m / s)[proper], (*z.shape[:-1], proper.sum()))
            columns = list(np.moveaxis(np.concatenate([r, rows], axis=-2), -1, 0))
            r, z, beyond = triangular(columns, np.concatenate([z, right], axis=-1))
            rest = rest + beyond
            log_variances = log_variances + np.sum(LOG_2PI + 2 * np.log(s[proper]))
        root = np.linalg.inv(r)
        mean = np.einsum("...jk,...k->...j", root, z)
        log_precision = 2 * np.log(np.einsum("...jj->...j", r)).sum(axis=-1) - len(m) * LOG_2PI
        return Pooled(mean, root, log_variances, log_precision, rest)


def factor(cells: Cells, variance: np.ndarray) -> Factor:
    """Reduce the cells' means, seen with `variance` (..., R), to one row a coefficient."""
    root = 1 / np.sqrt(variance)
    r, z, rest = triangular([root * column for column in cells.design.T], root * cells.mean)
    log_variances = np.sum(cells.count * (LOG_2PI + np.log(variance)), axis=-1)
    return Factor(r, z, rest + np.sum(root**2 * cells.spread, axis=-1), log_variances, float(cells.count.sum()))


def triangular(columns: Sequence[np.ndarray], right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gram and Schmidt: the triangular factor of some columns (..., R), the right side (..., R) in it, and its rest.

    Each column is freed of those before it. The normal equations would square what they lose.
    """
    columns, p = list(columns), len(columns)
    r, z = np.zeros((*right.shape[:-1], p, p)), np.zeros((*right.shape[:-1], p))
    for j, column in enumerate(columns):
        r[..., j, j] = np.sqrt(np.sum(column**2, axis=-1))
        unit = column / np.where(r[..., j, j] > 0, r[..., j, j], 1.0)[..., None]
        for k in range(j + 1, p):
            r[..., j, k] = np.sum(unit * columns[k], axis=-1)
            columns[k] = columns[k] - r[..., j, k, None] * unit
        z[..., j] = np.sum(unit * right, axis=-1)
        right = right - z[..., j, None] * unit
    return r, z, np.sum(right**2, axis=-1)
