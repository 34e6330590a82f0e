"""The one contract: whatever an engine draws becomes the same DataTree here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from models.groups import Groups, Positions
from models.shrinkage import kappa
from models.two_level import TwoLevel

Drawn = dict[str, np.ndarray]  # what an engine has drawn, by name: (chain, draw, ...)
Variables = Mapping[str, tuple[str | tuple[str, ...], np.ndarray]]  # by name, each with its dimensions

MANY = 2_000  # groups, of which 4,000 draws of theta and kappa take 128 MB an engine: above it the report summarizes

SAMPLE = ("chain", "draw")
DATA = {"mean": "y", "ss": "ss_within"}  # names in PyMC and ArviZ of what groups have
QUANTILES = {"q2_5": 0.025, "q50": 0.5, "q97_5": 0.975}  # what every table reports
NAMES = {
    "nuts": "NUTS",
    "gibbs": "Gibbs",
    "exact": "independent draws",
    "metropolis": "Metropolis",
    "laplace": "Laplace",
    "direct": "direct sampling",
    "one at a time": "one at a time",
}


@dataclass(frozen=True)
class Labels:
    """Nodes of a DataTree, each with variables and their dimensions; coordinates, and attributes of all nodes."""

    nodes: Mapping[str, Variables]
    coords: Mapping[str, Sequence[Any]]
    attrs: dict[str, str] = field(default_factory=dict)


def complete(
    model: TwoLevel,
    drawn: Drawn,
    *,
    engine: str,
    rng: np.random.Generator,
    only: Positions | None = None,
    sample_stats: xr.Dataset | None = None,
) -> xr.DataTree:
    """Complete and label the draws of an engine.

    Parameters
    ----------
    model : TwoLevel
        Of all groups.
    drawn : dict
        b (chain, draw, p), tau and sigma (chain, draw), of which sigma may be left out where it is known; theta
        (chain, draw, group) if the engine has it, else it is drawn from its conditional.
    engine : str
    rng : numpy.random.Generator
    only : ndarray, optional
        Positions of the groups that the tree has; all, if not given.
    sample_stats : xarray.Dataset, optional

    Returns
    -------
    xarray.DataTree
        posterior: mu, beta (covariate), tau, sigma, sd_between, theta and kappa (group); posterior_predictive and
        observed_data: y, the group's mean or estimate, and ss_within where groups have any (group); constant_data:
        noise, df and, with covariates, design (group, covariate); log_likelihood: y (group); log_prior: mu, beta
        (covariate), tau, sigma; sample_stats. The attributes of the tree and of its nodes: engine, dim.

    Raises
    ------
    FloatingPointError
        Where a draw is not a finite number.

    Notes
    -----
    log_likelihood has `TwoLevel.log_likelihood`, a density of all data of a group with theta integrated out, so
    `az.loo` leaves out groups. Conditional on theta its weights would be uneven: a group's theta has seen the group.

    log_prior has `TwoLevel.log_priors`, of the parameters above theta. Where all of them are flat it is 0 at every
    draw: power-scaling changes nothing, and ArviZ raises a ValueError, "All tail values are the same".

    Above 2,000 groups, or with `only`, the tree has neither; its attribute no_log_likelihood says why.
    """
    require_finite(drawn, engine)
    some = model.subset(only)
    g, b, tau = some.groups, drawn["b"], drawn["tau"]
    sigma = drawn.get("sigma", np.ones_like(tau))
    theta = drawn["theta"] if "theta" in drawn else some.theta_given(b, tau, sigma).draw(rng)
    # PyMC draws theta anew unless the tree has the `design` of `pymc_model.build`.
    design: Variables = {"design": ((g.dim, "covariate"), g.design[:, 1:])} if g.covariates else {}
    nodes = {
        "posterior": _posterior_node(some, b, tau, sigma, theta),
        **data_nodes(g, theta, sigma, design, rng=rng),
    }
    attrs = {"engine": engine, "dim": g.dim}
    if reason := _no_log_densities(model, only):
        attrs["no_log_likelihood"] = reason
    else:
        nodes["log_likelihood"] = {"y": ((*SAMPLE, g.dim), model.log_likelihood(b, tau, sigma))}
        nodes["log_prior"] = log_prior_node(model.log_priors(b, tau, sigma))
    coords = {g.dim: list(g.labels), "covariate": list(g.covariates)}
    return labelled(nodes, coords, attrs, sample_stats)


def _posterior_node(model: TwoLevel, b: np.ndarray, tau: np.ndarray, sigma: np.ndarray, theta: np.ndarray) -> Variables:
    """Parameters, group effects, and the functions of them that every table reports."""
    g, scales = model.groups, {"tau": tau, "sigma": sigma}
    noise, between = model.variances(g.noise, tau[..., None], sigma[..., None])
    each_group = (*SAMPLE, g.dim)
    return {
        "mu": (SAMPLE, b[..., 0]),
        **({"beta": ((*SAMPLE, "covariate"), b[..., 1:])} if g.covariates else {}),
        **{name: (SAMPLE, scales[name]) for name in model.unknown},
        "sd_between": (SAMPLE, np.sqrt(between[..., 0])),
        "theta": (each_group, theta),
        "kappa": (each_group, np.broadcast_to(kappa(noise, between), theta.shape)),
    }


def _no_log_densities(model: TwoLevel, only: Positions | None) -> str:
    """Why a tree has no log densities; empty where it has."""
    if len(model.groups) > MANY:
        return f"not stored, nor log_prior: above {MANY:,} groups it would take as much room as all draws of theta"
    return "" if only is None else "not stored, nor log_prior: the tree is of some groups only"


def log_prior_node(log_priors: Mapping[str, Any]) -> Variables:
    """Log prior densities by name, (chain, draw), as variables of a DataTree; beta has one for each covariate."""
    return {name: ((*SAMPLE, "covariate") if name == "beta" else SAMPLE, part) for name, part in log_priors.items()}


def require_finite(drawn: Drawn, engine: str) -> None:
    """Refuse draws that are not finite numbers.

    Raises
    ------
    FloatingPointError
    """
    for name, values in drawn.items():
        if not np.isfinite(values).all():
            raise FloatingPointError(f"{engine}: {np.sum(~np.isfinite(values))} draws of {name} are not finite numbers")


def data_nodes(
    g: Groups, theta: np.ndarray, sigma: np.ndarray, constants: Variables, *, rng: np.random.Generator
) -> dict[str, Variables]:
    """Replicated data for draws of theta and sigma, the observed data, and what is known of each group."""
    replicated = replicate(g, theta, sigma, rng=rng)
    return {
        "posterior_predictive": {DATA[name]: ((*SAMPLE, g.dim), values) for name, values in replicated.items()},
        "observed_data": {DATA[name]: (g.dim, getattr(g, name)) for name in replicated},
        "constant_data": {"noise": (g.dim, g.noise), "df": (g.dim, g.df), **constants},
    }


def concatenated(parts: Sequence[Drawn]) -> Drawn:
    """Join draws that were made a part at a time, along their first axis."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def replicate(g: Groups, theta: np.ndarray, sigma: ArrayLike, *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Replicated means, and sums of squares where groups have any, for draws of theta (..., J) and sigma (...)."""
    sigma = np.asarray(sigma)[..., None]
    mean = rng.normal(theta, sigma * np.sqrt(g.noise))
    if not g.df.any():
        return {"mean": mean}
    return {"mean": mean, "ss": sigma**2 * 2 * rng.standard_gamma(g.df / 2, size=theta.shape)}


def labelled(
    nodes: Mapping[str, Variables],
    coords: Mapping[str, Sequence[Any]],
    attrs: dict[str, str],
    sample_stats: xr.Dataset | None = None,
) -> xr.DataTree:
    """Make a DataTree of nodes: name to variables, each (dims, values), with the coordinates that a node uses.

    The tree and its nodes have the attributes. The statistics of a sampler become a node without a change.
    """
    datasets = {"/": xr.Dataset(attrs=attrs)}
    datasets |= {name: _dataset(variables, coords, attrs) for name, variables in nodes.items()}
    return xr.DataTree.from_dict(datasets if sample_stats is None else datasets | {"sample_stats": sample_stats})


def _dataset(variables, coords, attrs):
    used = {dim for dims, _ in variables.values() for dim in ([dims] if isinstance(dims, str) else dims)}
    sizes = {name: np.arange(n) for name, n in zip(SAMPLE, next(iter(variables.values()))[1].shape, strict=False)}
    return xr.Dataset(variables, {k: v for k, v in (coords | sizes).items() if k in used}, attrs)
