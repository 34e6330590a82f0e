"""Calibration of the two-level model, `models.two_level`, and of every engine that it has."""

from dataclasses import replace

import numpy as np

from analyses.calibrate import batched_states, lattice, stationary, truncation
from analyses.calibrate.batched_states import draw_conditionals, standard_deviations
from analyses.calibrate.family import Simulation
from analyses.engines import direct_sampling, exact, metropolis
from analyses.engines.inference_data import replicate
from analyses.engines.marginal_posterior import log_posterior, unpack
from models import distributions, priors, pymc_model
from models.shrinkage import kappa

MU, BETA, SIGMA = 500.0, 30.0, 10.0  # where they are fixed: never 0 and 1, where a forgotten square would hide
STEP, LOG_STEP = 5.0, 0.7  # of Metropolis in b and in the logs of scales: about the sds of small designs' posteriors
METROPOLIS_THINNING = 5  # steps to a sweep of Gibbs
VARIANCES = {"tau": "tau2", "sigma": "sigma2"}


def simulate(family, size, rng):
    """Draw truths from the prior, with flat coefficients and a flat sigma fixed, and data."""
    model, g = family.model, family.model.groups
    b = [
        rng.normal(prior.mean, prior.sd, size) if prior.proper else np.full(size, fixed)
        for prior, fixed in zip(model.coefficients, [MU, *(BETA for _ in g.covariates)], strict=True)
    ]
    tau2 = truncation.draw_variance(model.tau, family.limits.get("tau2"), size, rng)
    fixed = np.full(size, 1.0 if isinstance(model.sigma, priors.KnownScale) else SIGMA**2)
    sigma2 = truncation.draw_variance(model.sigma, None, size, rng) if model.sigma.proper else fixed
    truth = {"b": np.stack(b, axis=-1), "tau2": tau2, "sigma2": sigma2}
    truth["theta"] = _population(model, truth).draw(rng)
    data = replicate(g, truth["theta"], np.sqrt(sigma2), rng=rng)
    return Simulation(replace(model, groups=replace(g, **data)), truth)


def quantities(model, state, rng):
    """Return what shifts and scales with the data, the log prior, and a future value."""
    g, theta, sd = model.groups, state["theta"], standard_deviations(state, VARIANCES)
    noisiest, least_noisy = np.argmax(g.noise), np.argmin(g.noise)
    names = ["mu", *(f"beta {name}" for name in g.covariates)]
    ranked = {name: state["b"][..., k] for k, name in enumerate(names)}
    ranked |= {name: sd[name] for name in ("sigma", "tau") if name in model.unknown}
    if not model.relative and "sigma" in model.unknown:  # elsewhere a function of tau alone
        ranked["kappa"] = kappa(g.noise[noisiest] * state["sigma2"], state["tau2"])
    ranked |= {"theta, noisiest": theta[..., noisiest], "theta, least noisy": theta[..., least_noisy]}
    ranked["log likelihood"] = batched_states.log_likelihood(g, state)
    # A flat prior in the place of a proper one is calibrated too, averaged over data; but not in this.
    ranked |= {"log prior": _log_prior(model, state)} if model.coefficients[0].proper else {}
    future_sd = sd["sigma"] * np.sqrt(g.noise_of_one[noisiest])
    return ranked | {"future value": rng.normal(theta[..., noisiest], future_sd)}


def _log_prior(model, state):
    """Log density of what truths are drawn of: all that has a proper prior."""
    values = standard_deviations(state, VARIANCES)
    coefficients = [p.log_density(state["b"][..., k]) for k, p in enumerate(model.coefficients) if p.proper]
    scales = {name: getattr(model, name) for name in model.unknown}
    return sum([*coefficients, *(p.log_density(values[name]) for name, p in scales.items() if p.proper)])


def log_joint(model, state):
    """Return the log density of a state with its auxiliary variables and of the data, up to a constant."""
    theta = _population(model, state).log_density(state["theta"])
    total = batched_states.log_likelihood(model.groups, state) + theta.sum(axis=-1)
    for k, prior in enumerate(model.coefficients):
        total = total + prior.log_density(state["b"][..., k])
    for name in model.unknown:
        total = total + getattr(model, name).log_joint(f"{name}2", state)
    return total


def _population(model, state):
    """Law of theta given b and the variances."""
    sd = standard_deviations(state, VARIANCES)
    _, between = model.variances(model.groups.noise, sd["tau"][..., None], sd["sigma"][..., None])
    return distributions.Normal(state["b"] @ model.groups.design.T, np.sqrt(between))


def build(model):
    """State the model in PyMC with theta integrated out, its covariates standardized."""
    return pymc_model.build_for_nuts(model.standard.model)


def observed(model):
    """Return the values of PyMC's data."""
    return pymc_model.observed(model.standard.model.groups)


def to_pymc(model, truth):
    """Return the coefficients of standardized covariates."""
    b = np.linalg.solve(model.standard.basis, truth["b"][..., None])[..., 0]
    return {"mu": b[:, 0], "beta": b[:, 1:]}


def complete(model, sampled, rng):
    """Return states with theta drawn from its conditional, and b from the coefficients of standardized covariates."""
    return _with_theta(model, sampled | {"b": _coefficients(model, sampled) @ model.standard.basis.T}, rng)


def _coefficients(model, drawn):
    """Draws of mu, and of beta where there are covariates, as one array."""
    slopes = [drawn["beta"]] if model.groups.covariates else []
    return np.concatenate([drawn["mu"][..., None], *slopes], axis=-1)


def _with_variances(drawn):
    """A state from draws of b, tau and sigma, which is 1 where it is known."""
    sigma = drawn.get("sigma", np.ones_like(drawn["tau"]))
    return {"b": drawn["b"], "tau2": drawn["tau"] ** 2, "sigma2": sigma**2}


def _with_theta(model, drawn, rng):
    """A state from draws of b and the scales, theta drawn from its conditional."""
    return draw_conditionals(model.conditionals(), _with_variances(drawn), ("theta",), rng)


def draw_exact(family, simulation, *, draws, rng):
    """Draw independently through `collapsed` and what it leaves of b and sigma, on one lattice for all data."""
    model = simulation.model

    def log_density(u):
        return model.collapsed(*np.exp(u)).log_unnormalized + u.sum(axis=0)

    def inside(u):
        return truncation.inside({"tau2": np.exp(2 * u[0])}, family.limits)

    u = lattice.draw(log_density, family.reach, len(simulation), draws, rng, inside=inside)
    return _with_theta(model, exact.given_scales(model, np.exp(u), rng), rng)


def draw_metropolis(family, simulation, *, draws, rng):
    """Walk with the step that `metropolis.sample` takes, of the spread that truths have."""
    model, truth = simulation.model, simulation.truth
    factor = np.diag([*np.full(truth["b"].shape[1], STEP), *np.full(len(model.unknown), LOG_STEP)])

    def log_density(u):
        _, tau, _ = unpack(model, u)
        inside = truncation.inside({"tau2": tau**2}, family.limits)
        return np.where(inside, log_posterior(model, u), -np.inf)

    def move(state):
        u, *_ = metropolis.move(log_density, state["u"], log_density(state["u"]), factor, rng)
        return {"u": u}

    logs = [np.log(truth[VARIANCES[name]]) / 2 for name in model.unknown]
    start = {"u": np.concatenate([truth["b"], np.stack(logs, axis=-1)], axis=-1)}
    walked = stationary.draw_moves(move, start, draws=draws, thin=METROPOLIS_THINNING * family.thin, rng=rng)
    b, tau, sigma = unpack(model, walked["u"])
    return _with_theta(model, {"b": b, "tau": tau, "sigma": sigma}, rng)


def draw_one_at_a_time(family, simulation, *, draws, rng):
    """Draw with the exact engine as users have it: each set of data has a lattice of its own."""
    first = exact.posterior(select(simulation.model, 0))
    return draw_by_sampler(family, simulation, lambda m, **run: first.refit(m).draw(**run), draws=draws, rng=rng)


def draw_direct(family, simulation, *, draws, rng):
    """Draw by direct sampling, where all standard errors are equal."""
    return draw_by_sampler(family, simulation, direct_sampling.sample, draws=draws, rng=rng)


def draw_by_sampler(family, simulation, sample, *, draws, rng):
    """Draws of each set of data by itself, from the DataTree that `sample` gives."""

    def draw_one(model):
        def propose():
            state = _from_tree(model, sample(model, draws=2 * draws, chains=1, rng=rng))
            return state | {"accepted": truncation.inside(state, family.limits)}

        return batched_states.first_accepted(propose, draws)

    states = [draw_one(select(simulation.model, i)) for i in range(len(simulation))]
    return {name: np.concatenate([state[name] for state in states], axis=1) for name in states[0]}


def _from_tree(model, tree):
    """A state (draw, 1, ...) from a tree of one chain."""
    draws = {name: values.values for name, values in tree["posterior"].dataset.isel(chain=0).items()}
    state = _with_variances(draws | {"b": _coefficients(model, draws)}) | {"theta": draws["theta"]}
    return {name: values[:, None] for name, values in state.items()}


def select(model, i):
    """The model with one of many sets of data."""
    g = model.groups
    return replace(model, groups=replace(g, mean=g.mean[i], ss=g.ss[i] if g.df.any() else g.ss))


ENGINES = {
    "exact": draw_exact,
    "one at a time": draw_one_at_a_time,
    "metropolis": draw_metropolis,
    "direct": draw_direct,
}
