"""Systolic blood pressure of 20 subjects, ten on a control and ten on an experimental medication (seed 000, part 2).

y_ij ~ N(theta_i, sigma^2)                          record j of subject i, mmHg
theta_i ~ N(mu + beta x_i, tau^2 sigma^2)           x_i = 1 for the experimental medication
p(mu) = p(beta) = 1, p(sigma^2) = 1/sigma^2         improper
tau^2 ~ InverseGamma(1/2, 1/2)
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Unpack

from partial_pooling_data import table

from models import named_cases
from models.groups import Replicates
from models.named_cases import Centering, Options
from models.priors import JEFFREYS, InverseGamma, Normal, Scale
from models.two_level import Parameterization, TwoLevel

if TYPE_CHECKING:
    import pandas as pd
    import pymc as pm


def data(subjects: "pd.DataFrame | None" = None) -> Replicates:
    """The 20 subjects: 8 to 31 records each, dimension `subject`, mmHg; covariate `treatment`, 0 or 1.

    Or those of another such table, with columns subject, treatment (2 is the experimental one), n, mean and ss.
    """
    t = table("blood_pressure") if subjects is None else subjects
    arm = {"treatment": t["treatment"] == 2}
    return Replicates.from_summary(t["subject"], t["n"], t["mean"], t["ss"], covariates=arm, dim="subject")


def model(
    *,
    groups: Replicates | None = None,
    tau: Scale = InverseGamma(0.5, 0.5),
    sigma: Scale = JEFFREYS,
    coefficients: tuple[Normal, ...] = (),
    relative: bool = True,
) -> TwoLevel:
    """The model of the module's docstring as data, or with other subjects, other priors, or tau in mmHg.

    Examples
    --------
    >>> model().groups.covariates
    ('treatment',)
    """
    return TwoLevel(groups=groups or data(), tau=tau, sigma=sigma, coefficients=coefficients, relative=relative)


def build(
    *, parameterization: Parameterization = "noncentered", cells: bool = False, **options: Unpack[Options]
) -> "pm.Model":
    """The model in PyMC, on subject means.

    Model
    -----
    ::

        y_i ~ N(theta_i, sigma^2 / n_i)                 subject means, mmHg; i = 1..20
        ss_within ~ sigma^2 chi^2(N - 20)               pooled sum of squares; N = 426
        theta_i ~ N(mu + beta x_i, tau^2 sigma^2)
        p(mu) = p(beta) = 1                             improper
        p(sigma^2) = 1/sigma^2                          improper
        p(tau) = sqrt(2/pi) tau^-2 exp(-1/(2 tau^2))    tau^2 ~ InverseGamma(1/2, 1/2)

    Parameters
    ----------
    parameterization : {"noncentered", "centered", "marginal"}
    cells : bool
        Whether groups of equal size are one observation of the marginal model: see `pymc_model.build`.
    **options
        Arguments of `model`.

    Returns
    -------
    pm.Model
        mu, sigma (mmHg), beta (covariate,), tau (in units of sigma), and theta (subject,) unless marginal.

    Raises
    ------
    ValueError
        For an unknown parameterization.

    References
    ----------
    Seed 000, part 2, C, whose V_s and variance of beta are misprinted.
    """
    return named_cases.build(model(**options), parameterization, cells)


def build_rows(
    labels: Iterable, values: Iterable[float], *, parameterization: Centering = "centered", **options: Unpack[Options]
) -> "pm.Model":
    """The model in PyMC on single rows, a subject's name and a value each, y_ij ~ N(theta_i, sigma^2): for teaching.

    The other arguments are those of `build`, except that it is never marginal. See `pymc_model.build_rows`.
    """
    return named_cases.build_rows(model(**options), labels, values, parameterization)


def code() -> str:
    """The model with its own priors as a script of plain PyMC, noncentered with an explicit z: to read and to paste.

    Its log density is that of `build()`, up to a constant.
    """
    return named_cases.code("blood_pressure")
