"""Joint statistics: functions of several quantities, whose law is wrong where each quantity is right by itself.

A sampler may have every margin right and the joint posterior wrong, as draws of mu do that are shuffled against all
else. Deviations of the group effects from what is above them depend on several quantities at once, and so do the terms
of the log of the joint density. The terms by themselves show more than their sum: of a hundred groups a sum of squares
has a tenth of the spread of the log density that it is in.

Each function takes a model, and draws as `analyses.audit.draws.named` returns them. It gives the statistics that these
draws allow: those that need a missing quantity, or a missing entry of one, are left out.
"""

import numpy as np
import xarray as xr

from analyses.engines.inference_data import SAMPLE
from models import classrooms, one_group
from models.two_level import TwoLevel

THETA, MU, BETA = "theta_label", "mu_label", "beta_label"  # dimensions of draws
LOWEST = -1e99  # stands for what is infinite or not defined where tau is 0: rounded draws may have it


def two_level_statistics(model: TwoLevel, draws: xr.Dataset) -> xr.Dataset:
    """theta - x'b, the size of its mean, the sums of squares of theta and y, and log p(b, tau, sigma | y)."""
    g = model.groups
    coefficients = ("mu", "beta") if g.covariates else ("mu",)
    if not _complete(draws, *coefficients, **{BETA: len(g.covariates)}):
        return xr.Dataset()
    x = xr.DataArray(g.design[:, 1:], {THETA: list(g.labels), BETA: list(g.covariates)}, (THETA, BETA))
    name, population = "mu", draws["mu"]
    if g.covariates:
        name, population = "x'b", population + (x * draws["beta"]).sum(BETA)
    statistics = _deviations(draws, "theta", name, population)
    if not _complete(draws, *model.unknown):
        return xr.Dataset(statistics)
    sigma = draws["sigma"] if "sigma" in model.unknown else xr.ones_like(draws["tau"])
    if "theta" in draws:
        noise, between = model.variances(_by_group(g, g.noise), draws["tau"], sigma)
        statistics[f"squares of theta - {name} over sd_between"] = _squares(draws["theta"], population, between)
        statistics["squares of y - theta over se"] = _squares(_by_group(g, g.mean), draws["theta"], noise)
    statistics[f"log p({', '.join([*coefficients, *model.unknown])} | y)"] = _log_posterior(model, draws, sigma)
    return _finite(statistics)


def _log_posterior(model, draws, sigma):
    """Log of p(b, tau, sigma | y), theta integrated out, without its constant."""
    mu, tau, sigma = (values.transpose(*SAMPLE).values for values in (draws["mu"], draws["tau"], sigma))
    b = mu[..., None]
    if model.groups.covariates:
        b = np.concatenate([b, draws["beta"].transpose(*SAMPLE, BETA).values], axis=-1)
    with np.errstate(all="ignore"):
        return xr.DataArray(model.log_prior(b, tau, sigma) + model.log_marginal(b, tau, sigma), dims=SAMPLE)


def three_level_statistics(model: classrooms.ThreeLevel, draws: xr.Dataset) -> xr.Dataset:
    """theta - mu, mu - lambda, the sizes of their means, and the sums of squares of theta, mu and y."""
    g, schools = model.classrooms, np.array(list(model.schools))
    statistics = {}
    if _complete(draws, "lambda", "mu"):
        statistics |= _deviations(draws, "mu", "lambda", draws["lambda"])
    if _complete(draws, "mu", "theta", **{MU: len(schools)}):
        mu = draws["mu"].sel({MU: _by_group(g, schools[model.school])}).drop_vars(MU)
        statistics |= _deviations(draws, "theta", "mu", mu)
        if "tau" in draws:
            statistics["squares of theta - mu over tau"] = _squares(draws["theta"], mu, draws["tau"] ** 2)
    if _complete(draws, "lambda", "mu", "kappa"):
        squares = _squares(draws["mu"], draws["lambda"], draws["kappa"] ** 2)
        statistics["squares of mu - lambda over kappa"] = squares
    if _complete(draws, "theta", "sigma"):
        variance = _by_group(g, g.noise) * draws["sigma"] ** 2
        statistics["squares of y - theta over se"] = _squares(_by_group(g, g.mean), draws["theta"], variance)
    return _finite(statistics)


def one_group_statistics(model: one_group.OneGroup, draws: xr.Dataset) -> xr.Dataset:
    """The squares of theta and of the data's mean, in units of their variances."""
    if not _complete(draws, "theta", "sigma"):
        return xr.Dataset()
    theta, variance = draws["theta"], draws["sigma"] ** 2
    return _finite(
        {
            "square of theta - mu over tau sigma": _squares(theta, model.mu, model.tau**2 * variance),
            "square of y - theta over se": _squares(theta, model.mean, variance / model.n),
        }
    )


def _by_group(g, values) -> xr.DataArray:
    return xr.DataArray(np.asarray(values), {THETA: list(g.labels)}, (THETA,))


def _complete(draws, *names: str, **sizes: int) -> bool:
    """Whether the draws have those variables, with all entries along the dimensions that `sizes` names."""
    return {*names} <= {*draws.data_vars} and all(draws.sizes[dim] == size for dim, size in sizes.items() if size)


def _deviations(draws, below, above, population) -> dict[str, xr.DataArray]:
    """Effects minus what is above them, each and on average."""
    if below not in draws:
        return {}
    each = draws[below] - population
    return {f"{below} - {above}": each, f"|mean of {below} - {above}|": abs(each.mean(f"{below}_label"))}


def _squares(x, mean, variance) -> xr.DataArray:
    """Squared deviations in units of their variance, summed over the groups."""
    with np.errstate(all="ignore"):
        squares = (x - mean) ** 2 / variance
    return squares.sum([dim for dim in squares.dims if dim not in SAMPLE], skipna=False)


def _finite(statistics) -> xr.Dataset:
    return xr.Dataset({name: values.where(np.isfinite(values), LOWEST) for name, values in statistics.items()})
