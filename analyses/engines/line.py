"""A lattice on the line, straight in the middle and with steps that grow beyond."""

from dataclasses import dataclass, field, replace
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
    v: np.ndarray = field(default_factory=lambda: np.empty(0))

    def count(self, low: float, high: float) -> int:
        """Number of points from low to high."""
        first, last = self._ends(low, high)
        return last - first + 1

    def between(self, low: float, high: float) -> Self:
        """The lattice that reaches from low to high."""
        first, last = self._ends(low, high)
        return replace(self, v=self.step * np.arange(first, last + 1))

    def _ends(self, low, high) -> tuple[int, int]:
        return int(np.floor(self.v_of(low) / self.step)), int(np.ceil(self.v_of(high) / self.step))

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
