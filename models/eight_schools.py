"""Effects of coaching on test scores in eight schools (seed 002; Rubin 1981; Gelman et al., BDA3, section 5.5).

y_j ~ N(theta_j, se_j^2)            estimated effect of school j, points; se_j known
theta_j ~ N(mu, tau^2)
p(mu, tau) = 1                      improper
"""

from typing import TYPE_CHECKING, Any

from models import priors
from models.groups import Estimates
from models.two_level import Parameterization, TwoLevel

if TYPE_CHECKING:
    import pymc as pm


def data() -> Estimates:
    """The schools A to H, dimension `school`, points."""
    from partial_pooling_data import table

    t = table("eight_schools")
    return Estimates.from_summary(t["school"], t["estimate"], t["standard_error"], dim="school")


def model(*, tau: priors.Scale = priors.FLAT, mu: priors.Normal = priors.Normal()) -> TwoLevel:
    """The model of the module's docstring as data, or with other priors of tau and mu.

    Examples
    --------
    >>> model().unknown
    ('tau',)
    """
    return TwoLevel(groups=data(), tau=tau, sigma=priors.KnownScale(), coefficients=(mu,))


def weakly_informative() -> TwoLevel:
    """The same with mu ~ Normal(0, sd 5) and tau ~ HalfCauchy(5), both proper.

    Examples
    --------
    >>> weakly_informative().tau
    HalfStudentT(nu=1.0, scale=5.0)
    """
    return model(tau=priors.HalfCauchy(5.0), mu=priors.Normal(0.0, 5.0))


def build(*, parameterization: Parameterization = "marginal", **others: Any) -> "pm.Model":
    """The same as a PyMC model.

    Model
    -----
    ::

        mean_j ~ N(theta_j, se_j^2)         estimated effects, points; j = A..H
        theta_j ~ N(mu, tau^2)
        p(mu, tau) = 1                      improper; `tau` and `mu` replace it

    Parameters
    ----------
    parameterization : {"centered", "noncentered", "marginal"}
    **others
        Arguments of `model`: tau=HalfCauchy(5.0), mu=Normal(0.0, 5.0) gives p(tau) = 2 / (5 pi (1 + tau^2/25)).

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
    >>> [variable.name for variable in build(mu=priors.Normal(0.0, 5.0)).free_RVs]
    ['mu', 'tau']

    References
    ----------
    Seed 002, whose B_j leaves out the index of sigma_j.
    """
    from models import pymc_model

    return pymc_model.build(model(**others), parameterization=parameterization)
