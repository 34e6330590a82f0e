"""theta of a count given its population: where its density is highest, and draws from it.

p(theta_i | m, tau, y_i)  ~  L_i(theta_i) N(theta_i | m, tau^2),    a log-concave density
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models.distributions import Numbers
from models.groups.counted import Counted

NEAR_ENOUGH = 0.05  # sds from the mode
MOST_STEPS = 200
FARTHEST = 50.0  # that a mode lies beyond m or beyond a peak, where tau is 1
LEVEL = 1e-8  # rise of the middle piece that expm1(rise) / rise is 1 of, to half the digits and with no effect on draws
BESIDE = 1.2  # sds from the mode at which the envelope of draws touches the density


class Mode(NamedTuple):
    """Where an integrand is highest: arrays (..., group).

    Attributes
    ----------
    off : ndarray
        How far from m. Where tau is small, the difference of the two would have no digits.
    curvature : ndarray
        Of the log likelihood there.
    """

    off: np.ndarray
    curvature: np.ndarray


def mode(groups: Counted, m: np.ndarray, tau: np.ndarray) -> Mode:
    """Find the modes of L_i(t) N(t | m, tau^2) by Newton's method, kept between ends that hold each.

    Where the slope of L_i at m is positive the mode lies above m, by at most that slope times tau^2, nor far beyond the
    peak of L_i; where that has none, not far from where L_i bends.

    Parameters
    ----------
    groups : Counted
    m : ndarray (..., group)
    tau : ndarray (..., 1) or (..., group)

    Raises
    ------
    RuntimeError
        Where the steps do not become small.
    """
    precision, slope, rough = tau**-2.0, groups.slope(m), groups.rough
    bound = np.abs(m - rough) + 2 * np.log1p(tau) + FARTHEST
    with np.errstate(over="ignore"):
        farthest = np.clip(slope * tau**2, -bound, bound)
    low, high = np.minimum(farthest, 0.0), np.maximum(farthest, 0.0)
    curvature, last, rounding = groups.curvature(rough), np.inf, 4 * np.spacing(np.abs(m))
    off = np.clip((rough - m) * (curvature / (precision + curvature)), low, high)
    for _ in range(MOST_STEPS):
        curvature = groups.curvature(m + off)
        slope = groups.slope(m + off) - off * precision
        move = slope / (curvature + precision)
        if (np.abs(move) < NEAR_ENOUGH / np.sqrt(curvature + precision) + rounding).all():
            return Mode(off, curvature)
        low, high = np.where(slope > 0, off, low), np.where(slope > 0, high, off)
        beyond = off + move
        halved = (beyond < low) | (beyond > high) | (np.abs(move) > last / 2)  # else Newton's steps may alternate
        off, last = np.where(halved, (low + high) / 2, beyond), np.abs(move)
    raise RuntimeError("the mode of theta given its population is not found")


@dataclass(frozen=True, eq=False)
class GivenPopulation:
    """theta of each group given its population, with density proportional to L_i(theta_i) N(theta_i | m_i, tau^2).

    Attributes
    ----------
    groups : Counted
        J groups.
    mean : ndarray (..., J)
        m_i.
    sd : ndarray (..., 1)
        tau.
    """

    groups: Counted
    mean: np.ndarray
    sd: np.ndarray

    def log_density(self, x: np.ndarray) -> Numbers:
        """Log density of each element, up to a constant in x."""
        return self.groups.log_likelihood(x) - ((x - self.mean) / self.sd) ** 2 / 2

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Draw one value of the whole array by rejection.

        The log density lies below its tangents. Those at the mode and to both sides of it bound it by three exponential
        pieces, of which a value is drawn; about nine of ten are kept.
        """
        top = mode(self.groups, self.mean, self.sd)
        beside = BESIDE / np.sqrt(top.curvature + self.sd**-2.0)
        at = np.stack([top.off - beside, top.off, top.off + beside])
        height = self._height(at) - self._height(top.off)
        slope = self.groups.slope(self.mean + at) - at / self.sd**2
        envelope = Envelope.of(at, height, slope)
        off, missing = np.empty(self.mean.shape), np.ones(self.mean.shape, dtype=bool)
        while missing.any():
            proposed, bound = envelope.draw(rng)
            log_ratio = self._height(proposed) - self._height(top.off) - bound
            kept = missing & (np.log(rng.random(off.shape)) < log_ratio)
            off, missing = np.where(kept, proposed, off), missing & ~kept
        return self.mean + off

    def _height(self, off):
        return self.groups.log_likelihood(self.mean + off) - (off / self.sd) ** 2 / 2


class Envelope(NamedTuple):
    """Three tangents of log densities, elementwise: the lowest of them at each point.

    Attributes
    ----------
    at, height, slope : ndarray (3, ...)
        Where they touch, from left to right, how high, and how steep.
    ends : ndarray (2, ...)
        Where one goes over into the next.
    share : ndarray (3, ...)
        Of each piece in the whole.
    """

    at: np.ndarray
    height: np.ndarray
    slope: np.ndarray
    ends: np.ndarray
    share: np.ndarray

    @classmethod
    def of(cls, at: np.ndarray, height: np.ndarray, slope: np.ndarray) -> "Envelope":
        """Envelope whose first slope is positive and whose last is negative."""
        own = height - slope * at
        ends = (own[1:] - own[:-1]) / (slope[:-1] - slope[1:])
        low, high = own[0] + slope[0] * ends[0], own[2] + slope[2] * ends[1]
        width, rise = ends[1] - ends[0], slope[1] * (ends[1] - ends[0])
        flat = np.abs(rise) < LEVEL
        middle = np.exp(low) * width * np.where(flat, 1.0, np.expm1(rise) / np.where(flat, 1.0, rise))
        mass = np.stack([np.exp(low) / slope[0], middle, -np.exp(high) / slope[2]])
        return cls(at, height, slope, ends, mass / mass.sum(axis=0))

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Draw a value, and tell the log of the envelope there."""
        u, v = rng.random(self.share[0].shape), rng.random(self.share[0].shape)
        width, slope = self.ends[1] - self.ends[0], self.slope[1]
        rise = slope * width
        flat = np.abs(rise) < LEVEL
        inside = np.where(flat, v * width, np.log1p(v * np.expm1(rise)) / np.where(flat, 1.0, slope))
        log = -np.log1p(-v)
        left, right = self.ends[0] - log / self.slope[0], self.ends[1] - log / self.slope[2]
        piece = (u > self.share[0]).astype(int) + (u > self.share[0] + self.share[1])
        x = np.choose(piece, [left, self.ends[0] + inside, right])
        tangents = self.height + self.slope * (x - self.at)
        return x, np.choose(piece, list(tangents))
