"""The rule of propriety against integration by brute force, on both sides of every border.

Nothing here uses the product's algebra but the priors' densities. Powers are multiples of a half, so a slope over the
e^40 to e^50 fold tells them apart; two that tie leave a log x, whose slope there is 1/45.
"""

from functools import partial
from itertools import product

import numpy as np
import pytest
from helpers.problems import estimates, replicates

from models import propriety
from models.groups import Estimates, Replicates
from models.priors import FLAT, FLAT_VARIANCE, JEFFREYS, HalfCauchy, HalfNormal, HalfStudentT, InverseGamma, Normal
from models.two_level import TwoLevel


def variances(model, tau, sigma):
    between = (tau * sigma if model.relative else tau) ** 2
    return np.multiply.outer(sigma**2, model.groups.noise), between[..., None]


def log_joint(model, tau, sigma):
    """Log of p(tau, sigma, data) up to a constant: that of the J - p contrasts which flat coefficients leave alone.

    Proper coefficients add to the covariance V of the means. No eigenvalue of V is below its least variance, which
    mends those that rounding loses next to a prior's variance.
    """
    g, held = model.groups, np.array([c.proper for c in model.coefficients])
    at = np.array([[c.mean, c.sd] for c in model.coefficients if c.proper]).reshape(-1, 2)
    noise, between = variances(model, tau, sigma)
    v = noise + between
    q = np.linalg.qr(g.design[:, ~held], mode="complete")[0][:, np.sum(~held) :]
    by_prior = (g.design[:, held] * at[:, 1] ** 2) @ g.design[:, held].T
    values, vectors = np.linalg.eigh(q.T @ (v[..., None] * np.eye(len(g)) + by_prior) @ q)
    values = np.maximum(values, v.min(axis=-1)[..., None])
    z = (q.T @ (g.mean - g.design[:, held] @ at[:, 0])) @ vectors
    within = -g.df.sum() * np.log(sigma) - g.ss.sum() / sigma**2 / 2
    of_scales = model.tau.log_density(tau) + model.sigma.log_density(sigma)
    return of_scales + within - np.sum(np.log(values) + z**2 / values, axis=-1) / 2


def sizes(model, tau, sigma):
    """Root mean square of each variable given the scales: what its moments are moments of."""
    g, held = model.groups, [(c.mean, c.sd**-2.0) if c.proper else (0.0, 0.0) for c in model.coefficients]
    mean, precision = np.array(held).T
    noise, between = variances(model, tau, sigma)
    inverse = np.linalg.inv((g.design.T / (noise + between)[..., None, :]) @ g.design + np.diag(precision))
    to_data = g.mean / (noise + between) @ g.design + mean * precision
    b = np.sum(inverse * to_data[..., None, :], axis=-1)
    at, kappa = np.sum((g.design @ inverse) * g.design, axis=-1), noise / (noise + between)
    theta = ((1 - kappa) * g.mean + kappa * (b @ g.design.T)) ** 2 + kappa * between + kappa**2 * at
    new = (b @ g.design.T) ** 2 + at + between
    one = np.multiply.outer(sigma**2, g.noise_of_one)
    squares = {("tau", ""): tau**2, ("sd_between", ""): between[..., 0], ("theta", ""): theta.max(axis=-1)}
    squares |= {("new_theta", ""): new.max(axis=-1), ("new_value", ""): (theta + one).max(axis=-1)}
    squares |= {("new_group_value", ""): (new + one).max(axis=-1)}
    if "sigma" in model.unknown:
        squares["sigma", ""] = sigma**2
    for k, label in enumerate([("mu", ""), *(("beta", name) for name in g.covariates)]):
        squares[label] = b[..., k] ** 2 + inverse[..., k, k]
    return {label: np.log(square) / 2 for label, square in squares.items()}


def box(model, reach=80.0, step=1.0):
    """Scales on a grid in their logs, log of the mass at each point, and which points lie in the inner half."""
    u = np.arange(-reach, reach + step / 2, step)
    log_tau, log_sigma = np.meshgrid(u, u, indexing="ij") if "sigma" in model.unknown else (u, np.zeros_like(u))
    scales = np.exp(log_tau), np.exp(log_sigma)
    inner = np.maximum(np.abs(log_tau), np.abs(log_sigma)) <= reach / 2
    return scales, log_joint(model, *scales) + log_tau + log_sigma, inner


def exists(log_mass, inner):
    """Whether the integral has stopped growing: a power half a power from the border, or log x on it, tells."""
    mass = np.exp(log_mass - log_mass.max())
    return mass.sum() < 1.01 * mass[inner].sum()


def log_marginal(model, name, x, step=0.125):
    """Log density of the log of one scale at each x, the other integrated out."""
    if "sigma" not in model.unknown:
        return log_joint(model, x, np.ones_like(x)) + np.log(x)
    u = np.arange(-120.0, 120.0, step)
    x, other = np.broadcast_arrays(x[:, None], np.exp(u))
    pair = (other, x) if name == "sigma" else (x / other if name == "sd_between" and model.relative else x, other)
    log_mass = log_joint(model, *pair) + np.log(pair[0]) + np.log(pair[1])
    top = log_mass.max(axis=-1, keepdims=True)
    return top[:, 0] + np.log(np.exp(log_mass - top).sum(axis=-1))


def accepted(model):
    try:
        propriety.require_proper(model)
    except ValueError:
        return False
    return True


TAUS = (FLAT, FLAT_VARIANCE, InverseGamma(-0.25), HalfStudentT(0.5, 2.0), HalfCauchy(2.0), HalfNormal(3.0))
TAUS += (InverseGamma(0.5, 0.5), JEFFREYS)
FEW = (FLAT, InverseGamma(-0.25), HalfCauchy(2.0), HalfNormal(3.0), JEFFREYS)
SIGMAS = (JEFFREYS, FLAT, FLAT_VARIANCE, HalfCauchy(9.0), HalfNormal(14.0), InverseGamma(1.0, 50.0))
STEEP = (InverseGamma(-0.25), InverseGamma(0.25), InverseGamma(0.5))  # about 1/sd, on both sides of z = -1
FREE, HELD, NEAR_0 = Normal(), Normal(480.0, 15.0), Normal(10.0, 30.0)


def every(make, shapes, taus, sigmas, *coefficients, relative=True):
    """Every combination; a second coefficient is that of a covariate."""
    return [
        TwoLevel(groups=make(1, n, covariate=len(b) > 1), tau=tau, sigma=sigma, coefficients=b, relative=relative)
        for n, tau, sigma, b in product(shapes, taus, sigmas, coefficients)
    ]


FAMILIES = {
    "estimates": every(estimates, (1, 2, 3, 4), TAUS, [None], (FREE,), (NEAR_0,)),
    "estimates, slope": every(estimates, (2, 3, 4), TAUS, [None], (FREE, FREE), (FREE, NEAR_0), (NEAR_0, FREE)),
}
for name, relative in {"relative": True, "absolute": False}.items():
    of = partial(every, replicates, relative=relative)
    FAMILIES |= {
        f"rows, {name}": of([[2, 1], [3, 2], [2, 1, 1, 1]], TAUS, SIGMAS, (FREE,)),
        f"rows, {name}, held": of([[2], [2, 1, 1]], FEW, SIGMAS, (HELD,)),
        f"rows, {name}, slope": of([[2, 1, 2]], FEW, SIGMAS[::3], (FREE, FREE), (HELD, FREE)),
        f"single, {name}": of([[1, 1], [1, 1, 1, 1]], TAUS, SIGMAS + STEEP, (FREE,)),
        f"single, {name}, held": of([[1, 1, 1]], FEW, SIGMAS + STEEP, (HELD,), (HELD, FREE)),
        f"single, {name}, as many as coefficients": of([[1]], FEW, SIGMAS + STEEP, (FREE,), (HELD,))
        + of([[1, 1]], FEW, SIGMAS[::3] + STEEP, (FREE, FREE), (HELD, FREE), (FREE, NEAR_0)),
    }


def told(m):
    return f"{m.groups.df + 1}, tau {m.tau}, sigma {m.sigma}, flat {[not c.proper for c in m.coefficients]}"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_integral_exists_just_where_the_rule_says(family):
    """A model is refused if and only if its posterior still grows as the box of scales does; both occur."""
    verdicts = {model: exists(*box(model)[1:]) for model in FAMILIES[family]}
    assert [told(m) for m, proper in verdicts.items() if proper != accepted(m)] == []
    assert set(verdicts.values()) == {True, False}


@pytest.mark.parametrize("family", FAMILIES)
def test_scales_fall_with_the_powers_of_the_rule(family):
    """The marginal density of each scale, of a proper posterior, between e^40 and e^50."""
    wrong, x = [], np.exp([40.0, 50.0])
    for model in filter(accepted, FAMILIES[family]):
        for name, power in propriety.tail_exponents(model).items():
            low, high = log_marginal(model, name, x)
            slope = 1 - (high - low) / 10
            if not (slope > 100 if np.isinf(power) else abs(slope - power) < 0.1):
                wrong.append((name, slope, power, told(model)))
    assert wrong == []


@pytest.mark.parametrize("family", FAMILIES)
def test_moments_exist_just_below_the_order_of_the_rule(family):
    """E|x|^k, 0.4 on either side of the order: normal given the scales, x is as large as its root mean square."""
    wrong = []
    for model in filter(accepted, FAMILIES[family]):
        scales, log_mass, inner = box(model)
        orders = propriety.moments(model)
        for label, size in sizes(model, *scales).items():
            below, above = (orders[label] - 0.4, orders[label] + 0.4) if np.isfinite(orders[label]) else (8.0, None)
            if not exists(log_mass + below * size, inner) or (above and exists(log_mass + above * size, inner)):
                wrong.append((label, orders[label], told(model)))
    assert wrong == []


@pytest.mark.parametrize("family", FAMILIES)
def test_the_posterior_of_tau_is_its_prior_just_where_it_is_said(family):
    """The likelihood of tau, sigma integrated out, is constant or it is not."""
    x = np.exp([-2.0, -1.0, 0.0, 1.0, 2.0])
    for model in filter(accepted, FAMILIES[family]):
        log_likelihood = log_marginal(model, "tau", x) - np.log(x) - model.tau.log_density(x)
        assert (np.ptp(log_likelihood) < 1e-9) == propriety.says_nothing_of_tau(model), told(model)


FOUR = ("abcd", [1, 1, 1, 1])
DEGENERATE = {
    "equal values": Replicates.from_summary(*FOUR, [5.0] * 4, [0.0] * 4),
    "values on a line": Replicates.from_summary(*FOUR, [0, 2, 4, 6], [0.0] * 4, covariates={"x": [0, 1, 2, 3]}),
    "no spread within": Replicates.from_summary("abcd", [2, 2, 3, 2], [1.0, 3.0, 4.0, 9.0], [0.0] * 4),
}


@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_data_are_refused(name, relative):
    """Sigma would be 0: even half-Cauchy priors of both scales leave the integral growing there."""
    model = TwoLevel(groups=DEGENERATE[name], tau=HalfCauchy(1.0), sigma=HalfCauchy(1.0), relative=relative)
    assert not exists(*box(model, reach=16.0, step=0.25)[1:])
    with pytest.raises(ValueError, match="degenerate"):
        propriety.require_proper(model)


def test_estimates_that_are_all_equal_have_a_posterior():
    """Their noise is known and keeps the density finite."""
    model = TwoLevel(groups=Estimates.from_summary("abc", [5.0] * 3, [1.0, 2.0, 3.0]), tau=FLAT)
    assert exists(*box(model)[1:])
    propriety.require_proper(model)
