"""The two-level model in PyMC: noncentered, centered, or with theta integrated out."""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr
from pymc.logprob.transforms import Transform
from pytensor.tensor import TensorVariable

from models.distributions import LOG_2PI, Numbers, State
from models.groups import Groups
from models.groups.labelled import Labelled
from models.priors import Coefficient
from models.standard import Regression
from models.two_level import Parameterization, TwoLevel


class Noncentered(Transform):
    """NUTS walks in z = (x - mean) / sd of a normal x, as if x = mean + sd z with z ~ N(0, 1) had been written.

    This removes the funnel where the data say little about x. The variable that is stored, started and predicted is x.
    """

    name = "noncentered"
    ndim_supp = 0

    def forward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """Z of x; the inputs of a normal variable end in its mean and its sd."""
        *_, mean, sd = inputs
        return (value - mean) / sd

    def backward(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """X of z. PyTensor cancels mean and sd in the density of x, so it is that of z to the last digit."""
        *_, mean, sd = inputs
        return mean + sd * value

    def log_jac_det(self, value: TensorVariable, *inputs: TensorVariable) -> TensorVariable:
        """Log of dx/dz = sd."""
        *_, sd = inputs
        return pt.log(sd) + pt.zeros_like(value)


TRANSFORMS = {"centered": {}, "noncentered": {"transform": Noncentered()}}
PARAMETERIZATIONS = (*TRANSFORMS, "marginal")
STATE = ("b", "tau2", "sigma2", "theta")


def build(model: TwoLevel, *, parameterization: Parameterization = "noncentered", cells: bool = False) -> pm.Model:
    """State the model in PyMC, on group means and one pooled sum of squares.

    Model
    -----
    ::

        y_i ~ N(theta_i, sigma^2 noise_i)           group means, or estimates with noise_i = se_i^2
        ss_within ~ sigma^2 chi^2(df_within)        pooled sum of squares, where groups have any
        theta_i ~ N(mu + x_i'beta, sd_between^2)    sd_between = tau sigma (relative) or tau (absolute)

    Parameters
    ----------
    model : TwoLevel
    parameterization : {"noncentered", "centered", "marginal"}
        "noncentered" and "centered" have the same variables; NUTS walks in (theta - x'b) / sd_between in the first,
        in theta in the second. "marginal" has no theta: y_i ~ N(x_i'b, sigma^2 noise_i + sd_between^2);
        `recover_theta` draws it afterwards.
    cells : bool
        Whether groups of equal noise are one observation of the marginal model. Its density is the same; it costs as
        much for a million groups as for a hundred of the same sizes.

    Returns
    -------
    pm.Model
        Free: mu, beta (covariate,), tau and sigma where they are unknown, theta (group,) unless marginal: the names
        of the draws of every engine. Observed: y (group,) and ss_within. Data: observed_y, noise (group,), design
        (group, covariate), observed_ss_within, df_within.
        With cells: y (cell,), and ss_between, the squares within cells that see no b, ~ v chi^2(df_between); design
        (cell, coefficient), observed_ss_between, df_between.

    Raises
    ------
    ValueError
        For a parameterization of another name, or cells of a model that is not marginal.

    Examples
    --------
    >>> from models import eight_schools
    >>> [variable.name for variable in build(eight_schools.model()).free_RVs]
    ['mu', 'tau', 'theta']
    """
    require_one_of(parameterization, PARAMETERIZATIONS)
    if cells:
        if parameterization != "marginal":
            raise ValueError(f"a cell has no theta: cells need parameterization='marginal', not {parameterization!r}")
        return _build_cells(model)
    g = model.groups
    with pm.Model(coords=coordinates(g)) as built:
        y, noise = pm.Data("observed_y", g.mean, dims=g.dim), pm.Data("noise", g.noise, dims=g.dim)
        population, tau, sigma = population_means(model), model.tau.variable("tau"), model.sigma.variable("sigma")
        within, between = model.variances(noise, tau, sigma)
        if parameterization == "marginal":
            pm.Normal("y", population, pt.sqrt(within + between), observed=y, dims=g.dim)
        else:
            theta = normal_level("theta", population, pt.sqrt(between), dims=g.dim, parameterization=parameterization)
            pm.Normal("y", theta, pt.sqrt(within), observed=y, dims=g.dim)
        observe_squares(g, sigma)
    return built


def _build_cells(model: TwoLevel) -> pm.Model:
    """State the marginal model on cells of equal noise."""
    g, cells, data = model.groups, model.groups.cells, _observed_cells(model.groups)
    several = cells.count > 1
    coords = {"cell": range(len(cells.noise)), "coefficient": ["mu", *g.covariates], "covariate": g.covariates}
    with pm.Model(coords=coords) as built:
        design = pm.Data("design", cells.design, dims=("cell", "coefficient"))
        b = _coefficients(model)
        tau, sigma = model.tau.variable("tau"), model.sigma.variable("sigma")
        within, between = model.variances(pm.Data("noise", cells.noise, dims="cell"), tau, sigma)
        v = within + between
        y = pm.Data("observed_y", data["observed_y"], dims="cell")
        ss_between = pm.Data("observed_ss_between", data["observed_ss_between"])
        pm.Normal("y", _weighted_sum(design, b), pt.sqrt(v), observed=y, dims="cell")
        df = pm.Data("df_between", cells.count[several] - 1)
        pm.CustomDist("ss_between", v[np.flatnonzero(several)], df, dist=_chi2, logp=_log_normal, observed=ss_between)
        observe_squares(g, sigma)
    return built


def build_for_nuts(model: TwoLevel) -> pm.Model:
    """State the marginal model as NUTS samples it fastest: on cells if they are at most half as many as groups."""
    return build(model, parameterization="marginal", cells=_many_alike(model.groups))


def _many_alike(groups: Groups) -> bool:
    return 2 * len(groups.cells.noise) <= len(groups)


def observed(groups: Groups) -> dict[str, Numbers]:
    """Values of the data of `build_for_nuts` that change from one set of data of a design to another, by name."""
    df, ss = groups.within
    of_means = _observed_cells(groups) if _many_alike(groups) else {"observed_y": groups.mean}
    return of_means | ({"observed_ss_within": ss} if df else {})


def _observed_cells(groups: Groups) -> dict[str, np.ndarray]:
    cells = groups.cells
    return {
        "observed_y": cells.mean + cells.design[:, 0] * groups.center,
        "observed_ss_between": cells.spread[..., cells.count > 1],
    }


def _chi2(v, k, size):
    """v chi^2(k)."""
    return pm.Gamma.dist(k / 2, 1 / (2 * v), size=size)


def _log_normal(ss, v, k):
    """Log density of k residuals of variance v with that sum of squares, which may be 0 where means are equal."""
    return -k / 2 * (LOG_2PI + pt.log(v)) - ss / (2 * v)


def initial(model: TwoLevel, parameterization: Parameterization, state: State) -> list[dict[str, Numbers]]:
    """Values of the free variables of `build` for each chain of a state, as `TwoLevel.start` makes it."""
    return [_initial(model, parameterization, *chain) for chain in zip(*(state[name] for name in STATE), strict=True)]


def _initial(model, parameterization, b, tau2, sigma2, theta):
    sds = {"tau": np.sqrt(tau2), "sigma": np.sqrt(sigma2)}
    values = {"mu": b[0]} | {name: sds[name] for name in model.unknown}
    values |= {"beta": b[1:]} if model.groups.covariates else {}
    return values | ({} if parameterization == "marginal" else {"theta": theta})


def recover_theta(idata: xr.DataTree, model: TwoLevel, *, rng: np.random.Generator) -> xr.DataTree:
    """Add theta to draws of the marginal model, each from its conditional given the coefficients and the scales.

    theta_i | b, tau, sigma, y ~ N(kappa_i x_i'b + (1 - kappa_i) y_i, (1 - kappa_i) sigma^2 noise_i)

    Parameters
    ----------
    idata : xarray.DataTree
        What `pm.sample` returned for ``build(model, parameterization="marginal")``, with cells or without.
    model : TwoLevel
        The model that was built.
    rng : numpy.random.Generator

    Returns
    -------
    xarray.DataTree
        A copy whose posterior has theta (chain, draw, group) with the labels of the groups.

    Raises
    ------
    ValueError
        Where the posterior lacks a variable of the model, or has theta already.

    Examples
    --------
    >>> from models import eight_schools
    >>> drawn = {"mu": (("chain", "draw"), np.full((1, 2), 8.0)), "tau": (("chain", "draw"), np.full((1, 2), 5.0))}
    >>> marginal = xr.DataTree.from_dict({"posterior": xr.Dataset(drawn)})
    >>> theta = recover_theta(marginal, eight_schools.model(), rng=np.random.default_rng(1))["posterior"]["theta"]
    >>> dict(theta.sizes)
    {'chain': 1, 'draw': 2, 'school': 8}
    """
    g, posterior = model.groups, idata["posterior"].to_dataset()
    needed = ["mu", *(["beta"] if g.covariates else []), *model.unknown]
    if missing := [name for name in needed if name not in posterior]:
        raise ValueError(f"the posterior has no {missing[0]!r}: pass draws of this model, with {', '.join(needed)}")
    if "theta" in posterior:
        raise ValueError("the posterior has theta already: nothing is left to recover")
    drawn = {name: posterior[name].transpose("chain", "draw", ...).values for name in needed}
    slopes = [drawn["beta"]] if g.covariates else []
    b = np.concatenate([drawn["mu"][..., None], *slopes], axis=-1)
    theta = model.theta_given(b, drawn["tau"], drawn.get("sigma", np.ones_like(drawn["tau"]))).draw(rng)
    recovered = idata.copy()
    recovered["posterior"] = xr.DataTree(
        posterior.assign(theta=(("chain", "draw", g.dim), theta)).assign_coords({g.dim: list(g.labels)})
    )
    return recovered


def build_rows(
    model: TwoLevel,
    labels: Iterable[object],
    values: Iterable[float],
    *,
    parameterization: Literal["centered", "noncentered"] = "centered",
) -> pm.Model:
    """State the model in PyMC on single rows: y ~ N(theta[group], sigma^2).

    The posterior is that of `build`, at a cost that grows with the rows: for teaching, and for checking `build`.

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
    require_one_of(parameterization, TRANSFORMS)
    g, names = model.groups, list(map(str, labels))
    position = {label: i for i, label in enumerate(g.labels)}
    if unknown := set(names) - set(position):
        raise ValueError(f"{sorted(unknown)[0]!r} is no {g.dim} of this model")
    with pm.Model(coords=coordinates(g)) as built:
        group = pm.Data("group_of_row", [position[name] for name in names], dims="row")
        population, tau, sigma = population_means(model), model.tau.variable("tau"), model.sigma.variable("sigma")
        _, between = model.variances(g.noise, tau, sigma)
        theta = normal_level("theta", population, pt.sqrt(between), dims=g.dim, parameterization=parameterization)
        pm.Normal("y", theta[group], sigma, observed=pm.Data("observed_y", list(values), dims="row"), dims="row")
    return built


def normal_level(
    name: str, mean: TensorVariable, sd: TensorVariable, *, dims: str, parameterization: str
) -> TensorVariable:
    """Normal variables of a level of the model, centered or noncentered."""
    return pm.Normal(name, mean, sd, dims=dims, **TRANSFORMS[parameterization])


def coordinates(groups: Labelled) -> dict:
    """Coordinates of the dimensions of a model's variables: groups, and covariates where there are any."""
    coords = {groups.dim: groups.labels}
    return coords | {"covariate": groups.covariates} if groups.covariates else coords


def population_means(model: Regression) -> TensorVariable:
    """Add mu and beta to a model; return the population means x_i'b, mu alone where there are no covariates."""
    g, (mu, *slopes) = model.groups, _coefficients(model)
    if not slopes:
        return mu
    return mu + _weighted_sum(pm.Data("design", g.design[:, 1:], dims=(g.dim, "covariate")), slopes)


def _weighted_sum(columns: TensorVariable, b: Sequence[TensorVariable]) -> TensorVariable:
    """Sum of columns with weights b, written out: a matrix product takes numba twenty seconds to compile."""
    return sum(columns[:, k] * coefficient for k, coefficient in enumerate(b))


def _coefficients(model) -> list[TensorVariable]:
    """mu, and each element of beta where there are covariates."""
    mu, *slopes = model.coefficients
    variable = mu.variable("mu")
    beta = _beta(slopes) if slopes else ()
    return [variable, *(beta[k] for k in range(len(slopes)))]


def _beta(slopes: list[Coefficient]) -> TensorVariable:
    """One vector, normal where a prior is proper and flat elsewhere."""
    mean, sd = np.array([(slope.mean, slope.sd) for slope in slopes], dtype=float).T
    if np.isfinite(sd).all():
        return pm.Normal("beta", mean, sd, dims="covariate")
    if np.isinf(sd).all():
        return pm.Flat("beta", dims="covariate")
    return pm.CustomDist(
        "beta",
        mean,
        sd,
        logp=_log_normal_or_flat,
        random=_draw_flat,
        support_point=lambda rv, size, mean, sd: mean,
        class_name="NormalOrFlat",
        dims="covariate",
    )


def _log_normal_or_flat(x, mean, sd):
    return pt.switch(pt.isinf(sd), 0.0, -LOG_2PI / 2 - pt.log(sd) - ((x - mean) / sd) ** 2 / 2)


def _draw_flat(mean, sd, rng, size):
    raise NotImplementedError("beta has a flat prior: to sample it, give every coefficient a proper prior")


def observe_squares(groups: Groups, sigma: TensorVariable | float) -> None:
    """Add the pooled sum of squares to a model, where groups have any: ss_within ~ sigma^2 chi^2(df_within)."""
    if groups.df.any():
        df, ss = groups.within
        shape, observed_ss = pm.Data("df_within", df) / 2, pm.Data("observed_ss_within", ss)
        pm.Gamma("ss_within", shape, 1 / (2 * sigma**2), observed=observed_ss)


def require_one_of(parameterization: str, names: Iterable[str]) -> None:
    """Refuse a parameterization of another name.

    Raises
    ------
    ValueError
        Listing the names.
    """
    if parameterization not in names:
        raise ValueError(f"parameterization {parameterization!r} is none of {', '.join(names)}")
