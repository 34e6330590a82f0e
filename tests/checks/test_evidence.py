"""Bayes factors of tau = 0: against integrals of the likelihood written out, and refused where they have no value."""

import numpy as np
import pytest
from helpers.brute import Brute
from helpers.conflicts import normal_scores
from helpers.problems import PROBLEMS, estimates
from scipy import stats
from scipy.integrate import quad

from analyses import fit
from analyses.checks import evidence
from analyses.engines import exact
from models import eight_schools, priors
from models.groups import Estimates
from models.two_level import TwoLevel

PROPER = [name for name, model in PROBLEMS.items() if model.tau.proper]


def test_eight_schools_by_adaptive_quadrature():
    """p(y | tau), mu ~ N(0, 5^2) integrated out in closed form, averaged over a half-Cauchy prior, and at tau = 0."""
    model = eight_schools.weakly_informative()
    y, se = model.groups.mean, model.groups.standard_error

    def likelihood(tau):
        return stats.multivariate_normal(np.zeros(8), np.diag(se**2 + tau**2) + 25).pdf(y)

    average = sum(
        quad(lambda tau: likelihood(tau) * stats.halfcauchy.pdf(tau, scale=5.0), a, b, epsabs=0, epsrel=1e-12)[0]
        for a, b in ((0.0, 5.0), (5.0, 50.0), (50.0, np.inf))
    )
    found = evidence.by_scale(model, np.array([1.0]))["bayes_factor"].iloc[0]
    assert found == pytest.approx(likelihood(0.0) / average, rel=1e-10)


@pytest.mark.parametrize("name", PROPER)
def test_small_problems_by_a_sum_over_the_whole_range(name):
    """The brute-force sum has no closed forms. Its tau = 0 is HalfNormal(1e-9), where all is as at 0."""
    model = PROBLEMS[name]
    without, truth = (Brute(m).log_total + constant(m) for m in (with_tau(model, priors.HalfNormal(1e-9)), model))
    found = evidence.by_scale(model, np.array([1.0]))["log_bayes_factor"].iloc[0]
    assert found == pytest.approx(without - truth, abs=1e-8)


def with_tau(model, tau):
    return TwoLevel(
        groups=model.groups, tau=tau, sigma=model.sigma, coefficients=model.coefficients, relative=model.relative
    )


def constant(model):
    """Log of the constant of tau's prior, which the brute-force sum leaves out: by its integral over the log."""
    log = np.linspace(-60, 60, 2_000_001)
    from helpers.priors import log_kernel

    scale = np.log(model.tau.size)
    height = log_kernel(model.tau, log + scale) + log + scale
    return -np.log(np.sum(np.exp(height - height.max())) * (log[1] - log[0])) - height.max()


@pytest.mark.parametrize("name", PROPER)
def test_many_priors_on_one_lattice_are_as_each_by_itself(name):
    """Scales from a thirtieth to thirty times as large; each has a lattice of its own in `log_evidence`."""
    model, factors = PROBLEMS[name], np.geomspace(1 / 30, 30, 9)
    together = evidence.by_scale(model, factors)["log_bayes_factor"].to_numpy()
    alone = [
        exact.log_evidence_without_spread(model) - exact.log_evidence(with_tau(model, model.tau.scaled(1 / factor)))
        for factor in factors
    ]
    assert together == pytest.approx(alone, abs=1e-8)


def test_a_uniform_prior():
    """p(y | tau) of three estimates, mu ~ N(20, 10^2), averaged over tau from 0 to the end, for several ends."""
    groups, mu = estimates(3, 3), priors.Normal(20.0, 10.0)
    y, se = groups.mean, groups.standard_error

    def likelihood(tau):
        return stats.multivariate_normal(np.full(3, 20.0), np.diag(se**2 + tau**2) + 100).pdf(y)

    model, factors = TwoLevel(groups=groups, tau=priors.BoundedUniform(4.0), coefficients=(mu,)), np.array([0.25, 1, 8])
    found = evidence.by_scale(model, factors)["bayes_factor"].to_numpy()
    ends = 4.0 * factors
    average = [quad(likelihood, 0, end, epsabs=0, epsrel=1e-12)[0] / end for end in ends]
    assert found == pytest.approx(likelihood(0.0) / np.array(average), rel=1e-10)


def test_an_improper_prior_is_refused():
    model = TwoLevel(groups=estimates(1, 8), tau=priors.FLAT)
    with pytest.raises(ValueError, match=r"has no value: the prior Uniform\(\) of tau is improper"):
        evidence.by_scale(model)


def test_units_of_the_table_change_no_bayes_factor():
    """Estimates in thousandths, with the prior in thousandths: the same factors, and priors in these units."""
    schools = {
        "school": list("ABCDEFGH"),
        "estimate": [28, 8, -3, 7, -1, 1, 18, 12],
        "se": [15, 10, 16, 11, 9, 11, 10, 18],
    }
    small = schools | {name: np.array(schools[name]) / 1000 for name in ("estimate", "se")}
    found = [
        fit(table, label="school", estimate="estimate", se="se", priors={"tau": prior}).bayes_factor()
        for table, prior in ((schools, "HalfCauchy(5)"), (small, "HalfCauchy(0.005)"))
    ]
    assert found[0].index[3] == "tau ~ HalfCauchy(5)"
    assert found[1].index[3] == "tau ~ HalfCauchy(0.005)"
    assert found[0].to_numpy() == pytest.approx(found[1].to_numpy(), rel=1e-9)


def test_priors_that_the_peaks_move_between():
    """Fifty precise estimates that agree, ten imprecise ones that do not: a wide prior of tau moves its posterior far.

    At the middle prior's narrow peak nothing shows the wide one's. Each is compared with a lattice of its own.
    """
    ten = normal_scores(10)
    mean, se = np.concatenate([0.005 * normal_scores(50), 10 * ten / ten.std()]), np.repeat([0.01, 1.0], [50, 10])
    groups = Estimates.from_summary([str(i) for i in range(60)], mean, se)
    model, factors = TwoLevel(groups=groups, tau=priors.HalfNormal(0.02)), np.geomspace(1 / 32, 32, 21)
    together = evidence.by_scale(model, factors)["log_bayes_factor"].to_numpy()
    alone = [exact.log_evidence(with_tau(model, model.tau.scaled(1 / factor))) for factor in factors]
    assert together == pytest.approx(exact.log_evidence_without_spread(model) - np.array(alone), abs=1e-8)
