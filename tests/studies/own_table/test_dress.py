"""The same table in another dress, order, unit or form gives the same report."""

import csv
import io
import re
from decimal import Decimal, localcontext

import pandas as pd
import pytest
from helpers.own_tables import AVERAGES, EIGHT, ESTIMATES, KIND, ROWS, SCORES, accepted, assert_same, parquet, table


def rewritten(content, **options) -> str:
    """The same fields in another dress."""
    out = io.StringIO()
    csv.writer(out, **{"lineterminator": "\n"} | options).writerows(csv.reader(io.StringIO(content)))
    return out.getvalue()


def swapped(content) -> str:
    return "".join(",".join(reversed(line.split(","))) + "\n" for line in content.splitlines())


DRESSED = {
    "byte-order mark, CRLF": lambda t: b"\xef\xbb\xbf" + rewritten(t, lineterminator="\r\n").encode(),
    "CR, quoted": lambda t: rewritten(t, lineterminator="\r", quoting=csv.QUOTE_ALL),
    "columns reordered": swapped,
    "more columns": lambda t: "".join(f"{line},{i},\n" for i, line in enumerate(t.splitlines())),
}


@pytest.mark.parametrize("dressed", DRESSED.values(), ids=DRESSED)
def test_another_dress_is_the_same_table(dressed, rows, tmp_path, quick):
    """A file saved by another program is the same table, to the last figure."""
    assert_same(rows, accepted(tmp_path, "one_way", dressed(table(SCORES)), *ROWS), drawn=True)


def test_rows_in_another_order_are_the_same_table(rows, tmp_path, quick):
    assert_same(rows, accepted(tmp_path, "one_way", table(SCORES[::-1]), *ROWS))


def test_names_are_no_numbers(rows, tmp_path, quick):
    """007 is not 7, NA is no gap, and any alphabet will do."""
    names = {"a": "007", "b": "7", "c": "NA", "d": "Åse", "e": "学校", "f": "<i>&"}
    ran = accepted(tmp_path, "one_way", table([(names[g], v) for g, v in SCORES]), *ROWS)
    assert_same(rows, ran, drawn=True, names={v: k for k, v in names.items()})
    assert "<i>" not in ran.page


def test_a_parquet_file_is_the_same_table(rows, estimates, tmp_path, quick):
    for study, one, arguments in (("one_way", rows, ROWS), ("meta_analysis", estimates, ESTIMATES)):
        path = parquet(tmp_path / "table.parquet", f"select * from read_csv('{one.data}', all_varchar=false)")
        assert_same(one, accepted(tmp_path, study, path, *arguments), drawn=True)


def test_a_parquet_file_is_read_under_its_own_name(tmp_path, quick):
    """An engine may take s[1].parquet for a pattern, which s1.parquet fits."""
    parquet(
        tmp_path / "s1.parquet", "select * from (values ('a', 900.0, 1.0), ('b', 100.0, 1.0)) as t(school, score, se)"
    )
    three = "select * from (values ('a', 1.0, 1.0), ('b', 2.0, 1.0), ('c', 4.0, 2.0)) as t(school, score, se)"
    ran = accepted(tmp_path, "meta_analysis", parquet(tmp_path / "s[1].parquet", three), *ESTIMATES)
    assert pd.read_csv(ran.folder / "groups.csv")["estimate"].tolist() == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("offset", ["1000000000", "-1000000000000"])
def test_an_offset_moves_and_changes_nothing(offset, rows, tmp_path, quick):
    """Decimals that a double would lose beside such an offset are not lost."""
    moved = table(SCORES, lambda v: format(Decimal(v) + Decimal(offset), "f"))
    assert_same(rows, accepted(tmp_path, "one_way", moved, *ROWS), offset=float(offset), drawn=True)


@pytest.mark.parametrize("exponent", [300, -300])
def test_a_scale_multiplies_what_rows_say(exponent, rows, tmp_path, request):
    """No square of it overflows or vanishes; once on the whole page."""
    if exponent < 0:
        request.getfixturevalue("quick")
    ran = accepted(tmp_path, "one_way", table(SCORES, lambda v: f"{v}e{exponent}"), *ROWS)
    assert_same(rows, ran, unit=float(f"1e{exponent}"), drawn=True)
    assert not re.search(r"\b(nan|inf)\b", re.sub('src="[^"]*"', "", ran.page))


@pytest.mark.parametrize("exponent", [300, -300])
def test_a_scale_multiplies_what_estimates_say(exponent, estimates, tmp_path, request):
    """Here tau has the unit of the data, as no sigma is there for it to be relative to."""
    if exponent > 0:
        request.getfixturevalue("quick")
    ran = accepted(tmp_path, "meta_analysis", re.sub(r",(-?\d+)", rf",\1e{exponent}", EIGHT), *ESTIMATES)
    assert_same(estimates, ran, unit=float(f"1e{exponent}"), drawn=True, ratios=("kappa",))
    assert not re.search(r"\b(nan|inf)\b", re.sub('src="[^"]*"', "", ran.page))


@pytest.mark.parametrize("spread", ["sd", "se"])
def test_averages_say_what_rows_say(spread, rows, tmp_path, quick):
    """Size, mean and spread are all that the likelihood sees; of a group of one the spread may be blank."""
    lines = ["school,n,mean,s"]
    with localcontext(prec=40):
        for group in KIND:
            values = [Decimal(v) for g, v in SCORES if g == group]
            n, mean = len(values), sum(values) / len(values)
            variance = sum((v - mean) ** 2 for v in values) / (n - 1) if n > 1 else None
            s = "" if variance is None else (variance if spread == "sd" else variance / n).sqrt()
            lines.append(f"{group},{n},{mean},{s}")
    assert_same(rows, accepted(tmp_path, "one_way", "\n".join(lines), *AVERAGES, f"--{spread}", "s"), drawn=True)


def test_variances_say_what_standard_errors_say(estimates, tmp_path, quick):
    squared = "".join(re.sub(r"\d+$", lambda m: str(int(m[0]) ** 2), line) + "\n" for line in EIGHT.splitlines())
    more = ("--label", "school", "--estimate", "score", "--variance", "se")
    assert_same(estimates, accepted(tmp_path, "meta_analysis", squared, *more), drawn=True)
