"""Math scores of 1993 pupils in 100 schools (seed 000, part 1; Hoff 2009, chapter 8).

y_ij ~ N(theta_i, sigma^2)              pupil j of school i, points
theta_i ~ N(mu, tau^2 sigma^2)
p(mu) = 1, p(sigma^2) = 1/sigma^2       improper
tau^2 ~ InverseGamma(1/2, 1/2)
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from models import priors
from models.groups import Replicates
from models.two_level import Parameterization, TwoLevel

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm


def data(t: "pd.DataFrame | None" = None) -> Replicates:
    """The 100 schools: 4 to 32 pupils each, dimension `school`, scores in points.

    Or those of another such table, with columns school, n, mean and ss.
    """
    from partial_pooling_data import table

    t = table("math_test") if t is None else t
    return Replicates.from_summary(t["school"], t["n"], t["mean"], t["ss"], dim="school")


def model(
    *, schools: Replicates | None = None, tau: priors.Scale = priors.InverseGamma(0.5, 0.5), **others: Any
) -> TwoLevel:
    """The model of the module's docstring as data; `schools` replaces them, any argument of TwoLevel a prior.

    Examples
    --------
    >>> len(model().groups)
    100
    """
    return TwoLevel(groups=schools or data(), tau=tau, **others)


def general(schools: Replicates | None = None) -> TwoLevel:
    """The same with the proper priors of seed 001, which gives no numbers: these are ours.

    sigma^2 ~ InverseGamma(2, 200), tau^2 ~ InverseGamma(1, 1/4), mu ~ N(50, 10^2): a test made to have mean 50 and sd
    10, schools that differ by half as much as pupils. In the source's precisions lambda ~ Gamma(2, 200), omega ~
    Gamma(1, 1/4).

    Examples
    --------
    >>> general().scales
    ('tau', 'sigma')
    """
    sigma, tau = priors.InverseGamma(2.0, 200.0), priors.InverseGamma(1.0, 0.25)
    return model(schools=schools, tau=tau, sigma=sigma, coefficients=(priors.Normal(50.0, 10.0),))


def build(*, parameterization: Parameterization = "marginal", **others: Any) -> "pm.Model":
    """The same as a PyMC model.

    Model
    -----
    ::

        mean_i ~ N(theta_i, sigma^2 / n_i)              school means, points; i = 1..100
        ss ~ sigma^2 chi^2(N - 100)                     pooled sum of squares; N = 1993
        theta_i ~ N(mu, tau^2 sigma^2)
        p(mu) = 1                                       improper
        p(sigma^2) = 1/sigma^2                          improper: flat log_sigma
        p(tau) = sqrt(2/pi) tau^-2 exp(-1/(2 tau^2))    tau^2 ~ InverseGamma(1/2, 1/2)

    Parameters
    ----------
    parameterization : {"centered", "noncentered", "marginal"}
    **others
        Arguments of `model`.

    Returns
    -------
    pm.Model
        mu, sigma (points), tau (in units of sigma), and theta (school,) unless marginal.

    Raises
    ------
    ValueError
        For an unknown parameterization.

    References
    ----------
    Seed 000, part 1, C and D.
    """
    from models import pymc_model

    return pymc_model.build(model(**others), parameterization=parameterization)


def build_rows(
    labels: Iterable[object],
    values: Iterable[float],
    *,
    parameterization: Literal["centered", "noncentered"] = "centered",
    **others: Any,
) -> "pm.Model":
    """The same with a likelihood on single rows, y_ij ~ N(theta_i, sigma^2): for teaching and for checking.

    Parameters
    ----------
    labels, values : sequences
        A school's name and a value each row.
    parameterization : {"centered", "noncentered"}
    **others
        Arguments of `model`.

    Returns
    -------
    pm.Model

    Raises
    ------
    ValueError
        For an unknown parameterization or a label that is no school's.
    """
    from models import pymc_model

    return pymc_model.build_rows(model(**others), labels, values, parameterization=parameterization)
