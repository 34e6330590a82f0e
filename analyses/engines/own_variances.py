"""Groups with variances of their own: Gibbs, NUTS, and what each group is worth to the others' prediction of it."""

import numpy as np
import xarray as xr
from scipy.special import logsumexp

from analyses.contract import SAMPLE, labelled
from analyses.engines import gibbs
from models import laws
from models.own_variances import GRID, OwnVariances, build
from models.pooling import theta_given

NODES = np.arange(-10.0, 10.25, 0.5)  # of theta, in its conditional sds: its density is smooth on that scale


def by_gibbs(model: OwnVariances, *, draws: int = 250, tune: int = 500, thin: int = 20, chains: int = 16, rng):
    """Sweep over the conditionals."""
    state = model.start(chains, rng)
    drawn = gibbs.run(model.conditionals(), state, draws=draws, tune=tune, thin=thin, rng=rng)
    drawn |= {"sd_between": np.sqrt(drawn["between2"]), "s": np.sqrt(drawn["s2"]), "sigma": np.sqrt(drawn["sigma2"])}
    return complete(model, drawn, engine="gibbs", rng=rng)


def by_nuts(model: OwnVariances, *, rng, **asked):
    """NUTS with sigma_i and nu integrated out; `asked` are arguments of `nuts.run`."""
    from analyses.engines import nuts

    tree = nuts.run(build(model), **asked)
    drawn = {name: tree["posterior"][name].values for name in ("mu", "sd_between", "s", "theta")}
    return complete(model, drawn, engine="nuts", rng=rng, sample_stats=tree["sample_stats"].dataset)


def complete(model: OwnVariances, drawn: dict, *, engine: str, rng, sample_stats=None) -> xr.DataTree:
    """Label an engine's draws, and draw nu and sigma_i given theta and s where it has none."""
    g = model.groups
    if "sigma" not in drawn:
        s2 = drawn["s"] ** 2
        drawn["nu"] = laws.Grid(GRID, model.nu_given(drawn["theta"], s2)).draw(rng)
        state = {"theta": drawn["theta"], "s2": s2, "nu": drawn["nu"]}
        given = model.conditionals()["sigma2"]
        drawn["sigma"] = np.sqrt(_each_chain(given, state, rng))
    each = (*SAMPLE, g.dim)
    posterior = {name: (SAMPLE, drawn[name]) for name in ("mu", "sd_between", "s")}
    posterior |= {"log_nu": (SAMPLE, np.log(drawn["nu"]))}
    posterior |= {name: (each, drawn[name]) for name in ("theta", "sigma")}
    tree = labelled({"posterior": posterior}, {g.dim: list(g.labels)}, {"engine": engine})
    if sample_stats is not None:
        tree["sample_stats"] = xr.DataTree(sample_stats)
    return tree


def _each_chain(law, state, rng):
    """A conditional has one leading index; a run has chains and draws."""
    chains, draws = state["s2"].shape
    flat = {name: value.reshape(chains * draws, *value.shape[2:]) for name, value in state.items()}
    return law(flat).draw(rng).reshape(chains, draws, -1)


def log_predictive(model: OwnVariances, tree: xr.DataTree) -> np.ndarray:
    """Log of p(rows of each group | mu, sd_between, s, nu) at every draw, (draw, J): theta by the trapezoid rule."""
    g, draws = model.groups, tree["posterior"].dataset
    names = ("mu", "sd_between", "s", "log_nu")
    mu, between, s, log_nu = (draws[name].values.reshape(-1, 1) for name in names)
    centre, variance = theta_given(g.mean, s**2 / g.n, mu, between**2)
    width = np.sqrt(variance)
    terms = []
    for node in NODES:
        theta = centre + node * width
        prior = laws.Normal(mu, between).log_density(theta)
        terms.append(prior + model.log_likelihood(theta, s**2, np.exp(log_nu)))
    return logsumexp(terms, axis=0) + np.log(width * (NODES[1] - NODES[0]))
