"""Restricted maximum likelihood: the spread between groups where the likelihood with b integrated out is largest.

That likelihood sees what least squares leaves behind (Patterson and Thompson 1971), so the degrees of freedom that b
takes are allowed for. Often it is largest at tau = 0, where no group differs: a maximum says nothing of what lies
beside it, which is why the posterior is shown with it.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import optimize

from models.groups import Replicates
from models.least_squares import pool
from models.shrinkage import theta_given
from models.two_level import TwoLevel

MOST_LOG_RATIO = 12.0  # in the log of the spread, either way of a rough one
BOUNDARY = 1e-9  # of log likelihood: a smaller gain over tau = 0 is rounding


@dataclass(frozen=True, eq=False)
class Restricted:
    """Estimates of b with standard errors as if the variances were known, the standard deviations, and theta."""

    b: np.ndarray
    error: np.ndarray
    sd_between: float
    sigma: float
    theta: np.ndarray


def tells(model: TwoLevel) -> bool:
    """Whether it depends on the spread between groups: not with single rows, nor without residual groups."""
    single = isinstance(model.groups, Replicates) and not model.groups.df.any()
    return len(model.groups) > model.groups.design.shape[1] and not single


def maximum(model: TwoLevel) -> Restricted:
    """Maximise the restricted likelihood; priors are not looked at.

    Raises
    ------
    ValueError
        Where it says nothing of the spread between groups.
    """
    if not tells(model):
        raise ValueError("the restricted likelihood says nothing of the spread between groups")
    g, standard = model.groups, replace(model, coefficients=()).standard
    inner, turn = standard.model, standard.basis
    (df, ss), left = g.within, len(g) - g.design.shape[1]
    cells = inner.groups.cells

    def pooled(ratio):
        return pool(cells, (cells.noise + ratio**2)[None], inner.coefficients)

    def minus(ratio):
        p = pooled(ratio)
        squares = (df + left) * np.log(ss + p.quadratic) if df else p.quadratic
        return float((p.log_determinant + squares)[0]) / 2

    rough = np.log(model.initial_scales["tau"] / (1.0 if model.relative else model.initial_scales["sigma"]))
    grid = rough + np.linspace(-MOST_LOG_RATIO, MOST_LOG_RATIO, 97)
    best = grid[np.argmin([minus(np.exp(u)) for u in grid])]
    search = optimize.minimize_scalar(
        lambda u: minus(np.exp(u)), bounds=(best - 0.25, best + 0.25), method="bounded", options={"xatol": 1e-10}
    )
    ratio = float(np.exp(search.x)) if search.fun < minus(0.0) - BOUNDARY else 0.0
    p = pooled(ratio)
    sigma2 = float((ss + p.quadratic[0]) / (df + left)) if df else 1.0
    b = turn @ (p.mean[0] + np.eye(len(turn))[0] * g.center)
    covariance = sigma2 * turn @ p.covariance[0] @ turn.T
    theta, _ = theta_given(g.mean, g.noise, g.design @ b, ratio**2)
    return Restricted(b, np.sqrt(np.diag(covariance)), ratio * np.sqrt(sigma2), np.sqrt(sigma2), theta)
