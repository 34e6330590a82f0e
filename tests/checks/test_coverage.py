"""Coverage of the intervals of a trial is counted as it says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analyses.checks import coverage, t_tests
from analyses.engines import exact
from analyses.engines.inference_data import replicate
from models import blood_pressure


@pytest.fixture(scope="module")
def posterior():
    return exact.posterior(blood_pressure.model())


@pytest.fixture(scope="module")
def truth(posterior):
    """Posterior means, as the study has them."""
    return posterior.table()["mean"].droplevel("label")


# the posterior of other data


def test_a_posterior_again_is_that_posterior(posterior):
    """The same model and so the same lattice."""
    table, again = posterior.table(), posterior.refit(posterior.model).table()
    off = again.sub(table).abs().div(table["sd"], axis=0)
    assert off.to_numpy().max() < 1e-8


def replicated(model, truth, rng):
    """Of one trial: subjects drawn anew."""
    g = model.groups
    theta = rng.normal(truth["mu"] + truth["beta"] * g.design[:, 1], truth["sd_between"])
    return replace(model, groups=replace(g, **replicate(g, theta, truth["sigma"], rng=rng)))


def test_a_posterior_again_is_that_of_other_data(posterior, truth):
    model = replicated(posterior.model, truth, np.random.default_rng(172))
    table, again = exact.posterior(model).table(), posterior.refit(model).table()
    assert again.sub(table).abs().div(table["sd"], axis=0).to_numpy().max() < 1e-8
    assert again.sub(posterior.table()).abs().to_numpy().max() > 1, "of other data indeed"


# coverage


def test_a_table_of_trials(posterior, truth):
    """Forty of them: coverage is a share of forty, its error binomial; the t-test on records is far too sure.

    An interval of A has the width of a mean of some 200 records an arm, one of B that of ten subjects: where subjects
    differ by more than records do, the one is narrower by about sqrt(20 / 2) or more. The model's is that of B with the
    one degree of freedom more that the prior of tau^2 brings. Of the same data the ratio hardly varies; that Welch's
    degrees of freedom are 16 to 18 is 1% of a quantile.
    """
    found = coverage.table(posterior, truth, trials=40, rng=np.random.default_rng(173))
    covered, error, width = (found[name].to_numpy() for name in ("covers the truth", "standard error", "mean width"))
    assert np.all((covered >= 0) & (covered <= 1))
    assert 40 * covered == pytest.approx(np.rint(40 * covered), abs=1e-12)
    assert error == pytest.approx(np.sqrt(covered * (1 - covered) / 40), rel=1e-12)
    assert truth["sd_between"] > truth["sigma"]
    assert width[0] < width[1] / 3
    quantile = stats.t(df=[18, 19]).ppf(0.975)
    assert width[2] / width[1] == pytest.approx(np.sqrt(18 / 19) * quantile[1] / quantile[0], rel=0.01)
    assert covered[0] < covered[1:].min()


def test_subjects_that_hardly_differ_make_all_intervals_of_one_size(posterior, truth):
    """With sd_between = sigma / 20 records are as good as independent. The model's prior keeps tau above some 0.3, by
    which its variance, 1/21 + tau^2, is up to three times that of the others.

    B weighs subjects alike, whatever their records, and estimates its sd on 18 degrees of freedom: forty such sds have
    a mean that is off by 1 in sqrt(2 18 40).
    """
    alike = truth.copy()
    alike["sd_between"] = 0.05 * truth["sigma"]
    width = coverage.table(posterior, alike, trials=40, rng=np.random.default_rng(174))["mean width"]
    n, arm = posterior.model.groups.n, posterior.model.groups.design[:, 1] == 1
    of_means = sum(np.sum(1 / n[at] + 0.05**2) / at.sum() ** 2 for at in (arm, ~arm))
    of_records = sum(1 / n[at].sum() for at in (arm, ~arm))
    expected = np.sqrt(of_means / of_records) * stats.t(18).ppf(0.975) / stats.norm.ppf(0.975)
    assert width[1] / width[0] == pytest.approx(expected, rel=4.5 / np.sqrt(2 * 18 * 40))
    assert width[0] / 1.25 < width[2] < width[0] * 2


def test_each_trial_is_one_posterior_and_two_t_tests(posterior, truth):
    """The same generator makes the same trials; the model's interval is that of its exact posterior.

    The t-test on records misses the truth on both sides: half of these trials or more, so twelve are enough.
    """
    trials, rng, g = 12, np.random.default_rng(175), posterior.model.groups
    found = coverage.table(posterior, truth, trials=trials, rng=np.random.default_rng(175))
    theta = rng.normal(g.design @ [truth["mu"], truth["beta"]], truth["sd_between"], (trials, len(g)))
    data = replicate(g, theta, np.full(trials, truth["sigma"]), rng=rng)
    ends = []
    for mean, ss in zip(data["mean"], data["ss"], strict=True):
        model = replace(posterior.model, groups=replace(g, mean=mean, ss=ss))
        effect = exact.posterior(model).b
        tests = [test(model.groups) for test in (t_tests.on_records, t_tests.on_means)]
        ends.append([*((t.low, t.high) for t in tests), [effect.quantile(p)[1] for p in (0.025, 0.975)]])
    low, high = np.moveaxis(ends, -1, 0)
    assert found["mean width"].to_numpy() == pytest.approx((high - low).mean(axis=0), rel=1e-9)
    below, above = low >= truth["beta"], high <= truth["beta"]
    assert below.any()
    assert above.any()
    assert found["covers the truth"].to_numpy() == pytest.approx(1 - (below | above).mean(axis=0), abs=1e-12)


def test_the_right_interval_covers_as_often_as_it_says(posterior, truth):
    """Of a t-test on subjects' means, which is exact where all have as many records: next to it here.

    Four and a half binomial errors of 200 trials about 0.95; A, which is wrong, is far below.
    """
    found = coverage.table(posterior, truth, trials=200, rng=np.random.default_rng(176))
    covered = found["covers the truth"]
    assert covered[1] == pytest.approx(0.95, abs=4.5 * np.sqrt(0.95 * 0.05 / 200))
    assert covered[0] < 0.8
