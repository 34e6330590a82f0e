"""The exact posterior of the three-level model: trapezoid rule in the logs of two ratios of scales (seed 003).

Given tau / sigma and kappa / sigma, sigma^2 is inverse gamma, lambda, mu and theta are t, and tau and kappa are sigma
times a constant; each quantity is a mixture of those over the nodes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
import xarray as xr

from analyses.engines.inference_data import SAMPLE, Drawn, Labels, Variables, data_nodes, labelled, log_prior_node
from analyses.engines.lattice import Lattice, density, settle
from analyses.engines.mixture import Mixture, highest_moment, named, table
from analyses.engines.quadrature import Parts, cover
from analyses.engines.samplers import Samplers
from models.shrinkage import kappa, theta_given
from models.three_level import Nested, ThreeLevel, build

SCALES = ("sigma", "tau", "kappa")
DEPTH = 30.0  # e^-30 of the top is 1e-13
MOST_MOVED = 1e-4  # of a width: what moves by less when the step is divided by STEP_RATIO is off by far less at the end
STEP_RATIO = 2**0.5  # nodes go with the square of it; `error` measures what is left


@dataclass(frozen=True, eq=False)
class Posterior:
    """A model, and the lattice of tau / sigma and kappa / sigma."""

    model: ThreeLevel
    lattice: Lattice[Nested]

    @property
    def weight(self) -> np.ndarray:
        """Weight of each node."""
        return self.lattice.weight

    @cached_property
    def ratios(self) -> np.ndarray:
        """tau / sigma and kappa / sigma at the nodes, (ratio, node)."""
        return np.exp(self.lattice.u)

    @cached_property
    def _levels(self):
        """Location and squared scale, in units of sigma, of lambda, mu and theta: (node, quantity) each."""
        g, school, (tau, kappa) = self.model.classrooms, self.model.school, self.ratios[..., None]
        top, schools = self.lattice.given.top, self.lattice.given.schools
        noise = np.einsum("nii->ni", schools.covariance)
        of_top = top.mean, top.covariance[:, 0]
        of_mu = _below(*of_top, schools.mean, noise, kappa**2)
        of_theta = _below(*(x[:, school] for x in of_mu), g.mean - g.center, g.noise, tau**2)
        return {"lambda": of_top, "mu": of_mu, "theta": of_theta}

    def _t(self, location, squared) -> Mixture:
        sigma2 = self.lattice.given.sigma2
        unit = np.asarray(sigma2.scale / sigma2.shape)[:, None]
        return self.lattice.t(self.model.classrooms.center + location, squared * unit, 2 * float(sigma2.shape))

    def level(self, name: str) -> Mixture:
        """lambda, mu of every school or theta of every classroom."""
        return self._t(*self._levels[name])

    def scale(self, name: str) -> Mixture:
        """sigma, tau or kappa."""
        sigma2 = self.lattice.given.sigma2
        if name == "sigma":
            return self.lattice.sigma(sigma2)
        return self.lattice.sigma_times(self.ratios[("tau", "kappa").index(name)] ** 2, sigma2)

    def table(self) -> pd.DataFrame:
        """Mean, sd and quantiles of every quantity, by variable and label."""
        labels = {"mu": self.model.schools, "theta": self.model.classrooms.labels}
        levels = (named(name, self.level(name), labels[name]) for name in labels)
        return pd.concat([self.population(), table(*levels, orders=self.model.moments())])

    def population(self) -> pd.DataFrame:
        """The rows of `table` for lambda and the scales."""
        scales = (named(name, self.scale(name)) for name in SCALES)
        return table(named("lambda", self.level("lambda")), *scales, orders=self.model.moments())

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
        lattice = self.lattice
        u = lattice.region.draw(np.log(self.ratios), lattice.weight, lattice.step, draws * chains, rng)
        tau, kappa = np.exp(u).reshape(2, chains, draws)
        sigma = np.sqrt(self.model.collapsed(tau, kappa).sigma2.draw(rng))
        drawn = {"sigma": sigma, "tau": tau * sigma, "kappa": kappa * sigma}
        return SAMPLERS.complete(self.model, drawn, engine="exact", rng=rng)

    def error(self) -> pd.DataFrame:
        """Numerical error of each entry of `population`: its change on a lattice that lies between the nodes.

        There the error of the trapezoid rule is the same with the opposite sign. The share of the mass that is not
        followed is added, times value and spread.
        """
        rows, shifted = self.population(), Posterior(self.model, self.lattice.between()).population()
        return (shifted - rows).abs() + self.lattice.not_followed(rows)


def _below(location, squared, mean, noise, between):
    """One level down: a weighted mean of the level above and the group's own mean."""
    below, variance = theta_given(mean, noise, location, between)
    return below, variance + kappa(noise, between) ** 2 * squared


def posterior(model: ThreeLevel) -> Posterior:
    """Compute the posterior; shorten the step until lambda and the scales converge, as all else is smoother."""
    powers = _reported_powers(model)

    def collapsed(u) -> Nested:
        return model.collapsed(*np.exp(u))

    region = cover(density(collapsed, lambda u: Parts(powers @ u, 0 * powers @ u)), 2, depth=DEPTH)
    return settle(
        lambda step: Posterior(model, Lattice.of(collapsed, region, step)),
        region.step,
        Posterior.population,
        most_moved=MOST_MOVED,
        by=STEP_RATIO,
    )


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
    schedule={"draws": 250, "tune": 500, "thin": 40, "chains": 16},  # kappa moves slowly where schools are few
)
by_gibbs = SAMPLERS.by_gibbs
by_nuts = SAMPLERS.by_nuts


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
