"""A table of one's own through the command line: what is refused and how, what is accepted alike, what is reported."""

import contextlib
import csv
import html
import io
import json
import re
import subprocess
import sys
from decimal import Decimal, localcontext
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest

from analyses import OWN, STUDIES, asked, run
from analyses.engines import exact
from analyses.report import pages
from analyses.studies import own_data
from models import priors
from models.groups import Replicates
from models.two_level import TwoLevel

EXACT = ("--engines", "exact")
ROWS, AVERAGES = ("--group", "school", "--value", "score"), ("--group", "school", "--n", "n", "--mean", "mean")
ESTIMATES = ("--label", "school", "--estimate", "score", "--se", "se")
ARGUMENTS = {"one_way": ROWS, "meta_analysis": ESTIMATES}
COMPUTED = ["n", "standard_error", "estimate", "theta_mean", "theta_sd", "theta_q2_5", "theta_q97_5", "kappa_mean"]
DRAWN = ["rank_mean", "rank_q2_5", "rank_q97_5", "p_best", "mcse_p_best", "p_among"]
LOCATIONS, RATIOS = ("mu", "theta"), ("tau", "kappa")

SCORES = [
    *(("a", v) for v in ("5.512345678901", "6", "7.25")),
    *(("b", v) for v in ("8.125", "9.5", "7.510000000002")),
    *(("c", v) for v in ("4", "3.5")),
    *(("d", v) for v in ("6.123456789012", "6.5", "5")),
    ("e", "9"),
    *(("f", v) for v in ("2", "3.25")),
]
KIND = {"a": "small", "b": "large", "c": "large", "d": "small", "e": "small", "f": "large"}
EIGHT = "school,score,se\nA,28,15\nB,8,10\nC,-3,16\nD,7,11\nE,-1,9\nF,1,11\nG,18,10\nH,12,18\n"


def table(scores, turned=lambda value: value) -> str:
    return "school,score,kind\n" + "".join(f"{g},{turned(v)},{KIND.get(g, 'small')}\n" for g, v in scores)


def rewritten(content, **options) -> str:
    """The same fields in another dress."""
    out = io.StringIO()
    csv.writer(out, **{"lineterminator": "\n"} | options).writerows(csv.reader(io.StringIO(content)))
    return out.getvalue()


def put(folder: Path, content, name="table.csv") -> Path:
    """Write a file, if it has content."""
    path = folder / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def parquet(path: Path, select: str) -> Path:
    duckdb.connect().execute(f"copy ({select}) to '{path}' (format parquet)")
    return path


def accepted(folder: Path, study: str, content, *arguments):
    """Run to the end; the folder of the report, its page, and what was said on standard error."""
    path = content if isinstance(content, Path) else put(folder, content)
    asked = [study, "--data", str(path), *arguments, *EXACT, "--out", str(folder / "out"), "--quiet"]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        assert run.main(asked) == 0
    report = folder / "out" / study
    page = (report / "index.html").read_text("utf-8")
    return SimpleNamespace(data=path, folder=report, page=page, said=said.getvalue())


def refused(capfd, folder, *arguments) -> list[str]:
    """Lines on standard error; the status is 2, nothing is printed, and nothing written."""
    try:
        status = run.main([*map(str, arguments), *EXACT, "--out", str(folder / "out")])
    except SystemExit as left:
        status = left.code
    found = capfd.readouterr()
    assert (status, found.out) == (2, "")
    assert not list((folder / "out").rglob("*"))
    assert found.err.endswith("\n")
    return found.err.splitlines()


def section(page: str, title: str) -> str:
    """A section's text, cells and sentences parted by blanks."""
    (found,) = [s for s in page.split("<section>")[1:] if f"<h2>{title}</h2>" in s]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", found)).split())


def computed(ran, names=None):
    """What the files say without Monte Carlo error, sorted: exact rows of summary.csv, and groups.csv."""
    read = [pd.read_csv(ran.folder / f, dtype=str, keep_default_na=False) for f in ("summary.csv", "groups.csv")]
    summary, groups = (t.assign(label=[(names or {}).get(v, v) for v in t["label"]]) for t in read)
    assert set(summary["engine"]) == {"exact"}
    summary = summary.set_index(["variable", "label"])[["mean", "sd", "q2_5", "q50", "q97_5"]]
    return [t.apply(pd.to_numeric).astype(float).sort_index() for t in (summary, groups.set_index("label"))]


def outside(tables, offset, unit, ratios):
    """The same after value -> offset + unit * value."""
    summary, groups = (t.copy() for t in tables)
    variable = summary.index.get_level_values(0)
    by = np.where(variable.isin(ratios), 1.0, unit)
    base = np.where(variable.isin(LOCATIONS), offset, 0.0)
    for name in summary:
        summary[name] = summary[name] * by + (0.0 if name == "sd" else base)
    for name in ("estimate", "theta_mean", "theta_q2_5", "theta_q97_5"):
        groups[name] = groups[name] * unit + offset
    groups[["theta_sd", "standard_error"]] *= unit
    return summary, groups


def assert_same(one, other, *, offset=0.0, unit=1.0, drawn=False, names=None, ratios=RATIOS):
    """Right to 1e-9 of a posterior sd, or to the spacing of doubles at an offset that is no smaller."""
    (s, g), (summary, groups) = outside(computed(one), offset, unit, ratios), computed(other, names)
    columns = COMPUTED + (DRAWN if drawn else [])
    for expected, found, sd in ((s, summary, s["sd"]), (g[columns], groups[columns], g["theta_sd"])):
        assert list(found.index) == list(expected.index)
        assert (found.isna() == expected.isna()).all(axis=None)
        allowed = 1e-9 * (expected.abs().to_numpy() if not offset else sd.to_numpy()[:, None] + 0 * expected.to_numpy())
        error = (found - expected).abs().to_numpy()
        assert not (error > np.fmax(allowed, 4 * np.spacing(abs(offset)))).any()


def subprocessed(*arguments):
    asked = (sys.executable, "-W", "error", "-m", "analyses.run", *map(str, arguments), *EXACT)
    return subprocess.run(asked, capture_output=True, text=True, check=False)


# --- what is refused ------------------------------------------------------------------------------------------------

AT = "table.csv:3: column 'score': "
UNREADABLE = {
    "missing column": ("school,scores,se\na,1,1\n", "table.csv:1: there is no column 'score': did you mean 'scores'?"),
    "unknown column": ("school,x,se\na,1,1\n", "table.csv:1: there is no column 'score': there are 'school', 'x'"),
    "duplicate column": ("school,score,score,se\na,1,2,1\n", "table.csv:1: column 'score' occurs 2 times"),
    "empty": ("", "table.csv: is empty"),
    "header only": ("school,score,se\n", "table.csv: has a header and nothing below it"),
    "ragged, long": ("school,score,se\na,1,1\nb,1,1,1\n", "table.csv:3: 4 fields where the header has 3"),
    "ragged, short": ("school,score,se\na,1,1\nb,1\n", "table.csv:3: 2 fields where the header has 3"),
    "semicolons": ("school;score;se\na;1;1\n", "table.csv:1: fields are separated by semicolons"),
    "tabs": ("school\tscore\tse\na\t1\t1\n", "table.csv:1: fields are separated by tabs"),
    "NUL": (b"school,score,se\na,1,1\n\0,2,1\n", "table.csv:3: holds a NUL byte"),
    "not UTF-8": (b"school,score,se\na,1,1\n\xe5,2,1\n", "table.csv:3: byte 0xe5 is not UTF-8"),
    "unclosed quote": ('school,score,se\na,1,1\n"b,2,1\n', "table.csv:3: unexpected end of data: is a quote left"),
    "blank name": ("school,score,se\na,1,1\n ,2,1\n", "table.csv:3: column 'school': '' is blank"),
    "trimmed": ("school,score,se\na,1,1\na ,2,1\n", "table.csv:3: column 'school': 'a ' looks like 'a' of line 2"),
    "Unicode": ("school,score,se\n\u00e9,1,1\ne\u0301,2,1\n", "table.csv:3: column 'school': 'e\u0301' looks like"),
    "one group": ("school,score,se\na,1,1\n", "table.csv: all rows are of one group, 'a'"),
} | {
    name: (f"school,score,se\na,1,1\nb,{written},1\n", f"{AT}{said}")
    for name, written, said in (
        ("decimal comma", '"3,5"', "'3,5' has a decimal comma"),
        ("thousands", '"1,234,567"', "'1,234,567' has a thousands separator"),
        ("comma", '"1,234"', "'1,234' has a comma: leave it out if it groups thousands"),
        ("nan", "nan", "'nan' is not a number"),
        ("inf", "inf", "'inf' is not a number"),
        ("minus inf", "-inf", "'-inf' is not a number"),
        ("blank", "", "'' is blank"),
        ("1e999", "1e999", "'1e999' is too large"),
        ("text", "abc", "'abc' is not a number"),
    )
}  # fmt: skip
COVARIATES = {
    "constant": ("x", "1,1,1,1,1", "table.csv: covariate 'x' is "),
    "one arm": ("x", "drug,drug,drug,drug,drug", "table.csv: covariate 'x' is 'drug' in every group"),
    "mixed": ("x", "1,2,low,3,4", "table.csv:4: column 'x': 'low' is not a number"),
    "blank": ("x", "p,q,,p,q", "table.csv:4: column 'x': '' is blank"),
    "narrow": ("x", "1000000000,1000000001,1000000002,1000000001,1000000000", "table.csv: covariate 'x' varies by"),
    "collinear": ("x,z", "1 2,2 4,3 6,7 14,1 2", "table.csv: covariate 'z' is determined by 'x'"),
    "collinear levels": ("x,z", "p p,q q,r q,p p,r q", "table.csv: covariate 'z[q]' is determined by 'x[q]', 'x[r]'"),
    "too many": ("x,z,u", "p 1 2,q 1 3,r 2 5,s 4 4,t 1 1", "table.csv: 5 groups cannot tell 7 coefficients apart"),
}  # fmt: skip
OF_AVERAGES = {
    "duplicated group": ("a,2,1,1\na,3,2,1", "table.csv:3: column 'school': 'a' is there already, in line 2"),
    "n not whole": ("a,2,1,1\nb,2.5,2,1", "table.csv:3: column 'n': '2.5'"),
    "n is 0": ("a,2,1,1\nb,0,2,1", "table.csv:3: column 'n': '0'"),
    "n negative": ("a,2,1,1\nb,-2,2,1", "table.csv:3: column 'n': '-2'"),
    "negative": ("a,2,1,1\nb,2,2,-1", "table.csv:3: column 's': '-1' must not be negative"),
    "blank": ("a,2,1,1\nb,2,2,", "table.csv:3: column 's': ''"),
    "spread of one": ("a,2,1,1\nb,1,2,0.5", "table.csv:3: column 's': '0.5' is of a group of one"),
    "no spread": ("a,2,1,0\nb,2,2,0\nc,2,5,0", "table.csv: no group has any spread within it"),
}
IMPROPER = {
    "two groups": ("a,1,1\na,2,1\nb,3,1\nb,5,1\n", ("--prior", "tau=Uniform()"), "2 groups are too few"),
    "single rows": ("a,1,1\nb,2,1\nc,3.5,1\n", ("--prior", "tau=Uniform()"), "every group has a single row"),
    "absolute": ("a,1,1\nb,2,1\nc,3.5,1\nd,9,1\n", ("--tau-scale", "absolute"), "every group has a single row"),
    "no spread": ("a,1,1\na,1,1\nb,2,1\nb,2,1\nc,4,1\nc,4,1\n", (), "no group has any spread within it"),
    "all equal": ("a,1,1\nb,1,1\nc,1,1\n", (), "the values do not differ"),
}


@pytest.mark.parametrize("study", OWN)
@pytest.mark.parametrize(("content", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_named(study, content, said, tmp_path, capfd):
    """The user has to find the fault: file, line, column and value, in a line of its own."""
    (line,) = refused(capfd, tmp_path, study, "--data", put(tmp_path, content), *ARGUMENTS[study])
    assert line.startswith(said)


@pytest.mark.parametrize("study", OWN)
@pytest.mark.parametrize(("names", "values", "said"), COVARIATES.values(), ids=COVARIATES)
def test_covariates_that_tell_nothing(study, names, values, said, tmp_path, capfd):
    """No coefficient can be had of them: that is said before anything is computed."""
    lines = [f"{'abcde'[i]},{i * i},1,{v.replace(' ', ',')}\n" for i, v in enumerate(values.split(","))]
    path = put(tmp_path, f"school,score,se,{names}\n{''.join(lines)}")
    more = [part for name in names.split(",") for part in ("--covariate", name)]
    (line,) = refused(capfd, tmp_path, study, "--data", path, *ARGUMENTS[study], *more)
    assert line.startswith(said)


def test_a_covariate_that_varies_within_a_group(tmp_path, capfd):
    """It is a question of another model; both lines are named, for either may be wrong."""
    path = put(tmp_path, "school,score,x\na,1,1\nb,4,3\nb,5,3\na,2,2\n")
    (line,) = refused(capfd, tmp_path, "one_way", "--data", path, *ROWS, "--covariate", "x")
    assert line.startswith("table.csv:5: column 'x': '2' where line 2 has '1' for the same group 'a'")


@pytest.mark.parametrize("spread", ["sd", "se"])
@pytest.mark.parametrize(("content", "said"), OF_AVERAGES.values(), ids=OF_AVERAGES)
def test_averages_that_cannot_be(spread, content, said, tmp_path, capfd):
    """Sizes are whole, spreads are not negative, and a group of one has none."""
    path = put(tmp_path, f"school,n,mean,s\n{content}\n")
    (line,) = refused(capfd, tmp_path, "one_way", "--data", path, *AVERAGES, f"--{spread}", "s")
    assert line.startswith(said)


@pytest.mark.parametrize("error", ["se", "variance"])
@pytest.mark.parametrize(("value", "fault"), [("0", "must be positive"), ("-2", "must be positive"), ("", "is blank")])
def test_standard_errors_are_positive(error, value, fault, tmp_path, capfd):
    path = put(tmp_path, f"school,score,se\na,1,1\nb,2,{value}\nc,3,1\n")
    (line,) = refused(capfd, tmp_path, "meta_analysis", "--data", path, "--estimate", "score", f"--{error}", "se")
    assert line == f"table.csv:3: column 'se': '{value}' {fault}"


def test_an_estimate_that_is_there_twice(tmp_path, capfd):
    path = put(tmp_path, "school,score,se\na,1,1\nb,2,1\na,3,1\n")
    (line,) = refused(capfd, tmp_path, "meta_analysis", "--data", path, *ESTIMATES)
    assert line == "table.csv:4: column 'school': 'a' is there already, in line 2"


@pytest.mark.parametrize(("rows", "more", "said"), IMPROPER.values(), ids=IMPROPER)
def test_no_posterior_no_report(rows, more, said, tmp_path, capfd):
    """The reason is given instead."""
    path = put(tmp_path, f"school,score,se\n{rows}")
    (line,) = refused(capfd, tmp_path, "one_way", "--data", path, *ROWS, *more)
    assert line.startswith("table.csv: ")
    assert said in line


def test_two_estimates_leave_no_posterior_under_a_flat_prior(tmp_path, capfd):
    path = put(tmp_path, "school,score,se\na,1,1\nb,2,1\n")
    (line,) = refused(capfd, tmp_path, "meta_analysis", "--data", path, *ESTIMATES)
    assert line.startswith("table.csv: the posterior is improper: 2 groups are too few for the prior ")


@pytest.mark.parametrize("more", [("--prior", "tau=Uniform()"), ("--tau-scale", "absolute")])
def test_a_prior_is_named_as_it_is_spelled(more, tmp_path, capfd):
    """Nobody who wrote Uniform(), or nothing, knows an InverseGamma(-0.5, 0)."""
    path = put(tmp_path, "school,score\na,1\na,2\nb,3\nb,5\n")
    (line,) = refused(capfd, tmp_path, "one_way", "--data", path, *ROWS, *more)
    assert "Uniform()" in line
    assert "InverseGamma" not in line


@pytest.mark.parametrize("study", OWN)
def test_ten_faults_and_a_count(study, tmp_path, capfd):
    path = put(tmp_path, "school,score,se\n" + "".join(f"a{i},x,1\n" for i in range(13)))
    lines = refused(capfd, tmp_path, study, "--data", path, *ARGUMENTS[study])
    assert lines[:-1] == [f"table.csv:{i}: column 'score': 'x' is not a number" for i in range(2, 12)]
    assert lines[-1] == "and 3 faults more"


@pytest.mark.parametrize("study", OWN)
@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_files_that_are_none(study, name, tmp_path, capfd):
    """One that is not there, a folder, and a Parquet file in name only."""
    asked = (study, "--data", tmp_path / name, *ARGUMENTS[study])
    (line,) = refused(capfd, tmp_path, *asked)
    assert line.startswith(f"{tmp_path / name}: No such file")
    (tmp_path / name).mkdir()
    (line,) = refused(capfd, tmp_path, *asked)
    assert line.startswith(f"{tmp_path / name}: Is a directory")
    none = put(tmp_path, "school,score,se\na,1,1\n", "none.parquet")
    (line,) = refused(capfd, tmp_path, study, "--data", none, *ARGUMENTS[study])
    assert line.startswith("none.parquet: is no Parquet file that can be read: ")


@pytest.mark.parametrize("study", OWN)
def test_a_parquet_file_with_a_null(study, tmp_path, capfd):
    select = "select * from (values ('a', 1.5, 1.0), ('b', null, 1.0)) t(school, score, se)"
    path = parquet(tmp_path / "table.parquet", select)
    (line,) = refused(capfd, tmp_path, study, "--data", path, *ARGUMENTS[study])
    assert line == "table.parquet:2: column 'score': '' is blank"


USAGE = {
    "unknown prior": ("one_way", (*ROWS, "--prior", "tau=HalfCuachy(1)"), "'HalfCuachy(1)' is no prior of tau"),
    "arguments": ("one_way", (*ROWS, "--prior", "tau=HalfCauchy(1, 2)"), "'HalfCauchy(1, 2)' has 2 arguments"),
    "no arguments": ("one_way", (*ROWS, "--prior", "tau=HalfCauchy()"), "'HalfCauchy()' has 0 arguments"),
    "no number": ("one_way", (*ROWS, "--prior", "tau=HalfCauchy(x)"), "'x' in tau=HalfCauchy(x) is not a finite"),
    "not finite": ("one_way", (*ROWS, "--prior", "mu=Normal(0, inf)"), "'inf' in mu=Normal(0, inf) is not a finite"),
    "negative scale": ("one_way", (*ROWS, "--prior", "tau=HalfNormal(-1)"), "positive"),
    "negative sd": ("one_way", (*ROWS, "--prior", "mu=Normal(0, -1)"), "Normal(0.0, -1.0) needs a positive sd"),
    "no =": ("one_way", (*ROWS, "--prior", "tau"), "'tau' is not of the form NAME=DIST"),
    "prior twice": ("one_way", (*ROWS, "--prior", "tau=Uniform()", "--prior", "tau2=Uniform()"), "given twice for tau"),
    "no such parameter": ("one_way", (*ROWS, "--prior", "nu=Normal(0, 1)"), "--prior of nu: one_way has priors of mu"),
    "no sigma": ("meta_analysis", (*ESTIMATES, "--prior", "sigma=Jeffreys()"), "--prior of sigma: meta_analysis has"),
    "no covariate": ("one_way", (*ROWS, "--prior", "size=Normal(0, 1)"), "--prior of size: one_way has priors of mu"),
    "of the variance": ("one_way", (*ROWS, "--prior", "tau=InverseGamma(1, 1)"), "or tau2=InverseGamma(shape, scale)"),
    "two kinds": ("one_way", (*ROWS, "--mean", "mean"), "--mean does not go with --value"),
    "no kind": ("one_way", ("--group", "school"), "one_way needs --group and --value, or --group, --n, --mean"),
    "no spread": ("one_way", AVERAGES, "one_way needs one of --sd, --se"),
    "no group": ("one_way", ("--value", "score"), "one_way needs --group"),
    "estimate": ("one_way", (*ROWS, "--estimate", "score"), "--estimate is not for one_way"),
    "group": ("meta_analysis", (*ESTIMATES, "--group", "school"), "--group is not for meta_analysis"),
    "tau scale": ("meta_analysis", (*ESTIMATES, "--tau-scale", "absolute"), "--tau-scale is for one_way"),
    "both errors": ("meta_analysis", (*ESTIMATES, "--variance", "v"), "meta_analysis needs one of --se, --variance"),
    "prior": ("eight_schools", ("--prior", "tau=Uniform()"), "--prior is for one_way and meta_analysis"),
    "data": ("eight_schools", (), "--data is for one of one_way, meta_analysis, math_test, blood_pressure"),
    "together": ("one_way", ("eight_schools", *ROWS), "one_way runs by itself: leave out eight_schools"),
    "among": ("one_way", (*ROWS, "--among", "0"), "argument --among: '0' is not a whole number of 1 or more"),
    "compare": ("one_way", (*ROWS, "--compare", "Anna", "Bob"), "table.csv has no group 'Bob': did you mean 'Bobo'?"),
}  # fmt: skip


@pytest.mark.parametrize(("study", "arguments", "said"), USAGE.values(), ids=USAGE)
def test_bad_usage_is_one_line(study, arguments, said, tmp_path, capfd):
    path = put(tmp_path, "school,score,se\nAnna,1,1\nAnna,2,1\nBobo,3,1\nBobo,5,1\nCleo,3,1\n")
    (line,) = refused(capfd, tmp_path, study, *arguments, "--data", path)
    assert said in line


def test_no_data(tmp_path, capfd):
    for study in OWN:
        (line,) = refused(capfd, tmp_path, study, *ARGUMENTS[study])
        assert line.endswith(f"{study} needs --data FILE")


def test_a_process_of_its_own_says_no_more(tmp_path):
    """No traceback, no warning of a library: the very lines, the earlier report left alone."""
    path = put(tmp_path, "school,score\na,x\nb,1\n,2\n")
    found = subprocessed("one_way", "--data", path, *ROWS, "--out", tmp_path / "out")
    expected = "table.csv:2: column 'score': 'x' is not a number\ntable.csv:4: column 'school': '' is blank\n"
    assert (found.returncode, found.stdout, found.stderr) == (2, "", expected)
    found = subprocessed("one_way", "--data", path, "--group", "school", "--out", tmp_path / "out")
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (2, "", 1)


def test_a_warning_is_all_that_an_accepted_run_adds(tmp_path):
    path = put(tmp_path, "school,score,se\na,1,1\nb,2,1.5\nc,4,1\n")
    found = subprocessed("meta_analysis", "--data", path, *ESTIMATES, "--out", tmp_path / "out", "--quiet")
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (0, "", 1)
    assert found.stderr.startswith("warning: table.csv: 3 groups say little of tau")


# --- what is accepted alike -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """The report on rows, a pair compared, a prior given."""
    more = ("--compare", "b", "a", "--compare", "c", "f", "--prior", "tau=HalfCauchy(1)")
    return accepted(tmp_path_factory.mktemp("rows"), "one_way", table(SCORES), *ROWS, *more)


@pytest.fixture(scope="module")
def estimates(tmp_path_factory):
    """The report on the eight schools."""
    return accepted(tmp_path_factory.mktemp("estimates"), "meta_analysis", EIGHT, *ESTIMATES)


@pytest.fixture
def quick(monkeypatch):
    """Leave out pictures and the sections that take most of the time; they are no part of the files compared."""
    monkeypatch.setattr(pages, "png", lambda figure: b"")
    for name in ("other_priors", "others_say"):
        monkeypatch.setattr(own_data, name, lambda *_, name=name: pages.Section(title=name))


def swapped(content) -> str:
    return "".join(",".join(reversed(line.split(","))) + "\n" for line in content.splitlines())


DRESSED = {
    "byte-order mark, CRLF": lambda t: b"\xef\xbb\xbf" + rewritten(t, lineterminator="\r\n").encode(),
    "CR, quoted": lambda t: rewritten(t, lineterminator="\r", quoting=csv.QUOTE_ALL),
    "columns reordered": swapped,
    "more columns": lambda t: "".join(f"{line},{i},\n" for i, line in enumerate(t.splitlines())),
}


@pytest.mark.parametrize("dressed", DRESSED.values(), ids=DRESSED)
def test_another_dress(dressed, rows, tmp_path, quick):
    """A file saved by another program is the same table, to the last figure."""
    assert_same(rows, accepted(tmp_path, "one_way", dressed(table(SCORES)), *ROWS), drawn=True)


def test_rows_in_another_order(rows, tmp_path, quick):
    assert_same(rows, accepted(tmp_path, "one_way", table(SCORES[::-1]), *ROWS))


def test_names_are_no_numbers(rows, tmp_path, quick):
    """007 is not 7, NA is no gap, and any alphabet will do."""
    names = {"a": "007", "b": "7", "c": "NA", "d": "Åse", "e": "学校", "f": "<i>&"}
    ran = accepted(tmp_path, "one_way", table([(names[g], v) for g, v in SCORES]), *ROWS)
    assert_same(rows, ran, drawn=True, names={v: k for k, v in names.items()})
    assert "<i>" not in ran.page


def test_parquet(rows, estimates, tmp_path, quick):
    for study, one, arguments in (("one_way", rows, ROWS), ("meta_analysis", estimates, ESTIMATES)):
        path = parquet(tmp_path / "table.parquet", f"select * from read_csv('{one.data}', all_varchar=false)")
        assert_same(one, accepted(tmp_path, study, path, *arguments), drawn=True)


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


# --- what is warned of ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("study", "content", "said"),
    [
        ("one_way", "a,1,1\na,1,1\na,2,1\nb,4,1\nb,5,1\nc,4,1\n", ["1 row(s) repeat others", "3 groups say little"]),
        ("meta_analysis", "a,1,1\nb,2,2000\nc,4,1\nd,3,1\ne,3,2\n", ["standard errors differ by a factor 2,000"]),
    ],
    ids=["repeated rows, few groups", "standard errors"],
)
def test_warnings_are_said_and_printed(study, content, said, tmp_path, quick):
    """Nothing is refused for it, but who reads either has to know."""
    ran = accepted(tmp_path, study, f"school,score,se\n{content}", *ARGUMENTS[study])
    printed = [html.unescape(text) for text in re.findall('<p class="warning">([^<]*)</p>', ran.page)]
    assert ran.said.splitlines() == [f"warning: {text}" for text in printed]
    assert len(printed) == len(said)
    assert all(fragment in text for fragment, text in zip(said, printed, strict=True))


def test_no_warning_without_reason(rows, estimates):
    assert rows.said == estimates.said == ""
    assert 'class="warning"' not in rows.page + estimates.page


# --- what is reported -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def posterior():
    """That of the rows, without the command line."""
    groups = Replicates.from_rows([g for g, _ in SCORES], [float(v) for _, v in SCORES])
    return exact.posterior(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0)))


def numbers(text: str, after: str) -> list[float]:
    """The row of figures that follows a name."""
    found = re.search(rf"(?:^| ){re.escape(after)}((?: -?[\d.,]+(?:e[-+]?\d+)?)+)", text)
    return [float(v.replace(",", "")) for v in found[1].split()]


def test_the_comparison_asked_for(rows, posterior):
    """The difference of two means, not of two intervals: from their joint posterior."""
    text = section(rows.page, "Does one differ from another?")
    for pair, weights in (("b - a", [-1, 1, 0, 0, 0, 0]), ("c - f", [0, 0, 1, 0, 0, -1])):
        law = posterior.contrast(np.array([weights], dtype=float))
        above = 1 - law.cdf(np.zeros(1), np.zeros(1, dtype=int))
        expected = [law.mean, law.sd, *map(law.quantile, (0.025, 0.5, 0.975)), above]
        assert numbers(text, pair) == pytest.approx(np.ravel(expected).tolist(), rel=2e-3, abs=1e-3)


def test_the_share_between_groups(rows, posterior):
    law = posterior.intraclass()
    expected = np.ravel([law.mean, law.sd, *map(law.quantile, (0.025, 0.5, 0.975))]).tolist()
    printed = numbers(section(rows.page, "Between and within"), "intraclass correlation")
    assert printed == pytest.approx(expected, rel=2e-3)


def test_sections_are_there(rows, estimates):
    """League table, a new group, other priors, each group left out, REML: on both pages."""
    for ran, names in ((rows, "abcdef"), (estimates, "ABCDEFGH")):
        assert "league table" in ran.page
        left, league = section(ran.page, "What the others say of each"), re.split("league table[^<]*</h2>", ran.page)[1]
        assert all(f" {name} " in left and f">{name}</td>" in league for name in names)
        assert "new_theta a new group" in section(ran.page, "What comes next?")
        others = section(ran.page, "With another prior")
        assert all(f"tau ~ {name}(" in others for name in ("HalfCauchy", "HalfNormal", "Uniform"))
        assert "REML" in section(ran.page, "By restricted maximum likelihood")


def test_restricted_likelihood_at_the_boundary_is_named(rows, estimates):
    """For the eight schools it is largest at tau = 0, which is an artefact of a maximum."""
    assert "boundary, tau = 0" in section(estimates.page, "By restricted maximum likelihood")
    assert "boundary" not in section(rows.page, "By restricted maximum likelihood")


def test_q_and_i2(estimates):
    y, se = (pd.read_csv(estimates.data)[name].to_numpy(float) for name in ("score", "se"))
    q = np.sum((y - np.average(y, weights=se**-2)) ** 2 / se**2)
    text = section(estimates.page, "Do they differ by more than their errors?")
    assert f"Q is {q:.2f} on 7 degrees of freedom" in text
    assert re.search(r"\b0% of the variation is more than error \(I²\)", text)


def test_manifest(rows):
    manifest = json.loads((rows.folder / "manifest.json").read_text("utf-8"))
    assert manifest["data"] == {"table.csv": sha256(rows.data.read_bytes()).hexdigest()}
    assert manifest["command"][3:6] == ["one_way", "--data", str(rows.data)]
    assert "tau=HalfCauchy(1)" in manifest["command"]


def test_moments_that_do_not_exist(tmp_path):
    """Three estimates under a flat prior: a printed mean would be an accident of the computation."""
    ran = accepted(tmp_path, "meta_analysis", "school,score,se\na,1,1\nb,2,1.5\nc,4,1\n", *ESTIMATES)
    for title in ("With another prior", "What comes next?", "By restricted maximum likelihood"):
        assert "does not exist" in section(ran.page, title)
    assert "does not exist under these priors" in section(ran.page, "The model")
    assert computed(ran)[0].loc[[("mu", ""), ("tau", "")], ["mean", "sd"]].isna().all(axis=None)
    assert computed(ran)[0][["q2_5", "q50", "q97_5"]].notna().all(axis=None)


def test_single_rows_leave_tau_to_its_prior(tmp_path):
    """One value a group cannot part what is within from what is between: half-Cauchy in, half-Cauchy out."""
    ran = accepted(tmp_path, "one_way", "school,score\na,1\nb,2.5\nc,4\nd,9\ne,3\n", *ROWS)
    assert "its posterior is its prior" in section(ran.page, "The model")
    quantiles = computed(ran)[0].loc[("tau", ""), ["q2_5", "q50", "q97_5"]].tolist()
    assert quantiles == pytest.approx(np.tan(np.pi / 2 * np.array([0.025, 0.5, 0.975])).tolist(), rel=1e-8)


def test_a_covariate_of_text_and_ranks_from_below(rows, tmp_path, quick):
    """The reference is its first level; rank 1 is the lowest, and the chances to be among two add up to two."""
    ran = accepted(tmp_path, "one_way", table(SCORES), *ROWS, "--covariate", "kind", "--best", "low", "--among", "2")
    assert "reference level of kind is 'large'" in section(ran.page, "The model")
    assert len(numbers(section(ran.page, "What the covariates do"), "kind[small]")) == 6
    groups = computed(ran)[1]
    assert groups["p_among"].sum() == pytest.approx(2)
    assert computed(rows)[1]["p_among"].sum() == pytest.approx(3)
    assert (computed(rows)[1]["rank_mean"].idxmax(), groups["rank_mean"].idxmin()) == ("f", "f")


def test_no_study_of_ones_own_runs_unasked(tmp_path, monkeypatch, capfd):
    """Without names, the studies that come with the package; all names are listed."""
    asked = []

    def stub(name):
        asked.append(name.rpartition(".")[2])
        page = pages.Page(name=asked[-1], title="", question="", sentence="", sections=())
        return SimpleNamespace(page=lambda settings: page)

    monkeypatch.setattr(run, "import_module", stub)
    monkeypatch.setattr(run, "_cores", lambda: 1)  # one after the other, in this process
    assert run.main(["--out", str(tmp_path), "--quiet"]) == 0
    assert asked == list(STUDIES)
    assert run.main(["--list"]) == 0
    assert [line.split()[0] for line in capfd.readouterr().out.splitlines()] == [*STUDIES, *OWN]


# --- raw rows of the studies that have them --------------------------------------------------------------------------

DAYS = [
    ["date", "systolic", "subject", "treatment"],
    *(["2003-05-0" + str(d), str(120 + d), s, a] for s, a in (("1", "1"), ("2", "2")) for d in (1, 2, 3)),
]


@pytest.mark.slow
@pytest.mark.parametrize(("study", "name"), [("math_test", "mathtest.csv"), ("blood_pressure", "bloodpressure.csv")])
def test_raw_rows_give_what_the_shipped_table_gives(study, name, raw, tmp_path):
    for out, more in (("with", ("--data", str(raw / name))), ("without", ())):
        assert run.main([study, *more, *EXACT, "--out", str(tmp_path / out), "--quiet"]) == 0
    one, two = ((tmp_path / out / study / "summary.csv").read_bytes() for out in ("with", "without"))
    assert one == two
    manifest = json.loads((tmp_path / "with" / study / "manifest.json").read_text("utf-8"))
    assert manifest["data"][name] == sha256((raw / name).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("row", "column", "value", "said"),
    [
        (2, 0, "2003-05-01", "table.csv:3: column 'date': '2003-05-01' is not after the one before it"),
        (2, 0, "2003-04-01", "table.csv:3: column 'date': '2003-04-01' is not after the one before it"),
        (1, 0, "soon", "table.csv:2: column 'date': 'soon' is no date"),
        (1, 0, "2003-02-30", "table.csv:2: column 'date': '2003-02-30' is no date"),
        (1, 3, "3", "table.csv:2: column 'treatment': '3' is none of 1, 2"),
        (2, 3, "2", "table.csv:3: column 'treatment': '2' where line 2 has '1' for the same group '1'"),
        (1, 2, "1", "table.csv: these are not the subjects of blood_pressure: for a table of your own ask for one_way"),
    ],
)
def test_records_that_cannot_be(row, column, value, said, tmp_path, capfd):
    """The checks over time need days in order, the effect two arms; the last are two subjects, and not those twenty."""
    lines = [list(fields) for fields in DAYS]
    lines[row][column] = value
    path = put(tmp_path, "".join(",".join(fields) + "\n" for fields in lines))
    (line,) = refused(capfd, tmp_path, "blood_pressure", "--data", path)
    assert line.startswith(said)


def test_other_schools_are_another_study(tmp_path, capfd):
    path = put(tmp_path, "school,mathscore\nA,1\nA,2\nB,3\nB,4\n")
    (line,) = refused(capfd, tmp_path, "math_test", "--data", path)
    assert line == "table.csv: these are not the schools of math_test: for a table of your own ask for one_way"


def test_a_parquet_file_is_read_under_its_own_name(tmp_path, quick):
    """An engine may take s[1].parquet for a pattern, which s1.parquet fits."""
    parquet(
        tmp_path / "s1.parquet", "select * from (values ('a', 900.0, 1.0), ('b', 100.0, 1.0)) as t(school, score, se)"
    )
    three = "select * from (values ('a', 1.0, 1.0), ('b', 2.0, 1.0), ('c', 4.0, 2.0)) as t(school, score, se)"
    ran = accepted(tmp_path, "meta_analysis", parquet(tmp_path / "s[1].parquet", three), *ESTIMATES)
    assert pd.read_csv(ran.folder / "groups.csv")["estimate"].tolist() == [1.0, 2.0, 4.0]


TRIALS = "school,score,se,size [m]\na,1,1,3\nb,2,1.5,5\nc,4,1,4\nd,3,2,1\ne,2,1,2\n"


@pytest.mark.parametrize("prior", ["tau=HalfStudentT(0.25,1)", "tau2=InverseGamma(0.1,1)"])
def test_a_prior_that_no_power_leaves_is_said_to_hold_the_posterior_up(prior, tmp_path):
    """To the power .8 it is no density, so it cannot be weighed down; it is not flat for that."""
    ran = accepted(tmp_path, "meta_analysis", TRIALS, *ESTIMATES, "--prior", prior)
    assert "the prior leaves no posterior: it holds this one up" in section(ran.page, "With another prior")


def test_a_column_with_brackets_in_its_name_has_a_prior(tmp_path, quick):
    given = ("--covariate", "size [m]", "--prior", "size [m]=Normal(0,1)")
    ran = accepted(tmp_path, "meta_analysis", TRIALS, *ESTIMATES, *given)
    assert "size [m] ~ Normal(0,1)" in section(ran.page, "The model")


def test_single_rows_are_not_weighed(tmp_path):
    """Their likelihood to a power has no posterior, as nothing keeps sigma from 0; and tau is its prior, up front."""
    ran = accepted(tmp_path, "one_way", "school,score\na,1\nb,2\nc,4\nd,3\ne,2.5\n", *ROWS)
    assert "these data say nothing of tau" in ran.said
    assert "When the data do: no posterior is left" in section(ran.page, "With another prior")


def test_an_inverse_gamma_without_a_scale_is_no_prior():
    """It is improper, and would be taken for a density: improper priors go by other names here."""
    with pytest.raises(ValueError, match="no density"):
        asked.prior("tau2", "InverseGamma(1, 0)")
