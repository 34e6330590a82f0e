"""Effects of coaching on test scores in eight schools (seed 002; Rubin 1981; Gelman et al., BDA3, section 5.5).

y_j ~ N(theta_j, se_j^2)            estimated effect of school j, points; se_j known
theta_j ~ N(mu, tau^2)
p(mu, tau) = 1                      improper
"""

from typing import TYPE_CHECKING

from partial_pooling_data import table

from models import named_cases
from models.groups import Estimates
from models.priors import FLAT, HalfCauchy, KnownScale, Normal, Scale
from models.two_level import Parameterization, TwoLevel

if TYPE_CHECKING:
    import pymc as pm


def data() -> Estimates:
    """The schools A to H, dimension `school`, points."""
    t = table("eight_schools")
    return Estimates.from_summary(t["school"], t["estimate"], t["standard_error"], dim="school")


def model(*, tau: Scale = FLAT, mu: Normal = Normal()) -> TwoLevel:
    """The model of the module's docstring as data, or with other priors of tau and mu.

    Examples
    --------
    >>> model().unknown
    ('tau',)
    """
    return TwoLevel(groups=data(), tau=tau, sigma=KnownScale(), coefficients=(mu,))


def weakly_informative() -> TwoLevel:
    """The model with mu ~ Normal(0, sd 5) and tau ~ HalfCauchy(5), both proper.

    Examples
    --------
    >>> weakly_informative().tau
    HalfStudentT(nu=1.0, scale=5.0)
    """
    return model(tau=HalfCauchy(5.0), mu=Normal(0.0, 5.0))


def build(
    *, parameterization: Parameterization = "noncentered", tau: Scale = FLAT, mu: Normal = Normal()
) -> "pm.Model":
    """The model in PyMC, on the estimates.

    Model
    -----
    ::

        y_j ~ N(theta_j, se_j^2)            estimated effects, points; j = A..H
        theta_j ~ N(mu, tau^2)
        p(mu, tau) = 1                      improper; `tau` and `mu` replace it

    Parameters
    ----------
    parameterization : {"noncentered", "centered", "marginal"}
    tau, mu
        Priors, as of `model`: tau=HalfCauchy(5.0), mu=Normal(0.0, 5.0) gives p(tau) = 2 / (5 pi (1 + tau^2/25)).

    Returns
    -------
    pm.Model
        mu, tau (points), and theta (school,) unless marginal.

    Raises
    ------
    ValueError
        For an unknown parameterization.

    Examples
    --------
    >>> [variable.name for variable in build(mu=Normal(0.0, 5.0)).free_RVs]
    ['mu', 'tau', 'theta']

    References
    ----------
    Seed 002, whose B_j leaves out the index of sigma_j.
    """
    return named_cases.build(model(tau=tau, mu=mu), parameterization)


def code() -> str:
    """The model with its own priors as a script of plain PyMC, noncentered with an explicit z: to read and to paste.

    Its log density is that of `build()`, up to a constant.
    """
    return named_cases.code("eight_schools")
