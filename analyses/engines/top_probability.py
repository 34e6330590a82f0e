"""Which of very many groups are among the top k: P(theta_i is among the k largest of all theta), from joint draws.

Given (b, tau, sigma) the theta are independent, theta_i ~ N(m_i, v_i) with Z the standard normal's distribution
function. The k-th largest of many of them lies next to the t with

    sum_i Z((m_i - t) / v_i^(1/2)) = k,

normal about it with variance V / l^2, where V = sum_i p_i (1 - p_i) is the variance of the number of theta above t, and
l = sum_i N(t; m_i, v_i) the rate at which that number changes. So, with t moved until k are expected,

    P(i among the top | b, tau, sigma) = Z((m_i - t) / (v_i + V / l^2)^(1/2)) + (p_i - c) N(t; m_i, v_i) / l.

The last term is there as a group does not compete with itself; c makes it add up to 0. What is left out is of order
1/k. The average over independent draws of (b, tau, sigma) is the probability, its Monte Carlo error the standard
deviation over the root of their number: theta is not drawn, so that error is the smallest that draws of them can have.

Groups of equal noise and design with nearly equal means are one row: its center and second moment stand for them, and
each of its groups is reached from there by Taylor's series.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from analyses import progress
from analyses.engines.all_groups import classes_of_equal
from analyses.engines.blocks import slices
from analyses.engines.exact import Posterior
from analyses.engines.inference_data import Drawn, concatenated
from models.groups import Groups
from models.shrinkage import data_weight, theta_given

TOP_SHARE = 0.01  # of the groups
USUAL_DRAWS = 1_000  # of the hyperparameters
LEAST_DRAWS = 100  # where rows are many
MOST_ROWS_TIMES_DRAWS = 2_000_000  # beyond it there are fewer draws
BLOCK_ENTRIES = 200_000  # of an array at a time
ROWS_PER_ERROR = 8  # for each standard error of a mean
MOST_OFF = 1e-6  # of k: an expected number that is nearer to it is near enough
ROOT_2PI = np.sqrt(2 * np.pi)


class Rows(NamedTuple):
    """Groups of equal noise and design and nearly equal means.

    Attributes
    ----------
    of : ndarray (J,)
        Position of each group's row.
    size, mean, variance : ndarray (R,)
        Number of groups, and mean and variance of their means.
    noise : ndarray (R,)
    design : ndarray (R, p)
    """

    of: np.ndarray
    size: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    noise: np.ndarray
    design: np.ndarray


class Top(NamedTuple):
    """Probabilities of being among the top.

    Attributes
    ----------
    p, error : ndarray (J,)
        Of each group, and its Monte Carlo error.
    threshold : ndarray (draw,)
        Of theta, given each draw.
    """

    p: np.ndarray
    error: np.ndarray
    threshold: np.ndarray


def probabilities(
    posterior: Posterior, *, sign: int, rng: np.random.Generator, draws: int = USUAL_DRAWS, show: bool = False
) -> Top:
    """Probability that theta is among the top 1% of all groups, of every group.

    Parameters
    ----------
    posterior : Posterior
    sign : {1, -1}
        1 where the largest theta are the top, -1 where the smallest are.
    rng : numpy.random.Generator
    draws : int
        Independent draws of the hyperparameters; fewer, but LEAST_DRAWS at least, where rows are many.
    show : bool
        Whether to show progress.
    """
    g = posterior.model.groups
    drawn = _drawn(posterior, draws, rng)
    rows, count = _rows(g, float(np.median(drawn["sigma"]))), max(1, int(TOP_SHARE * len(g)))
    draws = min(draws, max(LEAST_DRAWS, MOST_ROWS_TIMES_DRAWS // len(rows.size)))
    sums, thresholds = np.zeros((4, len(rows.size))), []
    for block in progress.each(slices(draws, len(rows.size), BLOCK_ENTRIES), "P(among the top)", show=show):
        some = {name: values[block] for name, values in drawn.items()}
        terms, threshold = _given(posterior.model, rows, some, sign, count)
        sums += terms
        thresholds.append(threshold)
    return _averaged(g, rows, sums, np.concatenate(thresholds))


def _drawn(posterior, draws, rng) -> Drawn:
    """Independent draws of (b, tau, sigma), in blocks, so that memory does not grow with the cells."""
    parts = [
        posterior.independent(block.stop - block.start, rng=rng)
        for block in slices(draws, len(posterior.model.groups.cells.noise), BLOCK_ENTRIES)
    ]
    return {"sigma": np.ones(draws)} | concatenated(parts)


def _rows(g: Groups, sigma: float) -> Rows:
    """Each class of noise and design in bins of a fraction of its standard error."""
    bins = np.floor((g.mean - g.center) / (np.sqrt(g.noise) * sigma / ROWS_PER_ERROR))
    keys = np.column_stack([bins, g.noise, g.design[:, 1:]])
    order, starts, count = classes_of_equal(keys)
    of = np.empty(len(g), dtype=int)
    of[order] = np.repeat(np.arange(len(starts)), count)
    first = order[starts]
    off = g.mean - g.mean[first][of]  # from a member of the row, so that an offset costs no digits
    mean = np.bincount(of, off) / count
    variance = np.maximum(np.bincount(of, off**2) / count - mean**2, 0.0)
    return Rows(of, count, g.mean[first] + mean, variance, g.noise[first], g.design[first])


def _given(model, rows: Rows, drawn: Drawn, sign: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums over some draws of P, its square and its first two derivatives by the mean, (4, row); and the thresholds."""
    noise, between = model.variances(rows.noise, drawn["tau"][:, None], drawn["sigma"][:, None])
    mean, variance = theta_given(rows.mean, noise, drawn["b"] @ rows.design.T, between)
    mean, kept = sign * mean, data_weight(noise, between)
    within = kept**2 * rows.variance  # of the means of a row's groups
    start = _start(mean, variance, rows.size)
    crossing, share, rate = _crossing(mean, variance + within, rows.size, count, start)
    spread = np.sum(rows.size * share * (1 - share), axis=1) / np.sum(rows.size * rate, axis=1) ** 2
    variance = variance + spread[:, None]
    threshold, _, _ = _crossing(mean, variance + within, rows.size, count, crossing)
    sd = np.sqrt(variance)
    z = (mean - threshold[:, None]) / sd
    p, density = ndtr(z), np.exp(-(z**2) / 2) / (ROOT_2PI * sd)
    rates = rows.size * density
    total = rates.sum(axis=1, keepdims=True)
    p_of_rivals = np.sum(rates * p, axis=1, keepdims=True) / total
    p = p + (p - p_of_rivals) * density / total
    slope = kept * density
    terms = p, p**2, sign * slope, -kept * slope * z / sd
    return np.stack([term.sum(axis=0) for term in terms]), sign * threshold


def _start(mean, variance, count) -> np.ndarray:
    """Where the top would begin if all theta together were normal."""
    center = mean @ count / count.sum()
    return center - ndtri(TOP_SHARE) * np.sqrt((variance + (mean - center[:, None]) ** 2) @ count / count.sum())


def _crossing(mean, variance, groups, count, start) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Threshold (draw,) above which `count` theta are expected; the share of each row above it and its density there.

    Newton's method for the log of the expected number, within a bracket that each step narrows.
    """
    sd = np.sqrt(variance)
    low, high = np.min(mean - 9 * sd, axis=1), np.max(mean + 9 * sd, axis=1)
    at = np.clip(start, low, high)
    while True:
        z = (mean - at[:, None]) / sd
        share, rate = ndtr(z), np.exp(-(z**2) / 2) / (ROOT_2PI * sd)
        expected, falls = share @ groups, rate @ groups
        low, high = np.where(expected > count, at, low), np.where(expected > count, high, at)
        narrow = high - low <= 4 * np.spacing(np.maximum(np.abs(low), np.abs(high)))
        if np.all(narrow | (np.abs(expected / count - 1) < MOST_OFF)):
            return at, share, rate
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = at + expected * np.log(expected / count) / falls
        at = np.where((newton > low) & (newton < high), newton, (low + high) / 2)


def _averaged(g, rows, sums, thresholds) -> Top:
    """Averages over the draws at each row's center, moved to its groups."""
    draws = len(thresholds)
    p, squares, slope, bend = (sums / draws)[:, rows.of]
    off = g.mean - rows.mean[rows.of]
    error = np.sqrt(np.maximum(squares - p**2, 0.0) / (draws - 1))
    return Top(np.clip(p + off * slope + off**2 / 2 * bend, 0.0, 1.0), error, thresholds)
