"""Variances of their own: every piece against the joint density of rows and parameters, written out plainly here."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from models.groups import Replicates
from models.unequal_variances import GRID, OwnVariances, build

TOLERANCE = 1e-9  # of terms that add up to some hundreds
STEP = 0.005  # of log sigma^2: where nu is largest its sd is 0.044, nine steps


def problem():
    """Six groups of 4 to 12 about 500, sd 7 between, 4 to 15 within."""
    rng = np.random.default_rng(141)
    sizes, sds = [4, 9, 5, 12, 4, 7], [4.0, 9.0, 15.0, 7.0, 12.0, 10.0]
    values = [rng.normal(rng.normal(500, 7), s, n) for n, s in zip(sizes, sds, strict=True)]
    return Replicates.from_rows(np.repeat(list("abcdef"), sizes), np.concatenate(values))


MODEL = OwnVariances(problem())


def rows_of_groups(seed):
    """Made up anew, with what the groups keep of them."""
    labels, values = MODEL.groups.rows(np.random.default_rng(seed))
    return [values[np.array(labels) == label] for label in MODEL.groups.labels]


ROWS = rows_of_groups(142)


def log_of_rows(y, theta, sigma2):
    """Log of prod N(y_j | theta, sigma2), for each sigma2."""
    return sum(stats.norm.logpdf(one, theta, np.sqrt(sigma2)) for one in y)


def log_of_variance(sigma2, nu, s2):
    """Log of InverseGamma(sigma2; nu/2, nu s2/2)."""
    return stats.invgamma.logpdf(sigma2, nu / 2, scale=nu * s2 / 2)


def integrated(y, theta, s2, nu):
    """Log of p(y | theta, s2, nu): the trapezoid rule in log sigma^2.

    To the left the integrand falls like exp(-1/sigma^2), to the right like sigma^-(nu + n): e^-60 with 1 + 4.
    """
    u = np.log(s2) + np.arange(-8.0, 26.0, STEP)
    return logsumexp(log_of_rows(y, theta, np.exp(u)) + log_of_variance(np.exp(u), nu, s2) + u) + np.log(STEP)


def log_joint(mu, between2, s2, nu, sigma2, theta):
    """Of (mu, between2, s2, nu, sigma2, theta, rows); nu on the grid, all its values alike."""
    rows = sum(log_of_rows(y, t, v) for y, t, v in zip(ROWS, theta, sigma2, strict=True))
    means = stats.norm.logpdf(theta, mu, np.sqrt(between2)).sum()
    variances = log_of_variance(sigma2, nu, s2).sum()
    flat_in_sd = -np.log(2 * np.sqrt(between2))
    return rows + means + variances + flat_in_sd - np.log(s2)


@pytest.mark.parametrize("nu", [1.0, 5.7, 64.0, 1024.0])
def test_likelihood_is_an_integral_over_the_variance(nu):
    """Of rows themselves, not of what the groups keep of them."""
    rng = np.random.default_rng(143)
    theta, s2 = rng.normal(500, 9, len(ROWS)), 83.0
    expected = [integrated(y, t, s2, nu) for y, t in zip(ROWS, theta, strict=True)]
    assert MODEL.log_likelihood(MODEL.squares(theta), s2, nu) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("nu", [1e4, 1e5, 1e6])
def test_likelihood_tends_to_the_normal_one(nu):
    """1/sigma_i^2 has mean 1/s^2 and variance 2 / (nu s^4): the second derivative of the normal likelihood tells the
    gap, ((n - q/s^2)^2 / 4 - n/2) / nu, and all else is smaller by another nu, but for digits lost to gamma functions.
    """
    rng = np.random.default_rng(144)
    theta, s = rng.normal(500, 9, len(ROWS)), 9.1
    normal = np.array([log_of_rows(y, t, s**2) for y, t in zip(ROWS, theta, strict=True)])
    off = np.array([len(y) - np.sum((y - t) ** 2) / s**2 for y, t in zip(ROWS, theta, strict=True)]) / 2
    n = np.array([len(y) for y in ROWS])
    lost = 100 * np.finfo(float).eps * nu * np.log(nu)
    gap = np.abs(MODEL.log_likelihood(MODEL.squares(theta), s**2, nu) - normal)
    assert np.all(gap < 2 * (off**2 + n / 2) / nu + lost)


def states(rng, count=5):
    """Somewhere near the data, as the joint has them."""
    size = len(ROWS)
    for _ in range(count):
        yield {
            "mu": rng.normal(500, 5),
            "between2": rng.uniform(3, 15) ** 2,
            "s2": rng.uniform(5, 15) ** 2,
            "nu": rng.choice(GRID[2:]),
            "sigma2": rng.uniform(5, 15, size) ** 2,
            "theta": rng.normal(500, 8, size),
        }


def law(name, state):
    """A conditional's law at a state of one chain."""
    return MODEL.conditionals()[name]({key: np.asarray(value)[None] for key, value in state.items()})


@pytest.mark.parametrize("name", ["mu", "between2", "sigma2", "s2", "theta"])
def test_conditional_is_the_joint_as_a_function_of_one_parameter(name):
    rng = np.random.default_rng(145)
    for here in states(rng):
        conditional = law(name, here)
        one, two = (conditional.draw(rng)[0] for _ in range(2))
        assert not np.allclose(one, two, rtol=1e-6, atol=0), "the pair must differ, or any law would pass"
        found = np.sum(conditional.log_density(one)) - np.sum(conditional.log_density(two))
        assert found == pytest.approx(log_joint(**here | {name: one}) - log_joint(**here | {name: two}), abs=TOLERANCE)


def test_nu_and_then_the_variances_are_the_joint_as_a_function_of_both():
    """nu is drawn without the variances, which are drawn given it: the two laws together are one conditional."""
    rng = np.random.default_rng(146)
    for here in states(rng):
        found, expected = [], []
        for nu in rng.choice(GRID, 4, replace=False):
            there = here | {"nu": nu}
            there["sigma2"] = law("sigma2", there).draw(rng)[0]
            of_nu = law("nu", here).log_density(np.array([nu]))[0]
            found.append(of_nu + law("sigma2", there).log_density(there["sigma2"]).sum())
            expected.append(log_joint(**there))
        assert np.diff(found) == pytest.approx(np.diff(expected), abs=TOLERANCE)


def test_nu_is_drawn_just_before_the_variances_and_does_not_see_them():
    """Drawn in another order, or given the variances, the sweep would have another posterior."""
    names, here = list(MODEL.conditionals()), next(states(np.random.default_rng(147)))
    assert names.index("sigma2") == names.index("nu") + 1
    other = here | {"sigma2": 3 * here["sigma2"]}
    assert np.array_equal(law("nu", here).log_weight, law("nu", other).log_weight)


def test_a_sweep_begins_from_a_start():
    """What no start has is drawn before it is needed."""
    rng = np.random.default_rng(148)
    state = MODEL.start(3, rng)
    for name, conditional in MODEL.conditionals().items():
        state[name] = conditional(state).draw(rng)
        assert state[name].shape == ((3, len(ROWS)) if name in ("sigma2", "theta") else (3,))


def log_density_of_the_rest(mu, between, s, theta):
    """Of (mu, sd_between, s, theta, rows): each variance integrated out, nu summed out."""
    of_nu = [sum(integrated(y, t, s**2, nu) for y, t in zip(ROWS, theta, strict=True)) for nu in GRID]
    return logsumexp(of_nu) - np.log(len(GRID)) + stats.norm.logpdf(theta, mu, between).sum() - np.log(s)


def test_pymc_has_the_joint_with_the_variances_integrated_and_nu_summed_out():
    """Up to a constant: PyMC sees means, not rows. p(s^2) = 1/s^2 is 1/s in s, p(sd_between) = 1."""
    logp = build(MODEL).compile_logp(jacobian=False)
    gaps = []
    for here in states(np.random.default_rng(149), count=3):
        between, s = np.sqrt(here["between2"]), np.sqrt(here["s2"])
        point = {"mu": here["mu"], "sd_between_log__": np.log(between), "s_log__": np.log(s), "theta": here["theta"]}
        gaps.append(float(logp(point)) - log_density_of_the_rest(here["mu"], between, s, here["theta"]))
    assert gaps == pytest.approx([gaps[0]] * 3, abs=TOLERANCE)
