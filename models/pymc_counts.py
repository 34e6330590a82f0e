"""The model of counts in PyMC."""

from typing import Literal

import numpy as np
import pymc as pm

from models.generalized_two_level import GeneralizedTwoLevel
from models.groups.proportions import Proportions
from models.pymc_model import TRANSFORMS, coordinates, normal_level, population_means, require_one_of

Parameterization = Literal["centered", "noncentered"]


def build_counts(model: GeneralizedTwoLevel, *, parameterization: Parameterization = "noncentered") -> pm.Model:
    """State a model of counts in PyMC.

    Model
    -----
    ::

        y_i ~ Binomial(n_i, logit^-1 theta_i)    or    Poisson(exposure_i exp(theta_i))
        theta_i ~ N(mu + x_i'beta, tau^2)

    Parameters
    ----------
    model : GeneralizedTwoLevel
    parameterization : {"noncentered", "centered"}
        NUTS walks in (theta_i - mu - x_i'beta) / tau, which suits groups with little data, or in theta_i. The variables
        are the same.

    Returns
    -------
    pm.Model
        Free: mu, beta (covariate,), tau, theta (group,). Observed: y (group,). Data: observed_y, size (group,), design
        (group, covariate).

    Raises
    ------
    ValueError
        For a parameterization of another name.

    Examples
    --------
    >>> from models import priors
    >>> groups = Proportions.from_summary(["A", "B"], [0, 18], [47, 148])
    >>> model = GeneralizedTwoLevel(groups=groups, tau=priors.HalfNormal(1.0))
    >>> [variable.name for variable in build_counts(model).free_RVs]
    ['mu', 'tau', 'theta']
    """
    require_one_of(parameterization, TRANSFORMS)
    g = model.groups
    with pm.Model(coords=coordinates(g)) as built:
        y, size = pm.Data("observed_y", g.y.astype(int), dims=g.dim), pm.Data("size", _size(g), dims=g.dim)
        population, tau = population_means(model), model.tau.variable("tau")
        theta = normal_level("theta", population, tau, dims=g.dim, parameterization=parameterization)
        if isinstance(g, Proportions):
            pm.Binomial("y", size, logit_p=theta, observed=y, dims=g.dim)
        else:
            pm.Poisson("y", size * pm.math.exp(theta), observed=y, dims=g.dim)
    return built


def _size(groups) -> np.ndarray:
    """Trials as whole numbers, or exposure."""
    return groups.size.astype(int) if isinstance(groups, Proportions) else groups.size
