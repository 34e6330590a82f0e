"""Nodes of the scales in coordinates of which the outermost is wanted, and when their lattice is fine enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, Self

import numpy as np

from analyses.engines import mixture, modes
from analyses.engines.coordinates import Coordinates
from analyses.engines.mixture import Mixture
from analyses.engines.modes import Mode
from analyses.engines.quadrature import DEPTH, LEAST_LOG_DENSITY, Frame, Lattice, LogDensities, QuadratureError
from models.distributions import Numbers

# A normal density needs steps of 0.7 sd for its integral, and of half that for its distribution function: the rule errs
# by exp(-2 pi^2 / step^2), or by exp(-pi^2 / 2 / step^2). A density of logs that ends like a half-normal's,
# exp(-exp(2 u)), is bounded only up to pi / 4 off the real line: there it errs by exp(-pi^2 / 2 / step), in units.
STEP = 0.7
MOST_STEP = 0.16  # units
MOST_LOG = 344.0  # of a scale: the square of one beyond it is no double
MOST_MOVED = 1e-11  # of a posterior's width, on closer nodes
LAST_PLACES = 8 * np.finfo(float).eps  # by which a number may change that does not move
TRIALS = 6


@dataclass(frozen=True, eq=False)
class Nodes:
    """Weighted nodes of some scales.

    Attributes
    ----------
    coordinates : Coordinates
    lattice : Lattice
    starts : ndarray (scale, mode)
        Logs of the scales at the modes.
    """

    coordinates: Coordinates
    lattice: Lattice
    starts: np.ndarray

    @cached_property
    def logs(self) -> np.ndarray:
        """Logs of the scales, (scale, node)."""
        return self.coordinates.logs(self.lattice.point)

    @property
    def weight(self) -> np.ndarray:
        """Share of each node, (node,)."""
        return self.lattice.weight

    @cached_property
    def closer(self) -> Self:
        """Nodes a little closer to each other: what a result changes by there is its error."""
        return replace(self, lattice=self.lattice.closer)

    def of_power(
        self,
        transform: Callable[[np.ndarray], Numbers],
        inverse: Callable[[Numbers, np.ndarray], Numbers],
        *,
        increasing: bool = True,
    ) -> Mixture:
        """Laws of monotone functions of the log of the outermost power.

        Parameters
        ----------
        transform : callable
            Logs (..., 1) to quantities (..., quantity).
        inverse : callable
            (x, which) to the log at which quantity[which] is x.
        increasing : bool
            All of them; else all decrease.
        """
        axis, frame = self.coordinates.axes[0], self.lattice.frame
        z, share = self.lattice.rows
        return mixture.lattice_mixture(
            share,
            z,
            float(self.lattice.step[0]),
            lambda z: transform(axis.log(frame.outer(z))),
            lambda x, which: frame.outermost(axis.coordinate(inverse(x, which))),
            increasing=increasing,
        )

    def scale(self) -> Mixture:
        """Law of the outermost power itself."""
        return self.of_power(np.exp, lambda x, which: np.log(x))


def peaks(
    coordinates: Coordinates, log_densities: LogDensities, starts: np.ndarray, *, depth: float = DEPTH
) -> list[Mode]:
    """Modes that some points lead to, in some coordinates, the highest first; without those that are negligible.

    Parameters
    ----------
    log_densities : callable
        Logs of the scales (scale, node) to (1 + moment, node): a log density of the logs, and of it times functions.
    starts : ndarray (scale, start)
        Logs of the scales.
    depth : float
        A mode so far below the top of the density, and of it times each function, is negligible.

    Raises
    ------
    QuadratureError
        Where no mode is found.
    """
    heights = _of_coordinates(coordinates, log_densities)
    climbed = [modes.climb(lambda v: heights(v)[0], start) for start in coordinates.of_logs(starts).T]
    found = modes.distinct(lambda v: heights(v)[0], climbed)
    height = heights(np.stack([mode.at for mode in found], axis=1))
    below = (height.max(axis=1, keepdims=True) - height).min(axis=0)
    return [mode for mode, far in zip(found, below, strict=True) if far < depth]


def grow(
    coordinates: Coordinates,
    log_densities: LogDensities,
    peaks: Sequence[Mode],
    fineness: float,
    *,
    distribution: bool = False,
    depth: float = DEPTH,
) -> Nodes:
    """Grow nodes from `peaks`, in the frame of the first.

    Parameters
    ----------
    log_densities : callable
        Logs of the scales (scale, node) to (1 + moment, node): a log density of the logs, and of it times functions.
    fineness : float
        Shortens the steps.
    distribution : bool
        Whether the distribution function of the outermost power is wanted.

    Raises
    ------
    QuadratureError
        For a lattice of too many nodes, or with a tail beyond the range of doubles.
    """
    frame = Frame.of(peaks[0])
    step = _steps(frame, peaks) / fineness
    step[0] /= 2 if distribution else 1
    at = [peak.at for peak in peaks]
    lattice = Lattice.grown(_of_coordinates(coordinates, log_densities), frame, step, at, depth=depth)
    if not _inside(coordinates.logs(lattice.beside)).all():
        raise QuadratureError(
            f"the posterior of a scale reaches beyond exp({MOST_LOG:g}), or below one over it, too far for doubles: it "
            "falls too slowly. Give tau and sigma priors that fall faster, take more groups, or rescale the data"
        )
    return Nodes(coordinates, lattice, coordinates.logs(np.stack(at, axis=1)))


def _of_coordinates(coordinates, log_densities) -> LogDensities:
    """Log densities of the coordinates from those of the logs of the scales, where these are doubles."""

    def heights(v):
        inside = _inside(logs := coordinates.logs(v))
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # where it is as good as 0
            of_logs = log_densities(np.where(inside, logs, 0.0)) + coordinates.log_volume(v)
        return np.where(inside, np.fmax(of_logs, LEAST_LOG_DENSITY), LEAST_LOG_DENSITY)

    return heights


def _inside(logs) -> np.ndarray:
    """Whether the scales with some logs, and their product, have squares that are doubles, (node,)."""
    return (np.abs(logs) < MOST_LOG).all(axis=0) & (np.abs(logs.sum(axis=0)) < MOST_LOG)


def _steps(frame: Frame, peaks: Sequence[Mode]) -> np.ndarray:
    """Steps in the frame, (d,), that are short enough for every mode."""
    narrowest = np.min([frame.sd_at(peak) for peak in peaks], axis=0)
    return np.minimum(STEP * narrowest, MOST_STEP / np.abs(frame.root).max(axis=0))


class Refinable(Protocol):
    """What is computed on nodes, and on nodes a little closer to each other."""

    @property
    def closer(self) -> Self:
        """What is computed on nodes that are closer to each other."""


def settled[R: Refinable](
    at_fineness: Callable[[float], R], figures: Callable[[R], np.ndarray], *, most_moved: float = MOST_MOVED
) -> R:
    """Shorten the steps until some figures stand still on closer nodes, or those would be too many.

    They are as `mixture.figures` has them. What still moves then is in the stated errors.
    """
    fineness, now = 1.0, at_fineness(1.0)
    for _ in range(TRIALS):
        change = moved(figures(now), figures(now.closer))
        if change < most_moved:
            break
        # The error is the exponential of minus a constant over the step.
        fineness *= np.clip(np.log(most_moved) / np.log(min(change, 0.5)), 1.2, 2.0)
        try:
            finer = at_fineness(fineness)
            _ = finer.closer
        except QuadratureError:
            break
        now = finer
    return now


def moved(rows: np.ndarray, closer: np.ndarray) -> float:
    """The largest change of figures beyond rounding: of moments in spreads of a posterior, of quantiles in widths."""
    last_places = LAST_PLACES * np.fmax.reduce(np.abs(rows), axis=1, keepdims=True)
    change = np.abs(closer - rows) - last_places
    width = np.ptp(rows[:, 2:], axis=1, keepdims=True) / 4
    spread = np.fmax(width, rows[:, 1:2])
    with np.errstate(divide="ignore", invalid="ignore"):  # kappa may be 1 to the last place, throughout
        return float(np.fmax.reduce(np.hstack([change[:, :2] / spread, change[:, 2:] / width]), axis=None))
