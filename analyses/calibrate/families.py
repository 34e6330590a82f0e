"""The families that are calibrated: small designs, for they have the power, and every kind of prior."""

import numpy as np

from analyses.calibrate import one_group, three_level, two_level, unequal_variances
from analyses.calibrate.family import Family
from models import eight_schools, priors
from models.groups import Estimates, Replicates
from models.one_group import OneGroup
from models.three_level import ThreeLevel
from models.two_level import TwoLevel
from models.unequal_variances import OwnVariances

COMMON = ("exact", "gibbs", "nuts")
MOST = (*COMMON, "one at a time", "metropolis")
HALF = priors.InverseGamma(0.5, 0.5)
LOG_TAU = ((-5.0, 14.0, 0.1),)  # an InverseGamma(1/2, 1/2) of tau^2 has tails like a Cauchy's

STORIES = {
    "one way": "y_ij ~ N(theta_i, sigma²), theta_i ~ N(mu, tau² sigma²), tau² ~ InverseGamma(1/2, 1/2)",
    "trial": "the same with theta_i ~ N(mu + beta x_i, tau² sigma²)",
    "half-Cauchy": "one way with tau ~ HalfCauchy(1), the default of a table of one's own",
    "absolute": "y_ij ~ N(theta_i, sigma²), theta_i ~ N(mu, tau²), all priors proper: mu ~ N(500, 10²), tau ~ "
    "HalfNormal(8), sigma² ~ InverseGamma(5, 500)",
    "schools": "y_j ~ N(theta_j, se_j²), theta_j ~ N(mu, tau²), p(mu, tau) = 1 for tau below 30",
    "weakly informative": "the same with mu ~ N(500, 5²) and tau ~ HalfCauchy(5)",
    "baseball": "equal standard errors, p(mu, tau²) = 1 for tau² below 6²",
    "normal": "y_j ~ N(theta, sigma²), theta ~ N(500, 0.5² sigma²), sigma² ~ InverseGamma(2, 200)",
    "classrooms": "theta_ij ~ N(mu_i, tau²), mu_i ~ N(lambda, kappa²), p(tau²) = p(kappa²) = 1 below 15² and 25²",
    "own variances": "y_ij ~ N(theta_i, sigma_i²), sigma_i² ~ InverseGamma(nu/2, nu s²/2), flat sd between groups "
    "to 20",
}


def _rows(sizes=(2, 3, 8, 2, 5, 3), *, dim="group", **covariates) -> Replicates:
    """Groups of those sizes; their data are not looked at, but some models refuse groups without any spread."""
    labels, ones = [f"g{i}" for i in range(len(sizes))], np.ones(len(sizes))
    return Replicates.from_summary(labels, sizes, ones, ones, covariates=covariates, dim=dim)


MODELS = {
    "one way": TwoLevel(groups=_rows(), tau=HALF),
    "trial": TwoLevel(groups=_rows((2, 3, 8, 4, 2, 5, 3, 2), x=(0, 0, 0, 0, 1, 1, 1, 1)), tau=HALF),
    "half-Cauchy": TwoLevel(groups=_rows(), tau=priors.HalfCauchy(1.0)),
    "absolute": TwoLevel(
        groups=_rows(),
        tau=priors.HalfNormal(8.0),
        sigma=priors.InverseGamma(5.0, 500.0),
        coefficients=(priors.Normal(500.0, 10.0),),
        relative=False,
    ),
    "schools": eight_schools.model(),
    "weakly informative": eight_schools.model(tau=priors.HalfCauchy(5.0), mu=priors.Normal(500.0, 5.0)),
    "baseball": TwoLevel(
        groups=Estimates.from_summary([f"g{i}" for i in range(8)], np.zeros(8), [6.0] * 8), tau=priors.FLAT_VARIANCE
    ),
    "normal": OneGroup(n=6, mean=0.0, ss=0.0, mu=500.0, tau=0.5, alpha=2.0, beta=200.0),
    "classrooms": ThreeLevel(
        classrooms=_rows((2, 3, 5, 2, 4, 3, 2, 6), dim="classroom"),
        school=np.array([0, 0, 1, 2, 3, 3, 4, 5]),
        schools=tuple("ABCDEF"),
    ),
    "own variances": OwnVariances(_rows((3, 4, 8, 3, 5, 6))),
}
KINDS = {OneGroup: one_group, TwoLevel: two_level, ThreeLevel: three_level, OwnVariances: unequal_variances}


def _family(name, **design) -> Family:
    return Family(name=name, story=STORIES[name], model=MODELS[name], kind=KINDS[type(MODELS[name])], **design)


FAMILIES = {
    family.name: family
    for family in (
        _family("one way", reach=LOG_TAU, engines=MOST),
        _family("trial", reach=LOG_TAU),
        _family("half-Cauchy", reach=((-12.0, 14.0, 0.1),)),
        _family("absolute", reach=((-8.0, 4.0, 0.15), (1.2, 4.5, 0.1)), engines=(*COMMON, "one at a time")),
        _family("schools", limits={"tau2": (0.0, 30.0**2)}, reach=((-6.0, 3.6, 0.1),), thin=8, engines=MOST),
        _family("weakly informative", reach=((-10.0, 16.0, 0.1),), thin=8),
        _family("baseball", limits={"tau2": (0.0, 6.0**2)}, reach=((-5.0, 2.0, 0.1),), engines=(*COMMON, "direct")),
        _family("normal", thin=1),
        _family(
            "classrooms",
            limits={"sigma2": (5.0**2, 20.0**2), "tau2": (0.0, 15.0**2), "kappa2": (0.0, 25.0**2)},
            reach=((-3.5, 1.2, 0.12), (-3.5, 1.7, 0.12)),
            thin=8,
        ),
        _family(
            "own variances",
            limits={"between2": (0.0, 20.0**2), "s2": (5.0**2, 20.0**2)},
            thin=8,
            engines=("gibbs", "nuts"),
            joint_step=("nu", "sigma2"),  # nu is drawn with sigma_i integrated out
        ),
    )
}
