"""What is refused of a table of one's own, and how: file, line, column and value, and nothing written."""

import pytest
from helpers.own_tables import ARGUMENTS, AVERAGES, ESTIMATES, ROWS, parquet, put, refused
from helpers.refusals import COVARIATES, IMPROPER, OF_AVERAGES, UNREADABLE

from analyses.catalog import OWN


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
    assert line.startswith(f"table.csv:3: column 'se': '{value}' {fault}: ")


def test_an_estimate_that_is_there_twice_is_refused(tmp_path, capfd):
    path = put(tmp_path, "school,score,se\na,1,1\nb,2,1\na,3,1\n")
    (line,) = refused(capfd, tmp_path, "meta_analysis", "--data", path, *ESTIMATES)
    assert line.startswith("table.csv:4: column 'school': 'a' is there already, in line 2: ")


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
def test_one_cause_is_one_line(study, tmp_path, capfd):
    """Whoever names the wrong column reads that once, not line by line."""
    path = put(tmp_path, "school,score,se\n" + "".join(f"a{i},x,1\n" for i in range(13)))
    (line,) = refused(capfd, tmp_path, study, "--data", path, *ARGUMENTS[study])
    assert (
        line == "table.csv: column 'score': holds text in every line, such as 'x' in line 2: name a column of numbers"
    )


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
    assert line == "table.parquet:2: column 'score': '' is blank: remove the row, or pass --missing drop"
