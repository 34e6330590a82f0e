"""One compiled sampler for many sets of data, and theta of only some groups."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytest
import xarray as xr
from helpers.problems import PROBLEMS, estimates, replicates
from numba.core import event
from scipy import stats

from analyses.checks import agreement
from analyses.engines import exact, gibbs, nuts
from models import priors
from models.shrinkage import theta_given
from models.two_level import TwoLevel

SIZES = [8] * 6 + [15] * 6  # as cells
FIRST, SECOND = (TwoLevel(groups=replicates(seed, SIZES), tau=priors.HalfCauchy(1.0)) for seed in (71, 72))
SECOND = replace(SECOND, groups=replace(SECOND.groups, mean=3 * SECOND.groups.mean, ss=4 * SECOND.groups.ss))
ASKED = {"draws": 600, "tune": 600, "chains": 3}
ONCE_IN = 1e-4


def drawn(compiled, model, seed=73):
    return compiled.sample(model, **ASKED, seed=seed, rng=np.random.default_rng(seed))


@pytest.fixture(scope="module")
def ran():
    """Two sets of data and the first again by one sampler; gradients that were made, functions that numba compiled."""
    made, whole = [], pm.Model.logp_dlogp_function
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pm.Model, "logp_dlogp_function", lambda *a, **k: made.append(1) or whole(*a, **k))
        compiled = nuts.Compiled(FIRST, target_accept=0.8)
        assert not made  # nothing is compiled before it is needed
        first = drawn(compiled, FIRST)
        step = compiled._sampler[1]
        with event.install_recorder("numba:compile") as recorder:
            second, again = drawn(compiled, SECOND), drawn(compiled, FIRST)
        assert compiled._sampler[1] is step
    return first, second, again, len(made), len(recorder.buffer)


@pytest.mark.parametrize("which", [0, 1])
def test_draws_agree_with_the_exact_posterior(which, ran):
    """Draws are exact for the data of compiling and for others, three times as large, that are swapped in."""
    model, tree = (FIRST, SECOND)[which], ran[which]
    verdict = agreement.verdict(agreement.table(tree, exact.posterior(model).table()))
    assert verdict.passed, verdict.sentence
    assert tree["observed_data"]["y"].values.tolist() == model.groups.mean.tolist()
    assert tree["posterior"]["theta"]["group"].values.tolist() == list(model.groups.labels)


def test_a_seed_says_it_all(ran):
    """A run in between, with its step size and metric, does not change the draws."""
    first, second, again, *_ = ran
    for name, values in first["posterior"].data_vars.items():
        assert (values.values == again["posterior"][name].values).all()
        if name != "kappa" or "tau" in second["posterior"]:
            assert not (values.values == second["posterior"][name].values).any()


def test_nothing_is_compiled_a_second_time(ran):
    """One gradient for three runs; and numba, which makes machine code of it, is not called in the second and third."""
    *_, gradients, compilations = ran
    assert gradients == 1
    assert compilations == 0


def test_what_it_was_compiled_with_does_not_matter(ran):
    """Data are swapped in whole: a sampler of the second set gives the first the same draws."""
    tree = drawn(nuts.Compiled(SECOND, target_accept=0.8), FIRST)
    for name, values in ran[0]["posterior"].data_vars.items():
        assert (values.values == tree["posterior"][name].values).all()


OTHERS = {
    "sizes or standard errors": replace(FIRST, groups=replicates(71, [15] * 6 + [8] * 6)),
    "degrees of freedom": replace(FIRST, groups=replace(FIRST.groups, df=FIRST.groups.df + 1)),
    "covariates": TwoLevel(groups=replicates(71, SIZES, covariate=True), tau=priors.HalfCauchy(1.0)),
    "priors": replace(FIRST, tau=priors.HalfCauchy(2.0)),
    "priors ": replace(FIRST, sigma=priors.HalfNormal(9.0)),
    "priors  ": replace(FIRST, coefficients=(priors.Normal(500.0, 9.0),)),
    "meaning of tau": replace(FIRST, relative=False),
}


@pytest.mark.parametrize("what", OTHERS)
def test_another_design_or_prior_is_refused(what):
    """The message names the difference before anything is compiled: draws of another model would look as good."""
    compiled = nuts.Compiled(FIRST)
    with pytest.raises(ValueError, match=rf"compiled for other (.* and other )?{what.strip()}.*: compile anew"):
        drawn(compiled, OTHERS[what])
    assert "_sampler" not in vars(compiled)


def test_fewer_groups_and_other_errors_are_refused():
    """Arrays of another length, which would broadcast or fail with PyTensor's words, and errors of the same length."""
    model = TwoLevel(groups=estimates(74, 6), tau=priors.FLAT)
    compiled = nuts.Compiled(model)
    for other in (model.subset(np.arange(5)), replace(model, groups=estimates(75, 6))):
        with pytest.raises(ValueError, match="compiled for other sizes or standard errors"):
            drawn(compiled, other)


def test_data_without_a_posterior_are_refused():
    """Data with the design of the first set and no spread within any group."""
    none = replace(FIRST, groups=replace(FIRST.groups, ss=0 * FIRST.groups.ss))
    with pytest.raises(ValueError, match="no group has any spread within it"):
        drawn(nuts.Compiled(FIRST), none)


# --- theta of only some ---------------------------------------------------------------------------------------------

SOME = np.array([4, 0, 3])  # not in order


@pytest.fixture
def canned(monkeypatch):
    """Made-up draws in place of PyMC's; the tests look at how they are completed."""
    model, size = PROBLEMS["one-way, flat tau, covariate"], (2, 500)
    rng = np.random.default_rng(76)
    drawn = {"mu": rng.normal(500, 3, size), "tau": rng.gamma(5, 0.1, size), "sigma": rng.gamma(50, 0.2, size)}
    posterior = {name: (("chain", "draw"), values) for name, values in drawn.items()}
    posterior["beta"] = (("chain", "draw", "covariate"), rng.normal(0, 2, (*size, 1)))
    theta = ("chain", "draw", "group"), rng.normal(500, 7, (*size, 7))

    def run(built, **_):
        of_theta = {"theta": theta} if "theta" in built.named_vars else {}
        nodes = {"posterior": xr.Dataset(posterior | of_theta, attrs={"sampling_time": 1.0})}
        return xr.DataTree.from_dict(nodes | {"sample_stats": xr.Dataset()})

    monkeypatch.setattr(nuts, "run", run)
    return model, theta[1]


def asked_for(model, parameterization, only=SOME):
    return nuts.sample(model, parameterization=parameterization, only=only, seed=1, rng=np.random.default_rng(77))


@pytest.mark.parametrize("parameterization", ["marginal", "centered"])
def test_some_groups_of_nuts(parameterization, canned):
    """Data, names and theta are those of the groups asked for, in their order; the other draws do not change."""
    model, theta = canned
    tree, whole = asked_for(model, parameterization), asked_for(model, parameterization, None)
    assert tree["posterior"]["theta"]["group"].values.tolist() == ["g4", "g0", "g3"]
    assert tree["posterior_predictive"]["y"].shape == (2, 500, 3)
    for name, field in (("y", "mean"), ("ss_within", "ss")):
        assert tree["observed_data"][name].values.tolist() == getattr(model.groups, field)[SOME].tolist()
    for name in ("mu", "beta", "tau", "sigma", "sd_between"):
        assert (tree["posterior"][name].values == whole["posterior"][name].values).all()
    assert (tree["posterior"]["kappa"].values == whole["posterior"]["kappa"].values[..., SOME]).all()
    if parameterization == "centered":
        assert (tree["posterior"]["theta"].values == theta[..., SOME]).all()


def test_theta_of_some_is_drawn_from_their_conditional(canned):
    """Given b and the scales each theta has a normal law; the positions of draws in it are uniform."""
    model, _ = canned
    posterior = asked_for(model, "marginal")["posterior"]
    b = np.concatenate([posterior["mu"].values[..., None], posterior["beta"].values], axis=-1)
    g = model.groups.subset(SOME)
    noise, between = model.variances(g.noise, posterior["tau"].values[..., None], posterior["sigma"].values[..., None])
    mean, variance = theta_given(g.mean, noise, b @ g.design.T, between)
    places = stats.norm.cdf(posterior["theta"].values, mean, np.sqrt(variance)).reshape(-1, len(SOME))
    assert min(stats.kstest(p, "uniform").pvalue for p in places.T) > ONCE_IN / len(SOME)


@pytest.mark.parametrize("name", ["one-way, flat tau, covariate", "estimates, covariate"])
def test_gibbs_keeps_some_of_the_same_chain(name):
    """Gibbs draws theta of all groups anyway, so the kept draws equal those of the whole chain bit for bit."""
    model = PROBLEMS[name]
    whole, some = (
        gibbs.sample(model, draws=20, tune=5, thin=2, chains=3, only=only, rng=np.random.default_rng(78))["posterior"]
        for only in (None, SOME)
    )
    assert some["theta"]["group"].values.tolist() == [model.groups.labels[k] for k in SOME]
    for kept, values in some.data_vars.items():
        expected = whole[kept].values
        assert (values.values == (expected[..., SOME] if kept in ("theta", "kappa") else expected)).all()


@pytest.mark.parametrize("engine", ["gibbs", "exact"])
def test_some_groups_have_their_own_theta(engine):
    """They agree with their exact posteriors; theta or kappa of another group would be wrong by many errors."""
    model = PROBLEMS["one-way, flat tau, covariate"]
    posterior, rng = exact.posterior(model), np.random.default_rng(79)
    if engine == "exact":
        tree = posterior.draw(draws=500, only=SOME, rng=rng)
    else:
        tree = gibbs.sample(model, draws=100, tune=300, thin=10, only=SOME, rng=rng)
    verdict = agreement.verdict(agreement.table(tree, posterior.table(SOME)))
    assert verdict.passed, verdict.sentence
