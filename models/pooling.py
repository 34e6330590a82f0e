"""The linear algebra, once: given the variances the model is linear and Gaussian.

mean_i ~ N(theta_i, noise_i)      theta_i ~ N(x_i'b, between)      b_k ~ N(m_k, s_k^2) or flat
"""

from dataclasses import dataclass

import numpy as np

from models.cells import Cells
from models.laws import LOG_2PI


def kappa(noise, between):
    """Weight of a group on its population mean: 0 left alone, 1 pooled completely (seed 000, 1D; seed 002, B_j)."""
    return noise / (noise + between)


def own(noise, between):
    """Weight of a group on its own mean, 1 - kappa, good to the last digit however near to 0."""
    return between / (noise + between)


def theta_given(mean, noise, population, between):
    """Mean and variance of theta_i given b and the variances: kappa x_i'b + (1 - kappa) mean_i (seed 000, 1D)."""
    weight = own(noise, between)
    return population + weight * (mean - population), weight * noise


@dataclass(frozen=True, eq=False)
class Pooled:
    """b ~ N(mean, covariance) given the variances, and what it leaves behind when it is integrated out.

    The integral of p(means | b) p(b) over b is exp(-(log_determinant + quadratic) / 2); the quadratic alone scales
    as one over the variances.
    """

    mean: np.ndarray
    covariance: np.ndarray
    log_determinant: np.ndarray
    quadratic: np.ndarray


def pool(cells: Cells, variance, prior) -> Pooled:
    """Weighted least squares of the cells' means.

    Parameters
    ----------
    cells : Cells
        R rows. Their means, and `variance`, may have leading dimensions.
    variance : ndarray (..., R)
        Variance of each row about its regression.
    prior : sequence of p priors.Normal
        One a coefficient; sd = inf is flat.
    """
    x, flat = cells.design, np.array([np.isinf(p.sd) for p in prior])
    m, s = np.array([p.mean for p in prior]), np.array([p.sd for p in prior])
    weight = 1 / variance
    precision = np.einsum("...r,rj,rk->...jk", weight, x, x) + np.diag(s**-2.0)
    covariance = np.linalg.inv(precision)
    b = np.einsum("...jk,...k->...j", covariance, (weight * cells.mean) @ x + m * s**-2.0)
    residual = np.sum(weight * ((cells.mean - b @ x.T) ** 2 + cells.spread), axis=-1)
    log_determinant = np.sum(cells.count * (LOG_2PI + np.log(variance)), axis=-1)
    log_determinant += np.linalg.slogdet(precision)[1] - flat.sum() * LOG_2PI + 2 * np.log(s[~flat]).sum()
    return Pooled(b, covariance, log_determinant, residual + np.sum(((b - m) / s) ** 2, axis=-1))
