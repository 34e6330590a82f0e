"""Math scores of 1993 pupils in 100 schools (seed 000, part 1; Hoff 2009, chapter 8).

y_ij ~ N(theta_i, sigma^2)              pupil j of school i, points
theta_i ~ N(mu, tau^2 sigma^2)
p(mu) = 1, p(sigma^2) = 1/sigma^2       improper
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


def data(schools: "pd.DataFrame | None" = None) -> Replicates:
    """The 100 schools: 4 to 32 pupils each, dimension `school`, scores in points.

    Or those of another such table, with columns school, n, mean and ss.
    """
    t = table("math_test") if schools is None else schools
    return Replicates.from_summary(t["school"], t["n"], t["mean"], t["ss"], dim="school")


def model(
    *,
    groups: Replicates | None = None,
    tau: Scale = InverseGamma(0.5, 0.5),
    sigma: Scale = JEFFREYS,
    coefficients: tuple[Normal, ...] = (),
    relative: bool = True,
) -> TwoLevel:
    """The model of the module's docstring as data, or with other schools, other priors, or tau in points.

    Examples
    --------
    >>> len(model().groups)
    100
    """
    return TwoLevel(groups=groups or data(), tau=tau, sigma=sigma, coefficients=coefficients, relative=relative)


def general(groups: Replicates | None = None) -> TwoLevel:
    """The model with the proper priors of seed 001; the source gives no numbers, so these are ours.

    sigma^2 ~ InverseGamma(2, 200), tau^2 ~ InverseGamma(1, 1/4), mu ~ N(50, 10^2): a test made to have mean 50 and sd
    10, schools that differ by half as much as pupils. In the source's precisions lambda ~ Gamma(2, 200), omega ~
    Gamma(1, 1/4).

    Examples
    --------
    >>> general().scales
    ('tau', 'sigma')
    """
    sigma, tau = InverseGamma(2.0, 200.0), InverseGamma(1.0, 0.25)
    return model(groups=groups, tau=tau, sigma=sigma, coefficients=(Normal(50.0, 10.0),))


def build(
    *, parameterization: Parameterization = "noncentered", cells: bool = False, **options: Unpack[Options]
) -> "pm.Model":
    """The model in PyMC, on school means.

    Model
    -----
    ::

        y_i ~ N(theta_i, sigma^2 / n_i)                 school means, points; i = 1..100
        ss_within ~ sigma^2 chi^2(N - 100)              pooled sum of squares; N = 1993
        theta_i ~ N(mu, tau^2 sigma^2)
        p(mu) = 1                                       improper
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
        mu, sigma (points), tau (in units of sigma), and theta (school,) unless marginal.

    Raises
    ------
    ValueError
        For an unknown parameterization.

    References
    ----------
    Seed 000, part 1, C and D.
    """
    return named_cases.build(model(**options), parameterization, cells)


def build_rows(
    labels: Iterable, values: Iterable[float], *, parameterization: Centering = "centered", **options: Unpack[Options]
) -> "pm.Model":
    """The model in PyMC on single rows, a school's name and a value each, y_ij ~ N(theta_i, sigma^2): for teaching.

    The other arguments are those of `build`, except that it is never marginal. See `pymc_model.build_rows`.
    """
    return named_cases.build_rows(model(**options), labels, values, parameterization)


def code() -> str:
    """The model with its own priors as a script of plain PyMC, noncentered with an explicit z: to read and to paste.

    Its log density is that of `build()`, up to a constant.
    """
    return named_cases.code("math_test")
