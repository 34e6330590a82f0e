"""Counts: their likelihoods, as SciPy has them, and what is refused."""

import numpy as np
import pytest
from scipy import stats

from models.groups import Counts, Proportions

N = np.array([1, 1, 7, 7, 7, 40, 1000, 1_000_000, 1_000_000], dtype=float)
Y = np.array([0, 1, 0, 3, 7, 11, 1000, 10, 300_000], dtype=float)
THETA = np.linspace(-9, 9, 37)[:, None]


@pytest.fixture(params=[Proportions, Counts])
def groups(request):
    return request.param.from_summary(range(len(N)), Y, N)


def log_mass(groups, theta):
    law = (
        stats.binom(N, 1 / (1 + np.exp(-theta)))
        if isinstance(groups, Proportions)
        else stats.poisson(N * np.exp(theta))
    )
    return law.logpmf(Y)


def test_likelihoods_are_those_of_scipy(groups):
    # Both lose to rounding what the largest terms have in the last place: of SciPy's, n log(1 - p) where p is near 1.
    # The exponential of a number about 20 is off by as much of itself as twenty last places.
    places = 1 if isinstance(groups, Proportions) else 20
    rounding = places * 4e-16 * (N + Y) * (10 + np.exp(np.abs(THETA)))
    off = groups.log_likelihood(THETA) + groups.log_supremum - log_mass(groups, THETA)
    assert np.all(np.abs(off) < 1e-11 + rounding)


def test_no_likelihood_exceeds_its_supremum_which_is_reached_where_it_has_a_peak(groups):
    assert np.all(groups.log_likelihood(THETA) <= 0)
    peak = groups.link((Y / N)[groups.inside])
    assert np.all(groups.subset(np.flatnonzero(groups.inside)).log_likelihood(peak) == 0)


def test_slope_and_curvature_are_derivatives(groups):
    # Central differences err by h^2 of the next derivative but one, which is no larger than the curvature, and by the
    # rounding of the values over h.
    h = 1e-4
    theta = THETA[(np.abs(THETA) < 5).ravel()]
    size = groups.curvature(theta) + groups.curvature(theta + h)
    slope = (groups.log_likelihood(theta + h) - groups.log_likelihood(theta - h)) / (2 * h)
    rounding = 1e-15 * np.abs(groups.log_likelihood(theta)) / h
    assert np.all(np.abs(slope - groups.slope(theta)) < h**2 * size + rounding + 1e-9)
    curvature = -(groups.slope(theta + h) - groups.slope(theta - h)) / (2 * h)
    assert np.all(np.abs(curvature - groups.curvature(theta)) < h**2 * size + 1e-15 * (N + Y + size) / h + 1e-9)


def test_close_to_its_peak_a_large_count_keeps_its_digits():
    # Of y log p + (n - y) log(1 - p) nothing would be left; the next term of the expansion is 1e-4 of the second.
    groups = Proportions.from_summary(["a"], [300_000], [1_000_000])
    off = 1e-7
    expected = -groups.curvature(groups.link(0.3)) * off**2 / 2
    np.testing.assert_allclose(groups.log_likelihood(groups.link(0.3) + off), expected, rtol=1e-3)


def test_equal_groups_are_of_one_kind():
    groups = Proportions.from_summary("abcde", [1, 2, 1, 1, 2], [5, 5, 5, 5, 5], covariates={"x": [0, 1, 0, 1, 1]})
    positions, members, which = groups.distinct
    assert sorted(members) == [1, 2, 2]
    assert np.all(groups.y[positions[which]] == groups.y)
    assert np.all(groups.design[positions[which]] == groups.design)


@pytest.mark.parametrize(
    ("successes", "trials", "message"),
    [
        ([3, 6], [5, 5], r"successes of 'b' is 6.0: it must not exceed the trials"),
        ([3, 1.5], [5, 5], r"successes of 'b' is 1.5: it must be a whole number, 0 or more"),
        ([3, -1], [5, 5], r"successes of 'b' is -1.0: it must be a whole number, 0 or more"),
        ([0, 0], [5, 0], r"trials of 'b' is 0.0: it must be a whole number, 1 or more"),
        ([0, 0], [5, 2.5], r"trials of 'b' is 2.5: it must be a whole number, 1 or more"),
        ([0, np.nan], [5, 5], r"successes\[1\] is nan: every number must be finite"),
        ([0], [5, 5], r"labels has 2 entries where the other columns have 1"),
    ],
)
def test_impossible_proportions_are_refused(successes, trials, message):
    with pytest.raises(ValueError, match=message):
        Proportions.from_summary(["a", "b"], successes, trials)


@pytest.mark.parametrize(
    ("events", "exposure", "message"),
    [
        ([3, 1.5], [5, 5], r"events of 'b' is 1.5: it must be a whole number, 0 or more"),
        ([3, -1], [5, 5], r"events of 'b' is -1.0: it must be a whole number, 0 or more"),
        ([3, 1], [5, 0], r"exposure of 'b' is 0.0: it must be positive"),
        ([3, 1], [5, -2], r"exposure of 'b' is -2.0: it must be positive"),
    ],
)
def test_impossible_counts_are_refused(events, exposure, message):
    with pytest.raises(ValueError, match=message):
        Counts.from_summary(["a", "b"], events, exposure)


@pytest.mark.parametrize("kind", [Proportions, Counts])
def test_frames_give_the_groups_that_their_columns_give(kind):
    names = ("successes", "trials") if kind is Proportions else ("events", "exposure")
    frame = {"hospital": ["A", "B", "C"], "y": [0, 18, 8], "n": [47, 148, 119], "town": ["x", "y", "x"]}
    groups = kind.from_frame(frame, **dict(zip(names, "yn", strict=True)), label="hospital", covariates=["town"])
    np.testing.assert_array_equal(np.column_stack([groups.y, groups.size]), [[0, 47], [18, 148], [8, 119]])
    assert groups.labels == ("A", "B", "C")
    assert groups.covariates == ("town[y]",)
    with pytest.raises(ValueError, match="'z'"):
        kind.from_frame(frame, **dict(zip(names, "zn", strict=True)))
