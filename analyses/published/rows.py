"""Rows of a few groups, drawn at random, and the conditionals of a model at a state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from models.distributions import InverseGamma, Normal
from models.two_level import TwoLevel


@dataclass(frozen=True)
class Rows:
    """Rows y_ij of a few groups i."""

    y: list[np.ndarray]

    @classmethod
    def draw(cls, rng, n: Sequence[int], *, mean: float, between: float, within: float) -> Self:
        """Draw n_i rows in group i, with these sds between groups and within them."""
        return cls([rng.normal(rng.normal(mean, between), within, size) for size in n])

    def squares_about(self, theta, shift=0.0) -> float:
        """Sum of (y_ij - theta_i - shift_i)^2."""
        centers = zip(self.y, theta, shift + 0 * theta, strict=True)
        return sum(np.sum((y - center - more) ** 2) for y, center, more in centers)

    def log_density(self, theta, sigma: float) -> float:
        """Log density of all rows, y_ij ~ N(theta_i, sigma^2)."""
        groups = zip(self.y, theta, strict=True)
        return sum(Normal(center, sigma).log_density(y).sum() for y, center in groups)


def conditionals(model: TwoLevel, *, b, sigma2: float, tau2: float, theta: np.ndarray) -> dict:
    """The model's full conditional of each variable at a state."""
    state = {"b": np.array([b]), "sigma2": np.array([sigma2]), "tau2": np.array([tau2]), "theta": theta[None]}
    return {name: law(state) for name, law in model.conditionals().items()}


def shape_and_scale(law: InverseGamma) -> list[float]:
    """The parameters of an inverse gamma distribution, or of the gamma distribution of the inverse."""
    return [law.shape, law.scale[0]]
