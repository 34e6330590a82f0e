"""Very many groups at once: who is among the top, and what a list of them is worth."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from helpers.crowds import MODELS, ONCE_IN, limit
from scipy import stats
from scipy.special import ndtr

from analyses.checks import top_groups
from analyses.engines import all_groups, exact, summary_tables, top_probability
from analyses.engines.inference_data import complete
from models import priors
from models.groups import Estimates, Replicates
from models.shrinkage import data_weight
from models.two_level import TwoLevel


@pytest.fixture(scope="module")
def posteriors():
    """Those of all models."""
    return {name: exact.posterior(model) for name, model in MODELS.items()}


# --- among the top ----------------------------------------------------------------------------------------------------


def of(posterior, *, best="high", seed=36):
    return top_groups.table(posterior, best=best, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("best", ["high", "low"])
@pytest.mark.parametrize("name", MODELS)
def test_rows_are_the_mixtures_group_by_group(name, best, posteriors):
    """Moments and intervals are those of a group's own mixture; to 1e-9, as intervals are interpolated."""
    posterior, g = posteriors[name], MODELS[name].groups
    found = of(posterior, best=best)
    rows = found.groups
    assert tuple(rows.columns) == summary_tables.CROWD
    assert rows["label"].tolist() == list(g.labels)
    assert rows["estimate"].to_numpy() == pytest.approx(g.mean, rel=1e-15)
    assert found.off < all_groups.MOST_ERROR
    for i in (0, 1, int(np.argmax(g.mean)), int(np.argmin(g.mean)), len(g) // 2, len(g) - 1):
        law = posterior.theta(np.array([i]))
        expected = [law.mean[0], law.sd[0], law.quantile(0.025)[0], law.quantile(0.975)[0]]
        shown = rows.loc[i, ["theta_mean", "theta_sd", "theta_q2_5", "theta_q97_5"]].to_numpy(float)
        assert np.abs(shown - expected).max() < 1e-9 * law.sd[0]
    is_rows = isinstance(g, Replicates)
    assert rows["n" if is_rows else "standard_error"].tolist() == (g.n if is_rows else g.standard_error).tolist()
    assert rows["standard_error" if is_rows else "n"].isna().all()


@pytest.mark.parametrize("name", MODELS)
def test_intervals_are_those_of_independent_draws(name, posteriors):
    """Nodes and mixtures are no part of a draw of theta given (b, tau, sigma): its shares have binomial errors."""
    posterior, size, rng = posteriors[name], 4000, np.random.default_rng(36)
    low = of(posterior).groups["theta_q2_5"].to_numpy()
    z = ((joint(posterior, size, rng) < low).mean(axis=0) - 0.025) / np.sqrt(0.025 * 0.975 / size)
    assert np.abs(z).max() < limit(len(z))


def joint(posterior, size, rng) -> np.ndarray:
    """Joint draws of all theta, (draw, J)."""
    drawn = {name: v[None] for name, v in posterior.independent(size, rng=rng).items()}
    return complete(posterior.model, drawn, engine="exact", rng=rng)["posterior"]["theta"].values[0]


def crowd_of(*, covariate: bool) -> TwoLevel:
    """2,500 estimates that hardly differ from one population mean, or from a line."""
    rng, size = np.random.default_rng(46), 2_500
    se, x = rng.choice([0.5, 1.0, 2.0], size), rng.normal(size=size)
    y = rng.normal(x if covariate else 0.0, np.hypot(se, 0.1))
    groups = Estimates.from_summary(range(size), y, se, covariates={"x": x} if covariate else None)
    return TwoLevel(groups=groups, tau=priors.HalfNormal(1.0))


@pytest.mark.parametrize("best", ["high", "low"])
@pytest.mark.parametrize("covariate", [False, True], ids=["tau near 0", "covariate"])
def test_p_top_is_the_share_of_joint_draws_in_which_a_group_is_there(covariate, best):
    """Against the ranks of all theta in 10,000 joint draws.

    Two errors: the binomial one of the shares, and the one that is stated. Shares of fewer than 25 draws are not
    normal and left out. What the approximation leaves out is of order 1/k of p(1 - p), here a 25th at most.
    """
    posterior, size = exact.posterior(crowd_of(covariate=covariate)), 10_000
    rows, rng = of(posterior, best=best).groups, np.random.default_rng(47)
    there, count = np.zeros(len(rows)), len(rows) // 100
    for _ in range(size // 500):
        theta = joint(posterior, 500, rng) * (1 if best == "high" else -1)
        np.add.at(there, np.argpartition(-theta, count - 1, axis=1)[:, :count].ravel(), 1)
    p, some = rows["p_top"].to_numpy(), (there > 25) & (there < size - 25)
    error = np.hypot(np.sqrt(there / size * (1 - there / size) / size), rows["mcse_p_top"])
    assert some.sum() > 50
    off = np.abs(there / size - p) - p * (1 - p) / count
    assert (off / error)[some].max() < limit(int(some.sum()))
    assert p.sum() == pytest.approx(count, rel=1e-4), "so many are there in every draw"


def test_the_error_is_that_of_other_draws(posteriors):
    """Forty repetitions scatter as their own errors say: a ratio of variances of 39 degrees of freedom a group."""
    posterior = posteriors["estimates"]
    runs = [of(posterior, seed=seed).groups for seed in range(40)]
    p, error = (np.array([run[name] for run in runs]) for name in ("p_top", "mcse_p_top"))
    seen = p.mean(axis=0) > 1e-3
    ratio = (p.var(axis=0, ddof=1) / (error**2).mean(axis=0))[seen]
    low, high = stats.chi2.ppf([ONCE_IN / seen.sum(), 1 - ONCE_IN / seen.sum()], 39) / 39
    assert seen.sum() > 10
    assert low < ratio.min()
    assert ratio.max() < high


def test_groups_of_a_row_have_their_own_probability(posteriors, monkeypatch):
    """Fine rows and coarse ones agree as far as Taylor's series does: an eighth of a standard error cubed, over six."""
    posterior = posteriors["rows, two sizes"]
    coarse = of(posterior).groups["p_top"]
    monkeypatch.setattr(top_probability, "ROWS_PER_ERROR", 1_000_000)
    assert np.abs(of(posterior).groups["p_top"] - coarse).max() < (1 / 8) ** 3 / 6


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_a_threshold_is_found_wherever_groups_are(share):
    """One group of a hundred astronomically far off, and equal ones: the ends of the search are beyond any of them."""
    rng = np.random.default_rng(37)
    for mean, sd in (
        (np.append(rng.normal(size=99), 1e12), np.full(100, 0.1)),
        (np.zeros(50), rng.uniform(1, 2, 50)),
        (1e9 + rng.normal(size=500), np.append(np.full(499, 1e-3), 1e4)),
    ):
        for sign in (1.0, -1.0):
            size, count = np.ones(len(mean)), share * len(mean)
            (t,), _, _ = top_probability._crossing(sign * mean[None], sd[None] ** 2, size, count, np.array([0.0]))
            slope = np.mean(stats.norm.pdf((sign * mean - t) / sd) / sd)
            rounding = slope * 8 * np.spacing(abs(t)) + top_probability.MOST_OFF * share
            assert np.mean(ndtr((sign * mean - t) / sd)) == pytest.approx(share, abs=rounding)


@pytest.mark.parametrize("name", ["rows, covariate", "estimates"])
def test_low_mirrors_high_of_negated_data(name, posteriors):
    """Nothing but the sign tells the two ends apart."""
    model = MODELS[name]
    mirrored = exact.posterior(replace(model, groups=replace(model.groups, mean=-model.groups.mean)))
    up, down = of(posteriors[name]), of(mirrored, best="low")
    high, low = up.groups, down.groups
    sd, error = high["theta_sd"].to_numpy(), np.hypot(high["mcse_p_top"], low["mcse_p_top"])
    assert (np.abs(low["p_top"] - high["p_top"]) <= limit(len(sd)) * error + 1e-9).all()
    assert low["p_as_small"].to_numpy() == pytest.approx(1 - high["p_as_small"].to_numpy(), abs=1e-8)
    for one, other in (("theta_mean", "theta_mean"), ("theta_q2_5", "theta_q97_5"), ("theta_q97_5", "theta_q2_5")):
        assert np.abs(low[one] + high[other]).to_numpy() == pytest.approx(np.zeros(len(sd)), abs=1e-8 * sd.max())


def test_the_order_of_groups_is_kept(posteriors):
    """Permuted groups have permuted rows: sorting by noise is undone."""
    model = MODELS["estimates, covariate"]
    order = np.random.default_rng(45).permutation(len(model.groups))
    found, again = of(posteriors["estimates, covariate"]), of(exact.posterior(model.subset(order)))
    rows, moved = found.groups, again.groups
    assert again.threshold.to_numpy() == pytest.approx(found.threshold.to_numpy(), rel=1e-6)
    assert moved["label"].tolist() == rows["label"].to_numpy()[order].tolist()
    numbers = rows.columns.drop(["label", "n", "p_above"])  # no threshold is asked for
    assert moved[numbers].to_numpy(float) == pytest.approx(rows[numbers].to_numpy(float)[order], rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_the_share_below_inverts_the_quantiles(name, posteriors):
    """P(theta_i < its 97.5% quantile) = 0.975, though quantiles of groups of equal noise are interpolated."""
    rows = of(posteriors[name]).groups
    for i in (0, len(rows) // 2, len(rows) - 1):
        below = all_groups.below(posteriors[name], rows["theta_q97_5"].iloc[i])
        assert below.shape == (len(rows),)
        assert below[i] == pytest.approx(0.975, abs=1e-8)


def test_kappa_is_what_is_left_of_the_own_weight(posteriors):
    """E kappa and its sd, by sums over the nodes written apart."""
    posterior, g = posteriors["estimates"], MODELS["estimates"].groups
    kappa = 1 - data_weight(g.noise, np.exp(2 * posterior.logs["tau"])[:, None])
    rows = of(posterior).groups
    mean = posterior.weight @ kappa
    assert rows["kappa_mean"].to_numpy() == pytest.approx(mean, rel=1e-12)
    assert rows["kappa_sd"].to_numpy() == pytest.approx(np.sqrt(posterior.weight @ (kappa - mean) ** 2), rel=1e-9)


# --- lists of them ----------------------------------------------------------------------------------------------------


DYADIC = np.random.default_rng(38).integers(0, 65, 150) / 64  # sums of them are exact, and many of them tie
LISTS = {
    "ties": DYADIC,
    "ties, few likely": DYADIC**4,
    "all sure": np.ones(30),
    "none": np.full(40, 31 / 64),
    "just half": np.full(7, 0.5),
    "one": np.array([63 / 64]),
    "one of many": np.append(np.zeros(99), 1.0),
    "one, unlikely": np.array([0.25]),
}


def by_hand(p_top) -> list[tuple]:
    """Every list of the likeliest in turn, in fractions."""
    ordered, rows = sorted(map(Fraction, p_top.tolist()), reverse=True), []
    for most in top_groups.TOLERATED:
        sizes = [k for k in range(1, len(ordered) + 1) if sum(1 - p for p in ordered[:k]) <= Fraction(most) * k]
        if sizes:
            k = max(sizes)
            rows.append((f"{100 * most:.0f}%", k, float(sum(1 - p for p in ordered[:k])), float(ordered[k - 1])))
    return rows


@pytest.mark.parametrize("p_top", LISTS.values(), ids=LISTS)
def test_lists_are_the_longest_that_are_good_enough(p_top):
    rows = top_groups.discoveries(p_top)
    assert list(rows.columns) == ["no more false than", "groups in the list", "expected false", "least p_top"]
    expected = by_hand(p_top)
    assert len(rows) == len(expected)
    for found, right in zip(rows.itertuples(index=False), expected, strict=True):
        assert tuple(found)[:2] == right[:2]
        assert tuple(found)[2:] == pytest.approx(right[2:], rel=1e-12)


def test_where_nothing_can_be_listed_the_table_is_empty():
    """Where nobody is there with a chance of a half, no list is worth a row; the table still has its columns."""
    assert top_groups.discoveries(LISTS["none"]).empty


def test_the_order_of_the_groups_does_not_matter():
    shuffled = np.random.default_rng(39).permutation(DYADIC)
    pd.testing.assert_frame_equal(top_groups.discoveries(shuffled), top_groups.discoveries(DYADIC))


@pytest.mark.parametrize("p", [0.9, 0.8])
def test_equal_groups_at_the_very_share_that_is_tolerated_are_all_listed(p):
    """All or none of them: of a thousand with p_top = 0.9 a tenth is expected to be false, however many are listed."""
    (size,) = top_groups.discoveries(np.full(1000, p)).query(f"`no more false than` == '{100 * (1 - p):.0f}%'")[
        "groups in the list"
    ]
    assert size == 1000


# --- on data whose truth is known -------------------------------------------------------------------------------------


BINS = [(0.001, 0.02), (0.02, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.0)]


@pytest.fixture(scope="module")
def simulated():
    """Eighteen sets of 1000 estimates, hyperparameters and theta drawn from the prior that their posterior is told.

    Of each: the probabilities, which theta is among the top, which lies in its interval; and both in 200 joint
    draws.
    """
    rng, found = np.random.default_rng(40), []
    mu, tau = priors.Normal(1.0, 2.0), priors.HalfNormal(1.5)
    for _ in range(18):
        se = rng.choice([0.3, 0.6, 2.0], 1000)
        theta = rng.normal(rng.normal(mu.mean, mu.sd), tau.draw(None, rng), 1000)
        groups = Estimates.from_summary(range(1000), rng.normal(theta, se), se)
        posterior = exact.posterior(TwoLevel(groups=groups, tau=tau, coefficients=(mu,)))
        rows = of(posterior).groups
        drawn, low, high = joint(posterior, 200, rng), rows["theta_q2_5"].to_numpy(), rows["theta_q97_5"].to_numpy()
        of_top = rows["p_top"].to_numpy(), among_ten(theta), among_ten(drawn)
        of_interval = np.full(1000, 0.95), (low < theta) & (theta < high), (low < drawn) & (drawn < high)
        found.append((of_top, of_interval))
    return found


def among_ten(theta) -> np.ndarray:
    """Which of theta (..., J) are among the ten largest."""
    return theta >= np.sort(theta, axis=-1)[..., -10:-9]


def deviation(sets, among) -> tuple[float, int]:
    """Standard errors that the number of true ones deviates by from the sum of their probabilities; and their number.

    What the groups of a set have in common makes them deviate together: its joint draws say by how much.
    """
    excess = variance = count = 0.0
    for p, true, drawn in sets:
        at = among(p)
        excess += np.sum(true[at] - p[at])
        variance += drawn[:, at].sum(axis=1).var(ddof=1)
        count += at.sum()
    return excess / np.sqrt(variance), int(count)


@pytest.mark.parametrize(("low", "high"), BINS)
def test_the_share_that_is_truly_there_is_p_top(low, high, simulated):
    """Truths from the prior: of groups with p_top about a half, half are there."""
    z, count = deviation([of_top for of_top, _ in simulated], lambda p: (p > low) & (p <= high))
    assert count > 30
    assert abs(z) < limit(len(BINS))


def test_as_many_false_discoveries_as_expected(simulated):
    """Lists are sums of p_top: of all sets together, the tolerated share of false ones is what there is."""
    for most in (0.2, 0.5):
        excess, variance, listed = 0.0, 0.0, 0
        for (p, true, drawn), _ in simulated:
            rows = top_groups.discoveries(p).set_index("no more false than")
            if (name := f"{100 * most:.0f}%") in rows.index:
                at = np.argsort(-p, kind="stable")[: rows.loc[name, "groups in the list"]]
                excess += np.sum(~true[at]) - rows.loc[name, "expected false"]
                variance += drawn[:, at].sum(axis=1).var(ddof=1)
                listed += len(at)
        assert listed > 30
        assert abs(excess) < limit(2) * np.sqrt(variance)


def test_intervals_hold_their_truths(simulated):
    z, _ = deviation([of_interval for _, of_interval in simulated], lambda p: p > 0)
    assert abs(z) < limit(1)
