"""A lattice that covers a log density: where its nodes are, and how far out they go."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize
from scipy.interpolate import RegularGridInterpolator
from scipy.ndimage import binary_dilation

MOST_NODES = 10_000_000  # their coordinates take 160 MB in two dimensions
WIDEST = 2.0  # step: where data say little a density of logs may be level, but its ends bend over a unit or two
BLOCK = 1_024  # nodes at a time: with tens of cells an array of them stays in the cache, with thousands it is small

LogDensity = Callable[[np.ndarray], np.ndarray]  # (d, node) to (node,)


class TooManyNodes(RuntimeError):
    """A lattice that would not fit: the posterior of the scales is too wide for its narrowest part."""


@dataclass(frozen=True, eq=False)
class Region:
    """Where a log density of d variables lives.

    Attributes
    ----------
    log_density : callable
        (d, node) to (node,).
    mode : ndarray (d,)
    step : float
        The smallest of the sds along the axes, as curvature at the mode has them.
    """

    log_density: LogDensity
    mode: np.ndarray
    step: float

    def lattice(self, *, step: float, depth: float, lift: np.ndarray) -> np.ndarray:
        """Nodes `step` apart wherever the density, lifted, is less than `depth` below its top.

        Parameters
        ----------
        lift : ndarray (moment, d)
            The density is followed as if multiplied by the largest of exp(lift (u - mode)) and 1, so that those
            moments are covered too.

        Returns
        -------
        ndarray (d, node)
        """

        def followed(u):
            return self.log_density(u) + np.maximum((lift @ (u - self.mode[:, None])).max(axis=0), 0.0)

        ends, coarse = self._box(followed, depth)
        near = binary_dilation(coarse > coarse.max() - depth, iterations=2)
        axes = [step * np.arange(np.floor(a * self.step / step), np.ceil(b * self.step / step) + 1) for a, b in ends]
        u = _product(axes)
        nearest = np.rint(u / self.step).astype(int) - ends[:, :1]
        u = self.mode[:, None] + u[:, near[tuple(np.clip(nearest, 0, np.array(near.shape)[:, None] - 1))]]
        height = _blockwise(followed, u)
        return u[:, height > height.max() - depth]

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
        top, envelope = self.log_density(self.mode[:, None])[0], _multilinear(nodes, weight, step)
        # Between nodes that are h sds apart a density exceeds its linear interpolation by exp(h^2 / 8) at most:
        # a quarter is that of h = 1.3, and nodes lie closer.
        bound = 1.25 * np.exp(_blockwise(self.log_density, nodes) - top).max() / weight.max()
        kept: list[np.ndarray] = []
        while (missing := size - sum(k.shape[1] for k in kept)) > 0:
            tried = missing + missing // 3 + 1  # some one in 1.25 is kept
            node = rng.choice(len(weight), tried, p=weight)
            u = nodes[:, node] + step * rng.triangular(-1, 0, 1, (len(nodes), tried))
            ratio = np.exp(_blockwise(self.log_density, u) - top) / envelope(u.T) / bound
            if ratio.max() > 1:
                raise RuntimeError(f"the envelope of the draws is exceeded by a factor {ratio.max():.3f}")
            kept.append(u[:, rng.random(tried) < ratio])
        return np.concatenate(kept, axis=1)[:, :size]

    def _box(self, followed, depth):
        """Ends in steps from the mode (d, 2), so far out that all faces are `depth` below the top; heights inside."""
        ends = np.tile([-8, 8], (len(self.mode), 1))
        while True:
            axes = [m + self.step * np.arange(a, b + 1) for m, (a, b) in zip(self.mode, ends, strict=True)]
            height = _blockwise(followed, _product(axes)).reshape([len(a) for a in axes])
            faces = [[height.take(end, axis).max() for end in (0, -1)] for axis in range(height.ndim)]
            out = np.array(faces) > height.max() - depth
            if not out.any():
                return ends, height
            ends = np.where(out, ends * 5 // 4, ends)


def locate(log_density: LogDensity, start: np.ndarray) -> Region:
    """Find the mode from a scan about `start` along the first variable, and its width from the curvature there.

    The scan covers a factor of e^15 either way in steps of half a unit, so that no start can be too far off.
    """
    scan = start[:, None] + np.outer(np.eye(len(start))[0], np.arange(-15.0, 15.5, 0.5))
    best = scan[:, np.argmax(log_density(scan))]
    mode = optimize.minimize(
        lambda u: -log_density(u[:, None])[0],
        best,
        method="Nelder-Mead",
        options={"xatol": 1e-4, "fatol": 1e-4},
    ).x
    return Region(log_density, mode, min(WIDEST, *(_width(log_density, mode, axis) for axis in np.eye(len(mode)))))


def _width(log_density, mode, axis):
    """Sd of the normal with the curvature at the mode, from a difference over about that sd."""
    width = 1.0
    for _ in range(4):
        middle, *sides = log_density(mode[:, None] + np.outer(axis, [0.0, -width, width]))
        width /= np.sqrt(max(2 * middle - sum(sides), 0.01))
    return width


def _multilinear(nodes, weight, step) -> RegularGridInterpolator:
    """The function that is linear between neighbouring nodes and 0 a step beyond the outermost."""
    origin = nodes.min(axis=1, keepdims=True)
    index = np.rint((nodes - origin) / step).astype(int) + 1
    values = np.zeros(index.max(axis=1) + 2)
    values[tuple(index)] = weight
    axes = [low + step * (np.arange(n) - 1) for low, n in zip(origin[:, 0], values.shape, strict=True)]
    return RegularGridInterpolator(axes, values)


def _blockwise(function, u) -> np.ndarray:
    """Values at all nodes, so many at a time that memory does not grow with them."""
    return np.concatenate([function(part) for part in np.array_split(u, u.shape[1] // BLOCK + 1, axis=1)])


def _product(axes) -> np.ndarray:
    """All combinations of the axes' points, (d, node)."""
    if np.prod([len(a) for a in axes], dtype=float) > MOST_NODES:
        raise TooManyNodes(f"the posterior of the scales needs more than {MOST_NODES:,} quadrature nodes")
    return np.stack([a.ravel() for a in np.meshgrid(*axes, indexing="ij")])
