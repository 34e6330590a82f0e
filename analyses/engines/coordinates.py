"""Coordinates of the scales on a lattice: logs of powers of them, or logits of those that are bounded.

The first is the outermost, whose distribution function the lattice gives. The exponents of the powers are integers with
determinant 1 or -1, so volumes of logs stay what they are.
"""

from dataclasses import dataclass

import numpy as np

from models.distributions import Numbers


@dataclass(frozen=True)
class Axis:
    """Log of a power of the scales; where that is bounded, log(power / (upper - power)).

    Attributes
    ----------
    power : tuple of int
        Exponents of the scales.
    upper : float
    """

    power: tuple[int, ...]
    upper: float = np.inf

    def log(self, v: Numbers) -> np.ndarray:
        """Log of the power at a coordinate."""
        return np.asarray(v) if np.isinf(self.upper) else np.log(self.upper) - np.logaddexp(0.0, -v)

    def log_slope(self, v: Numbers) -> np.ndarray:
        """Log of the derivative of `log`."""
        return np.zeros_like(v) if np.isinf(self.upper) else -np.logaddexp(0.0, v)

    def coordinate(self, log: Numbers) -> np.ndarray:
        """Coordinate where the log of the power is `log`: infinite at the bound."""
        if np.isinf(self.upper):
            return np.asarray(log)
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.log(self.upper) - log
            return np.where(left > 0, -np.log(np.expm1(left)), np.inf)


@dataclass(frozen=True)
class Coordinates:
    """Axes that tell the logs of all scales."""

    axes: tuple[Axis, ...]

    def logs(self, v: np.ndarray) -> np.ndarray:
        """Logs of the scales (scale, node) at coordinates (axis, node)."""
        powers = np.array([axis.power for axis in self.axes], dtype=float)
        logs = [axis.log(row) for axis, row in zip(self.axes, v, strict=True)]
        return np.rint(np.linalg.inv(powers)) @ np.stack(logs)

    def of_logs(self, logs: np.ndarray) -> np.ndarray:
        """Coordinates (axis, node) of logs of the scales (scale, node)."""
        return np.stack([axis.coordinate(np.array(axis.power) @ logs) for axis in self.axes])

    def log_volume(self, v: np.ndarray) -> np.ndarray:
        """Log of the volume of logs for a unit volume of coordinates, (node,)."""
        return np.sum([axis.log_slope(row) for axis, row in zip(self.axes, v, strict=True)], axis=0)
