"""The trapezoid rule in one to four dimensions, on a lattice in a frame, grown from the modes of the density.

Point z of the lattice lies at mode + length sinh(root z / length), coordinate by coordinate: about the mode that is
linear, far from it a tail of any length is a few nodes. `root` is lower triangular, so the first coordinate, the
outermost, depends on the first of z alone, and rows of nodes share it.

For an analytic density the error of the rule falls exponentially with one over the step. So what results change by on a
lattice that is a little closer is their error, to all that matters.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import RegularGridInterpolator
from scipy.special import logsumexp

from analyses.engines.modes import Mode, QuadratureError

LogDensities = Callable[[np.ndarray], np.ndarray]  # of points (d, node): the log density, and of it times functions

DEPTH = 45.0  # e^-45 of the top is 3e-20: nothing that doubles can tell
LENGTH_IN_SDS = 7.0  # beyond so many sds from the mode the steps grow
MOST_LENGTH = 3.0  # or beyond so many units
TILE = {1: 16, 2: 6, 3: 3, 4: 2}  # edge of the tiles that the lattice is grown by, in nodes, by the dimensions
CLOSER = 1.25  # an error of 1e-10 becomes one of 3e-13
MARGIN = 1.25  # of the envelope of draws
MOST_NODES = 2_000_000
BLOCK_NODES = 4_096  # whose densities are computed at a time
MOST_BENT = 50.0  # argument of the hyperbolic sine: farther out no log of a double lies
LEAST_LOG_DENSITY = -1e300  # less is as much, and can be subtracted from


@dataclass(frozen=True, eq=False)
class Frame:
    """Where a lattice lies.

    Attributes
    ----------
    mode : ndarray (d,)
    root : ndarray (d, d)
        Lower triangular: a unit of z is an sd.
    length : ndarray (d,)
        Distance from the mode beyond which steps grow.
    """

    mode: np.ndarray
    root: np.ndarray
    length: np.ndarray

    @classmethod
    def of(cls, mode: Mode) -> Self:
        """Frame of a mode, in its sds."""
        return cls(mode.at, mode.root, np.minimum(LENGTH_IN_SDS * mode.sd, MOST_LENGTH))

    def point(self, z: np.ndarray) -> np.ndarray:
        """Coordinates (d, node) of z (d, node)."""
        bent = np.clip((self.root @ z) / self.length[:, None], -MOST_BENT, MOST_BENT)
        return self.mode[:, None] + self.length[:, None] * np.sinh(bent)

    def log_stretch(self, z: np.ndarray) -> np.ndarray:
        """Log of the volume of a unit cube of z, (node,)."""
        bent = (self.root @ z) / self.length[:, None]
        return np.log(np.cosh(bent)).sum(axis=0) + np.log(np.diag(self.root)).sum()

    def z(self, point: np.ndarray) -> np.ndarray:
        """Z (d, node) of points (d, node)."""
        bent = np.arcsinh((point - self.mode[:, None]) / self.length[:, None])
        return np.linalg.solve(self.root, self.length[:, None] * bent)

    def outer(self, z: np.ndarray) -> np.ndarray:
        """First coordinate where the first of z is given."""
        return self.mode[0] + self.length[0] * np.sinh(self.root[0, 0] * z / self.length[0])

    def outermost(self, point: np.ndarray) -> np.ndarray:
        """First of z where the first coordinate is given."""
        return self.length[0] * np.arcsinh((point - self.mode[0]) / self.length[0]) / self.root[0, 0]

    def sd_at(self, mode: Mode) -> np.ndarray:
        """Sds of another mode in the units of z that are there, (d,): below 1 where it needs shorter steps."""
        stretch = np.cosh(np.arcsinh((mode.at - self.mode) / self.length))
        return np.diag(mode.root) / np.diag(self.root) / stretch


@dataclass(frozen=True, eq=False)
class Lattice:
    """Weighted nodes of a density.

    Attributes
    ----------
    log_densities : callable
        Points (d, node) to (1 + moment, node): the log density, and of it times each function whose expectation is
        wanted.
    frame : Frame
    step : ndarray (d,)
        In sds.
    index : ndarray (d, node) of int
        Nodes, in steps.
    log_mass : ndarray (node,)
        Log of the density times the volume of a node.
    depth : float
        How far below their tops the densities are followed.
    """

    log_densities: LogDensities
    frame: Frame
    step: np.ndarray
    index: np.ndarray
    log_mass: np.ndarray
    depth: float

    @classmethod
    def grown(
        cls,
        log_densities: LogDensities,
        frame: Frame,
        step: ArrayLike,
        starts: Sequence[np.ndarray],
        *,
        depth: float = DEPTH,
    ) -> Self:
        """Grow a lattice from some points to where the density is negligible.

        Parameters
        ----------
        starts : sequence of ndarray (d,)
            All modes among them.
        depth : float
            How far below their tops the densities are followed.

        Raises
        ------
        QuadratureError
            For more than MOST_NODES nodes.
        """
        step = np.asarray(step, dtype=float)
        nowhere = np.empty((len(step), 0), dtype=int)
        lattice = cls(log_densities, frame, step, nowhere, np.empty(0), depth)
        return lattice._from(frame.z(np.stack(starts, axis=1)))

    @cached_property
    def closer(self) -> Self:
        """The lattice of the same density whose nodes are CLOSER times as close."""
        return replace(self, step=self.step / CLOSER)._from(self.z)

    def _from(self, z) -> Self:
        """Grow this lattice from some points of its frame, (d, start)."""
        index, heights = _grown(self._heights, np.rint(z / self.step[:, None]).astype(int), self.depth)
        order = np.lexsort(index[::-1])
        return replace(self, index=index[:, order], log_mass=heights[0, order] + np.log(self.step).sum())

    @property
    def beside(self) -> np.ndarray:
        """Points beside the nodes, (d, point), a step away along each axis."""
        unit = np.eye(len(self.step), dtype=int)[:, :, None]
        index = self.index[:, None, :] + np.concatenate([unit, -unit], axis=1)
        return self.frame.point(self._z(index.reshape(len(unit), -1)))

    def _heights(self, index) -> np.ndarray:
        z = self._z(index)
        return np.fmax(self.log_densities(self.frame.point(z)) + self.frame.log_stretch(z), LEAST_LOG_DENSITY)

    def _z(self, index):
        return self.step[:, None] * index

    @cached_property
    def z(self) -> np.ndarray:
        """Nodes in the frame, (d, node)."""
        return self._z(self.index)

    @cached_property
    def point(self) -> np.ndarray:
        """Nodes, (d, node)."""
        return self.frame.point(self.z)

    @cached_property
    def log_integral(self) -> float:
        """Log of the integral of the density."""
        return float(logsumexp(self.log_mass))

    @cached_property
    def weight(self) -> np.ndarray:
        """Share of each node, (node,)."""
        mass = np.exp(self.log_mass - self.log_mass.max())  # a difference of two that may be large is rounded but once
        return mass / mass.sum()

    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """First of z of each row of nodes, a step apart, and the share of the row."""
        first = self.index[0].min()
        share = np.bincount(self.index[0] - first, self.weight)
        return self.step[0] * (first + np.arange(len(share))), share

    def draw(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Independent points (d, size): from a density that is linear between nodes, made exact by rejection.

        Raises
        ------
        RuntimeError
            Where the density is not below its envelope: that would be a bias.
        """
        envelope = Envelope.of(self.index, self.weight)
        # Between nodes that are h sds apart a density exceeds its linear interpolation by exp(h^2 / 8) at most, in each
        # dimension. The margin is for where it is steeper than a normal's.
        bound = MARGIN * np.exp(np.sum(self.step**2) / 8)
        log_volume = np.log(self.step).sum() - self.log_integral
        kept: list[np.ndarray] = []
        while (missing := size - sum(k.shape[1] for k in kept)) > 0:
            tried = int(missing * bound) + 16
            index = envelope.draw(self.index[:, rng.choice(len(self.weight), tried, p=self.weight)], rng)
            ratio = np.exp(_in_blocks(self._heights, index)[0] + log_volume) / envelope.density(index) / bound
            if ratio.max() > 1:
                raise RuntimeError(f"the envelope of the draws is exceeded by a factor {ratio.max():.3f}")
            kept.append(self.frame.point(self._z(index[:, rng.random(tried) < ratio])))
        return np.concatenate(kept, axis=1)[:, :size]


@dataclass(frozen=True, eq=False)
class Envelope:
    """The density through the nodes of a lattice that is linear between them, along rows and from row to row.

    From row to row it follows the ridge of the density, which may move by many nodes.

    Attributes
    ----------
    first : int
        Index of the first row.
    slope : ndarray (row, d - 1)
        Nodes by which the ridge moves from a row to the next.
    interpolated : callable
        Points (point, d) to the function that is linear between neighboring nodes and 0 beyond the outermost.
    """

    first: int
    slope: np.ndarray
    interpolated: RegularGridInterpolator

    @classmethod
    def of(cls, index: np.ndarray, weight: np.ndarray) -> Self:
        """Envelope of nodes (d, node)."""
        row = index[0] - (first := index[0].min())
        share = np.bincount(row, weight)
        held = share > 0
        ridge = np.array([np.bincount(row, weight * inner) / np.where(held, share, 1.0) for inner in index[1:]])
        along = np.arange(len(share))
        slope = np.array([np.gradient(np.interp(along, along[held], line[held])) for line in ridge if len(line) > 1])
        origin = index.min(axis=1, keepdims=True) - 1
        values = np.zeros(np.ptp(index, axis=1) + 3)
        values[tuple(index - origin)] = weight
        axes = [low + np.arange(n) for low, n in zip(origin[:, 0], values.shape, strict=True)]
        interpolated = RegularGridInterpolator(axes, values, bounds_error=False, fill_value=0.0)
        return cls(int(first), slope.T.reshape(len(share), len(index) - 1), interpolated)

    def draw(self, node: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Points (d, point) about some nodes (d, point)."""
        off = rng.triangular(-1, 0, 1, node.shape)
        off[1:] += self.slope[node[0] - self.first].T * off[0]
        return node + off

    def density(self, point: np.ndarray) -> np.ndarray:
        """The density (point,) at points (d, point)."""
        below = np.floor(point[0]).astype(int)
        total = np.zeros(len(below))
        for row in (below, below + 1):
            off = point[0] - row
            slope = self.slope[np.clip(row - self.first, 0, len(self.slope) - 1)]
            total += (1 - np.abs(off)) * self.interpolated(np.vstack([row, point[1:] - slope.T * off]).T)
        return total


def _grown(heights, starts, depth) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (d, node) and heights (1 + moment, node): tiles are added beside every node that is above the cut."""
    edge = TILE[len(starts)]
    inside = np.array(list(product(range(edge), repeat=len(starts)))).T
    front = set(map(tuple, (starts // edge).T.tolist()))
    known: set[tuple[int, ...]] = set()
    index, found, tops = [], [], np.array([[-np.inf]])
    while front:
        known |= front
        _require_few(len(known) * inside.shape[1])
        tiles = np.array(sorted(front)).T
        index.append((edge * tiles[:, :, None] + inside[:, None, :]).reshape(len(starts), -1))
        found.append(_in_blocks(heights, index[-1]))
        tops = np.maximum(tops, found[-1].max(axis=1, keepdims=True))
        above = ((tops - found[-1]).min(axis=0) < depth).reshape(tiles.shape[1], -1)
        front = set(_beside(tiles, above, inside)) - known
    nodes, values = np.concatenate(index, axis=1), np.concatenate(found, axis=1)
    kept = (tops - values).min(axis=0) < depth
    return nodes[:, kept], values[:, kept]


def _beside(tiles, above, inside) -> Iterator[tuple[int, ...]]:
    """Tiles beside those tiles (d, tile) that have a node above the cut (tile, node) at the border between them."""
    for axis, position in enumerate(inside):
        for side, border in ((-1, 0), (1, position.max())):
            beside = tiles[:, above[:, position == border].any(axis=1)].copy()
            beside[axis] += side
            yield from map(tuple, beside.T.tolist())


def _in_blocks(heights, index):
    """Heights of all nodes, in blocks, so that memory stays bounded."""
    blocks = np.array_split(index, index.shape[1] // BLOCK_NODES + 1, axis=1)
    return np.concatenate([heights(block) for block in blocks], axis=1)


def _require_few(nodes):
    if nodes > MOST_NODES:
        raise QuadratureError(
            f"the posterior of the scales needs more than {MOST_NODES:,} quadrature nodes: it is too wide for its "
            "narrowest part. Give tau and sigma priors that fall faster; or let sigma integrate out, with its default "
            "prior, tau in units of sigma and flat coefficients"
        )
