"""Rows reduced to sizes, means and sums of squares: what rational numbers say of the same doubles, on every backend.

How near: what the report is right to, 1e-9 of a sum of squares and of a group's sd, and for a mean what its own double
can hold besides. No tolerance here was found by trying.
"""

import math
from datetime import date
from decimal import Decimal
from fractions import Fraction

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import rows
from models.groups import Replicates

NEAR = 1e-9
EPS = 2.0**-53  # by which one operation on doubles is off, at most


def polars(columns):
    return pytest.importorskip("polars", reason="Polars is not installed").DataFrame(columns, strict=False)


def lazy(columns):
    return polars(columns).lazy()


def arrow(columns):
    return pytest.importorskip("pyarrow", reason="PyArrow is not installed").table(columns)


def relation(columns):
    return duckdb.connect().from_df(pd.DataFrame(columns))


BACKENDS = {
    "dictionary": dict,
    "pandas": pd.DataFrame,
    "polars": polars,
    "lazy polars": lazy,
    "arrow": arrow,
    "duckdb": relation,
}
EAGER = ("dictionary", "pandas", "polars", "arrow")
backends = pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)


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


def columns(table, **more):
    return {"g": [label for label, _ in table], "v": [value for _, value in table], **more}


def rational(values):
    """Size, mean and sum of squares of doubles, without any rounding."""
    exact = [Fraction(float(v)) for v in values]
    mean = sum(exact) / len(exact)
    return len(exact), mean, sum((v - mean) ** 2 for v in exact)


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


def refused(frame, *covariates):
    """What is said of a frame: a ValueError of this project's own, no other, and no library's words instead."""
    with pytest.raises(ValueError, match=r".") as error:
        rows.of_frame(frame, group="g", value="v", covariates=covariates)
    assert type(error.value) is ValueError
    return str(error.value)


# --- numbers --------------------------------------------------------------------------------------------------------


@backends
@pytest.mark.parametrize("name", TABLES)
def test_what_rational_numbers_say(backend, name):
    """Of the same doubles, however far from 0, however unlike the groups, whatever comes first.

    A table that no double can weigh may be refused, with the column named; it may not be wrong.
    """
    table = TABLES[name]
    try:
        found = rows.of_frame(backend(columns(table)), group="g", value="v")
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
    found = rows.of_frame(backend(table), group="g", value="v")
    assert found.labels == ["a", "b"]
    assert abs(Fraction(float(found.ss[1])) * Fraction(found.unit) ** 2 / ss - 1) <= NEAR


@backends
def test_a_frame_leaves_as_it_came(backend):
    """Nothing is added to the frame that is given, nor sorted in it."""
    table = columns(TABLES["0 and 1e9"])
    frame = backend(table)
    rows.of_frame(frame, group="g", value="v")
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
    assert errors(rows.of_frame(columns(table), group="g", value="v"), table) == []


# --- parts ----------------------------------------------------------------------------------------------------------

fine = st.integers(-(2**40), 2**40).map(lambda k: k * 2.0**-20)  # squares neither vanish nor overflow
split = st.lists(st.lists(fine, min_size=1, max_size=8), min_size=1, max_size=8)


@settings(deadline=None, max_examples=300)
@given(split, st.sampled_from([0.0, 1e3, 1e9]))
def test_any_split_is_the_whole(parts, offset):
    """Merged one after the other, parts are the whole, up to rounding that can be counted.

    A mean is rounded five times a part, each by EPS of the largest value M; that moves a sum of squares by
    2 sqrt(n ss) d + n d^2 where d is what means are off by, and its own additions cost six EPS a part.
    """
    parts = [np.array([offset + v for v in part]) for part in parts]
    n, mean, ss = (np.zeros(1) for _ in range(3))
    for part in parts:
        n, mean, ss = rows.merged(n, mean, ss, *rows.of_values(np.zeros(len(part), dtype=int), part))
    size, middle, squares = rational(np.concatenate(parts))
    largest = float(max(np.abs(part).max() for part in parts))
    d = Fraction(5 * (len(parts) + 4) * EPS) * Fraction(largest)
    assert n[0] == size
    assert abs(Fraction(float(mean[0])) - middle) <= d
    root = Fraction(math.sqrt(size * squares) * (1 + 4 * EPS))
    allowed = 2 * root * d + size * d**2 + 6 * (len(parts) + 8) * Fraction(EPS) * squares
    assert abs(Fraction(float(ss[0])) - squares) <= allowed
    assert ss[0] >= 0


@settings(deadline=None)
@given(split)
def test_parts_from_the_first_value_lose_nothing(parts):
    """As files are read: less the first value of all, exactly, an offset costs no digit however large it is.

    The first value is a row like the others: the mean is no farther from it than sqrt(n ss), and the sum of squares
    keeps its digits, whatever M is: 20 EPS for each row and part.
    """
    first = parts[0][0]
    away = [np.array([float(Fraction(v) - Fraction(first)) for v in part]) for part in parts]
    n, mean, ss = (np.zeros(1) for _ in range(3))
    for part in away:
        n, mean, ss = rows.merged(n, mean, ss, *rows.of_values(np.zeros(len(part), dtype=int), part))
    size, middle, squares = rational(np.concatenate(away))
    allowed = Fraction(20 * (size + len(parts)) * EPS)
    assert abs(Fraction(float(ss[0])) - squares) <= allowed * squares
    assert abs(Fraction(float(mean[0])) - middle) <= allowed * Fraction(math.sqrt(size * squares) * (1 + 4 * EPS))


def test_an_empty_part_adds_nothing():
    """A group that was not there before has size 0, mean 0 and no squares: it becomes what comes in.

    Times its size and over it again, the mean is rounded twice; the rest not at all.
    """
    n, mean, ss = rows.merged(np.zeros(1), np.zeros(1), np.zeros(1), np.array([3.0]), np.array([0.1]), np.array([0.7]))
    assert (n.tolist(), ss.tolist()) == ([3.0], [0.7])
    assert abs(mean[0] - 0.1) <= 0.1 * 2.1 * EPS


# --- labels and covariates ------------------------------------------------------------------------------------------

LABELS = {
    "text": (["b", "a", "B", "ä", "10", "9", "007"], ["007", "10", "9", "B", "a", "b", "ä"]),
    "whole numbers": ([10, 9, -1, 2**53 + 1, 2**53], ["-1", "9", "10", "9007199254740992", "9007199254740993"]),
    "numbers": ([10.0, 9.5, -1.0], ["-1.0", "9.5", "10.0"]),
    "truth values": ([True, False], ["False", "True"]),
    "dates": ([date(2020, 1, 2), date(2019, 12, 31)], ["2019-12-31", "2020-01-02"]),
}


@backends
@pytest.mark.parametrize("kind", LABELS)
def test_labels_are_alike_everywhere(backend, kind):
    """Spelled alike and in the same order: numbers by size, text by its letters, whatever comes first in the rows."""
    given, expected = LABELS[kind]
    frame = backend({"g": given * 2, "v": [float(v) for v in range(2 * len(given))]})
    found = rows.of_frame(frame, group="g", value="v")
    assert found.labels == expected
    assert found.n.tolist() == [2.0] * len(expected)


@backends
def test_covariates_are_alike_everywhere(backend):
    """Numbers as they are, text as levels, a truth value as 0 and 1; and each with its own group."""
    table = columns([("b", 1.0), ("a", 2.0), ("c", 4.0), ("b", 3.0), ("a", 7.0), ("c", 5.0)])
    more = {
        "size": [3, 2, 2, 3, 2, 2],
        "rate": [0.1, 0.2, 0.7, 0.1, 0.2, 0.7],
        "arm": ["y", "x", "z", "y", "x", "z"],
        "new": [True, False, True, True, False, True],
    }
    found = Replicates.from_frame(backend(table | more), group="g", value="v", covariates=list(more))
    assert found.labels == ("a", "b", "c")
    assert found.covariates == ("size", "rate", "arm[y]", "arm[z]", "new")
    assert found.design.tolist() == [[1, 2, 0.2, 0, 0, 0], [1, 3, 0.1, 1, 0, 1], [1, 2, 0.7, 0, 1, 1]]


@backends
def test_columns_may_have_any_name(backend):
    """Names that are used inside, or have a quote in them, are names like others."""
    table = {"y": ["b", "a", "b"], "group": [1.0, 2.0, 4.0], "q": ["s", "t", "s"], 'n"': [1, 2, 1], "x0": [5, 6, 5]}
    found = rows.of_frame(backend(table), group="y", value="group", covariates=["q", 'n"', "x0"])
    assert (found.labels, found.n.tolist(), found.ss.tolist()) == (["a", "b"], [1.0, 2.0], [0.0, 4.5])
    given = {"q": {"a": "t", "b": "s"}, 'n"': {"a": 2, "b": 1}, "x0": {"a": 6, "b": 5}}
    assert found.covariates == given


@pytest.mark.parametrize("ordered", [False, True])
def test_categories_are_text(ordered):
    """A category that has no row is no group; and pandas has its groups and its covariates as categories often."""
    kinds = pd.CategoricalDtype(["z", "b", "a"], ordered=ordered)
    frame = pd.DataFrame({"g": ["b", "a", "b"], "v": [1.0, 2.0, 4.0]})
    assert rows.of_frame(frame.astype({"g": kinds}), group="g", value="v").labels == ["a", "b"]


def test_categories_are_covariates():
    frame = pd.DataFrame({"g": ["b", "a", "b"], "v": [1.0, 2.0, 4.0], "x": pd.Categorical(["q", "p", "q"])})
    found = rows.of_frame(frame, group="g", value="v", covariates=["x"])
    assert found.covariates == {"x": {"a": "p", "b": "q"}}


NUMBERS = {
    "Int64": pd.array([1, 2, 5], dtype="Int64"),
    "Float64": pd.array([1, 2, 5], dtype="Float64"),
    "float32": np.array([1, 2, 5], dtype="float32"),
    "uint8": np.array([1, 2, 5], dtype="uint8"),
    "Decimal": [Decimal(1), Decimal(2), Decimal(5)],
    "object": np.array([1, 2.0, 5], dtype=object),
}


@pytest.mark.parametrize("values", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_any_kind(values):
    """1 less 5 in bytes is no 252."""
    found = rows.of_frame(pd.DataFrame({"g": ["a", "b", "a"], "v": values}), group="g", value="v")
    assert found.ss.tolist() == [8.0 / found.unit**2, 0.0]


WIDE = {
    "HUGEINT": (
        "170141183460469231731687303715884105727::hugeint",
        "170141183460469231731687303715884105727",
        2.0**127,
    ),
    "DECIMAL": ("0.10::decimal(38, 2)", "0.10", 0.1),
    "INTERVAL": ("interval 1 day", "1 day", "1 day"),
    "list": ("[1, 2]", "[1, 2]", "[1, 2]"),
}


@pytest.mark.parametrize(("one", "label", "value"), WIDE.values(), ids=WIDE)
def test_types_that_arrays_do_not_have(one, label, value):
    """Labels as DuckDB spells them, to the last digit; covariates doubles if they are numbers, else text."""
    found = rows.of_frame(duckdb.sql(f"select {one} as g, 1.5 as v"), group="g", value="v", covariates=["g"])
    assert (found.labels, found.covariates) == ([label], {"g": {label: value}})


# --- faults ---------------------------------------------------------------------------------------------------------

MISSING = {"null": None, "nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("value", MISSING.values(), ids=MISSING)
@pytest.mark.parametrize("at", [0, 3])
def test_a_value_that_is_none_is_named(name, value, at):
    """Its group and column; and its row, from 1, where rows have an order. None of them is left out of a mean."""
    table = columns([("b", 1.0), ("a", 2.0), ("a", 5.0), ("b", 4.0)])
    table["v"][at] = value
    where = f" in row {at + 1}" if name in EAGER else ""
    said = refused(BACKENDS[name](table))
    assert said == f"column 'v' of 'b' is missing or no finite number{where}"


@backends
def test_only_values_that_are_none(backend):
    """A column in which nothing is known is refused like one in which something is not."""
    said = refused(backend({"g": ["a", "b"], "v": [float("nan"), float("nan")]}))
    assert said.startswith("column 'v' of 'a' is missing or no finite number")


@backends
def test_a_label_that_is_missing(backend):
    """Rows of no group are counted; they are no group of their own."""
    said = refused(backend({"g": ["a", None, "b", None], "v": [1.0, 2.0, 3.0, 4.0]}))
    assert said == "column 'g' is blank in 2 row(s): every row needs its group"


@backends
@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_label_that_is_blank(backend, blank):
    """White space names no group."""
    said = refused(backend({"g": ["a", blank, "b", blank], "v": [1.0, 2.0, 3.0, 4.0]}))
    assert said == "column 'g' is blank in 2 row(s): every row needs its group"


@backends
@pytest.mark.parametrize("value", [1e306, -1e-306])
def test_a_value_of_a_size_that_is_none(backend, value):
    """What follows from it, a square or a quotient, is no double."""
    said = refused(backend({"g": ["a", "a", "b"], "v": [value, 2 * value, 3 * value]}))
    assert said.endswith("no double holds what follows from it")


@backends
@pytest.mark.parametrize(("asked", "near"), [(("g", "w"), "there are 'g', 'v'"), (("gg", "v"), "did you mean 'g'?")])
def test_a_column_that_is_missing(backend, asked, near):
    group, value = asked
    missing = group if group != "g" else value
    with pytest.raises(ValueError, match=r"there is no column") as error:
        rows.of_frame(backend({"g": ["a"], "v": [1.0]}), group=group, value=value)
    assert str(error.value) == f"there is no column {missing!r}: {near}"


NO_NUMBERS = {
    "text": (["1", "2", "x"], "String"),
    "truth values": ([True, False, True], "Boolean"),
    "times": ([pd.Timestamp("2020-01-01")] * 3, "Datetime"),
}


@backends
@pytest.mark.parametrize(("values", "said"), NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_a_column_of_no_numbers(backend, values, said):
    """Text is no number, even where it looks like one; the time of day none to take a mean of."""
    found = refused(backend({"g": ["a", "a", "b"], "v": values}))
    assert found.startswith(f"column 'v' holds {said}")
    assert found.endswith(": it has to hold numbers")


@pytest.mark.parametrize(
    "values",
    [
        [1.0, "x", 2.0],
        [1.0, pd.NA, 2.0],
        [1.0, None, 2.0],
    ],
    ids=["text", "NA", "None"],
)
def test_an_object_that_is_no_number(values):
    """Columns of Python objects are looked through too: the column is named, and no library speaks."""
    assert "'v'" in refused(pd.DataFrame({"g": ["a", "b", "a"], "v": pd.Series(values, dtype=object)}))


@backends
def test_a_covariate_that_varies(backend):
    """Both values are named, and their rows where there are any."""
    table = columns([("b", 1.0), ("a", 2.0), ("a", 5.0), ("b", 4.0)], x=["p", "q", "q", "r"])
    said = refused(backend(table), "x")
    rowed = backend not in (lazy, relation)
    assert said == "covariate 'x' varies within 'b': " + ("'p' in row 1, 'r' in row 4" if rowed else "'p' and 'r'")


@backends
@pytest.mark.parametrize("missing", [("b", None), ("b", "p")], ids=["all", "some"])
@pytest.mark.parametrize("kind", ["text", "number"])
def test_a_covariate_that_is_missing(backend, missing, kind):
    """In every row of a group, or in one: a row whose arm is not known is not of the arm of its neighbours."""
    here, there = (missing[1], "q") if kind == "text" else (missing[1] and 1.5, 2.5)
    table = columns([("b", 1.0), ("a", 2.0), ("b", 5.0), ("a", 4.0)], x=[here, there, None, there])
    assert "covariate 'x' is missing in 'b'" in refused(backend(table), "x")


def test_a_covariate_of_text_and_numbers():
    x = pd.Series(["p", 1, 1], dtype=object)
    assert "covariate 'x'" in refused(pd.DataFrame({"g": ["a", "b", "a"], "v": [1.0, 2.0, 3.0], "x": x}), "x")


@backends
def test_a_table_without_rows(backend):
    """It has its columns, and nothing below them."""
    if backend in (dict, pd.DataFrame, relation):
        frame = pd.DataFrame({"g": pd.Series([], dtype=str), "v": pd.Series([], dtype=float)})
        frame = relation(frame) if backend is relation else frame if backend is pd.DataFrame else frame.to_dict("list")
    elif backend is arrow:
        frame = arrow({"g": ["a"], "v": [1.0]}).slice(1)
    else:
        frame = backend({"g": ["a"], "v": [1.0]}).head(0)
    assert refused(frame) == "there are no rows"


@backends
@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 3.0, 1e200],
        [1.7e308, -1.7e308, 1.5e308, 1e308],
    ],
    ids=["beside 1e200", "from end to end"],
)
def test_numbers_no_double_can_weigh_together(backend, values):
    """What is given is finite, and what follows is not: that is said, rather than that a value is missing."""
    said = refused(backend({"g": ["a", "b", "a", "b"], "v": values}))
    assert said == "numbers in 'v' differ so much in size that no double can weigh them together"
