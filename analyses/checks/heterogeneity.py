"""Do estimates differ by more than their errors? Cochran's Q, I2, and intervals that do without a prior."""

from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

from models import priors
from models.groups import Estimates
from models.least_squares import pool
from models.two_level import TwoLevel

LEVEL = 0.95


class Heterogeneity(NamedTuple):
    """What the weighted squares about a common regression say.

    Q on `df` degrees of freedom with its `p`; `i2`, the share of the variation that is no error (Higgins and Thompson
    2002); tau by the moments of Q (DerSimonian and Laird 1986); and the interval of the tau at which Q is what a
    chi-square would be (Q profile, Viechtbauer 2007), nan where it is empty: they differ less than errors would have
    them.
    """

    q: float
    df: int
    p: float
    i2: float
    tau: float
    low: float
    high: float


def table(groups: Estimates) -> Heterogeneity:
    """Of estimates about their regression.

    Raises
    ------
    ValueError
        Where there are as many coefficients as estimates.
    """
    inner = TwoLevel(groups=groups, tau=priors.FLAT).standard.model
    cells, x, df = inner.groups.cells, inner.groups.design, len(groups) - groups.design.shape[1]
    if df == 0:
        raise ValueError("as many coefficients as estimates: nothing is left that could differ")

    def squares(tau2):
        return float(pool(cells, (cells.noise + tau2)[None], inner.coefficients).quadratic[0])

    q, w = squares(0.0), 1 / groups.noise
    middle = np.linalg.inv(x.T * w @ x)
    excess = (q - df) / (w.sum() - np.trace(middle @ (x.T * w**2) @ x))
    large, small = (stats.chi2.isf(tail, df) for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    low, high = (_solved(squares, target, groups) if q > small else np.nan for target in (large, small))
    i2 = max(0.0, (q - df) / q) if q else 0.0
    return Heterogeneity(q, df, float(stats.chi2.sf(q, df)), i2, np.sqrt(max(excess, 0.0)), low, high)


def _solved(squares, target, groups) -> float:
    """The tau where the squares are that large; 0 where they never are."""
    if squares(0.0) <= target:
        return 0.0
    high = groups.noise.max()
    while squares(high) > target:
        high *= 4
    return float(np.sqrt(optimize.brentq(lambda tau2: squares(tau2) - target, 0.0, high, xtol=1e-14 * high)))
