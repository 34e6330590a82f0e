"""Faults of CSV files, named by their lines or counted: the same wherever a batch ends."""

import pytest
from helpers.scans import BATCHES, put, refused, scanned, text

from analyses.ingest import build_model
from analyses.ingest.request import InputError, Request


def faulty(lines, start):
    """Rows of which every third has no number and every fifth no label, at the end of a table."""
    for i in range(start, start + lines):
        yield ("" if i % 5 == 0 else "a"), ("x" if i % 3 == 0 else "1")


FAULTY = {
    "numbers and labels": text([("a", "1")] * 30 + list(faulty(40, 0))),
    "one at the end": text([("a", "1")] * 60 + [("b", "1,5".replace(",", "_"))]),
    "ragged": text([("a", "1")] * 20 + [("a", "x")] * 3 + [("a", "1", "2"), ("a",)] * 12),
    "alike": text([("a", "1"), ("b", "2")] * 9 + [("a ", "1"), ("\uff21", "1"), ("A", "2")] * 5),
    "alike and no number": text([("a", "1")] * 9 + [("a ", "1"), ("a", "x")] * 7),
    "nothing right": text([("", "x")] * 50),
}


@pytest.mark.parametrize("size", BATCHES[:-1])
@pytest.mark.parametrize("name", FAULTY)
def test_faults_are_those_of_one_batch(name, size, batch, tmp_path):
    """The causes are told alike, with their lines and how many there are, wherever batches end."""
    path = put(tmp_path, FAULTY[name])
    expected = refused(path)
    batch(size)
    assert refused(path) == expected


def test_faults_of_a_later_batch_are_counted(batch, tmp_path):
    """14 numbers and 8 labels of 40 rows are two causes."""
    batch(7)
    assert refused(put(tmp_path, FAULTY["numbers and labels"])) == [
        "t.csv:32: column 'g': '' is blank (and 7 more: lines 37, 42, 47, 52, 57, ...): fill it in, as below a "
        "merged cell, or remove the row, or pass --missing drop",
        "t.csv:32: column 'v': 'x' is not a number (and 13 more: lines 35, 38, 41, 44, 47, ...): correct it, or remove "
        "the row",
    ]


@pytest.mark.parametrize("size", BATCHES)
def test_a_covariate_that_varies_over_batches_has_both_lines_named(size, batch, tmp_path):
    """Both lines are named though one has long been forgotten, once for all rows, with the remedy."""
    batch(size)
    path = put(tmp_path, "g,v,x\na,1,p\nb,2,q\n" + "a,3,p\n" * 20 + "a,3,r\n" * 12)
    said = refused(path, "x")
    assert said == [
        "t.csv:24: column 'x': 'r' where line 2 has 'p' for the same group 'a' (and 11 more: lines 25, 26, 27, 28, 29, "
        "...): a covariate is constant within a group. If groups are numbered anew in each 'x', name them by both "
        "columns: --group x,g"
    ]


def test_a_column_of_either_kind_is_what_its_first_batch_is(batch, tmp_path):
    """Text if no value of that batch is a number, numbers if one is: then text in a later one is a fault."""
    batch(2)
    found = scanned(put(tmp_path, "g,v,x\na,1,p\na,3,p\nb,3,1\nb,4,1\n"), "x")
    assert found.covariates == {"x": {"a": "p", "b": "1"}}
    said = refused(put(tmp_path, "g,v,x\nb,3,1\nb,4,1\na,1,p\na,3,p\n"), "x")
    assert said == [
        "t.csv:4: column 'x': 'p' is not a number (and 1 more: line 5): correct it, or pass --categorical x if these "
        "are categories"
    ]


@pytest.mark.parametrize("size", BATCHES)
def test_numbers_are_equal_however_they_are_spelled(size, batch, tmp_path):
    """1 and 1.0 are one value of a covariate of numbers, in two batches too."""
    batch(size)
    found = scanned(put(tmp_path, "g,v,x\nb,3,1\na,1,2\nb,4,1.0\n"), "x")
    assert found.covariates == {"x": {"b": 1, "a": 2}}


@pytest.mark.parametrize("size", [2, 50_000])
def test_a_number_that_is_far_too_large_is_refused_in_a_line(size, batch, tmp_path):
    """Its square is no double: it is refused in a line, and NumPy does not say so first."""
    batch(size)
    path = put(tmp_path, "g,v\na,1\na,2\nb,1.5\nb,3e200\n")
    with pytest.raises(InputError, match="times as large as most: no double can weigh them together"):
        build_model.one_way(Request(table=path, columns={"group": "g", "value": "v"}))
