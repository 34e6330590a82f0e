"""The rule of agreement: a right engine passes, a wrong one does not, and a stuck one cannot hide."""

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.signal import lfilter
from scipy.special import ndtri
from scipy.stats import binom, norm, poisson

from analyses.checks import agreement
from analyses.engines import exact
from models import eight_schools

QUANTITIES = 6
CORRELATION = 0.5  # of successive draws: a third of them are effective


@pytest.fixture(scope="module")
def right():
    posterior = exact.posterior(eight_schools.model())
    return posterior.draw(draws=1000, chains=4, rng=np.random.default_rng(41)), posterior.table()


def changed(tree, change):
    """The same draws after a change to the posterior's dataset."""
    return xr.DataTree.from_dict({"posterior": change(tree["posterior"].dataset.copy(deep=True))})


def verdict(tree, reference):
    return agreement.verdict(agreement.table(tree, reference))


def test_independent_draws_agree(right):
    assert verdict(*right).passed


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.assign(mu=d.mu + 0.15 * d.mu.std()),
        lambda d: d.assign(tau=d.tau * 1.2),
        lambda d: d.assign(theta=d.theta.mean() + 1.2 * (d.theta - d.theta.mean())),
        lambda d: d.assign(tau=d.tau**2),
    ],
)
def test_wrong_draws_do_not(right, change):
    """A shift by 0.15 sd, nine standard errors of 4000 draws; scales off by a fifth, ten of them; a variance."""
    tree, reference = right
    assert not verdict(changed(tree, change), reference).passed


def test_a_stuck_chain_cannot_pass(right):
    """One chain that never moved, and four: the effective sample size counts what was explored."""
    tree, reference = right

    def stuck(chains):
        def stop(d):
            still = d.copy(deep=True)
            for name in still:
                still[name][:chains] = still[name][:chains].isel(draw=0)
            return still

        return stop

    for chains in (1, 4):
        assert not verdict(changed(tree, stuck(chains)), reference).passed


def test_too_few_draws_are_not_agreement(right):
    """Twenty draws a chain are near enough to anything: that is said, not passed."""
    tree, reference = right
    found = verdict(changed(tree, lambda d: d.isel(draw=slice(20))), reference)
    assert not found.passed
    assert "too small to compare" in found.sentence


def test_a_z_that_is_no_number_is_not_agreement(right):
    rows = agreement.table(*right)
    rows.loc[3, "z"] = np.nan
    assert not agreement.verdict(rows).passed


def test_kappa_is_one_test(right):
    rows = agreement.table(*right)
    assert (rows["variable"] == "kappa").sum() == 8 * 4
    assert agreement.tests(rows) == len(rows) - 7 * 4


def test_a_mean_that_does_not_exist_is_not_compared(right):
    tree, reference = right
    without = reference.copy()
    without.loc[("tau", ""), ["mean", "sd"]] = np.nan
    rows = agreement.table(tree, without)
    assert rows.query("variable == 'tau'")["statistic"].tolist() == ["below_q5", "below_q50", "below_q95"]


RUNS = 10_000
ALLOWED = 2
"""One red run in a thousand would be ten; no more than two of them are seen with a probability below 0.01."""


def test_so_few_alarms_are_proof():
    assert poisson.cdf(ALLOWED, 1e-3 * RUNS) < 0.01


BATCH = 100


@pytest.mark.slow
def test_a_right_engine_is_called_wrong_less_than_once_in_a_thousand_times():
    """Ten thousand times 4 x 500 autocorrelated draws of six independent normal quantities through the rule."""
    rng, alarms, warmup = np.random.default_rng(42), 0, 50
    labels = [f"g{i}" for i in range(BATCH * QUANTITIES)]
    index = pd.MultiIndex.from_product([["theta"], labels], names=["variable", "label"])
    reference = pd.DataFrame({"mean": 0.0, "sd": 1.0, "q5": ndtri(0.05), "q50": 0.0, "q95": ndtri(0.95)}, index=index)
    for _ in range(RUNS // BATCH):
        noise = rng.standard_normal((4, 500 + warmup, len(labels))) * np.sqrt(1 - CORRELATION**2)
        x = lfilter([1], [1, -CORRELATION], noise, axis=1)[:, warmup:]
        draws = xr.Dataset({"theta": (("chain", "draw", "group"), x)}, {"group": labels}, {"engine": "gibbs"})
        rows = agreement.table(xr.DataTree.from_dict({"posterior": draws}), reference)
        run = rows["label"].str[1:].astype(int) // QUANTITIES
        alarms += sum(not agreement.verdict(part).passed for _, part in rows.groupby(run))
    assert alarms <= ALLOWED


VERDICTS = [
    *(108, 108, 108, 105, 204, 4, 4),  # math tests; the last for variances of their own and for general priors
    *(31, 31, 31, 26),  # blood pressure
    *(25, 25, 25, 22, 22),  # baseball
    *(5, 5, 5, 50, 50, 50),  # one group, three levels
    *(15, 15, 15, 12, 15, 15, 15),  # eight schools, and with the other prior
]
"""Quantities behind each verdict of a run: three engines with what they predict, then what the study adds."""


def test_a_right_run_of_every_study_is_red_less_than_once_in_a_thousand_times():
    """Ten thousand runs of everything at its true size, on what the rule sees: means and shares, sizes off by a tenth.

    An effective size of 1000 is about as small as these runs have. Quantities are independent here, which gives more
    alarms than quantities that move together.
    """
    rng, size, batch, red = np.random.default_rng(43), 1000, 1000, np.zeros(RUNS, dtype=bool)
    for quantities in VERDICTS:
        most = agreement.limit(4 * quantities)
        for first in range(0, RUNS, batch):
            off = np.exp(0.1 * rng.standard_normal((4, batch, quantities)))
            z = [rng.standard_normal((batch, quantities))]
            for p in (0.05, 0.5, 0.95):
                share = rng.binomial(size, p, (batch, quantities)) / size
                z.append((share - p) / np.sqrt(p * (1 - p) / size))
            red[first : first + batch] |= (np.abs(z) * np.sqrt(off) > most).any(axis=(0, 2))
    assert red.sum() <= ALLOWED


def test_the_chance_of_a_red_run_is_less_than_one_in_a_thousand():
    """The same, computed: tails of binomial and normal averaged over the error of effective sizes, and added up."""
    size, (log_off, share) = 1000, np.polynomial.hermite_e.hermegauss(41)
    root, share = np.exp(0.05 * log_off), share / share.sum()
    chance = 0.0
    for quantities in VERDICTS:
        most = agreement.limit(4 * quantities) / root
        chance += quantities * share @ (2 * norm.sf(most))
        for p in (0.05, 0.5, 0.95):
            far = most * np.sqrt(p * (1 - p) / size)
            above, below = (
                binom.sf(np.floor(size * (p + far)), size, p),
                binom.cdf(np.ceil(size * (p - far)) - 1, size, p),
            )
            chance += quantities * share @ (above + below)
    assert chance < 1e-3 / 5


def test_effective_sizes_are_not_off_by_more_than_the_last_test_has_them():
    rng = np.random.default_rng(44)
    noise = rng.standard_normal((200, 4, 1050)) * np.sqrt(1 - CORRELATION**2)
    x = lfilter([1], [1, -CORRELATION], noise, axis=2)[..., 50:]
    for draws in (x, (x < ndtri(0.05)).astype(float)):
        sizes = [float(az.ess(one, method="mean")) for one in draws]
        assert np.std(np.log(np.minimum(sizes, 4000))) < 0.1
