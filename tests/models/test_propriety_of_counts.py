"""Which models of counts have a posterior, on both sides of every border, against the density of tau itself."""

import numpy as np
import pytest

from analyses.engines import coefficient_lattices
from analyses.engines.coefficient_lattices import Kinds, approximate
from models import priors
from models.generalized_two_level import GeneralizedTwoLevel
from models.groups import Counts, Proportions
from models.propriety import ImproperPosteriorError
from models.propriety_of_counts import moments, require_proper, tail_exponent


def proportions(y, n=9, **covariates):
    return Proportions.from_summary(range(len(y)), y, np.full(len(y), n), covariates=covariates)


def counts(y, **covariates):
    return Counts.from_summary(range(len(y)), y, np.full(len(y), 2.0), covariates=covariates)


def model(groups, tau=priors.FLAT, coefficients=()):
    return GeneralizedTwoLevel(groups=groups, tau=tau, coefficients=coefficients)


@pytest.mark.parametrize(
    "groups",
    [
        proportions([1, 3, 5, 8]),
        proportions([0, 0, 3, 5, 9]),
        counts([1, 0, 7, 3]),
        proportions([1, 3, 5, 8, 0], x=[0.0, 1.0, 2.0, 3.5, 1.0]),
    ],
)
def test_the_density_of_the_data_falls_with_tau_as_the_rule_says(groups):
    flat = model(groups)
    kinds, taus = Kinds.of(flat), np.array([2e4, 4e4])
    frames = approximate(kinds, taus)
    logs = [
        coefficient_lattices.row(kinds, tau, b, root, 0.5, 1.0).log_integral
        for tau, b, root in zip(taus, frames.b, frames.root, strict=True)
    ]
    # What is not a power of tau is a few times 1/tau: L_i is as wide as a unit or ten.
    assert -np.diff(logs)[0] / np.log(2) == pytest.approx(tail_exponent(flat), abs=1e-2)


@pytest.mark.parametrize(
    ("groups", "tau", "proper"),
    [
        (proportions([1, 3, 5]), priors.FLAT, True),
        (proportions([0, 3, 5]), priors.FLAT, False),  # two groups inside, a flat coefficient: the power is 1
        (proportions([0, 3, 5]), priors.HalfCauchy(1.0), True),
        (proportions([0, 3]), priors.HalfCauchy(1.0), True),
        (proportions([0, 0, 0]), priors.HalfNormal(1.0), False),  # mu goes to minus infinity
        (proportions([0, 9, 0]), priors.HalfNormal(1.0), True),  # held from both sides, though none is inside
        (proportions([0, 9, 9]), priors.HalfCauchy(1.0), False),  # held, but too few for the prior
        (counts([0, 0]), priors.HalfNormal(1.0), False),
        (counts([0, 1]), priors.HalfNormal(1.0), True),
        (counts([0, 1, 4]), priors.FLAT, False),
        (counts([2, 1, 4]), priors.FLAT, True),
        (proportions([1, 3, 5]), priors.JEFFREYS, False),  # piles up at 0
        (proportions([1, 3, 5]), priors.BoundedUniform(5.0), True),
        (proportions([1, 3, 0, 0], treated=[0, 0, 1, 1]), priors.HalfNormal(1.0), False),
        (proportions([1, 3, 0, 9], treated=[0, 0, 1, 1]), priors.HalfNormal(1.0), True),
        (proportions([1, 3, 0, 2], treated=[0, 0, 1, 1]), priors.HalfNormal(1.0), True),
        (proportions([9, 9, 0, 0], x=[0.0, 1.0, 2.0, 3.0]), priors.HalfNormal(1.0), False),  # told apart completely
        (proportions([9, 0, 9, 0], x=[0.0, 1.0, 2.0, 3.0]), priors.HalfNormal(1.0), True),
    ],
)
def test_proper_or_not(groups, tau, proper):
    if proper:
        require_proper(model(groups, tau))
    else:
        with pytest.raises(ImproperPosteriorError, match=r"the posterior is improper: .*; (give|leave)|give mu"):
            require_proper(model(groups, tau))


def test_a_proper_prior_of_the_coefficients_that_separate_groups_is_enough():
    groups = proportions([1, 3, 0, 0], treated=[0, 0, 1, 1])
    require_proper(model(groups, priors.HalfNormal(1.0), (priors.Normal(), priors.Normal(0.0, 2.5))))


def test_separation_is_told_by_its_covariate():
    groups = proportions([1, 3, 0, 0], year=[2000.0, 2001.0, 2000.0, 2001.0], treated=[0, 0, 1, 1])
    with pytest.raises(ImproperPosteriorError, match="the coefficient of 'treated' may go to minus infinity"):
        require_proper(model(groups, priors.HalfNormal(1.0)))


def test_moments_of_a_group_at_an_end_go_with_tau():
    order = moments(model(proportions([0, 3, 5, 4]), priors.HalfCauchy(1.0)))
    assert order["theta", "0"] == order["tau", ""] == order["mu", ""] == 3.0
    assert ("theta", "1") not in order  # all exist
