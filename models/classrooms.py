"""Simulated test scores of pupils in classrooms in ten schools (seed 003, last part).

y_ijk ~ N(theta_ij, sigma^2)            pupil k of classroom j of school i, points
theta_ij ~ N(mu_i, tau^2)
mu_i ~ N(lambda, kappa^2)
p(lambda, kappa^2) = p(tau^2) = 1, p(sigma^2) = 1/sigma^2      improper; the last two are ours, the source has none
"""

from typing import TYPE_CHECKING

from partial_pooling_data import table

from models import named_cases, three_level
from models.groups import Replicates
from models.priors import FLAT_VARIANCE, InverseGamma
from models.three_level import ThreeLevel
from models.two_level import Parameterization

if TYPE_CHECKING:
    import pymc as pm


def data() -> Replicates:
    """Two to four classrooms a school, 3 to 6 pupils each, dimension `classroom`, scores in points."""
    t = table("classrooms")
    return Replicates.from_summary(t["classroom"], t["n"], t["mean"], t["ss"], dim="classroom")


def model(*, tau: InverseGamma = FLAT_VARIANCE, kappa: InverseGamma = FLAT_VARIANCE) -> ThreeLevel:
    """The model of the module's docstring as data, or with other priors of tau and kappa.

    Examples
    --------
    >>> len(model().schools)
    10
    """
    school, names = table("classrooms")["school"].factorize()
    return ThreeLevel(classrooms=data(), school=school, schools=tuple(names), tau=tau, kappa=kappa)


def build(
    *,
    parameterization: Parameterization = "noncentered",
    tau: InverseGamma = FLAT_VARIANCE,
    kappa: InverseGamma = FLAT_VARIANCE,
) -> "pm.Model":
    """The model in PyMC, on classroom means.

    Model
    -----
    ::

        y_ij ~ N(theta_ij, sigma^2 / n_ij)          classroom means, points
        ss_within ~ sigma^2 chi^2(N - C)            pooled sum of squares
        theta_ij ~ N(mu_i, tau^2)
        mu_i ~ N(lambda, kappa^2)                   i = 1..10
        p(lambda, kappa^2) = p(tau^2) = 1           improper
        p(sigma^2) = 1/sigma^2                      improper

    Parameters
    ----------
    parameterization : {"noncentered", "centered", "marginal"}
    tau, kappa
        Priors, as of `model`.

    Returns
    -------
    pm.Model
        lambda, sigma, tau, kappa, all in points; mu (school,) and theta (classroom,) unless marginal.

    Raises
    ------
    ValueError
        For an unknown parameterization.

    References
    ----------
    Seed 003, the slide on another level.
    """
    return three_level.build(model(tau=tau, kappa=kappa), parameterization=parameterization)


def code() -> str:
    """The model with its own priors as a script of plain PyMC, noncentered with an explicit z: to read and to paste.

    Its log density is that of `build()`, up to a constant.
    """
    return named_cases.code("classrooms")
