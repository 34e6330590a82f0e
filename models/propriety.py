"""Whether there is a posterior at all, and which of its moments exist.

As sd_between grows, each group takes a factor 1/sd_between from the marginal likelihood and each flat coefficient
gives one back, so the posterior of tau falls like tau^-(J - p + t): J groups, p flat coefficients, t the fall of
tau's own prior (flat 0, half-Cauchy 2, InverseGamma(a, .) on tau^2 2a + 1).
"""

from models import priors
from models.two_level import TwoLevel


def fall(model: TwoLevel) -> float:
    """Power that the posterior density of tau falls with."""
    flat = sum(not prior.proper for prior in model.coefficients)
    return len(model.groups) - flat + model.tau.fall


def moments(model: TwoLevel) -> float:
    """Moments of tau below this order exist, and of a flat mu those of b and of a new theta."""
    return fall(model) - 1


def require_proper(model: TwoLevel) -> None:
    """Refuse a model without a posterior.

    Raises
    ------
    ValueError
        Where the posterior does not integrate to one, with the reason.

    Notes
    -----
    Proper iff J - p + t > 1 and, where sigma has an improper prior, there are more rows than groups. Within-group sums
    of squares that are all zero are refused whatever the prior: they are no normal data.
    """
    if moments(model) <= 0:
        raise ValueError(
            f"the posterior is improper: {len(model.groups)} groups are too few for the prior {model.tau} of tau; "
            "give tau a proper prior that falls faster, such as HalfCauchy, or more groups"
        )
    df, ss = model.groups.within
    if df > 0 and ss == 0:
        raise ValueError("no group has any spread within it: the posterior is degenerate, sigma would be 0")
    if df == 0 and not (isinstance(model.sigma, priors.Known) or model.sigma.proper):
        raise ValueError("every group has a single row: nothing tells sigma from tau; give sigma a proper prior")
