"""One group in closed form (seed 003): sigma^2 from its own law, theta given it, and what they are held against."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from analyses.engines import gibbs
from analyses.engines.inference_data import SAMPLE, labelled
from analyses.engines.mixture import PROBABILITIES, root_inverse_gamma_mixture, rows, t_mixture
from models.one_group import OneGroup, build


def table(model: OneGroup) -> pd.DataFrame:
    """Rows of theta and sigma: a t and a root inverse gamma, the mixtures' case of a single node."""
    law = model.sigma2()
    sigma = root_inverse_gamma_mixture(np.ones(1), float(law.shape), np.array([law.scale]))
    return rows(([("theta", "")], _t(model, 0.0, 0.0)), ([("sigma", "")], sigma))


def predictions(model: OneGroup) -> pd.DataFrame:
    """Rows for another value of the group, for theta of a new one, and for a value of that."""
    laws = {
        "new_value": _t(model, 1.0, 0.0),
        "new_theta": _t(model, 0.0, model.tau**2),
        "new_group_value": _t(model, 1.0, model.tau**2),
    }
    return rows(*(([(name, "")], law) for name, law in laws.items()))


def _t(model, noise, between):
    """theta's t, or with `between` that of a new theta about mu; noise added, both in units of sigma^2."""
    law = model.sigma2()
    given = model.theta_given(1.0)
    mean, squared = (model.mu, between) if between else (given.mean, given.sd**2)
    scale = np.sqrt((squared + noise) * law.scale / law.shape)
    return t_mixture(np.ones(1), np.array([[mean]]), np.array([[scale]]), 2 * law.shape)


def draw(model: OneGroup, *, draws: int = 1000, chains: int = 4, rng: np.random.Generator) -> xr.DataTree:
    """Draw sigma^2 from its marginal law, then theta given it, independently."""
    sigma2 = model.sigma2().scale / rng.standard_gamma(model.sigma2().shape, (chains, draws))
    return complete(model.theta_given(sigma2).draw(rng), np.sqrt(sigma2), engine="exact")


def by_gibbs(
    model: OneGroup,
    *,
    draws: int = 1000,
    tune: int = 100,
    thin: int = 1,
    chains: int = 4,
    rng: np.random.Generator,
) -> xr.DataTree:
    """Alternate between the two full conditionals."""
    start = {"theta": model.mean + np.sqrt(model.beta) * rng.standard_normal(chains)}
    drawn = gibbs.run(model.conditionals(), start, draws=draws, tune=tune, thin=thin, rng=rng)
    return complete(drawn["theta"], np.sqrt(drawn["sigma2"]), engine="gibbs")


def by_nuts(model: OneGroup, **asked: Any) -> xr.DataTree:
    """NUTS; `asked` are arguments of `nuts.run`."""
    from analyses.engines import nuts

    run = nuts.run(build(model), **asked)
    theta, sigma = (run["posterior"].dataset[name].values for name in ("theta", "sigma"))
    return complete(theta, sigma, engine="nuts", sample_stats=run["sample_stats"].dataset)


def error(model: OneGroup) -> float:
    """Largest difference, in posterior sds, of `table`'s quantiles from SciPy's t and inverse gamma."""
    law, found = model.sigma2(), table(model)
    of_sigma = stats.invgamma(law.shape, scale=law.scale)
    probabilities = list(PROBABILITIES.values())
    quantiles = {("theta", ""): model.theta().ppf(probabilities), ("sigma", ""): np.sqrt(of_sigma.ppf(probabilities))}
    off = [np.abs(found.loc[key, list(PROBABILITIES)] - q).max() / found["sd"][key] for key, q in quantiles.items()]
    return float(max(off))


def complete(
    theta: np.ndarray, sigma: np.ndarray, *, engine: str, sample_stats: xr.Dataset | None = None
) -> xr.DataTree:
    """Label the draws of any engine."""
    return labelled(
        {"posterior": {"theta": (SAMPLE, theta), "sigma": (SAMPLE, sigma)}}, {}, {"engine": engine}, sample_stats
    )


def predicted(model: OneGroup, tree: xr.DataTree, *, rng: np.random.Generator) -> xr.DataTree:
    """Draw what `predictions` has in closed form, by both routes of the source."""
    theta, sigma = (tree["posterior"].dataset[name].values for name in ("theta", "sigma"))
    new = rng.normal(model.mu, model.tau * sigma)
    variables = {
        "new_value": (SAMPLE, rng.normal(theta, sigma)),
        "new_theta": (SAMPLE, new),
        "new_group_value": (SAMPLE, rng.normal(new, sigma)),
    }
    return labelled({"posterior": variables}, {}, {"engine": tree["posterior"].attrs["engine"]})
