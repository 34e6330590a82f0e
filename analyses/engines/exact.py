"""The exact posterior: trapezoid rule over the logs of the scales, everything else in closed form given them.

Moments and quantiles of every quantity come without sampling and with an estimate of their numerical error;
independent draws are there for the asking.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from itertools import chain

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from analyses import progress
from analyses.engines import density, mixture, nodes
from analyses.engines.density import RATIO, Power
from analyses.engines.inference_data import Drawn, complete, concatenated
from analyses.engines.mixture import (
    PROBABILITIES,
    Mixture,
    Named,
    named,
    spread,
    t_mixture,
    table,
)
from analyses.engines.nodes import Nodes
from analyses.engines.quadrature import LEAST_LOG_DENSITY
from models.distributions import Numbers
from models.groups import Positions
from models.priors import FLAT, Scale
from models.propriety import moments, require_proper
from models.shrinkage import data_weight, kappa, theta_given
from models.two_level import Collapsed, TwoLevel

EVERY = slice(None)
USUAL_NODES = 300  # at which a density of one scale is computed in all; of two they are more
FINER = 1.25  # than needed as a rule, where steps are not checked
MODES_OF = 12  # of the posteriors of many priors, and the last: those between have their modes between
ROUNDING = 1e-14  # of a sum of probabilities
BLOCK_DRAWS = 1_024  # at a time: their arrays stay in the cache, which makes them three times as fast


@dataclass(frozen=True, eq=False)
class Posterior:
    """A model, and nodes of its scales that are not integrated out.

    Attributes
    ----------
    model : TwoLevel
    nodes : Nodes
        Of sd_between / sigma, and of sigma where it is not integrated out.
    with_outermost : callable
        Power of (sd_between / sigma, sigma) to nodes of which it is the outermost.
    fineness : float
        What the usual steps are divided by.
    """

    model: TwoLevel
    nodes: Nodes
    with_outermost: Callable[[Power], Nodes]
    fineness: float = 1.0

    @cached_property
    def closer(self) -> "Posterior":
        """Posterior on nodes that are closer to each other, for the numerical error."""
        return replace(self, nodes=self.nodes.closer, with_outermost=lambda power: self.with_outermost(power).closer)

    @property
    def weight(self) -> np.ndarray:
        """Weight of each node."""
        return self.nodes.weight

    @cached_property
    def logs(self) -> dict[str, np.ndarray]:
        """Logs of the scales at the nodes, by name."""
        powers = density.powers(self.model)
        return {name: np.array(powers[name][: len(self.nodes.logs)]) @ self.nodes.logs for name in self.model.scales}

    @cached_property
    def given(self) -> Collapsed:
        """The model given the scales, at the nodes."""
        return density.given(self.model, self.nodes.logs)

    @property
    def log_evidence(self) -> float:
        """Log of the density of the data, up to the constants of improper priors."""
        return self.nodes.lattice.log_integral + float(self.given.log_constant)

    @property
    def b(self) -> Mixture:
        """mu and beta."""
        return self._t(*self._linear(self.given.basis))

    def theta(self, at: Positions | slice = EVERY) -> Mixture:
        """theta of every group, or of those at some positions."""
        g = self.model.groups
        return self.theta_of(g.mean[at], g.noise[at], g.design[at])

    def theta_of(self, mean: np.ndarray, noise: np.ndarray, x: np.ndarray) -> Mixture:
        """theta of hypothetical groups with these means and noises (quantity,) and designs (quantity, p)."""
        return self._t(*self._theta(mean, noise, x))

    def _t(self, location, squared) -> Mixture:
        return t_mixture(self.weight, location, np.sqrt(squared), self.given.df)

    def _theta(self, mean, noise, x):
        """Location and squared scale of theta at the nodes, (node, group)."""
        (noise, between), (population, squared) = self.variances(noise), self._regression(x)
        mean, variance = theta_given(mean, noise, population, between)
        return mean, variance * self.given.unit[:, None] + squared * kappa(noise, between) ** 2

    def contrast(self, weights: np.ndarray, at: Positions | slice = EVERY) -> Mixture:
        """Sums of theta, of all or those at some positions, with weights (quantity, group): of a difference 1 and -1.

        Given the scales and b the theta are independent, and b reaches each by its kappa.
        """
        g = self.model.groups
        (noise, between), x = self.variances(g.noise[at]), self.model.standard.regressors(g.design[at])
        kept = np.broadcast_to(data_weight(noise, between), (len(self.weight), len(x)))
        population = self.given.location @ x.T
        # Of all alike the population mean drops out of a difference; only so is it exact where tau is next to 0.
        mean = self.given.location @ (weights @ x).T + (kept * (g.mean[at] - population)) @ weights.T
        reach = weights @ x - np.einsum("qj,nj,jk->nqk", weights, kept, x)
        own = (kept * noise) @ (weights**2).T * self.given.unit[:, None]
        return self._t(mean, own + self.given.squared_scale(reach))

    def new_theta(self, x: np.ndarray, noise: Numbers = 0.0) -> Mixture:
        """theta of a new group for each row of x (quantity, p): x'b and the spread between groups.

        With a noise, in units of sigma^2, a value of such a group.
        """
        (noise, between), (location, squared) = self.variances(noise), self._regression(x)
        return self._t(location, (between + noise) * self.given.unit[:, None] + squared)

    def new_value(self, at: Positions) -> Mixture:
        """One more value of each of the groups at some positions: theta and the noise of one."""
        g = self.model.groups
        mean, squared = self._theta(g.mean[at], g.noise[at], g.design[at])
        noise, _ = self.variances(g.noise_of_one[at])
        return self._t(mean, squared + noise * self.given.unit[:, None])

    def predictions(self, *, at: int, designs: Mapping[str, np.ndarray] | None = None) -> pd.DataFrame:
        """Rows as those of `table` for one more value of the group at a position, and theta and a value of new groups.

        The new groups have the named rows of a design; those of `Groups.designs`, which `predictive.predicted` draws,
        if none are given.
        """
        g = self.model.groups
        designs = g.designs if designs is None else designs
        x = np.array(list(designs.values()))
        return self.rows(
            named("new_value", self.new_value([at]), [g.labels[at]]),
            named("new_theta", self.new_theta(x), designs),
            named("new_group_value", self.new_theta(x, g.noise_of_one[at]), designs),
        )

    def _regression(self, x):
        """Location and squared scale of x'b at the nodes, (node, quantity)."""
        return self._linear(self.model.standard.regressors(x))

    def _linear(self, x):
        """Location and squared scale of sums of the standard coefficients with weights x (quantity, p)."""
        return self.given.location @ x.T, self.given.squared_scale(x)

    def variances(self, noise: Numbers) -> tuple[Numbers, np.ndarray]:
        """Variances of a mean about theta and of theta about its regression, at the nodes: (node, group).

        They are in units of sigma^2 where that is integrated out.
        """
        ratio, sigma = np.exp(np.vstack([self.nodes.logs, np.zeros_like(self.weight)])[:2])
        return noise * sigma[:, None] ** 2, (ratio * sigma)[:, None] ** 2

    def scale(self, name: str) -> Mixture:
        """tau, sigma or sd_between."""
        return self.with_outermost(density.powers(self.model)[name]).scale()

    def intraclass(self) -> Mixture:
        """Share of a value's variance that lies between groups, 1 / (1 + (sigma / sd_between)^2)."""
        return self.with_outermost(RATIO).of_power(
            lambda u: data_weight(1.0, np.exp(2 * u)), lambda share, which: np.log(share / (1 - share)) / 2
        )

    def kappa(self, at: Positions | slice = EVERY) -> Mixture:
        """Shrinkage of every group, or of those at some positions."""
        return _kappa(self.with_outermost(RATIO), self.model.groups.noise[at])

    def table(self, at: Positions | slice = EVERY, probabilities: Mapping[str, float] = PROBABILITIES) -> pd.DataFrame:
        """Mean, sd and quantiles of every quantity, by variable and label; of all groups, or those at some positions.

        Nan for a moment that does not exist, or is so near to not existing that quadrature would have to go out to
        astronomical values of tau for it.
        """
        population = self.population((*self.model.unknown, "sd_between"), probabilities)
        return pd.concat([population, self.groups(("theta", "kappa"), at, probabilities)])

    def population(self, scales: Iterable[str], probabilities: Mapping[str, float] = PROBABILITIES) -> pd.DataFrame:
        """The rows of `table` for the coefficients and those scales; `probabilities` are those of its quantiles."""
        laws = (named(name, self.scale(name)) for name in scales)
        return self.rows(self.coefficients(), *laws, probabilities=probabilities)

    def coefficients(self) -> Named:
        """mu and beta, by name."""
        return Named([("mu", ""), *(("beta", name) for name in self.model.groups.covariates)], self.b)

    def groups(
        self, names: Iterable[str], at: Positions | slice = EVERY, probabilities: Mapping[str, float] = PROBABILITIES
    ) -> pd.DataFrame:
        """The rows of `table` for theta or kappa, or both."""
        labels = np.array(self.model.groups.labels)[at].tolist()
        laws = {"theta": self.theta, "kappa": self.kappa}
        return self.rows(*(named(name, laws[name](at), labels) for name in names), probabilities=probabilities)

    def rows(self, *quantities: Named, probabilities: Mapping[str, float] = PROBABILITIES) -> pd.DataFrame:
        """A table of quantities, nan for moments that do not exist; `probabilities` are those of its quantiles."""
        return table(*quantities, orders=moments(self.model), probabilities=probabilities)

    def draw(
        self, *, draws: int = 1000, chains: int = 4, only: Positions | None = None, rng: np.random.Generator
    ) -> xr.DataTree:
        """Independent draws as a DataTree; chains only give the arrays their shape.

        Parameters
        ----------
        only : ndarray, optional
            Positions of the groups whose theta is wanted; of all, if not given.
        rng : numpy.random.Generator
        """
        drawn = self.independent(chains * draws, rng=rng)
        shaped = {name: values.reshape(chains, draws, *values.shape[1:]) for name, values in drawn.items()}
        return complete(self.model, shaped, engine="exact", rng=rng, only=only)

    def independent(self, size: int, *, rng: np.random.Generator) -> Drawn:
        """Independent draws of b (draw, p) and the unknown scales (draw,), by name."""
        logs = self.nodes.coordinates.logs(self.nodes.lattice.draw(size, rng))
        powers = density.powers(self.model)
        scales = np.exp([np.array(powers[name][: len(logs)]) @ logs for name in self.model.scales])
        parts = np.array_split(scales, size // BLOCK_DRAWS + 1, axis=1)
        return concatenated([given_scales(self.model, part, rng) for part in parts])

    def refit(self, model: TwoLevel) -> "Posterior":
        """Posterior of the same model for other data, with steps a little shorter than these: for simulations."""
        return _peaked(model)(FINER * self.fineness)

    def error(self, at: Positions | slice = EVERY) -> pd.DataFrame:
        """Numerical error of each entry of `table`, of all groups or those at some positions.

        Twice its change on closer nodes, and rounding: of probabilities, what a quantile changes by where its own is
        moved by ROUNDING; else a few units in the last place of the value, and of the terms that add up to the log
        density, times the posterior's spread.
        """
        beside = {f"{name} beside": p + ROUNDING for name, p in PROBABILITIES.items()}
        both = self.table(at, PROBABILITIES | beside)
        rows = both.drop(columns=beside)
        moved = both[list(beside)].set_axis(list(PROBABILITIES), axis=1) - rows[list(PROBABILITIES)]
        of_levels = moved.abs().reindex(columns=rows.columns, fill_value=0.0)
        terms = rows.abs().add(spread(rows) * density.terms(self.model, self.given), axis=0)
        return 2 * (self.closer.table(at) - rows).abs() + of_levels + 8 * np.finfo(float).eps * terms


def given_scales(model: TwoLevel, scales: np.ndarray, rng: np.random.Generator) -> Drawn:
    """Draw b, and sigma where it was integrated out, given the scales on the lattice (scale, ...); all by name."""
    c = model.collapsed(*scales)
    drawn = dict(zip(model.scales, scales, strict=True))
    z = rng.standard_normal(c.location.shape)
    if c.sigma2 is not None:
        drawn["sigma"] = np.sqrt(c.sigma2.draw(rng))
        z *= (drawn["sigma"] / np.sqrt(c.unit))[..., None]
    drawn["b"] = (c.location + np.einsum("...jk,...k->...j", c.root, z)) @ c.basis.T
    return drawn


def posterior(model: TwoLevel, *, show: bool = False) -> Posterior:
    """Compute the posterior of a model; `show` displays the progress.

    The steps are shortened until the coefficients, and theta of the groups with the least and the most noise, stand
    still.

    Raises
    ------
    ValueError
        Where the posterior is improper, with the reason.
    QuadratureError
        Where no mode is found, the quadrature needs more nodes than it can hold, or a tail is too long for doubles.
        The laws of some quantities are computed when they are asked for, and raise it then.
    """
    require_proper(model)
    noise = model.groups.noise
    extremes = np.array([np.argmin(noise), np.argmax(noise)])

    def watched(posterior):
        coefficients, theta = posterior.coefficients(), named("theta", posterior.theta(extremes), ("least", "most"))
        return mixture.figures([coefficients, theta], moments(model))

    with progress.bar("exact posterior", total=USUAL_NODES, unit=" nodes", show=show) as bar:
        return nodes.settled(_peaked(model, bar.update), watched)


def log_evidence(model: TwoLevel) -> float:
    """Compute `Posterior.log_evidence` alone; it converges long before the quantiles do.

    Raises
    ------
    ValueError
        Where the posterior is improper, with the reason.
    """
    require_proper(model)
    return _peaked(model)(FINER).log_evidence


def log_evidences(model: TwoLevel, priors: Sequence[Scale]) -> np.ndarray:
    """Compute the log evidence for several proper priors of tau, in order of their scale, on one lattice for all.

    It is grown from the modes of every few of the posteriors, with steps that do for the narrowest. Priors with an end
    have an edge each, and so a lattice each.

    Raises
    ------
    ValueError
        Where the posterior is improper, with the reason.
    """
    if any(np.isfinite(prior.upper) for prior in priors):
        return np.array([log_evidence(replace(model, tau=prior)) for prior in priors])
    require_proper(likelihood := replace(model, tau=priors[0]))
    main, of_tau = density.main_axes(likelihood), density.powers(model)["tau"]
    likelihood = replace(model, tau=FLAT)

    def with_priors(some):
        def log_densities(logs):
            height, tau = density.log_density(likelihood, logs), np.exp(np.array(of_tau[: len(logs)]) @ logs)
            return np.stack([height + prior.log_density(tau) for prior in some])

        return log_densities

    some = [*priors[:: max(1, len(priors) // MODES_OF)], priors[-1]]
    starts = (density.starts(replace(model, tau=prior)) for prior in some)
    peaks = [nodes.peaks(main, with_priors([prior]), at) for prior, at in zip(some, starts, strict=True)]
    at = nodes.grow(main, with_priors(priors), list(chain(*peaks)), FINER)
    heights = np.fmax(with_priors(priors)(at.logs), LEAST_LOG_DENSITY)
    mass = at.lattice.log_mass - heights[0] + heights
    return logsumexp(mass, axis=1) + float(density.given(likelihood, at.logs[:, :1]).log_constant)


def log_evidence_without_spread(model: TwoLevel) -> float:
    """Compute the log density of the data where tau is 0, so that `log_evidence` minus it is a log Bayes factor."""
    at_zero, zero = replace(model, tau=FLAT), np.zeros(1)
    if len(model.scales) == 1:
        return float(np.squeeze(at_zero.collapsed(zero).log_density))
    means, sigma = at_zero.factor(zero), density.sigma_alone(model)

    def given(logs):
        alike = np.zeros(logs.shape[1], dtype=int)
        return at_zero.collapse(means[alike], zero[alike], np.exp(logs[0]))

    def log_densities(logs):
        return (given(logs).log_unnormalized + logs[0])[None]

    peaks = nodes.peaks(sigma, log_densities, density.starts_of_sigma(model, log_densities))
    at = nodes.grow(sigma, log_densities, peaks, FINER)
    return at.lattice.log_integral + float(given(at.logs).log_constant)


def _peaked(model, update=lambda nodes: None) -> Callable[[float], Posterior]:
    """Posterior on nodes with the usual steps divided by a fineness; `update` gets the number of nodes evaluated."""
    main, log_densities = density.main_axes(model), density.log_densities(model, density.reported(model), update)
    peaks = nodes.peaks(main, log_densities, density.starts(model, update))

    def at_fineness(fineness):
        at = nodes.grow(main, log_densities, peaks, fineness)
        return Posterior(model, at, cache(partial(_with_outermost, model, at)), fineness)

    return at_fineness


def _with_outermost(model, main, power) -> Nodes:
    """Nodes with a power of the scales outermost, fine enough for its distribution function."""
    both, starts = len(model.scales) > 1 or power != RATIO, main.starts
    if both and len(starts) == 1:
        starts = density.with_sigma(model, starts)
    ends = density.ends(model, main.logs, main.weight)
    if power not in ends:
        density.require_one_end(ends)
    coordinates = density.axes(model, power, 1 + both, ends)
    log_densities = density.log_densities(model, density.reported_of(model, power))
    peaks = nodes.peaks(coordinates, log_densities, starts)
    noise = np.array([model.groups.noise.min(), model.groups.noise.max()])

    def watched(at):
        scales = [mixture.named(name, at.scale()) for name in density.named(model, power)]
        of_ratio = [mixture.named("kappa", _kappa(at, noise), ("least", "most"))] if power == RATIO else []
        return mixture.figures([*scales, *of_ratio], moments(model))

    return nodes.settled(
        lambda fineness: nodes.grow(coordinates, log_densities, peaks, fineness, distribution=True), watched
    )


def _kappa(at: Nodes, noise: np.ndarray) -> Mixture:
    """Shrinkage of groups with some noise, where the ratio is outermost."""
    return at.of_power(
        lambda u: kappa(noise, np.exp(2 * u)),
        lambda k, which: np.log(noise[which] * (1 / k - 1)) / 2,
        increasing=False,
    )
