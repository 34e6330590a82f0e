"""NUTS and Gibbs draw from the exact posterior, on the studies and on problems of every shape."""

import numpy as np
import pytest
from helpers.problems import PROBLEMS, estimates

from analyses.checks import agreement, diagnostics
from analyses.engines import exact, gibbs, inference_data, nuts, summary_tables
from models import blood_pressure, eight_schools, math_test, priors, pymc_model
from models.groups import Replicates
from models.two_level import TwoLevel

STUDIES = {
    "math_test": math_test.model(),
    "blood_pressure": blood_pressure.model(),
    "eight_schools": eight_schools.model(),
    "weakly_informative": eight_schools.weakly_informative(),
}
SLOW = {"eight_schools", "weakly_informative", "estimates, flat tau", "estimates, covariate", "estimates, flat tau2"}
SLOW |= {"estimates, half-normal tau", "one-way, half-t tau, half-normal sigma"}
EVERY = STUDIES | PROBLEMS
"""Much of the posterior of tau is near 0, where Gibbs moves slowly."""


@pytest.fixture(scope="module")
def reference():
    """Exact tables, each computed once."""
    known = {}
    return lambda name: known[name] if name in known else known.setdefault(name, exact.posterior(EVERY[name]).table())


def assert_agrees(tree, table):
    found = agreement.verdict(agreement.table(tree, table))
    assert found.passed, found.sentence


@pytest.mark.parametrize("name", EVERY)
def test_gibbs_agrees(name, reference):
    tree = gibbs.sample(EVERY[name], thin=80 if name in SLOW else 8, rng=np.random.default_rng(51))
    found = diagnostics.verdict(tree, summary_tables.summary(tree, reference(name)))
    assert found.passed, found.sentence
    assert_agrees(tree, reference(name))


@pytest.mark.parametrize("name", EVERY)
def test_nuts_agrees(name, reference):
    """Where the variance of mu only just exists, one excursion of tau may halve an effective sample size: draw more."""
    draws = 4000 if name in SLOW else 1000
    assert_agrees(nuts.sample(EVERY[name], draws=draws, seed=52, rng=np.random.default_rng(52)), reference(name))


@pytest.mark.parametrize("parameterization", ["centered", pytest.param("noncentered", marks=pytest.mark.slow)])
def test_other_parameterizations_have_the_same_posterior(parameterization, reference):
    """On blood pressure, whose posterior has no funnel; theta is then NUTS's own, not drawn afterwards."""
    tree = nuts.sample(
        STUDIES["blood_pressure"], parameterization=parameterization, draws=2000, seed=53, rng=np.random.default_rng(53)
    )
    assert_agrees(tree, reference("blood_pressure"))


def test_rows_have_the_same_posterior(reference):
    model = STUDIES["blood_pressure"]
    built = pymc_model.build_rows(model, *model.groups.rows(np.random.default_rng(54)), parameterization="centered")
    found = nuts.run(built, draws=2000, tune=1000, chains=4, cores=1, seed=54, target_accept=0.9)["posterior"]
    drawn = {name: found[name].values for name in ("tau", "sigma", "theta")}
    drawn["b"] = np.concatenate([found["mu"].values[..., None], found["beta"].values], axis=-1)
    assert_agrees(
        inference_data.complete(model, drawn, engine="nuts", rng=np.random.default_rng(54)), reference("blood_pressure")
    )


def test_a_doubled_prior_is_noticed(reference):
    """The rule has power: Gibbs for tau^2 ~ InverseGamma(1/2, 1) in place of InverseGamma(1/2, 1/2) is caught."""
    model = PROBLEMS["one-way"]
    wrong = gibbs.sample(
        type(model)(groups=model.groups, tau=priors.InverseGamma(0.5, 1.0)), thin=8, rng=np.random.default_rng(55)
    )
    assert not agreement.verdict(agreement.table(wrong, reference("one-way"))).passed


def test_all_engines_return_the_same_shape_of_tree():
    model = STUDIES["blood_pressure"]
    rng = np.random.default_rng(56)
    trees = [
        nuts.sample(model, draws=20, tune=20, chains=2, seed=1, rng=rng),
        gibbs.sample(model, draws=20, tune=5, chains=2, rng=rng),
        exact.posterior(model).draw(draws=20, chains=2, rng=rng),
    ]
    for group in ("posterior", "posterior_predictive", "observed_data", "constant_data"):
        first, *others = (tree[group].dataset for tree in trees)
        for other in others:
            assert {n: v.dims for n, v in first.data_vars.items()} == {n: v.dims for n, v in other.data_vars.items()}
            assert all(first.coords[c].equals(other.coords[c]) for c in first.coords)
            assert first.attrs.keys() == other.attrs.keys()


def test_nuts_is_bit_identical_for_a_seed():
    first, again = (
        nuts.sample(STUDIES["eight_schools"], draws=50, tune=50, chains=2, seed=3, rng=np.random.default_rng(3))
        for _ in range(2)
    )
    assert first["posterior"].dataset.identical(again["posterior"].dataset)


def test_fewer_draws_than_asked_for_is_an_error(monkeypatch):
    whole = nuts.pm.sample

    def cut_short(**asked):
        return whole(**asked).isel(draw=slice(10))

    monkeypatch.setattr(nuts.pm, "sample", cut_short)
    with pytest.raises(RuntimeError, match="2 chains of 50 draws and got 2 chains of 10 draws"):
        nuts.sample(STUDIES["eight_schools"], draws=50, tune=50, chains=2, seed=3, rng=np.random.default_rng(3))


def test_two_cores_give_the_draws_of_one():
    one, two = (
        nuts.sample(
            STUDIES["eight_schools"], draws=50, tune=50, chains=2, cores=cores, seed=3, rng=np.random.default_rng(3)
        )
        for cores in (1, 2)
    )
    assert one["posterior"].dataset.identical(two["posterior"].dataset)


@pytest.mark.parametrize("sample", [gibbs.sample, lambda model, rng: nuts.sample(model, seed=1, rng=rng)])
def test_no_engine_samples_what_has_no_posterior(sample):
    with pytest.raises(ValueError, match="improper"):
        sample(TwoLevel(groups=estimates(3, 2), tau=priors.FLAT), rng=np.random.default_rng(57))


def test_draws_that_are_no_numbers_are_an_error():
    drawn = {"b": np.zeros((1, 2, 1)), "tau": np.array([[1.0, np.nan]])}
    with pytest.raises(FloatingPointError, match="gibbs: 1 draws of tau"):
        inference_data.complete(STUDIES["eight_schools"], drawn, engine="gibbs", rng=np.random.default_rng(58))


def test_gibbs_starts_where_all_means_are_equal(reference):
    """Their spread is no scale then: that of their noise is."""
    groups = Replicates.from_summary(list("abcd"), [4] * 4, [500.0] * 4, [12.0] * 4)
    model = TwoLevel(groups=groups, tau=priors.InverseGamma(0.5, 0.5))
    assert_agrees(gibbs.sample(model, thin=8, rng=np.random.default_rng(59)), exact.posterior(model).table())


def test_a_known_sigma_is_one_to_every_engine():
    """Rows with sigma known: no engine may put their own spread in its place."""
    groups = Replicates.from_summary(list("abcde"), [3] * 5, [1.0, 4.0, 2.0, 7.0, 5.0], [50.0] * 5)
    model = TwoLevel(groups=groups, tau=priors.HalfCauchy(2.0), sigma=priors.KnownScale())
    table = exact.posterior(model).table()
    assert_agrees(gibbs.sample(model, thin=80, rng=np.random.default_rng(60)), table)
    assert_agrees(nuts.sample(model, seed=60, rng=np.random.default_rng(60)), table)
