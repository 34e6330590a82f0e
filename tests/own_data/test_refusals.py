"""What is refused of a table of one's own, and how: file, line, column and value, and nothing written."""

import pytest
from helpers.own_tables import ARGUMENTS, AVERAGES, ESTIMATES, ROWS, parquet, put, refused

from analyses.catalog import OWN

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
def test_covariates_that_tell_nothing_are_refused(study, names, values, said, tmp_path, capfd):
    """No coefficient can be had of them: that is said before anything is computed."""
    lines = [f"{'abcde'[i]},{i * i},1,{v.replace(' ', ',')}\n" for i, v in enumerate(values.split(","))]
    path = put(tmp_path, f"school,score,se,{names}\n{''.join(lines)}")
    more = [part for name in names.split(",") for part in ("--covariate", name)]
    (line,) = refused(capfd, tmp_path, study, "--data", path, *ARGUMENTS[study], *more)
    assert line.startswith(said)


def test_a_covariate_that_varies_within_a_group_has_both_lines_named(tmp_path, capfd):
    """It is a question of another model; both lines are named, for either may be wrong."""
    path = put(tmp_path, "school,score,x\na,1,1\nb,4,3\nb,5,3\na,2,2\n")
    (line,) = refused(capfd, tmp_path, "one_way", "--data", path, *ROWS, "--covariate", "x")
    assert line.startswith("table.csv:5: column 'x': '2' where line 2 has '1' for the same group 'a'")


@pytest.mark.parametrize("spread", ["sd", "se"])
@pytest.mark.parametrize(("content", "said"), OF_AVERAGES.values(), ids=OF_AVERAGES)
def test_averages_that_cannot_be_are_refused(spread, content, said, tmp_path, capfd):
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


def test_an_estimate_that_is_there_twice_is_refused(tmp_path, capfd):
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
def test_ten_faults_are_named_and_the_rest_counted(study, tmp_path, capfd):
    path = put(tmp_path, "school,score,se\n" + "".join(f"a{i},x,1\n" for i in range(13)))
    lines = refused(capfd, tmp_path, study, "--data", path, *ARGUMENTS[study])
    assert lines[:-1] == [f"table.csv:{i}: column 'score': 'x' is not a number" for i in range(2, 12)]
    assert lines[-1] == "and 3 faults more"


@pytest.mark.parametrize("study", OWN)
@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_files_that_are_none_are_named(study, name, tmp_path, capfd):
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
def test_a_null_of_a_parquet_file_is_named(study, tmp_path, capfd):
    select = "select * from (values ('a', 1.5, 1.0), ('b', null, 1.0)) t(school, score, se)"
    path = parquet(tmp_path / "table.parquet", select)
    (line,) = refused(capfd, tmp_path, study, "--data", path, *ARGUMENTS[study])
    assert line == "table.parquet:2: column 'score': '' is blank"
