"""NUTS and Gibbs for the model of counts, and the DataTree of what they draw."""

from typing import Any

import numpy as np
import xarray as xr

from analyses.engines import gibbs, nuts
from analyses.engines.conditional_integrals import about_each_mode
from analyses.engines.inference_data import MANY, SAMPLE, Drawn, Variables, labelled, log_prior_node, require_finite
from models.generalized_two_level import GeneralizedTwoLevel
from models.propriety_of_counts import require_proper
from models.pymc_counts import Parameterization, build_counts


def by_nuts(
    model: GeneralizedTwoLevel,
    *,
    parameterization: Parameterization = "noncentered",
    seed: int,
    rng: np.random.Generator,
    **options: Any,
) -> xr.DataTree:
    """Draw from the posterior by NUTS in PyMC.

    Parameters
    ----------
    model : GeneralizedTwoLevel
    parameterization : {"noncentered", "centered"}
    seed : int
        Of the sampler.
    rng : numpy.random.Generator
        Draws replicated data.
    **options
        Of `nuts.run`: draws, tune, chains, cores, target_accept, sampler, progress.

    Raises
    ------
    ImproperPosteriorError
        With the reason.
    RuntimeError
        Where the sampler returns fewer draws than asked for.
    """
    require_proper(model)
    tree = nuts.run(build_counts(model.standard.model, parameterization=parameterization), seed=seed, **options)
    posterior = tree["posterior"].dataset
    slopes = [posterior["beta"].values] if model.groups.covariates else []
    b = np.concatenate([posterior["mu"].values[..., None], *slopes], axis=-1) @ model.standard.basis.T
    drawn = {"b": b, "tau": posterior["tau"].values, "theta": posterior["theta"].values}
    stats = tree["sample_stats"].dataset.assign_attrs(sampling_time=posterior.attrs["sampling_time"])
    return complete(model, drawn, engine="nuts", rng=rng, sample_stats=stats)


def by_gibbs(
    model: GeneralizedTwoLevel,
    *,
    draws: int = 250,
    tune: int = 500,
    thin: int = 20,
    chains: int = gibbs.CHAINS,
    rng: np.random.Generator,
) -> xr.DataTree:
    """Draw from the posterior by sweeps over the full conditionals, all chains at once.

    Raises
    ------
    ImproperPosteriorError
        With the reason.
    """
    require_proper(model)
    swept = gibbs.run(model.conditionals(), model.start(chains, rng), draws=draws, tune=tune, thin=thin, rng=rng)
    drawn = {"b": swept["b"], "tau": np.sqrt(swept["tau2"]), "theta": swept["theta"]}
    return complete(model, drawn, engine="gibbs", rng=rng)


def complete(
    model: GeneralizedTwoLevel,
    drawn: Drawn,
    *,
    engine: str,
    rng: np.random.Generator,
    sample_stats: xr.Dataset | None = None,
) -> xr.DataTree:
    """Label the draws of an engine.

    Parameters
    ----------
    drawn : dict
        b (chain, draw, p), tau (chain, draw) and theta (chain, draw, group).

    Returns
    -------
    xarray.DataTree
        posterior: mu, beta (covariate), tau, theta and p or rate (group); posterior_predictive and observed_data: y
        (group); constant_data: size and, with covariates, design; log_likelihood: y (group), with theta integrated out;
        log_prior: mu, beta (covariate), tau; sample_stats.

    Raises
    ------
    FloatingPointError
        Where a draw is not a finite number.
    """
    require_finite(drawn, engine)
    g, b, tau, theta = model.groups, drawn["b"], drawn["tau"], drawn["theta"]
    each_group = (*SAMPLE, g.dim)
    posterior: Variables = {
        "mu": (SAMPLE, b[..., 0]),
        **({"beta": ((*SAMPLE, "covariate"), b[..., 1:])} if g.covariates else {}),
        "tau": (SAMPLE, tau),
        "theta": (each_group, theta),
        g.response_name: (each_group, g.response(theta)),
    }
    design: Variables = {"design": ((g.dim, "covariate"), g.design[:, 1:])} if g.covariates else {}
    nodes: dict[str, Variables] = {
        "posterior": posterior,
        "posterior_predictive": {"y": (each_group, g.replicate(theta, rng))},
        "observed_data": {"y": (g.dim, g.y)},
        "constant_data": {"size": (g.dim, g.size), **design},
    }
    if len(g) <= MANY:
        nodes["log_likelihood"] = {"y": (each_group, log_likelihood(model, b, tau))}
        nodes["log_prior"] = log_prior_node(model.log_priors(b, tau))
    coords = {g.dim: list(g.labels), "covariate": list(g.covariates)}
    return labelled(nodes, coords, {"engine": engine, "dim": g.dim}, sample_stats)


def log_likelihood(model: GeneralizedTwoLevel, b: np.ndarray, tau: np.ndarray) -> np.ndarray:
    """Log of p(y_i | b, tau), theta integrated out: (..., J) for b (..., p) and tau (...)."""
    g = model.groups
    m = (b @ g.design.T).reshape(-1, len(g))
    return (about_each_mode(g, m, tau.reshape(-1, 1)) + g.log_supremum).reshape(*tau.shape, len(g))
