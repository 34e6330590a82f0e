"""The exact posterior of the three-level model: trapezoid rule in the logs of two ratios of scales (seed 003).

Given tau / sigma and kappa / sigma, sigma^2 is inverse gamma, lambda, mu and theta are t, and tau and kappa are sigma
times a constant; each quantity is a mixture of those over the nodes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import numpy as np
import pandas as pd
import xarray as xr

from analyses.engines import modes, nodes
from analyses.engines.coordinates import Axis, Coordinates
from analyses.engines.density import BEYOND, log_density_of_root
from analyses.engines.inference_data import SAMPLE, Drawn, Labels, Variables, data_nodes, labelled, log_prior_node
from analyses.engines.mixture import (
    Mixture,
    figures,
    highest_moment,
    named,
    spread,
    t_mixture,
    table,
)
from analyses.engines.nodes import Nodes
from analyses.engines.samplers import Samplers
from models.shrinkage import kappa, theta_given
from models.three_level import Nested, ThreeLevel, build

SCALES = ("sigma", "tau", "kappa")
RATIOS = Coordinates((Axis((1, 0)), Axis((0, 1))))
OUTERMOST = {  # coordinates of tau / sigma, kappa / sigma and sigma, by the scale that is outermost
    "tau": Coordinates((Axis((1, 0, 1)), Axis((0, 1, 0)), Axis((0, 0, 1)))),
    "kappa": Coordinates((Axis((0, 1, 1)), Axis((1, 0, 0)), Axis((0, 0, 1)))),
    "sigma": Coordinates((Axis((0, 0, 1)), Axis((1, 0, 0)), Axis((0, 1, 0)))),
}
DEPTH = 30.0  # e^-30 of the top is 1e-13
MOST_MOVED = 1e-9  # of a width, to a lattice between the nodes
FINENESS = 0.8  # to begin with


@dataclass(frozen=True, eq=False)
class Posterior:
    """A model, and nodes of tau / sigma and kappa / sigma.

    Attributes
    ----------
    model : ThreeLevel
    nodes : Nodes
    with_outermost : callable
        Name of a scale to nodes of both ratios and sigma of which it is the outermost.
    """

    model: ThreeLevel
    nodes: Nodes
    with_outermost: Callable[[str], Nodes]

    @cached_property
    def closer(self) -> "Posterior":
        """Posterior on nodes that are closer to each other, for the numerical error."""
        return replace(self, nodes=self.nodes.closer, with_outermost=lambda name: self.with_outermost(name).closer)

    @property
    def weight(self) -> np.ndarray:
        """Weight of each node."""
        return self.nodes.weight

    @cached_property
    def given(self) -> Nested:
        """The model given both ratios, at the nodes."""
        return self.model.collapsed(*self.ratios)

    @cached_property
    def ratios(self) -> np.ndarray:
        """tau / sigma and kappa / sigma at the nodes, (ratio, node)."""
        return np.exp(self.nodes.logs)

    @cached_property
    def _levels(self):
        """Location and squared scale, in units of sigma, of lambda, mu and theta: (node, quantity) each."""
        g, school, (tau, kappa) = self.model.classrooms, self.model.school, self.ratios[..., None]
        top, schools = self.given.top, self.given.schools
        of_top = top.mean, top.variance
        of_mu = _below(*of_top, schools.mean, schools.variance, kappa**2)
        of_theta = _below(*(x[:, school] for x in of_mu), g.mean - g.center, g.noise, tau**2)
        return {"lambda": of_top, "mu": of_mu, "theta": of_theta}

    def _t(self, location, squared) -> Mixture:
        sigma2 = self.given.sigma2
        unit = np.asarray(sigma2.scale / sigma2.shape)[:, None]
        return t_mixture(
            self.weight, self.model.classrooms.center + location, np.sqrt(squared * unit), 2 * float(sigma2.shape)
        )

    def level(self, name: str) -> Mixture:
        """lambda, mu of every school or theta of every classroom."""
        return self._t(*self._levels[name])

    def scale(self, name: str) -> Mixture:
        """sigma, tau or kappa."""
        return self.with_outermost(name).scale()

    def table(self) -> pd.DataFrame:
        """Mean, sd and quantiles of every quantity, by variable and label."""
        labels = {"mu": self.model.schools, "theta": self.model.classrooms.labels}
        levels = (named(name, self.level(name), labels[name]) for name in labels)
        return pd.concat([self.population(), table(*levels, orders=self.model.moments())])

    def population(self) -> pd.DataFrame:
        """The rows of `table` for lambda and the scales."""
        scales = (named(name, self.scale(name)) for name in SCALES)
        return pd.concat([self.top(), table(*scales, orders=self.model.moments())])

    def top(self) -> pd.DataFrame:
        """The row of `table` for lambda."""
        return table(named("lambda", self.level("lambda")), orders=self.model.moments())

    def predictions(self, *, at: int) -> pd.DataFrame:
        """One more pupil of the classroom at that position; a new classroom of its school, of a new one, and pupils."""
        tau2, kappa2 = self.ratios[..., None] ** 2
        (top, top2), (theta, theta2) = self._levels["lambda"], (x[:, [at]] for x in self._levels["theta"])
        mu, mu2 = (x[:, [self.model.school[at]]] for x in self._levels["mu"])
        new, new2 = np.hstack([mu, top]), np.hstack([mu2 + tau2, top2 + kappa2 + tau2])
        labels, orders = self.new_labels(at), self.model.moments()
        order = dict(zip(labels, (orders["mu", ""], orders["lambda", ""]), strict=True))
        return table(
            named("new_value", self._t(theta, theta2 + 1), [self.model.classrooms.labels[at]]),
            named("new_theta", self._t(new, new2), labels),
            named("new_group_value", self._t(new, new2 + 1), labels),
            orders={(name, label): order[label] for name in ("new_theta", "new_group_value") for label in labels},
        )

    def new_labels(self, at: int) -> list[str]:
        """What a new classroom may be in."""
        school = self.model.schools[self.model.school[at]]
        return [f"a new classroom of school {school}", "a new classroom of a new school"]

    def draw(self, *, draws: int = 1000, chains: int = 4, rng: np.random.Generator) -> xr.DataTree:
        """Draw independently; chains only give the arrays their shape."""
        u = self.nodes.lattice.draw(draws * chains, rng)
        tau, kappa = np.exp(RATIOS.logs(u)).reshape(2, chains, draws)
        sigma = np.sqrt(self.model.collapsed(tau, kappa).sigma2.draw(rng))
        drawn = {"sigma": sigma, "tau": tau * sigma, "kappa": kappa * sigma}
        return SAMPLERS.complete(self.model, drawn, engine="exact", rng=rng)

    def error(self) -> pd.DataFrame:
        """Numerical error of each entry of `population`: twice its change on closer nodes, and rounding."""
        rows = self.population()
        rounding = rows.abs().add(spread(rows) * (np.abs(self.given.log_unnormalized).max() + 1), axis=0)
        return 2 * (self.closer.population() - rows).abs() + 8 * np.finfo(float).eps * rounding


def _below(location, squared, mean, noise, between):
    """One level down: a weighted mean of the level above and the group's own mean."""
    below, variance = theta_given(mean, noise, location, between)
    return below, variance + kappa(noise, between) ** 2 * squared


def posterior(model: ThreeLevel) -> Posterior:
    """Compute the posterior; shorten the steps until lambda stands still, as theta and mu are smoother."""
    powers = _reported_powers(model)

    def log_densities(logs):
        height = model.collapsed(*np.exp(logs)).log_unnormalized + logs.sum(axis=0)
        return np.vstack([height, height + powers @ logs])

    ends = _ends(model)
    found = modes.find(lambda logs: log_densities(logs)[0], *ends.T)
    peaks = nodes.peaks(RATIOS, log_densities, np.stack([mode.at for mode in found], axis=1), depth=DEPTH)

    def at_fineness(fineness):
        at = nodes.grow(RATIOS, log_densities, peaks, FINENESS * fineness, depth=DEPTH)
        return Posterior(model, at, cache(partial(_with_outermost, model, at.starts)))

    return nodes.settled(at_fineness, lambda at: at.top().to_numpy(), most_moved=MOST_MOVED)


def _with_outermost(model, starts, name) -> Nodes:
    """Nodes of both ratios and sigma with a scale outermost, fine enough for its distribution function."""
    orders = model.moments()
    exponents = highest_moment(orders.get((name, ""), np.inf)) * np.array(OUTERMOST[name].axes[0].power)
    at_modes = model.collapsed(*np.exp(starts)).sigma2
    starts = np.vstack([starts, np.log(at_modes.scale / at_modes.shape) / 2])

    def log_densities(logs):
        nested = model.collapsed(*np.exp(logs[:2]))
        height = nested.log_unnormalized + logs[:2].sum(axis=0) + log_density_of_root(nested.sigma2, logs[2])
        return np.vstack([height, height + exponents @ logs])

    at, peaks = OUTERMOST[name], nodes.peaks(OUTERMOST[name], log_densities, starts, depth=DEPTH)
    return nodes.settled(
        lambda fineness: nodes.grow(at, log_densities, peaks, FINENESS * fineness, distribution=True, depth=DEPTH),
        lambda at: figures([named(name, at.scale())], orders),
        most_moved=MOST_MOVED,
    )


def _ends(model) -> np.ndarray:
    """Ends (ratio, 2) of the range of the logs of both ratios that can hold a mode."""
    g, (df, ss) = model.classrooms, model.classrooms.within
    noise = np.log([g.noise.min(), g.noise.max(), model.members.sum(axis=0).max() ** -1.0 * g.noise.min()]) / 2
    spread = np.log(np.ptp(g.mean) or 1.0) - np.log(ss / df) / 2
    bends = [*noise, spread]
    return np.array(2 * [(min(bends) - BEYOND, max(bends) + BEYOND)])


def _reported_powers(model):
    """Powers of the two ratios, (moment, ratio), whose expectation is reported."""
    orders = model.moments()
    return np.diag([highest_moment(orders[name, ""]) for name in ("tau", "kappa")])


def _label(model: ThreeLevel, drawn: Drawn, rng: np.random.Generator) -> Labels:
    """Label draws of the scales, lambda, mu and theta; draw mu and theta if theta is missing.

    log_likelihood is of schools, mu and theta integrated out, as classrooms of one school are not independent.
    """
    g, drawn = model.classrooms, drawn if "theta" in drawn else descend(model, drawn, rng)
    dims = dict.fromkeys(("lambda", *SCALES), SAMPLE) | {"mu": (*SAMPLE, "school"), "theta": (*SAMPLE, g.dim)}
    posterior: Variables = {name: (dims[name], drawn[name]) for name in dims}
    data = data_nodes(g, drawn["theta"], drawn["sigma"], {"school_of": (g.dim, model.school)}, rng=rng)
    top = [drawn[name] for name in ("lambda", "kappa", "tau", "sigma")]
    data["log_likelihood"] = {"y": ((*SAMPLE, "school"), model.log_likelihood(*top))}
    data["log_prior"] = log_prior_node(model.log_priors(*top))
    coords = {"school": list(model.schools), g.dim: list(g.labels)}
    return Labels({"posterior": posterior, **data}, coords, {"dim": g.dim})


SAMPLERS = Samplers(
    build=partial(build, parameterization="marginal"),
    start=ThreeLevel.start,
    label=_label,
    sampled=("lambda", *SCALES),
    variances={name: f"{name}2" for name in SCALES},
    schedule={"draws": 125, "tune": 500, "thin": 40, "chains": 32},  # kappa moves slowly where schools are few
)
by_gibbs = SAMPLERS.by_gibbs
by_nuts = SAMPLERS.by_nuts


def descend(model: ThreeLevel, drawn: Drawn, rng: np.random.Generator) -> Drawn:
    """Draw lambda given the scales, unless it is there; mu given it, with theta integrated out; and theta given mu."""
    g, (sigma, tau, kappa) = model.classrooms, (drawn[name][..., None] for name in SCALES)
    given = model.collapsed(drawn["tau"] / drawn["sigma"], drawn["kappa"] / drawn["sigma"])
    if "lambda" not in drawn:
        top, sd = given.top.mean[..., 0], np.sqrt(given.top.variance[..., 0])
        drawn = drawn | {"lambda": g.center + rng.normal(top, drawn["sigma"] * sd)}
    noise, center = sigma**2 * given.schools.variance, g.center + given.schools.mean
    mu = _draw_below(drawn["lambda"][..., None], center, noise, kappa**2, rng)
    theta = _draw_below(mu[..., model.school], g.mean, sigma**2 * g.noise, tau**2, rng)
    return drawn | {"mu": mu, "theta": theta}


def _draw_below(above, mean, noise, between, rng):
    below, variance = theta_given(mean, noise, above, between)
    return rng.normal(below, np.sqrt(variance))


def predicted(
    model: ThreeLevel, tree: xr.DataTree, labels: Sequence[str], *, at: int, rng: np.random.Generator
) -> xr.DataTree:
    """Draw the quantities of `Posterior.predictions` level by level."""
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
