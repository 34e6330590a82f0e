"""What if the prior had been another, or the data had weighed more? Answered by computing it, not by reweighting draws.

A density to a power alpha is the same kind of statement with less or more of it (Kallioinen et al. 2024). Here it stays
within the families of the model, so each posterior is as exact as the first.
"""

from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd

from analyses.engines import exact
from analyses.engines.mixture import width
from analyses.engines.quadrature import QuadratureError
from models.propriety import ImproperPosteriorError
from models.two_level import TwoLevel

ALPHAS = 0.8, 1.25
DOUBLINGS = np.log2(ALPHAS[1] / ALPHAS[0])
MATTERS = 0.1  # of its sd, a doubling: then a quantity hangs on the prior


def population(model: TwoLevel) -> pd.DataFrame:
    """Exact rows of the coefficients, sd_between and, where it is unknown, sigma."""
    return exact.posterior(model).population(("sd_between", *(n for n in model.unknown if n == "sigma")))


def side_by_side[Name](models: dict[Name, TwoLevel]) -> dict[Name, pd.DataFrame]:
    """Rows of every model that has a posterior, and one that a lattice can hold."""
    tables = {}
    for name, model in models.items():
        with suppress(ImproperPosteriorError, QuadratureError):
            tables[name] = population(model)
    return tables


def by_power(model: TwoLevel) -> pd.DataFrame:
    """How far each median moves, in sds, when the priors weigh twice as much, and when the data do.

    Returns
    -------
    DataFrame
        `prior` and `data` by variable and label; nan where a power leaves no posterior.
    """
    base = population(model)
    columns = {}
    for name, scaled in (("prior", _prior_scaled), ("data", _data_scaled)):
        models = {}
        for alpha in ALPHAS:
            with suppress(ValueError):  # the power is too small to leave a prior
                models[alpha] = scaled(model, alpha)
        medians = {alpha: rows["q50"] for alpha, rows in side_by_side(models).items()}
        down, up = (medians.get(alpha, np.nan) for alpha in ALPHAS)
        columns[name] = (up - down) / width(base) / DOUBLINGS
    return pd.DataFrame(columns, index=base.index)


def is_power_scaled(model: TwoLevel) -> bool:
    """Whether a power changes any prior: flat ones stay as they are."""
    scales = [getattr(model, name) for name in model.unknown]
    return any(prior.power_scaled(ALPHAS[1]) != prior for prior in [*scales, *model.coefficients])


def _prior_scaled(model, alpha) -> TwoLevel:
    scales = {name: getattr(model, name).power_scaled(alpha) for name in model.unknown}
    return replace(model, **scales, coefficients=tuple(prior.power_scaled(alpha) for prior in model.coefficients))


def _data_scaled(model, alpha) -> TwoLevel:
    return replace(model, groups=model.groups.power_scaled(alpha))
