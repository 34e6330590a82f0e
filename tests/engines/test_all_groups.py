"""All groups in one sweep have the moments of a mixture over the nodes, group by group."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.problems import PROBLEMS, estimates, replicates

from analyses.engines import all_groups, exact
from models import eight_schools, math_test, priors
from models.groups import Replicates
from models.two_level import TwoLevel

MODELS = PROBLEMS | {
    "eight schools": eight_schools.model(),
    "math test": math_test.model(),
    "three estimates": TwoLevel(groups=estimates(3, 3), tau=priors.FLAT),
    "many groups": TwoLevel(groups=replicates(21, np.arange(400) % 7 + 1, covariate=True), tau=priors.HalfCauchy(1.0)),
}


@pytest.mark.parametrize("name", MODELS)
def test_moments_are_the_mixtures(name):
    """Equal to 1e-10 of an sd; a moment is missing exactly where that of the mixture is."""
    posterior = exact.posterior(MODELS[name])
    found, table = all_groups.theta_and_kappa(posterior), posterior.table()
    for variable in ("theta", "kappa"):
        expected = table.loc[variable]
        width = (expected["q97_5"] - expected["q2_5"]).to_numpy() / 4
        assert found.index.tolist() == expected.index.tolist()
        for moment in ("mean", "sd"):
            got, right = found[f"{variable}_{moment}"].to_numpy(), expected[moment].to_numpy()
            assert (np.isnan(got) == np.isnan(right)).all()
            assert np.nanmax(np.abs(got - right) / width, initial=0.0) < 1e-10


def test_blocks_do_not_matter(monkeypatch):
    posterior = exact.posterior(MODELS["many groups"])
    whole = all_groups.theta_and_kappa(posterior)
    monkeypatch.setattr(all_groups, "BLOCK_ENTRIES", 150)
    assert np.allclose(all_groups.theta_and_kappa(posterior), whole, rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", ["one-way", "eight schools", "estimates, covariate"])
def test_quantiles_of_few_are_computed(name):
    posterior = exact.posterior(MODELS[name])
    found, error = all_groups.theta_quantiles(posterior, (0.025, 0.5))
    expected = posterior.table().loc["theta"]
    assert found == pytest.approx(expected[["q2_5", "q50"]].to_numpy().T, rel=1e-12)
    assert error == 0.0


@pytest.mark.parametrize("sigma", [priors.JEFFREYS, priors.HalfNormal(10.0)])
@pytest.mark.parametrize("tau", [priors.HalfCauchy(1.0), priors.InverseGamma(0.5, 0.5)])
def test_quantiles_of_many_are_interpolated(tau, sigma):
    """A thousand groups of two sizes, some far off: the stated error covers the distance from the mixtures."""
    groups = replicates(22, np.tile([2, 5], 500))
    mean = groups.mean.copy()
    mean[:4] += [200.0, -150.0, 60.0, -80.0]
    posterior = exact.posterior(TwoLevel(groups=replace(groups, mean=mean), tau=tau, sigma=sigma))
    found, error = all_groups.theta_quantiles(posterior, (0.025, 0.975))
    law = posterior.theta()
    expected = np.array([law.quantile(p) for p in (0.025, 0.975)])
    width = (expected[1] - expected[0]) / 4
    assert 0 < error < 1e-6
    alone, of_one = all_groups.theta_quantiles(posterior, (0.975,))
    assert np.allclose(alone[0], found[1], rtol=1e-14, atol=0)
    assert 0 < of_one <= error
    assert np.max(np.abs(found - expected) / width) < 10 * error + 1e-12


def test_the_error_is_that_of_the_worst_class(monkeypatch):
    """The order of the classes does not matter."""
    n = np.repeat([4.0, 9.0], 100)
    mean = np.random.default_rng(9).normal(size=200)
    labels = [str(k) for k in range(200)]
    groups = Replicates.from_summary(labels, n, mean, 50.0 * (n - 1))
    posterior = exact.posterior(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0)))
    fitted, errors = all_groups._fitted, iter([1e-10, 1e-12])
    monkeypatch.setattr(all_groups, "_fitted", lambda *asked: (fitted(*asked)[0], next(errors)))
    assert all_groups.theta_quantiles(posterior, [0.5])[1] == 1e-10


def test_a_class_that_no_polynomial_fits_is_computed_by_itself(monkeypatch):
    """Where even the highest degree is not good enough, here a parabola, its rough values are not taken."""
    groups = replicates(23, np.full(200, 3))
    mean = groups.mean + np.where(np.arange(200) % 40 == 0, 90.0, 0.0)
    posterior = exact.posterior(TwoLevel(groups=replace(groups, mean=mean), tau=priors.HalfCauchy(1.0)))
    monkeypatch.setattr(all_groups, "DEGREES", (2,))
    found, error = all_groups.theta_quantiles(posterior, (0.025, 0.975))
    law = posterior.theta()
    assert found == pytest.approx(np.array([law.quantile(p) for p in (0.025, 0.975)]), rel=1e-12)
    assert error == 0.0
