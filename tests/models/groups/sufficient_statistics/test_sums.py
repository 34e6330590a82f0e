"""Rows reduced to sizes, means and sums of squares: what rational numbers say of the same doubles, on every backend.

How near: what the report is right to, 1e-9 of a sum of squares and of a group's sd, and for a mean what its own double
can hold besides. No tolerance here was found by trying.
"""

import math
from fractions import Fraction

import numpy as np
import pytest
from helpers.backends import arrow, backends, columns, lazy, rational, relation
from hypothesis import given, settings, strategies as st

from models.groups import sufficient_statistics

NEAR = 1e-9


def normal(mean, sd, size, seed):
    return (mean + sd * np.random.default_rng(seed).standard_normal(size)).tolist()


def shuffled(groups, seed=1):
    """One label and one value a row, the groups among each other."""
    each = [(label, value) for label, values in groups.items() for value in values]
    return [each[i] for i in np.random.default_rng(seed).permutation(len(each))]


def three(mean, sd):
    """Groups of 40, 3 and 200, a sd or two apart."""
    sizes = {"b": 40, "a": 3, "c": 200}
    return {label: normal(mean + k * sd, sd, n, k) for k, (label, n) in enumerate(sizes.items())}


TABLES = {
    "about 1": shuffled(three(0.0, 1.0)),
    "offset 1e9": shuffled(three(1e9, 1.0)),
    "offset 1e12": shuffled(three(1e12, 1.0)),
    "offset -1e12, small": shuffled(three(-1e12, 1e-2)),
    "0 and 1e9": shuffled(three(0.0, 1.0) | {"d": normal(1e9, 1.0, 50, 7), "e": normal(-1e9, 1.0, 60, 8)}),
    "mostly 1e9": shuffled({"a": normal(0.0, 1.0, 9, 1), "b": normal(1e9, 1.0, 90, 2), "c": normal(3e5, 0.1, 9, 3)}),
    "the first rows know nothing": [
        *(("b", v) for v in normal(0.0, 1.0, 1200, 1)),
        *shuffled({"a": normal(1e9, 1.0, 80, 2), "b": normal(0.0, 1.0, 80, 3)}),
    ],
    "the first rows are all equal": [("b", 0.0)] * 1100 + shuffled(three(1e6, 1.0)),
    "outlier first": [("a", 1e15), *shuffled(three(0.0, 1.0))],
    "outlier first, of a group of one": [("z", -1e15), *shuffled(three(1e9, 1.0))],
    "all values of a group are equal": shuffled(
        three(0.0, 1.0) | {"d": [0.1] * 7, "e": [-1e9 / 3] * 3, "f": [1e15 / 7] * 5}
    ),
    "groups of one": shuffled(three(5.0, 1.0) | {"d": [0.1], "e": [-7e8], "f": [4.75]}),
    "groups of one alone": [("c", 0.3), ("a", 1e9), ("b", -0.7)],
    "no spread at all": [("b", 0.1)] * 3 + [("a", 0.1)] * 2,
    "no spread within": [("b", 0.1)] * 3 + [("a", 0.7)] * 2,
    "1e200": shuffled(three(3e200, 1e200)),
    "1e-200": shuffled(three(3e-200, 1e-200)),
    "1e200, far off": shuffled(three(3e208, 1e200)),
    "nearly equal by chance": shuffled(three(0.0, 1.0) | {"d": [1.0, 1.0 + 2.0**-40], "e": [0.3, 0.3 + 2.0**-30]}),
    "integers": [(label, int(v)) for label, v in shuffled(three(2.0**40, 1e3))],
    "integers beyond doubles": [(label, 2**53 + int(v)) for label, v in shuffled(three(0.0, 1e3))],
    "neighbours": [("a", 0.1), ("a", math.nextafter(0.1, 1)), ("b", 0.7), ("b", 0.8), ("b", 0.9)],
    "less than the offset resolves, no other spread": [("a", 1e9)] * 9 + [("b", 1e-9), ("b", 2e-9), ("b", 9e-9)],
    "less than the offset resolves": [("d", 1e-9), ("d", 2e-9), ("d", 9e-9), *shuffled(three(1e9, 1e6))],
    "dust beside 1e200": [("a", 0.0)] * 4 + [("a", 1e200), ("b", 0.0), ("b", 1.0), ("b", 2.0)],
    "1e-200 after 1000 zeros": [("a", 0.0)] * 1000 + [("b", 1e-200), ("b", 2e-200), ("b", 4e-200)],
}


def by_group(table):
    found = {}
    for label, value in table:
        found.setdefault(label, []).append(value)
    return {label: rational(found[label]) for label in sorted(found)}


def errors(found, table):
    """What is amiss: n, means beyond 1e-9 of the group's sd and what a double holds, ss beyond 1e-9 of itself."""
    expected = by_group(table)
    assert found.labels == list(expected)
    offset, unit, wrong = Fraction(found.offset), Fraction(found.unit), []
    each = zip(found.n.tolist(), found.mean.tolist(), found.ss.tolist(), expected.items(), strict=True)
    for n, mean, ss, (label, (size, middle, squares)) in each:
        exact, sd = (middle - offset) / unit, math.sqrt(squares / unit**2 / size)
        if n != size or abs(Fraction(mean) - exact) > NEAR * sd + 2 * np.spacing(abs(float(exact))):
            wrong.append((label, n, mean, float(exact)))
        if (ss != 0) if squares == 0 else abs(Fraction(ss) * unit**2 / squares - 1) > NEAR:
            wrong.append((label, ss, float(squares / unit**2)))
    return wrong


@backends
@pytest.mark.parametrize("name", TABLES)
def test_what_rational_numbers_say(backend, name):
    """Of the same doubles, however far from 0, however unlike the groups, whatever comes first.

    A table that no double can weigh may be refused, with the column named; it may not be wrong.
    """
    table = TABLES[name]
    try:
        found = sufficient_statistics.of_frame(backend(columns(table)), group="g", value="v")
    except ValueError as error:
        assert str(error).startswith("numbers in 'v' differ so much in size")  # noqa: PT017
        assert not 1e-150 < min(abs(v) for _, v in table if v) <= max(abs(v) for _, v in table) < 1e150
        return
    assert errors(found, table) == []


@pytest.mark.parametrize("name", ["offset 1e9", "offset 1e12", "0 and 1e9", "mostly 1e9"])
def test_sums_about_zero_would_be_wrong(name):
    """The tables above are hard: sums and sums of squares, in doubles, lose all that is asked for."""
    table = TABLES[name]
    worst = 0
    for label, (n, _, ss) in by_group(table).items():
        y = np.array([v for g, v in table if g == label])
        worst = max(worst, abs(Fraction(float(np.sum(y**2) - np.sum(y) ** 2 / n)) / ss - 1))
    assert worst > 1e6 * NEAR


@backends
def test_many_rows_just_short_of_a_second_look(backend):
    """A group 990 of its sds from the offset loses six digits by cancelling, and what adding up its rows costs too."""
    rng = np.random.default_rng(1)
    table = {"g": np.repeat(["a", "b"], [2_000, 100_000]), "v": np.append(rng.normal(0, 1, 2_000), 0)}
    away = 990 + rng.normal(0, 1, 100_000)
    table["v"] = np.append(table["v"][:2_000], away)
    whole = [int(Fraction(v) * 2**60) for v in away.tolist()]
    ss = Fraction(len(whole) * sum(v * v for v in whole) - sum(whole) ** 2, len(whole)) / 2**120
    found = sufficient_statistics.of_frame(backend(table), group="g", value="v")
    assert found.labels == ["a", "b"]
    assert abs(Fraction(float(found.ss[1])) * Fraction(found.unit) ** 2 / ss - 1) <= NEAR


@backends
def test_a_frame_leaves_as_it_came(backend):
    """Nothing is added to the frame that is given, nor sorted in it."""
    table = columns(TABLES["0 and 1e9"])
    frame = backend(table)
    sufficient_statistics.of_frame(frame, group="g", value="v")
    if backend is relation:
        assert frame.fetchall() == list(zip(*table.values(), strict=True))
    elif backend is not lazy:
        assert {name: list(frame[name]) if backend is not arrow else frame[name].to_pylist() for name in table} == table


small = st.integers(-(2**12), 2**12).map(lambda k: k / 2**6)
groups_of_any_kind = st.lists(
    st.tuples(
        st.lists(small, min_size=1, max_size=6),
        st.sampled_from([0.0, 0.0, 1e3, 1e6, -1e6, 1e9, -1e12]),
        st.sampled_from([1.0, 1.0, 2.0**-10, 2.0**10]),
    ),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=150)
@given(groups_of_any_kind, st.sampled_from([1.0, 2.0**600, 2.0**-600]), st.randoms(use_true_random=False))
def test_any_small_table(groups, scale, random):
    """Multiples of 2^-16 at any offset up to 1e12, rows in any order, times a power of two: right as rationals are.

    Spreads and offsets are such that no value less the offset rounds to another's, which is a case of its own above.
    """
    table = [(f"g{k}", (at + v * sd) * scale) for k, (vs, at, sd) in enumerate(groups) for v in vs]
    random.shuffle(table)
    assert errors(sufficient_statistics.of_frame(columns(table), group="g", value="v"), table) == []
