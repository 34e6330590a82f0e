"""Log densities of the models at a point of their parameters, with their gradients.

A point has no group effects: theta, and mu of the third level, lie an sd above and below their mean in turn.
"""

import numpy as np

from analyses.engines.three_level import SCALES
from models import classrooms, one_group
from models.log_densities import LogDensity, one_group_terms, three_level_terms, two_level_terms
from models.two_level import TwoLevel

Point = dict[str, float]  # by the names of parameters
Terms = dict[str, LogDensity]


def two_level_densities(model: TwoLevel, point: Point) -> Terms:
    """Log densities of a two-level model."""
    g, sd = model.groups, point["tau"] * (point.get("sigma", 1.0) if model.relative else 1.0)
    b = np.array([point["mu"], *(point[f"beta[{name}]"] for name in g.covariates)])
    theta = g.design @ b + sd * _alternating(len(g))
    return two_level_terms(model, point | {"theta": theta}) | two_level_terms(model, point)


def one_group_densities(model: one_group.OneGroup, point: Point) -> Terms:
    """Log densities of one group, theta being one of the parameters."""
    return one_group_terms(model, point["theta"], point["sigma"])


def three_level_densities(model: classrooms.ThreeLevel, point: Point) -> Terms:
    """Log densities of classrooms in schools."""
    mu = point["lambda"] + point["kappa"] * _alternating(len(model.schools))
    theta = mu[model.school] + point["tau"] * _alternating(len(model.classrooms))
    return three_level_terms(model, {name: point[name] for name in SCALES}, point["lambda"], mu, theta)


def _alternating(count) -> np.ndarray:
    return np.where(np.arange(count) % 2, -1.0, 1.0)
