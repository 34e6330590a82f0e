"""Priors are densities of the sd, proper ones integrate to one, and the rule of propriety draws the border right."""

import re

import numpy as np
import pytest
from helpers.priors import PROPER, SCALES, log_kernel
from helpers.problems import estimates, replicates
from mpmath import mp, mpf
from scipy.integrate import quad
from scipy.stats import expon, halfcauchy, halfnorm, invgamma, norm, t as student_t, uniform

from models import priors, propriety, spellings
from models.groups import Estimates, Replicates
from models.spellings import SPELLINGS
from models.two_level import TwoLevel

SD = np.array([0.03, 0.4, 1.0, 7.0, 300.0])


@pytest.mark.parametrize(
    ("prior", "expected"),
    [
        (priors.InverseGamma(1.3, 2.1), invgamma(1.3, scale=2.1).logpdf(SD**2) + np.log(2 * SD)),
        (priors.HalfCauchy(5.0), halfcauchy(scale=5).logpdf(SD)),
        (priors.HalfStudentT(1.0, 5.0), np.log(2) + student_t(1, scale=5).logpdf(SD)),
        (priors.HalfStudentT(4.0, 0.3), np.log(2) + student_t(4, scale=0.3).logpdf(SD)),
        (priors.HalfStudentT(30.0, 11.0), np.log(2) + student_t(30, scale=11).logpdf(SD)),
        (priors.HalfNormal(5.0), halfnorm(scale=5).logpdf(SD)),
        (priors.Exponential(5.0), expon(scale=5).logpdf(SD)),
        (priors.BoundedUniform(5.0), uniform(0, 5).logpdf(SD)),
    ],
    ids=str,
)
def test_a_prior_is_a_density_of_the_sd(prior, expected):
    assert prior.log_density(SD) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("prior", SCALES, ids=str)
def test_a_density_is_that_of_the_tests(prior):
    """Up to a constant, at 30 digits."""
    kernel = np.array([float(log_kernel(prior, mp.log(sd))) for sd in SD])
    constant = prior.log_density(1.0) - float(log_kernel(prior, mpf(0)))
    assert prior.log_density(SD) == pytest.approx(kernel + constant, rel=1e-12, abs=1e-12)
    assert log_kernel(prior, np.log(SD)) == pytest.approx(kernel, rel=1e-12)


@pytest.mark.parametrize("prior", [*SCALES, priors.KnownScale()], ids=str)
def test_a_slope_is_the_derivative_of_the_log_density(prior):
    with mp.workdps(30):
        expected = [float(mp.diff(lambda sd: log_kernel(prior, mp.log(sd)), mpf(float(sd)))) for sd in SD]
    assert prior.slope(SD) == pytest.approx(np.array(expected), rel=1e-13)


@pytest.mark.parametrize("prior", [priors.Normal(1.0, 2.0), priors.Normal(-3.0, 0.1), priors.FLAT_COEFFICIENT], ids=str)
def test_a_slope_of_a_coefficient(prior):
    """Of -(x - mean)^2 / (2 sd^2); 0 where it is flat."""
    x = np.array([-2.0, 0.0, 1.0, 5.0])
    assert prior.slope(x) == pytest.approx(-(x - prior.mean) / prior.sd**2, rel=1e-14)


@pytest.mark.parametrize("prior", SCALES, ids=str)
def test_another_unit_changes_the_density_by_a_constant(prior):
    scaled = prior.scaled(10.0)
    constant = scaled.log_density(0.1) - prior.log_density(1.0)
    assert scaled.log_density(SD / 10) == pytest.approx(prior.log_density(SD) + constant, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("prior", PROPER, ids=str)
def test_proper_priors_integrate_to_one(prior):
    total = quad(lambda u: np.exp(prior.log_density(np.exp(u)) + u), -30, 0)[0]
    total += quad(lambda u: np.exp(prior.log_density(np.exp(u)) + u), 0, 40)[0]
    assert total == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize(
    ("prior", "power"),
    [(priors.JEFFREYS, -1), (priors.FLAT, 0), (priors.FLAT_VARIANCE, 1), (priors.InverseGamma(0.2), -1.4)],
)
def test_improper_priors_are_powers_of_the_sd(prior, power):
    """p(sd^2) = 1/sd^2, p(sd) = 1 and p(sd^2) = 1 are sd^-1, sd^0 and sd^1 in the sd, up to a constant."""
    assert not prior.proper
    assert prior.log_density(SD) == pytest.approx(power * np.log(SD))


@pytest.mark.parametrize("prior", [*SCALES, priors.InverseGamma(0.7, 2.0), priors.InverseGamma(-0.2)], ids=str)
def test_exponents_are_the_powers_at_both_ends(prior):
    for u, exponent in ((20.0, -prior.tail_exponent), (-20.0, prior.origin_exponent)):
        low, high = (float(log_kernel(prior, mpf(v))) for v in (u, u + 0.1))
        slope = (high - low) / 0.1
        assert slope == pytest.approx(exponent, abs=1e-6) if np.isfinite(exponent) else abs(slope) > 1e3


@pytest.mark.parametrize(("name", "signature"), [(name, s) for name, every in SPELLINGS.items() for s in every])
def test_what_is_suggested_can_be_written(name, signature):
    """Improper priors have no arguments."""
    written = re.sub(r"[a-z]\w*(?=[,)])", "1.5", signature)
    assert spellings.prior(name, written).proper == ("1.5" in written)


def test_normal_is_flat_without_an_sd():
    assert priors.Normal(1.0, 2.0).log_density(3.0) == pytest.approx(norm(1, 2).logpdf(3))
    assert priors.Normal().log_density(np.array([3.0, 4.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("prior", "arguments"),
    [
        (priors.HalfCauchy, (0.0,)),
        (priors.HalfStudentT, (0.0, 1.0)),
        (priors.HalfNormal, (-1.0,)),
        (priors.Normal, (0.0, -1.0)),
        (priors.InverseGamma, (0.0, 1.0)),
        (priors.InverseGamma, (1.0, -1.0)),
        (priors.Exponential, (0.0,)),
        (priors.BoundedUniform, (-1.0,)),
    ],
)
def test_what_is_no_density_is_refused(prior, arguments):
    with pytest.raises(ValueError, match=r"positive|no density"):
        prior(*arguments)


def test_a_scale_or_a_rate():
    """Others write the rate of an exponential; the keyword tells that it is the mean."""
    assert spellings.prior("tau", "Exponential(scale=2.5)") == priors.Exponential(2.5)
    with pytest.raises(ValueError, match=r"may mean a scale or a rate: write scale=2 if 2 is the mean"):
        spellings.prior("tau", "Exponential(2)")
    with pytest.raises(ValueError, match=r"may mean a scale or a rate"):
        spellings.prior("tau", "Exponential(rate=2)")


def test_a_uniform_prior_begins_at_zero():
    assert priors.Uniform() == spellings.prior("tau", "Uniform()") == priors.FLAT
    assert priors.Uniform(0, 20) == spellings.prior("sigma", "Uniform(0, 20)") == priors.BoundedUniform(20.0)
    for lower, upper in ((1, 5), (0, None)):
        with pytest.raises(ValueError, match=r"write Uniform\(0, upper\)"):
            priors.Uniform(lower, upper)
    with pytest.raises(ValueError, match=r"write Uniform\(0, upper\)"):
        spellings.prior("tau", "Uniform(1, 5)")


@pytest.mark.parametrize("prior", [priors.Exponential(0.1 + 0.2), priors.BoundedUniform(1 / 3), priors.HalfCauchy(2.5)])
def test_a_spelling_is_read_back_to_the_last_digit(prior):
    assert spellings.prior("tau", spellings.spelled("tau", prior)) == prior


def growth(model, power=0):
    """How much the integral of tau^power p(tau, y) over log tau grows from e^30 to e^60: nothing if it exists."""
    u = np.arange(-20.0, 60.0, 0.01)
    height = model.collapsed(np.exp(u)).log_density + u * (1 + power)
    mass = np.exp(height - height.max())
    return mass.sum() / mass[u < 30].sum() - 1


PRIORS = [(priors.FLAT, 0), (priors.FLAT_VARIANCE, -1), (priors.HalfCauchy(2.0), 2), (priors.InverseGamma(0.5, 0.5), 2)]
BORDER = [
    (TwoLevel(groups=estimates(1, groups), tau=tau), groups - 1 + fall) for tau, fall in PRIORS for groups in (2, 3, 4)
]


@pytest.mark.parametrize(("model", "fall"), BORDER)
def test_a_posterior_is_proper_just_where_the_rule_says(model, fall):
    """Numerically on both sides of the border J - p + t > 1, and of its moments' J - p + t > k + 1."""
    assert propriety.tail_exponents(model)["tau"] == fall
    for k in (0, 1, 2):
        assert (growth(model, k) < 1e-6) == (propriety.moments(model)["tau", ""] > k)
    if fall > 1:
        propriety.require_proper(model)
    else:
        with pytest.raises(ValueError, match=r"improper: .* groups are too few"):
            propriety.require_proper(model)


def test_each_coefficient_has_moments_of_its_own():
    """A proper prior holds its coefficient, a flat one leaves it to tau; theta is held by its data."""
    groups = estimates(1, 4, covariate=True)
    held, free = priors.Normal(0.0, 10.0), priors.Normal()
    for coefficients, mu, beta in [((held, free), np.inf, 2), ((free, held), 2, np.inf), ((free, free), 1, 1)]:
        orders = propriety.moments(TwoLevel(groups=groups, tau=priors.FLAT, coefficients=coefficients))
        assert (orders["mu", ""], orders["beta", "x"]) == (mu, beta)
        assert (orders["theta", ""], orders["kappa", ""]) == (np.inf, np.inf)


def test_few_rows_leave_sigma_few_moments():
    """Three rows, one flat coefficient and 1/sigma^2: N - p = 2, so sigma has a mean and no variance."""
    groups = Replicates.from_summary(["a", "b"], [2, 1], [3.0, 5.0], [1.5, 0.0])
    orders = propriety.moments(TwoLevel(groups=groups, tau=priors.InverseGamma(0.5, 0.5)))
    assert orders["sigma", ""] == orders["theta", ""] == 2
    assert orders["sd_between", ""] == orders["mu", ""] == min(2, orders["tau", ""])


@pytest.mark.parametrize("tau", [priors.JEFFREYS, priors.InverseGamma(0.2)])
def test_a_prior_that_piles_up_at_zero_is_refused(tau):
    """The likelihood is finite at tau = 0, so 1/tau and steeper do not integrate there."""
    with pytest.raises(ValueError, match="piles up at 0"):
        propriety.require_proper(TwoLevel(groups=estimates(1, 8), tau=tau))


def test_too_few_rows_for_a_prior_of_sigma_are_refused():
    groups = Replicates.from_summary(["a", "b"], [2, 1], [3.0, 5.0], [1.5, 0.0])
    model = TwoLevel(groups=groups, tau=priors.InverseGamma(0.5, 0.5), sigma=priors.FLAT_VARIANCE)
    with pytest.raises(ValueError, match="too few rows"):
        propriety.require_proper(model)


def test_covariates_that_determine_each_other_are_refused():
    g = Estimates.from_summary("abcd", [1, 2, 3, 4], [1, 1, 1, 1], covariates={"x": [1, 2, 3, 4], "w": [3, 5, 7, 9]})
    with pytest.raises(ValueError, match="'w' is determined by 'x'"):
        propriety.require_proper(TwoLevel(groups=g, tau=priors.HalfCauchy(1.0)))


def test_sigma_of_estimates_is_known():
    assert TwoLevel(groups=estimates(1, 4), tau=priors.FLAT).sigma == priors.KnownScale()
    with pytest.raises(ValueError, match="come with their standard errors"):
        TwoLevel(groups=estimates(1, 4), tau=priors.FLAT, sigma=priors.JEFFREYS)
    with pytest.raises(ValueError, match="tau is what is to be found"):
        TwoLevel(groups=estimates(1, 4), tau=priors.KnownScale())


def test_single_rows_leave_tau_its_prior():
    """They tell the total variance alone: relative to sigma, tau keeps its prior, which has to be one."""
    groups = replicates(1, [1, 1, 1, 1])
    model = TwoLevel(groups=groups, tau=priors.InverseGamma(0.5, 0.5))
    propriety.require_proper(model)
    assert propriety.says_nothing_of_tau(model)
    with pytest.raises(ValueError, match="every group has a single row, so only tau's prior tells tau"):
        propriety.require_proper(TwoLevel(groups=groups, tau=priors.FLAT))
    with pytest.raises(ValueError, match="nothing keeps sigma from 0"):
        propriety.require_proper(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0), relative=False))


def test_no_spread_within_groups_is_degenerate():
    groups = Replicates.from_summary(["a", "b", "c"], [2, 2, 2], [1.0, 2.0, 4.0], [0.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="degenerate"):
        propriety.require_proper(TwoLevel(groups=groups, tau=priors.InverseGamma(0.5, 0.5)))


def test_each_coefficient_needs_a_prior():
    with pytest.raises(ValueError, match="2 priors for the coefficients mu"):
        TwoLevel(groups=estimates(1, 4), tau=priors.FLAT, coefficients=(priors.Normal(), priors.Normal()))
