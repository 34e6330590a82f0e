"""The exact posterior: trapezoid rule over the logs of the scales, everything else in closed form given them.

Moments and quantiles of every quantity come without sampling and with an estimate of their numerical error;
independent draws are there for the asking.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from analyses import progress
from analyses.engines.blocks import slices
from analyses.engines.inference_data import Drawn, complete, concatenated
from analyses.engines.lattice import Lattice, density, settle
from analyses.engines.mixture import (
    PROBABILITIES,
    Mixture,
    Named,
    highest_moment,
    lattice_mixture,
    named,
    spread,
    table,
)
from analyses.engines.quadrature import Parts, Region, cover
from models.distributions import Numbers
from models.groups import Positions
from models.propriety import moments, require_proper
from models.shrinkage import data_weight, kappa, theta_given
from models.two_level import Collapsed, TwoLevel

EVERY = slice(None)
USUAL_NODES = 250  # at which the density of one scale is computed in all; of two they are more
BLOCK_ENTRIES = 4_000_000  # of an array over nodes and cells
BLOCK_DRAWS = 1_024  # at a time: their arrays stay in the cache, which makes them three times as fast
ARRAYS_OF_NODES = ("rising", "falling", "location", "covariance", "unit")  # of Collapsed
MOST_EVIDENCE_MOVED = 1e-9  # a log evidence that moves by less: halving the step squares what is left
DEPTH = 45.0  # e^-45 of the top is 3e-20: nothing that doubles can tell


@dataclass(frozen=True, eq=False)
class Posterior:
    """A model, and the lattice of its scales that are not integrated out.

    Attributes
    ----------
    model : TwoLevel
    lattice : Lattice
    """

    model: TwoLevel
    lattice: Lattice[Collapsed]

    @property
    def logs(self) -> dict[str, np.ndarray]:
        """Logs of the scales at the nodes, by name."""
        return dict(zip(self.model.scales, self.lattice.u, strict=True))

    @property
    def weight(self) -> np.ndarray:
        """Weight of each node."""
        return self.lattice.weight

    @property
    def given(self) -> Collapsed:
        """The model given the scales, at the nodes."""
        return self.lattice.given

    @property
    def log_evidence(self) -> float:
        """Log of the density of the data, up to the constants of improper priors."""
        height = self.given.log_unnormalized + sum(self.logs.values()) + len(self.logs) * np.log(self.lattice.step)
        return float(logsumexp(height) + self.given.log_constant)

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
        return self.lattice.t(location, squared, self.given.df)

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
        of_b = np.einsum("nqj,njk,nqk->nq", reach, self.given.covariance, reach)
        squared = (kept * noise) @ (weights**2).T * self.given.unit[:, None] + of_b
        return self._t(mean, squared)

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
        return self.given.location @ x.T, np.einsum("gj,njk,gk->ng", x, self.given.covariance, x)

    def variances(self, noise: Numbers) -> tuple[Numbers, np.ndarray]:
        """`TwoLevel.variances` at the nodes; in units of sigma^2 where sigma is integrated out."""
        tau, sigma = (np.exp(self.logs[s])[:, None] if s in self.logs else 1.0 for s in ("tau", "sigma"))
        return self.model.variances(noise, tau, sigma)

    def scale(self, name: str) -> Mixture:
        """tau, sigma or sd_between."""
        sigma2 = self.given.sigma2
        if sigma2 is None or name == "tau":
            return self._of_scales(name, np.exp, lambda x, which: np.log(x))
        if name == "sigma":
            return self.lattice.sigma(sigma2)
        return self.lattice.sigma_times(np.exp(2 * self.logs["tau"]), sigma2)

    def _of_scales(self, power, transform, inverse, *, increasing=True) -> Mixture:
        """Monotone functions of the log of a power of the scales; with one step for all logs it lies on a lattice."""
        powers = dict(zip(("tau", "sigma"), self.model.powers[power], strict=True))
        u = np.array([powers[name] for name in self.logs]) @ self.lattice.u
        return lattice_mixture(self.weight, u, self.lattice.step, transform, inverse, increasing=increasing)

    def intraclass(self) -> Mixture:
        """Share of a value's variance that lies between groups, 1 / (1 + (sigma / sd_between)^2)."""
        return self._of_scales(
            "ratio",
            lambda u: data_weight(1.0, np.exp(2 * u)),
            lambda share, which: np.log(share / (1 - share)) / 2,
        )

    def kappa(self, at: Positions | slice = EVERY) -> Mixture:
        """Shrinkage of every group, or of those at some positions."""
        noise = self.model.groups.noise[at]
        return self._of_scales(
            "ratio",
            lambda u: kappa(noise, np.exp(2 * u)),
            lambda k, which: np.log(noise[which] * (1 / k - 1)) / 2,
            increasing=False,
        )

    def table(self, at: Positions | slice = EVERY) -> pd.DataFrame:
        """Mean, sd and quantiles of every quantity, by variable and label; of all groups, or those at some positions.

        Nan for a moment that does not exist, or is so near to not existing that quadrature would have to go out to
        astronomical values of tau for it.
        """
        population = self.population((*self.model.unknown, "sd_between"))
        return pd.concat([population, self.groups(("theta", "kappa"), at)])

    def population(self, scales: Iterable[str], probabilities: Mapping[str, float] = PROBABILITIES) -> pd.DataFrame:
        """The rows of `table` for the coefficients and those scales; `probabilities` are those of its quantiles."""
        coefficients = Named([("mu", ""), *(("beta", name) for name in self.model.groups.covariates)], self.b)
        return self.rows(coefficients, *(named(name, self.scale(name)) for name in scales), probabilities=probabilities)

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
        lattice = self.lattice
        scales = np.exp(lattice.region.draw(lattice.u, lattice.weight, lattice.step, size, rng))
        parts = np.array_split(scales, size // BLOCK_DRAWS + 1, axis=1)
        return concatenated([given_scales(self.model, part, rng) for part in parts])

    def refit(self, model: TwoLevel) -> "Posterior":
        """Posterior of the same model for other data, on a lattice as fine as this one: for simulations."""
        region = _cover(model)
        return _at_step(model, region, region.step * self.lattice.step / self.lattice.region.step)

    def error(self, at: Positions | slice = EVERY) -> pd.DataFrame:
        """Numerical error of each entry of `table`, of all groups or those at some positions.

        Twice its change when the step is halved, as what it is compared with is not without error; the share of the
        mass that is not followed, times value and spread; and rounding: a few units in the last place of the value, and
        of the terms that add up to the log density, times the posterior's spread.
        """
        rows = self.table(at)
        finer = Posterior(self.model, self.lattice.finer(2)).table(at)
        terms = (np.abs(self.given.rising) + np.abs(self.given.falling)).max() + len(self.model.groups)
        rounding = 8 * rows.abs().add(spread(rows) * terms, axis=0)
        return 2 * (finer - rows).abs() + self.lattice.not_followed(rows) + np.finfo(float).eps * rounding


def given_scales(model: TwoLevel, scales: np.ndarray, rng: np.random.Generator) -> Drawn:
    """Draw b, and sigma where it was integrated out, given the scales on the lattice (scale, ...); all by name."""
    c = model.collapsed(*scales)
    drawn = dict(zip(model.scales, scales, strict=True))
    z = rng.standard_normal(c.location.shape)
    if c.sigma2 is not None:
        drawn["sigma"] = np.sqrt(c.sigma2.draw(rng))
        z *= (drawn["sigma"] / np.sqrt(c.unit))[..., None]
    drawn["b"] = (c.location + np.einsum("...jk,...k->...j", np.linalg.cholesky(c.covariance), z)) @ c.basis.T
    return drawn


def posterior(model: TwoLevel, *, show: bool = False) -> Posterior:
    """Compute the posterior of a model; `show` displays the progress.

    The step is halved until the moments and quantiles of the coefficients and the unknown scales stand still; all else
    is a smoother function of the same nodes.

    Raises
    ------
    ValueError
        Where the posterior is improper, with the reason.
    QuadratureError
        Where the quadrature needs more nodes than it can hold, or a tail is too long for doubles.
    """
    require_proper(model)
    with progress.bar("exact posterior", total=USUAL_NODES, unit=" nodes", show=show) as bar:
        region = _cover(model, bar.update)

        def at_step(step):
            posterior_at_step = _at_step(model, region, step)
            bar.update(len(posterior_at_step.weight))
            return posterior_at_step

        # A step of a whole sd is too coarse as a rule. Of two scales it costs so little that it is tried.
        return settle(at_step, region.step / (3 - len(model.scales)), lambda p: p.population(_watched(model)))


def log_evidence(model: TwoLevel) -> float:
    """Compute `Posterior.log_evidence` alone; it converges long before the quantiles do.

    Raises
    ------
    ValueError
        Where the posterior is improper, with the reason.
    """
    require_proper(model)
    region = _cover(model)
    step, last = region.step, np.inf
    while abs((now := _at_step(model, region, step).log_evidence) - last) > MOST_EVIDENCE_MOVED:
        step, last = step / 2, now
    return now


def _at_step(model, region, step) -> Posterior:
    return Posterior(model, Lattice.of(partial(_collapsed, model), region, step))


def _cover(model, update=lambda nodes: None) -> Region:
    """Find where the density of the scales has mass; `update` gets the number of nodes evaluated."""
    log_density = density(partial(_collapsed, model), partial(_reported, model, _reported_powers(model)))

    def counted(u):
        update(u.shape[1])
        return log_density(u)

    return replace(cover(counted, len(model.scales), depth=DEPTH), log_density=log_density)


def _watched(model) -> tuple[str, ...]:
    """Scales whose rows have to converge, and sd_between where it is not one of them."""
    return (*model.unknown, "sd_between") if model.relative and "sigma" in model.unknown else model.unknown


def _collapsed(model, u) -> Collapsed:
    """Collapse the model at scales whose logs are (scale, node), in blocks, as cells may be many."""
    parts = [
        model.collapsed(*np.exp(u[:, block]))
        for block in slices(u.shape[1], len(model.groups.cells.noise), BLOCK_ENTRIES)
    ]
    first = parts[0]
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in ARRAYS_OF_NODES}
    if first.sigma2 is not None:
        joined["sigma2"] = replace(first.sigma2, scale=np.concatenate([p.sigma2.scale for p in parts]))
    return replace(first, **joined)


def _reported(model, powers, u) -> Parts:
    """Logs of the functions of the scales whose expectation is reported."""
    log_powers, kappa2 = powers @ u, _log_kappa_squared(model, u)
    return Parts(np.vstack([log_powers, kappa2.rising]), np.vstack([0 * log_powers, kappa2.falling]))


def _reported_powers(model):
    """Powers of the scales on the lattice, (moment, scale), whose expectation is reported."""
    orders, names = moments(model), (*model.scales, "sd_between")
    if model.scales == ("tau",):  # sigma, integrated out, may fall as tau grows: then tau^k grows beyond sd_between^k
        orders["sd_between", ""] = min(orders["sd_between", ""], orders["tau", ""])
    highest = {name: highest_moment(orders[name, ""]) for name in names}
    used = [("tau", "sigma").index(name) for name in model.scales]
    return np.array([highest[name] * np.array(model.powers[name])[used] for name in names])


def _log_kappa_squared(model, u) -> Parts:
    """Log of kappa^2 of the least noisy group.

    Where kappa is close to 0 unless tau is, a small probability of small tau dominates the mean.
    """
    least = np.log(model.groups.noise.min()) + (0 if model.relative or len(u) == 1 else 2) * u[-1]
    return Parts((2 * least + 0 * u[0])[None], -2 * np.logaddexp(least, 2 * u[0])[None])
