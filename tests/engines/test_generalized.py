"""The exact posterior of counts: against sums over the whole range, against figures in print, and against itself."""

import numpy as np
import pandas as pd
import pytest
from helpers import brute_counts
from helpers.brute_counts import Brute
from partial_pooling_data import table

from analyses.engines import coefficient_lattices, conditional_integrals, generalized, mixture
from analyses.engines.coefficient_lattices import Kinds
from models import priors
from models.generalized_two_level import GeneralizedTwoLevel
from models.groups import Counts, Proportions
from models.propriety import ImproperPosteriorError

MOMENTS, QUANTILES = 1e-8, 1e-7  # of a posterior sd: what the exact engine promises beyond two dimensions
CASES = {  # kind of groups, counts, sizes
    "ends, single trials": (Proportions, [0, 3, 1, 12, 7], [5, 9, 1, 40, 7]),
    "next to no spread": (Proportions, [31, 29, 33, 30], [100, 100, 100, 100]),
    "far apart": (Proportions, [0, 1, 39, 40, 20, 3], [40, 40, 40, 40, 40, 40]),
    "one precise group": (Proportions, [2, 300_000, 7, 1], [9, 1_000_000, 20, 8]),
    "events": (Counts, [0, 3, 1, 14, 0], [0.5, 2.0, 1.0, 10.0, 3.0]),
}


def half_normal(scale):
    return lambda tau: np.log(2 / np.pi) / 2 - np.log(scale) - (tau / scale) ** 2 / 2


def model(kind, y, size, scale=1.0, **covariates):
    groups = kind.from_summary([str(i) for i in range(len(y))], y, size, covariates=covariates)
    return GeneralizedTwoLevel(groups=groups, tau=priors.HalfNormal(scale))


def likelihoods(kind, y, size):
    one = brute_counts.binomial if kind is Proportions else brute_counts.poisson
    return [one(float(a), float(b)) for a, b in zip(y, size, strict=True)]


def brute(kind, y, size):
    design, u, b = np.ones((len(y), 1)), np.arange(-26, 2.4, 0.16), np.arange(-24, 24, 0.1)
    return Brute(likelihoods(kind, y, size), design, half_normal(1.0), u, [b], 1.0)


def error_in_sds(posterior, rows):
    return posterior.error().div(mixture.spread(rows), axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ends, single trials", "next to no spread", "events"])
def test_scales_and_coefficients_agree_with_brute_force_and_no_stated_error_is_below_the_true_one(name):
    kind, y, size = CASES[name]
    posterior = generalized.posterior(model(kind, y, size))
    rows, stated, sums = posterior.table(), posterior.error(), brute(kind, y, size)
    means, sds = sums.moments()
    true = pd.DataFrame({"mean": means, "sd": sds}, index=pd.MultiIndex.from_tuples([("tau", ""), ("mu", "")]))
    off = (rows.loc[true.index, ["mean", "sd"]] - true).abs()
    # Brute force leaves out taus below exp(-26), and steps over the rest without an error that doubles can tell.
    allowed = stated.loc[true.index, ["mean", "sd"]] + 1e-10
    assert (off.div(true["sd"], axis=0) < MOMENTS).all(axis=None)
    assert (off <= allowed).all(axis=None)
    assert posterior.log_evidence == pytest.approx(sums.log_evidence, abs=1e-9)


def test_the_baseball_players_are_those_of_another_computation():
    t = table("baseball")
    groups = Proportions.from_summary(t["player"], t["hits"], t["at_bats"], dim="player")
    rows = generalized.posterior(GeneralizedTwoLevel(groups=groups, tau=priors.HalfNormal(1.0))).table()
    expected = {  # computed apart from this engine, to nine digits or ten
        ("mu", ""): (-1.0267031945, 0.0931531434),
        ("tau", ""): (0.1661698049, 0.1120047706),
        ("p", "Clemente"): (0.2936974566, 0.0427440531),
    }
    for key, (mean, sd) in expected.items():
        assert rows.loc[key, "mean"] == pytest.approx(mean, abs=2e-9)
        assert rows.loc[key, "sd"] == pytest.approx(sd, abs=2e-9)
    assert rows.loc[("p", "F. Robinson"), "mean"] == pytest.approx(0.2888873486, abs=2e-9)


SURGERY = {  # deaths and operations of twelve hospitals
    "deaths": [0, 18, 8, 46, 8, 13, 9, 31, 14, 8, 29, 24],
    "operations": [47, 148, 119, 810, 211, 196, 148, 215, 207, 97, 256, 360],
}
OPENBUGS = {  # mean and Monte Carlo error of p of each hospital, mu and sigma (Examples Volume I, Surgical)
    "mean": [
        *(0.05308, 0.1031, 0.07078, 0.05926, 0.05159, 0.06916, 0.06676, 0.1234, 0.06989, 0.07834, 0.1021, 0.06847),
        *(-2.556, 0.4049),
    ],
    "error": [
        *(2.53e-4, 2.241e-4, 1.333e-4, 7.644e-5, 1.73e-4, 1.109e-4, 1.244e-4, 2.89e-4, 1.136e-4, 1.668e-4),
        *(1.768e-4, 9.305e-5, 0.001469, 0.00284),
    ],
}


def test_the_hospitals_are_those_that_openbugs_prints():
    groups = Proportions.from_summary(range(1, 13), SURGERY["deaths"], SURGERY["operations"], dim="hospital")
    flat = {"tau": priors.InverseGamma(0.001, 0.001), "coefficients": (priors.Normal(0.0, 1000.0),)}
    rows = generalized.posterior(GeneralizedTwoLevel(groups=groups, **flat)).table()
    means = [*rows.loc["p", "mean"], rows.loc[("mu", ""), "mean"], rows.loc[("tau", ""), "mean"]]
    assert np.all(np.abs(means - np.array(OPENBUGS["mean"])) < 4 * np.array(OPENBUGS["error"]))  # one in a thousand


@pytest.mark.parametrize("name", CASES)
def test_stated_errors_are_far_below_what_is_promised(name):
    posterior = generalized.posterior(model(*CASES[name]))
    errors = error_in_sds(posterior, posterior.table())
    assert errors[["mean", "sd"]].max(axis=None) < MOMENTS
    assert errors.drop(columns=["mean", "sd"]).max(axis=None) < QUANTILES


def test_the_unit_of_a_covariate_changes_its_coefficient_alone():
    # Flat coefficients do not mind the unit of a covariate, nor where it is counted from.
    kind, y, size = CASES["ends, single trials"]
    x = np.array([0.0, 1.0, 2.0, 3.0, 1.0])
    one = generalized.posterior(model(kind, y, size, x=x)).table()
    other = generalized.posterior(model(kind, y, size, x=1990 + 5 * x)).table()
    np.testing.assert_allclose(one.loc["theta"], other.loc["theta"], atol=1e-9)
    np.testing.assert_allclose(one.loc[("beta", "x")], 5 * other.loc[("beta", "x")], atol=1e-9)


def test_equal_groups_are_computed_once_and_have_equal_rows():
    posterior = generalized.posterior(model(Proportions, [3, 5, 3, 5, 3], [9, 9, 9, 9, 9]))
    assert posterior.rows.rows[0].log_integrals.shape[1] == 2
    rows = posterior.table().loc["theta"]
    assert (rows.loc["0"] == rows.loc["2"]).all()
    assert (rows.loc["1"] == rows.loc["3"]).all()


def test_a_group_that_nothing_foretells_is_pulled_as_far_as_the_population_pulls():
    # Under a population as narrow as that of the others its likelihood is below exp(-720), so its inverse overflows.
    # Its mode is where y - n p is (theta - mu) / tau^2; tau is known to a percent or so.
    y, size = [*(3000 * [10, 11, 9]), 99_000], [*(9000 * [50]), 100_000]
    posterior = generalized.posterior(model(Proportions, y, size))
    assert posterior.rows.rows[0].log_integrals.min() < -720
    p, mu, tau = posterior.theta([9000], response=True), posterior.b.mean[0], posterior.tau().mean[0]
    pull = (np.log(p.mean[0] / (1 - p.mean[0])) - mu) / tau**2
    assert 99_000 - 100_000 * p.mean[0] == pytest.approx(pull, rel=0.05)
    assert p.sd[0] == pytest.approx(np.sqrt(p.mean[0] * (1 - p.mean[0]) / 100_000), rel=0.05)


def test_nodes_are_found_from_a_center_that_is_far_off_in_sds_of_any_size():
    # With a million groups an approximate center is that far off; here it is put there.
    kinds = Kinds.of(model(*CASES["ends, single trials"]))
    near = coefficient_lattices.row(kinds, 1.0, np.zeros(1), np.eye(1), 0.35, 1.0)
    for center, sd in ((80.0, 1.0), (-80.0, 0.02), (3.0, 30.0)):
        far = coefficient_lattices.row(kinds, 1.0, np.array([center]), np.array([[sd]]), 0.35, 1.0)
        assert far.log_integral == pytest.approx(near.log_integral, abs=1e-10)


def test_a_tail_of_tau_that_falls_like_a_power_is_followed_as_far_as_its_moments_need():
    # The second moment converges like 1 / tau, so rows that weigh next to nothing are part of it.
    groups = Proportions.from_summary(range(3), [2, 3, 5], [9, 9, 9])
    posterior = generalized.posterior(GeneralizedTwoLevel(groups=groups, tau=priors.HalfCauchy(1.0)))
    assert posterior.rows.tau.max() > 1e8
    errors = posterior.error().div(mixture.spread(posterior.table()), axis=0)
    assert errors[["mean", "sd"]].max(axis=None) < MOMENTS
    assert errors.drop(columns=["mean", "sd"]).max(axis=None) < QUANTILES


def test_a_new_group_without_data_has_the_law_of_the_population():
    posterior = generalized.posterior(model(*CASES["events"]))
    mu, tau, new = posterior.b, posterior.tau(), posterior.new_theta(np.ones((1, 1)))
    variance = mu.sd[0] ** 2 + tau.sd[0] ** 2 + tau.mean[0] ** 2  # theta = mu + tau z
    assert new.mean[0] == pytest.approx(mu.mean[0], abs=1e-10)
    assert new.sd[0] ** 2 == pytest.approx(variance, rel=1e-9)


def test_stretched_nodes_are_those_of_a_larger_tau():
    # What is not a power of tau is a few units over it, 1e-4 here.
    flat = model(Proportions, [2, 3, 5, 0], [9, 9, 9, 9])
    kinds, taus = Kinds.of(flat), np.array([1e5, 1e6])
    near, far = (coefficient_lattices.row(kinds, tau, np.zeros(1), np.array([[tau]]), 0.35, 1.0) for tau in taus)
    stretched = coefficient_lattices.stretched(kinds, near, taus[1])
    assert stretched.log_integral == pytest.approx(far.log_integral, abs=1e-3)
    means, sds = [], []
    for row in (stretched, far):
        weight = np.exp(row.log_mass - row.log_integral)
        means.append(weight @ row.b[:, 0])
        sds.append(np.sqrt(weight @ (row.b[:, 0] - means[-1]) ** 2))
    assert means[0] == pytest.approx(means[1], abs=1e-3 * sds[1])
    assert sds[0] == pytest.approx(sds[1], rel=1e-3)
    middle = [row.log_integrals[np.abs(row.b[:, 0] - means[1]).argmin()] for row in (stretched, far)]
    np.testing.assert_allclose(*middle, atol=0.5)  # nodes do not coincide


@pytest.mark.parametrize("kind", [Proportions, Counts])
@pytest.mark.parametrize("tau", [1e-9, 1e-4, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 300.0])
def test_every_rule_for_an_integral_gives_the_same(kind, tau):
    size = np.array([1, 1, 5, 5, 40, 40, 1000, 1000, 1e6, 1e6, 7])
    groups = kind.from_summary(range(11), [0, 1, 0, 3, 40, 20, 3, 700, 3e5, 10, 7], size)
    m = np.linspace(-4, 2, 25)[:, None]
    slow = conditional_integrals.about_each_mode(groups, m, tau)
    quick = conditional_integrals.log_integrals(groups, m, tau)
    each = conditional_integrals.log_integrals(groups, np.tile(m, (1, 11)), tau)
    # Log likelihoods down to -1e6 are rounded by 1e-10.
    np.testing.assert_allclose(quick, slow, rtol=2e-12, atol=1e-10)
    np.testing.assert_allclose(each, slow, rtol=2e-12, atol=1e-10)


@pytest.mark.parametrize("kind", [Proportions, Counts])
@pytest.mark.parametrize("tau", [1e-3, 0.2, 0.45, 2.0, 30.0])
def test_a_population_far_from_where_a_likelihood_bends_may_reach_it(kind, tau):
    # Alone, level at m: nothing there tells that the likelihood falls a few tau away.
    groups = kind.from_summary(range(4), [0, 0, 1, 3], [1.0, 50.0, 1.0, 9.0])
    for m in np.arange(-40.0, 20.0, 3.0):
        alone = np.array([[m]])
        slow = conditional_integrals.about_each_mode(groups, alone, tau)
        np.testing.assert_allclose(
            conditional_integrals.log_integrals(groups, alone, tau), slow, rtol=2e-12, atol=1e-12
        )


def test_improper_models_and_too_many_covariates_are_refused():
    with pytest.raises(ImproperPosteriorError):
        generalized.posterior(model(Proportions, [0, 0, 0], [5, 5, 5]))
    x = {f"x{k}": np.arange(6.0) ** (k + 1) for k in range(3)}
    with pytest.raises(NotImplementedError, match="3 covariates of counts are too many"):
        generalized.posterior(model(Proportions, [1, 2, 3, 2, 1, 2], [5] * 6, **x))
