"""Weighted least squares: the coefficients given the variances, theta integrated out.

mean_i ~ N(theta_i, noise_i)      theta_i ~ N(x_i'b, between)      b_k ~ N(m_k, s_k^2) or flat
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.distributions import LOG_2PI
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
    covariance : ndarray (..., p, p)
    log_variances, log_precision, quadratic : ndarray (...)
        Log determinants of 2 pi times the variances of the means, and of the precision of b over 2 pi.
    """

    mean: np.ndarray
    covariance: np.ndarray
    log_variances: np.ndarray
    log_precision: np.ndarray
    quadratic: np.ndarray

    @property
    def log_determinant(self) -> np.ndarray:
        """Log of what the integral is divided by, squared, but for the exponential."""
        return self.log_variances + self.log_precision


def regression(
    design: np.ndarray, prior: Sequence[Coefficient]
) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """b given theta, all of them with the same variance about their regression.

    Where every coefficient is flat that is (X'X)^-1 X'theta with covariance between (X'X)^-1, of which nothing but two
    products is left for each state.

    Parameters
    ----------
    design : ndarray (J, p)
    prior : sequence of p priors.Coefficient

    Returns
    -------
    callable
        (theta (..., J), between (..., 1)) to mean (..., p) and covariance (..., p, p) of b.
    """
    q, r = np.linalg.qr(design)
    if not any(p.proper for p in prior):
        inverse = np.linalg.inv(r)
        projection, unit = q @ inverse.T, inverse @ inverse.T
        return lambda theta, between: (theta @ projection, between[..., None] * unit)
    rows = Cells.separate(np.ones(len(r)), np.zeros(len(r)), r)

    def pooled(theta, between):
        p = pool(replace(rows, mean=theta @ q), np.broadcast_to(between, (*theta.shape[:-1], len(r))), prior)
        return p.mean, p.covariance

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
    m, s = np.array([p.mean for p in prior]), np.array([p.sd for p in prior])
    proper = np.isfinite(s)
    # A proper prior is one more row: its mean, seen with its variance.
    x = np.concatenate([cells.design, np.eye(len(m))[proper]])
    variance = _append(variance, s[proper] ** 2)
    residual = _append(cells.mean, m[proper])
    weight, columns = 1 / variance, list(x.T)
    sizes, coefficients = [], []
    basis = np.broadcast_to(np.eye(len(m)), (*weight.shape[:-1], len(m), len(m))).copy()
    # Gram and Schmidt's columns, x times `basis`, each free of those before it: the normal equations would square what
    # they lose.
    for j, column in enumerate(columns):
        weighted = weight * column
        sizes.append(np.sum(weighted * column, axis=-1))
        for k in range(j + 1, len(m)):
            share = (np.sum(weighted * columns[k], axis=-1) / sizes[j])[..., None]
            columns[k] = columns[k] - share * column
            basis[..., k] -= share * basis[..., j]
        coefficients.append(np.sum(weighted * residual, axis=-1) / sizes[j])
        residual = residual - coefficients[j][..., None] * column
    size = np.stack(sizes, axis=-1)
    mean = np.einsum("...jk,...k->...j", basis, np.stack(coefficients, axis=-1))
    covariance = np.einsum("...ij,...j,...kj->...ik", basis, 1 / size, basis)
    quadratic = np.sum(weight * residual**2, axis=-1) + np.sum(weight[..., : len(cells.count)] * cells.spread, axis=-1)
    count = np.concatenate([cells.count, np.ones(proper.sum())])
    log_variances = np.sum(count * (LOG_2PI + np.log(variance)), axis=-1)
    log_precision = np.log(size).sum(axis=-1) - len(m) * LOG_2PI
    return Pooled(mean, covariance, log_variances, log_precision, quadratic)


def _append(of_cells, of_priors):
    """Entries of the cells, (..., R), followed by those of the proper priors."""
    if not len(of_priors):
        return of_cells
    return np.concatenate([of_cells, np.broadcast_to(of_priors, (*np.shape(of_cells)[:-1], len(of_priors)))], axis=-1)
