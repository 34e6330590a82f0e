"""Data as the likelihood sees them: reduced rightly, refused where they cannot be right."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from models.groups import Estimates, Replicates
from models.groups.equal_noise import Cells


def test_rows_and_their_summary_are_the_same():
    rng = np.random.default_rng(31)
    labels = rng.permutation(np.repeat(["a", "b", "c"], [5, 1, 9]))
    y = rng.normal(500, 10, 15)
    g = Replicates.from_rows(labels, y)
    for i, label in enumerate(g.labels):
        mine = y[labels == label]
        assert (g.n[i], g.mean[i]) == (len(mine), pytest.approx(mine.mean(), rel=1e-14))
        assert g.ss[i] == pytest.approx(np.sum((mine - mine.mean()) ** 2), rel=1e-12, abs=1e-20)


def test_made_up_rows_have_the_same_statistics():
    g = Replicates.from_summary(["a", "b", "c"], [5, 1, 2], [500.0, 3.0, -2.0], [40.0, 0.0, 8.0])
    again = Replicates.from_rows(*g.rows(np.random.default_rng(33)))
    assert again.labels == g.labels
    for name in ("n", "mean", "ss"):
        assert getattr(again, name) == pytest.approx(getattr(g, name), rel=1e-12, abs=1e-20)


def test_groups_stand_in_order_of_appearance_and_names_are_text():
    g = Replicates.from_rows(["7", "007", "7"], [1.0, 2.0, 3.0], covariates={"x": {"7": 1.0, "007": 0.0}})
    assert g.labels == ("7", "007")
    assert g.design.tolist() == [[1.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"n": [2, 0.5]}, r"n of 'b' is 0\.5"),
        ({"n": [2, 0]}, "n of 'b' is 0.0"),
        ({"ss": [1.0, -1.0]}, "ss of 'b' is -1.0: it must not be negative"),
        ({"n": [2, 1]}, "ss of 'b' is 2.0: it must be 0 in a group of one"),
        ({"mean": [1.0, np.nan]}, r"mean\[1\] is nan"),
        ({"mean": [1.0]}, "mean has 1 entries"),
        ({"labels": ["a", "a"]}, "label 'a' occurs more than once"),
        ({"covariates": {"x": [1.0, np.inf]}}, r"x\[1\] is inf"),
        ({"covariates": {"x": [1.0]}}, "x has 1 entries"),
        ({"mean": [[1.0], [2.0]]}, "mean must have one dimension"),
    ],
)
def test_wrong_summaries_are_refused(columns, message):
    good = {"labels": ["a", "b"], "n": [2, 3], "mean": [1.0, 2.0], "ss": [1.0, 2.0]}
    with pytest.raises(ValueError, match=message):
        Replicates.from_summary(**(good | columns))


def test_a_standard_error_must_be_positive():
    with pytest.raises(ValueError, match=r"standard_error of 'b' is 0\.0: it must be positive"):
        Estimates.from_summary(["a", "b"], [1, 2], [1, 0])


shapes = st.tuples(st.integers(1, 12), st.integers(1, 3), st.integers(0, 2**32 - 1))


@settings(deadline=None)
@given(shapes)
def test_cells_see_what_the_groups_saw(shape):
    """For any b and variances that are equal where noise is, the compressed likelihood is that of the single groups."""
    groups, p, seed = shape
    rng = np.random.default_rng(seed)
    noise = rng.choice([0.1, 0.5, 2.0], groups)
    design = np.column_stack([np.ones(groups), rng.normal(size=(groups, p - 1)).round()])
    mean, b, between = rng.normal(10, 3, groups), rng.normal(5, 3, p), rng.uniform(0.1, 3)
    cells = Cells.compress(noise, mean, design)
    single = np.sum((mean - design @ b) ** 2 / (noise + between)), np.sum(np.log(noise + between))
    v = cells.noise + between
    joint = np.sum(((cells.mean - cells.design @ b) ** 2 + cells.spread) / v), np.sum(cells.count * np.log(v))
    assert joint == pytest.approx(single, rel=1e-11)
    assert cells.count.sum() == groups


def test_cost_goes_with_distinct_sizes_not_with_groups():
    rng = np.random.default_rng(32)
    cells = Cells.compress(1 / rng.integers(1, 6, 10_000), rng.normal(size=10_000), np.ones((10_000, 1)))
    assert len(cells.mean) == 5


@pytest.mark.filterwarnings(
    "ignore::models.groups.validation.RoundedWarning"
)  # of means, to the last digit of a double here
@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9, 1e12])
@pytest.mark.parametrize("apart", [0.0, 1e6])
def test_sums_of_squares_keep_fourteen_digits(offset, apart):
    """Against rational arithmetic on the very doubles, as in NIST's SmLs series, groups far from each other as well."""
    rng = np.random.default_rng(17)
    rows = [offset + apart * i + np.round(rng.normal(1.4, 0.1, n), 1) for i, n in enumerate((21, 201, 2001))]
    groups = Replicates.from_rows(np.repeat(list("abc"), [len(y) for y in rows]), np.concatenate(rows))
    for y, mean, ss in zip(rows, groups.mean, groups.ss, strict=True):
        exactly = [Fraction(v) for v in y.tolist()]
        middle = sum(exactly) / len(exactly)
        squares = sum((v - middle) ** 2 for v in exactly)
        assert abs(Fraction(float(ss)) / squares - 1) < 1e-14
        assert abs(Fraction(float(mean)) - middle) <= Fraction(np.spacing(float(middle)))
