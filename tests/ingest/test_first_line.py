"""A first line that is a row is no header; a name that may stand for nothing is told; both in files of either kind."""

import pytest
from helpers.own_tables import parquet, put

from analyses.ingest import build_model
from analyses.ingest.request import InputError, Request

HEADLESS = "1,52.11\n1,57.65\n1,66.44\n2,44.68\n2,40.57\n2,35.04\n3,46.5\n3,50.1\n"
WIDE = "school,2018,2019\na,1,3\na,2,5\nb,3,1\nb,5,2\nc,2,2\nc,1,6\n"
FOUND = {"one_way": ("group", "value"), "meta_analysis": ("estimate", "se")}


def asked(path, study, *names, **more):
    given = dict(zip(more.pop("columns", FOUND[study]), names, strict=True))
    return getattr(build_model, study)(Request(table=path, columns=given, **more))


def refusal(*arguments, **more):
    with pytest.raises(InputError) as refused:
        asked(*arguments, **more)
    return str(refused.value)


AVERAGES = ("group", "n", "mean", "sd")
HEADLESS_TABLES = {
    "rows": (HEADLESS, "one_way", ("1", "52.11"), {}),
    "rows of named groups": ("A,52.11\nA,50\nB,41\nB,44\n", "one_way", ("A", "52.11"), {}),
    "below a blank line": ("\n" + HEADLESS, "one_way", ("1", "52.11"), {}),
    "estimates": ("28,15\n8,10\n-3,16\n7,11\n", "meta_analysis", ("28", "15"), {}),
    "averages": ("a,3,5,1\nb,4,6,2\nc,3,4,1\n", "one_way", ("a", "3", "5", "1"), {"columns": AVERAGES}),
    "averages, the first of one": ("a,1,5,\nb,4,6,2\nc,3,4,1\n", "one_way", ("a", "1", "5", ""), {"columns": AVERAGES}),
    "with a covariate": ("a,1,x\na,2,x\nb,4,y\nb,3,y\nc,1,x\n", "one_way", ("a", "1"), {"covariates": ("x",)}),
}


@pytest.mark.parametrize(("content", "study", "names", "more"), HEADLESS_TABLES.values(), ids=HEADLESS_TABLES)
def test_a_first_line_that_is_a_row_is_refused(content, study, names, more, tmp_path):
    """It was read as names, and lost: the run had one row less, and all was well."""
    line = 1 + content.startswith("\n")
    said = refusal(put(tmp_path, content), study, *names, **more)
    assert said.startswith(f"table.csv:{line}: the first line looks like a row of data, not like names of columns")
    assert "add a line of names above it" in said


def test_years_are_names(tmp_path):
    """Of columns that are not asked for, of a group, of a covariate, and beside a number that has another name."""
    path = put(tmp_path, WIDE.replace("2018", "score"))
    assert len(asked(path, "one_way", "school", "score").model.groups) == 3
    path = put(tmp_path, "2019,score\na,1\na,2\nb,3\nb,5\nc,2\nc,1\n")
    assert len(asked(path, "one_way", "2019", "score").model.groups) == 3
    path = put(tmp_path, "trial,effect,se,2019\na,1,1,3\nb,2,1,4\nc,4,1,3\nd,2,1,7\n")
    assert asked(path, "meta_analysis", "effect", "se", covariates=("2019",)).model.groups.covariates == ("2019",)
    path = put(tmp_path, "school,n,2019,sd\na,3,5,1\nb,4,6,2\nc,3,4,1\n")
    assert len(asked(path, "one_way", "school", "n", "2019", "sd", columns=AVERAGES).model.groups) == 3


def test_a_year_that_could_be_a_value_has_to_be_renamed(tmp_path):
    """Nothing tells `school,2019` from a row of the group "school": the message says what to do with a name."""
    said = refusal(put(tmp_path, WIDE), "one_way", "school", "2019")
    assert said.endswith("if '2019' is a name, change it to 'y2019'")


def test_a_parquet_file_has_names_of_its_own(tmp_path):
    """They are not the first row, whatever they look like."""
    path = parquet(
        tmp_path / "t.parquet", "select unnest(['a','a','b','b','c']) as g, unnest([1.0,2,4,3,7]) as \"2019\""
    )
    assert len(asked(path, "one_way", "g", "2019").model.groups) == 3


def test_the_columns_of_a_headless_file_are_not_offered_alone(tmp_path):
    """The names in the message were what led to the row that was lost."""
    said = refusal(put(tmp_path, HEADLESS), "one_way", "school", "score")
    assert said == (
        "table.csv:1: there is no column 'school' or 'score': there are '1', '52.11'; "
        "if these are data, add a line of names above them"
    )


PATIENTS = [("p1", "x", 1.2), ("p1", "x", 1.5), ("p2", "y", 2.2), ("p2", "y", 2.6), ("p3", "y", 1.9), ("p4", "x", 3.0)]


def table(folder, kind, name, level="y"):
    rows = [(name if g == "p2" else g, level if x == "y" else x, v) for g, x, v in PATIENTS]
    if kind == "csv":
        return put(folder, "patient,arm,y\n" + "".join(f"{g},{x},{v}\n" for g, x, v in rows))
    return parquet(folder / "table.parquet", f"select * from (values {', '.join(map(str, rows))}) t(patient, arm, y)")


def told(path):
    found = asked(path, "one_way", "patient", "y", covariates=("arm",))
    return [one for one in found.warnings if "missing" in one]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", ["NA", "N/A", "nan", "NULL", "."])
def test_a_cell_that_may_stand_for_nothing_is_told(kind, name, tmp_path):
    """Rows of several patients were one group, NA, without a word; an arm that is not known was an arm."""
    path = table(tmp_path, kind, name)
    said = "is read as the name of a group. If it stands for a missing value, remove its rows."
    assert told(path) == [f"{path.name}: column 'patient': {name!r} {said}"]
    path = table(tmp_path, kind, "p2", name)
    said = "is read as a level. If it stands for a missing value, remove its rows."
    assert told(path) == [f"{path.name}: column 'arm': {name!r} {said}"]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_other_names_are_not_told(kind, tmp_path):
    assert told(table(tmp_path, kind, "Nadia", "none")) == []


def test_the_label_of_an_estimate_is_told(tmp_path):
    path = put(tmp_path, "trial,effect,se\na,1,1\nNA,2,1\nc,4,1\nd,2,1\n")
    found = asked(path, "meta_analysis", "trial", "effect", "se", columns=("label", "estimate", "se"))
    assert any("column 'trial': 'NA' is read as the name of a group" in one for one in found.warnings)


def test_the_prior_of_a_level_counts_whatever_comes_first(tmp_path):
    """`--prior arm=...` is of all levels, `--prior arm[y]=...` of one: of two that name it the one of its own."""
    path = put(tmp_path, "patient,arm,y\n" + "".join(f"{g},{x},{v}\n" for g, x, v in PATIENTS))
    one, two = {"arm": "Normal(0, 1)"}, {"arm[y]": "Normal(0, 5)"}
    for priors in (one | two, two | one):
        found = asked(path, "one_way", "patient", "y", covariates=("arm",), priors=priors)
        assert found.priors["arm[y]"] == "Normal(0, 5)"


@pytest.mark.parametrize("power", [-300, 0, 280])
def test_neither_an_offset_nor_a_unit_of_a_file_costs_a_digit(power, tmp_path, recwarn):
    """A file is read in decimals: where a frame of doubles has to warn, it has nothing to warn of."""
    scale, offset = f"e{power}", 10**15
    cells = [
        (g, f"{offset + k}.125{scale}") for g, ks in {"a": (28, 3), "b": (40, 17), "c": (8, 5)}.items() for k in ks
    ]
    moved = asked(put(tmp_path, "g,v\n" + "".join(f"{g},{v}\n" for g, v in cells)), "one_way", "g", "v").model.groups
    cells = [(g, v.replace(str(offset)[:-2], "").replace(scale, "")) for g, v in cells]
    plain = asked(put(tmp_path, "g,v\n" + "".join(f"{g},{v}\n" for g, v in cells)), "one_way", "g", "v").model.groups
    assert (moved.mean.tolist(), moved.ss.tolist()) == (plain.mean.tolist(), plain.ss.tolist())
    assert not recwarn.list
