"""One group, in closed form: what the two-level families have, for `models.one_group`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from analyses.calibrate import batched_states, stationary
from models import distributions, one_group
from models.one_group import OneGroup


@dataclass(frozen=True, eq=False, kw_only=True)
class Family:
    """A prior and a size, for any number of sets of data."""

    name: str
    story: str
    model: OneGroup
    box: dict[str, tuple[float, float]] = field(default_factory=dict)
    thin: int = 1
    together = ()

    @property
    def engines(self) -> dict[str, Callable]:
        """Name to a function of model, truth, draws and rng that gives draws (draw, data, ...)."""
        return {"exact": self.by_exact, "gibbs": partial(stationary.by_gibbs, self), "nuts": self.by_nuts}

    def simulate(self, size: int, rng) -> tuple[OneGroup, dict]:
        """So many truths from the prior, and the model with data from each."""
        m = self.model
        sigma2 = distributions.InverseGamma(m.alpha, np.full(size, m.beta)).draw(rng)
        theta = rng.normal(m.mu, m.tau * np.sqrt(sigma2))
        mean, ss = rng.normal(theta, np.sqrt(sigma2 / m.n)), sigma2 * rng.chisquare(m.n - 1, size)
        return replace(m, mean=mean, ss=ss), {"sigma2": sigma2, "theta": theta}

    def quantities(self, model: OneGroup, state: dict, rng) -> dict[str, np.ndarray]:
        """What is ranked."""
        sigma, theta = np.sqrt(state["sigma2"]), state["theta"]
        found = {"theta": theta, "sigma": sigma, "log likelihood": log_likelihood(model, state)}
        return found | {"future value": rng.normal(theta, sigma)}

    def log_joint(self, model: OneGroup, state: dict) -> np.ndarray:
        """Log density of a state and the data."""
        prior = distributions.InverseGamma(model.alpha, model.beta).log_density(state["sigma2"])
        of_theta = distributions.Normal(model.mu, model.tau * np.sqrt(state["sigma2"])).log_density(state["theta"])
        return log_likelihood(model, state) + prior + of_theta

    def by_exact(self, model, truth, *, draws, rng):
        """sigma^2 from its own law, theta given it."""
        law, shape = model.sigma2(), (draws, len(truth["theta"]))
        sigma2 = distributions.InverseGamma(law.shape, np.broadcast_to(law.scale, shape)).draw(rng)
        return {"sigma2": sigma2, "theta": model.theta_given(sigma2).draw(rng)}

    def by_nuts(self, model, truth, *, draws, rng):
        """PyMC's model."""
        tuning, cases = (_cases(*some) for some in (self.simulate(stationary.TRIED, rng), (model, truth)))
        found = stationary.by_nuts(lambda: one_group.build(self.model), tuning, cases, {}, draws=draws, rng=rng)
        return {"sigma2": found["sigma"] ** 2, "theta": found["theta"]}


def log_likelihood(model: OneGroup, state: dict) -> np.ndarray:
    """Log density of the data, up to a constant."""
    squares = model.ss + model.n * (model.mean - state["theta"]) ** 2
    return -(model.n * np.log(state["sigma2"]) + squares / state["sigma2"]) / 2


def _cases(model, truth):
    data = {"observed_mean": model.mean, "observed_ss": model.ss}
    return batched_states.each(data, {"sigma": np.sqrt(truth["sigma2"]), "theta": truth["theta"]})
