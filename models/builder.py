"""The statement handed to PyMC: centered, noncentered, or with theta integrated out."""

import pymc as pm
import pytensor.tensor as pt

from models.two_level import TwoLevel


def centered(population, sd_between, dim):
    """theta ~ N(population, sd_between^2), sampled as it stands."""
    return pm.Normal("theta", population, sd_between, dims=dim)


def noncentered(population, sd_between, dim):
    """theta = population + sd_between z, z ~ N(0, 1): no funnel where the data say little."""
    z = pm.Normal("z", dims=dim)
    return pm.Deterministic("theta", population + sd_between * z, dims=dim)


THETA = {"centered": centered, "noncentered": noncentered}
PARAMETERIZATIONS = (*THETA, "marginal")


def build(model: TwoLevel, *, parameterization: str = "marginal") -> pm.Model:
    """State the model in PyMC, on group means and one pooled sum of squares.

    Parameters
    ----------
    model : TwoLevel
    parameterization : {"centered", "noncentered", "marginal"}
        "marginal" has no theta: mean_i ~ N(x_i'b, sigma^2 noise_i + sd_between^2); theta is drawn from its
        conditional afterwards.

    Returns
    -------
    pm.Model
        Free: mu, beta_1.. (in the data's units), the scales under the names that their priors give them, theta or z
        (group,). Observed: mean (group,) and, where groups have any, ss, the pooled sum of squares; p(mu) = 1 and
        other improper priors are Flat. Data: observed_mean, noise (group,), design (group, covariate), observed_ss, df.

    Raises
    ------
    ValueError
        For a parameterization of another name.
    """
    _known(parameterization, PARAMETERIZATIONS)
    g = model.groups
    with _empty(model) as built:
        mean, noise = pm.Data("observed_mean", g.mean, dims=g.dim), pm.Data("noise", g.noise, dims=g.dim)
        population, tau, sigma = _hyperparameters(model)
        within, between = model.variances(noise, tau, sigma)
        if parameterization == "marginal":
            pm.Normal("mean", population, pt.sqrt(within + between), observed=mean, dims=g.dim)
        else:
            theta = THETA[parameterization](population, pt.sqrt(between), g.dim)
            pm.Normal("mean", theta, pt.sqrt(within), observed=mean, dims=g.dim)
        if g.df.any():
            df, ss = (pm.Data(name, value) for name, value in zip(("df", "observed_ss"), g.within, strict=True))
            pm.Gamma("ss", df / 2, 1 / (2 * sigma**2), observed=ss)
    return built


def build_rows(model: TwoLevel, labels, values, *, parameterization: str = "centered") -> pm.Model:
    """State the model in PyMC on single rows: y ~ N(theta[group], sigma^2).

    The same posterior at a cost that grows with the rows: for teaching, and for checking the other.

    Parameters
    ----------
    model : TwoLevel
        Of Replicates.
    labels, values : sequences
        A group's label and a value each row.
    parameterization : {"centered", "noncentered"}

    Raises
    ------
    ValueError
        For another parameterization, or a label that is no group's.
    """
    _known(parameterization, THETA)
    g = model.groups
    position, labels = {label: i for i, label in enumerate(g.labels)}, list(map(str, labels))
    if unknown := set(labels) - set(position):
        raise ValueError(f"{sorted(unknown)[0]!r} is no {g.dim} of this model")
    with _empty(model) as built:
        which = pm.Data("group_of_row", [position[label] for label in labels], dims="row")
        population, tau, sigma = _hyperparameters(model)
        _, between = model.variances(g.noise, tau, sigma)
        theta = THETA[parameterization](population, pt.sqrt(between), g.dim)
        pm.Normal("y", theta[which], sigma, observed=pm.Data("observed_y", list(values), dims="row"), dims="row")
    return built


def _empty(model) -> pm.Model:
    g = model.groups
    return pm.Model(coords={g.dim: g.labels, "covariate": g.covariates} if g.covariates else {g.dim: g.labels})


def _hyperparameters(model):
    """Population means x_i'b, tau and sigma."""
    g = model.groups
    mu = model.coefficients[0].variable("mu")
    tau, sigma = model.tau.variable("tau"), model.sigma.variable("sigma")
    if not g.covariates:
        return mu, tau, sigma
    slopes = [prior.variable(f"beta_{k}") for k, prior in enumerate(model.coefficients[1:], start=1)]
    beta = pm.Deterministic("beta", pt.stack(slopes), dims="covariate")
    x = pm.Data("design", g.design[:, 1:], dims=(g.dim, "covariate"))
    return mu + pt.dot(x, beta), tau, sigma


def _known(parameterization, among):
    if parameterization not in among:
        raise ValueError(f"parameterization {parameterization!r} is none of {', '.join(among)}")
