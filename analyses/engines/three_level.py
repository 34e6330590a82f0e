"""The exact posterior of the three-level model: trapezoid rule in the logs of two ratios of scales (seed 003).

Given tau / sigma and kappa / sigma, sigma^2 is inverse gamma, lambda, mu and theta are t, and tau and kappa are sigma
times a constant; each quantity is a mixture of those over the nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from analyses.engines import gibbs
from analyses.engines.inference_data import SAMPLE, Drawn, Variables, labelled, replicate
from analyses.engines.mixture import (
    Mixture,
    highest_moment,
    masked,
    product_mixture,
    root_inverse_gamma_mixture,
    root_moments,
    rows,
    settle,
    spread,
    t_mixture,
)
from analyses.engines.quadrature import Parts, Region, cover
from models.linear_gaussian import kappa, theta_given
from models.three_level import Nested, ThreeLevel, build

SCALES = ("sigma", "tau", "kappa")
DEPTH = 30.0  # e^-30 of the top is 1e-13
SETTLED = 1e-4  # of a width: what moves by less when the step is divided by SHORTER is off by far less at the end
SHORTER = 2**0.5  # nodes go with the square of it; `error` measures what is left


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted nodes in the logs of tau / sigma and kappa / sigma, and the model given each."""

    model: ThreeLevel
    region: Region
    step: float
    ratios: np.ndarray
    weight: np.ndarray
    given: Nested

    @cached_property
    def _levels(self):
        """Location and squared scale, in units of sigma, of lambda, mu and theta: (node, quantity) each."""
        g, school, (tau, kappa) = self.model.classrooms, self.model.school, self.ratios[..., None]
        top, middle = self.given.top, self.given.schools
        noise = np.einsum("nii->ni", middle.covariance)
        of_top = top.mean, top.covariance[:, 0]
        of_mu = _below(*of_top, middle.mean, noise, kappa**2)
        return {
            "lambda": of_top,
            "mu": of_mu,
            "theta": _below(*(x[:, school] for x in of_mu), g.mean - g.center, g.noise, tau**2),
        }

    def _law(self, location, squared):
        law = self.given.sigma2
        unit = (law.scale / law.shape)[:, None]
        return t_mixture(self.weight, self.model.classrooms.center + location, np.sqrt(squared * unit), 2 * law.shape)

    def level(self, name: str) -> Mixture:
        """lambda, mu of every school or theta of every classroom."""
        return self._law(*self._levels[name])

    def scale(self, name: str) -> Mixture:
        """sigma, tau or kappa."""
        shape, scale = float(self.given.sigma2.shape), np.asarray(self.given.sigma2.scale)
        if name == "sigma":
            return root_inverse_gamma_mixture(self.weight, shape, scale)
        squared = scale * dict(zip(("tau", "kappa"), self.ratios, strict=True))[name] ** 2
        moments = root_moments(self.weight, shape, squared)
        return product_mixture(self.weight, np.log(squared) / 2, self.step, shape, moments)

    def table(self) -> pd.DataFrame:
        """Mean, sd and quantiles of every quantity, by variable and label."""
        labels = {"mu": self.model.schools, "theta": self.model.classrooms.labels}
        levels = rows(*(([(name, label) for label in labels[name]], self.level(name)) for name in labels))
        return pd.concat([self.population(), masked(levels, self.model.moments())])

    def population(self) -> pd.DataFrame:
        """The rows of `table` for lambda and the scales."""
        laws = {"lambda": self.level("lambda")} | {name: self.scale(name) for name in SCALES}
        return masked(rows(*(([(name, "")], law) for name, law in laws.items())), self.model.moments())

    def predictions(self, *, at: int) -> pd.DataFrame:
        """One more pupil of the classroom at that position; a new classroom of its school, of a new one, and pupils."""
        tau2, kappa2 = self.ratios[..., None] ** 2
        (top, top2), (theta, theta2) = self._levels["lambda"], (x[:, [at]] for x in self._levels["theta"])
        mu, mu2 = (x[:, [self.model.school[at]]] for x in self._levels["mu"])
        new, new2 = np.hstack([mu, top]), np.hstack([mu2 + tau2, top2 + kappa2 + tau2])
        labels, orders = self.new_labels(at), self.model.moments()
        of_new = dict(zip(labels, (orders["mu", ""], orders["lambda", ""]), strict=True))
        found = rows(
            ([("new_value", self.model.classrooms.labels[at])], self._law(theta, theta2 + 1)),
            ([("new_theta", label) for label in labels], self._law(new, new2)),
            ([("new_group_value", label) for label in labels], self._law(new, new2 + 1)),
        )
        known = {(name, label): of_new[label] for name in ("new_theta", "new_group_value") for label in labels}
        return masked(found, known)

    def new_labels(self, at: int) -> list[str]:
        """What a new classroom may be in."""
        school = self.model.schools[self.model.school[at]]
        return [f"a new classroom of school {school}", "a new classroom of a new school"]

    def draw(self, *, draws: int = 1000, chains: int = 4, rng: np.random.Generator) -> xr.DataTree:
        """Draw independently; the chains are for the shape alone."""
        u = self.region.draw(np.log(self.ratios), self.weight, self.step, draws * chains, rng)
        tau, kappa = np.exp(u).reshape(2, chains, draws)
        sigma = np.sqrt(self.model.collapsed(tau, kappa).sigma2.draw(rng))
        drawn = {"sigma": sigma, "tau": tau * sigma, "kappa": kappa * sigma}
        return complete(self.model, drawn, engine="exact", rng=rng)

    def error(self) -> pd.DataFrame:
        """Numerical error of each entry of `population`: its change on a lattice that lies between the nodes.

        There the error of the trapezoid rule is the same with the opposite sign. The share of the mass that is not
        followed is added, times value and spread.
        """
        table, between = self.population(), replace(self.region, shift=self.step / 2)
        missed = self.region.missed * table.abs().add(spread(table), axis=0)
        return (_on_lattice(self.model, between, self.step).population() - table).abs() + missed


def _below(location, squared, mean, noise, between):
    """One level down: the level above to its share, the group's own mean to the rest."""
    below, variance = theta_given(mean, noise, location, between)
    return below, variance + kappa(noise, between) ** 2 * squared


def posterior(model: ThreeLevel) -> Posterior:
    """Compute the posterior; the step is shortened until lambda and the scales stand still, as all else is smoother."""

    def log_density(u):
        given, powers = model.collapsed(*np.exp(u)), _reported_moments(model) @ u
        return Parts((given.rising + u.sum(axis=0))[None], given.falling[None]).times(powers, 0 * powers)

    region = cover(log_density, 2, depth=DEPTH)
    return settle(
        lambda step: _on_lattice(model, region, step),
        region.step,
        Posterior.population,
        settled=SETTLED,
        by=SHORTER,
    )


def _on_lattice(model, region, step) -> Posterior:
    u = region.lattice(step)
    given = model.collapsed(*np.exp(u))
    height = given.log_unnormalized + u.sum(axis=0)
    weight = np.exp(height - height.max())
    return Posterior(model, region, step, np.exp(u), weight / weight.sum(), given)


def _reported_moments(model):
    """Powers of the two ratios, (moment, ratio), whose expectation is reported."""
    orders = model.moments()
    return np.diag([highest_moment(orders[name, ""]) for name in ("tau", "kappa")])


def by_nuts(model: ThreeLevel, *, rng: np.random.Generator, **asked: Any) -> xr.DataTree:
    """NUTS with theta and mu integrated out; `asked` are arguments of `nuts.run`."""
    from analyses.engines import nuts

    run = nuts.run(build(model), **asked)
    drawn = {name: run["posterior"].dataset[name].values for name in ("lambda", *SCALES)}
    return complete(model, drawn, engine="nuts", rng=rng, sample_stats=run["sample_stats"].dataset)


def by_gibbs(
    model: ThreeLevel,
    *,
    draws: int = 250,
    tune: int = 500,
    thin: int = 40,
    chains: int = 16,
    rng: np.random.Generator,
) -> xr.DataTree:
    """Sweep over the full conditionals; kappa moves slowly where there are few schools."""
    drawn = gibbs.run(model.conditionals(), model.start(chains, rng), draws=draws, tune=tune, thin=thin, rng=rng)
    drawn |= {name: np.sqrt(drawn.pop(f"{name}2")) for name in SCALES}
    return complete(model, drawn, engine="gibbs", rng=rng)


def complete(
    model: ThreeLevel,
    drawn: Drawn,
    *,
    engine: str,
    rng: np.random.Generator,
    sample_stats: xr.Dataset | None = None,
) -> xr.DataTree:
    """Label an engine's draws of sigma, tau, kappa, lambda, mu and theta, the last two drawn unless theta is there."""
    g, drawn = model.classrooms, drawn if "theta" in drawn else descend(model, drawn, rng)
    dims = dict.fromkeys(("lambda", *SCALES), SAMPLE) | {"mu": (*SAMPLE, "school"), "theta": (*SAMPLE, g.dim)}
    replicated = replicate(g, drawn["theta"], drawn["sigma"], rng=rng)
    nodes: dict[str, Variables] = {
        "posterior": {name: (dims[name], drawn[name]) for name in dims},
        "posterior_predictive": {name: (dims["theta"], values) for name, values in replicated.items()},
        "observed_data": {"mean": (g.dim, g.mean), "ss": (g.dim, g.ss)},
        "constant_data": {"noise": (g.dim, g.noise), "df": (g.dim, g.df), "school_of": (g.dim, model.school)},
    }
    return labelled(
        nodes, {"school": list(model.schools), g.dim: list(g.labels)}, {"engine": engine, "dim": g.dim}, sample_stats
    )


def descend(model: ThreeLevel, drawn: Drawn, rng: np.random.Generator) -> Drawn:
    """Draw lambda given the scales, unless it is there; mu given it, with theta integrated out; and theta given mu."""
    g, (sigma, tau, kappa) = model.classrooms, (drawn[name][..., None] for name in SCALES)
    given = model.collapsed(drawn["tau"] / drawn["sigma"], drawn["kappa"] / drawn["sigma"])
    if "lambda" not in drawn:
        top, sd = given.top.mean[..., 0], np.sqrt(given.top.covariance[..., 0, 0])
        drawn = drawn | {"lambda": g.center + rng.normal(top, drawn["sigma"] * sd)}
    noise = sigma**2 * np.einsum("...ii->...i", given.schools.covariance)
    mu = _draw_below(drawn["lambda"][..., None], g.center + given.schools.mean, noise, kappa**2, rng)
    theta = _draw_below(mu[..., model.school], g.mean, sigma**2 * g.noise, tau**2, rng)
    return drawn | {"mu": mu, "theta": theta}


def _draw_below(above, mean, noise, between, rng):
    below, variance = theta_given(mean, noise, above, between)
    return rng.normal(below, np.sqrt(variance))


def predicted(
    model: ThreeLevel, tree: xr.DataTree, labels: Sequence[str], *, at: int, rng: np.random.Generator
) -> xr.DataTree:
    """Draw what `Posterior.predictions` has in closed form, level by level."""
    draws = {name: values.values for name, values in tree["posterior"].dataset.items()}
    mu = np.stack([draws["mu"][..., model.school[at]], rng.normal(draws["lambda"], draws["kappa"])], axis=-1)
    theta, sigma = rng.normal(mu, draws["tau"][..., None]), draws["sigma"][..., None]
    variables = {
        "new_value": ((*SAMPLE, "old"), rng.normal(draws["theta"][..., [at]], sigma)),
        "new_theta": ((*SAMPLE, "new"), theta),
        "new_group_value": ((*SAMPLE, "new"), rng.normal(theta, sigma)),
    }
    coords = {"old": [model.classrooms.labels[at]], "new": labels}
    return labelled({"posterior": variables}, coords, {"engine": tree["posterior"].attrs["engine"]})
