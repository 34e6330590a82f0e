"""The exact posterior: trapezoid rule over the logs of the scales, everything else in closed form given them.

Moments and quantiles of every quantity come without sampling and with an estimate of their numerical error;
independent draws are there for the asking.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from analyses import progress
from analyses.engines.inference_data import Drawn, complete
from analyses.engines.mixture import (
    Mixture,
    highest_moment,
    lattice_mixture,
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
from models.distributions import Numbers
from models.groups import Positions
from models.linear_gaussian import data_weight, kappa, theta_given
from models.propriety import moments, require_proper
from models.two_level import Collapsed, TwoLevel

At = Positions | slice  # of groups
EVERY = slice(None)
NODES = 250  # at which the density of one scale is computed in all; of two they are more
BLOCK = 4_000_000  # entries of an array over nodes and cells
DRAWN = 1_024  # draws at a time: their arrays stay in the cache, which makes them three times as fast
OF_NODES = ("rising", "falling", "location", "covariance", "unit")  # of what is collapsed, an entry for each node
STILL = 1e-9  # a log evidence that moves by less: halving the step squares what is left
DEPTH = 45.0  # e^-45 of the top is 3e-20: nothing that doubles can tell


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted nodes in the logs of the scales, and the model given each.

    Attributes
    ----------
    model : TwoLevel
    region : Region
    step : float
        Spacing of the nodes.
    logs : dict
        Scale to ndarray (node,).
    weight : ndarray (node,)
    given : Collapsed
        At the nodes.
    """

    model: TwoLevel
    region: Region
    step: float
    logs: dict[str, np.ndarray]
    weight: np.ndarray
    given: Collapsed

    @property
    def log_evidence(self) -> float:
        """Log of the density of the data, up to the constants of improper priors."""
        height = self.given.log_unnormalized + sum(self.logs.values()) + len(self.logs) * np.log(self.step)
        return float(logsumexp(height) + self.given.log_constant)

    @property
    def b(self) -> Mixture:
        """mu and beta."""
        location, squared = self._linear(self.given.basis)
        return t_mixture(self.weight, location, np.sqrt(squared), self.given.df)

    def theta(self, at: At = EVERY) -> Mixture:
        """theta of every group, or of those at some positions."""
        g = self.model.groups
        return self.theta_of(g.mean[at], g.noise[at], g.design[at])

    def theta_of(self, mean: np.ndarray, noise: np.ndarray, x: np.ndarray) -> Mixture:
        """theta of groups with those means and noises (quantity,) and designs (quantity, p), did they stand there."""
        location, squared = self._theta(mean, noise, x)
        return t_mixture(self.weight, location, np.sqrt(squared), self.given.df)

    def _theta(self, mean, noise, x):
        """Location and squared scale of theta at the nodes, (node, group)."""
        (noise, between), (population, squared) = self.variances(noise), self._regression(x)
        mean, variance = theta_given(mean, noise, population, between)
        return mean, variance * self.given.unit[:, None] + squared * kappa(noise, between) ** 2

    def contrast(self, weights: np.ndarray, at: At = EVERY) -> Mixture:
        """Sums of theta, of all or those at some positions, with weights (quantity, group): of a difference 1 and -1.

        Given the scales and b the theta are independent, and b reaches each by its kappa.
        """
        g = self.model.groups
        (noise, between), x = self.variances(g.noise[at]), self.model.standard.regressors(g.design[at])
        kept, population = (
            np.broadcast_to(data_weight(noise, between), (len(self.weight), len(x))),
            self.given.location @ x.T,
        )
        # Of all alike the population mean drops out of a difference; only so is it exact where tau is next to 0.
        mean = self.given.location @ (weights @ x).T + (kept * (g.mean[at] - population)) @ weights.T
        reach = weights @ x - np.einsum("qj,nj,jk->nqk", weights, kept, x)
        of_b = np.einsum("nqj,njk,nqk->nq", reach, self.given.covariance, reach)
        squared = (kept * noise) @ (weights**2).T * self.given.unit[:, None] + of_b
        return t_mixture(self.weight, mean, np.sqrt(squared), self.given.df)

    def new_theta(self, x: np.ndarray, noise: Numbers = 0.0) -> Mixture:
        """theta of a new group for each row of x (quantity, p): x'b and the spread between groups.

        With a noise, in units of sigma^2, a value of such a group.
        """
        (noise, between), (location, squared) = self.variances(noise), self._regression(x)
        squared = (between + noise) * self.given.unit[:, None] + squared
        return t_mixture(self.weight, location, np.sqrt(squared), self.given.df)

    def new_value(self, at: int) -> Mixture:
        """One more value of the group at that position: its theta and the noise of one."""
        g = self.model.groups
        mean, squared = self._theta(g.mean[[at]], g.noise[[at]], g.design[[at]])
        noise, _ = self.variances(g.noise_of_one[at])
        return t_mixture(self.weight, mean, np.sqrt(squared + noise * self.given.unit[:, None]), self.given.df)

    def predictions(self, *, at: int) -> pd.DataFrame:
        """Rows as those of `table` for what `predictive.predicted` draws: both routes of seed 003."""
        g, designs = self.model.groups, self.model.groups.designs
        x = np.array(list(designs.values()))
        laws = {
            "new_value": ([g.labels[at]], self.new_value(at)),
            "new_theta": (designs, self.new_theta(x)),
            "new_group_value": (designs, self.new_theta(x, g.noise_of_one[at])),
        }
        return self._masked(rows(*(([(name, k) for k in labels], law) for name, (labels, law) in laws.items())))

    def _regression(self, x):
        """Location and squared scale of x'b at the nodes, (node, quantity)."""
        return self._linear(self.model.standard.regressors(x))

    def _linear(self, x):
        """Location and squared scale of sums of the standard coefficients with weights x (quantity, p)."""
        return self.given.location @ x.T, np.einsum("gj,njk,gk->ng", x, self.given.covariance, x)

    def variances(self, noise: Numbers) -> tuple[Numbers, np.ndarray]:
        """As the model has them, at the nodes; in units of sigma^2 where sigma is integrated out."""
        tau, sigma = (np.exp(self.logs[s])[:, None] if s in self.logs else 1.0 for s in ("tau", "sigma"))
        return self.model.variances(noise, tau, sigma)

    def scale(self, name: str) -> Mixture:
        """tau, sigma or sd_between."""
        law = self.given.sigma2
        if law is None or name == "tau":
            return lattice_mixture(self.weight, self._log(name), self.step, np.exp, lambda x, which: np.log(x))
        shape, scale = float(law.shape), np.asarray(law.scale)
        if name == "sigma":
            return root_inverse_gamma_mixture(self.weight, shape, scale)
        squared = scale * np.exp(2 * self.logs["tau"])
        moments = root_moments(self.weight, shape, squared)
        return product_mixture(self.weight, np.log(squared) / 2, self.step, shape, moments)

    def intraclass(self) -> Mixture:
        """Share of a value's variance that lies between groups, 1 / (1 + (sigma / sd_between)^2)."""
        return lattice_mixture(
            self.weight,
            self._log("ratio"),
            self.step,
            lambda u: data_weight(1.0, np.exp(2 * u)),
            lambda share, which: np.log(share / (1 - share)) / 2,
        )

    def kappa(self, at: At = EVERY) -> Mixture:
        """Shrinkage of every group, or of those at some positions."""
        noise = self.model.groups.noise[at]
        return lattice_mixture(
            self.weight,
            self._log("ratio"),
            self.step,
            lambda u: kappa(noise, np.exp(2 * u)),
            lambda k, which: np.log(noise[which] * (1 / k - 1)) / 2,
            increasing=False,
        )

    def _log(self, name):
        """Log of a power of the scales at the nodes: with one step for all logs it lies on a lattice of that step."""
        powers = zip(("tau", "sigma"), self.model.powers[name], strict=True)
        return sum(power * self.logs[s] for s, power in powers if power and s in self.logs)

    def table(self, at: At = EVERY) -> pd.DataFrame:
        """Mean, sd and quantiles of every quantity, by variable and label; of all groups, or those at some positions.

        Nan for a moment that does not exist, or is so near to not existing that quadrature would have to go out to
        astronomical values of tau for it.
        """
        labels = np.array(self.model.groups.labels)[at].tolist()
        laws = {"theta": self.theta(at), "kappa": self.kappa(at)}
        every = rows(*(([(name, label) for label in labels], law) for name, law in laws.items()))
        return pd.concat([self.population((*self.model.unknown, "sd_between")), self._masked(every)])

    def population(self, scales: Iterable[str]) -> pd.DataFrame:
        """The rows of `table` for the coefficients and those scales."""
        coefficients = [("mu", ""), *(("beta", name) for name in self.model.groups.covariates)]
        return self._masked(rows((coefficients, self.b), *(([(name, "")], self.scale(name)) for name in scales)))

    def _masked(self, rows):
        """The same rows, nan for moments that do not exist."""
        return masked(rows, moments(self.model))

    def draw(
        self, *, draws: int = 1000, chains: int = 4, only: Positions | None = None, rng: np.random.Generator
    ) -> xr.DataTree:
        """Independent draws as a DataTree; the chains are for the shape alone.

        Parameters
        ----------
        only : ndarray, optional
            Positions of the groups whose theta is wanted; of all, if not given.
        rng : numpy.random.Generator
        """
        drawn = self.independent(chains * draws, rng=rng)
        shaped = {name: values.reshape(chains, draws, *values.shape[1:]) for name, values in drawn.items()}
        return complete(self.model.subset(only), shaped, engine="exact", rng=rng)

    def independent(self, size: int, *, rng: np.random.Generator) -> Drawn:
        """So many independent draws of b (draw, p) and the unknown scales (draw,), by name."""
        nodes = np.stack(list(self.logs.values()))
        scales = np.exp(self.region.draw(nodes, self.weight, self.step, size, rng))
        blocks = np.array_split(scales, size // DRAWN + 1, axis=1)
        parts = [given_scales(self.model, block, rng) for block in blocks]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def refit(self, model: TwoLevel) -> "Posterior":
        """That of the same model for other data, on a lattice as fine as this one: for simulations."""
        region = _region(model)
        return _on_lattice(model, region, region.step * self.step / self.region.step)

    def error(self, at: At = EVERY) -> pd.DataFrame:
        """Numerical error of each entry of `table`, of all groups or those at some positions.

        Twice its change when the step is halved, as what it is compared with is not without error; the share of the
        mass that is not followed, times value and spread; and rounding: a few units in the last place of the value, and
        of the terms that add up to the log density, times the posterior's spread.
        """
        table = self.table(at)
        finer = _on_lattice(self.model, self.region, self.step / 2).table(at)
        terms = (np.abs(self.given.rising) + np.abs(self.given.falling)).max() + len(self.model.groups)
        rounding = 8 * table.abs().add(spread(table) * terms, axis=0)
        missed = self.region.missed * table.abs().add(spread(table), axis=0)
        return 2 * (finer - table).abs() + missed + np.finfo(float).eps * rounding


def given_scales(model: TwoLevel, scales: np.ndarray, rng: np.random.Generator) -> Drawn:
    """Draw b, and sigma where it was integrated out, given the scales on the lattice (scale, ...); all by name."""
    c, drawn = model.collapsed(*scales), dict(zip(model.scales, scales, strict=True))
    z = rng.standard_normal(c.location.shape)
    if c.sigma2 is not None:
        drawn["sigma"] = np.sqrt(c.sigma2.draw(rng))
        z *= (drawn["sigma"] / np.sqrt(c.unit))[..., None]
    drawn["b"] = (c.location + np.einsum("...jk,...k->...j", np.linalg.cholesky(c.covariance), z)) @ c.basis.T
    return drawn


def posterior(model: TwoLevel, *, show: bool = False) -> Posterior:
    """Compute the posterior of a model; with `show` it tells how far it is.

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
    with progress.bar("exact posterior", total=NODES, unit=" nodes", show=show) as bar:
        region = _region(model, bar.update)

        def on_lattice(step):
            found = _on_lattice(model, region, step)
            bar.update(len(found.weight))
            return found

        # A step of a whole sd is too coarse as a rule. Of two scales it costs so little that it is tried.
        return settle(on_lattice, region.step / (3 - len(model.scales)), lambda p: p.population(_watched(model)))


def log_evidence(model: TwoLevel) -> float:
    """`Posterior.log_evidence` alone, which stands still long before the quantiles are found.

    Raises
    ------
    ValueError
        Where the posterior is improper, with the reason.
    """
    require_proper(model)
    region, last = _region(model), np.inf
    step = region.step
    while abs((now := _on_lattice(model, region, step).log_evidence) - last) > STILL:
        step, last = step / 2, now
    return now


def _region(model, told=lambda nodes: None):
    powers = _reported_powers(model)

    def log_density(u):
        given, (rising, falling) = _collapsed(model, u), _log_kappa_squared(model, u)
        rising, falling = np.concatenate([powers @ u, rising[None]]), np.concatenate([0 * powers @ u, falling[None]])
        return Parts((given.rising + u.sum(axis=0))[None], given.falling[None]).times(rising, falling)

    def followed(u):
        told(u.shape[1])
        return log_density(u)

    found = cover(followed, len(model.scales), depth=DEPTH)
    return replace(found, log_density=log_density)


def _watched(model) -> tuple[str, ...]:
    """Scales whose rows have to stand still: sd_between too where it is not one of the others."""
    return (*model.unknown, "sd_between") if model.relative and "sigma" in model.unknown else model.unknown


def _on_lattice(model, region, step) -> Posterior:
    u = region.lattice(step)
    given = _collapsed(model, u)
    height = given.log_unnormalized + u.sum(axis=0)
    weight = np.exp(height - height.max())
    return Posterior(model, region, step, dict(zip(model.scales, u, strict=True)), weight / weight.sum(), given)


def _collapsed(model, u) -> Collapsed:
    """Of the scales whose logs are (scale, node); so many nodes at a time that memory does not grow with the cells."""
    size = max(1, BLOCK // len(model.groups.cells.noise))
    parts = [model.collapsed(*np.exp(u[:, k : k + size])) for k in range(0, u.shape[1], size)]
    first = parts[0]
    if len(parts) == 1:
        return first
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in OF_NODES}
    if first.sigma2 is not None:
        joined["sigma2"] = replace(first.sigma2, scale=np.concatenate([p.sigma2.scale for p in parts]))
    return replace(first, **joined)


def _reported_powers(model):
    """Powers of the scales on the lattice, (moment, scale), whose expectation is reported."""
    orders, names = moments(model), (*model.scales, "sd_between")
    if model.scales == ("tau",):  # sigma, integrated out, may fall as tau grows: then tau^k grows beyond sd_between^k
        orders["sd_between", ""] = min(orders["sd_between", ""], orders["tau", ""])
    highest = {name: highest_moment(orders[name, ""]) for name in names}
    used = [("tau", "sigma").index(name) for name in model.scales]
    return np.array([highest[name] * np.array(model.powers[name])[used] for name in names])


def _log_kappa_squared(model, u):
    """Of the least noisy group at the nodes: what rises, and what falls.

    Its mean matters where kappa is next to 0, but for a small chance that tau is.
    """
    least = np.log(model.groups.noise.min()) + (0 if model.relative or len(u) == 1 else 2) * u[-1]
    return 2 * least + 0 * u[0], -2 * np.logaddexp(least, 2 * u[0])
