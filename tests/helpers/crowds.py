"""Models of hundreds of groups, and how far a right figure of so many may be off."""

import numpy as np
from scipy import stats

from helpers.problems import estimates, replicates
from models import priors
from models.two_level import TwoLevel

ONCE_IN = 1e-4  # runs a right program would fail a test that rests on simulated data, were the seed not fixed
SIZES = np.tile([2, 2, 3, 5, 5, 9], 60)
MODELS = {
    "rows, covariate": TwoLevel(groups=replicates(31, SIZES, covariate=True), tau=priors.HalfCauchy(1.0)),
    "rows, two sizes": TwoLevel(groups=replicates(33, np.tile([2, 5], 150)), tau=priors.InverseGamma(0.5, 0.5)),
    "estimates": TwoLevel(groups=estimates(34, 300), tau=priors.FLAT),
    "estimates, covariate": TwoLevel(groups=estimates(35, 120, covariate=True), tau=priors.FLAT),
}


def limit(count: int) -> float:
    """Standard errors that none of so many right figures leaves but once in ten thousand runs."""
    return float(stats.norm.isf(ONCE_IN / 2 / count))
