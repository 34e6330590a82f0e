"""A lattice on the line, straight in the middle and with steps that grow beyond."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from models.distributions import Numbers


@dataclass(frozen=True, eq=False)
class Line:
    """Points center + length sinh(v / length), v in steps.

    Attributes
    ----------
    center, length, step : float
    v : ndarray (point,)
    """

    center: float
    length: float
    step: float
    v: np.ndarray

    @classmethod
    def between(cls, low: float, high: float, center: float, length: float, step: float) -> Self:
        """The lattice that reaches from low to high."""
        line = cls(center, length, step, np.empty(0))
        first, last = int(np.floor(line.v_of(low) / step)), int(np.ceil(line.v_of(high) / step))
        return cls(center, length, step, step * np.arange(first, last + 1))

    def at(self, v: Numbers) -> Numbers:
        """Points of some v."""
        return self.center + self.length * np.sinh(v / self.length)

    def v_of(self, point: Numbers) -> Numbers:
        """The v of some points."""
        return self.length * np.arcsinh((point - self.center) / self.length)

    @property
    def points(self) -> np.ndarray:
        """All points, (point,)."""
        return np.asarray(self.at(self.v))

    @property
    def log_stretch(self) -> np.ndarray:
        """Log of the distance between neighboring points over the step, (point,)."""
        return np.log(np.cosh(self.v / self.length))
