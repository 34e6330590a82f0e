"""Parquet in many files: folders, patterns, and what the names of folders say."""

from fractions import Fraction
from hashlib import sha256

import numpy as np
import pytest
from helpers.scans import PLAIN, copied, outside, put, refused, scanned, values

from analyses.ingest import reduce as reduction

TWICE = {"a": (4, Fraction(3, 2), Fraction(1)), "b": (2, Fraction(4), Fraction(0))}


def hashes(folder, *names):
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_a_folder_is_all_its_parquet_files_however_deep(tmp_path):
    """All its Parquet files however deep, each named by its place; what is no Parquet is not looked at."""
    names = ["one.parquet", "deep/er/one.parquet"]
    for name in names:
        copied(tmp_path / "d" / name, PLAIN)
    put(tmp_path / "d", "", "_SUCCESS")
    put(tmp_path / "d", "g,v\n", "t.csv")
    found = scanned(tmp_path / "d")
    assert outside(found) == TWICE
    assert found.read == hashes(tmp_path / "d", *names)


def test_a_pattern_is_the_files_that_fit(tmp_path):
    """Those that fit, and no other."""
    for name in ("a1.parquet", "a2.parquet", "b1.parquet"):
        copied(tmp_path / name, PLAIN)
    found = scanned(tmp_path / "a*.parquet")
    assert outside(found) == TWICE
    assert found.read == hashes(tmp_path, "a1.parquet", "a2.parquet")


@pytest.mark.parametrize("name", ["s[12].parquet", "s*.parquet", "s?.parquet", "s'1.parquet", "s{1,2}.parquet"])
def test_a_name_is_no_pattern_where_there_is_such_a_file(name, tmp_path):
    """s[12].parquet is read if it is there, not s1.parquet; in a folder too."""
    copied(tmp_path / "d" / "s1.parquet", values("('c', 7.0::double)"))
    path = copied(tmp_path / "d" / name, PLAIN)
    found = scanned(path)
    assert found.labels == ["a", "b"]
    assert found.read == hashes(tmp_path / "d", name)
    assert scanned(tmp_path / "d").labels == ["a", "b", "c"]
    other = copied(tmp_path / name.removesuffix(".parquet") / "t.parquet", PLAIN)
    assert scanned(other).labels == scanned(other.parent).labels == ["a", "b"]


def test_a_folder_that_is_called_like_a_file_is_read(tmp_path):
    """As Spark writes them."""
    copied(tmp_path / "t.parquet" / "part-0.parquet", PLAIN)
    copied(tmp_path / "t.parquet" / "part-1.parquet", PLAIN)
    assert outside(scanned(tmp_path / "t.parquet")) == TWICE


@pytest.mark.parametrize("path", ["d", "d/*.parquet"])
def test_folders_that_are_called_like_files_are_read_once(path, tmp_path):
    """Several of them, in a folder or fitting a pattern: each row once."""
    copied(tmp_path / "d" / "t.parquet" / "part-0.parquet", PLAIN)
    copied(tmp_path / "d" / "u.parquet" / "part-0.parquet", PLAIN)
    assert outside(scanned(tmp_path / path)) == TWICE


def test_a_folder_may_name_the_group(tmp_path):
    """key=value: text, as it is spelled, so that 007 is not 7."""
    for name, k in (("007", 1), ("7", 5)):
        copied(tmp_path / "d" / f"g={name}" / "t.parquet", f"select {k}.0::double as v union all select {k + 1}.0")
    found = outside(scanned(tmp_path / "d"))
    half = Fraction(1, 2)
    assert found == {"007": (2, 1 + half, half), "7": (2, 5 + half, half)}


def test_a_folder_may_name_a_covariate(tmp_path):
    for arm, label in (("p", "a"), ("q", "b")):
        copied(tmp_path / "d" / f"arm={arm}" / "t.parquet", values(f"('{label}', 1.0::double), ('{label}', 2.0)"))
    assert scanned(tmp_path / "d", "arm").covariates == {"arm": {"a": "p", "b": "q"}}


def test_a_folder_above_does_not_name_the_value(tmp_path):
    """What is asked for begins below v=3: the groups are told by folders, the values are those of the files."""
    for name in ("007", "7"):
        copied(tmp_path / "v=3" / "d" / f"g={name}" / "t.parquet", "select 1.5::double as v union all select 2.5")
    assert outside(scanned(tmp_path / "v=3" / "d"))["007"] == (2, 2, Fraction(1, 2))
    assert outside(scanned(tmp_path / "v=3" / "d" / "g=*" / "t.parquet"))["7"] == (2, 2, Fraction(1, 2))


def test_a_file_outside_the_folders_that_name_groups_is_refused(tmp_path):
    """Its rows are of no group."""
    copied(tmp_path / "d" / "g=7" / "t.parquet", "select 1.5::double as v")
    copied(tmp_path / "d" / "t.parquet", "select 1.5::double as v")
    assert refused(tmp_path / "d") == ["t.parquet: there is no column 'g': there are 'v'"]


@pytest.mark.parametrize("path", ["d/*/x.parquet", "d/**/x.parquet", "d/1"])
def test_files_of_one_name_are_told_apart_by_their_folders(path, tmp_path):
    """Files of one name are told apart by where they are; .pq is Parquet as well."""
    names = ["x.parquet", "y.pq"] if path == "d/1" else ["1/x.parquet", "2/x.parquet"]
    folder = tmp_path / path if path == "d/1" else tmp_path / "d"
    for name in ("1/x.parquet", "2/x.parquet", "1/y.pq"):
        copied(tmp_path / "d" / name, PLAIN)
    found = scanned(tmp_path / path)
    assert outside(found) == TWICE
    assert found.read == hashes(folder, *names)


def test_units_of_a_file_that_is_sorted_by_value_are_those_of_all_groups(tmp_path):
    """Its first rows are nearly alike; the unit is that of all groups all the same."""
    path = copied(tmp_path / "t.parquet", "select i % 7 as g, i::double as v from range(200000) as t(i) order by v")
    found = scanned(path)
    assert 0.1 < np.abs(found.mean).max() < 10


def test_a_folder_above_says_nothing(tmp_path):
    """A path that happens to go through v=3 adds no column, and takes none away."""
    path = copied(tmp_path / "v=3" / "t.parquet", PLAIN)
    assert scanned(path).labels == ["a", "b"]
    assert outside(scanned(path))["b"] == (1, 4, 0)


def test_files_of_different_types_are_not_rounded(tmp_path):
    """Whole numbers in one, fractions in another: nothing is rounded away without a word."""
    copied(tmp_path / "d" / "1.parquet", values("('a', 1::integer), ('a', 2)"))
    copied(tmp_path / "d" / "2.parquet", values("('b', 1.5::double), ('b', 2.25)"))
    assert outside(scanned(tmp_path / "d"))["b"] == (2, Fraction(15, 8), Fraction(9, 32))


def test_labels_of_different_types_stay_apart(tmp_path):
    """A group 1.5 is not a group 2."""
    copied(tmp_path / "d" / "1.parquet", values("(1::integer, 1.0::double), (2, 2.0)"))
    copied(tmp_path / "d" / "2.parquet", values("(1.5::double, 3.0::double)"))
    assert len(scanned(tmp_path / "d").labels) == 3


def test_columns_go_by_their_names(tmp_path):
    """They go by their names."""
    copied(tmp_path / "d" / "1.parquet", PLAIN)
    copied(tmp_path / "d" / "2.parquet", f"select v, g, 1 as more from ({PLAIN})")
    assert outside(scanned(tmp_path / "d")) == TWICE


UNREADABLE = {
    "no column": lambda path: copied(path, "select 'b' as g, 2.0::double as w"),
    "text": lambda path: copied(path, "select 'b' as g, 'x' as v"),
    "no Parquet": lambda path: put(path.parent, "g,v\n", path.name),
    "empty": lambda path: put(path.parent, "", path.name),
    "cut off": lambda path: put(path.parent, path.with_name("1.parquet").read_bytes()[:-20], path.name),
}


@pytest.mark.parametrize("made_", UNREADABLE.values(), ids=UNREADABLE)
def test_a_second_file_that_cannot_be_read_is_named(made_, tmp_path):
    """It is refused like the first, in a line that names it; and no library's traceback."""
    copied(tmp_path / "d" / "1.parquet", PLAIN)
    made_(tmp_path / "d" / "2.parquet")
    assert "2.parquet" in refused(tmp_path / "d")[0]


def test_no_files_are_said_as_the_system_says_it(tmp_path):
    """An empty folder and a pattern that nothing fits are said as the system says it."""
    (tmp_path / "d").mkdir()
    with pytest.raises(IsADirectoryError, match="Is a directory without Parquet files"):
        scanned(tmp_path / "d")
    with pytest.raises(FileNotFoundError):
        scanned(tmp_path / "d" / "*.parquet")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path, monkeypatch):
    """The hash has to be of what was read; a file that is not the same any more has none."""
    path = copied(tmp_path / "t.parquet", PLAIN)
    reduce = reduction.sufficient_statistics.of_frame

    def changed(*arguments, **named):
        found = reduce(*arguments, **named)
        copied(path, values("('a', 9.0::double)"))
        return found

    monkeypatch.setattr(reduction.sufficient_statistics, "of_frame", changed)
    assert refused(path) == ["t.parquet: changed while it was read"]
