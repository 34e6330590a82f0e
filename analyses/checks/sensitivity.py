"""What if the prior had been another, or the data had weighed more? Answered by computing it, not by reweighting draws.

A density to a power alpha is the same kind of statement with less or more of it (Kallioinen et al. 2024). Here it stays
within the families of the model, so each posterior is as exact as the first.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from analyses.engines import exact
from analyses.engines.mixture import width
from analyses.engines.quadrature import QuadratureError
from models.priors import FLAT, JEFFREYS, Normal
from models.propriety import ImproperPosteriorError
from models.two_level import TwoLevel

ALPHAS = 0.8, 1.25
DOUBLINGS = np.log2(ALPHAS[1] / ALPHAS[0])
MATTERS = 0.1  # of its sd, a doubling: then a quantity hangs on the prior


def population(model: TwoLevel) -> pd.DataFrame:
    """Exact rows of the coefficients, sd_between and, where it is unknown, sigma."""
    return exact.posterior(model).population(("sd_between", *(n for n in model.unknown if n == "sigma")))


def side_by_side(models: dict[str, TwoLevel]) -> dict[str, pd.DataFrame]:
    """Rows of every model that has a posterior."""
    found = {name: _population(model) for name, model in models.items()}
    return {name: rows for name, rows in found.items() if rows is not None}


def by_power(model: TwoLevel) -> pd.DataFrame:
    """How far each median moves, in sds, when the priors weigh twice as much, and when the data do.

    Returns
    -------
    DataFrame
        `prior` and `data` by variable and label; nan where a power leaves no posterior.
    """
    base = population(model)
    moved = {"prior": [_of_prior(model, a) for a in ALPHAS], "data": [_of_data(model, a) for a in ALPHAS]}
    columns = {}
    for name, models in moved.items():
        down, up = map(_population, models)
        if down is None or up is None:
            columns[name] = np.nan
        else:
            columns[name] = (up["q50"] - down["q50"]) / width(base) / DOUBLINGS
    return pd.DataFrame(columns, index=base.index)


def is_power_scaled(model: TwoLevel) -> bool:
    """Whether a power changes any prior: flat ones stay as they are."""
    given = (model.tau, *((model.sigma,) if "sigma" in model.unknown else ()), *model.coefficients)
    return not all(map(_is_flat, given))


def _is_flat(prior) -> bool:
    return prior in (FLAT, JEFFREYS) or (isinstance(prior, Normal) and not prior.proper)


def _population(model: TwoLevel | None) -> pd.DataFrame | None:
    """Rows of a model that has a posterior, and one that a lattice can hold."""
    if model is None:
        return None
    try:
        return population(model)
    except (ImproperPosteriorError, QuadratureError):
        return None


def _of_prior(model, alpha) -> TwoLevel | None:
    return _if_any(
        lambda: replace(
            model,
            tau=model.tau.power_scaled(alpha),
            sigma=model.sigma.power_scaled(alpha) if "sigma" in model.unknown else model.sigma,
            coefficients=tuple(prior.power_scaled(alpha) for prior in model.coefficients),
        )
    )


def _of_data(model, alpha) -> TwoLevel | None:
    return _if_any(lambda: replace(model, groups=model.groups.power_scaled(alpha)))


def _if_any(made) -> TwoLevel | None:
    """The model, unless a power is too small to leave a prior."""
    try:
        return made()
    except ValueError:
        return None
