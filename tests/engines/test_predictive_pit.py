"""Predictive PIT values and quantiles of very many groups do not depend on blocks or neighboring groups."""

import numpy as np
import pytest
from helpers.crowds import MODELS, ONCE_IN, limit
from scipy import stats
from scipy.special import ndtr

from analyses.engines import all_groups, exact
from models import priors
from models.groups import Estimates, Replicates
from models.two_level import TwoLevel


@pytest.fixture(scope="module")
def posteriors():
    """Posteriors of all models."""
    return {name: exact.posterior(model) for name, model in MODELS.items()}


def from_the_model(kind, rng, *, far=0.0):
    """3000 groups from the model; a share of them with theta eight times as far from the population mean."""
    size = 3000
    away = rng.standard_normal(size) * np.where(np.arange(size) < far * size, 8, 1)
    if kind == "estimates":
        se, x = rng.choice([1.0, 2.0, 3.0], size), rng.normal(size=size)
        y = rng.normal(5 + 2 * x + 2 * away, se)
        return TwoLevel(groups=Estimates.from_summary(range(size), y, se, covariates={"x": x}), tau=priors.FLAT)
    n, x = rng.integers(2, 6, size), rng.integers(0, 2, size)
    mean = rng.normal(50 + 3 * x + 7 * away, 10 / np.sqrt(n))
    ss = 100 * rng.chisquare(n - 1)
    groups = Replicates.from_summary(range(size), n, mean, ss, covariates={"x": x})
    return TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0))


@pytest.mark.parametrize("kind", ["estimates", "rows"])
def test_places_of_data_from_the_model_are_even(kind):
    """PIT values are uniform: overall, among groups of each noise, and in either tail.

    The posterior was fitted to these groups, which makes the values only more even.
    """
    model = from_the_model(kind, np.random.default_rng(41))
    p = all_groups.predictive_pit(exact.posterior(model))
    noise = model.groups.noise
    parts = [p, *(p[noise == v] for v in np.unique(noise))]
    assert min(stats.kstest(part, "uniform").pvalue for part in parts) > ONCE_IN / len(parts)
    for side in (p, 1 - p):
        for share in (0.001, 0.05):
            assert stats.binomtest(int((side < share).sum()), len(p), share).pvalue > ONCE_IN / 4


@pytest.mark.parametrize("kind", ["estimates", "rows"])
def test_places_of_contaminated_data_are_uneven(kind):
    """Three groups in a hundred that are eight times as spread out: they fill the tails."""
    model = from_the_model(kind, np.random.default_rng(42), far=0.03)
    p = all_groups.predictive_pit(exact.posterior(model))
    odd = 2 * np.minimum(p, 1 - p) < 0.001
    assert stats.binomtest(int(odd.sum()), len(p), 0.001).pvalue < 1e-20
    assert stats.kstest(p, "uniform").pvalue < 1e-6
    assert odd[:90].sum() > 10 * odd[90:].sum()


@pytest.mark.parametrize("name", ["rows, covariate", "estimates, covariate"])
def test_foretold_is_the_law_of_a_new_group(name, posteriors):
    """By draws of the hyperparameters: mean ~ N(x'b, sd_between^2 + sigma^2 noise), averaged."""
    posterior, g = posteriors[name], MODELS[name].groups
    drawn = posterior.independent(4000, rng=np.random.default_rng(43))
    sigma = drawn.get("sigma", np.ones(4000))[:, None]
    noise, between = posterior.model.variances(g.noise, drawn["tau"][:, None], sigma)
    each = ndtr((g.mean - drawn["b"] @ g.design.T) / np.sqrt(noise + between))
    z = (all_groups.predictive_pit(posterior) - each.mean(axis=0)) / (each.std(axis=0, ddof=1) / np.sqrt(len(each)))
    seen = each.std(axis=0) > 1e-4  # the rest lie so far out that their average is one draw's
    assert np.abs(z[seen]).max() < limit(len(g))
    assert seen.sum() > len(g) / 2


# --- sweeps -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rows, covariate", "estimates"])
def test_quantiles_are_computed_where_few_are_alike(name, posteriors, monkeypatch):
    """Each group is solved separately, in blocks; its quantile does not depend on the others in its block."""
    posterior = posteriors[name]
    monkeypatch.setattr(all_groups, "BLOCK_ENTRIES", 17 * len(posterior.weight))
    found, error = all_groups.theta_quantiles(posterior, (0.025, 0.5, 0.975))
    whole = posterior.theta()
    expected = np.array([whole.quantile(p) for p in (0.025, 0.5, 0.975)])
    assert np.abs((found - expected) / whole.sd).max() < 1e-12
    assert error == 0.0


def test_quantiles_of_interpolated_equal_and_lone_groups_are_in_their_places():
    """A class of many, one of many with the same mean, and some alone: all are in their places."""
    rng = np.random.default_rng(44)
    se = np.concatenate([np.full(60, 2.0), np.full(60, 3.0), rng.uniform(4, 9, 11)])
    y = rng.normal(20, 5, len(se))
    y[60:120] = 21.5
    mixed = rng.permutation(len(se))
    posterior = exact.posterior(
        TwoLevel(groups=Estimates.from_summary(range(len(se)), y[mixed], se[mixed]), tau=priors.FLAT)
    )
    (found,), error = all_groups.theta_quantiles(posterior, (0.3,))
    whole = posterior.theta()
    off = np.abs(found - whole.quantile(0.3)) / whole.sd
    assert 0 < error < all_groups.MOST_ERROR
    assert off.max() < 10 * error + 1e-12
    assert np.ptp(found[se[mixed] == 3.0]) < 1e-12


def test_blocks_change_nothing_of_probabilities(posteriors, monkeypatch):
    """Neither the number of blocks nor a short last block matters."""
    posterior = posteriors["rows, covariate"]
    whole = all_groups.predictive_pit(posterior)
    monkeypatch.setattr(all_groups, "BLOCK_ENTRIES", 7 * len(posterior.weight))
    assert all_groups.predictive_pit(posterior) == pytest.approx(whole, abs=1e-14)
    assert len(whole) % 7
