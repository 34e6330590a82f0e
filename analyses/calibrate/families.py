"""The families that are calibrated: small designs, for they have the power, and every kind of prior."""

import numpy as np

from analyses.calibrate import one_group, three_level, two_level, unequal_variances
from models import eight_schools, priors
from models.groups import Estimates, Replicates
from models.one_group import OneGroup
from models.three_level import ThreeLevel
from models.two_level import TwoLevel
from models.unequal_variances import OwnVariances

HALF = priors.InverseGamma(0.5, 0.5)
SIZES = (2, 3, 8, 2, 5, 3)  # rows of groups


def _rows(sizes=SIZES, *, dim="group", **covariates) -> Replicates:
    """Groups of those sizes; their data, which some models look at, stand for none."""
    labels, blank = [f"g{i}" for i in range(len(sizes))], np.ones(len(sizes))
    return Replicates.from_summary(labels, sizes, blank, blank, covariates=covariates, dim=dim)


def _estimates(errors) -> Estimates:
    return Estimates.from_summary([f"g{i}" for i in range(len(errors))], np.zeros(len(errors)), errors)


def _schools(**others) -> TwoLevel:
    return eight_schools.model(**others)


RELATIVE = ((-5.0, 14.0, 0.1),)  # log tau: an InverseGamma(1/2, 1/2) of its square has tails like a Cauchy's

FAMILIES = {
    family.name: family
    for family in (
        two_level.Family(
            name="one way",
            story="y_ij ~ N(theta_i, sigma²), theta_i ~ N(mu, tau² sigma²), tau² ~ InverseGamma(1/2, 1/2)",
            model=TwoLevel(groups=_rows(), tau=HALF),
            reach=RELATIVE,
            more=("one at a time", "metropolis"),
        ),
        two_level.Family(
            name="trial",
            story="the same with theta_i ~ N(mu + beta x_i, tau² sigma²)",
            model=TwoLevel(groups=_rows((2, 3, 8, 4, 2, 5, 3, 2), x=(0, 0, 0, 0, 1, 1, 1, 1)), tau=HALF),
            reach=RELATIVE,
        ),
        two_level.Family(
            name="half-Cauchy",
            story="one way with tau ~ HalfCauchy(1), the default of a table of one's own",
            model=TwoLevel(groups=_rows(), tau=priors.HalfCauchy(1.0)),
            reach=((-12.0, 14.0, 0.1),),
        ),
        two_level.Family(
            name="absolute",
            story="y_ij ~ N(theta_i, sigma²), theta_i ~ N(mu, tau²), all priors proper: mu ~ N(500, 10²), tau ~ "
            "HalfNormal(8), sigma² ~ InverseGamma(5, 500)",
            model=TwoLevel(
                groups=_rows(),
                tau=priors.HalfNormal(8.0),
                sigma=priors.InverseGamma(5.0, 500.0),
                coefficients=(priors.Normal(500.0, 10.0),),
                relative=False,
            ),
            reach=((-8.0, 4.0, 0.15), (1.2, 4.5, 0.1)),
            more=("one at a time",),
        ),
        two_level.Family(
            name="schools",
            story="y_j ~ N(theta_j, se_j²), theta_j ~ N(mu, tau²), p(mu, tau) = 1 for tau below 30",
            model=_schools(),
            box={"tau2": (0.0, 30.0**2)},
            reach=((-6.0, 3.6, 0.1),),
            thin=8,
            more=("one at a time", "metropolis"),
        ),
        two_level.Family(
            name="weakly informative",
            story="the same with mu ~ N(500, 5²) and tau ~ HalfCauchy(5)",
            model=_schools(tau=priors.HalfCauchy(5.0), mu=priors.Normal(500.0, 5.0)),
            reach=((-10.0, 16.0, 0.1),),
            thin=8,
        ),
        two_level.Family(
            name="baseball",
            story="equal standard errors, p(mu, tau²) = 1 for tau² below 6²",
            model=TwoLevel(groups=_estimates([6.0] * 8), tau=priors.FLAT_VARIANCE),
            box={"tau2": (0.0, 6.0**2)},
            reach=((-5.0, 2.0, 0.1),),
            more=("direct",),
        ),
        one_group.Family(
            name="normal",
            story="y_j ~ N(theta, sigma²), theta ~ N(500, 0.5² sigma²), sigma² ~ InverseGamma(2, 200)",
            model=OneGroup(n=6, mean=0.0, ss=0.0, mu=500.0, tau=0.5, alpha=2.0, beta=200.0),
        ),
        three_level.Family(
            name="classrooms",
            story="theta_ij ~ N(mu_i, tau²), mu_i ~ N(lambda, kappa²), p(tau²) = p(kappa²) = 1 below 15² and 25²",
            model=ThreeLevel(
                classrooms=_rows((2, 3, 5, 2, 4, 3, 2, 6), dim="classroom"),
                school=np.array([0, 0, 1, 2, 3, 3, 4, 5]),
                schools=tuple("ABCDEF"),
            ),
            box={"sigma2": (5.0**2, 20.0**2), "tau2": (0.0, 15.0**2), "kappa2": (0.0, 25.0**2)},
            reach=((-3.5, 1.2, 0.12), (-3.5, 1.7, 0.12)),
        ),
        unequal_variances.Family(
            name="own variances",
            story="y_ij ~ N(theta_i, sigma_i²), sigma_i² ~ InverseGamma(nu/2, nu s²/2), flat sd between groups to 20",
            model=OwnVariances(_rows((3, 4, 8, 3, 5, 6))),
            box={"between2": (0.0, 20.0**2), "s2": (5.0**2, 20.0**2)},
        ),
    )
}
