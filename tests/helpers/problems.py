"""Small problems of every shape, for tests that need more than the three studies."""

import numpy as np

from models import priors
from models.groups import Estimates, Replicates
from models.two_level import TwoLevel

HALF = priors.InverseGamma(0.5, 0.5)


def replicates(seed, sizes, *, covariate=False):
    """Groups of those sizes about 500, sd 7 between and 10 within; never 0 and 1, where a forgotten square hides."""
    rng = np.random.default_rng(seed)
    sizes = np.asarray(sizes)
    theta = rng.normal(500, 7, len(sizes))
    rows = [rng.normal(t, 10, n) for t, n in zip(theta, sizes, strict=True)]
    return Replicates.from_summary(
        [f"g{i}" for i in range(len(sizes))],
        sizes,
        [y.mean() for y in rows],
        [np.sum((y - y.mean()) ** 2) for y in rows],
        covariates={"x": rng.normal(size=len(sizes))} if covariate else None,
    )


def estimates(seed, count, *, covariate=False):
    """That many estimates about 20, sd 5 between, standard errors 2 to 9."""
    rng = np.random.default_rng(seed)
    se = rng.uniform(2, 9, count)
    covariates = {"x": rng.normal(size=count)} if covariate else None
    return Estimates.from_summary(
        [f"g{i}" for i in range(count)], rng.normal(20, np.hypot(5, se)), se, covariates=covariates
    )


PROBLEMS = {
    "one-way": TwoLevel(groups=replicates(1, [3, 1, 5, 2, 3, 4]), tau=HALF),
    "one-way, flat tau, covariate": TwoLevel(
        groups=replicates(2, [2, 6, 2, 3, 3, 8, 2], covariate=True), tau=priors.FLAT
    ),
    "one-way, half-Cauchy tau": TwoLevel(groups=replicates(3, [4, 4, 2, 9, 4]), tau=priors.HalfCauchy(0.7)),
    "one-way, proper mu": TwoLevel(
        groups=replicates(4, [3, 5, 2, 4, 4]), tau=HALF, coefficients=(priors.Normal(480.0, 15.0),)
    ),
    "one-way, absolute tau": TwoLevel(
        groups=replicates(5, [3, 5, 2, 4, 4]), tau=priors.HalfCauchy(8.0), relative=False
    ),
    "one-way, half-Cauchy sigma": TwoLevel(groups=replicates(6, [3, 5, 2, 4]), tau=HALF, sigma=priors.HalfCauchy(9.0)),
    "one-way, half-t tau, half-normal sigma": TwoLevel(
        groups=replicates(10, [3, 4, 2, 5, 4, 3]), tau=priors.HalfStudentT(4.0, 0.8), sigma=priors.HalfNormal(14.0)
    ),
    "estimates, half-normal tau": TwoLevel(groups=estimates(11, 4), tau=priors.HalfNormal(6.0)),
    "estimates, flat tau": TwoLevel(groups=estimates(7, 5), tau=priors.FLAT, sigma=priors.KnownScale()),
    "estimates, covariate": TwoLevel(
        groups=estimates(8, 7, covariate=True),
        tau=priors.FLAT,
        sigma=priors.KnownScale(),
        coefficients=(priors.Normal(10.0, 30.0), priors.Normal()),
    ),
    "estimates, flat tau2": TwoLevel(groups=estimates(9, 8), tau=priors.FLAT_VARIANCE, sigma=priors.KnownScale()),
}
