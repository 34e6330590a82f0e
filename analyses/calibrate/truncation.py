"""Improper priors truncated: p(sd) for low < sd < high is proper, and the posterior is the untruncated one, truncated.

So an engine is calibrated with the very conditionals and densities that it has for the improper prior: draws outside
the limits are drawn again, and a step of a chain that would leave them is not taken.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from analyses.calibrate.batched_states import Limits, States
from models import distributions, priors
from models.distributions import Conditionals


@dataclass(frozen=True, eq=False)
class Truncated:
    """An inverse gamma, or a gamma, given that its value lies between two limits."""

    law: distributions.InverseGamma | distributions.Gamma
    low: np.ndarray
    high: np.ndarray

    def draw(self, rng):
        """Draw by inversion: scale / x is a gamma variable, and one over a gamma variable an inverse one."""
        if isinstance(self.law, distributions.Gamma):
            with np.errstate(divide="ignore"):
                ends = 1 / np.asarray([self.high, self.low])
            return 1 / Truncated(distributions.InverseGamma(self.law.shape, self.law.rate), *ends).draw(rng)
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


def truncate(conditionals: Conditionals, limits: Limits) -> Conditionals:
    """Conditionals of which those of the variances with limits are truncated."""

    def truncated(conditional, low, high):
        def law(state):
            whole = conditional(state)  # a law that cannot leave the limits, as a mutation's, may be of any type
            leaves = isinstance(whole, distributions.InverseGamma | distributions.Gamma)
            return Truncated(whole, low, high) if leaves else whole

        return law

    return conditionals | {name: truncated(conditionals[name], *ends) for name, ends in limits.items()}


def inside(states: States, limits: Limits) -> np.ndarray:
    """Whether every variance of states (draw, data, ...) lies within its limits."""
    within = [(low <= states[name]) & (states[name] < high) for name, (low, high) in limits.items()]
    return np.all([np.ones(next(iter(states.values())).shape[:2], dtype=bool), *within], axis=0)


def draw_variance(prior, limits: tuple[float, float] | None, size: int, rng) -> np.ndarray:
    """Draw variances from a prior of their root, truncated at limits of the variance where there are any.

    An InverseGamma(a, 0) has p(variance) = variance^(-a - 1), of which a power, or the log where a = 0, is uniform.
    """
    if limits is None:
        return prior.draw(size, rng) ** 2
    if not isinstance(prior, priors.InverseGamma) or prior.proper:
        raise ValueError(f"only improper priors need limits, and {prior} is none")
    if prior.shape == 0:
        return np.exp(rng.uniform(*np.log(limits), size))
    return rng.uniform(*np.power(limits, -prior.shape), size) ** (-1 / prior.shape)
