"""Classrooms in schools: what the two-level families have, for `models.three_level`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.ndimage import maximum_filter

from analyses.calibrate import batched_states, stationary, truncation
from analyses.engines import three_level as engine
from analyses.engines.inference_data import replicate
from models import distributions, three_level
from models.three_level import ThreeLevel

TOP = 500.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Family:
    """A model and a design; its scales are not relative, so all their priors are cut off."""

    name: str
    story: str
    model: ThreeLevel
    box: dict[str, tuple[float, float]]
    reach: tuple[tuple[float, float, float], ...]
    thin: int = 8
    together = ()

    @property
    def engines(self) -> dict[str, Callable]:
        """Name to a function of model, truth, draws and rng that gives draws (draw, data, ...)."""
        return {"exact": self.by_exact, "gibbs": partial(stationary.by_gibbs, self), "nuts": self.by_nuts}

    def simulate(self, size: int, rng) -> tuple[ThreeLevel, dict]:
        """So many truths from the prior, lambda fixed, and the model with data from each."""
        m, g = self.model, self.model.classrooms
        truth = {f"{n}2": truncation.variance(getattr(m, n), self.box[f"{n}2"], size, rng) for n in engine.SCALES}
        sd = {name: np.sqrt(truth[name])[:, None] for name in truth}
        truth["lambda"] = np.full(size, TOP)
        truth["mu"] = rng.normal(truth["lambda"][:, None], sd["kappa2"], (size, len(m.schools)))
        truth["theta"] = rng.normal(truth["mu"][:, m.school], sd["tau2"])
        data = replicate(g, truth["theta"], sd["sigma2"][:, 0], rng=rng)
        return replace(m, classrooms=replace(g, **data)), truth

    def quantities(self, model: ThreeLevel, state: dict, rng) -> dict[str, np.ndarray]:
        """What is ranked."""
        g = model.classrooms
        few, many = np.argmax(g.noise), np.argmin(g.noise)
        found = {"lambda": state["lambda"]} | {name: np.sqrt(state[f"{name}2"]) for name in engine.SCALES}
        found |= {"mu, first school": state["mu"][..., 0], "theta, noisiest": state["theta"][..., few]}
        found |= {
            "theta, least noisy": state["theta"][..., many],
            "log likelihood": batched_states.log_likelihood(model.classrooms, state),
        }
        return found | {"future value": rng.normal(state["theta"][..., few], found["sigma"])}

    def log_joint(self, model: ThreeLevel, state: dict) -> np.ndarray:
        """Log density of a state and the data, up to a constant."""
        sd = {name: np.sqrt(state[f"{name}2"]) for name in engine.SCALES}
        top, mu = state["lambda"][..., None], state["mu"]
        total = batched_states.log_likelihood(model.classrooms, state)
        total += distributions.Normal(top, sd["kappa"][..., None]).log_density(mu).sum(axis=-1)
        total += (
            distributions.Normal(mu[..., model.school], sd["tau"][..., None]).log_density(state["theta"]).sum(axis=-1)
        )
        # Priors are of the roots, the state has variances.
        return total + sum(getattr(model, name).log_density(sd[name]) - np.log(sd[name]) for name in sd)

    def by_exact(self, model, truth, *, draws, rng):
        """Independent draws through `collapsed`, on one lattice of both ratios for all data.

        Given the ratios the box is one of sigma^2 alone: its share of the inverse gamma multiplies the density.
        """

        def log_density(u, share=lambda law: law.share):
            given, sigma2 = self._given(model, np.exp(u))
            with np.errstate(divide="ignore"):  # there may be no share in the box
                return given.log_unnormalized + np.log(share(sigma2)) + u.sum(axis=0)

        def above(nodes):
            # The share has an edge where a ratio becomes too large for any sigma, and may rise towards it.
            return log_density(nodes, lambda law: maximum_filter(law.share, size=(3, 3, 1)))

        u = batched_states.on_lattice(log_density, self.reach, len(truth["lambda"]), draws, rng, above=above, bound=2.0)
        tau, kappa = np.exp(u)
        sigma = np.sqrt(self._given(model, (tau, kappa))[1].draw(rng))
        drawn = {"sigma": sigma, "tau": tau * sigma, "kappa": kappa * sigma}
        return _squared(engine.descend(model, drawn, rng))

    def _given(self, model, ratios):
        """The model given the ratios, and the law of sigma^2, cut off."""
        given, (low, high) = model.collapsed(*ratios), self.box["sigma2"]
        ends = [self.box[name][1] / ratio**2 for name, ratio in zip(("tau2", "kappa2"), ratios, strict=True)]
        return given, truncation.Cut(given.sigma2, low, np.maximum(np.minimum(high, np.minimum(*ends)), low))

    def by_nuts(self, model, truth, *, draws, rng):
        """PyMC's marginal model, mu and theta from their conditionals."""
        tuning, cases = (_cases(*some) for some in (self.simulate(stationary.TRIED, rng), (model, truth)))
        limits = {name.removesuffix("2"): tuple(np.sqrt(ends)) for name, ends in self.box.items()}
        found = stationary.by_nuts(
            lambda: three_level.build(self.model), tuning, cases, limits, draws=draws, rng=rng
        )  # fmt: skip
        return _squared(engine.descend(model, found, rng))


def _squared(drawn):
    """A state from draws of sds."""
    found = {f"{name}2": drawn[name] ** 2 for name in engine.SCALES}
    return found | {name: drawn[name] for name in ("lambda", "mu", "theta")}


def _cases(model, truth):
    g = model.classrooms
    data = {"observed_mean": g.mean, "observed_ss": g.within[1]}
    return batched_states.each(data, {"lambda": truth["lambda"]} | {n: np.sqrt(truth[f"{n}2"]) for n in engine.SCALES})
