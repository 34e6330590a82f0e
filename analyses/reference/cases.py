"""The posteriors that are shipped: each a model, its exact table with its error, and its log density at some points."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from analyses.engines import conjugate, exact
from analyses.engines import three_level as three_level_engine
from analyses.engines.mixture import width
from analyses.reference import joint_statistics
from models import baseball, blood_pressure, classrooms, distributions, eight_schools, math_test, priors
from models import one_group as one_group_model
from models.groups import Estimates
from models.two_level import TwoLevel

AT = ("q5", "q50", "q95")  # quantiles at which log densities are given
NESTED_ERROR = 1e-8  # of a posterior sd: what is tested of the third level's quadrature


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """What a file says of one posterior.

    `figures` computes what takes its time: the table, and the absolute error of its entries, by variable and label; and
    log densities at some points, with all constants but those of improper priors. `draw` gives independent draws:
    draws, chains, rng to a DataTree. `joint` gives the joint statistics of draws.
    """

    model: list[str]
    priors: dict[str, str]
    data: str
    figures: Callable[[], tuple[pd.DataFrame, pd.DataFrame, list[dict]]]
    draw: Callable[..., xr.DataTree]
    joint: joint_statistics.Statistics


def two_level(data: str, model: TwoLevel) -> Case:
    """A two-level model."""
    posterior = exact.posterior(model)
    between = "tau^2 sigma^2" if model.relative and "sigma" in model.unknown else "tau^2"
    rows = "y_i ~ N(theta_i, se_i^2)" if isinstance(model.groups, Estimates) else "y_ij ~ N(theta_i, sigma^2)"
    population = " + ".join(["mu", *(f"beta[{name}] {name}_i" for name in model.groups.covariates)])
    coefficients = zip(("mu", *(f"beta[{name}]" for name in model.groups.covariates)), model.coefficients, strict=True)
    spelled = {name: f"Normal({p.mean:g}, {p.sd:g})" if p.proper else "Uniform()" for name, p in coefficients}
    spelled |= {name: str(getattr(model, name)) for name in model.unknown}

    def figures():
        table = posterior.table()
        return table, posterior.error(), [_two_level_point(model, table, q) for q in AT]

    written = [rows, f"theta_i ~ N({population}, {between})"]
    return Case(
        model=written,
        priors=spelled,
        data=data,
        figures=figures,
        draw=posterior.draw,
        joint=joint_statistics.two_level(model),
    )


def one_group(data: str, model: one_group_model.OneGroup) -> Case:
    """One group."""
    prior = priors.InverseGamma(model.alpha, model.beta)

    def point(table, q):
        theta, sigma = (_short(table.loc[(name, ""), q]) for name in ("theta", "sigma"))
        squares = model.ss + model.n * (model.mean - theta) ** 2
        return {
            "theta": theta,
            "sigma": sigma,
            "log_likelihood": _of_rows(model.n, squares, sigma),
            "log_population": float(distributions.Normal(model.mu, model.tau * sigma).log_density(theta)),
            "log_prior": float(prior.log_density(sigma)),
        }

    def figures():
        table = conjugate.table(model)
        return table, _relative(table, conjugate.error(model)), [point(table, q) for q in AT]

    written = ["y_j ~ N(theta, sigma^2)", f"theta ~ N({model.mu:g}, {model.tau:g}^2 sigma^2)"]
    draw = partial(conjugate.draw, model)
    of_sigma = {"sigma": str(prior)}
    return Case(
        model=written, priors=of_sigma, data=data, figures=figures, draw=draw, joint=joint_statistics.one_group(model)
    )


def three_level(data: str, model: classrooms.ThreeLevel) -> Case:
    """Classrooms in schools."""
    posterior, g = three_level_engine.posterior(model), model.classrooms
    spelled = {"lambda": "Uniform()"} | {name: str(getattr(model, name)) for name in three_level_engine.SCALES}

    def point(table, q):
        at = {name: _short(table.loc[(name, ""), q]) for name in ("lambda", *three_level_engine.SCALES)}
        mu = at["lambda"] + at["kappa"] * _alternating(len(model.schools))
        theta = mu[model.school] + at["tau"] * _alternating(len(g))
        squares = g.within[1] + np.sum(g.n * (g.mean - theta) ** 2)
        of_mu, of_theta = (
            distributions.Normal(at["lambda"], at["kappa"]),
            distributions.Normal(mu[model.school], at["tau"]),
        )
        return at | {
            "log_likelihood": _of_rows(g.n.sum(), squares, at["sigma"]),
            "log_population": float(of_mu.log_density(mu).sum() + of_theta.log_density(theta).sum()),
            "log_prior": float(sum(getattr(model, name).log_density(at[name]) for name in three_level_engine.SCALES)),
        }

    def figures():
        table = posterior.table()
        return table, _relative(table, NESTED_ERROR), [point(table, q) for q in AT]

    written = ["y_ijk ~ N(theta_ij, sigma^2)", "theta_ij ~ N(mu_i, tau^2)", "mu_i ~ N(lambda, kappa^2)"]
    return Case(
        model=written,
        priors=spelled,
        data=data,
        figures=figures,
        draw=posterior.draw,
        joint=joint_statistics.three_level(model),
    )


def _schools(**others):
    return lambda: two_level("eight_schools.csv", eight_schools.model(**others))


def _baseball(sigma=None):
    return lambda: two_level("baseball.csv", baseball.model(sigma=sigma))


CASES: dict[str, Callable[[], Case]] = {
    "math_test": lambda: two_level("math_test.csv", math_test.model()),
    "math_test_general": lambda: two_level("math_test.csv", math_test.general()),
    "blood_pressure": lambda: two_level("blood_pressure.csv", blood_pressure.model()),
    "eight_schools": _schools(),
    "eight_schools_flat_variance": _schools(tau=priors.FLAT_VARIANCE),
    "eight_schools_half_cauchy_5": _schools(tau=priors.HalfCauchy(5.0)),
    "eight_schools_half_cauchy_25": _schools(tau=priors.HalfCauchy(25.0)),
    "eight_schools_weakly_informative": lambda: two_level("eight_schools.csv", eight_schools.weakly_informative()),
    "baseball": _baseball(),
    "baseball_printed": _baseball(baseball.PRINTED),
    "normal": lambda: one_group("math_test.csv", one_group_model.example()),
    "classrooms": lambda: three_level("classrooms.csv", classrooms.model()),
}


def _two_level_point(model, table, q) -> dict:
    """Log densities where b and the scales have some quantile, and theta lies an sd above and below in turn."""
    g = model.groups
    b = np.array([_short(table.loc[key, q]) for key in [("mu", ""), *(("beta", name) for name in g.covariates)]])
    at = {name: _short(table.loc[(name, ""), q]) for name in model.unknown}
    tau, sigma = at["tau"], at.get("sigma", 1.0)
    sd = tau * sigma if model.relative else tau
    theta = g.design @ b + sd * _alternating(len(g))
    # Rows say what their summaries do, up to a factor without parameters: that where no group differs tells it.
    factor = _log_likelihood(g, g.design @ b, sigma) - model.log_marginal(b, 0.0, sigma)
    named = {"mu": b[0]} | {f"beta[{name}]": b[k] for k, name in enumerate(g.covariates, start=1)}
    return {name: float(value) for name, value in (named | at).items()} | {
        "log_likelihood": _log_likelihood(g, theta, sigma),
        "log_population": float(distributions.Normal(g.design @ b, sd).log_density(theta).sum()),
        "log_marginal_likelihood": float(model.log_marginal(b, tau, sigma) + factor),
        "log_prior": float(model.log_prior(b, np.asarray(tau), np.asarray(sigma))),
    }


def _log_likelihood(g, theta, sigma) -> float:
    """Log density of the rows, or of the estimates, given theta and sigma."""
    if not g.df.any():
        return float(distributions.Normal(theta, sigma * np.sqrt(g.noise)).log_density(g.mean).sum())
    return _of_rows(g.df.sum() + len(g), g.within[1] + np.sum((g.mean - theta) ** 2 / g.noise), sigma)


def _of_rows(n, squares, sigma) -> float:
    """Log density of n rows with that sum of squares about their means."""
    return float(-n * (distributions.LOG_2PI / 2 + np.log(sigma)) - squares / sigma**2 / 2)


def _alternating(count):
    return np.where(np.arange(count) % 2, -1.0, 1.0)


def _short(value) -> float:
    """A value to type in: three digits."""
    return float(f"{value:.3g}")


def _relative(table, error):
    """The same error, in posterior sds, of every entry."""
    return pd.DataFrame({name: error * width(table) for name in table.columns})
