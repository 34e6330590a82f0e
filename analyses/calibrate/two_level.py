"""The two-level model: truths with their data, what is ranked, the joint density, and every engine."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from analyses.calibrate import batched_states, stationary, truncation
from analyses.engines import direct_sampling, exact, metropolis
from analyses.engines.inference_data import replicate
from analyses.engines.marginal_posterior import log_posterior, unpack
from models import distributions, priors, pymc_model
from models.linear_gaussian import kappa
from models.two_level import TwoLevel

MU, BETA, SIGMA = 500.0, 30.0, 10.0  # where they are fixed: never 0 and 1, where a forgotten square would hide
STEP, LOG_STEP = 5.0, 0.7  # of Metropolis in b and in the logs of scales: about the sds of small designs' posteriors


@dataclass(frozen=True, eq=False, kw_only=True)
class Family:
    """A model and a design, for any number of sets of data.

    Parameters
    ----------
    name, story : str
        What it is called, and the model in a line.
    model : TwoLevel
        Whose data are not looked at.
    box : dict
        tau2 to limits, where its prior is improper.
    reach : tuple of (low, high, step)
        Where the logs of the scales are looked for, one a scale that is not integrated out.
    thin : int
        Sweeps of Gibbs a draw.
    more : tuple of str
        Engines beside the common ones.
    """

    name: str
    story: str
    model: TwoLevel
    reach: tuple[tuple[float, float, float], ...]
    box: dict[str, tuple[float, float]] = field(default_factory=dict)
    thin: int = 4
    together = ()
    more: tuple[str, ...] = ()

    @property
    def engines(self) -> dict[str, Callable]:
        """Name to a function of model, truth, draws and rng that gives draws (draw, data, ...)."""
        common = {"exact": self.by_exact, "gibbs": partial(stationary.by_gibbs, self), "nuts": self.by_nuts}
        others = {"metropolis": self.by_metropolis, "one at a time": self.one_at_a_time, "direct": self.by_direct}
        return common | {name: others[name] for name in self.more}

    def simulate(self, size: int, rng) -> tuple[TwoLevel, dict]:
        """So many truths from the prior, what is flat fixed instead, and the model with data from each."""
        model, g = self.model, self.model.groups
        fixed = [MU, *(BETA for _ in g.covariates)]
        b = [
            rng.normal(prior.mean, prior.sd, size) if prior.proper else np.full(size, at)
            for prior, at in zip(model.coefficients, fixed, strict=True)
        ]
        tau2 = truncation.variance(model.tau, self.box.get("tau2"), size, rng)
        known = np.full(size, 1.0 if isinstance(model.sigma, priors.KnownScale) else SIGMA**2)
        sigma2 = truncation.variance(model.sigma, None, size, rng) if model.sigma.proper else known
        truth = {"b": np.stack(b, axis=-1), "tau2": tau2, "sigma2": sigma2}
        truth["theta"] = _population(model, truth).draw(rng)
        data = replicate(g, truth["theta"], np.sqrt(sigma2), rng=rng)
        return replace(model, groups=replace(g, **data)), truth

    def quantities(self, model: TwoLevel, state: dict, rng) -> dict[str, np.ndarray]:
        """What is ranked, (..., data): each shifts and scales with the data; the last is drawn for every state."""
        g, theta, sigma = model.groups, state["theta"], np.sqrt(state["sigma2"])
        few, many = np.argmax(g.noise), np.argmin(g.noise)
        found = {"mu": state["b"][..., 0]}
        found |= {f"beta {name}": state["b"][..., k] for k, name in enumerate(g.covariates, start=1)}
        found |= {"sigma": sigma} if "sigma" in model.unknown else {}
        found |= {"tau": np.sqrt(state["tau2"])}
        if not model.relative and "sigma" in model.unknown:  # elsewhere a function of tau alone
            found["kappa"] = kappa(g.noise[few] * state["sigma2"], state["tau2"])
        found |= {"theta, noisiest": theta[..., few], "theta, least noisy": theta[..., many]}
        found["log likelihood"] = batched_states.log_likelihood(model.groups, state)
        # A flat prior in the place of a proper one is calibrated too, averaged over data; but not in this.
        found |= {"log prior": self._log_prior(model, state)} if model.coefficients[0].proper else {}
        found["future value"] = rng.normal(theta[..., few], sigma * np.sqrt(g.noise_of_one[few]))
        return found

    def _log_prior(self, model, state):
        """Log density of what truths are drawn of: all that has a proper prior."""
        of_b = [p.log_density(state["b"][..., k]) for k, p in enumerate(model.coefficients) if p.proper]
        scales = [name for name in model.unknown if getattr(model, name).proper]
        return sum([*of_b, *(getattr(model, name).log_density(np.sqrt(state[f"{name}2"])) for name in scales)])

    def log_joint(self, model: TwoLevel, state: dict) -> np.ndarray:
        """Log density of a state with its variances and auxiliary variables, and of the data, (data,)."""
        total = batched_states.log_likelihood(model.groups, state) + _population(model, state).log_density(
            state["theta"]
        ).sum(axis=-1)
        for k, prior in enumerate(model.coefficients):
            total = total + prior.log_density(state["b"][..., k])
        for name in model.unknown:
            total = total + getattr(model, name).log_joint(f"{name}2", state)
        return total

    def by_exact(self, model, truth, *, draws, rng):
        """Independent draws through `collapsed` and what it leaves of b and sigma, on one lattice for all data."""

        def log_density(u):
            return model.collapsed(*np.exp(u)).log_unnormalized + u.sum(axis=0)

        def held(u):
            return truncation.inside({"tau2": np.exp(2 * u[0])}, self.box)

        u = batched_states.on_lattice(log_density, self.reach, len(truth["tau2"]), draws, rng, box=held)
        found = _state(exact.given_scales(model, np.exp(u), rng))
        return found | {"theta": batched_states.drawn_given(model.conditionals()["theta"], found, rng)}

    def by_metropolis(self, model, truth, *, draws, rng):
        """The step that `metropolis.sample` takes, of the spread that truths have."""
        factor = np.diag([*np.full(truth["b"].shape[1], STEP), *np.full(len(model.unknown), LOG_STEP)])

        def log_density(u):
            _, tau, sigma = unpack(model, u)
            held = truncation.inside({"tau2": tau**2, "sigma2": sigma**2}, self.box)
            return np.where(held, log_posterior(model, u), -np.inf)

        def move(state):
            u, *_ = metropolis.move(log_density, state["u"], log_density(state["u"]), factor, rng)
            return {"u": u}

        logs = [np.log(truth[f"{name}2"]) / 2 for name in model.unknown]
        start = np.concatenate([truth["b"], np.stack(logs, axis=-1)], axis=-1)
        walked = stationary.by_moves(move, {"u": start}, draws=draws, thin=5 * self.thin, rng=rng)["u"]
        found = _state(dict(zip(("b", "tau", "sigma"), unpack(model, walked), strict=True)))
        return found | {"theta": batched_states.drawn_given(model.conditionals()["theta"], found, rng)}

    def by_nuts(self, model, truth, *, draws, rng):
        """PyMC's marginal model, theta from its conditional."""
        inner, turn = self.model.standard.model, self.model.standard.basis
        tuning = self._cases(*self.simulate(stationary.TRIED, rng), turn)
        limits = {name.removesuffix("2"): tuple(np.sqrt(ends)) for name, ends in self.box.items()}
        cases = self._cases(model, truth, turn)
        found = stationary.by_nuts(lambda: pymc_model.build(inner), tuning, cases, limits, draws=draws, rng=rng)
        slopes = [found[f"beta_{k}"] for k, _ in enumerate(model.groups.covariates, start=1)]
        found["b"] = np.stack([found["mu"], *slopes], axis=-1) @ turn.T
        found = _state({name: found[name] for name in ("b", *model.unknown)})
        return found | {"theta": batched_states.drawn_given(model.conditionals()["theta"], found, rng)}

    def _cases(self, model, truth, turn):
        """Values of PyMC's data and of what it samples, for each set of data."""
        data = pymc_model.observed(model.standard.model.groups)
        b = np.linalg.solve(turn, truth["b"][..., None])[..., 0]
        free = {"mu": b[:, 0]} | {f"beta_{k}": b[:, k] for k in range(1, b.shape[1])}
        free |= {name: np.sqrt(truth[f"{name}2"]) for name in model.unknown}
        return batched_states.each(data, free)

    def one_at_a_time(self, model, truth, *, draws, rng):
        """The exact engine as users have it: each set of data has a lattice of its own."""
        first = exact.posterior(one(model, 0))
        return self.each(model, truth, lambda one: first.refit(one).draw(draws=2 * draws, chains=1, rng=rng), draws)

    def by_direct(self, model, truth, *, draws, rng):
        """Direct sampling, where all standard errors are equal."""
        return self.each(model, truth, lambda m: direct_sampling.sample(m, draws=2 * draws, chains=1, rng=rng), draws)

    def each(self, model, truth, draw, draws):
        """Draws of each set of data by itself, from the tree that `draw` makes of it."""

        def found(i):
            def some():
                state = _from_tree(one(model, i), draw(one(model, i)))
                return state, truncation.inside(state, self.box)

            return batched_states.first_kept(some, draws)

        every = [found(i) for i in range(len(truth["tau2"]))]
        return {name: np.concatenate([state[name] for state in every], axis=1) for name in every[0]}


def _population(model, state):
    """Law of theta given b and the variances."""
    tau, sigma = (np.sqrt(state[name])[..., None] for name in ("tau2", "sigma2"))
    _, between = model.variances(model.groups.noise, tau, sigma)
    return distributions.Normal(state["b"] @ model.groups.design.T, np.sqrt(between))


def _state(drawn):
    """A state from draws of b, tau and sigma, which is 1 where it is known."""
    sigma = drawn.get("sigma", np.ones_like(drawn["tau"]))
    return {"b": drawn["b"], "tau2": drawn["tau"] ** 2, "sigma2": sigma**2}


def _from_tree(model, tree):
    """A state (draw, 1, ...) from a tree of one chain."""
    draws = tree["posterior"].dataset.isel(chain=0)
    b = [draws["mu"].values[:, None], *([draws["beta"].values] if model.groups.covariates else [])]
    found = {"b": np.concatenate(b, axis=-1), **{name: draws[name].values for name in model.unknown}}
    return {name: v[:, None] for name, v in (_state(found) | {"theta": draws["theta"].values}).items()}


def one(model, i):
    """The model with one of many sets of data."""
    g = model.groups
    own = {"mean": g.mean[i], "ss": g.ss[i] if g.df.any() else g.ss}
    return replace(model, groups=replace(g, **own))
