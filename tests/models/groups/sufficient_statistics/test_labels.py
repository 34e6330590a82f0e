"""Labels, covariates and numbers of any type: spelled and ordered alike on every backend."""

from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest
from helpers.backends import backends, columns

from models.groups import Replicates, sufficient_statistics

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
    found = sufficient_statistics.of_frame(frame, group="g", value="v")
    assert found.labels == expected
    assert found.n.tolist() == [2.0] * len(expected)


@pytest.mark.parametrize("unit", [1.0, 1e-40])
@pytest.mark.parametrize("kind", [int, np.int64, float, np.float32, Decimal])
def test_numbers_that_are_objects_stay_with_their_own_sums(kind, unit):
    """As from `pd.DataFrame(rows)` of mixed types. pandas has two orders for them, of size and of text; in a group-by,
    which tells covariates and ends (of small units), the one, in other functions the other.
    """
    labels = pd.Series([kind(10), kind(9), kind(10), kind(9)], dtype=object)
    frame = pd.DataFrame({"g": labels, "v": unit * np.array([1.0, 100.0, 2.0, 130.0]), "x": [5.0, 7.0, 5.0, 7.0]})
    found = sufficient_statistics.of_frame(frame, group="g", value="v", covariates=["x"])
    mean = dict(zip(map(float, found.labels), found.offset + found.unit * found.mean, strict=True))
    assert mean == pytest.approx({9.0: 115 * unit, 10.0: 1.5 * unit}, rel=1e-12, abs=0)
    assert {float(label): x for label, x in found.covariates["x"].items()} == {9.0: 7.0, 10.0: 5.0}
    alone = sufficient_statistics.of_frame(frame, group="g", value="v")
    assert (alone.labels, alone.mean.tolist()) == (found.labels, found.mean.tolist())


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
    found = sufficient_statistics.of_frame(backend(table), group="y", value="group", covariates=["q", 'n"', "x0"])
    assert (found.labels, found.n.tolist(), found.ss.tolist()) == (["a", "b"], [1.0, 2.0], [0.0, 4.5])
    given = {"q": {"a": "t", "b": "s"}, 'n"': {"a": 2, "b": 1}, "x0": {"a": 6, "b": 5}}
    assert found.covariates == given


@pytest.mark.parametrize("ordered", [False, True])
def test_categories_are_text(ordered):
    """A category that has no row is no group; and pandas has its groups and its covariates as categories often."""
    kinds = pd.CategoricalDtype(["z", "b", "a"], ordered=ordered)
    frame = pd.DataFrame({"g": ["b", "a", "b"], "v": [1.0, 2.0, 4.0]})
    assert sufficient_statistics.of_frame(frame.astype({"g": kinds}), group="g", value="v").labels == ["a", "b"]


def test_categories_are_covariates():
    frame = pd.DataFrame({"g": ["b", "a", "b"], "v": [1.0, 2.0, 4.0], "x": pd.Categorical(["q", "p", "q"])})
    found = sufficient_statistics.of_frame(frame, group="g", value="v", covariates=["x"])
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
def test_numbers_of_any_kind_are_taken_as_doubles(values):
    """1 less 5 in bytes is no 252."""
    found = sufficient_statistics.of_frame(pd.DataFrame({"g": ["a", "b", "a"], "v": values}), group="g", value="v")
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
def test_types_that_arrays_do_not_have_are_spelled_to_the_last_digit(one, label, value):
    """Labels as DuckDB spells them, to the last digit; covariates doubles if they are numbers, else text."""
    found = sufficient_statistics.of_frame(
        duckdb.sql(f"select {one} as g, 1.5 as v"), group="g", value="v", covariates=["g"]
    )
    assert (found.labels, found.covariates) == ([label], {"g": {label: value}})
