"""Gibbs sampling: a sweep over the model's full conditionals, all chains at once."""

import arviz as az
import numpy as np
import xarray as xr

from analyses import progress
from analyses.engines.inference_data import Drawn, complete
from models.distributions import Conditionals, State
from models.groups import Positions
from models.propriety import require_proper
from models.two_level import TwoLevel

CHAINS = 16
PILOT_SWEEPS = 500  # sweeps: of all chains 8000, enough to tell a correlation time of up to some tens
MOST_THINNING = 200  # with more a run takes minutes: then the checks shall say that it did not mix


def sample(
    model: TwoLevel,
    *,
    draws: int = 250,
    tune: int = 500,
    thin: int = 4,
    chains: int = CHAINS,
    only: Positions | None = None,
    show: bool = False,
    rng: np.random.Generator,
) -> xr.DataTree:
    """Draw from the posterior of a model.

    Parameters
    ----------
    model : TwoLevel
    draws : int
        Kept in each chain.
    tune : int
        Sweeps thrown away first.
    thin : int
        Sweeps a kept draw.
    chains : int
        From widely scattered starts. They advance together, so sixteen cost little more than four, and R-hat, which
        rests on the spread between them, is the steadier for it.
    only : ndarray, optional
        Positions of the groups whose theta is kept; of all, if not given.
    show : bool
        Whether to show how far it is.
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        Where there is no posterior, with the reason.
    """
    require_proper(model)
    state = model.start(chains, rng)
    swept = run(model.conditionals(), state, draws=draws, tune=tune, thin=thin, only=only, show=show, rng=rng)
    sds = {"tau": np.sqrt(swept["tau2"]), "sigma": np.sqrt(swept["sigma2"])}
    drawn = {"b": swept["b"], "theta": swept["theta"], **sds}
    return complete(model, drawn, engine="gibbs", rng=rng, only=only)


def thinning(model: TwoLevel, *, rng: np.random.Generator) -> int:
    """Sweeps for each kept draw: twice as many as make draws about independent, from a short pilot run.

    Raises
    ------
    ValueError
        Where there is no posterior, with the reason.
    """
    require_proper(model)
    state = model.start(CHAINS, rng)
    pilot = run(model.conditionals(), state, draws=PILOT_SWEEPS, tune=PILOT_SWEEPS, thin=1, only=[0], rng=rng)
    quantities = [pilot["b"][..., k] for k in range(len(model.coefficients))]
    quantities += [np.log(pilot[f"{name}2"]) for name in model.unknown]
    methods = ({"method": "bulk"}, {"method": "tail", "prob": (0.05, 0.95)})
    fewest = min(float(az.ess(x, **method)) for x in quantities for method in methods)
    return int(np.clip(np.ceil(2 * CHAINS * PILOT_SWEEPS / fewest), 2, MOST_THINNING))


def run(
    conditionals: Conditionals,
    state: State,
    *,
    draws: int,
    tune: int,
    thin: int,
    only: Positions | None = None,
    show: bool = False,
    rng: np.random.Generator,
) -> Drawn:
    """Sweep over the full conditionals of any model from a state of all chains; every name (chain, draw, ...).

    Where there are many groups `only` says whose theta is kept.
    """
    kept = []
    for sweep in progress.each(range(tune + draws * thin), "Gibbs", show=show, unit=" sweeps"):
        for name, law in conditionals.items():
            state = state | {name: law(state).draw(rng)}
        if sweep >= tune and (sweep - tune) % thin == thin - 1:
            kept.append(state if only is None else state | {"theta": state["theta"][:, only]})
    return {name: np.stack([s[name] for s in kept], axis=1) for name in state}
