"""Groups with variances of their own: Gibbs, NUTS, and what each group is worth to the others' prediction of it."""

from typing import Any

import numpy as np
import xarray as xr
from scipy.special import gammaln

from analyses.engines import gibbs
from analyses.engines.inference_data import SAMPLE, Drawn, Variables, labelled
from models import distributions
from models.unequal_variances import GRID, OwnVariances, build

TAIL = 8.0  # sds of a normal, beyond which lies less than 1e-15 of it
BLOCK = 250  # draws at a time: of a hundred groups an array of them stays in the cache
NODES = 120  # across all of it: some four an sd, of a density that is smooth on that scale


def by_gibbs(
    model: OwnVariances,
    *,
    draws: int = 250,
    tune: int = 500,
    thin: int = 20,
    chains: int = 16,
    rng: np.random.Generator,
) -> xr.DataTree:
    """Sweep over the conditionals."""
    state = model.start(chains, rng)
    drawn = gibbs.run(model.conditionals(), state, draws=draws, tune=tune, thin=thin, rng=rng)
    drawn |= {"sd_between": np.sqrt(drawn["between2"]), "s": np.sqrt(drawn["s2"]), "sigma": np.sqrt(drawn["sigma2"])}
    return complete(model, drawn, engine="gibbs", rng=rng)


def by_nuts(model: OwnVariances, *, rng: np.random.Generator, **asked: Any) -> xr.DataTree:
    """NUTS with sigma_i and nu integrated out; `asked` are arguments of `nuts.run`."""
    from analyses.engines import nuts

    tree = nuts.run(build(model), **asked)
    drawn = {name: tree["posterior"].dataset[name].values for name in ("mu", "sd_between", "s", "theta")}
    return complete(model, drawn, engine="nuts", rng=rng, sample_stats=tree["sample_stats"].dataset)


def complete(
    model: OwnVariances,
    drawn: Drawn,
    *,
    engine: str,
    rng: np.random.Generator,
    sample_stats: xr.Dataset | None = None,
) -> xr.DataTree:
    """Label an engine's draws, and draw nu and sigma_i given theta and s where it has none."""
    g = model.groups
    if "sigma" not in drawn:
        s2 = drawn["s"] ** 2
        drawn["nu"] = distributions.Grid(GRID, model.nu_given(drawn["theta"], s2)).draw(rng)
        state = {"theta": drawn["theta"], "s2": s2, "nu": drawn["nu"]}
        given = model.conditionals()["sigma2"]
        drawn["sigma"] = np.sqrt(_each_chain(given, state, rng))
    each = (*SAMPLE, g.dim)
    posterior: Variables = {
        **{name: (SAMPLE, drawn[name]) for name in ("mu", "sd_between", "s")},
        "log_nu": (SAMPLE, np.log(drawn["nu"])),
        **{name: (each, drawn[name]) for name in ("theta", "sigma")},
    }
    return labelled({"posterior": posterior}, {g.dim: list(g.labels)}, {"engine": engine}, sample_stats)


def _each_chain(law, state, rng):
    """A conditional has one leading index; a run has chains and draws."""
    chains, draws = state["s2"].shape
    flat = {name: value.reshape(chains * draws, *value.shape[2:]) for name, value in state.items()}
    return law(flat).draw(rng).reshape(chains, draws, -1)


def log_predictive(model: OwnVariances, tree: xr.DataTree) -> np.ndarray:
    """Log of p(rows of each group | mu, sd_between, s, nu) at every draw, (draw, J).

    theta integrates out given sigma_i^2 = scale / g, with twice the scale nu s^2 and the squares within:

        p = (nu s^2 / 2)^(nu / 2) / Gamma(nu / 2) (2 pi)^(-df / 2) n^(-1/2) scale^-shape
            times the integral of g^(shape - 1) exp(-g) N(mean | mu, sd_between^2 + scale / (n g)),

    shape (nu + df) / 2. The trapezoid rule in log g does that: g is near to a Gamma(shape) variable, to which the mean
    adds n (mean - mu)^2 at most.
    """
    names, draws = ("mu", "sd_between", "s", "log_nu"), tree["posterior"].dataset
    columns = np.stack([draws[name].values.ravel() for name in names])
    return np.concatenate([
        _log_predictive(model.groups, *part[..., None])
        for part in np.array_split(columns, columns.shape[1] // BLOCK + 1, axis=1)
    ])  # fmt: skip


def _log_predictive(g, mu, between, s, log_nu) -> np.ndarray:
    """The same of some draws (draw, 1)."""
    nu = np.exp(log_nu)
    shape, scale, away = (nu + g.df) / 2, (nu * s**2 + g.ss) / 2, (g.mean - mu) ** 2
    low = np.log(shape) - np.maximum(TAIL / np.sqrt(shape), TAIL**2 / 2 / shape) - np.log1p(g.n * away / 2 / scale)
    step, total = (np.log(shape) + TAIL / np.sqrt(shape) - low) / NODES, 0.0
    for node in range(NODES + 1):
        above = low + node * step - np.log(shape)  # log g less that of its mode, where the integrand is 1
        variance = between**2 + scale / (g.n * shape * np.exp(above))
        total += np.exp(shape * (above - np.expm1(above)) - away / 2 / variance) / np.sqrt(variance)
    at_mode = shape * (np.log(shape) - 1) - shape * np.log(scale)
    constant = nu / 2 * np.log(nu * s**2 / 2) - gammaln(nu / 2) - ((g.df + 1) * distributions.LOG_2PI + np.log(g.n)) / 2
    return np.log(total * step) + at_mode + constant
