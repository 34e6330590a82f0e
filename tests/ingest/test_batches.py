"""CSV files of any size reduced in one pass: the same wherever a batch ends."""

from decimal import Decimal
from fractions import Fraction
from hashlib import sha256

import numpy as np
import pytest
from helpers.scans import BATCHES, EPS, SCALED, TABLES, assert_near, exactly, made, outside, put, scanned, text


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
def test_a_column_without_spread_has_squares_of_exactly_0(size, batch, tmp_path):
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
    assert scanned(path).repeated == ""  # two values of a group may be equal: nothing else tells the rows apart
    path = put(tmp_path, "g,v,day\na,1,x\nb,2,x\na,1,x\n")
    assert scanned(path).repeated.startswith("t.csv: 1 row(s) repeat others in every column (lines 2 and 4, say)")
    batch(2)
    assert scanned(path).repeated == ""
