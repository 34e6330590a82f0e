"""What ArviZ's users do works on the draws of every engine, and leaving out a group is what `leave_out` computes."""

from dataclasses import replace

import arviz as az
import numpy as np
import pytest
from arviz_stats.base import array_stats
from helpers.arviz_calls import all_flat, every_call, plots, weighed
from helpers.problems import HALF, PROBLEMS, estimates, replicates
from scipy import stats

from analyses.checks import importance, leave_out
from analyses.engines import (
    conjugate,
    direct_sampling,
    exact,
    gibbs,
    inference_data,
    laplace,
    metropolis,
    nuts,
    three_level,
    unequal_variances,
)
from models import baseball, blood_pressure, classrooms, eight_schools, math_test, one_group, priors
from models.groups import Estimates
from models.three_level import ThreeLevel
from models.two_level import TwoLevel
from models.unequal_variances import OwnVariances

ERRORS = 4.5  # of Monte Carlo: a right figure is farther off less than once in a hundred thousand times
STUDIES = {
    "math_test": math_test.model(),
    "blood_pressure": blood_pressure.model(),
    "eight_schools": eight_schools.model(),
    "weakly_informative": eight_schools.weakly_informative(),
    "baseball": baseball.model(),
}
THREE_LEVEL = ("lambda", "kappa", "tau", "sigma")


def by_gibbs(model):
    return gibbs.sample(model, thin=16, rng=np.random.default_rng(421))


def by_nuts(model):
    return nuts.sample(model, seed=422, rng=np.random.default_rng(422))


def by_exact(model):
    return exact.posterior(model).draw(rng=np.random.default_rng(423))


SOME_BY_NUTS = {"weakly_informative", "blood_pressure"}  # without covariates and with: compiling takes the time
CASES = [
    *((name, sample) for name in STUDIES for sample in (by_exact, by_gibbs)),
    *(
        pytest.param(name, by_nuts, marks=() if name in SOME_BY_NUTS else pytest.mark.slow, id=f"{name}-by_nuts")
        for name in STUDIES
    ),
]


@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto")  # by chance: see `arviz_calls.tables`
@pytest.mark.parametrize(("name", "sample"), CASES)
def test_every_call_works_and_leaves_out_what_leave_out_does(name, sample):
    """Each group and the sum agree to the Monte Carlo error that importance sampling states.

    It states none where Pareto k is above 0.7, as a single group's may be by chance; then the sum has none either.
    """
    model = STUDIES[name]
    tree = sample(model)
    every_call(tree, prior=not all_flat(tree))
    right, loo = leave_out.exactly(model), az.loo(tree, pointwise=True)
    stated = weighed(tree)
    error = stated.groups["mcse_log_density"].to_numpy()
    told = np.isfinite(error)
    assert told.sum() >= len(told) - 1
    assert np.all(np.abs(loo.elpd_i.values - right)[told] < ERRORS * error[told])
    if told.all():
        assert abs(loo.elpd - right.sum()) < ERRORS * stated.mcse_sum
        assert stated.mcse_sum < 1.0, "or it says nothing"


@pytest.mark.parametrize("name", [*STUDIES, "classrooms"])
def test_no_group_is_too_influential(name):
    """Pareto k is below 0.7 in every study, from so many draws that its error is 0.03, of classrooms 0.06."""
    if name == "classrooms":
        posterior = three_level.posterior(classrooms.model())
        draws = posterior.draw(draws=12_500, rng=np.random.default_rng(439))["log_likelihood"]["y"].values
    else:
        drawn = exact.posterior(STUDIES[name]).independent(200_000, rng=np.random.default_rng(439))
        sigma = drawn.get("sigma", np.ones_like(drawn["tau"]))
        draws = STUDIES[name].log_likelihood(drawn["b"], drawn["tau"], sigma)
    assert array_stats.psislw(draws.reshape(-1, draws.shape[-1]).T)[1].max() < 0.7


def test_given_theta_no_group_could_be_left_out():
    """What is stored is not conditional on theta: a school's theta has seen the school, and weights have no mean.

    Conditional on theta most schools exceed 0.7. Here none does: k is next to 0 for all, with an error of 0.08 or so,
    as 190 draws make the tail, and the largest of a hundred is below 0.5. And the values are others by far.
    """
    tree, g = by_exact(STUDIES["math_test"]), STUDIES["math_test"].groups
    theta, sigma = tree["posterior"]["theta"].values, tree["posterior"]["sigma"].values
    given = stats.norm.logpdf(g.mean, theta, sigma[..., None] * np.sqrt(g.noise)) + g.log_within(sigma)
    conditional = importance.by_importance(given.reshape(-1, len(g))).groups["pareto_k"]
    assert np.sum(conditional > 0.7) > len(g) / 2
    stored = tree["log_likelihood"]["y"].values
    assert importance.by_importance(stored.reshape(-1, len(g))).groups["pareto_k"].max() < 0.5
    assert (given.mean(axis=(0, 1)) - stored.mean(axis=(0, 1))).mean() > 0.5


def test_two_models_are_compared():
    """The prior of tau that expects less than the flat one predicts the eight schools better.

    Both trees are drawn with one seed, so their errors may be of any correlation: they add up at most.
    """
    trees = {name: by_exact(STUDIES[name]) for name in ("eight_schools", "weakly_informative")}
    rows = az.compare(trees, round_to="none")
    right = {name: leave_out.exactly(STUDIES[name]).sum() for name in trees}
    assert rows.index.tolist() == sorted(right, key=right.get, reverse=True)
    error = sum(weighed(tree).mcse_sum for tree in trees.values())
    assert -rows["elpd_diff"].iloc[1] == pytest.approx(np.ptp(list(right.values())), abs=ERRORS * error)
    assert np.ptp(list(right.values())) > ERRORS * error, "or the order is chance"


# priors


def test_sensitivity_is_to_the_priors_above_theta():
    """tau's prior matters where it is narrower than what the data say, and not where it is far wider."""
    groups = estimates(424, 9)
    near, far = (
        az.psense(by_exact(TwoLevel(groups=groups, tau=priors.HalfNormal(scale))), group="prior")
        for scale in (2.0, 50.0)
    )
    assert near["tau"] > 0.1
    assert far["tau"] < 0.05


def test_scaling_the_stored_prior_is_scaling_the_prior():
    """Draws weighed by the stored log prior have the mean of the posterior under the prior to the power alpha."""
    alpha, model = 1.3, TwoLevel(groups=estimates(425, 9), tau=priors.HalfNormal(4.0))
    model = replace(model, coefficients=(priors.Normal(15.0, 3.0),))
    tree = exact.posterior(model).draw(draws=5000, rng=np.random.default_rng(426))
    weight = np.exp((alpha - 1) * sum(v.values for v in tree["log_prior"].data_vars.values()))
    powered = replace(
        model,
        tau=model.tau.power_scaled(alpha),
        coefficients=tuple(prior.power_scaled(alpha) for prior in model.coefficients),
    )
    before, after = (exact.posterior(m).table()["mean"] for m in (model, powered))
    for name in ("mu", "tau"):
        x, right = tree["posterior"][name].values, after[name, ""]
        error = np.std(weight * (x - right)) / weight.mean() / np.sqrt(x.size)
        assert abs(np.average(x, weights=weight) - right) < ERRORS * error
        assert abs(before[name, ""] - right) > 2 * ERRORS * error, "or it says nothing"


def test_flat_priors_cannot_be_scaled():
    """Flat priors are 0 at every draw, and ArviZ raises an error; the likelihood can be scaled."""
    tree = by_exact(STUDIES["eight_schools"])
    assert all_flat(tree)
    assert not any(values.values.any() for values in tree["log_prior"].data_vars.values())
    with pytest.raises((ValueError, UserWarning), match=r"All tail values are the same|Number of tail draws"):
        az.psense_summary(tree)
    assert np.isfinite(az.psense(tree, group="likelihood")["mu"])


# trees


@pytest.mark.parametrize("name", ["one-way, flat tau, covariate", "estimates, half-normal tau"])
def test_every_engine_stores_the_same_variables(name):
    model, rng = PROBLEMS[name], np.random.default_rng(428)
    trees = [
        exact.posterior(model).draw(draws=20, chains=2, rng=rng),
        gibbs.sample(model, draws=20, tune=5, chains=2, rng=rng),
        laplace.sample(model, draws=20, chains=2, rng=rng),
        metropolis.sample(model, draws=20, tune=5, chains=2, rng=rng),
    ]
    for tree in trees:
        b = tree["posterior"]["mu"].values[..., None]
        beta = {"beta"} if model.groups.covariates else set()
        b = np.concatenate([b, *(tree["posterior"][n].values for n in beta)], axis=-1)
        tau = tree["posterior"]["tau"].values
        sigma = tree["posterior"]["sigma"].values if "sigma" in model.unknown else np.ones_like(tau)
        assert list(tree["log_likelihood"].data_vars) == ["y"]
        assert tree["log_likelihood"]["y"].dims == ("chain", "draw", "group")
        assert tree["log_likelihood"]["group"].values.tolist() == list(model.groups.labels)
        assert np.array_equal(tree["log_likelihood"]["y"], model.log_likelihood(b, tau, sigma))
        assert set(tree["log_prior"].data_vars) == {"mu", *beta, *model.unknown}
        for variable, expected in model.log_priors(b, tau, sigma).items():
            assert np.array_equal(tree["log_prior"][variable], expected)
            assert tree["log_prior"][variable].dims == tree["posterior"][variable].dims
        assert "no_log_likelihood" not in tree.attrs


def test_direct_sampling_stores_them_too():
    model = TwoLevel(groups=Estimates.from_summary("abcde", [1, 4, 2, 7, 5], [2] * 5), tau=priors.FLAT_VARIANCE)
    tree = direct_sampling.sample(model, rng=np.random.default_rng(429))
    assert az.loo(tree).elpd == pytest.approx(leave_out.exactly(model).sum(), abs=ERRORS * weighed(tree).mcse_sum)


def test_files_have_them(tmp_path):
    """Files keep both bit for bit, or the reason why they are missing."""
    tree = gibbs.sample(PROBLEMS["one-way, flat tau, covariate"], draws=50, rng=np.random.default_rng(430))
    (tmp_path / "gibbs.nc").write_bytes(tree.to_netcdf(engine="h5netcdf"))
    read = az.from_netcdf(tmp_path / "gibbs.nc")
    for node in ("log_likelihood", "log_prior"):
        assert read[node].dataset.identical(tree[node].dataset)
    (tmp_path / "one.nc").write_bytes(one_group_tree().to_netcdf(engine="h5netcdf"))
    assert az.from_netcdf(tmp_path / "one.nc").attrs == one_group_tree().attrs


@pytest.mark.parametrize("engine", [gibbs.sample, lambda model, **asked: exact.posterior(model).draw(**asked)])
@pytest.mark.parametrize("above", [False, True])
def test_above_many_groups_neither_is_stored(engine, above, monkeypatch):
    """The limit itself still has them, and the tree says why there are none above it."""
    model = TwoLevel(groups=replicates(431, [3, 1, 5, 2, 3, 4]), tau=HALF)
    monkeypatch.setattr(inference_data, "MANY", 6 - above)
    tree = engine(model, draws=20, chains=2, rng=np.random.default_rng(432))
    assert ({"log_likelihood", "log_prior"} <= set(tree.children)) != above
    if above:
        assert "above 5 groups" in tree.attrs["no_log_likelihood"]
        with pytest.raises(TypeError, match="log likelihood not found"):
            az.loo(tree)


def test_the_limit_is_two_thousand():
    assert inference_data.MANY == 2_000


@pytest.mark.parametrize("engine", [gibbs.sample, lambda model, **asked: exact.posterior(model).draw(**asked)])
def test_draws_of_some_groups_have_neither(engine):
    """Log densities need all groups, and the tree has only some."""
    tree = engine(PROBLEMS["one-way"], draws=20, chains=2, only=[3, 0], rng=np.random.default_rng(433))
    assert not {"log_likelihood", "log_prior"} & set(tree.children)
    assert "some groups only" in tree.attrs["no_log_likelihood"]


# the neighbors


def without_school(model, i):
    """The model of the other schools."""
    kept = np.flatnonzero(model.school != i)
    position = {school: k for k, school in enumerate(sorted(set(model.school[kept])))}
    return ThreeLevel(
        classrooms=model.classrooms.subset(kept),
        school=np.array([position[school] for school in model.school[kept]]),
        schools=tuple(np.delete(model.schools, i)),
        tau=model.tau,
        kappa=model.kappa,
    )


THREE_LEVEL_ENGINES = {
    "exact": lambda model: three_level.posterior(model).draw(rng=np.random.default_rng(434)),
    "gibbs": lambda model: three_level.by_gibbs(model, rng=np.random.default_rng(434)),
    "nuts": lambda model: three_level.by_nuts(model, seed=434, rng=np.random.default_rng(434)),
}


@pytest.mark.parametrize("engine", ["exact", "gibbs", pytest.param("nuts", marks=pytest.mark.slow)])
def test_schools_are_left_out_of_three_levels(engine):
    """A school is left out with all its classrooms: its density is averaged over draws given the other schools."""
    model = classrooms.model()
    tree = THREE_LEVEL_ENGINES[engine](model)
    every_call(tree)
    assert tree["log_likelihood"]["y"].dims == ("chain", "draw", "school")
    assert set(tree["log_prior"].data_vars) == set(THREE_LEVEL)
    loo = az.loo(tree, pointwise=True)
    stated = weighed(tree).groups["mcse_log_density"]
    for i in (0, int(loo.pareto_k.values.argmax())):
        posterior = three_level.posterior(without_school(model, i))
        others = posterior.draw(draws=5000, rng=np.random.default_rng(435))["posterior"]
        density = np.exp(model.log_likelihood(*(others[name].values for name in THREE_LEVEL))[..., i])
        error = np.hypot(density.std() / density.mean() / np.sqrt(density.size), stated[i])
        assert abs(loo.elpd_i.values[i] - np.log(density.mean())) < ERRORS * error


def one_group_tree():
    return conjugate.draw(one_group.example(), draws=200, rng=np.random.default_rng(436))


def test_one_group_cannot_be_left_out():
    """The tree gives the reason; it has log priors, and summaries and plots work."""
    tree = one_group_tree()
    assert "log_likelihood" not in tree.children
    assert "a single group cannot be left out" in tree.attrs["no_log_likelihood"]
    assert {"theta", "sigma"} <= set(az.summary(tree).index)
    assert az.psense(tree, group="prior")["theta"] > 0
    plots(tree)


def test_unequal_variances_say_where_theirs_is():
    model = OwnVariances(replicates(437, [6, 9, 4, 7]))
    tree = unequal_variances.by_gibbs(model, draws=20, tune=20, thin=1, rng=np.random.default_rng(438))
    assert "log_predictive" in tree.attrs["no_log_likelihood"]
