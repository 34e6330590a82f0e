"""Improper priors cut off: p(sd) for low < sd < high is proper, and the posterior under it is the posterior, cut off.

So an engine is calibrated with the very conditionals and densities that it has for the improper prior: draws outside
the box are drawn again, and a step of a chain that would leave it is not taken.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from models import distributions, priors


@dataclass(frozen=True, eq=False)
class Cut:
    """An inverse gamma, or a gamma, given that its value lies between two limits."""

    law: distributions.InverseGamma | distributions.Gamma
    low: np.ndarray
    high: np.ndarray

    def draw(self, rng):
        """Draw by inversion: scale / x is a gamma variable, and one over a gamma variable an inverse one."""
        if isinstance(self.law, distributions.Gamma):
            with np.errstate(divide="ignore"):
                ends = 1 / np.asarray([self.high, self.low])
            return 1 / Cut(distributions.InverseGamma(self.law.shape, self.law.rate), *ends).draw(rng)
        below, share = self._below(self.low), self.share
        return self.law.scale / special.gammainccinv(self.law.shape, below + rng.random(share.shape) * share)

    @property
    def share(self):
        """Of an inverse gamma's probability that lies between the limits."""
        return self._below(self.high) - self._below(self.low)

    def _below(self, end):
        with np.errstate(divide="ignore"):
            return special.gammaincc(self.law.shape, self.law.scale / np.asarray(end))

    def log_density(self, x):
        """Log density up to a constant: inside, that of the law."""
        return self.law.log_density(x)


def cut(conditionals: dict, box: dict[str, tuple[float, float]]) -> dict:
    """The same conditionals, those of the box's variances cut off."""

    def within(law, low, high):
        return lambda state: _cut(law(state), low, high)

    return {name: within(law, *box[name]) if name in box else law for name, law in conditionals.items()}


def _cut(law, low, high):
    """Only a law that can leave the box has to be cut off: another's may be anything."""
    return Cut(law, low, high) if isinstance(law, distributions.InverseGamma | distributions.Gamma) else law


def inside(state: dict, box: dict[str, tuple[float, float]]) -> np.ndarray:
    """Whether every variance of a state lies in its box."""
    held = [(low <= state[name]) & (state[name] < high) for name, (low, high) in box.items()]
    return np.all(held, axis=0) if held else np.ones(next(iter(state.values())).shape[:2], dtype=bool)


def variance(prior, limits: tuple[float, float] | None, size: int, rng) -> np.ndarray:
    """Draw variances from a prior of their root, cut off at limits of the variance where there are any.

    An InverseGamma(a, 0) has p(variance) = variance^(-a - 1), of which a power, or the log where a = 0, is uniform.
    """
    if limits is None:
        return prior.draw(size, rng) ** 2
    if not isinstance(prior, priors.InverseGamma) or prior.proper:
        raise ValueError(f"only improper priors need a box, and {prior} is none")
    if prior.shape == 0:
        return np.exp(rng.uniform(*np.log(limits), size))
    return rng.uniform(*np.power(limits, -prior.shape), size) ** (-1 / prior.shape)
