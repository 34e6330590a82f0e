"""Batting averages of 18 players after 45 at-bats in 1970 (seed 003; Efron and Morris 1975).

    y_i ~ N(theta_i, sigma^2)           average after 45 at-bats; sigma known
    theta_i ~ N(mu, tau^2)
    p(mu, tau^2) = 1                    improper: p(tau) = tau up to a constant

The source prints sigma^2 = 0.6^2, which is a misprint: a batting average is between 0 and 1. Two readings make sense,
0.06, and the binomial standard deviation at the grand mean, sqrt(0.265 0.735 / 45) = 0.0658.
"""

from typing import TYPE_CHECKING

import numpy as np
from partial_pooling_data import table

from models import named_cases
from models.groups import Estimates
from models.priors import FLAT_VARIANCE, Normal, Scale
from models.two_level import Parameterization, TwoLevel

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm

PRINTED = 0.06  # the first reading of the source's sigma


def averages() -> "pd.DataFrame":
    """The table of players: player, hits, at_bats, average (hits over at-bats) and rest_of_season, an average too."""
    t = table("baseball")
    return t.assign(average=t["hits"] / t["at_bats"])


def binomial() -> float:
    """Standard deviation of an average at the grand mean.

    Examples
    --------
    >>> round(binomial(), 4)
    0.0658
    """
    t = averages()
    mean = t["average"].mean()
    return float(np.sqrt(mean * (1 - mean) / t["at_bats"].iloc[0]))


def data(*, sigma: float | None = None) -> Estimates:
    """The 18 players, dimension `player`; standard error sigma, the binomial one if none is given."""
    t = averages()
    error = np.full(len(t), binomial() if sigma is None else sigma)
    return Estimates.from_summary(t["player"], t["average"], error, dim="player")


def model(*, sigma: float | None = None, tau: Scale = FLAT_VARIANCE, mu: Normal = Normal()) -> TwoLevel:
    """The model of the module's docstring as data, or with another sigma or other priors of tau and mu."""
    return TwoLevel(groups=data(sigma=sigma), tau=tau, coefficients=(mu,))


def build(
    *,
    parameterization: Parameterization = "noncentered",
    sigma: float | None = None,
    tau: Scale = FLAT_VARIANCE,
    mu: Normal = Normal(),
) -> "pm.Model":
    """The model in PyMC, on the averages.

    Model
    -----
    ::

        y_i ~ N(theta_i, sigma^2)           batting averages, i = 1..18; sigma = 0.0658 or as given
        theta_i ~ N(mu, tau^2)
        p(mu, tau^2) = 1                    improper: p(tau) = tau up to a constant

    Parameters
    ----------
    parameterization : {"noncentered", "centered", "marginal"}
    sigma, tau, mu
        As of `model`.

    Returns
    -------
    pm.Model
        mu, tau (hits an at-bat), and theta (player,) unless marginal.

    Raises
    ------
    ValueError
        For an unknown parameterization.

    References
    ----------
    Seed 003, whose sigma^2 is misprinted.
    """
    return named_cases.build(model(sigma=sigma, tau=tau, mu=mu), parameterization)


def code() -> str:
    """The model with its own priors as a script of plain PyMC, noncentered with an explicit z: to read and to paste.

    Its log density is that of `build()`, up to a constant.
    """
    return named_cases.code("baseball")
