"""One group in closed form (seed 003): tables, independent draws, and the engines that are compared with them.

A DataTree of them has log_prior, of theta and sigma, and no log_likelihood: a single group cannot be left out, and of
its rows only n, mean and sum of squares are known.
"""

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

from analyses.engines import mixture
from analyses.engines.inference_data import SAMPLE, Labels, labelled, log_prior_node
from analyses.engines.mixture import PROBABILITIES, Mixture, named
from analyses.engines.samplers import Samplers
from models.distributions import InverseGamma
from models.one_group import OneGroup, build

NO_LOG_LIKELIHOOD = "not stored: a single group cannot be left out, and of its rows only a summary is known"


def table(model: OneGroup) -> pd.DataFrame:
    """Rows of theta, a t, and of sigma, the root of an inverse gamma."""
    return mixture.table(named("theta", _t(model, 0.0, 0.0)), named("sigma", _root(model.sigma2())))


def _root(sigma2: InverseGamma) -> Mixture:
    """sigma, whose square is inverse gamma."""
    law = stats.gengamma(sigma2.shape, -2, scale=np.sqrt(sigma2.scale))
    mean, sd = np.array([law.mean()]), np.array([law.std()])
    return Mixture(mean, sd, lambda x, which: law.cdf(x), lambda p: law.ppf(np.asarray(p))[..., None])


def predictions(model: OneGroup) -> pd.DataFrame:
    """Rows for another value of the group, for theta of a new group, and for a value of the new group."""
    return mixture.table(
        named("new_value", _t(model, 1.0, 0.0)),
        named("new_theta", _t(model, 0.0, model.tau**2)),
        named("new_group_value", _t(model, 1.0, model.tau**2)),
    )


def _t(model, noise, between):
    """theta's t, or with `between` that of a new theta about mu; noise added, both in units of sigma^2."""
    law = model.sigma2()
    given = model.theta_given(1.0)
    mean, squared = (model.mu, between) if between else (given.mean, given.sd**2)
    scale = np.sqrt((squared + noise) * law.scale / law.shape)
    return mixture.t_mixture(np.ones(1), np.array([[mean]]), np.array([[scale]]), 2 * law.shape)


def draw(model: OneGroup, *, draws: int = 1000, chains: int = 4, rng: np.random.Generator) -> xr.DataTree:
    """Draw sigma^2 from its marginal law, then theta given it, independently."""
    sigma2 = model.sigma2().scale / rng.standard_gamma(model.sigma2().shape, (chains, draws))
    drawn = {"theta": model.theta_given(sigma2).draw(rng), "sigma": np.sqrt(sigma2)}
    return complete(model, drawn, engine="exact", rng=rng)


def _label(model, drawn, rng) -> Labels:
    posterior = {name: (SAMPLE, drawn[name]) for name in ("theta", "sigma")}
    log_prior = log_prior_node(model.log_priors(drawn["theta"], drawn["sigma"]))
    return Labels({"posterior": posterior, "log_prior": log_prior}, {}, {"no_log_likelihood": NO_LOG_LIKELIHOOD})


SAMPLERS: Samplers[OneGroup] = Samplers(
    build=build,
    start=lambda model, chains, rng: {"theta": model.mean + np.sqrt(model.beta) * rng.standard_normal(chains)},
    label=_label,
    sampled=("theta", "sigma"),
    variances={"sigma": "sigma2"},
    schedule={"draws": 1000, "tune": 100, "thin": 1, "chains": 4},
)
by_gibbs = SAMPLERS.by_gibbs
by_nuts = SAMPLERS.by_nuts
complete = SAMPLERS.complete


def error(model: OneGroup) -> float:
    """Largest difference, in posterior sds, of `table`'s quantiles from SciPy's t and inverse gamma."""
    law, rows = model.sigma2(), table(model)
    of_sigma = stats.invgamma(law.shape, scale=law.scale)
    probabilities = list(PROBABILITIES.values())
    quantiles = {("theta", ""): model.theta().ppf(probabilities), ("sigma", ""): np.sqrt(of_sigma.ppf(probabilities))}
    return float(max(np.abs(rows.loc[k, list(PROBABILITIES)] - q).max() / rows["sd"][k] for k, q in quantiles.items()))


def predicted(model: OneGroup, tree: xr.DataTree, *, rng: np.random.Generator) -> xr.DataTree:
    """Draw the quantities of `predictions` by both routes of the source."""
    theta, sigma = (tree["posterior"].dataset[name].values for name in ("theta", "sigma"))
    new = rng.normal(model.mu, model.tau * sigma)
    variables = {
        "new_value": (SAMPLE, rng.normal(theta, sigma)),
        "new_theta": (SAMPLE, new),
        "new_group_value": (SAMPLE, rng.normal(new, sigma)),
    }
    return labelled({"posterior": variables}, {}, {"engine": tree["posterior"].attrs["engine"]})
