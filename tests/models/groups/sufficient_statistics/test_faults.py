"""What no model can be made of is refused on every backend, in words of this project's own."""

import numpy as np
import pandas as pd
import pytest
from helpers.backends import BACKENDS, arrow, backends, columns, lazy, relation

from models.groups import sufficient_statistics

EAGER = ("dictionary", "pandas", "polars", "arrow")


def refused(frame, *covariates):
    """What is said of a frame: a ValueError of this project's own, no other, and no library's words instead."""
    with pytest.raises(ValueError, match=r".") as error:
        sufficient_statistics.of_frame(frame, group="g", value="v", covariates=covariates)
    assert type(error.value) is ValueError
    return str(error.value)


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
def test_a_column_of_values_that_are_none_is_named(backend):
    """A column in which nothing is known is refused like one in which something is not."""
    said = refused(backend({"g": ["a", "b"], "v": [float("nan"), float("nan")]}))
    assert said.startswith("column 'v' of 'a' is missing or no finite number")


@backends
def test_labels_that_are_missing_are_counted(backend):
    """Rows of no group are counted; they are no group of their own."""
    said = refused(backend({"g": ["a", None, "b", None], "v": [1.0, 2.0, 3.0, 4.0]}))
    assert said == "column 'g' is blank in 2 row(s): every row needs its group"


@backends
@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_labels_that_are_blank_are_counted(backend, blank):
    """White space names no group."""
    said = refused(backend({"g": ["a", blank, "b", blank], "v": [1.0, 2.0, 3.0, 4.0]}))
    assert said == "column 'g' is blank in 2 row(s): every row needs its group"


@backends
@pytest.mark.parametrize("value", [1e306, -1e-306])
def test_a_value_whose_square_is_no_double_is_refused(backend, value):
    """What follows from it, a square or a quotient, is no double."""
    said = refused(backend({"g": ["a", "a", "b"], "v": [value, 2 * value, 3 * value]}))
    assert said.endswith("no double holds what follows from it")


@backends
@pytest.mark.parametrize(("asked", "near"), [(("g", "w"), "there are 'g', 'v'"), (("gg", "v"), "did you mean 'g'?")])
def test_a_column_that_is_missing_is_named_with_the_nearest(backend, asked, near):
    group, value = asked
    missing = group if group != "g" else value
    with pytest.raises(ValueError, match=r"there is no column") as error:
        sufficient_statistics.of_frame(backend({"g": ["a"], "v": [1.0]}), group=group, value=value)
    assert str(error.value) == f"there is no column {missing!r}: {near}"


NO_NUMBERS = {
    "text": (["1", "2", "x"], "String"),
    "truth values": ([True, False, True], "Boolean"),
    "times": ([pd.Timestamp("2020-01-01")] * 3, "Datetime"),
}


@backends
@pytest.mark.parametrize(("values", "said"), NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_a_column_of_no_numbers_is_refused(backend, values, said):
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
def test_an_object_that_is_no_number_is_refused(values):
    """Columns of Python objects are looked through too: the column is named, and no library speaks."""
    assert "'v'" in refused(pd.DataFrame({"g": ["a", "b", "a"], "v": pd.Series(values, dtype=object)}))


@backends
def test_a_covariate_that_varies_within_a_group_is_refused(backend):
    """Both values are named, and their rows where there are any."""
    table = columns([("b", 1.0), ("a", 2.0), ("a", 5.0), ("b", 4.0)], x=["p", "q", "q", "r"])
    said = refused(backend(table), "x")
    rowed = backend not in (lazy, relation)
    assert said == "covariate 'x' varies within 'b': " + ("'p' in row 1, 'r' in row 4" if rowed else "'p' and 'r'")


@backends
@pytest.mark.parametrize("missing", [("b", None), ("b", "p")], ids=["all", "some"])
@pytest.mark.parametrize("kind", ["text", "number"])
def test_a_covariate_that_is_missing_in_any_row_is_refused(backend, missing, kind):
    """In every row of a group, or in one: a row whose arm is not known is not of the arm of its neighbours."""
    here, there = (missing[1], "q") if kind == "text" else (missing[1] and 1.5, 2.5)
    table = columns([("b", 1.0), ("a", 2.0), ("b", 5.0), ("a", 4.0)], x=[here, there, None, there])
    assert "covariate 'x' is missing in 'b'" in refused(backend(table), "x")


def test_a_covariate_of_text_and_numbers_is_refused():
    x = pd.Series(["p", 1, 1], dtype=object)
    assert "covariate 'x'" in refused(pd.DataFrame({"g": ["a", "b", "a"], "v": [1.0, 2.0, 3.0], "x": x}), "x")


@backends
def test_a_table_without_rows_is_refused(backend):
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
def test_numbers_no_double_can_weigh_together_are_refused(backend, values):
    """What is given is finite, and what follows is not: that is said, rather than that a value is missing."""
    said = refused(backend({"g": ["a", "b", "a", "b"], "v": values}))
    assert said == "numbers in 'v' differ so much in size that no double can weigh them together"


def test_a_value_that_is_none_behind_a_mask_is_named():
    """pandas' own sums took it for missing, and left it out of a mean in silence."""
    values = pd.arrays.FloatingArray(np.array([1.0, float("nan"), 3.0]), np.zeros(3, dtype=bool))
    frame = pd.DataFrame({"g": ["b", "a", "a"], "v": values})
    assert refused(frame) == "column 'v' of 'a' is missing or no finite number in row 2"
