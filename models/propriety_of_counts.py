"""Whether the posterior of a model of counts is proper, and which of its moments exist.

J groups, p coefficients, q of them flat. The prior of tau begins like tau^z at 0 and falls like tau^-t: flat 0,
half-t(nu) nu + 1, half-normal infinity. A group is **inside** if its likelihood L_i falls to 0 on both sides: a
proportion with successes and failures, a count of events above 0. Else L_i rises to 1 as theta goes to minus infinity
(y = 0) or to infinity (y = n). J1 is the number of groups inside.

**The rule.** The posterior is proper iff tau's prior integrates at 0, J1 - q + t > 1, and **overlap** holds: there is
no direction d != 0 of the flat coefficients with x_i'd = 0 for all groups inside, x_i'd <= 0 where y = 0, and
x_i'd >= 0 where y = n.

**Proof.** Groups are independent given (b, tau), I_i(m, tau) = integral L_i(t) N(t | m, tau^2) dt <= 1.

1. Fix tau > 0. Along b + s d, s to infinity, I_i of a group inside falls at least exponentially where x_i'd != 0. Of a
   group with y = 0 it falls so where x_i'd > 0, and tends to 1 where x_i'd < 0; for y = n the reverse. log I_i is
   concave in b, so the integral over the flat coefficients is finite iff the product falls in every direction: overlap.
2. tau to 0: I_i tends to L_i(x_i'b), and 1. holds of the L_i too. What is left is tau's prior.
3. tau to infinity: put b = tau c for the flat coefficients, db = tau^q dc. For a group inside, the integral A_i of L_i
   is finite, and tau I_i tends to A_i N(x_i'c | 0, 1). For y = 0, I_i tends to Phi(-x_i'c), for y = n to Phi(x_i'c). So
   the density of tau is p(tau) tau^(q - J1) times the integral over c of the product of these, which is finite by
   overlap and does not depend on tau: it falls with the power J1 - q + t.

**Moments.** tau and the flat coefficients, which go with it, have those of an order below J1 - q + t - 1. So has theta
of a group with y = 0 or y = n, and of a new group. theta of a group inside has all: its tails are those of L_i. A
probability is bounded; the rate of a group in the data has all moments, as its likelihood falls like
exp(-exposure exp(theta)). The rate of a **new** group is exp(theta): its moments are infinite under a prior of tau that
falls like a power, and under HalfNormal(s), as far as tau^2 (1 + x'(X'X)^-1 x) / 2 - tau^2 / 2 s^2 grows.
"""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import linprog

from models.generalized_two_level import GeneralizedTwoLevel
from models.propriety import ImproperPosteriorError

SEPARATED = 1e-6  # of the largest coefficient


def tail_exponent(model: GeneralizedTwoLevel) -> float:
    """Exponent with which the posterior density of tau falls.

    Examples
    --------
    >>> from models import priors
    >>> from models.groups import Proportions
    >>> groups = Proportions.from_summary("ABC", [0, 3, 5], [9, 9, 9])
    >>> tail_exponent(GeneralizedTwoLevel(groups=groups, tau=priors.FLAT))
    1.0
    """
    flat = sum(not prior.proper for prior in model.coefficients)
    of_prior = np.inf if np.isfinite(model.tau.upper) else model.tau.tail_exponent
    return float(model.groups.inside.sum() - flat + of_prior)


def moments(model: GeneralizedTwoLevel) -> dict[tuple[str, str], float]:
    """Order below which moments exist, by variable and label; those of a group have its label where they differ."""
    g, order = model.groups, tail_exponent(model) - 1
    labels = [("mu", ""), *(("beta", name) for name in g.covariates)]
    of_b = {label: np.inf if prior.proper else order for label, prior in zip(labels, model.coefficients, strict=True)}
    of_theta = {("theta", g.labels[i]): order for i in np.flatnonzero(~g.inside)}
    return of_b | of_theta | {("tau", ""): order, ("new_theta", ""): order}


def require_proper(model: GeneralizedTwoLevel) -> None:
    """Refuse a model without a posterior.

    Raises
    ------
    ImproperPosteriorError
        With the reason.

    Examples
    --------
    >>> from models import priors
    >>> from models.groups import Proportions
    >>> treated = Proportions.from_summary("ABCD", [3, 4, 0, 0], [9] * 4, covariates={"treated": [0, 0, 1, 1]})
    >>> require_proper(GeneralizedTwoLevel(groups=treated, tau=priors.HalfNormal(1.0)))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    models.propriety.ImproperPosteriorError: the posterior is improper: the coefficient of 'treated' may go to minus ...
    """
    if reason := next(_reasons(model), None):
        raise ImproperPosteriorError(reason)


def _reasons(model: GeneralizedTwoLevel) -> Iterator[str]:
    """Reasons why the posterior is improper; each assumes that those before it do not hold."""
    g, flat = model.groups, [k for k, prior in enumerate(model.coefficients) if not prior.proper]
    if model.tau.origin_exponent <= -1:
        yield f"the posterior is improper: {model.tau} of tau piles up at 0; give tau another prior"
    design = model.standard.model.groups.design[g.distinct.positions][:, flat]
    if np.linalg.matrix_rank(design) < len(flat):
        yield (
            f"{len(g)} groups cannot tell {len(flat)} coefficients apart: leave covariates out, or give their "
            "coefficients proper priors"
        )
    if flat and (direction := separation(model)) is not None:
        yield f"the posterior is improper: {_separated(model, direction)}"
    if tail_exponent(model) <= 1:
        inside = int(g.inside.sum())
        minus = f" minus {len(flat)} flat coefficients" if len(flat) > 1 else ""
        yield (
            f"the posterior is improper: {inside} groups with counts between their ends{minus} are too few for the "
            f"prior {model.tau} of tau; give tau a proper prior that falls faster, or more groups"
        )


def separation(model: GeneralizedTwoLevel) -> np.ndarray | None:
    """Find a direction (p,) of the coefficients along which the likelihood does not fall; None if it falls in all.

    It is found by linear programs: the largest of each flat coefficient, either way, with none beyond one.
    """
    standard, positions = model.standard, model.groups.distinct.positions
    kinds = standard.model.groups.subset(positions)
    flat = [k for k, prior in enumerate(model.coefficients) if not prior.proper]
    x, inside = kinds.design[:, flat], kinds.inside
    held, outward = x[inside], np.where(kinds.falls_left, 1.0, -1.0)[~inside, None] * x[~inside]
    for direction in (sign * unit for unit in np.eye(len(flat)) for sign in (1.0, -1.0)):
        if len(flat) > 1:
            direction = _farthest(direction, held, outward)
        if (
            np.all(np.abs(held @ direction) < SEPARATED)
            and np.all(outward @ direction > -SEPARATED)
            and direction.any()
        ):
            return standard.basis[:, flat] @ direction
    return None


def _farthest(towards: np.ndarray, held: np.ndarray, outward: np.ndarray) -> np.ndarray:
    """The d in the unit cube that goes farthest in a direction, with held @ d = 0 and outward @ d >= 0; or 0."""
    found = linprog(
        -towards,
        A_ub=-outward if len(outward) else None,
        b_ub=np.zeros(len(outward)) if len(outward) else None,
        A_eq=held if len(held) else None,
        b_eq=np.zeros(len(held)) if len(held) else None,
        bounds=[(-1.0, 1.0)] * len(towards),
    )
    if found.status != 0:
        raise RuntimeError(f"whether the groups overlap was not found out: {found.message}")
    return found.x if towards @ found.x > SEPARATED else np.zeros(len(towards))


def _separated(model, direction) -> str:
    """Say along which coefficient the likelihood does not fall."""
    g = model.groups
    if not (g.inside.any() or g.covariates):
        return "all counts are at their ends: give mu a proper prior"
    moved = direction * np.abs(g.design).max(axis=0)
    k = int(np.argmax(np.abs(moved)))
    name = "mu" if k == 0 else f"the coefficient of {g.covariates[k - 1]!r}"
    return (
        f"{name} may go to {'infinity' if moved[k] > 0 else 'minus infinity'}, as the groups that it sets apart have "
        "counts at one end; give it a proper prior, or leave the covariate out"
    )
