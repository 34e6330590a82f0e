"""The statement handed to PyMC: centered, noncentered, or with theta integrated out."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from models.distributions import LOG_2PI, Numbers, State
from models.groups import Groups
from models.two_level import Parameterization, TwoLevel


def centered(population: TensorVariable, sd_between: TensorVariable, dim: str) -> TensorVariable:
    """theta ~ N(population, sd_between^2), sampled as it stands."""
    return pm.Normal("theta", population, sd_between, dims=dim)


def noncentered(population: TensorVariable, sd_between: TensorVariable, dim: str) -> TensorVariable:
    """theta = population + sd_between z, z ~ N(0, 1): no funnel where the data say little."""
    z = pm.Normal("z", dims=dim)
    return pm.Deterministic("theta", population + sd_between * z, dims=dim)


THETA = {"centered": centered, "noncentered": noncentered}
PARAMETERIZATIONS = (*THETA, "marginal")
STATE = ("b", "tau2", "sigma2", "theta")


def build(model: TwoLevel, *, parameterization: Parameterization = "marginal") -> pm.Model:
    """State the model in PyMC, on group means and one pooled sum of squares.

    Parameters
    ----------
    model : TwoLevel
    parameterization : {"centered", "noncentered", "marginal"}
        "marginal" has no theta: mean_i ~ N(x_i'b, sigma^2 noise_i + sd_between^2); theta is drawn from its
        conditional afterwards. Many groups of equal noise it sees as one cell: it costs as much for a million groups
        as for a hundred of the same sizes.

    Returns
    -------
    pm.Model
        Free: mu, beta_1.. (in the data's units), the scales under the names that their priors give them, theta or z
        (group,). Observed: mean (group,) and, where groups have any, ss, the pooled sum of squares; p(mu) = 1 and
        other improper priors are Flat. Data: observed_mean, noise (group,), design (group, covariate), observed_ss, df.
        Where groups are cells: mean (cell,), and spread (cell,), the squares that see no b, ~ v chi^2(unseen); design
        (cell, coefficient), observed_spread, unseen.

    Raises
    ------
    ValueError
        For a parameterization of another name.

    Examples
    --------
    >>> from models import eight_schools
    >>> [variable.name for variable in build(eight_schools.model(), parameterization="noncentered").free_RVs]
    ['mu', 'tau', 'z']
    """
    require_one_of(parameterization, PARAMETERIZATIONS)
    g = model.groups
    if parameterization == "marginal" and _many_alike(g):
        return _of_cells(model)
    with pm.Model(coords=_coords(g)) as built:
        mean, noise = pm.Data("observed_mean", g.mean, dims=g.dim), pm.Data("noise", g.noise, dims=g.dim)
        population, tau, sigma = _population(model), model.tau.variable("tau"), model.sigma.variable("sigma")
        within, between = model.variances(noise, tau, sigma)
        if parameterization == "marginal":
            pm.Normal("mean", population, pt.sqrt(within + between), observed=mean, dims=g.dim)
        else:
            theta = THETA[parameterization](population, pt.sqrt(between), g.dim)
            pm.Normal("mean", theta, pt.sqrt(within), observed=mean, dims=g.dim)
        observe_squares(g, sigma)
    return built


def _many_alike(groups: Groups) -> bool:
    """Whether cells are at most half as many as the groups; else groups as they stand read better."""
    return 2 * len(groups.cells.noise) <= len(groups)


def _of_cells(model: TwoLevel) -> pm.Model:
    """State the marginal model on cells of equal noise."""
    g, cells, data = model.groups, model.groups.cells, observed(model.groups)
    several = cells.count > 1
    coords = {"cell": range(len(cells.noise)), "coefficient": ["mu", *g.covariates], "covariate": g.covariates}
    with pm.Model(coords=coords) as built:
        design = pm.Data("design", cells.design, dims=("cell", "coefficient"))
        b, tau, sigma = _coefficients(model), model.tau.variable("tau"), model.sigma.variable("sigma")
        within, between = model.variances(pm.Data("noise", cells.noise, dims="cell"), tau, sigma)
        v = within + between
        mean, spread = (pm.Data(name, data[name]) for name in ("observed_mean", "observed_spread"))
        pm.Normal("mean", pt.dot(design, pt.stack(b)), pt.sqrt(v), observed=mean, dims="cell")
        unseen = pm.Data("unseen", cells.count[several] - 1)
        pm.CustomDist("spread", v[np.flatnonzero(several)], unseen, dist=_chi2, logp=_log_normal, observed=spread)
        observe_squares(g, sigma)
    return built


def initial(model: TwoLevel, parameterization: Parameterization, state: State) -> list[dict[str, Numbers]]:
    """Values of the free variables of `build` for each chain of a state, as `TwoLevel.start` makes it."""
    return [_initial(model, parameterization, *chain) for chain in zip(*(state[name] for name in STATE), strict=True)]


def _initial(model, parameterization, b, tau2, sigma2, theta):
    g, (mu, *slopes) = model.groups, b
    values = {"mu": mu} | {f"beta_{k}": slope for k, slope in enumerate(slopes, start=1)}
    values |= model.tau.initial("tau", np.sqrt(tau2)) | model.sigma.initial("sigma", np.sqrt(sigma2))
    _, between = model.variances(g.noise, np.sqrt(tau2), np.sqrt(sigma2))
    z = (theta - g.design @ b) / np.sqrt(between)
    return values | {"centered": {"theta": theta}, "noncentered": {"z": z}, "marginal": {}}[parameterization]


def observed(groups: Groups) -> dict[str, Numbers]:
    """Values of the marginal model's data that change from one set of data of a design to another, by name."""
    df, ss = groups.within
    of_squares = {"observed_ss": ss} if df else {}
    if not _many_alike(groups):
        return {"observed_mean": groups.mean} | of_squares
    cells = groups.cells
    return {
        "observed_mean": cells.mean + cells.design[:, 0] * groups.center,
        "observed_spread": cells.spread[..., cells.count > 1],
    } | of_squares


def _chi2(v, k, size):
    """v chi^2(k)."""
    return pm.Gamma.dist(k / 2, 1 / (2 * v), size=size)


def _log_normal(spread, v, k):
    """Log density of k residuals of variance v with that sum of squares, which may be 0 where means are equal."""
    return -k / 2 * (LOG_2PI + pt.log(v)) - spread / (2 * v)


def build_rows(
    model: TwoLevel,
    labels: Iterable[object],
    values: Iterable[float],
    *,
    parameterization: Literal["centered", "noncentered"] = "centered",
) -> pm.Model:
    """State the model in PyMC on single rows: y ~ N(theta[group], sigma^2).

    The same posterior at a cost that grows with the rows: for teaching, and for checking the other.

    Parameters
    ----------
    model : TwoLevel
        Of Replicates.
    labels, values : sequences
        A group's label and a value each row.
    parameterization : {"centered", "noncentered"}

    Returns
    -------
    pm.Model
        As `build` has it, but observed: y (row,). Data: group_of_row, observed_y (row,), design.

    Raises
    ------
    ValueError
        For another parameterization, or a label that is no group's.
    """
    require_one_of(parameterization, THETA)
    g, names = model.groups, list(map(str, labels))
    position = {label: i for i, label in enumerate(g.labels)}
    if unknown := set(names) - set(position):
        raise ValueError(f"{sorted(unknown)[0]!r} is no {g.dim} of this model")
    with pm.Model(coords=_coords(g)) as built:
        group = pm.Data("group_of_row", [position[name] for name in names], dims="row")
        population, tau, sigma = _population(model), model.tau.variable("tau"), model.sigma.variable("sigma")
        _, between = model.variances(g.noise, tau, sigma)
        theta = THETA[parameterization](population, pt.sqrt(between), g.dim)
        pm.Normal("y", theta[group], sigma, observed=pm.Data("observed_y", list(values), dims="row"), dims="row")
    return built


def _coords(groups: Groups) -> dict:
    coords = {groups.dim: groups.labels}
    return coords | {"covariate": groups.covariates} if groups.covariates else coords


def _population(model):
    """Population means x_i'b: mu alone where there are no covariates."""
    g, (mu, *slopes) = model.groups, _coefficients(model)
    if not slopes:
        return mu
    x = pm.Data("design", g.design[:, 1:], dims=(g.dim, "covariate"))
    return mu + pt.dot(x, pt.stack(slopes))


def _coefficients(model):
    """mu and each beta_k; beta has all of the latter."""
    mu, *rest = model.coefficients
    slopes = [prior.variable(f"beta_{k}") for k, prior in enumerate(rest, start=1)]
    if slopes:
        pm.Deterministic("beta", pt.stack(slopes), dims="covariate")
    return mu.variable("mu"), *slopes


def observe_squares(groups: Groups, sigma: TensorVariable | float) -> None:
    """Add the pooled sum of squares within groups to a model, where they have any: ss ~ sigma^2 chi^2(df)."""
    if groups.df.any():
        df, ss = (pm.Data(name, value) for name, value in zip(("df", "observed_ss"), groups.within, strict=True))
        pm.Gamma("ss", df / 2, 1 / (2 * sigma**2), observed=ss)


def require_one_of(parameterization: str, names: Iterable[str]) -> None:
    """Refuse a parameterization of another name.

    Raises
    ------
    ValueError
        Listing the names.
    """
    if parameterization not in names:
        raise ValueError(f"parameterization {parameterization!r} is none of {', '.join(names)}")
