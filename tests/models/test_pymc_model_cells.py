"""PyMC's marginal model on cells: the density of one row a group, at a cost that knows nothing of their number."""

from dataclasses import replace

import numpy as np
import pymc as pm
import pytensor
import pytest
import xarray as xr
from helpers.joint import log_density, state
from helpers.problems import HALF, estimates, replicates
from pytensor.graph.traversal import ancestors
from scipy import stats

from models import priors, pymc_model
from models.groups import Estimates, Replicates
from models.two_level import TwoLevel

TOLERANCE = 1e-9  # of terms that add up to some thousands, as in test_pymc_model.py
ONCE_IN = 1e-4


@pytest.fixture(autouse=True)
def interpreted():
    """Each density is asked for a few times: nothing is worth compiling."""
    with pytensor.config.change_flags(mode="FAST_COMPILE"):
        yield


def with_mean(groups, mean):
    return replace(groups, mean=np.array(mean, dtype=float))


def two_errors(groups):
    return replace(groups, noise=np.where(np.arange(len(groups)) % 3 == 0, 4.0, 9.0))


TWINS = with_mean(replicates(51, [3, 3, 5, 5]), [503.5, 503.5, 498.25, 498.25])
MODELS = {
    "unequal classes": TwoLevel(groups=replicates(52, [3] * 9 + [4] * 2 + [7]), tau=HALF),
    "covariate, half-Cauchy tau": TwoLevel(
        groups=replicates(53, [5, 2] * 6, covariate=True), tau=priors.HalfCauchy(1.0)
    ),
    "absolute tau": TwoLevel(groups=replicates(54, [6, 3, 3] * 4), tau=priors.HalfCauchy(8.0), relative=False),
    "a class smaller than the coefficients": TwoLevel(
        groups=replicates(55, [4] * 9 + [2], covariate=True), tau=priors.FLAT, sigma=priors.HalfNormal(14.0)
    ),
    "single rows among others": TwoLevel(groups=replicates(56, [1, 3, 1, 3, 1, 3, 1, 3]), tau=priors.HalfCauchy(0.7)),
    "estimates, proper coefficients": TwoLevel(
        groups=two_errors(estimates(57, 12, covariate=True)),
        tau=priors.FLAT,
        coefficients=(priors.Normal(10.0, 30.0), priors.Normal(0.0, 5.0)),
    ),
    "twins": TwoLevel(groups=TWINS, tau=priors.HalfCauchy(1.0)),
}


def states(model):
    rng = np.random.default_rng(58)
    for _ in range(4):
        yield state(model, rng) | ({"sigma2": np.ones(1)} if isinstance(model.sigma, priors.KnownScale) else {})


def on_cells(model) -> pm.Model:
    return pymc_model.build(model, parameterization="marginal", cells=True)


@pytest.mark.parametrize("name", MODELS)
def test_density_is_that_of_one_row_a_group(name):
    """An orthogonal transformation of equal noises has determinant 1: not even a constant is between them."""
    model = MODELS[name]
    cells = log_density(model, on_cells(model))
    separate = log_density(model, pymc_model.build(model, parameterization="marginal"))
    for here in states(model):
        assert cells(here) == pytest.approx(separate(here), abs=TOLERANCE)


@pytest.mark.parametrize("name", ["unequal classes", "estimates, proper coefficients", "absolute tau"])
def test_ss_between_is_what_the_others_leave(name):
    """Of each class the squares about its own regression, as anybody's least squares have them."""
    model = MODELS[name]
    g, rest = model.groups, []
    for noise in np.unique(g.noise):
        some = g.noise == noise
        x, y = g.design[some], g.mean[some]
        if len(y) > x.shape[1]:
            rest.append(np.sum((y - x @ np.linalg.lstsq(x, y)[0]) ** 2))
    built = on_cells(model)
    assert built["observed_ss_between"].get_value() == pytest.approx(rest, rel=1e-9)
    unseen = built["df_between"].get_value()
    assert unseen.sum() + len(built["noise"].get_value()) == len(g)


def test_equal_means_leave_a_density():
    """Squares of exactly 0 are no density of chi^2, but one of the residuals; a slope in the scales is there too."""
    built = on_cells(MODELS["twins"])
    assert built["observed_ss_between"].get_value() == pytest.approx([0.0, 0.0], abs=1e-25)  # squares of rounding
    with built:
        pm.set_data({"observed_ss_between": np.zeros(2)})
    point = built.initial_point() | {"mu": np.array(500.0)}
    assert np.isfinite(built.compile_logp()(point))
    assert np.isfinite(built.compile_dlogp()(point)).all()


@pytest.mark.parametrize("kind", ["rows", "estimates"])
def test_a_thousand_times_the_groups_cost_nothing(kind):
    """Of the same sizes: data of the same shapes, and a graph of as many nodes."""

    def built(count):
        rng, labels = np.random.default_rng(59), range(count)
        y, x = rng.normal(size=count), rng.normal(size=count)
        if kind == "estimates":
            groups = Estimates.from_summary(labels, y, np.tile([1.0, 2.0], count // 2), covariates={"x": x})
        else:
            groups = Replicates.from_summary(
                labels, np.tile([2, 5], count // 2), y, np.full(count, 3.0), covariates={"x": x}
            )
        return on_cells(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0)))

    few, many = built(100), built(100_000)
    for name in ("data_vars", "observed_RVs"):
        shapes = [
            {v.name: m.compile_fn(v, inputs=[])().shape if name == "x" else v.type.shape for v in getattr(m, name)}
            for m in (few, many)
        ]
        assert shapes[0] == shapes[1]
    sizes = [{v.name: v.get_value().shape for v in m.data_vars} for m in (few, many)]
    assert sizes[0] == sizes[1]
    assert max(sum(shape) for shape in sizes[1].values()) <= 4 + 2
    assert len(many.coords["cell"]) == 4
    nodes = [len(list(ancestors([m.logp()]))) for m in (few, many)]
    assert nodes[0] == nodes[1]
    constants = [sum(np.size(v.data) for v in ancestors([m.logp()]) if hasattr(v, "data")) for m in (few, many)]
    assert constants[0] == constants[1]


def test_what_is_replicated_has_the_law_that_is_stated():
    """ss_between ~ v chi^2(df_between) and y ~ N(design b, v), of draws at one value of all parameters."""
    model = MODELS["covariate, half-Cauchy tau"]
    built, draws = on_cells(model), 2000
    mu, slope, tau, sigma = 499.0, 3.0, 0.6, 11.0
    free = {"mu": mu, "tau": tau, "sigma": sigma}
    posterior = {k: (("chain", "draw"), np.full((1, draws), v)) for k, v in free.items()}
    posterior["beta"] = (("chain", "draw", "covariate"), np.full((1, draws, 1), slope))
    tree = xr.DataTree.from_dict({"posterior": xr.Dataset(posterior, {"covariate": ["x"]})})
    with built:
        made = pm.sample_posterior_predictive(
            tree, var_names=["y", "ss_between"], random_seed=60, progressbar=False
        ).posterior_predictive
    cells = model.groups.cells
    several = cells.count > 1
    v = sigma**2 * (cells.noise + tau**2)
    unseen = (cells.count - 1)[several]
    spread, mean = made["ss_between"].values[0], made["y"].values[0]
    assert spread.shape == (draws, 2)
    assert mean.shape == (draws, 4)
    z = (spread.mean(axis=0) / (v[several] * unseen) - 1) / np.sqrt(2 / unseen / draws)
    assert np.abs(z).max() < stats.norm.isf(ONCE_IN / 4)
    places = [stats.chi2(k).cdf(s / w) for s, k, w in zip(spread.T, unseen, v[several], strict=True)]
    centre = cells.design @ [mu, slope]
    places += [stats.norm.cdf((m - c) / np.sqrt(w)) for m, c, w in zip(mean.T, centre, v, strict=True)]
    assert min(stats.kstest(p, "uniform").pvalue for p in places) > ONCE_IN / len(places)


@pytest.mark.parametrize("name", ["covariate, half-Cauchy tau", "twins", "estimates, proper coefficients"])
def test_swapped_data_have_the_density_of_the_others(name):
    """What `observed` gives is all that changes from one set of data to another; that of twins, to a spread above 0."""
    model = MODELS[name]
    g, rng = model.groups, np.random.default_rng(61)
    moved = replace(g, mean=g.mean + rng.normal(7, 5, len(g)), ss=g.ss * rng.uniform(0.5, 2, len(g)))
    other, built = replace(model, groups=moved), on_cells(model)
    before = log_density(model, built)
    density = [before(here) for here in states(model)]
    with built:
        pm.set_data(pymc_model.observed(moved))
    after, anew = log_density(model, built), log_density(other, on_cells(other))
    for here, was in zip(states(model), density, strict=True):
        assert after(here) == pytest.approx(anew(here), abs=TOLERANCE)
        assert abs(after(here) - was) > 0.1


@pytest.mark.parametrize("sizes", [[5, 2] * 6, [3, 4, 5, 6]], ids=["cells", "groups"])
def test_many_sets_of_data_at_once(sizes):
    """With leading dimensions each set is what it would be by itself, whatever the centre that all sets share."""
    g, rng = replicates(62, sizes, covariate=True), np.random.default_rng(63)
    mean, ss = g.mean + rng.normal(0, 5, (2, 3, len(g))), g.ss * rng.uniform(0.5, 2, (2, 3, len(g)))
    together = pymc_model.observed(replace(g, mean=mean, ss=ss))
    alone = pymc_model.observed(g)
    assert ("observed_ss_between" in together) == ("observed_ss_between" in alone) == (len(sizes) == 12)
    for k in np.ndindex(2, 3):
        one = pymc_model.observed(replace(g, mean=mean[k], ss=ss[k]))
        assert one.keys() == together.keys() == alone.keys()
        for name, values in one.items():
            assert np.shape(values) == np.shape(alone[name])
            assert together[name][k] == pytest.approx(values, rel=1e-11)


@pytest.mark.parametrize(
    ("sizes", "as_cells"), [([2] * 2, True), ([2, 3], False), ([2, 2, 3], False), ([2, 2, 3, 3], True)]
)
def test_cells_are_for_groups_twice_as_many(sizes, as_cells):
    """NUTS has them at just half as many; and what is observed goes with what was built."""
    g = replicates(64, sizes)
    built = pymc_model.build_for_nuts(TwoLevel(groups=g, tau=priors.HalfCauchy(1.0)))
    assert ("cell" in built.coords) == as_cells
    assert pymc_model.observed(g).keys() <= {data.name for data in built.data_vars}
    for name, values in pymc_model.observed(g).items():
        assert built[name].get_value() == pytest.approx(values, rel=1e-15)
