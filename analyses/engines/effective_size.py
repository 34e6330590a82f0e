"""Effective sample sizes and R-hat of many quantities at once, as ArviZ has them one by one (Vehtari et al. 2021).

Arrays of draws are (quantity, chain, draw). Quantities with draws that are not finite get nan.
"""

import numpy as np
from scipy import fft, stats
from scipy.special import ndtri

from analyses.engines.blocks import slices

BLOCK_ENTRIES = 4_000_000  # of draws at a time
RESOLUTION = np.finfo(float).resolution  # draws that differ by less are constant
LEAST_DRAWS = 4


def of_mean(draws: np.ndarray) -> np.ndarray:
    """Effective size for the mean, (quantity,)."""
    return _blockwise(lambda x: _effective(_split(x)), draws)


def bulk(draws: np.ndarray) -> np.ndarray:
    """Effective size of the ranks, (quantity,)."""
    return _blockwise(lambda x: _effective(_normal_scores(_split(x))), draws)


def tail(draws: np.ndarray, probabilities: tuple[float, float]) -> np.ndarray:
    """The smaller of the effective sizes of the shares below two quantiles, (quantity,)."""

    def of(x):
        quantiles = np.quantile(x, probabilities, axis=(1, 2))
        return np.min([_effective(_split(x <= q[:, None, None])) for q in quantiles], axis=0)

    return _blockwise(of, draws)


def r_hat(draws: np.ndarray) -> np.ndarray:
    """The larger R-hat of the ranks and of the ranks of the distance from the median, (quantity,); of one chain nan."""

    def of(x):
        halves = _split(x)
        folded = np.abs(halves - np.median(halves, axis=(1, 2), keepdims=True))
        of_ranks, of_distances = _r_hat(_normal_scores(halves)), _r_hat(_normal_scores(folded))
        return np.where(of_distances > of_ranks, of_distances, of_ranks)  # distances may be constant

    return _blockwise(of, draws, chains=2)


def _blockwise(function, draws, chains=1) -> np.ndarray:
    """Apply a function to so many quantities at a time that memory stays bounded."""
    out = np.full(len(draws), np.nan)
    if draws.shape[1] < chains or draws.shape[2] < LEAST_DRAWS:
        return out
    for block in slices(len(draws), draws.shape[1] * draws.shape[2], BLOCK_ENTRIES):
        some = draws[block]
        finite = np.isfinite(some).all(axis=(1, 2))
        if finite.any():
            out[block][finite] = function(some[finite])
    return out


def _split(draws) -> np.ndarray:
    """Twice as many chains, of half the length."""
    half = draws.shape[2] // 2
    return np.concatenate([draws[:, :, :half], draws[:, :, -half:]], axis=1).astype(float)


def _normal_scores(draws) -> np.ndarray:
    """Normal quantiles of the ranks of all draws of a quantity (Blom 1958)."""
    size = draws.shape[1] * draws.shape[2]
    ranks = stats.rankdata(draws.reshape(len(draws), size), axis=1)
    return ndtri((ranks - 3 / 8) / (size + 1 / 4)).reshape(draws.shape)


def _r_hat(draws) -> np.ndarray:
    length = draws.shape[2]
    between = length * draws.mean(axis=2).var(axis=1, ddof=1)
    within = draws.var(axis=2, ddof=1).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a constant has none
        return np.sqrt((between / within + length - 1) / length)


def _effective(draws) -> np.ndarray:
    """Number of draws over their autocorrelation time: Geyer's initial monotone sequence.

    With r_t the autocorrelation at lag t, averaged over the chains, and P_k = r_2k + r_2k+1, the time is the sum of all
    2 P_k before the first that is not positive, each no larger than the one before it, minus 1.
    """
    count, chains, length = draws.shape
    covariance = _autocovariance(draws)
    within = covariance[:, :1] * length / (length - 1)
    total = covariance[:, :1] + (draws.mean(axis=2).var(axis=1, ddof=1)[:, None] if chains > 1 else 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):  # a constant has none
        correlation = 1 - (within - covariance) / total
    correlation[:, 0] = 1.0
    pairs = max(1, -(-(length - 2) // 2))
    sums = correlation[:, 0 : 2 * pairs : 2] + correlation[:, 1 : 2 * pairs : 2]
    ended = sums <= 0
    last = np.where(ended.any(axis=1), ended.argmax(axis=1), pairs - 1)
    decreasing = np.minimum.accumulate(sums, axis=1)
    before = np.where(np.arange(pairs) < last[:, None], decreasing, 0.0).sum(axis=1)
    which = np.arange(count)
    left = correlation[which, 2 * last]
    left = np.where(sums[which, last] >= 0, left, np.maximum(left, 0.0))
    size = chains * length
    effective = size / np.maximum(-1 + 2 * before + left, 1 / np.log10(size))
    return np.where(np.ptp(draws, axis=(1, 2)) < RESOLUTION, size, effective)


def _autocovariance(draws) -> np.ndarray:
    """Autocovariances, averaged over the chains: (quantity, lag)."""
    length = draws.shape[2]
    n = fft.next_fast_len(2 * length, real=True)
    transform = fft.rfft(draws - draws.mean(axis=2, keepdims=True), n=n, axis=2)
    power = (transform.real**2 + transform.imag**2).mean(axis=1)
    return fft.irfft(power, n=n, axis=1)[:, :length] / length
