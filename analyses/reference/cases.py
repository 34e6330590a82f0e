"""The posteriors that are shipped: each a model, its exact table with its error, and log densities at some points.

Each log density comes with its gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from analyses.engines import conjugate, exact, three_level as three_level_engine
from analyses.engines.mixture import width
from analyses.reference import joint_statistics, quantity_name
from analyses.reference.densities import Point, Terms, one_group_densities, three_level_densities, two_level_densities
from models import baseball, blood_pressure, classrooms, eight_schools, math_test, one_group, priors
from models.groups import Estimates
from models.log_densities import Gradient
from models.two_level import TwoLevel

POINTS = ("q5", "q50", "q95")  # quantiles at which log densities are given
DENSITIES = ("log_likelihood", "log_population", "log_marginal_likelihood", "log_prior")
CANCELED = 1e-11  # of the largest derivative: less is the rounding error of a sum that is 0
THREE_LEVEL_ERROR = 1e-8  # of a posterior sd: what is tested of the third level's quadrature


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """What a file says of one posterior.

    Attributes
    ----------
    model : list of str
    priors : dict
    data : str
        File of the data.
    parameters : sequence of (str, str)
        Variables and labels whose values make a point.
    table : callable
        Computes the exact table.
    error : callable
        Table to the absolute error of its entries, by variable and label.
    densities : callable
        Point to log densities there and their gradients, with all constants but those of improper priors.
    draw : callable
        Independent draws: draws, chains, rng to a DataTree.
    joint : callable
        Draws to their joint statistics.
    """

    model: list[str]
    priors: dict[str, str]
    data: str
    parameters: list[tuple[str, str]]
    table: Callable[[], pd.DataFrame]
    error: Callable[[pd.DataFrame], pd.DataFrame]
    densities: Callable[[Point], Terms]
    draw: Callable[..., xr.DataTree]
    joint: Callable[[xr.Dataset], xr.Dataset]

    def points(self, table: pd.DataFrame) -> list[dict[str, Any]]:
        """Log densities and their gradients at points of three digits near the quantiles of every parameter."""
        points = [{quantity_name(key): float(f"{table.loc[key, q]:.3g}") for key in self.parameters} for q in POINTS]
        return [point | _described(self.densities(point), point) for point in points]


def _described(terms: Terms, point: Point) -> dict[str, Any]:
    names = [name for name in DENSITIES if name in terms]
    gradient = {name: _derivatives(terms[name].gradient, point) for name in names}
    return {name: terms[name].value for name in names} | {"gradient": gradient}


def _derivatives(gradient: Gradient, point: Point) -> Gradient:
    """Derivatives with respect to every parameter of the point, then to group effects; exactly 0 where they cancel."""
    least = CANCELED * max(np.max(np.abs(slope)) for slope in gradient.values())
    return {name: np.where(np.abs(s) > least, s, 0.0) for name, s in (dict.fromkeys(point, 0.0) | gradient).items()}


def two_level_case(data: str, model: TwoLevel) -> Case:
    """A two-level model."""
    posterior, covariates = exact.posterior(model), model.groups.covariates
    between = "tau^2 sigma^2" if model.relative and "sigma" in model.unknown else "tau^2"
    rows = "y_i ~ N(theta_i, se_i^2)" if isinstance(model.groups, Estimates) else "y_ij ~ N(theta_i, sigma^2)"
    population = " + ".join(["mu", *(f"beta[{name}] {name}_i" for name in covariates)])
    coefficients = [("mu", ""), *(("beta", name) for name in covariates)]
    spelled = [f"Normal({p.mean:g}, {p.sd:g})" if p.proper else "Uniform()" for p in model.coefficients]
    return Case(
        model=[rows, f"theta_i ~ N({population}, {between})"],
        priors=dict(zip(map(quantity_name, coefficients), spelled, strict=True)) | _spelled(model, model.unknown),
        data=data,
        parameters=[*coefficients, *((name, "") for name in model.unknown)],
        table=posterior.table,
        error=lambda table: posterior.error(),
        densities=partial(two_level_densities, model),
        draw=posterior.draw,
        joint=partial(joint_statistics.two_level_statistics, model),
    )


def one_group_case(data: str, model: one_group.OneGroup) -> Case:
    """One group."""
    return Case(
        model=["y_j ~ N(theta, sigma^2)", f"theta ~ N({model.mu:g}, {model.tau:g}^2 sigma^2)"],
        priors={"sigma": str(priors.InverseGamma(model.alpha, model.beta))},
        data=data,
        parameters=[("theta", ""), ("sigma", "")],
        table=partial(conjugate.table, model),
        error=lambda table: _absolute_error(table, conjugate.error(model)),
        densities=partial(one_group_densities, model),
        draw=partial(conjugate.draw, model),
        joint=partial(joint_statistics.one_group_statistics, model),
    )


def three_level_case(data: str, model: classrooms.ThreeLevel) -> Case:
    """Classrooms in schools."""
    posterior, scales = three_level_engine.posterior(model), three_level_engine.SCALES
    return Case(
        model=["y_ijk ~ N(theta_ij, sigma^2)", "theta_ij ~ N(mu_i, tau^2)", "mu_i ~ N(lambda, kappa^2)"],
        priors={"lambda": "Uniform()"} | _spelled(model, scales),
        data=data,
        parameters=[(name, "") for name in ("lambda", *scales)],
        table=posterior.table,
        error=lambda table: _absolute_error(table, THREE_LEVEL_ERROR),
        densities=partial(three_level_densities, model),
        draw=posterior.draw,
        joint=partial(joint_statistics.three_level_statistics, model),
    )


def _spelled(model, scales) -> dict[str, str]:
    return {name: str(getattr(model, name)) for name in scales}


def _absolute_error(table, error) -> pd.DataFrame:
    """An error in posterior sds, which all entries share, in the units of each."""
    return pd.DataFrame({name: error * width(table) for name in table.columns})


def _eight_schools(**prior) -> Case:
    return two_level_case("eight_schools.csv", eight_schools.model(**prior))


CASES: dict[str, Callable[[], Case]] = {
    "math_test": lambda: two_level_case("math_test.csv", math_test.model()),
    "math_test_general": lambda: two_level_case("math_test.csv", math_test.general()),
    "blood_pressure": lambda: two_level_case("blood_pressure.csv", blood_pressure.model()),
    "eight_schools": _eight_schools,
    "eight_schools_flat_variance": partial(_eight_schools, tau=priors.FLAT_VARIANCE),
    "eight_schools_half_cauchy_5": partial(_eight_schools, tau=priors.HalfCauchy(5.0)),
    "eight_schools_half_cauchy_25": partial(_eight_schools, tau=priors.HalfCauchy(25.0)),
    "eight_schools_weakly_informative": lambda: two_level_case("eight_schools.csv", eight_schools.weakly_informative()),
    "baseball": lambda: two_level_case("baseball.csv", baseball.model()),
    "baseball_printed": lambda: two_level_case("baseball.csv", baseball.model(sigma=baseball.PRINTED)),
    "normal": lambda: one_group_case("math_test.csv", one_group.example()),
    "classrooms": lambda: three_level_case("classrooms.csv", classrooms.model()),
}
