"""Whether the posterior is proper, and which of its moments exist.

J groups, N rows, p flat coefficients, df = N - J. A prior of a scale begins like sd^z at 0 and falls like sd^-t (of
tau) or sd^-s (of sigma): flat 0, half-t(nu) nu + 1, half-normal infinity, InverseGamma(a, .) on the square 2a + 1.

**The rule.** The posterior is proper iff the densities of tau and of sigma both fall faster than the first power and
tau's prior integrates at 0; a moment of order k exists iff what it is of falls faster than the power k + 1.

**Proof.** With theta and b integrated out, Q the weighted residual sum of squares where sigma is 1,

    p(tau, sigma, data) = p(tau) p(sigma) sigma^-df exp(-ss / 2 sigma^2) prod v_i^-1/2 |X'V^-1 X|^-1/2 exp(-Q / 2 ...)

1. Each group takes v^-1/2 and each flat coefficient gives v^1/2 back. So where one of the two parts of v_i,
   sigma^2 noise_i and sd_between^2, is far larger than the other and equal to v, what is left is v^-(J - p)/2, and the
   exponential tends to 1. Nothing else is unbounded but the priors and sigma^-df.
2. Estimates: sigma is 1, v_i >= noise_i > 0. At tau = 0 all is finite but tau's prior; as tau grows the density falls
   like tau^-(J - p + t).
3. Rows, some group with a spread within it, ss > 0: exp(-ss / 2 sigma^2) keeps sigma from 0.
   Relative tau, v_i = sigma^2 (noise_i + tau^2): the tails of tau and sigma are a product,
   tau^-(J - p + t) sigma^-(N - p + s).
   Absolute tau: sigma^-(df + s) tau^-t max(sigma, tau)^-(J - p). Integrating sigma out up to tau leaves
   tau^-(J - p + t) times a constant or, if df + s < 1, tau^(1 - df - s); integrating tau out up to sigma leaves
   sigma^-(N - p + s) times a constant or, if t < 1, sigma^(1 - t).
4. Every group a single row, df = 0: only the total variance w^2 = sigma^2 + sd_between^2 is seen.
   Relative tau, w^2 = sigma^2 (1 + tau^2): for large tau put sigma = w / tau. What is left is
   tau^-t (w / tau)^z w^-(J - p) dw / tau near sigma = 0, and tau^-(J - p + t) away from it: tau falls with the power
   t + min(z + 1, J - p), and sd_between, which is w, with J - p + min(t, s). For p(sigma) = 1/sigma, z = -1: tau and w
   are independent and the posterior of tau is its prior, whatever the prior of b.
   Absolute tau: as under 3 with df = 0, but now sigma may go to 0, where its prior has to integrate: z > -1. So it has
   to with relative tau where X has rank J, for then b follows every mean and no residual keeps sigma from 0.
5. A flat coefficient spreads out as far as sd_between and sigma do; theta, held by its own data, as far as sigma; but
   where tau is absolute and no coefficient flat, large sigma leaves theta to its population, and it has t - 1 moments
   more, if t > 1. kappa is bounded.
6. Means that lie on the regression (Q = 0 with groups left over), or rows that do not differ within any group (ss = 0),
   let the likelihood grow without bounds at sigma = 0. Some priors would make up for it, but no normal data do that:
   they are refused by choice, whatever the prior.
"""

from collections.abc import Iterator

import numpy as np

from models import priors
from models.two_level import TwoLevel

NEGLIGIBLE_RESIDUAL = 1e-13  # of the means' spread: smaller residuals are rounding
LEAST_VARIATION = 1e-6  # of its size: a covariate that varies less has lost six of its digits
LEAST_REMAINDER = 1e-7  # of a covariate's spread: what others leave over has lost seven of sixteen digits


class ImproperPosteriorError(ValueError):
    """Data and priors that have no posterior, or degenerate data, with the reason."""


def tail_exponents(model: TwoLevel) -> dict[str, float]:
    """Exponents with which the posterior densities of the unknown scales and of sd_between fall.

    Examples
    --------
    >>> from models import eight_schools
    >>> tail_exponents(eight_schools.model())
    {'tau': 7.0, 'sd_between': 7.0}
    """
    g, t = model.groups, model.tau.tail_exponent
    left, (df, _) = len(g) - _flat(model), g.within
    if isinstance(model.sigma, priors.KnownScale):
        return {"tau": left + t, "sd_between": left + t}
    s = model.sigma.tail_exponent
    if not model.relative:
        tau, sigma = left + t + min(0.0, df + s - 1), left + df + s + min(0.0, t - 1)
        return {"tau": tau, "sigma": sigma, "sd_between": tau}
    if df:
        return {"tau": left + t, "sigma": left + df + s, "sd_between": min(left + t, left + df + s)}
    return {"tau": t + min(model.sigma.origin_exponent + 1, left), "sigma": left + s, "sd_between": left + min(t, s)}


def moments(model: TwoLevel) -> dict[tuple[str, str], float]:
    """Order below which moments exist: by variable and label for coefficients, by variable for all else."""
    orders = {name: power - 1 for name, power in tail_exponents(model).items()}
    rows = orders.get("sigma", np.inf)
    both = min(orders["sd_between"], rows)
    labels = [("mu", ""), *(("beta", name) for name in model.groups.covariates)]
    of_priors = (np.inf if prior.proper else both for prior in model.coefficients)
    of_b = dict(zip(labels, of_priors, strict=True))
    new = min(*of_b.values(), orders["sd_between"])
    held = 0.0 if model.relative or _flat(model) else max(0.0, model.tau.tail_exponent - 1)
    orders |= {"theta": rows + held, "kappa": np.inf}
    orders |= {"new_value": rows, "new_theta": new, "new_group_value": min(new, rows)}
    return of_b | {(name, ""): order for name, order in orders.items()}


def says_nothing_of_tau(model: TwoLevel) -> bool:
    """Whether the posterior of tau is its prior: no group is left over, or single rows tell only the total variance."""
    return len(model.groups) == _flat(model) or (_sees_total_variance(model) and model.sigma == priors.JEFFREYS)


def require_proper(model: TwoLevel) -> None:
    """Refuse a model without a posterior.

    Raises
    ------
    ImproperPosteriorError
        Where the posterior does not integrate to one, or the data are degenerate, with the reason.

    Examples
    --------
    >>> from models import eight_schools
    >>> require_proper(eight_schools.model(tau=priors.JEFFREYS))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    models.propriety.ImproperPosteriorError: the posterior is improper: 1/variance of tau piles up at 0; give tau ...
    """
    if reason := next(_reasons(model), None):
        raise ImproperPosteriorError(reason)


def _reasons(model: TwoLevel) -> Iterator[str]:
    """Reasons why the posterior is improper; each assumes that those before it do not hold."""
    g, (df, ss), exponents = model.groups, model.groups.within, tail_exponents(model)
    if model.tau.origin_exponent <= -1:
        yield f"the posterior is improper: {model.tau} of tau piles up at 0; give tau another prior"
    yield from _confounded(model)
    if exponents["tau"] <= 1:
        yield f"the posterior is improper: {_too_few(model)}"
    if df > 0 and ss == 0:
        yield (
            "no group has any spread within it: the posterior is degenerate, sigma would be 0; if each value is itself "
            "an average, give it with its standard error instead"
        )
    if isinstance(model.sigma, priors.KnownScale):
        return
    if df == 0 and _on_the_regression(g):
        yield "the values do not differ: the posterior is degenerate, sigma would be 0"
    saturated = np.linalg.matrix_rank(model.standard.model.groups.design) == len(g)
    if df == 0 and (saturated or not model.relative) and model.sigma.origin_exponent <= -1:
        yield (
            f"the posterior is improper: every group has a single row, so nothing keeps sigma from 0, and its prior "
            f"{model.sigma} piles up there; give sigma a proper prior"
        )
    if exponents["sigma"] <= 1:
        yield f"the posterior is improper: too few rows for the prior {model.sigma} of sigma"


def _confounded(model: TwoLevel) -> Iterator[str]:
    """Covariates that vary too little, and flat coefficients that the groups cannot tell apart."""
    g, left = model.groups, model.standard.left
    flat = [k for k, prior in enumerate(model.coefficients) if not prior.proper]
    if len(flat) > len(g):
        yield (
            f"{len(g)} groups cannot tell {len(flat)} coefficients apart: leave covariates out, or give their "
            "coefficients proper priors"
        )
    for k, name in enumerate(g.covariates, start=1):
        x = g.design[:, k] / (np.abs(g.design[:, k]).max() or 1.0)
        if 0 < x.std() < LEAST_VARIATION * abs(x.mean()):
            yield (
                f"covariate {name!r} varies by less than a millionth of its size, and its digits are lost: subtract a "
                "constant from it"
            )
        if k in flat and left[k - 1] < LEAST_REMAINDER:
            determining = ", ".join(repr(g.covariates[j - 1]) for j in flat if 0 < j < k) or "mu"
            yield f"covariate {name!r} is determined by {determining}: leave one of them out"


def _flat(model):
    return sum(not prior.proper for prior in model.coefficients)


def _sees_total_variance(model) -> bool:
    """Whether every group is a single row and tau relative: the data see sigma^2 (1 + tau^2) alone."""
    return model.relative and "sigma" in model.unknown and not model.groups.df.any()


def _too_few(model):
    groups, flat = len(model.groups), _flat(model)
    remedy = "give tau a proper prior that falls faster, or more groups"
    if _sees_total_variance(model) and groups - flat + model.tau.tail_exponent > 1:
        return f"every group has a single row, so only tau's prior tells tau, and {model.tau} does not; {remedy}"
    minus = f" minus {flat} flat coefficients" if flat > 1 else ""
    return f"{groups} groups{minus} are too few for the prior {model.tau} of tau; {remedy}"


def _on_the_regression(g) -> bool:
    """Whether all means lie on a regression that leaves some of them over."""
    b, _, rank, _ = np.linalg.lstsq(g.design, g.mean - g.center)
    residual = g.mean - g.center - g.design @ b
    rounding = NEGLIGIBLE_RESIDUAL * np.abs(g.mean - g.center).max() + np.spacing(np.abs(g.mean).max())
    return bool(rank < len(g) and np.abs(residual).max() <= rounding)
