"""Parquet files are the tables that CSV files are: types, names, and how either is spelled."""

from decimal import Decimal
from fractions import Fraction

import pytest
from helpers.scans import (
    EPS,
    PLAIN,
    SCALED,
    TABLES,
    assert_near,
    copied,
    exactly,
    outside,
    put,
    refused,
    scanned,
    text,
    values,
)

from analyses.ingest.parquet import quoted


@pytest.mark.parametrize("name", ["about 1", "offset 1e9", "offset 1e12", "far apart", "outlier first"])
@pytest.mark.parametrize("options", ["", ", row_group_size 100"], ids=["", "row groups"])
def test_parquet_is_csv(name, options, tmp_path):
    """The same table gives the same to 1e-12, in the order of its labels."""
    rows = TABLES[name]
    plain = scanned(put(tmp_path, text(rows)))
    read = f"select g, v::double as v from read_csv('{tmp_path}/t.csv', all_varchar=true) order by random()"
    found = scanned(copied(tmp_path / "t.parquet", read, options))
    assert found.labels == sorted(plain.labels)
    by_label = outside(plain)
    expected = {label: by_label[label] for label in found.labels}
    assert_near(found, expected, relative=1e-12)


@pytest.mark.parametrize("exponent", [200, -200])
def test_a_scale_is_no_matter_of_parquet(exponent, tmp_path):
    """Held against the doubles that are in the file, as none of them is a decimal of that size."""
    rows = ", ".join(f"('{g}', {v}e{exponent}::double)" for g, v in SCALED)
    found = scanned(copied(tmp_path / "t.parquet", values(rows)))
    expected = exactly([(g, float(f"{v}e{exponent}")) for g, v in SCALED])
    assert_near(found, expected, relative=1e-13)


LABELS = {
    "DATE": ("date '2020-01-02'", "date '2019-12-31'", ["2019-12-31", "2020-01-02"]),
    "TIMESTAMP": ("timestamp '2020-01-02 03:04:05'", "'2020-01-02'", ["2020-01-02 00:00:00", "2020-01-02 03:04:05"]),
    "BIGINT": ("9007199254740993", "9007199254740992", ["9007199254740992", "9007199254740993"]),
    "INTEGER by size": ("10::int", "9::int", ["9", "10"]),
    "UBIGINT": ("18446744073709551615::ubigint", "9", ["9", "18446744073709551615"]),
    "DECIMAL": ("1.50::decimal(9, 2)", "10.25::decimal(9, 2)", ["1.50", "10.25"]),
    "DOUBLE": ("0.1::double", "2.0", ["0.1", "2.0"]),
    "BOOLEAN": ("true", "false", ["false", "true"]),
    "VARCHAR": ("'007'", "'7'", ["007", "7"]),
    "NA": ("'NA'", "'nan'", ["NA", "nan"]),
    "letters": ("'学校'", "'Åse'", ["Åse", "学校"]),
    "blanks at the ends": ("' b '", "'a  '", ["b", "a"]),
    "ENUM": ("'q'::enum('q', 'p')", "'p'::enum('q', 'p')", ["p", "q"]),
    "TIME": ("time '03:04:05'", "time '03:04:06'", ["03:04:05", "03:04:06"]),
}


@pytest.mark.parametrize(("one", "two", "expected"), LABELS.values(), ids=LABELS)
def test_groups_of_any_type_are_named_as_they_are_spelled(one, two, expected, tmp_path):
    """Named as they are spelled, whole numbers in order of size; none is rounded into another."""
    path = copied(tmp_path / "t.parquet", values(f"({one}, 1.0::double), ({two}, 2.0), ({one}, 4.0)"))
    found = scanned(path)
    assert found.labels == expected
    assert sorted(found.n.tolist()) == [1, 2]


NUMBERS = {
    "DECIMAL": "decimal(18, 6)",
    "wide DECIMAL": "decimal(38, 6)",
    "INTEGER": "integer",
    "TINYINT": "tinyint",
    "UINTEGER": "uinteger",
    "BIGINT": "bigint",
    "FLOAT": "float",
}


@pytest.mark.parametrize("kind", NUMBERS.values(), ids=NUMBERS)
def test_numbers_of_any_type_are_taken_as_doubles(kind, tmp_path):
    """Taken as doubles before anything is computed: no byte overflows, no decimal is cut off."""
    cast = f"select g, v::{kind} as v from ({values("('a', 1), ('a', 120), ('b', 64), ('b', 65), ('b', 0)")})"
    found = scanned(copied(tmp_path / "t.parquet", cast))
    rows = [("a", 1), ("a", 120), ("b", 64), ("b", 65), ("b", 0)]
    assert_near(found, exactly(rows), relative=20 * EPS * 5)


def test_decimals_keep_their_fractions(tmp_path):
    found = scanned(copied(tmp_path / "t.parquet", values("('a', 1.25::decimal(9, 2)), ('a', 2.75)")))
    assert outside(found) == {"a": (2, Fraction(2), Fraction(9, 8))}


ODD_NAMES = ["n", "y", "group", "q", "s", "x0", "known", "low", "filename", "file_row_number", 'a "b"', "x y", "sum(v)"]


@pytest.mark.parametrize("group", ODD_NAMES)
def test_columns_may_have_any_name(group, tmp_path):
    """Names that are used inside, are functions of SQL or have quotes in them; as group, value and covariate."""
    others = [name for name in ODD_NAMES if name != group]
    for value, covariate in zip(others, others[1:] + others[:1], strict=True):
        names = ", ".join(quoted(name) for name in (group, value, covariate))
        rows = values("('a', 1.0::double, 'p'), ('b', 4.0, 'q'), ('a', 2.0, 'p')", names)
        found = scanned(copied(tmp_path / "t.parquet", rows), covariate, group=group, value=value)
        assert outside(found) == {"a": (2, Fraction(3, 2), Fraction(1, 2)), "b": (1, 4, 0)}
        assert found.covariates == {covariate: {"a": "p", "b": "q"}}


def test_capitals_are_letters_of_their_own(tmp_path):
    """Names are as they are spelled, in Parquet as in CSV, though SQL has none but small letters."""
    assert refused(copied(tmp_path / "t.parquet", PLAIN), value="V") == [
        "t.parquet: there is no column 'V': did you mean 'v'?"
    ]


COVARIATES = {
    "text": ("'p'", "' q '", {"a": "p", "b": "q"}),
    "BIGINT": ("9007199254740993", "2", {"a": Decimal(9007199254740993), "b": Decimal(2)}),
    "DOUBLE": ("0.1::double", "2.5", {"a": Decimal("0.1"), "b": Decimal("2.5")}),
    "DECIMAL": ("0.10::decimal(5, 2)", "2.5", {"a": Decimal("0.1"), "b": Decimal("2.5")}),
    "DATE": ("date '2020-01-02'", "date '2019-12-31'", {"a": "2020-01-02", "b": "2019-12-31"}),
}


@pytest.mark.parametrize(("one", "two", "expected"), COVARIATES.values(), ids=COVARIATES)
def test_covariates_of_any_type_are_spelled_as_in_csv(one, two, expected, tmp_path):
    """Numbers as decimals, all else as text, spelled as a CSV file would have it."""
    rows = values(f"('a', 1.0::double, {one}), ('b', 2.0, {two}), ('a', 4.0, {one})", "g, v, x")
    assert scanned(copied(tmp_path / "t.parquet", rows), "x").covariates == {"x": expected}
