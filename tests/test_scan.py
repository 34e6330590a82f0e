"""Files of any size reduced in one pass: the same wherever a batch ends, as Parquet as in CSV, faults named or counted.

Values are multiples of 1/64 where nothing else is said: decimals and doubles alike then, so that CSV, which is read in
decimals, and Parquet, which holds doubles, are the same table.
"""

import math
import random
import tracemalloc
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import duckdb
import numpy as np
import pytest

from analyses import files, intake, prepare, scan
from analyses.asked import Asked, Refused

EPS = 2.0**-53
BATCHES = (1, 2, 7, 50_000)
BOTH = (1.0, 2.0)


@pytest.fixture
def batch(monkeypatch):
    """Set how many rows are read at a time."""
    return lambda size: monkeypatch.setattr(intake, "BATCH", size)


def put(folder: Path, content, name="t.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def copied(path: Path, select: str, options: str = "") -> Path:
    """What a query finds, as a Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    to = str(path).replace("'", "''")
    duckdb.connect().execute(f"copy ({select}) to '{to}' (format parquet{options})")
    return path


def values(rows: str, names: str = "g, v") -> str:
    return f"select * from (values {rows}) as t({names})"


PLAIN = values("('a', 1.0::double), ('b', 4.0), ('a', 2.0)")


def scanned(path, *covariates, group="g", value="v"):
    return scan.rows_in_groups(path, group=group, value=value, covariates=covariates, absolute=False, show=False)


def refused(path, *covariates, group="g", value="v") -> list[str]:
    with pytest.raises(Refused) as error:
        scanned(path, *covariates, group=group, value=value)
    return str(error.value).splitlines()


def exactly(rows):
    """Size, mean and sum of squares of each group, without any rounding, in the order in which they come."""
    found = {}
    for label, value in rows:
        found.setdefault(label, []).append(Fraction(Decimal(value)))
    means = {label: sum(vs) / len(vs) for label, vs in found.items()}
    return {g: (len(vs), means[g], sum((v - means[g]) ** 2 for v in vs)) for g, vs in found.items()}


def outside(found):
    """The same of what was scanned, inside its units and so exact to them."""
    unit, offset = Fraction(found.units.unit), Fraction(found.units.offset)
    each = zip(found.labels, found.n.tolist(), found.mean.tolist(), found.ss.tolist(), strict=True)
    return {g: (n, offset + unit * Fraction(mean), unit**2 * Fraction(ss)) for g, n, mean, ss in each}


def assert_near(scanned_, expected, *, relative):
    """Sums of squares to so much of themselves; means to so much of the group's sd, and what a double holds beside.

    All inside the units: there a mean is near to what its own double, or that of the group's first value, can hold.
    """
    unit, offset = Fraction(scanned_.units.unit), Fraction(scanned_.units.offset)
    assert scanned_.labels == list(expected)
    each = zip(scanned_.n.tolist(), scanned_.mean.tolist(), scanned_.ss.tolist(), expected.values(), strict=True)
    for n, mean, ss, (size, middle, squares) in each:
        middle, squares = (middle - offset) / unit, squares / unit**2
        sd = math.sqrt(squares / size)
        assert n == size
        assert abs(Fraction(ss) - squares) <= Fraction(relative) * squares
        assert abs(Fraction(mean) - middle) <= Fraction(relative * sd + 3 * np.spacing(abs(float(middle)) + sd))


def made(seed, offset=0, size=300, labels="bacdé"):
    """Rows of unequal groups a few sds apart, one of them of one row and one without spread; multiples of 1/64."""
    rng = random.Random(seed)
    rows = [(g, 3 * k + rng.gauss(0, 1)) for k, g in enumerate(labels) for _ in range(size // (k + 1))]
    rows += [("one", 0.5), *[("same", 0.25)] * 5]
    rng.shuffle(rows)
    return [(g, str(Decimal(offset) + Decimal(round(64 * v)) / 64)) for g, v in rows]


def text(rows, header="g,v", end="\n"):
    return header + end + "".join(",".join(row) + end for row in rows)


# --- where batches end ----------------------------------------------------------------------------------------------

TABLES = {
    "about 1": made(1),
    "offset 1e9": made(2, 10**9),
    "offset 1e12": made(3, -(10**12)),
    "far apart": [(g, str(Decimal(v) + 10**9 * "abcdé".find(g))) for g, v in made(4)],
    "more digits than doubles have": [(g, f"{10**20 + i}.{i:020d}") for i, (g, _) in enumerate(made(5))],
    "outlier first": [("a", "1e15"), *made(6)],
    "sorted by value": sorted(made(7), key=lambda row: Decimal(row[1])),
}


@pytest.mark.parametrize("size", BATCHES)
@pytest.mark.parametrize("name", TABLES)
def test_where_a_batch_ends_is_nothing(name, size, batch, tmp_path):
    """Sizes exact, groups as they come, and the rest right up to rounding, wherever batches end.

    A value is rounded once, less the first of its group; the sum of deviations twice a row and five times a batch:
    20 EPS for each row of the table is more than that, and 1e-12 for a thousand rows. In decimals that needs no more
    digits than there are: an offset of 1e20 costs nothing.
    """
    batch(size)
    rows = TABLES[name]
    found = scanned(put(tmp_path, text(rows)))
    assert_near(found, exactly(rows), relative=20 * EPS * len(rows))
    same = [ss for label, ss in zip(found.labels, found.ss, strict=True) if label == "same"]
    assert same == [0.0] * len(same) or name == "more digits than doubles have"


SCALED = [("a", 1), ("a", 2), ("b", 1.5), ("b", 4)]


@pytest.mark.parametrize("size", BATCHES)
@pytest.mark.parametrize("exponent", [200, -200, 300, -300])
def test_a_scale_is_no_matter_of_batches(exponent, size, batch, tmp_path):
    """The unit is taken off before anything is squared: nothing overflows, and nothing vanishes."""
    batch(size)
    rows = [(g, f"{v}e{exponent}") for g, v in SCALED]
    found = scanned(put(tmp_path, text(rows)))
    assert_near(found, exactly(rows), relative=20 * EPS * len(rows))


def test_units_see_what_came_before(batch, tmp_path):
    """Two batches without spread within either are about 1 all the same: engines expect it of what they are given."""
    batch(3)
    found = scanned(put(tmp_path, "g,v\n" + "a,0\n" * 3 + "b,5e40\n" * 3 + "c,7e40\nc,2e40\nb,6e40\n"))
    assert 0.01 < np.abs(found.mean).max() < 100


def test_units_come_with_the_first_spread(batch, tmp_path):
    """Rows that are all alike tell no unit: the first batch in which any differ does, from the rows in it."""
    batch(3)
    found = scanned(put(tmp_path, "g,v\n" + "a,3e40\n" * 6 + "b,1e40\nb,9e40\na,4e40\n"))
    assert found.units.unit == Decimal("1e40")
    rows = [("a", "3e40")] * 6 + [("b", "1e40"), ("b", "9e40"), ("a", "4e40")]
    assert_near(found, exactly(rows), relative=200 * EPS)


@pytest.mark.parametrize("size", BATCHES)
def test_a_column_without_spread(size, batch, tmp_path):
    """Sums of squares are 0, not nearly, and no unit is divided by."""
    batch(size)
    found = scanned(put(tmp_path, "g,v\nb,0.1\na,0.1\nb,0.1\n"))
    assert (found.labels, found.n.tolist(), found.ss.tolist()) == (["b", "a"], [2, 1], [0, 0])
    assert [v for _, v, _ in outside(found).values()] == [Fraction(1, 10)] * 2


@pytest.mark.parametrize("size", BATCHES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte-order mark"])
def test_how_lines_end_is_nothing(end, mark, size, batch, tmp_path):
    """Labels that go over two lines, with quotes and commas in them, stand at the ends of batches too."""
    batch(size)
    names = ['"a"', '"two{}lines"', '"x, ""y"""', '"two{}lines"', '"a"', "b", '"two{}lines"', "b"]
    rows = [(name.format(end), str(k * k)) for k, name in enumerate(names)]
    content = mark + text(rows, '"g","v"', end) + end
    found = scanned(put(tmp_path, content))
    plain = [(name.removeprefix('"').removesuffix('"').replace('""', '"'), v) for name, v in rows]
    assert_near(found, exactly(plain), relative=20 * EPS * len(rows))


@pytest.mark.parametrize("size", BATCHES)
def test_the_hash_is_that_of_the_file(size, batch, tmp_path):
    """Of all its bytes, byte-order mark and empty last lines among them."""
    batch(size)
    path = put(tmp_path, "\ufeff" + text(made(8)) + "\n\n\r\n")
    assert scanned(path).read == {"t.csv": sha256(path.read_bytes()).hexdigest()}


def test_rows_that_repeat_are_looked_for_where_they_are_few(batch, tmp_path):
    """In one batch, and not among those of another: what is not looked for is not said."""
    path = put(tmp_path, "g,v\na,1\nb,2\na,1\n")
    assert scanned(path).repeated.startswith("t.csv: 1 row(s) repeat others in every column (lines 2 and 4, say)")
    batch(2)
    assert scanned(path).repeated == ""


# --- faults of CSV --------------------------------------------------------------------------------------------------


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
    """The same ten in the same order, and as many others, wherever they stand."""
    path = put(tmp_path, FAULTY[name])
    expected = refused(path)
    batch(size)
    assert refused(path) == expected


def test_faults_of_a_later_batch_are_counted(batch, tmp_path):
    """Ten are listed by their lines, the rest counted: here 14 numbers and 8 labels of 40 rows."""
    batch(7)
    said = refused(put(tmp_path, FAULTY["numbers and labels"]))
    assert said[0] == "t.csv:32: column 'g': '' is blank"
    assert said[1] == "t.csv:32: column 'v': 'x' is not a number"
    lines = [int(line.split(":")[1]) for line in said[:10]]
    assert lines == sorted(lines)
    assert said[10:] == ["and 12 faults more"]


@pytest.mark.parametrize("size", BATCHES)
def test_a_covariate_that_varies_over_batches(size, batch, tmp_path):
    """Both lines are named though one has long been forgotten; and no more than ten, with a count."""
    batch(size)
    path = put(tmp_path, "g,v,x\na,1,p\nb,2,q\n" + "a,3,p\n" * 20 + "a,3,r\n" * 12)
    said = refused(path, "x")
    first = "t.csv:24: column 'x': 'r' where line 2 has 'p' for the same group 'a': a covariate is constant within"
    assert said[0].startswith(first)
    assert (len(said), said[-1]) == (11, "and 2 faults more")


def test_a_column_of_either_kind_is_what_its_first_batch_is(batch, tmp_path):
    """Text if no value of that batch is a number, numbers if one is: then text in a later one is a fault."""
    batch(2)
    found = scanned(put(tmp_path, "g,v,x\na,1,p\na,3,p\nb,3,1\nb,4,1\n"), "x")
    assert found.covariates == {"x": {"a": "p", "b": "1"}}
    said = refused(put(tmp_path, "g,v,x\nb,3,1\nb,4,1\na,1,p\na,3,p\n"), "x")
    assert said == [f"t.csv:{line}: column 'x': 'p' is not a number" for line in (4, 5)]


@pytest.mark.parametrize("size", BATCHES)
def test_numbers_are_equal_however_they_are_spelled(size, batch, tmp_path):
    """1 and 1.0 are one value of a covariate of numbers, in two batches too."""
    batch(size)
    found = scanned(put(tmp_path, "g,v,x\nb,3,1\na,1,2\nb,4,1.0\n"), "x")
    assert found.covariates == {"x": {"b": 1, "a": 2}}


@pytest.mark.parametrize("size", [2, 50_000])
def test_a_number_that_is_far_too_large(size, batch, tmp_path):
    """Its square is no double: it is refused in a line, and NumPy does not say so first."""
    batch(size)
    path = put(tmp_path, "g,v\na,1\na,2\nb,1.5\nb,3e200\n")
    with pytest.raises(Refused, match="times as large as most: no double can weigh them together"):
        prepare.one_way(Asked(path=path, columns={"group": "g", "value": "v"}))


# --- memory ---------------------------------------------------------------------------------------------------------


class Row(list):
    """Fields of a row, counted while they are there."""

    there = most = 0

    def __init__(self, fields):
        super().__init__(fields)
        Row.there += 1
        Row.most = max(Row.most, Row.there)

    def __del__(self):
        Row.there -= 1


def long(folder, size):
    return put(folder, "g,v\n" + "".join(f"g{i % 5},{i % 7}.{i % 64}\n" for i in range(size)))


def test_no_more_rows_are_held_than_two_batches(batch, tmp_path, monkeypatch):
    """The one that is worked on and the one that is being read, of 300,000 rows."""
    batch(2_000)
    path, records = long(tmp_path, 300_000), files.records
    monkeypatch.setattr(files, "records", lambda *given: ((line, Row(fields)) for line, fields in records(*given)))
    monkeypatch.setattr(Row, "most", 0)
    assert scanned(path).n.sum() == 300_000
    assert 2_000 <= Row.most <= 2 * 2_000 + 2


def test_memory_does_not_grow_with_the_rows(batch, tmp_path):
    """Columns and numbers are let go as well: of 38,000 rows more not as much as a pointer each is held at any time."""
    batch(500)
    scanned(long(tmp_path, 500))  # what is imported, and kept by libraries, is there from now on
    peaks = []
    for size in (2_000, 40_000):
        path = long(tmp_path, size)
        tracemalloc.start()
        try:
            scanned(path)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 8 * 38_000


# --- Parquet --------------------------------------------------------------------------------------------------------


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
def test_a_scale_of_parquet(exponent, tmp_path):
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
def test_groups_of_any_type(one, two, expected, tmp_path):
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
def test_values_of_any_type_of_number(kind, tmp_path):
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
        names = ", ".join(files.quoted(name) for name in (group, value, covariate))
        rows = values("('a', 1.0::double, 'p'), ('b', 4.0, 'q'), ('a', 2.0, 'p')", names)
        found = scanned(copied(tmp_path / "t.parquet", rows), covariate, group=group, value=value)
        assert outside(found) == {"a": (2, Fraction(3, 2), Fraction(1, 2)), "b": (1, 4, 0)}
        assert found.covariates == {covariate: {"a": "p", "b": "q"}}


def test_capitals_are_letters_of_their_own(tmp_path):
    """Names are as they are spelled, in Parquet as in CSV, though SQL has none but small letters."""
    assert refused(copied(tmp_path / "t.parquet", PLAIN), value="V") == [
        "t.parquet:1: there is no column 'V': there are 'g', 'v'"
    ]


COVARIATES = {
    "text": ("'p'", "' q '", {"a": "p", "b": "q"}),
    "BIGINT": ("9007199254740993", "2", {"a": Decimal(9007199254740993), "b": Decimal(2)}),
    "DOUBLE": ("0.1::double", "2.5", {"a": Decimal("0.1"), "b": Decimal("2.5")}),
    "DECIMAL": ("0.10::decimal(5, 2)", "2.5", {"a": Decimal("0.1"), "b": Decimal("2.5")}),
    "DATE": ("date '2020-01-02'", "date '2019-12-31'", {"a": "2020-01-02", "b": "2019-12-31"}),
}


@pytest.mark.parametrize(("one", "two", "expected"), COVARIATES.values(), ids=COVARIATES)
def test_covariates_of_any_type(one, two, expected, tmp_path):
    """Numbers as decimals, all else as text, spelled as a CSV file would have it."""
    rows = values(f"('a', 1.0::double, {one}), ('b', 2.0, {two}), ('a', 4.0, {one})", "g, v, x")
    assert scanned(copied(tmp_path / "t.parquet", rows), "x").covariates == {"x": expected}


# --- files of Parquet -----------------------------------------------------------------------------------------------

TWICE = {"a": (4, Fraction(3, 2), Fraction(1)), "b": (2, Fraction(4), Fraction(0))}


def hashes(folder, *names):
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in names}


def test_a_folder(tmp_path):
    """All its Parquet files however deep, each named by its place; what is no Parquet is not looked at."""
    names = ["one.parquet", "deep/er/one.parquet"]
    for name in names:
        copied(tmp_path / "d" / name, PLAIN)
    put(tmp_path / "d", "", "_SUCCESS")
    put(tmp_path / "d", "g,v\n", "t.csv")
    found = scanned(tmp_path / "d")
    assert outside(found) == TWICE
    assert found.read == hashes(tmp_path / "d", *names)


def test_a_pattern(tmp_path):
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


def test_a_folder_that_is_called_like_a_file(tmp_path):
    """As Spark writes them."""
    copied(tmp_path / "t.parquet" / "part-0.parquet", PLAIN)
    copied(tmp_path / "t.parquet" / "part-1.parquet", PLAIN)
    assert outside(scanned(tmp_path / "t.parquet")) == TWICE


@pytest.mark.parametrize("path", ["d", "d/*.parquet"])
def test_folders_that_are_called_like_files(path, tmp_path):
    """Several of them, in a folder or fitting a pattern: each row once."""
    copied(tmp_path / "d" / "t.parquet" / "part-0.parquet", PLAIN)
    copied(tmp_path / "d" / "u.parquet" / "part-0.parquet", PLAIN)
    assert outside(scanned(tmp_path / path)) == TWICE


def test_a_folder_that_names_the_group(tmp_path):
    """key=value: text, as it is spelled, so that 007 is not 7."""
    for name, k in (("007", 1), ("7", 5)):
        copied(tmp_path / "d" / f"g={name}" / "t.parquet", f"select {k}.0::double as v union all select {k + 1}.0")
    found = outside(scanned(tmp_path / "d"))
    half = Fraction(1, 2)
    assert found == {"007": (2, 1 + half, half), "7": (2, 5 + half, half)}


def test_a_folder_that_names_a_covariate(tmp_path):
    for arm, label in (("p", "a"), ("q", "b")):
        copied(tmp_path / "d" / f"arm={arm}" / "t.parquet", values(f"('{label}', 1.0::double), ('{label}', 2.0)"))
    assert scanned(tmp_path / "d", "arm").covariates == {"arm": {"a": "p", "b": "q"}}


def test_a_folder_above_that_names_the_value(tmp_path):
    """What is asked for begins below v=3: the groups are told by folders, the values are those of the files."""
    for name in ("007", "7"):
        copied(tmp_path / "v=3" / "d" / f"g={name}" / "t.parquet", "select 1.5::double as v union all select 2.5")
    assert outside(scanned(tmp_path / "v=3" / "d"))["007"] == (2, 2, Fraction(1, 2))
    assert outside(scanned(tmp_path / "v=3" / "d" / "g=*" / "t.parquet"))["7"] == (2, 2, Fraction(1, 2))


def test_a_file_outside_the_folders_that_name_the_group(tmp_path):
    """Its rows are of no group."""
    copied(tmp_path / "d" / "g=7" / "t.parquet", "select 1.5::double as v")
    copied(tmp_path / "d" / "t.parquet", "select 1.5::double as v")
    assert refused(tmp_path / "d") == ["t.parquet:1: there is no column 'g': there are 'v'"]


@pytest.mark.parametrize("path", ["d/*/x.parquet", "d/**/x.parquet", "d/1"])
def test_a_pattern_of_folders(path, tmp_path):
    """Files of one name are told apart by where they are; .pq is Parquet as well."""
    names = ["x.parquet", "y.pq"] if path == "d/1" else ["1/x.parquet", "2/x.parquet"]
    folder = tmp_path / path if path == "d/1" else tmp_path / "d"
    for name in ("1/x.parquet", "2/x.parquet", "1/y.pq"):
        copied(tmp_path / "d" / name, PLAIN)
    found = scanned(tmp_path / path)
    assert outside(found) == TWICE
    assert found.read == hashes(folder, *names)


def test_units_of_a_file_that_is_sorted_by_value(tmp_path):
    """Its first rows are nearly alike; the unit is that of all groups all the same."""
    path = copied(tmp_path / "t.parquet", "select i % 7 as g, i::double as v from range(200000) as t(i) order by v")
    found = scanned(path)
    assert 0.1 < np.abs(found.mean).max() < 10


def test_a_folder_above_says_nothing(tmp_path):
    """A path that happens to go through v=3 adds no column, and takes none away."""
    path = copied(tmp_path / "v=3" / "t.parquet", PLAIN)
    assert scanned(path).labels == ["a", "b"]
    assert outside(scanned(path))["b"] == (1, 4, 0)


def test_files_of_different_types(tmp_path):
    """Whole numbers in one, fractions in another: nothing is rounded away without a word."""
    copied(tmp_path / "d" / "1.parquet", values("('a', 1::integer), ('a', 2)"))
    copied(tmp_path / "d" / "2.parquet", values("('b', 1.5::double), ('b', 2.25)"))
    assert outside(scanned(tmp_path / "d"))["b"] == (2, Fraction(15, 8), Fraction(9, 32))


def test_labels_of_different_types(tmp_path):
    """A group 1.5 is not a group 2."""
    copied(tmp_path / "d" / "1.parquet", values("(1::integer, 1.0::double), (2, 2.0)"))
    copied(tmp_path / "d" / "2.parquet", values("(1.5::double, 3.0::double)"))
    assert len(scanned(tmp_path / "d").labels) == 3


def test_columns_in_another_order(tmp_path):
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
def test_a_second_file_that_cannot_be_read(made_, tmp_path):
    """It is refused like the first, in a line that names it; and no library's traceback."""
    copied(tmp_path / "d" / "1.parquet", PLAIN)
    made_(tmp_path / "d" / "2.parquet")
    assert "2.parquet" in refused(tmp_path / "d")[0]


def test_no_files(tmp_path):
    """An empty folder and a pattern that nothing fits are said as the system says it."""
    (tmp_path / "d").mkdir()
    with pytest.raises(IsADirectoryError, match="Is a directory without Parquet files"):
        scanned(tmp_path / "d")
    with pytest.raises(FileNotFoundError):
        scanned(tmp_path / "d" / "*.parquet")


def test_a_file_that_changes_while_it_is_read(tmp_path, monkeypatch):
    """The hash has to be of what was read; a file that is not the same any more has none."""
    path = copied(tmp_path / "t.parquet", PLAIN)
    reduce = scan.rows.of_frame

    def changed(*arguments, **named):
        found = reduce(*arguments, **named)
        copied(path, values("('a', 9.0::double)"))
        return found

    monkeypatch.setattr(scan.rows, "of_frame", changed)
    assert refused(path) == ["t.parquet: changed while it was read"]


# --- faults of Parquet ----------------------------------------------------------------------------------------------

HOLES = (
    "('a', 1.0::double), ('a', null), (null, 2.0), ('  ', 1.0), ('', 'nan'), ('b', 'nan'), ('b', '-inf'), ('a', 3.0)"
)


def test_holes_are_named_by_file_and_row(tmp_path):
    """Null, NaN and infinity, labels that are null or blank: all of them, each with what is there."""
    assert refused(copied(tmp_path / "t.parquet", values(HOLES), ", row_group_size 2")) == [
        "t.parquet:2: column 'v': '' is blank",
        "t.parquet:3: column 'g': '' is blank",
        "t.parquet:4: column 'g': '  ' is blank",
        "t.parquet:5: column 'g': '' is blank",
        "t.parquet:6: column 'v': 'nan' is not a number",
        "t.parquet:7: column 'v': '-inf' is not a number",
    ]


def test_ten_holes_and_a_count(tmp_path):
    """In the order of the rows of the files, whichever thread found them; a file of many row groups before another."""
    some = "select 'a' as g, case when i % 1000 = 7 then null else i::double end as v from range(20000) as t(i)"
    copied(tmp_path / "d" / "1.parquet", some, ", row_group_size 2048")
    copied(tmp_path / "d" / "2.parquet", values("('a', null::double)"))
    said = refused(tmp_path / "d")
    assert said == [f"1.parquet:{1000 * k + 8}: column 'v': '' is blank" for k in range(10)] + ["and 11 faults more"]


def test_holes_are_named_by_the_place_of_the_file(tmp_path):
    """Files of a folder often have one name, in folders of their own."""
    copied(tmp_path / "d" / "1" / "t.parquet", PLAIN)
    copied(tmp_path / "d" / "2" / "t.parquet", values("('a', null::double)"))
    assert refused(tmp_path / "d") == ["2/t.parquet:1: column 'v': '' is blank"]


@pytest.mark.parametrize("name", ["filename", "file_row_number"])
def test_holes_beside_a_column_that_is_called_like_a_file(name, tmp_path):
    """What is wrong is the hole, not the file."""
    path = copied(tmp_path / "t.parquet", values("('a', 1.0::double, 1), ('a', null, 2)", f"g, v, {name}"))
    assert refused(path) == ["t.parquet:2: column 'v': '' is blank"]


def test_names_with_quotes_have_holes_too(tmp_path):
    path = copied(tmp_path / "t.parquet", values("(1, null::double)", '"g""x", "v""y"'))
    assert refused(path, group='g"x', value='v"y') == ["t.parquet:1: column 'v\"y': '' is blank"]


@pytest.mark.parametrize(("one", "two"), [("'a '", "'a'"), ("'A'", "chr(65313)"), ("'é'", "'e' || chr(769)")])
def test_names_that_look_alike(one, two, tmp_path):
    """Nobody could tell the groups apart."""
    (said,) = refused(copied(tmp_path / "t.parquet", values(f"({one}, 1.0::double), ({two}, 2.0)")))
    assert said.startswith("t.parquet: column 'g': ")
    assert said.endswith("and is another: spell them alike, or apart")


@pytest.mark.parametrize("blank", ["chr(9)", "chr(10)", "chr(13) || ' '"], ids=["tab", "line", "CR"])
def test_a_label_of_white_space(blank, tmp_path):
    """It is blank, as it is in a CSV file."""
    (said,) = refused(copied(tmp_path / "t.parquet", values(f"({blank}, 1.0::double), ('a', 2.0)")))
    assert said.endswith(" is blank")


NO_NUMBERS = {
    "text": ("'1.5'", "'x'", "t.parquet:2: column 'v': 'x' is not a number"),
    "text that looks like numbers": ("'1.5'", "'2'", "t.parquet: column 'v' holds String: it has to hold numbers"),
    "truth values": ("true", "false", "t.parquet: column 'v' holds Boolean: it has to hold numbers"),
    "dates": ("date '2020-01-01'", "date '2020-01-02'", "t.parquet:1: column 'v': '2020-01-01' is not a number"),
    "lists": ("[1.0]", "[2.0]", "t.parquet:1: column 'v': '[1.0]' is not a number"),
}


@pytest.mark.parametrize(("one", "two", "said"), NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_a_column_of_no_numbers(one, two, said, tmp_path):
    assert refused(copied(tmp_path / "t.parquet", values(f"('a', {one}), ('a', {two})")))[0] == said


COVARIATE_FAULTS = {
    "varies": ("1", "2", "t.parquet: covariate 'x' varies within 'a': 1 and 2"),
    "missing": ("null::int", "null", "t.parquet: covariate 'x' is missing in 'a'"),
    "partly missing": ("1", "null", "covariate 'x' is missing in 'a'"),
    "blank": ("' '", "' '", "blank"),
}


@pytest.mark.parametrize("name", COVARIATE_FAULTS)
def test_a_covariate_that_is_none(name, tmp_path):
    """It varies within a group, or is not known in one of its rows."""
    one, two, said = COVARIATE_FAULTS[name]
    rows = values(f"('a', 1.0::double, {one}), ('a', 2.0, {two}), ('b', 3.0, {one})", "g, v, x")
    (found,) = refused(copied(tmp_path / "t.parquet", rows), "x")
    assert said in found


def test_levels_that_look_alike(tmp_path):
    """Two arms that nobody can tell apart are not made one without a word."""
    rows = values("('a', 1.0::double, 'p'), ('b', 2.0, 'p ')", "g, v, x")
    assert "looks like" in refused(copied(tmp_path / "t.parquet", rows), "x")[0]


def test_columns_that_are_missing(tmp_path):
    path = copied(tmp_path / "t.parquet", PLAIN)
    assert refused(path, value="w") == ["t.parquet:1: there is no column 'w': there are 'g', 'v'"]
    assert refused(path, "gg") == ["t.parquet:1: there is no column 'gg': did you mean 'g'?"]


def test_a_file_without_rows(tmp_path):
    assert refused(copied(tmp_path / "t.parquet", f"{PLAIN} where false")) == ["t.parquet: there are no rows"]


@pytest.mark.parametrize("exponent", [-320, 306])
def test_numbers_of_which_no_double_holds_what_follows(exponent, tmp_path):
    """The same is refused whichever way it was written down: at 1e-320 a double has three digits."""
    rows = [("a", f"1e{exponent}"), ("a", f"2e{exponent}"), ("b", f"3e{exponent}")]
    assert "no double holds" in refused(put(tmp_path, text(rows)))[0]
    typed = ", ".join(f"('{g}', {v}::double)" for g, v in rows)
    assert "no double holds" in refused(copied(tmp_path / "t.parquet", values(typed)))[0]
