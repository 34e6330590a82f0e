"""Systolic blood pressure of 20 subjects, ten on a control and ten on an experimental medication (seed 000, part 2).

y_ij ~ N(theta_i, sigma^2)                          record j of subject i, mmHg
theta_i ~ N(mu + beta x_i, tau^2 sigma^2)           x_i = 1 for the experimental medication
p(mu) = p(beta) = 1, p(sigma^2) = 1/sigma^2         improper
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
    """The 20 subjects: 8 to 31 records each, dimension `subject`, mmHg; covariate `treatment`, 0 or 1.

    Or those of another such table, with columns subject, treatment (2 is the experimental one), n, mean and ss.
    """
    from partial_pooling_data import table

    t = table("blood_pressure") if t is None else t
    arm = {"treatment": t["treatment"] == 2}
    return Replicates.from_summary(t["subject"], t["n"], t["mean"], t["ss"], covariates=arm, dim="subject")


def model(
    *, subjects: Replicates | None = None, tau: priors.Scale = priors.InverseGamma(0.5, 0.5), **others: Any
) -> TwoLevel:
    """The model of the module's docstring as data; `subjects` replaces them, any argument of TwoLevel a prior.

    Examples
    --------
    >>> model().groups.covariates
    ('treatment',)
    """
    return TwoLevel(groups=subjects or data(), tau=tau, **others)


def build(*, parameterization: Parameterization = "marginal", **others: Any) -> "pm.Model":
    """The same as a PyMC model.

    Model
    -----
    ::

        mean_i ~ N(theta_i, sigma^2 / n_i)              subject means, mmHg; i = 1..20
        ss ~ sigma^2 chi^2(N - 20)                      pooled sum of squares; N = 426
        theta_i ~ N(mu + beta x_i, tau^2 sigma^2)
        p(mu) = p(beta) = 1                             improper
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
        mu, sigma (mmHg), beta (covariate,) of which beta_1 is the free one, tau (in units of sigma), and theta
        (subject,) unless marginal.

    Raises
    ------
    ValueError
        For an unknown parameterization.

    References
    ----------
    Seed 000, part 2, C, whose V_s and variance of beta are misprinted.
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
        A subject's name and a value each row.
    parameterization : {"centered", "noncentered"}
    **others
        Arguments of `model`.

    Returns
    -------
    pm.Model

    Raises
    ------
    ValueError
        For an unknown parameterization or a label that is no subject's.
    """
    from models import pymc_model

    return pymc_model.build_rows(model(**others), labels, values, parameterization=parameterization)
