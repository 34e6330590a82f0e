"""theta and kappa of every group in one sweep, at a cost that goes with the distinct noises and not with the groups.

Given the scales the mean of theta_i is (1 - kappa) mean_i + kappa x_i'b, linear in z_i = (mean_i, x_i), with
coefficients m = (1 - kappa, kappa bhat) that all groups of equal noise share. Over the nodes of the quadrature, then,

    E theta_i = E(m)'z_i      var theta_i = E((1 - kappa) noise) + x_i'E(kappa^2 C)x_i + z_i'cov(m)z_i,

C the covariance of b: two small matrices for each distinct noise, and a quadratic form for each group.

Among many groups of equal noise and design a quantile of theta_i is a smooth function of mean_i alone: it is computed
at Chebyshev's points and interpolated, and the error is what is found between them. Where few are alike, or no
polynomial is good enough, it is found by itself, so many groups at a time that memory does not grow with them.
"""

from collections.abc import Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.polynomial import Chebyshev
from numpy.polynomial.chebyshev import chebpts1

from analyses import progress
from analyses.engines.blocks import slices
from analyses.engines.exact import Posterior
from analyses.engines.mixture import highest_moment, t_inflation
from models.groups.equal_noise import distinct
from models.propriety import moments
from models.shrinkage import data_weight, kappa

BLOCK_ENTRIES = 1_000_000  # of an array at a time
DEGREES = (16, 32, 64, 128, 256, 512)  # of the polynomials, until one is good enough
MOST_ERROR = 1e-9  # of a posterior's width
INTERVAL = (0.025, 0.975)


class Shared(NamedTuple):
    """What groups of equal noise have in common: a row for each distinct noise.

    Attributes
    ----------
    mean : ndarray (noise, 1 + p)
        E(m).
    covariance : ndarray (noise, 1 + p, 1 + p)
        cov(m), and E(kappa^2 C) on the part that x meets.
    within : ndarray (noise,)
        E((1 - kappa) noise).
    kappa_mean, kappa_sd : ndarray (noise,)
    """

    mean: np.ndarray
    covariance: np.ndarray
    within: np.ndarray
    kappa_mean: np.ndarray
    kappa_sd: np.ndarray


def theta_and_kappa(posterior: Posterior) -> pd.DataFrame:
    """Means and sds of theta and kappa of all groups.

    Returns
    -------
    DataFrame
        theta_mean, theta_sd, kappa_mean and kappa_sd, a row a group; nan where a moment does not exist.
    """
    g, order = posterior.model.groups, moments(posterior.model)["theta", ""]
    noises, which = distinct(g.noise)
    parts = [_shared(posterior, some) for some in _blocks(posterior, noises)]
    shared = Shared(*map(np.concatenate, zip(*parts, strict=True)))
    mean, variance = np.empty(len(g)), np.empty(len(g))
    for at in np.array_split(np.arange(len(g)), len(g) // BLOCK_ENTRIES + 1):
        z, c = np.column_stack([g.mean[at] - g.center, posterior.model.standard.regressors(g.design[at])]), which[at]
        mean[at] = g.center + np.einsum("gi,gi->g", z, shared.mean[c])
        variance[at] = shared.within[c] + np.einsum("gi,gij,gj->g", z, shared.covariance[c], z)
    highest = highest_moment(order)
    return pd.DataFrame(
        {
            "theta_mean": mean if highest >= 1 else np.nan,
            "theta_sd": np.sqrt(variance) if highest >= 2 else np.nan,
            "kappa_mean": shared.kappa_mean[which],
            "kappa_sd": shared.kappa_sd[which],
        },
        index=pd.Index(g.labels, name="label"),
    )


def theta_quantiles(
    posterior: Posterior, probabilities: Sequence[float], *, show: bool = False
) -> tuple[np.ndarray, float]:
    """Quantiles of theta of all groups.

    Parameters
    ----------
    posterior : Posterior
    probabilities : sequence of float
    show : bool
        Whether to show how far it is.

    Returns
    -------
    quantiles : ndarray (probability, group)
    error : float
        The largest that was found between the points of the interpolation, in posterior widths; 0 where there is none.
    """
    g, error = posterior.model.groups, 0.0
    found, (pending, few) = np.empty((len(probabilities), len(g))), _alike(g)
    alone = [few]
    for degree in DEGREES:
        many = [len(alike.at) > 3 * degree and alike.low < alike.high for alike in pending]
        alone += [alike.at for alike, enough in zip(pending, many, strict=True) if not enough]
        pending = list(compress(pending, many))
        left = []
        for alike, values in zip(pending, _at_points(posterior, pending, degree, probabilities), strict=True):
            curves, off = _fitted(alike, degree, values)
            if off < MOST_ERROR:
                found[:, alike.at] = [curve(g.mean[alike.at]) for curve in curves]
                error = max(error, off)
            else:
                left.append(alike)
        pending = left
    alone += [alike.at for alike in pending]
    for at in progress.each(_blocks(posterior, np.concatenate(alone)), "quantiles of theta", show=show):
        found[:, at] = posterior.theta(at).quantile(probabilities)
    return found, error


def predictive_pit(posterior: Posterior, *, show: bool = False) -> np.ndarray:
    """Probability that a new group of the same noise and design has as small a mean, for every group.

    Of data from the model it is uniform; that the posterior has seen the group itself is felt by one part in J.
    """
    g = posterior.model.groups

    def of(at):
        return posterior.new_theta(g.design[at], g.noise[at]).cdf(g.mean[at], np.arange(len(at)))

    positions = _blocks(posterior, np.arange(len(g)))
    return np.concatenate([of(at) for at in progress.each(positions, "what the population foretells", show=show)])


def below(posterior: Posterior, value: float, *, show: bool = False) -> np.ndarray:
    """P(theta_i < value) of every group."""

    def of(at):
        return posterior.theta(at).cdf(np.full(len(at), value), np.arange(len(at)))

    positions = _blocks(posterior, np.arange(len(posterior.model.groups)))
    return np.concatenate([of(at) for at in progress.each(positions, "groups above the threshold", show=show)])


def _blocks(posterior, at) -> list[np.ndarray]:
    """Positions in blocks, so that an array over nodes and groups has a bounded size."""
    return [at[block] for block in slices(len(at), len(posterior.weight), BLOCK_ENTRIES)]


class Classes(NamedTuple):
    """An order of rows in which equal rows are adjacent, with the start and the size of each class."""

    order: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray


def classes_of_equal(keys: np.ndarray) -> Classes:
    """Find the rows of an array that are equal."""
    order = np.lexsort(keys.T)
    starts = np.flatnonzero(np.any(np.diff(keys[order], axis=0, prepend=np.nan) != 0, axis=1))
    return Classes(order, starts, np.diff(starts, append=len(order)))


class Alike(NamedTuple):
    """Groups of equal noise and design: their positions, what they share, and the ends of their means."""

    at: np.ndarray
    noise: float
    x: np.ndarray
    low: float
    high: float

    def points(self, degree: int) -> np.ndarray:
        """Chebyshev's points of that degree on the range of the means, and those halfway between them."""
        nodes = (self.low + self.high) / 2 + (self.high - self.low) / 2 * chebpts1(degree + 1)
        return np.concatenate([nodes, (nodes[1:] + nodes[:-1]) / 2])


def _alike(g) -> tuple[list[Alike], np.ndarray]:
    """Classes of groups that are many, and the positions of all others."""
    keys = np.column_stack([g.noise, g.design[:, 1:]])
    order, starts, sizes = classes_of_equal(keys)
    many = sizes > 3 * DEGREES[0]
    each = [order[start : start + size] for start, size in zip(starts[many], sizes[many], strict=True)]
    classes = [Alike(at, g.noise[at[0]], g.design[at[0]], g.mean[at].min(), g.mean[at].max()) for at in each]
    return classes, order[np.repeat(~many, sizes)]


def _at_points(posterior, classes: list[Alike], degree, probabilities) -> np.ndarray:
    """Quantiles at the points of each class, and below them the ends of the 95% intervals: (class, level, point)."""
    if not classes:
        return np.empty((0, 0, 0))
    points = np.stack([alike.points(degree) for alike in classes])
    noise = np.repeat([alike.noise for alike in classes], points.shape[1])
    x = np.repeat([alike.x for alike in classes], points.shape[1], axis=0)
    parts = [
        posterior.theta_of(points.ravel()[at], noise[at], x[at]).quantile([*probabilities, *INTERVAL])
        for at in _blocks(posterior, np.arange(points.size))
    ]
    return np.concatenate(parts, axis=1).reshape(-1, *points.shape).swapaxes(0, 1)


def _fitted(alike: Alike, degree: int, values: np.ndarray) -> tuple[list[Chebyshev], float]:
    """A polynomial for each quantile, and the largest error between its points, in posterior widths."""
    points, (*levels, low, high) = alike.points(degree), values
    nodes, between = np.split(points, [degree + 1])
    curves = [Chebyshev.fit(nodes, v[: degree + 1], degree, domain=[alike.low, alike.high]) for v in levels]
    width = (high - low)[degree + 1 :] / 4  # an sd, were it normal, as mixture.width has it
    off = max(np.abs((curve(between) - v[degree + 1 :]) / width).max() for curve, v in zip(curves, levels, strict=True))
    return curves, float(off)


def _shared(posterior, noises) -> Shared:
    """Compute `Shared` for some distinct noises; arrays over the nodes are (node, noise)."""
    given, weight, inflation = posterior.given, posterior.weight, t_inflation(posterior.given.df)
    noise, between = posterior.variances(noises)
    k = np.broadcast_to(kappa(noise, between), (len(weight), len(noises)))
    kept = np.broadcast_to(data_weight(noise, between), k.shape)
    bhat = given.location - posterior.model.groups.center * np.eye(len(given.basis))[0]
    mean = np.concatenate([(weight @ kept)[:, None], np.einsum("n,nc,nk->ck", weight, k, bhat)], axis=1)
    off = np.concatenate([-(k - weight @ k)[..., None], k[..., None] * bhat[:, None] - mean[:, 1:]], axis=-1)
    covariance = np.einsum("n,nci,ncj->cij", weight, off, off)
    covariance[:, 1:, 1:] += inflation * np.einsum("n,nc,nij->cij", weight, k**2, given.covariance)
    within = inflation * np.einsum("n,nc,n->c", weight, kept * noise, given.unit)
    return Shared(mean, covariance, within, weight @ k, np.sqrt(weight @ (k - weight @ k) ** 2))
