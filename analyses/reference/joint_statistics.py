"""Joint statistics: functions of several quantities, whose law is wrong where each quantity is right by itself.

A sampler may have every margin right and the joint posterior wrong, as draws of mu do that are shuffled against all
else. Deviations of the group effects from what is above them depend on several quantities at once, and so do the terms
of the log of the joint density. The terms by themselves show more than their sum: of a hundred groups a sum of squares
has a tenth of the spread of the log density that it is in.

Each function here takes draws as `analyses.audit.draws.named` returns them and gives the statistics that these draws
allow; without a quantity, or without some of its entries, those that need it are left out.
"""

from collections.abc import Callable

import numpy as np
import xarray as xr

from analyses.engines.inference_data import SAMPLE
from models import classrooms
from models import one_group as one_group_model
from models.two_level import TwoLevel

Statistics = Callable[[xr.Dataset], xr.Dataset]
OF_THETA, OF_MU, OF_BETA = "theta_label", "mu_label", "beta_label"
LOWEST = -1e99  # stands for what is infinite or not defined where tau is 0: rounded draws may have it


def two_level(model: TwoLevel) -> Statistics:
    """theta - x'b, the size of its mean, the sums of squares of theta and y, and log p(b, tau, sigma | y)."""
    g = model.groups
    y, noise = _known(g.mean, OF_THETA, g.labels), _known(g.noise, OF_THETA, g.labels)
    x = xr.DataArray(g.design[:, 1:], {OF_THETA: list(g.labels), OF_BETA: list(g.covariates)}, (OF_THETA, OF_BETA))
    coefficients = ("mu", "beta") if g.covariates else ("mu",)
    b, scales = ", ".join(coefficients), ", ".join(model.unknown)
    mean = "x'b" if g.covariates else "mu"

    def statistics(draws):
        if not _whole(draws, coefficients, {OF_BETA: len(g.covariates)}):
            return xr.Dataset()
        population = draws["mu"] + ((x * draws["beta"]).sum(OF_BETA) if g.covariates else 0.0)
        found = _deviations(draws, "theta", mean, population)
        if not _whole(draws, model.unknown, {}):
            return xr.Dataset(found)
        sigma = draws["sigma"] if "sigma" in model.unknown else xr.ones_like(draws["tau"])
        if "theta" in draws:
            of_mean, between = model.variances(noise, draws["tau"], sigma)
            found[f"squares of theta - {mean} over sd_between"] = _squares(
                draws["theta"], population, between, OF_THETA
            )
            found["squares of y - theta over se"] = _squares(y, draws["theta"], of_mean, OF_THETA)
        found[f"log p({b}, {scales} | y)"] = _hyperparameters(model, draws, sigma)
        return _finite(found)

    return statistics


def _hyperparameters(model, draws, sigma):
    """Log of p(b, tau, sigma | y), theta integrated out, without its constant."""
    mu = draws["mu"].transpose(*SAMPLE).values[..., None]
    slopes = [draws["beta"].transpose(*SAMPLE, OF_BETA).values] if model.groups.covariates else []
    b, (tau, sigma) = (
        np.concatenate([mu, *slopes], axis=-1),
        (v.transpose(*SAMPLE).values for v in (draws["tau"], sigma)),
    )
    with np.errstate(all="ignore"):
        return xr.DataArray(model.log_prior(b, tau, sigma) + model.log_marginal(b, tau, sigma), dims=SAMPLE)


def three_level(model: classrooms.ThreeLevel) -> Statistics:
    """theta - mu, mu - lambda, the sizes of their means, and the sums of squares of theta, mu and y."""
    g, schools = model.classrooms, list(model.schools)
    y, noise = _known(g.mean, OF_THETA, g.labels), _known(g.noise, OF_THETA, g.labels)
    school = _known(np.array(schools)[model.school], OF_THETA, g.labels)

    def statistics(draws):
        found = {}
        if _whole(draws, ("lambda", "mu"), {}):
            found |= _deviations(draws, "mu", "lambda", draws["lambda"])
        if _whole(draws, ("mu", "theta"), {OF_MU: len(schools)}):
            above = draws["mu"].sel({OF_MU: school}).drop_vars(OF_MU)
            found |= _deviations(draws, "theta", "mu", above)
            if "tau" in draws:
                found["squares of theta - mu over tau"] = _squares(draws["theta"], above, draws["tau"] ** 2, OF_THETA)
        if _whole(draws, ("lambda", "mu", "kappa"), {}):
            squared = draws["kappa"] ** 2
            found["squares of mu - lambda over kappa"] = _squares(draws["mu"], draws["lambda"], squared, OF_MU)
        if _whole(draws, ("theta", "sigma"), {}):
            squared = noise * draws["sigma"] ** 2
            found["squares of y - theta over se"] = _squares(y, draws["theta"], squared, OF_THETA)
        return _finite(found)

    return statistics


def one_group(model: one_group_model.OneGroup) -> Statistics:
    """The squares of theta and of the data's mean, in units of their variances."""

    def statistics(draws):
        if not _whole(draws, ("theta", "sigma"), {}):
            return xr.Dataset()
        theta, variance = draws["theta"], draws["sigma"] ** 2
        of_prior = _squares(theta, model.mu, model.tau**2 * variance)
        of_data = _squares(theta, model.mean, variance / model.n)
        return _finite({"square of theta - mu over tau sigma": of_prior, "square of y - theta over se": of_data})

    return statistics


def _known(values, dim, labels):
    return xr.DataArray(np.asarray(values), {dim: list(labels)}, (dim,))


def _whole(draws, names, sizes) -> bool:
    """Whether those quantities are there, with all entries along the dimensions that `sizes` names."""
    return {*names} <= {*draws.data_vars} and all(draws.sizes[dim] == size for dim, size in sizes.items() if size)


def _deviations(draws, below, above, population):
    """Effects less what is above them, each and on average."""
    if below not in draws:
        return {}
    each = draws[below] - population
    return {f"{below} - {above}": each, f"|mean of {below} - {above}|": abs(each.mean(f"{below}_label"))}


def _squares(x, mean, variance, over=None):
    """Squared deviations in units of their variance, summed over the groups."""
    with np.errstate(all="ignore"):
        squares = (x - mean) ** 2 / variance
    return squares.sum(over, skipna=False) if over else squares


def _finite(found):
    return xr.Dataset({name: values.where(np.isfinite(values), LOWEST) for name, values in found.items()})
