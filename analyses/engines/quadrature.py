"""A lattice over every place where a log density can have mass, and a bound on the mass elsewhere.

The log density of the logs of the scales is a part that never falls along an axis plus a part that never rises. On a
box it is at most the first at the upper corner plus the second at the lower one. Boxes whose bound lies far below the
top are left out, all others are halved until their edge resolves the density: branch and bound. No starting point is
needed, and every peak is followed, wherever it lies and however many there are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.interpolate import RegularGridInterpolator

MOST_NODES = 10_000_000  # their coordinates take 160 MB in two dimensions
BLOCK_NODES = 1_024  # at a time: with tens of cells an array of them stays in the cache, with thousands it is small
FIRST_EDGE = 8.0  # edge of the first boxes
MOST_EDGE = 0.25  # on it a log density of logs, analytic up to pi/2 off the real line, is known between its nodes
MOST_STEP = 2.0  # step: where data say little a density of logs may be level, but its ends bend over a unit or two
MOST_LOG_SCALES = 344.0  # sum of the logs of the scales, either way: their squares are doubles up to e^354
LEAST_LOG_DENSITY = -1e300  # log density: less is as much, and can be subtracted from
DIGITS = 37.0  # e^-37 is the rounding of a double
DISTANCES = np.geomspace(1e-5, 20.0, 60)  # distances from the real line


class QuadratureError(RuntimeError):
    """A lattice that cannot be made: of too many nodes, or with a tail beyond the range of doubles."""


@dataclass(frozen=True, eq=False)
class Parts:
    """Log densities at some points: a part that never falls along an axis, and one that never rises.

    Attributes
    ----------
    rising, falling : ndarray (1 + moment, node)
        First of the density itself, then of the density times each function whose expectation is wanted.
    """

    rising: np.ndarray
    falling: np.ndarray

    @property
    def log_unnormalized(self) -> np.ndarray:
        """The log densities themselves."""
        return self.rising + self.falling

    def __getitem__(self, which: np.ndarray) -> "Parts":
        return Parts(self.rising[:, which], self.falling[:, which])

    def times(self, functions: "Parts") -> "Parts":
        """Append rows for the density times functions, given by their logs (moment, node)."""
        return Parts(
            np.concatenate([self.rising, self.rising + functions.rising]),
            np.concatenate([self.falling, self.falling + functions.falling]),
        )


LogDensity = Callable[[np.ndarray], Parts]  # of points (d, node)


@dataclass(frozen=True, eq=False)
class Region:
    """Boxes that hold all mass of a log density but for a known share.

    Attributes
    ----------
    log_density : callable
        (d, node) to Parts.
    depth : float
        How far below its top the density is followed; and, times each function, below that product's.
    corners : ndarray (d, box) of int
        Lower corners, in edges.
    edge : float
    step : float
        Sd of the normal density that needs as fine a lattice as this one.
    missed : float
        Bound on the share of any mass that lies outside the boxes.
    shift : float
        Of the lattice, along each axis.
    """

    log_density: LogDensity
    depth: float
    corners: np.ndarray
    edge: float
    step: float
    missed: float
    shift: float = 0.0

    def lattice(self, step: float) -> np.ndarray:
        """Nodes `step` apart wherever one of the densities is less than `depth` below its top.

        Returns
        -------
        ndarray (d, node)
        """
        across = int(np.ceil(self.edge / step)) + 2
        _require_few(self.corners.shape[1] * across ** len(self.corners))
        first = np.floor(self.corners * self.edge / step).astype(int)
        index = _spread(first, across)
        # A node on the border of two boxes is in the one that division says, and in no other.
        inside = np.floor(index * step / self.edge) == np.repeat(self.corners, across ** len(first), axis=1)
        index = index[:, inside.all(axis=0)]
        u = self.shift + step * index[:, np.lexsort(index[::-1])]
        height = evaluated(self.log_density, u).log_unnormalized
        return u[:, (height.max(axis=1, keepdims=True) - height).min(axis=0) < self.depth]

    def draw(
        self, nodes: np.ndarray, weight: np.ndarray, step: float, size: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Independent draws (d, size): from the multilinear density through the nodes, made exact by rejection.

        Parameters
        ----------
        nodes : ndarray (d, node)
            Of a lattice of that step.
        weight : ndarray (node,)
            Density at the nodes, adding up to one.

        Raises
        ------
        RuntimeError
            Where the density is not below its envelope: that would be a bias.
        """
        envelope, top = _multilinear(nodes, weight, step), np.argmax(weight)
        unit = self.log_density(nodes[:, [top]]).log_unnormalized[0, 0] - np.log(weight[top])
        # Between nodes that are h sds apart a density exceeds its linear interpolation by exp(h^2 / 8) at most:
        # a quarter is that of h = 1.3, and nodes lie closer.
        bound = 1.25
        kept: list[np.ndarray] = []
        while (missing := size - sum(k.shape[1] for k in kept)) > 0:
            tried = missing + missing // 3 + 1  # some one in 1.25 is kept
            node = rng.choice(len(weight), tried, p=weight)
            u = nodes[:, node] + step * rng.triangular(-1, 0, 1, (len(nodes), tried))
            ratio = np.exp(evaluated(self.log_density, u).log_unnormalized[0] - unit) / envelope(u.T) / bound
            if ratio.max() > 1:
                raise RuntimeError(f"the envelope of the draws is exceeded by a factor {ratio.max():.3f}")
            kept.append(u[:, rng.random(tried) < ratio])
        return np.concatenate(kept, axis=1)[:, :size]


def cover(log_density: LogDensity, d: int, *, depth: float) -> Region:
    """Find every place where a density has mass, in the whole range of doubles.

    Parameters
    ----------
    log_density : callable
        (d, node) to Parts.
    d : int
    depth : float
        How far below its top each density is followed.

    Raises
    ------
    QuadratureError
        For more boxes than a lattice may have nodes, or a tail beyond the range of doubles.
    """
    boxes = _Boxes.everywhere(log_density, d)
    tops, missed = _tops(boxes, log_density), np.zeros(1)
    while True:
        tops = np.maximum(tops, boxes.tops)
        kept = boxes.below(tops) < depth
        missed = missed + boxes[~kept].most_mass(tops)
        boxes = boxes[kept]
        if boxes.edge <= MOST_EDGE and boxes.edge <= (sd := boxes.sd(tops)):
            break
        boxes = boxes.halved(log_density)
    _require_inside(boxes)
    share = float((missed / boxes.mass(tops)).max())
    return Region(log_density, depth, boxes.corners, boxes.edge, min(MOST_STEP, sd), share)


@dataclass(frozen=True, eq=False)
class _Boxes:
    """Boxes of one size, with what is known of the log density at their corners.

    Attributes
    ----------
    corners : ndarray (d, box) of int
        Lower ones, in edges.
    edge : float
    lower, upper : Parts (box,)
        At the lower and the upper corners.
    bent : ndarray (d, box)
        Minus the second difference of the log density along each axis at the lower corners.
    """

    corners: np.ndarray
    edge: float
    lower: Parts
    upper: Parts
    bent: np.ndarray

    @classmethod
    def of(cls, log_density: LogDensity, corners: np.ndarray, edge: float) -> "_Boxes":
        """Evaluate the density once at every corner and neighbor, as most of them are shared."""
        _require_few(corners.shape[1] * 4 ** len(corners))  # the lattice will have some four nodes along each edge
        d, size = corners.shape
        axes = np.eye(d, dtype=int)
        moves = (0 * axes[0], axes.sum(axis=0), *axes, *-axes)
        points = np.concatenate([corners + move[:, None] for move in moves], axis=1)
        low, shape = points.min(axis=1, keepdims=True), np.ptp(points, axis=1) + 1
        keys, which = np.unique(np.ravel_multi_index(tuple(points - low), shape), return_inverse=True)
        parts = evaluated(log_density, (np.stack(np.unravel_index(keys, shape)) + low) * edge)
        lower, upper, *sides = (parts[positions] for positions in which.reshape(len(moves), size))
        heights = np.array([side.log_unnormalized[0] for side in sides])
        return cls(corners, edge, lower, upper, 2 * lower.log_unnormalized[0] - heights[:d] - heights[d:])

    @classmethod
    def everywhere(cls, log_density: LogDensity, d: int) -> "_Boxes":
        """Boxes that fill the range of doubles."""
        axis = np.arange(-int(MOST_LOG_SCALES / FIRST_EDGE / d), int(MOST_LOG_SCALES / FIRST_EDGE / d))
        return cls.of(log_density, np.stack([a.ravel() for a in np.meshgrid(*d * [axis], indexing="ij")]), FIRST_EDGE)

    def __getitem__(self, which: np.ndarray) -> "_Boxes":
        return _Boxes(self.corners[:, which], self.edge, self.lower[which], self.upper[which], self.bent[:, which])

    def halved(self, log_density: LogDensity) -> "_Boxes":
        """Boxes of half the edge that fill the same region."""
        return _Boxes.of(log_density, _spread(2 * self.corners, 2), self.edge / 2)

    @property
    def ceilings(self) -> np.ndarray:
        """Upper bounds of the log densities inside the boxes, (1 + moment, box)."""
        return self.upper.rising + self.lower.falling

    @property
    def tops(self) -> np.ndarray:
        """The largest log densities at corners, (1 + moment,)."""
        return self.lower.log_unnormalized.max(axis=1)

    def below(self, tops: np.ndarray) -> np.ndarray:
        """Lower bound of the distance of each box below the tops, (box,): that of the nearest top."""
        return (tops[:, None] - self.ceilings).min(axis=0)

    def most_mass(self, tops: np.ndarray) -> np.ndarray:
        """Upper bounds of the masses in all boxes, (1 + moment,), where the tops are 1."""
        return np.exp(self.ceilings - tops[:, None]).sum(axis=1) * self.edge ** len(self.corners)

    def mass(self, tops: np.ndarray) -> np.ndarray:
        """Masses in all boxes, (1 + moment,), where the tops are 1: the trapezoid rule."""
        return np.exp(self.lower.log_unnormalized - tops[:, None]).sum(axis=1) * self.edge ** len(self.corners)

    def sd(self, tops: np.ndarray) -> float:
        """Sd of the normal density that needs as fine a lattice as this one.

        A piece D below the top with second derivative -c has, i eta off the real line, the log c eta^2 / 2 - D. With M
        the largest of these, the trapezoid rule errs by exp(M - 2 pi eta / step), so steps go with eta / (DIGITS + M).
        Between two corners a parabola is at most an eighth of its second difference above them.
        """
        bent = np.maximum(self.bent, 0.0)
        corners = np.maximum(self.lower.log_unnormalized, self.upper.log_unnormalized)
        below = np.maximum((tops[:, None] - corners).min(axis=0) - bent.sum(axis=0) / 8, 0.0)
        curvature = bent.max(axis=0) / self.edge**2
        most = np.array([(curvature * eta**2 / 2 - below).max(initial=0.0) for eta in DISTANCES])
        return float(np.sqrt(2 * DIGITS) * (DISTANCES / (DIGITS + most)).max())


def _tops(boxes: _Boxes, log_density: LogDensity) -> np.ndarray:
    """The largest log densities: boxes that cannot hold a larger one are left out."""
    last = np.full(len(boxes.tops), -np.inf)
    while boxes.edge > MOST_EDGE or (boxes.tops > last + 1).any():
        last = np.maximum(last, boxes.tops)
        boxes = boxes[boxes.below(last) < 1].halved(log_density)  # the one with the top among them
    return np.maximum(last, boxes.tops)


def _spread(first, across) -> np.ndarray:
    """Integer points (d, box * across^d): `across` consecutive ones along every axis from each of `first` (d, box)."""
    ahead = np.array(list(product(range(across), repeat=len(first)))).T
    return (first[:, :, None] + ahead[:, None, :]).reshape(len(first), -1)


def _require_inside(boxes: _Boxes) -> None:
    """Refuse a density that has not ended where doubles do."""
    ends = (np.abs(boxes.corners) + 1) * boxes.edge
    if ends.max() >= (end := MOST_LOG_SCALES / len(ends) // FIRST_EDGE * FIRST_EDGE):
        raise QuadratureError(
            f"the posterior of a scale reaches beyond exp({end:g}), too far for doubles: it falls too slowly. Give tau "
            "and sigma priors that fall faster, take more groups, or rescale the data"
        )


def _require_few(nodes: float) -> None:
    if nodes > MOST_NODES:
        raise QuadratureError(
            f"the posterior of the scales needs more than {MOST_NODES:,} quadrature nodes: it is too wide for its "
            "narrowest part. Let sigma integrate out: give sigma its default prior, tau in units of sigma and mu flat"
        )


def _multilinear(nodes, weight, step) -> RegularGridInterpolator:
    """The function that is linear between neighboring nodes and 0 a step beyond the outermost."""
    origin = nodes.min(axis=1, keepdims=True)
    index = np.rint((nodes - origin) / step).astype(int) + 1
    values = np.zeros(index.max(axis=1) + 2)
    values[tuple(index)] = weight
    axes = [low + step * (np.arange(n) - 1) for low, n in zip(origin[:, 0], values.shape, strict=True)]
    return RegularGridInterpolator(axes, values)


def evaluated(log_density: LogDensity, u: np.ndarray) -> Parts:
    """Values at all nodes, in blocks, so that memory stays bounded."""
    with np.errstate(over="ignore"):  # where a square is beyond doubles, the density is as good as 0
        parts = [log_density(nodes) for nodes in np.array_split(u, u.shape[1] // BLOCK_NODES + 1, axis=1)]
    rising, falling = (np.concatenate([getattr(p, name) for p in parts], axis=1) for name in ("rising", "falling"))
    return Parts(np.maximum(rising, LEAST_LOG_DENSITY), np.maximum(falling, LEAST_LOG_DENSITY))
