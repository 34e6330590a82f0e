"""Tables whose parts disagree, so that the posterior of log tau may have several peaks with valleys of every depth.

    model, description = conflict(np.random.default_rng(1))

Each kind of conflict leaves one amount of disagreement free: the spread of the imprecise groups, or the distance of mu
from its prior. The amount is chosen so that the peak at large tau is higher than the one at small tau by a number of
e-folds that is uniform from -12 to 12, as far as the model lets it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from helpers.brute import Brute
from models import priors, propriety
from models.groups import Estimates, Replicates
from models.two_level import TwoLevel

E_FOLDS = 12.0  # of difference between the heights of two peaks
AMOUNTS = (-2.0, 12.0)  # logs of the amounts of disagreement that are tried
HALVINGS = 30
LEAST_FALL = 2.5


@dataclass(frozen=True)
class Conflict:
    """A model that is complete but for an amount of disagreement, and log tau between its two peaks."""

    model: Callable[[float], TwoLevel]
    between: float
    description: str


def normal_scores(count):
    """Normal quantiles of (i - 1/2) / count."""
    return ndtri((np.arange(1, count + 1) - 0.5) / count)


def sixty(factor):
    """Fifty precise estimates that agree, ten imprecise ones that spread; flat tau.

    The posterior mean of tau is 1.192 for the factor 7.1 and 2.512 for 7.15.
    """
    ten = normal_scores(10)
    estimates = np.concatenate([0.02 * normal_scores(50), factor * ten / ten.std()])
    errors = np.repeat([0.01, 1.0], [50, 10])
    return TwoLevel(groups=Estimates.from_summary(range(60), estimates, errors), tau=priors.FLAT)


def conflict(rng):
    """Draw a conflict.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    model : TwoLevel
    description : str
    """
    while True:
        kind = KINDS[rng.integers(len(KINDS))]
        drawn, target = kind(rng), rng.uniform(-E_FOLDS, E_FOLDS)
        model = tuned(drawn, target)
        if propriety.tail_exponents(model)["tau"] >= LEAST_FALL:
            propriety.require_proper(model)
            return model, f"{drawn.description}; peaks {target:+.1f}"


def tuned(drawn, target):
    """The model whose peak above `between` is that much higher than the one below it, by bisection."""
    low, high = AMOUNTS
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if excess(drawn.model(np.exp(middle)), drawn.between) < target:
            low = middle
        else:
            high = middle
    return drawn.model(np.exp(high))


def excess(model, between):
    """Log of how much higher the density of log tau gets above `between` than below it."""
    brute = Brute(model)
    log_tau = between + np.arange(-14, 14, 0.25)
    heights = profile(brute, log_tau)
    return heights[log_tau >= between].max() - heights[log_tau <= between].max()


def profile(brute, log_tau):
    """Log density of log tau at several points, up to a constant; sigma is summed over a coarse lattice."""
    if brute.known:
        return brute.heights(log_tau)
    g = brute.model.groups
    df, ss = g.within
    log_sigma = np.log(ss / df) / 2 + np.linspace(-8, 8, 65) / np.sqrt(df)
    return np.logaddexp.reduce(brute.heights(log_tau[:, None], log_sigma), axis=1)


# Populations of groups


def tables(rng, precise, spread, *, covariate):
    """A function of the amount of disagreement: precise groups with a small spread, others spread by that amount.

    Parameters
    ----------
    precise : ndarray (J,) of bool
    spread : float
        Of the precise groups.

    Returns
    -------
    means : callable
    covariates : dict or None
    """
    few = int(np.sum(~precise))
    order = rng.permutation(few) if rng.random() < 0.5 else np.arange(few)
    scores = normal_scores(few)[order] * np.exp(0.2 * rng.standard_normal(few))
    near, centre = spread * rng.standard_normal(len(precise)), rng.choice([0.0, rng.normal(0, 5), 500.0])

    def means(amount):
        out = centre + near
        out[~precise] = centre + amount * scores / np.std(scores)
        return out

    if not covariate:
        return means, None
    x = precise + rng.standard_normal(len(precise)) * rng.choice([0.1, 1.0])
    return means, {"x": rng.choice([1.0, 20.0]) * x + rng.choice([0.0, 100.0])}


def populations(rng):
    """Which groups are precise, in a random order one time in two."""
    precise = np.repeat([True, False], [few_or_many(rng, 3, 61), few_or_many(rng, 3, 21)])
    return rng.permutation(precise) if rng.random() < 0.5 else precise


def few_or_many(rng, low, high):
    """A whole number from low to below high, even in its log."""
    return int(np.exp(rng.uniform(np.log(low), np.log(high))))


def any_prior(rng, unit):
    """A prior of a scale that leaves room for several peaks; `unit` is a scale that tau may have."""
    return [
        priors.FLAT,
        priors.FLAT_VARIANCE,
        priors.HalfCauchy(unit * np.exp(rng.normal())),
        priors.HalfStudentT(4.0, unit * np.exp(rng.normal())),
        priors.InverseGamma(0.5, 0.5 * unit**2),
        priors.InverseGamma(0.01, 0.01 * unit**2),
    ][rng.integers(6)]


def maybe_proper(rng, mean, sd):
    """A prior of mu: flat in most cases."""
    return priors.Normal(mean + sd * rng.standard_normal(), 3 * sd) if rng.random() < 0.25 else priors.Normal()


# Kinds of conflict


def precise_against_imprecise(rng):
    """Precise estimates agree, imprecise ones do not."""
    precise, covariate = populations(rng), bool(rng.random() < 0.4)
    error, ratio = np.exp(rng.normal(-3, 1)), np.exp(rng.uniform(1.2, 6))
    spread = error * rng.uniform(0.5, 3)
    errors = np.where(precise, error, error * ratio) * np.exp(0.1 * rng.standard_normal(len(precise)))
    means, covariates = tables(rng, precise, spread, covariate=covariate)
    tau = any_prior(rng, error * np.sqrt(ratio))
    mu = maybe_proper(rng, means(0.0).mean(), error * ratio)

    def model(amount):
        groups = Estimates.from_summary(
            range(len(precise)), means(amount * error * ratio), errors, covariates=covariates
        )
        return TwoLevel(groups=groups, tau=tau, coefficients=(mu, *covariate * [priors.Normal()]))

    middle = np.log(spread) + np.log(ratio) / 2
    return Conflict(model, middle, f"{describe(precise)} estimates, errors 1:{ratio:.0f}, tau {tau}")


def three_precisions(rng):
    """Three populations of estimates, each coarser and wider spread than the one before."""
    counts = [few_or_many(rng, 6, 41), few_or_many(rng, 4, 16), few_or_many(rng, 3, 11)]
    ratios = np.exp(rng.uniform(2, 5, 2))
    error = np.exp(rng.normal(-3, 1)) * np.concatenate([[1.0], np.cumprod(ratios)])
    errors, tau = np.repeat(error, counts), any_prior(rng, error[1])
    scores = [normal_scores(count) / np.std(normal_scores(count)) for count in counts]
    near = error[0] * rng.uniform(0.5, 2) * scores[0]
    farthest = rng.uniform(-E_FOLDS / 2, E_FOLDS / 2)

    def table(*parts):
        count = sum(map(len, parts))
        return TwoLevel(groups=Estimates.from_summary(range(count), np.concatenate(parts), errors[:count]), tau=tau)

    def inner(amount):
        return table(near, amount * error[1] * scores[1])

    steps = np.log(error) + 0.5 * np.log(np.append(ratios, 1.0))

    def with_two(middle):
        return lambda amount: table(near, middle, amount * error[2] * scores[2])

    # The imprecise groups raise the density at large tau, which the second peak has to make up for.
    first = tuned(Conflict(inner, steps[0], ""), farthest).groups.mean[counts[0] :]
    middle = first * rng.uniform(0.9, 1.02)
    return Conflict(with_two(middle), steps[1], f"{counts} estimates, errors 1:{ratios.round()}, tau {tau}")


def prior_against_data(rng):
    """A prior of tau far below the spread of the estimates."""
    count, error = few_or_many(rng, 4, 61), np.exp(rng.normal(0, 1))
    scale = error * np.exp(rng.uniform(-4, 0))
    tau = [
        priors.InverseGamma(24.0, 24 * scale**2),
        priors.InverseGamma(44.0, 44 * scale**2),
        priors.InverseGamma(rng.uniform(3, 30), 10 * scale**2),
        priors.HalfNormal(scale * 10),
        priors.HalfStudentT(4.0, scale),
    ][rng.integers(5)]
    errors = error * np.exp(rng.choice([0.0, 0.5]) * rng.standard_normal(count))
    precise = rng.random(count) < 0.3
    precise[:3] = False
    means, covariates = tables(rng, precise, error, covariate=bool(rng.random() < 0.4))

    def model(amount):
        groups = Estimates.from_summary(range(count), means(amount * error), errors, covariates=covariates)
        return TwoLevel(groups=groups, tau=tau)

    return Conflict(model, np.log(scale * error) / 2 + 0.5, f"{count} estimates, tau {tau}")


def mu_against_data(rng):
    """A prior of mu far from estimates that agree: tau is small, or it explains the distance."""
    count, error = rng.integers(4, 16), np.exp(rng.normal(0, 1))
    errors = error * np.exp(0.3 * rng.standard_normal(count))
    near, side = error * rng.uniform(0.1, 1) * rng.standard_normal(count), rng.choice([-1.0, 1.0])
    width = error * np.exp(rng.uniform(0, 3))
    tau = [priors.HalfCauchy(error), priors.HalfNormal(9 * width), priors.InverseGamma(2.0, 0.2 * error**2)]
    tau = tau[rng.integers(3)]

    def model(amount):
        groups = Estimates.from_summary(range(count), near, errors)
        return TwoLevel(groups=groups, tau=tau, coefficients=(priors.Normal(side * amount * error, width),))

    description = f"{count} estimates far from the prior of mu, sd {width / error:.2g} errors, tau {tau}"
    return Conflict(model, np.log(width * np.sqrt(count)), description)


def rows_of_two_sizes(rng):
    """Groups of many rows agree, groups of few rows do not; sigma is unknown."""
    precise, covariate, relative = populations(rng), bool(rng.random() < 0.3), bool(rng.random() < 0.95)
    sd, mu, most = np.exp(rng.normal(1, 1)), bool(rng.random() < 0.05), 1000
    sigma = rows_sigma(rng, sd)
    if not (relative and isinstance(sigma, priors.InverseGamma)) or mu:  # a lattice of two scales: rows cost nodes
        precise, most = precise[:8], 31
        precise[:6] = np.arange(6) % 2
    sizes = np.where(precise, few_or_many(rng, 10, most), rng.integers(1, 4))
    few = np.sqrt(sizes.max())
    ss = sd**2 * rng.chisquare(np.maximum(sizes - 1, 1)) * (sizes > 1)
    spread = sd / few * rng.uniform(0.5, 3)
    means, covariates = tables(rng, precise, spread, covariate=covariate)
    unit = sd if relative else 1.0
    tau = any_prior(rng, sd / np.sqrt(few) / unit)
    mu = priors.Normal(means(0.0).mean() + sd * rng.standard_normal(), 3 * sd) if mu else priors.Normal()

    def model(amount):
        groups = Replicates.from_summary(range(len(precise)), sizes, means(amount * sd), ss, covariates=covariates)
        coefficients = (mu, *covariate * [priors.Normal()])
        return TwoLevel(groups=groups, tau=tau, sigma=sigma, relative=relative, coefficients=coefficients)

    middle, kind = np.log(spread / unit) + np.log(few) / 2, "relative" if relative else "absolute"
    description = f"{describe(precise)} groups of {sizes.max()} and {sizes.min()} rows, {kind} tau {tau}, sigma {sigma}"
    return Conflict(model, middle, description)


def prior_against_rows(rng):
    """A prior of tau far below the spread of the means of groups of rows; few rows, so that sigma has a part in it."""
    count, relative = few_or_many(rng, 5, 21), bool(rng.random() < 0.95)
    sizes = rng.integers(1, rng.choice([6, 20]), count) + (np.arange(count) < 2)
    sd = np.exp(rng.normal(1, 1))
    ss = sd**2 * rng.chisquare(np.maximum(sizes - 1, 1)) * (sizes > 1)
    unit, error = 1.0 if relative else sd, 1 / np.sqrt(sizes.mean())
    scale = unit * error * np.exp(rng.uniform(-4, -0.5))
    powers = [priors.InverseGamma(shape, shape * scale**2) for shape in (6.0, 24.0, 44.0)]
    tau, sigma = [*powers, priors.HalfNormal(scale)][rng.integers(4)], rows_sigma(rng, sd)
    precise = np.zeros(count, dtype=bool)
    means, covariates = tables(rng, precise, sd * error, covariate=bool(rng.random() < 0.3))

    def model(amount):
        groups = Replicates.from_summary(range(count), sizes, means(amount * sd * error), ss, covariates=covariates)
        return TwoLevel(groups=groups, tau=tau, sigma=sigma, relative=relative)

    kind = "relative" if relative else "absolute"
    description = f"{count} groups of rows, {kind} tau {tau}, sigma {sigma}"
    return Conflict(model, np.log(scale * unit * error) / 2 + 0.5, description)


def rows_sigma(rng, sd):
    """A prior of sigma for rows with that sd: one time in twelve one that leaves sigma to the lattice."""
    if rng.random() < 1 / 12:
        return [priors.HalfCauchy(sd * np.exp(rng.normal())), priors.HalfNormal(3 * sd)][rng.integers(2)]
    return [priors.JEFFREYS, priors.FLAT, priors.InverseGamma(2.0, 2 * sd**2)][rng.integers(3)]


def describe(precise):
    """How many groups are precise, and how many are not."""
    return f"{precise.sum()} precise and {(~precise).sum()} imprecise"


KINDS = (
    precise_against_imprecise,
    precise_against_imprecise,
    three_precisions,
    prior_against_data,
    prior_against_data,
    mu_against_data,
    three_precisions,
    mu_against_data,
    rows_of_two_sizes,
    rows_of_two_sizes,
    prior_against_rows,
)
