"""What users of PyMC do with the models and with the draws of every engine: names, dimensions and values agree."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from helpers.problems import PROBLEMS, replicates
from pymc.initial_point import make_initial_point_fn
from scipy import stats

from analyses.engines import exact, gibbs, nuts
from models import baseball, blood_pressure, classrooms, eight_schools, math_test, priors, pymc_model
from models.two_level import TwoLevel

CASES = {"eight_schools": eight_schools, "baseball": baseball, "math_test": math_test, "blood_pressure": blood_pressure}
ROUNDING = 1e-9  # of terms that add up to some thousands
ONCE_IN = 1e-4
SAMPLE = ("chain", "draw")


# the same model in plain PyMC


def run(case):
    """The model that the text of a case builds."""
    names = {}
    exec(case.code(), names)
    return names["model"]


# PyMC's value in the text, as a function of the builder's: linear, so that its Jacobian is a constant.
SPELLED = {"log_sigma": "sigma_log__", "tau2_log__": "tau_log__", "kappa2_log__": "kappa_log__"}
SPELLED |= {"z": "theta_noncentered__", "z_school": "mu_noncentered__"}


def spelled(point, plain):
    """A point of the builder's in the values of the plain model."""
    factor = {"tau2_log__": 2.0, "kappa2_log__": 2.0}
    names = [value.name for value in plain.value_vars]
    return {name: factor.get(name, 1.0) * point[SPELLED.get(name, name)] for name in names}


def random_points(built, rng, count=5):
    for _ in range(count):
        yield {name: np.asarray(rng.normal(size=np.shape(v))) for name, v in built.initial_point().items()}


@pytest.mark.parametrize("name", [*CASES, "classrooms"])
def test_code_is_the_builder_in_plain_pymc(name):
    """What NUTS sees is the same function: log densities differ by a constant, coordinates by factors."""
    case = CASES.get(name, classrooms)
    built, plain = case.build(), run(case)
    one, other = built.compile_logp(), plain.compile_logp()
    points = list(random_points(built, np.random.default_rng(81)))
    gaps = [float(one(point)) - float(other(spelled(point, plain))) for point in points]
    size = max(abs(float(one(point))) for point in points)
    assert gaps == pytest.approx([gaps[0]] * len(gaps), abs=1e-13 * size + ROUNDING)


@pytest.mark.parametrize("name", [*CASES, "classrooms"])
def test_code_has_the_dimensions_and_observations_of_the_builder(name):
    case = CASES.get(name, classrooms)
    built, plain = case.build(), run(case)
    assert plain.coords == built.coords
    free = {variable.name for variable in built.free_RVs}
    for variable in free | {"y"}:
        assert plain.named_vars_to_dims.get(variable) == built.named_vars_to_dims.get(variable)
    for observed in built.observed_RVs:
        values = [m.rvs_to_values[m[observed.name]].eval() for m in (built, plain)]
        assert values[0] == pytest.approx(values[1], rel=1e-15)


@pytest.mark.parametrize("log_tau", [3.0, -20.0, -300.0])
def test_noncentered_theta_walks_as_an_explicit_z_does(log_tau):
    """Value and gradient to the last digits, far down the neck too, where (theta - mu) / tau has none left."""
    built, plain = eight_schools.build(), run(eight_schools)
    rng = np.random.default_rng(82)
    point = {"mu": np.array(500.0), "tau_log__": np.array(log_tau), "theta_noncentered__": rng.normal(size=8)}
    there = {"mu": point["mu"], "tau_log__": point["tau_log__"], "z": point["theta_noncentered__"]}
    assert float(built.compile_logp()(point)) == pytest.approx(float(plain.compile_logp()(there)), rel=1e-14)
    assert built.compile_dlogp()(point) == pytest.approx(plain.compile_dlogp()(there), rel=1e-13, abs=1e-13)


# where chains start


@pytest.mark.parametrize("parameterization", pymc_model.PARAMETERIZATIONS)
@pytest.mark.parametrize("name", ["estimates, a covariate", "rows, a covariate, all proper"])
def test_chains_start_where_they_are_told(name, parameterization):
    """Starts are a state in the parameters, scales and not variances; PyMC's own values of them lead back to them."""
    model = MODELS[name]
    state = {name: values[0] for name, values in model.start(1, np.random.default_rng(83)).items()}
    told = {"mu": state["b"][0], "beta": state["b"][1:], "theta": state["theta"]}
    told |= {name: np.sqrt(state[f"{name}2"]) for name in ("tau", "sigma")}
    (start,) = pymc_model.initial(model, parameterization, {name: values[None] for name, values in state.items()})
    for name, value in start.items():
        assert value == pytest.approx(told[name], rel=1e-15)
    built = pymc_model.build(model, parameterization=parameterization)
    assert start.keys() == {variable.name for variable in built.free_RVs}
    point = make_initial_point_fn(model=built, overrides=start, return_transformed=True)(0)
    back = built.compile_fn(built.unobserved_value_vars, inputs=built.value_vars)(point)
    values = dict(zip((variable.name for variable in built.unobserved_value_vars), back, strict=True))
    for name, value in start.items():
        assert values[name] == pytest.approx(value, rel=1e-12)


# draws of every engine in PyMC


PROPER = TwoLevel(
    groups=replicates(84, [4, 2, 5, 3, 6, 2], covariate=True),
    tau=priors.InverseGamma(3.0, 0.8),
    sigma=priors.HalfNormal(14.0),
    coefficients=(priors.Normal(480.0, 15.0), priors.Normal(2.0, 5.0)),
)
MODELS = {
    **{name: case.model() for name, case in CASES.items()},
    "estimates, a covariate": PROBLEMS["estimates, covariate"],
    "rows, a covariate, all proper": PROPER,
}
ENGINES = {
    "exact": lambda model, rng: exact.posterior(model).draw(draws=100, chains=2, rng=rng),
    "gibbs": lambda model, rng: gibbs.sample(model, draws=100, tune=50, thin=1, chains=2, rng=rng),
    "nuts": lambda model, rng: nuts.sample(model, draws=100, tune=100, chains=2, seed=85, rng=rng),
}


@pytest.fixture(params=[(name, engine) for name in MODELS for engine in ENGINES], ids=" by ".join, scope="module")
def drawn(request):
    name, engine = request.param
    model = MODELS[name]
    return model, ENGINES[engine](model, np.random.default_rng(86))


def noise_sd(model, posterior):
    """Sd of each y about its theta, (chain, draw, group)."""
    sigma = posterior["sigma"].values if "sigma" in posterior else np.ones(posterior["tau"].shape)
    return sigma[..., None] * np.sqrt(model.groups.noise)


def test_log_likelihood_of_our_draws(drawn):
    """Each group's density given its theta, under the group's own label."""
    model, tree = drawn
    posterior = tree["posterior"].dataset
    built = pymc_model.build(model)
    found = pm.compute_log_likelihood(tree, model=built, extend_inferencedata=False, progressbar=False)
    law = stats.norm(posterior["theta"].values, noise_sd(model, posterior))
    assert found["y"].values == pytest.approx(law.logpdf(model.groups.mean), abs=1e-9)
    assert found["y"][model.groups.dim].values.tolist() == list(model.groups.labels)
    df, ss = model.groups.within
    if df:
        squares = stats.gamma(df / 2, scale=2 * posterior["sigma"].values ** 2).logpdf(ss)
        assert found["ss_within"].values == pytest.approx(squares, abs=1e-8)


def test_posterior_predictive_of_our_draws(drawn):
    """About the theta of the draws: one that PyMC drew anew, or moved to another group, would lie farther off."""
    model, tree = drawn
    built = pymc_model.build(model)
    made = pm.sample_posterior_predictive(tree, model=built, random_seed=87, progressbar=False)["posterior_predictive"]
    posterior = tree["posterior"].dataset
    z = (made["y"].values - posterior["theta"].values) / noise_sd(model, posterior)
    assert stats.kstest(z.ravel(), "norm").pvalue > ONCE_IN
    assert made["y"][model.groups.dim].values.tolist() == list(model.groups.labels)
    df, _ = model.groups.within
    if df:
        places = stats.chi2(df).cdf(made["ss_within"].values / posterior["sigma"].values ** 2)
        assert stats.kstest(places.ravel(), "uniform").pvalue > ONCE_IN


def test_our_trees_have_the_names_and_data_of_the_model(drawn):
    """Free variables in the posterior, observed ones in the data, each with the dimensions that PyMC gives it.

    The tree has a sum of squares of each group, PyMC's model observes their sum.
    """
    model, tree = drawn
    built = pymc_model.build(model)
    for variable in built.free_RVs:
        of_tree = tree["posterior"][variable.name].dims
        assert of_tree == (*SAMPLE, *(built.named_vars_to_dims.get(variable.name) or ()))
    for node in ("observed_data", "posterior_predictive"):
        assert set(tree[node].data_vars) == {variable.name for variable in built.observed_RVs}
    for variable in built.observed_RVs:
        value, of_tree = built.rvs_to_values[variable].eval(), tree["observed_data"][variable.name].values
        assert (of_tree if value.ndim else of_tree.sum()) == pytest.approx(value, rel=1e-14)
    assert tree["constant_data"]["noise"].values == pytest.approx(built["noise"].eval(), rel=1e-15)


# priors


def test_prior_predictive_where_all_is_proper():
    """tau is the root of an inverse gamma, and what is drawn is labelled as the posterior is."""
    built = pymc_model.build(PROPER)
    tree = pm.sample_prior_predictive(4000, model=built, random_seed=88)
    prior = {name: values.values[0] for name, values in tree["prior"].data_vars.items()}
    laws = {
        "tau": lambda x: stats.invgamma(3.0, scale=0.8).cdf(x**2),
        "sigma": lambda x: stats.halfnorm(scale=14.0).cdf(x),
        "mu": lambda x: stats.norm(480.0, 15.0).cdf(x),
        "beta": lambda x: stats.norm(2.0, 5.0).cdf(x[:, 0]),
    }
    population = prior["mu"][:, None] + prior["beta"] * PROPER.groups.design[:, 1]
    z = (prior["theta"] - population) / (prior["tau"] * prior["sigma"])[:, None]
    places = [law(prior[name]) for name, law in laws.items()] + [stats.norm.cdf(z).ravel()]
    assert min(stats.kstest(p, "uniform").pvalue for p in places) > ONCE_IN / len(places)
    assert tree["prior_predictive"]["y"].dims == (*SAMPLE, "group")


@pytest.mark.filterwarnings("ignore:Numba will use object mode")  # PyMC's, before it finds that nothing can be drawn
@pytest.mark.parametrize(
    ("improper", "reason"),
    [
        ({"tau": priors.FLAT_VARIANCE}, r"p\(sd\) = sd\^1 is improper"),
        ({"coefficients": (priors.Normal(480.0, 15.0), priors.Normal())}, "Cannot sample from flat"),
    ],
)
def test_improper_priors_cannot_be_sampled(improper, reason):
    """It says so; nothing is drawn from something else instead."""
    built = pymc_model.build(replace(PROPER, **improper))
    with pytest.raises(NotImplementedError, match=reason):
        pm.sample_prior_predictive(5, model=built, random_seed=89)


# theta of the marginal form


def marginal_draws(model, rng, size=(2, 2000)):
    """Draws as `pm.sample` would return them, of the marginal model's own variables."""
    posterior = {"mu": (SAMPLE, rng.normal(480, 3, size)), "tau": (SAMPLE, rng.gamma(5, 0.2, size))}
    if model.groups.covariates:
        posterior["beta"] = ((*SAMPLE, "covariate"), rng.normal(0, 2, (*size, len(model.groups.covariates))))
    if "sigma" in model.unknown:
        posterior["sigma"] = (SAMPLE, rng.gamma(50, 0.2, size))
    coords = {"covariate": list(model.groups.covariates)} if model.groups.covariates else {}
    return xr.DataTree.from_dict({"posterior": xr.Dataset(posterior, coords), "sample_stats": xr.Dataset()})


@pytest.mark.parametrize("model", [PROPER, eight_schools.model()], ids=["rows, a covariate", "estimates"])
def test_recovered_theta_has_its_conditional(model):
    """Precisions add up: places in that normal are even, in every group."""
    marginal = marginal_draws(model, np.random.default_rng(90))
    tree = pymc_model.recover_theta(marginal, model, rng=np.random.default_rng(91))
    draws = {name: values.values[..., None] for name, values in tree["posterior"].data_vars.items()}
    g, sigma = model.groups, draws.get("sigma", 1.0)
    between = (draws["tau"] * sigma) ** 2
    slope = draws["beta"][..., 0, :] * g.design[:, 1] if g.covariates else 0.0
    precision = 1 / between + 1 / (sigma**2 * g.noise)
    mean = ((draws["mu"] + slope) / between + g.mean / (sigma**2 * g.noise)) / precision
    places = stats.norm.cdf((draws["theta"][..., 0] - mean) * np.sqrt(precision)).reshape(-1, len(g))
    assert min(stats.kstest(p, "uniform").pvalue for p in places.T) > ONCE_IN / len(g)


def test_recovered_theta_is_added_and_nothing_else_changes():
    """The dimension and labels are the study's, so the tree goes on to `build()`; what was given stays."""
    model, rng = blood_pressure.model(), np.random.default_rng(92)
    marginal = marginal_draws(model, rng, size=(2, 10))
    tree = pymc_model.recover_theta(marginal, model, rng=rng)
    assert "theta" not in marginal["posterior"]
    assert tree["posterior"]["theta"].dims == (*SAMPLE, "subject")
    assert tree["posterior"]["subject"].values.tolist() == list(model.groups.labels)
    assert tree.children.keys() == marginal.children.keys()
    for name, values in marginal["posterior"].data_vars.items():
        assert (tree["posterior"][name].values == values.values).all()
    pm.compute_log_likelihood(tree, model=pymc_model.build(model), progressbar=False)
    assert tree["log_likelihood"]["y"].dims == (*SAMPLE, "subject")


@pytest.mark.parametrize("cells", [False, True])
def test_what_pymc_samples_of_the_marginal_form_is_taken(cells):
    model = PROPER
    built = pymc_model.build(model, parameterization="marginal", cells=cells)
    tree = pymc_model.recover_theta(
        nuts.run(built, draws=20, tune=20, chains=1, seed=93), model, rng=np.random.default_rng(93)
    )
    assert tree["posterior"]["theta"].sizes == {"chain": 1, "draw": 20, "group": 6}


def test_draws_that_have_no_theta_to_recover():
    model, rng = PROPER, np.random.default_rng(94)
    marginal = marginal_draws(model, rng, size=(1, 5))
    with pytest.raises(
        ValueError, match="the posterior has no 'beta': pass draws of this model, with mu, beta, tau, s"
    ):
        pymc_model.recover_theta(marginal_draws(eight_schools.model(), rng, size=(1, 5)), model, rng=rng)
    with pytest.raises(ValueError, match="has theta already"):
        pymc_model.recover_theta(pymc_model.recover_theta(marginal, model, rng=rng), model, rng=rng)


@pytest.mark.parametrize("parameterization", ["centered", "noncentered"])
def test_cells_have_no_theta(parameterization):
    with pytest.raises(ValueError, match="cells need parameterization='marginal'"):
        math_test.build(parameterization=parameterization, cells=True)
