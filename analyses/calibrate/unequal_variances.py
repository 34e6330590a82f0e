"""Groups with unequal variances: what the two-level families have; there is no exact engine."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from analyses.calibrate import batched_states, stationary, truncation
from models import distributions, priors, unequal_variances
from models.unequal_variances import GRID, OwnVariances

MU = 500.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Family:
    """A design; the priors of the spread between groups and of s are cut off."""

    name: str
    story: str
    model: OwnVariances
    box: dict[str, tuple[float, float]]
    thin: int = 8
    together = ("nu", "sigma2")  # nu is drawn with sigma_i integrated out: the two are one step

    @property
    def engines(self) -> dict[str, Callable]:
        """Name to a function of model, truth, draws and rng that gives draws (draw, data, ...)."""
        return {"gibbs": partial(stationary.by_gibbs, self), "nuts": self.by_nuts}

    def simulate(self, size: int, rng) -> tuple[OwnVariances, dict]:
        """So many truths from the prior, mu fixed, and the model with data from each."""
        g, mu = self.model.groups, np.full(size, MU)
        between2 = truncation.variance(priors.FLAT, self.box["between2"], size, rng)
        s2 = truncation.variance(priors.JEFFREYS, self.box["s2"], size, rng)
        nu = rng.choice(GRID, size)
        sigma2 = distributions.InverseGamma(nu[:, None] / 2, (nu * s2)[:, None] / 2 * np.ones(len(g))).draw(rng)
        theta = rng.normal(mu[:, None], np.sqrt(between2)[:, None], (size, len(g)))
        ss = sigma2 * 2 * rng.standard_gamma(g.df / 2, size=theta.shape)
        mean = rng.normal(theta, np.sqrt(sigma2 / g.n))
        truth = {"mu": mu, "between2": between2, "s2": s2, "nu": nu, "sigma2": sigma2, "theta": theta}
        return OwnVariances(replace(g, mean=mean, ss=ss)), truth

    def quantities(self, model: OwnVariances, state: dict, rng) -> dict[str, np.ndarray]:
        """What is ranked; nu, on a grid, with ties put in order at random."""
        g, theta, sigma2 = model.groups, state["theta"], state["sigma2"]
        few, many = np.argmax(g.noise), np.argmin(g.noise)
        found = {"mu": state["mu"], "sd_between": np.sqrt(state["between2"]), "s": np.sqrt(state["s2"])}
        found |= {"nu": state["nu"], "theta, fewest rows": theta[..., few], "theta, most rows": theta[..., many]}
        found |= {"sigma, fewest rows": np.sqrt(sigma2[..., few]), "log likelihood": log_likelihood(model, state)}
        return found | {"future value": rng.normal(theta[..., few], np.sqrt(sigma2[..., few]))}

    def log_joint(self, model: OwnVariances, state: dict) -> np.ndarray:
        """Log density of a state and the data, up to a constant."""
        nu, s2, between = state["nu"], state["s2"], np.sqrt(state["between2"])
        prior = distributions.InverseGamma(nu[..., None] / 2, (nu * s2)[..., None] / 2)
        total = log_likelihood(model, state) + prior.log_density(state["sigma2"]).sum(axis=-1)
        total += (
            distributions.Normal(state["mu"][..., None], between[..., None]).log_density(state["theta"]).sum(axis=-1)
        )
        return total - np.log(s2) - np.log(between)  # p(s^2) = 1/s^2; p(between) = 1 is 1 / between of its square

    def by_nuts(self, model, truth, *, draws, rng):
        """PyMC's model of theta, nu and sigma_i from their conditionals."""
        tuning, cases = (_cases(*some) for some in (self.simulate(stationary.TRIED, rng), (model, truth)))
        limits = {"sd_between": self.box["between2"], "s": self.box["s2"]}
        limits = {name: tuple(np.sqrt(ends)) for name, ends in limits.items()}
        found = stationary.by_nuts(
            lambda: unequal_variances.build(_first(model)), tuning, cases, limits, draws=draws, rng=rng
        )  # fmt: skip
        state = {"mu": found["mu"], "between2": found["sd_between"] ** 2, "s2": found["s"] ** 2}
        state["theta"] = found["theta"]
        for name in ("nu", "sigma2"):
            state[name] = batched_states.drawn_given(model.conditionals()[name], state, rng)
        return state


def log_likelihood(model: OwnVariances, state: dict) -> np.ndarray:
    """Log density of the data, up to a constant, given theta and every sigma_i."""
    sigma2 = state["sigma2"]
    return -np.sum(model.groups.n * np.log(sigma2) + model.squares(state["theta"]) / sigma2, axis=-1) / 2


def _first(model):
    """The model with one set of data, of the shape that all have."""
    g = model.groups
    return OwnVariances(replace(g, mean=g.mean[0], ss=g.ss[0]))


def _cases(model, truth):
    data = {"observed_mean": model.groups.mean, "observed_ss": model.groups.ss}
    free = {"mu": truth["mu"], "sd_between": np.sqrt(truth["between2"]), "s": np.sqrt(truth["s2"])}
    return batched_states.each(data, free | {"theta": truth["theta"]})
