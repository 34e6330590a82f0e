"""Whether there is a posterior at all, and which of its moments exist.

As tau grows, each group takes a factor 1/tau from the marginal likelihood and each flat coefficient gives one back, so
the posterior of tau falls like tau^-(J - p + t): J groups, p flat coefficients, t the fall of tau's own prior (flat 0,
half-t(nu) nu + 1, half-normal infinity, InverseGamma(a, .) on tau^2 2a + 1). Likewise that of sigma falls like
sigma^-(N - p + s): N rows, s the fall of sigma's prior. At tau = 0 the likelihood is finite, so a prior that is not
integrable there gives no posterior.
"""

import numpy as np

from models import priors
from models.two_level import TwoLevel


def fall(model: TwoLevel) -> dict[str, float]:
    """Power that the posterior density of each unknown scale falls with."""
    groups, flat = len(model.groups), sum(not prior.proper for prior in model.coefficients)
    seen = {"tau": groups - flat, "sigma": groups + model.groups.within[0] - flat}
    return {name: seen[name] + getattr(model, name).fall for name in model.unknown}


def moments(model: TwoLevel) -> dict[tuple[str, str], float]:
    """Order below which moments exist: by variable and label for coefficients, by variable for all else.

    A flat coefficient is spread out with tau and sigma, and with it sd_between; theta is held by its own data and
    spread out with sigma alone; kappa is bounded.
    """
    of_scale = {name: power - 1 for name, power in fall(model).items()}
    rows = of_scale.get("sigma", np.inf)
    both = min(of_scale["tau"], rows)
    labels = [("mu", ""), *(("beta", name) for name in model.groups.covariates)]
    of_b = {
        label: np.inf if prior.proper else both for label, prior in zip(labels, model.coefficients, strict=True)
    }  # fmt: skip
    of_scale |= {"sd_between": both if model.relative else of_scale["tau"], "theta": rows, "kappa": np.inf}
    new = min(*of_b.values(), of_scale["sd_between"])
    of_scale |= {"new_value": rows, "new_theta": new, "new_group_value": min(new, rows)}
    return of_b | {(name, ""): order for name, order in of_scale.items()}


def require_proper(model: TwoLevel) -> None:
    """Refuse a model without a posterior.

    Raises
    ------
    ValueError
        Where the posterior does not integrate to one, with the reason.

    Notes
    -----
    Proper iff tau's prior is integrable at 0, J - p + t > 1, N - p + s > 1, the flat coefficients' columns of the
    design are linearly independent and, where sigma has an improper prior, there are more rows than groups.
    Within-group sums of squares that are all zero are refused whatever the prior: they are no normal data.
    """
    g, (df, ss), falls = model.groups, model.groups.within, fall(model)
    flat = [k for k, prior in enumerate(model.coefficients) if not prior.proper]
    if isinstance(model.tau, priors.InverseGamma) and not model.tau.proper and model.tau.shape >= 0:
        raise ValueError(f"the posterior is improper: {model.tau} of tau piles up at 0; give tau another prior")
    if np.linalg.matrix_rank(g.design[:, flat]) < len(flat):
        raise ValueError("the posterior is improper: flat coefficients of covariates that determine each other")
    if falls["tau"] <= 1:
        raise ValueError(
            f"the posterior is improper: {len(g)} groups are too few for the prior {model.tau} of tau; "
            "give tau a proper prior that falls faster, or more groups"
        )
    if df > 0 and ss == 0:
        raise ValueError("no group has any spread within it: the posterior is degenerate, sigma would be 0")
    if "sigma" in model.unknown and df == 0 and not model.sigma.proper:
        raise ValueError("every group has a single row: nothing tells sigma from tau; give sigma a proper prior")
    if falls.get("sigma", np.inf) <= 1:
        raise ValueError(f"the posterior is improper: too few rows for the prior {model.sigma} of sigma")
