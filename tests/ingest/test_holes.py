"""Faults of Parquet files: holes named by file and row, names that look alike, types that are no numbers."""

import pytest
from helpers.scans import PLAIN, copied, put, refused, text, values

HOLES = (
    "('a', 1.0::double), ('a', null), (null, 2.0), ('  ', 1.0), ('', 'nan'), ('b', 'nan'), ('b', '-inf'), ('a', 3.0)"
)


REMEDY = "remove the row, or pass --missing drop"


def test_holes_are_named_by_file_and_row(tmp_path):
    """Null, NaN and infinity, labels that are null or blank: each cause once, with what is there."""
    assert refused(copied(tmp_path / "t.parquet", values(HOLES), ", row_group_size 2")) == [
        f"t.parquet:2: column 'v': '' is blank: {REMEDY}",
        f"t.parquet:3: column 'g': '' is blank (and 2 more: rows 4, 5): {REMEDY}",
        "t.parquet:5: column 'v': 'nan' is not a number but stands for a missing value (and 2 more: rows 6, 7): "
        f"{REMEDY}",
    ]


def test_holes_are_counted(tmp_path):
    """By the rows of their files, whichever thread found them; a file of many row groups before another."""
    some = "select 'a' as g, case when i % 1000 = 7 then null else i::double end as v from range(20000) as t(i)"
    copied(tmp_path / "d" / "1.parquet", some, ", row_group_size 2048")
    copied(tmp_path / "d" / "2.parquet", values("('a', null::double)"))
    assert refused(tmp_path / "d") == [
        f"1.parquet:8: column 'v': '' is blank (and 19 more: rows 1008, 2008, 3008, 4008, 5008, ...): {REMEDY}",
        f"2.parquet:1: column 'v': '' is blank: {REMEDY}",
    ]


def test_holes_are_named_by_the_place_of_the_file(tmp_path):
    """Files of a folder often have one name, in folders of their own."""
    copied(tmp_path / "d" / "1" / "t.parquet", PLAIN)
    copied(tmp_path / "d" / "2" / "t.parquet", values("('a', null::double)"))
    assert refused(tmp_path / "d") == [f"2/t.parquet:1: column 'v': '' is blank: {REMEDY}"]


@pytest.mark.parametrize("name", ["filename", "file_row_number"])
def test_holes_are_named_beside_a_column_that_is_called_like_a_file(name, tmp_path):
    """What is wrong is the hole, not the file."""
    path = copied(tmp_path / "t.parquet", values("('a', 1.0::double, 1), ('a', null, 2)", f"g, v, {name}"))
    assert refused(path) == [f"t.parquet:2: column 'v': '' is blank: {REMEDY}"]


def test_names_with_quotes_have_holes_too(tmp_path):
    path = copied(tmp_path / "t.parquet", values("(1, null::double)", '"g""x", "v""y"'))
    assert refused(path, group='g"x', value='v"y') == [f"t.parquet:1: column 'v\"y': '' is blank: {REMEDY}"]


@pytest.mark.parametrize(("one", "two"), [("'a '", "'a'"), ("'A'", "chr(65313)"), ("'é'", "'e' || chr(769)")])
def test_names_that_look_alike_are_refused(one, two, tmp_path):
    """Nobody could tell the groups apart."""
    (said,) = refused(copied(tmp_path / "t.parquet", values(f"({one}, 1.0::double), ({two}, 2.0)")))
    assert said.startswith("t.parquet: column 'g': ")
    assert said.endswith("use one spelling, or clearly different names")


@pytest.mark.parametrize("blank", ["chr(9)", "chr(10)", "chr(13) || ' '"], ids=["tab", "line", "CR"])
def test_a_label_of_white_space_is_blank(blank, tmp_path):
    """It is blank, as it is in a CSV file."""
    (said,) = refused(copied(tmp_path / "t.parquet", values(f"({blank}, 1.0::double), ('a', 2.0)")))
    assert " is blank: " in said


NO_NUMBERS = {
    "text": ("'1.5'", "'x'", "t.parquet:2: column 'v': 'x' is not a number: "),
    "text that looks like numbers": ("'1.5'", "'2'", "t.parquet: column 'v' holds String: it has to hold numbers"),
    "truth values": ("true", "false", "t.parquet: column 'v' holds Boolean: it has to hold numbers"),
    "dates": (
        "date '2020-01-01'",
        "date '2020-01-02'",
        "t.parquet:1: column 'v': '2020-01-01' is not a number but a date",
    ),
    "lists": ("[1.0]", "[2.0]", "t.parquet:1: column 'v': '[1.0]' is not a number (and 1 more: row 2)"),
}


@pytest.mark.parametrize(("one", "two", "said"), NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_a_column_of_no_numbers_is_refused(one, two, said, tmp_path):
    assert refused(copied(tmp_path / "t.parquet", values(f"('a', {one}), ('a', {two})")))[0].startswith(said)


COVARIATE_FAULTS = {
    "varies": ("1", "2", "t.parquet: covariate 'x' varies within 'a': 1 and 2"),
    "missing": ("null::int", "null", "t.parquet:1: column 'x': '' is blank (and 2 more: rows 2, 3)"),
    "partly missing": ("1", "null", "t.parquet:2: column 'x': '' is blank"),
    "blank": ("' '", "' '", "blank"),
}


@pytest.mark.parametrize("name", COVARIATE_FAULTS)
def test_a_covariate_that_varies_or_is_missing_is_refused(name, tmp_path):
    """It varies within a group, or is not known in one of its rows."""
    one, two, said = COVARIATE_FAULTS[name]
    rows = values(f"('a', 1.0::double, {one}), ('a', 2.0, {two}), ('b', 3.0, {one})", "g, v, x")
    (found,) = refused(copied(tmp_path / "t.parquet", rows), "x")
    assert said in found


def test_levels_that_look_alike_are_refused(tmp_path):
    """Two arms that nobody can tell apart are not made one without a word."""
    rows = values("('a', 1.0::double, 'p'), ('b', 2.0, 'p ')", "g, v, x")
    assert "looks like" in refused(copied(tmp_path / "t.parquet", rows), "x")[0]


def test_columns_that_are_missing_are_named(tmp_path):
    path = copied(tmp_path / "t.parquet", PLAIN)
    assert refused(path, value="w") == ["t.parquet: there is no column 'w': there are 'g', 'v'"]
    assert refused(path, "gg") == ["t.parquet: there is no column 'gg': did you mean 'g'?"]


def test_a_file_without_rows_is_refused(tmp_path):
    assert refused(copied(tmp_path / "t.parquet", f"{PLAIN} where false")) == ["t.parquet: there are no rows"]


@pytest.mark.parametrize("exponent", [-320, 306])
def test_numbers_of_which_no_double_holds_what_follows_are_refused(exponent, tmp_path):
    """They are refused whichever way they are written down: at 1e-320 a double has three digits."""
    rows = [("a", f"1e{exponent}"), ("a", f"2e{exponent}"), ("b", f"3e{exponent}")]
    assert "flows" in refused(put(tmp_path, text(rows)))[0]
    typed = ", ".join(f"('{g}', {v}::double)" for g, v in rows)
    assert "flows" in refused(copied(tmp_path / "t.parquet", values(typed)))[0]
