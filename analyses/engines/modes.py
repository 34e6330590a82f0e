"""Every mode of a log density of the logs of scales: a scan of a box, and Newton's method from each rise that it shows.

Such a density is a sum of terms that bend over a unit or so, however narrow its peaks are, so a scan in steps of a
fraction of a unit shows every rise. In two dimensions a narrow ridge may pass between the points of a grid. There the
second coordinate is put at its best for each value of the first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import elementwise

LogDensity = Callable[[np.ndarray], np.ndarray]  # of points (d, node) to (node,)

SCAN_STEP = 0.25
NEIGHBORS = 1.0  # largest distance in the second coordinate between points of one ridge, a step of the scan apart
WIDEST = 1.0  # sd of a mode: where a density is level, its ends bend over a unit or so
FIRST_SD = 0.05  # on whose scale the curvature is first taken
STENCIL = 0.3  # in sds: differences are far above rounding, and the density is still nearly normal
FARTHEST = 0.5  # that a step of Newton's method goes
FRACTIONS = np.array([1.0, 0.5, 0.2, 0.05, 0.01])  # of a step, of which the best is taken
NEAR_ENOUGH = 0.1  # sds from the mode
SAME_SIZE = 0.1  # by which sds change when they have settled
MOST_STEPS = 200


class QuadratureError(RuntimeError):
    """A lattice that cannot be made: of too many nodes, with a tail beyond the range of doubles, or without a mode."""


@dataclass(frozen=True, eq=False)
class Mode:
    """A local maximum, and the covariance of the normal law that has its curvature.

    Attributes
    ----------
    at : ndarray (d,)
    root : ndarray (d, d)
        Lower triangular root of that covariance: the first coordinate has its marginal sd, each later one its sd given
        those before it.
    """

    at: np.ndarray
    root: np.ndarray

    @property
    def sd(self) -> np.ndarray:
        """Marginal sds (d,)."""
        return np.linalg.norm(self.root, axis=1)


def find(log_density: LogDensity, low: Sequence[float], high: Sequence[float]) -> list[Mode]:
    """Find all modes of a density of one or two coordinates in a box, the highest first."""
    axes = [np.arange(a, b + SCAN_STEP, SCAN_STEP) for a, b in zip(low, high, strict=True)]
    starts = _rises(log_density, *axes) if len(axes) == 1 else _rises_along_ridges(log_density, *axes)
    return distinct(log_density, [climb(log_density, start) for start in starts.T])


def distinct(log_density: LogDensity, modes: Sequence[Mode]) -> list[Mode]:
    """Leave out modes that lie within an sd of a higher one; the highest first."""
    height = log_density(np.stack([mode.at for mode in modes], axis=1))
    kept: list[Mode] = []
    for mode in (modes[i] for i in np.argsort(-height)):
        if all(np.linalg.norm(np.linalg.solve(other.root, mode.at - other.at)) > 1 for other in kept):
            kept.append(mode)
    return kept


def _rises(log_density, axis) -> np.ndarray:
    """Points (1, start) of a grid that are no lower than those beside them."""
    height = log_density(axis[None])
    return axis[None, _local_maxima(height[None])[1]]


def _rises_along_ridges(log_density, first, second) -> np.ndarray:
    """Points (2, start): the second coordinate at a local maximum given the first, the first higher than beside it."""
    grid = np.stack(np.meshgrid(first, second, indexing="ij")).reshape(2, -1)
    heights = log_density(grid).reshape(len(first), len(second))
    row, column = _local_maxima(heights)
    best, height = second[column], heights[row, column]
    inside = (column > 0) & (column < len(second) - 1)
    middle = column[inside]
    found = elementwise.find_minimum(
        lambda v, u: -log_density(np.stack([u, v])),
        (second[middle - 1], second[middle], second[middle + 1]),
        args=(first[row[inside]],),
        tolerances={"xatol": 1e-6, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0},
    )
    best[inside], height[inside] = found.x, -found.f_x
    near = (abs(row[:, None] - row) <= 1) & (abs(best[:, None] - best) <= NEIGHBORS)
    top = height >= np.where(near, height, -np.inf).max(axis=1)
    return np.stack([first[row[top]], best[top]])


def _local_maxima(height) -> tuple[np.ndarray, np.ndarray]:
    """Positions (row, column) of entries no lower than those beside them in their row."""
    padded = np.pad(height, ((0, 0), (1, 1)), constant_values=-np.inf)
    return np.nonzero((height >= padded[:, :-2]) & (height >= padded[:, 2:]) & np.isfinite(height))


def climb(log_density: LogDensity, start: np.ndarray) -> Mode:
    """Climb from a point to a mode by Newton's method, with derivatives from differences.

    Raises
    ------
    QuadratureError
        Where the steps do not become small, or lead to where there is no curvature.
    """
    at, root = start, FIRST_SD * np.eye(len(start))
    for _ in range(MOST_STEPS):
        slope, curvature = _derivatives(log_density, at, STENCIL * root)
        if not np.isfinite(curvature).all():
            break
        precision, axes = np.linalg.eigh(curvature)
        covariance = axes / np.maximum(precision, WIDEST**-2) @ axes.T
        step, last, root = covariance @ slope, root, np.linalg.cholesky(covariance)
        step *= min(1.0, FARTHEST / max(abs(step).max(), FARTHEST))
        best = np.append(FRACTIONS, 0.0)
        best = best[np.argmax(log_density((at + np.multiply.outer(best, step)).T))]
        at = at + best * step
        same_size = abs(np.diag(last) / np.diag(root) - 1).max() < SAME_SIZE
        if same_size and (best == 0.0 or np.linalg.norm(np.linalg.solve(root, step)) < NEAR_ENOUGH):
            return Mode(at, root)
    raise QuadratureError(f"no mode of the posterior of the scales is found from {start}")


def _derivatives(log_density, at, root) -> tuple[np.ndarray, np.ndarray]:
    """Slope (d,) and minus the second derivatives (d, d) at a point, from points at the sums of columns of a root."""
    d = len(at)
    unit = np.eye(d)
    pairs = [(j, k) for j in range(d) for k in range(j)]
    moves = [np.zeros(d), *unit, *-unit, *(s * (unit[j] + unit[k]) for j, k in pairs for s in (1, -1))]
    height = log_density(at[:, None] + root @ np.array(moves).T)
    middle, up, down, both = height[0], height[1 : d + 1], height[d + 1 : 2 * d + 1], height[2 * d + 1 :]
    bend = np.diag(2 * middle - up - down)
    for (j, k), plus, minus in zip(pairs, both[::2], both[1::2], strict=True):
        bend[j, k] = bend[k, j] = (2 * middle - plus - minus - bend[j, j] - bend[k, k]) / 2
    inverse = np.linalg.inv(root)
    return inverse.T @ (up - down) / 2, inverse.T @ bend @ inverse
