"""Files as people have them: read right and told, or refused once with cause and remedy, from either front end."""

import gzip
import json
import warnings

import duckdb
import numpy as np
import pandas as pd
import pytest
from helpers.front_door import as_fit_says, fitted
from helpers.own_tables import EIGHT, ESTIMATES, ROWS, SCORES, TRIALS, accepted, put, refused

from analyses import InputError
from analyses.table import DataWarning

ACCENTED = EIGHT.replace("A", "É")
DELIMITED = EIGHT.replace(",", ";")
DECIMAL_COMMAS = "school;score;se\nA;28,5;15,25\nB;8;10\nC;-3,125;16\nD;7,5;11\n"
POINTS = DECIMAL_COMMAS.replace(",", ".").replace(";", ",")
WITH_NAMES = "".join(f'"{i}",{line}\n' if i else f'"",{line}\n' for i, line in enumerate(EIGHT.splitlines()))
IN_R = '"school","score","se"\n' + "".join(
    f'"{i}","{line.replace(",", chr(34) + ",", 1)}\n' for i, line in enumerate(EIGHT.splitlines()[1:], start=1)
)
READ = {  # content, a name, options, the plain table, what is told
    "Excel's first line": ("sep=,\n" + EIGHT, "t.csv", (), EIGHT, ()),
    "sep=; and semicolons": ("sep=;\n" + DELIMITED, "t.csv", (), EIGHT, ("read as separated by semicolons",)),
    "semicolons": (DELIMITED, "t.csv", (), EIGHT, ("read as separated by semicolons",)),
    "tabs": (EIGHT.replace(",", "\t"), "t.tsv", (), EIGHT, ("read as separated by tabs",)),
    "bars": (EIGHT.replace(",", "|"), "t.txt", (), EIGHT, ("read as separated by bars",)),
    "blanks": (EIGHT.replace(",", " "), "t.txt", (), EIGHT, ("read as separated by blanks",)),
    "blanks after commas": (EIGHT.replace(",", ", "), "t.csv", (), EIGHT, ()),
    "decimal commas": (DECIMAL_COMMAS, "t.csv", (), POINTS, ("semicolons", "read with a decimal comma")),
    "R's write.csv": (WITH_NAMES, "t.csv", (), EIGHT, ()),
    "R's write.table": (IN_R, "t.csv", (), EIGHT, ("read the first field of each row as its name",)),
    "comments": ("# of 2021\n# points\n" + EIGHT, "t.csv", (), EIGHT, ("skipped 2 line(s) of comments",)),
    "a title": ("Of 2021\n\n" + EIGHT, "t.csv", ("--skip", "2"), EIGHT, ()),
    "empty rows": (EIGHT + ",,\n,,\n", "t.csv", (), EIGHT, ("skipped 2 row(s) without any entry",)),
    "delimiters at the end": (EIGHT.replace("\n", ",\n"), "t.csv", (), EIGHT, ()),
    "apostrophes": ("'school','score','se'\n" + EIGHT.partition("\n")[2], "t.csv", (), EIGHT, ("with apostrophes",)),
    "UTF-16": (EIGHT.encode("utf-16"), "t.csv", (), EIGHT, ("read as UTF-16",)),
    "Latin-1": (ACCENTED.encode("latin-1"), "t.csv", ("--encoding", "latin-1"), ACCENTED, ()),
    "gzipped": (gzip.compress(EIGHT.encode()), "t.csv.gz", (), EIGHT, ()),
    "a header that begins with #": ("#" + EIGHT, "t.csv", (), EIGHT, ()),
    "many lines above": ("x\n" * 3000 + DELIMITED, "t.csv", ("--skip", "3000"), EIGHT, ("semicolons",)),
    "many comments above": ("# x\n" * 80 + DELIMITED, "t.csv", (), EIGHT, ("semicolons", "80 line(s) of comments")),
    "a blank before some quotes": (EIGHT.replace("B,", '"B", '), "t.csv", (), EIGHT, ()),
    "UTF-16 without its mark": (EIGHT.encode("utf-16-le"), "t.csv", ("--encoding", "utf-16-le"), EIGHT, ()),
    "UTF-16 that is named": (("\ufeff" + EIGHT).encode("utf-16-le"), "t.csv", ("--encoding", "utf-16-le"), EIGHT, ()),
    "a delimiter that was stated": (EIGHT.replace(",", ":"), "t.csv", ("--delimiter", ":"), EIGHT, ()),
    "thousands, stated to be decimals": (
        'school,score,se\nA,"1,250",1\nB,"2,500",1\nC,"1,000",2\n',
        "t.csv",
        ("--decimal", ","),
        "school,score,se\nA,1.25,1\nB,2.5,1\nC,1,2\n",
        (),
    ),
    "text of a spreadsheet": (
        'school,score,se\n"=""001""",28,15\n"=""002""",8,10\n"=""03""",7,11\n',
        "t.csv",
        (),
        "school,score,se\n001,28,15\n002,8,10\n03,7,11\n",
        (),
    ),
}  # fmt: skip


def quietly(source, *options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return fitted(source, *options)


@pytest.mark.parametrize(("content", "name", "options", "plain", "told"), READ.values(), ids=READ)
def test_it_is_read_and_told(content, name, options, plain, told, tmp_path):
    """The posterior is that of the plain table to the last digit, and what was recognized is said."""
    found = quietly(put(tmp_path, content, name), *ESTIMATES, *options)
    expected = quietly(put(tmp_path, plain, "plain.csv"), *ESTIMATES)
    pd.testing.assert_frame_equal(found.summary(), expected.summary(), check_exact=True)
    notes = found.prepared.notes
    assert len(notes) == len(told)
    assert all(note.startswith(f"{name}: ") and what in note for note, what in zip(notes, told, strict=True))
    assert all(f"Note: {note}" in repr(found) for note in notes)


@pytest.mark.parametrize("name", ["decimal commas", "R's write.table", "comments"])
def test_the_command_line_reads_it_alike(name, tmp_path):
    content, file, options, plain, told = READ[name]
    ran = accepted(tmp_path, "meta_analysis", put(tmp_path, content, file), *ESTIMATES, *options)
    written = pd.read_csv(ran.folder / "summary.csv", keep_default_na=False).set_index(["variable", "label"])["mean"]
    expected = quietly(put(tmp_path, plain, "plain.csv"), *ESTIMATES).summary()["mean"]
    np.testing.assert_array_equal(written.to_numpy(), expected.loc[written.index].to_numpy())
    assert all(what in ran.page for what in told)
    assert json.loads((ran.folder / "manifest.json").read_text())["data"].keys() == {file}


REFUSED = {  # content, study, options, what is said; one line each
    "percent signs": ("school,score,se\nA,2.8%,1.5%\nB,0.8%,1.0%\nC,-0.3%,1.6%\n", "meta_analysis", ESTIMATES, (
        "t.csv:2: column 'score': '2.8%' has a percent sign (and 5 more, also in column 'se': lines 3, 4): remove it, "
        "or write 2.8% as 0.028, in the whole column")),
    "no header": ("1,52.11\n1,57.65\n2,44.68\n2,40.57\n", "one_way", ("--group", "1", "--value", "52.11"), (
        "t.csv:1: the first line looks like a row of data, not like names of columns ('52.11'): ")),
    "doses": ("school,score,se,x\nA,1,1,placebo\nB,2,1,10\nC,4,1,20\nD,5,1,10\n", "meta_analysis",
        (*ESTIMATES, "--covariate", "x"), (
        "t.csv:2: column 'x': 'placebo' is not a number: correct it, or pass --categorical x if these are categories")),
    "identifiers that start anew": ("school,x,score\n1,p,1\n2,p,2\n1,q,5\n2,q,3\n1,q,4\n", "one_way",
        (*ROWS, "--covariate", "x"), (
        "t.csv:4: column 'x': 'q' where line 2 has 'p' for the same group '1' (and 2 more: lines 5, 6): a covariate is "
        "constant within a group. If groups are numbered anew in each 'x', name them by both columns: --group "
        "x,school")),
    "a title": ("Scores of 2021\n\n" + EIGHT, "meta_analysis", ESTIMATES, (
        "t.csv:3: the names of the columns are here, below a title or notes: pass --skip 2")),
    "averages run as rows": (EIGHT, "one_way", ROWS, (
        "t.csv: every group has a single row, which does not tell sigma from tau. One row per group: did you mean --n, "
        "--mean and --sd, or --estimate and --se? Else give sigma a prior")),
    "a missing covariate": (TRIALS.replace("b,2,1.5,5", "b,2,1.5,"), "meta_analysis",
        (*ESTIMATES, "--covariate", "size [m]"), (
        "t.csv:3: column 'size [m]': '' is blank: remove the row, or pass --missing drop")),
    "points that may group thousands": ("school;score;se;x\nA;1.510;1;4,5\nB;680;1;2,5\nC;1.020;2;1\n", "meta_analysis",
        ESTIMATES, "t.csv: '1.510' has a point, and other columns have decimal commas: "),
    "a name in another spelling": ("school,effects,se\nA,1,1\n", "meta_analysis",
        ("--label", "school", "--estimate", "EFFECT", "--se", "se"),
        "t.csv:1: there is no column 'EFFECT': did you mean 'effects'?"),
    "names that look alike": ("school,score,se\nA,1,1\nA\u200b,2,1\n", "meta_analysis", ESTIMATES,
        "t.csv:3: column 'school': 'A\\u200b' looks like 'A' of line 2: "),
}  # fmt: skip


@pytest.mark.parametrize(("content", "study", "options", "said"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_once(content, study, options, said, tmp_path, capfd):
    """In one line with the remedy, and from Python in the same words."""
    path = put(tmp_path, content, "t.csv")
    (line,) = refused(capfd, tmp_path, study, "--data", path, *options)
    assert line.startswith(said)
    with pytest.raises(InputError) as raised:
        fitted(path, *options)
    assert str(raised.value) == as_fit_says(line, study)


NEARLY_ROW_NAMES = '"school","score"\n"A",1,5\n"A",2,25\n"B",1,7\n"B",3,5\n'
REFUSED |= {
    "decimal commas that could be R's row names": (NEARLY_ROW_NAMES, "one_way", ROWS,
        "t.csv:2: 3 fields where the header has 2 (and 3 more: lines 3, 4, 5): did R write the name of each row first"),
    "a covariate with decimal commas": (TRIALS.replace(",3\n", ',"3,5"\n').replace("size [m]", "x"), "meta_analysis",
        (*ESTIMATES, "--covariate", "x"), "t.csv:2: column 'x': '3,5' has a decimal comma"),
    "a covariate in percent": ("school,score,se,x\nA,1,1,5%\nB,2,1,10%\nC,4,1,5%\nD,5,1,10%\n", "meta_analysis",
        (*ESTIMATES, "--covariate", "x"), "t.csv:2: column 'x': '5%' has a percent sign (and 3 more: lines 3, 4, 5)"),
    "commas that may be either": ("school;score;se\nA;1,234;1\nB;2,345;1\nC;3,456;2\n", "meta_analysis", ESTIMATES,
        "t.csv:2: column 'score': '1,234' has a comma (and 2 more: lines 3, 4): "),
    "two groups of one name": ('school,x,score\n"a, b",c,1\n"a, b",c,2\na,"b, c",3\na,"b, c",4\n', "one_way",
        ("--group", "school,x", "--value", "score"), "t.csv:4: column 'school,x': 'a, b, c' is the name of two groups"),
    "no UTF-16": (EIGHT, "meta_analysis", (*ESTIMATES, "--encoding", "utf-16"), "t.csv: is not in utf-16: "),
    "a column twice in a group": (EIGHT, "one_way", ("--group", "school,school", "--value", "score"),
        "t.csv:1: a group is named by the column 'school' twice"),
}  # fmt: skip


WARNED = {  # content, study, options, what is said
    "codes for missing values": ("school,score\na,1\na,-999\nb,3\nb,5\nc,2\nc,-999\n", "one_way", ROWS,
        "-999 occurs 2 time(s), far from all else"),
    "a small code": ("school,score\na,1\na,-9\nb,3\nb,5\n", "one_way", ROWS, "-9 occurs 1 time(s), far from all else"),
    "a large code": ("school,score\na,1\na,999\nb,-3\nb,5\n", "one_way", ROWS, "999 occurs 1 time(s), far from all"),
    "subtotals": ("school,score\na,1\na,2\nA Total,3\nA Total,3.5\nb,3\nb,5\n", "one_way", ROWS, "'A Total' is"),
    "thousands": ("school,score\na,1.680\na,510\nb,800\nb,1.020\n", "one_way", ROWS, "'1.680' beside '510'"),
    "standard errors as variances": (EIGHT, "meta_analysis", ("--estimate", "score", "--variance", "se"),
        "column 'se': is read as variances, and its name says standard errors"),
    "numbers as names": ("school,score\n1,1\n1,2\n01,3\n01,5\n2,4\n2,6\n", "one_way", ROWS, "'1' and '01' are the"),
    "long numbers": ("school,score\n1.0E+11,1\n1.0E+11,2\nb,3\nb,5\n", "one_way", ROWS, "'1.0E+11' may be what a"),
    "dates": ("school,score\n1-Mar,1\n1-Mar,2\nSEPT2,3\nSEPT2,5\n", "one_way", ROWS, "'1-Mar' may be a name that"),
    "levels": ("school,score,se,x\na,1,1,Drug\nb,2,1,drug\nc,4,1,no\nd,2,1,no\ne,3,1,Drug\nf,2,2,drug\n",
        "meta_analysis", (*ESTIMATES, "--covariate", "x"), "column 'x': 'Drug' and 'drug' differ only in case"),
    "codes": ("school,score,se,x\na,1,1,02139\nb,2,1,10001\nc,4,1,02139\nd,2,1,10001\n", "meta_analysis",
        (*ESTIMATES, "--covariate", "x"), "'02139' is read as a number, though it begins with 0"),
    "NA": ("school,score\np1,1.2\np1,1.5\nNA,9.1\nNA,0.1\np2,1\np2,2\n", "one_way", ROWS, "'NA' is read as the name"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "study", "options", "said"), WARNED.values(), ids=WARNED)
def test_it_is_read_with_a_warning(content, study, options, said, tmp_path):
    """The table can be read, and may not be what its owner thinks: the page, standard error and Python say so."""
    ran = accepted(tmp_path, study, content, *options)
    assert said in ran.said
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted(ran.data, *options)
    assert any(issubclass(w.category, DataWarning) and said in str(w.message) for w in caught)


def test_two_equal_values_of_a_group_are_no_warning(tmp_path, recwarn):
    """A table of names and values alone has equal rows by chance."""
    fitted(put(tmp_path, "school,score\n" + "".join(f"{g},{v}\n" for g, v in [*SCORES, *SCORES])), *ROWS)
    assert not recwarn.list


GAPS = "school,score,x\na,1,p\na,,p\na,2,p\nb,3,q\nb,NA,q\nb,5,q\nc,4,\n,7,p\nd,6,q\nd,7,q\n"
CODED = GAPS.replace("c,4,", "c,4,null")  # a level that is read as text, and stands for a missing value
FILLED = "school,score,x\na,1,p\na,2,p\nb,3,q\nb,5,q\nd,6,q\nd,7,q\n"
DROPPED = "dropped 4 of 10 rows with a missing value: of 'a' (1), 'b' (1), 'c' (1), no name (1); nothing is left of 'c'"


@pytest.mark.parametrize("rows", [GAPS, CODED], ids=["blank", "coded"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "frame", "large frame"])
def test_missing_values_are_dropped_on_request(kind, rows, tmp_path, monkeypatch):
    """How many rows and which groups is said, whatever the table is made of; what is left is as if it were all."""
    options = (*ROWS, "--covariate", "x", "--missing", "drop")
    source = tabled(kind, rows, tmp_path, monkeypatch)
    found, told = fitted_and_told(source, *options)
    assert told == DROPPED
    expected = quietly(put(tmp_path, FILLED, "filled.csv"), *ROWS, "--covariate", "x")
    pd.testing.assert_frame_equal(found.summary().sort_index(), expected.summary().sort_index(), rtol=1e-12)


def fitted_and_told(source, *options):
    """A fit, and what is told of the rows that were dropped."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = fitted(source, *options)
    (told,) = [str(w.message) for w in caught if "dropped" in str(w.message)]
    return found, told.partition(": ")[2]


@pytest.mark.parametrize("column", ["score", "x"])
def test_nan_that_arrow_wrote_is_missing(column, tmp_path):
    """Arrow's smallest and largest number of a column are not NaN, from which DuckDB concludes that no number is."""
    arrow = pytest.importorskip("pyarrow", reason="PyArrow is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = pd.DataFrame({"school": [*"aaabbbcc"], "score": [1.0, 3, 2, 3, 5, 4, 6, 7], "x": [1.0, 1, 1, 4, 4, 4, 2, 2]})
    spoiled = rows.assign(**{column: rows[column].where(rows["school"] != "b")})
    columns = {name: arrow.array(spoiled[name].tolist(), from_pandas=False) for name in spoiled}
    parquet.write_table(arrow.table(columns), tmp_path / "t.parquet")
    options = (*ROWS, "--covariate", "x")
    with pytest.raises(InputError, match=f"'{column}'.* missing"):
        quietly(tmp_path / "t.parquet", *options)
    found, told = fitted_and_told(tmp_path / "t.parquet", *options, "--missing", "drop")
    assert told == "dropped 3 of 8 rows with a missing value: of 'b' (3); nothing is left of 'b'"
    expected = quietly(rows[rows["school"] != "b"], *options)
    pd.testing.assert_frame_equal(found.summary().sort_index(), expected.summary().sort_index(), rtol=1e-12)


def tabled(kind, content, folder, monkeypatch):
    """The rows of a CSV file as another kind of table."""
    path = put(folder, content, "t.csv")
    if kind == "csv":
        return path
    if kind == "parquet":
        duckdb.connect().execute(f"copy (from read_csv('{path}', nullstr=['', 'NA'])) to '{folder}/t.parquet'")
        return folder / "t.parquet"
    if kind == "large frame":
        monkeypatch.setattr("analyses.ingest.data_frame.MOST_SPELLED", 3)
    return pd.read_csv(path, na_values=["", "NA"], keep_default_na=False)


TWICE = "arm,patient,score\np,1,1.5\np,1,2\np,2,3\np,2,3.5\nq,1,7\nq,1,8.5\nq,2,5\nq,2,5.25\n"
NAMED = "school,score,arm\n" + "".join(f'"{a}, {p}",{v},{a}\n' for a, p, v in (r.split(",") for r in TWICE.split()[1:]))


@pytest.mark.parametrize("kind", ["csv", "parquet", "frame", "large frame"])
def test_two_columns_name_a_group_together(kind, tmp_path, monkeypatch):
    """Patients that are numbered anew in each arm are other patients."""
    source = tabled(kind, TWICE, tmp_path, monkeypatch)
    expected = quietly(put(tmp_path, NAMED, "named.csv"), *ROWS, "--covariate", "arm").summary()
    for group in ("arm,patient", ["arm", "patient"]):
        found = quietly(source, "--group", group, "--value", "score", "--covariate", "arm").summary()
        pd.testing.assert_frame_equal(found.loc[expected.index], expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["parquet", "frame", "large frame"])
@pytest.mark.parametrize("part", [" ", "q "])
def test_parts_of_names_are_read_strictly(kind, part, tmp_path, monkeypatch):
    """A part that is blank, or ends in a blank that another lacks, is refused of every table."""
    source = tabled(kind, TWICE.replace("q,2,5.25", f'"{part}",2,5.25'), tmp_path, monkeypatch)
    with pytest.raises(InputError):
        fitted(source, "--group", "arm,patient", "--value", "score")


@pytest.mark.parametrize("kind", ["csv", "parquet", "frame", "large frame"])
def test_numbers_that_are_text_are_numbers_of_a_covariate(kind, tmp_path, monkeypatch):
    """One slope, whatever the table is made of, and indicators on request."""
    rows = "".join(f"{g},{v},{'2' if g in 'ace' else '10'}\n" for g, v in SCORES)
    source = tabled(kind, "school,score,x\n" + rows, tmp_path, monkeypatch)
    source = source.assign(x=source["x"].astype(str)) if kind.endswith("frame") else source
    assert quietly(source, *ROWS, "--covariate", "x").model.groups.covariates == ("x",)
    assert quietly(source, *ROWS, "--categorical", "x").model.groups.covariates == ("x[2]",)


def test_one_level_is_the_reference(tmp_path, capfd):
    path = put(tmp_path, DOSES)
    options = (*ESTIMATES, "--categorical", "x", "--reference", "x=5", "--reference", "x=10")
    (line,) = refused(capfd, tmp_path, "meta_analysis", "--data", path, *options)
    assert line.endswith("--reference is given twice for x: give one level")


def test_a_level_that_may_be_missing_is_dropped_on_request(tmp_path):
    path = put(tmp_path, DOSES.replace("10\n", "NA\n", 1))
    found = quietly(path, *ESTIMATES, "--categorical", "x", "--missing", "drop")
    assert (len(found.labels), found.model.groups.covariates) == (5, ("x[5]", "x[placebo]"))


def test_a_row_to_predict_has_all_that_names_its_group(tmp_path):
    found = quietly(put(tmp_path, TWICE), "--group", "arm,patient", "--value", "score")
    known = found.predict({"arm": ["p"], "patient": [1]})
    assert known.index[0] == ("theta", "p, 1")
    with pytest.raises(InputError, match="groups are named by 'arm' and 'patient': give all of these columns"):
        found.predict({"arm": ["p"]})


def test_a_group_that_is_named_twice_is_refused(tmp_path, capfd):
    path = put(tmp_path, TWICE)
    options = ("--data", path, "--group", "arm", "--group", "patient", "--value", "score")
    (line,) = refused(capfd, tmp_path, "one_way", *options)
    assert line.endswith(
        "--group is given twice: give it once, or write --group arm,patient for groups named by both columns"
    )


DOSES = "school,score,se,x\nA,1,1,placebo\nB,2,1,10\nC,4,1,5\nD,5,1,10\nE,3,1,5\nF,0.5,1,placebo\n"


def test_a_covariate_is_categorical_on_request(tmp_path):
    """Levels that look like numbers are levels, and one of them may be chosen as the reference."""
    path = put(tmp_path, DOSES)
    found = quietly(path, *ESTIMATES, "--categorical", "x")
    assert found.model.groups.covariates == ("x[5]", "x[placebo]")
    found = quietly(path, *ESTIMATES, "--categorical", "x", "--reference", "x=placebo")
    assert found.model.groups.covariates == ("x[10]", "x[5]")
    new = found.predict({"school": ["new"], "x": ["5"]})
    assert np.isfinite(new["mean"]).all()


def test_categories_of_pandas_keep_their_order(tmp_path):
    """The first that is used is the reference; those that are not used are no levels."""
    frame = pd.read_csv(put(tmp_path, DOSES))
    frame["x"] = pd.Categorical(frame["x"], categories=["none", "placebo", "5", "10"])
    found = quietly(frame, *ESTIMATES, "--covariate", "x")
    assert found.model.groups.covariates == ("x[5]", "x[10]")


def test_workbooks(tmp_path):
    """The sheet that has the columns is read, below its title; another can be named."""
    pytest.importorskip("python_calamine", reason="python-calamine is not installed")
    pytest.importorskip("openpyxl", reason="openpyxl, which writes workbooks, is not installed")
    frame = pd.read_csv(put(tmp_path, EIGHT, "plain.csv"))
    path = tmp_path / "t.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"a": [1], "b": [2]}).to_excel(book, sheet_name="notes", index=False)
        frame.to_excel(book, sheet_name="schools", index=False)
        frame.assign(score=frame["score"] + 100).to_excel(book, sheet_name="moved", index=False, startrow=2)
    with pytest.raises(
        InputError, match="there are several sheets, 'notes', 'schools', 'moved': name one, as sheet='sc"
    ):
        fitted(path, *ESTIMATES)
    expected = quietly(tmp_path / "plain.csv", *ESTIMATES)
    found = quietly(path, *ESTIMATES, "--sheet", "schools")
    pd.testing.assert_frame_equal(found.summary(), expected.summary(), check_exact=True)
    moved = quietly(path, *ESTIMATES, "--sheet", "moved").summary().loc[("mu", ""), "mean"]
    assert moved == pytest.approx(100 + expected.summary().loc[("mu", ""), "mean"], rel=1e-12)
    with pytest.raises(InputError, match="there is no sheet 'x': there are"):
        fitted(path, *ESTIMATES, "--sheet", "x")


def test_arrow_files(tmp_path):
    feather = pytest.importorskip("pyarrow.feather", reason="PyArrow is not installed")
    import pyarrow

    frame = pd.read_csv(put(tmp_path, EIGHT, "plain.csv"))
    feather.write_feather(pyarrow.Table.from_pandas(frame), tmp_path / "t.feather")
    found, expected = (quietly(tmp_path / name, *ESTIMATES).summary() for name in ("t.feather", "plain.csv"))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    put(tmp_path, EIGHT, "none.arrow")
    with pytest.raises(InputError, match=r"none\.arrow: is no Arrow file that can be read"):
        fitted(tmp_path / "none.arrow", *ESTIMATES)


FRAMES = {
    "names that are numbers": lambda frame: frame.assign(**{"n": 1}).rename(columns={"n": 0}),
    "a name twice, not wanted": lambda frame: pd.concat([frame, pd.DataFrame({"z": frame.se, "y": 1})], axis=1).rename(
        columns={"y": "z"}
    ),
    "objects of NumPy": lambda frame: frame.assign(score=pd.Series(list(frame["score"].to_numpy()), dtype=object)),
    "bytes": lambda frame: frame.assign(school=[name.encode() for name in frame["school"]]),
    "nullable": lambda frame: frame.convert_dtypes(),
}


@pytest.mark.parametrize("made", FRAMES.values(), ids=FRAMES)
def test_frames_of_any_making(made, tmp_path):
    frame = pd.read_csv(put(tmp_path, EIGHT, "plain.csv")).assign(score=lambda f: f["score"] + 0.25)
    found, expected = (quietly(f, *ESTIMATES).summary() for f in (made(frame), frame))
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_frames_that_would_be_misread_are_refused(tmp_path):
    frame = pd.read_csv(put(tmp_path, EIGHT, "plain.csv"))
    two = frame.set_axis(pd.MultiIndex.from_product([["x"], frame.columns]), axis=1)
    with pytest.raises(InputError, match="names of columns have 2 levels"):
        fitted(two, *ESTIMATES)
    with pytest.raises(InputError, match="column 'se' occurs 2 times"):
        fitted(frame.assign(z=1).rename(columns={"z": "se"}), *ESTIMATES)
    with pytest.raises(InputError, match="have different indexes: pass a data frame"):
        fitted({"school": frame["school"], "score": frame["score"].sort_values(), "se": frame["se"]}, *ESTIMATES)
    with pytest.raises(InputError, match="skip= is for files, and this is a DataFrame"):
        fitted(frame, *ESTIMATES, "--skip", "2")
