"""`fit` and the command line are one thing: the same refusals in the same words, and the same numbers."""

import json
import warnings
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
from helpers.front_door import as_fit_says, fitted
from helpers.own_tables import (
    ARGUMENTS,
    AVERAGES,
    EIGHT,
    ESTIMATES,
    ROWS,
    SCORES,
    TRIALS,
    accepted,
    parquet,
    put,
    refused,
    table,
)
from helpers.refusals import COVARIATES, IMPROPER, OF_AVERAGES, UNREADABLE, USAGE

from analyses import InputError
from analyses.catalog import OWN
from analyses.ingest import data_frame
from analyses.table import DataWarning
from models.groups import sufficient_statistics

COMMAND_LINES_OWN = (  # no request of `fit`
    *("no =", "estimate", "prior", "data", "together", "among", "compare", "threshold", "threshold of", "unit of"),
)
USED = {name: case for name, case in USAGE.items() if name not in COMMAND_LINES_OWN}
MEANS = "school,n,mean,sd\na,3,6.25,1.5\nb,4,8.125,0.75\nc,2,3.75,0.5\nd,1,9,\ne,5,7.5,1.25\nf,6,2.5,1\n"
ACCEPTED = {
    "rows": ("one_way", table(SCORES), ROWS),
    "rows, a covariate": ("one_way", table(SCORES), (*ROWS, "--covariate", "kind")),
    "rows, absolute": ("one_way", table(SCORES), (*ROWS, "--tau-scale", "absolute", "--prior", "tau=HalfNormal(2.5)")),
    "averages": ("one_way", MEANS, (*AVERAGES, "--sd", "sd", "--prior", "mu=Normal(5, 10)")),
    "estimates": ("meta_analysis", EIGHT, (*ESTIMATES, "--prior", "tau=HalfCauchy(5)")),
    "variances": ("meta_analysis", EIGHT, ("--label", "school", "--estimate", "score", "--variance", "se")),
    "estimates, a covariate": (
        "meta_analysis",
        TRIALS,
        (*ESTIMATES, "--covariate", "size [m]", "--prior", "size [m]=Normal(0, 5)"),
    ),
}  # fmt: skip


OTHERS = {
    "a covariate that varies": ("one_way", "school,score,x\na,1,1\nb,4,3\nb,5,3\na,2,2\n", (*ROWS, "--covariate", "x")),
    "an estimate twice": ("meta_analysis", "school,score,se\na,1,1\nb,2,1\na,3,1\n", ESTIMATES),
    "two estimates": ("meta_analysis", "school,score,se\na,1,1\nb,2,1\n", ESTIMATES),
    "thirteen faults": ("one_way", "school,score,se\n" + "".join(f"a{i},x,1\n" for i in range(13)), ROWS),
    "two groups": ("one_way", "school,score\na,1\na,2\nb,3\nb,5\n", (*ROWS, "--tau-scale", "absolute")),
} | {
    f"{error} {value}": (
        "meta_analysis",
        f"school,score,se\na,1,1\nb,2,{value}\nc,3,1\n",
        ("--estimate", "score", f"--{error}", "se"),
    )
    for error in ("se", "variance")
    for value in ("0", "-2", "")
}  # fmt: skip


def refusal(path, *options):
    with pytest.raises(InputError) as raised:
        fitted(path, *options)
    return str(raised.value).splitlines()


def assert_same_refusal(capfd, path, study, *options):
    """In the words of either front end, which call their options otherwise."""
    lines = refused(capfd, path.parent, study, "--data", path, *options)
    assert refusal(path, *options) == [as_fit_says(line, study) for line in lines]


@pytest.fixture(scope="module", params=ACCEPTED.values(), ids=ACCEPTED)
def both(request, tmp_path_factory):
    """A table, its options, and the report of the command line."""
    study, content, options = request.param
    folder = tmp_path_factory.mktemp("both")
    return put(folder, content), options, accepted(folder, study, content, *options)


@pytest.mark.parametrize("study", OWN)
@pytest.mark.parametrize("content", [content for content, _ in UNREADABLE.values()], ids=UNREADABLE)
def test_what_cannot_be_read_is_refused_in_the_same_words(study, content, tmp_path, capfd):
    path = put(tmp_path, content)
    assert_same_refusal(capfd, path, study, *ARGUMENTS[study])


@pytest.mark.parametrize("study", OWN)
@pytest.mark.parametrize(("names", "values", "said"), COVARIATES.values(), ids=COVARIATES)
def test_covariates_are_refused_in_the_same_words(study, names, values, said, tmp_path, capfd):
    lines = [f"{'abcde'[i]},{i * i},1,{v.replace(' ', ',')}\n" for i, v in enumerate(values.split(","))]
    path = put(tmp_path, f"school,score,se,{names}\n{''.join(lines)}")
    options = (*ARGUMENTS[study], *(part for name in names.split(",") for part in ("--covariate", name)))
    assert_same_refusal(capfd, path, study, *options)


@pytest.mark.parametrize(("content", "said"), OF_AVERAGES.values(), ids=OF_AVERAGES)
def test_averages_are_refused_in_the_same_words(content, said, tmp_path, capfd):
    path, options = put(tmp_path, f"school,n,mean,s\n{content}\n"), (*AVERAGES, "--sd", "s")
    assert_same_refusal(capfd, path, "one_way", *options)


@pytest.mark.parametrize(("rows", "more", "said"), IMPROPER.values(), ids=IMPROPER)
def test_improper_posteriors_are_refused_in_the_same_words(rows, more, said, tmp_path, capfd):
    path, options = put(tmp_path, f"school,score,se\n{rows}"), (*ROWS, *more)
    assert_same_refusal(capfd, path, "one_way", *options)


@pytest.mark.parametrize(("study", "content", "options"), OTHERS.values(), ids=OTHERS)
def test_the_others_are_refused_in_the_same_words(study, content, options, tmp_path, capfd):
    path = put(tmp_path, content)
    assert_same_refusal(capfd, path, study, *options)


@pytest.mark.parametrize("study", OWN)
def test_parquet_is_refused_in_the_same_words(study, tmp_path, capfd):
    select = "select * from (values ('a', 1.5, 1.0), ('b', null, 1.0)) t(school, score, se)"
    null, none = parquet(tmp_path / "table.parquet", select), put(tmp_path, "school,score,se\na,1,1\n", "none.parquet")
    for path in (null, none):
        assert_same_refusal(capfd, path, study, *ARGUMENTS[study])


def test_a_file_that_is_not_there_is_pythons_error(tmp_path, capfd):
    """With the path and the reason that the command line prints."""
    with pytest.raises(FileNotFoundError) as raised:
        fitted(tmp_path / "none.csv", *ROWS)
    (line,) = refused(capfd, tmp_path, "one_way", "--data", tmp_path / "none.csv", *ROWS)
    assert line == f"{raised.value.filename}: {raised.value.strerror}"


@pytest.mark.parametrize(("study", "arguments", "said"), USED.values(), ids=USED)
def test_bad_usage_is_refused_in_the_same_words(study, arguments, said, tmp_path, capfd):
    """But for the names of options."""
    path = put(tmp_path, "school,score,se\nAnna,1,1\nAnna,2,1\nBobo,3,1\nBobo,5,1\nCleo,3,1\n")
    (line,) = refused(capfd, tmp_path, study, *arguments, "--data", path)
    assert refusal(path, *arguments) == [as_fit_says(line, study)]


def test_numbers_are_the_same_to_the_last_digit(both):
    """Every exact figure of summary.csv, and the league table with its ranks and probabilities."""
    path, options, report = both
    assert_same(answer(path, *options), report)


def test_a_frame_gives_the_numbers_of_its_file(both):
    """pandas read the text as doubles; spelled again they are the decimals of the file."""
    path, options, report = both
    frame = read(path)
    assert_same(answer(frame, *options), report)
    assert_same(answer({name: frame[name].tolist() for name in frame}, *options), report)


def answer(source, *options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return fitted(source, *options)


def read(path):
    """A CSV file, each number the double that is nearest to its digits, which not every reader's is."""
    text = pd.read_csv(path, dtype=str, keep_default_na=False)
    names = {"school", "kind", "label", "variable", "engine"}
    return text.assign(**{
        name: [float(value) if value else np.nan for value in text[name]] for name in text if name not in names
    })  # fmt: skip


def assert_same(fit, report):
    written = read(report.folder / "summary.csv").set_index(["variable", "label"])
    written = written[["mean", "sd", "q2_5", "q50", "q97_5"]]
    pd.testing.assert_frame_equal(fit.summary().loc[written.index], written, check_exact=True)
    groups = read(report.folder / "groups.csv").dropna(axis=1, how="all").set_index("label")
    league = fit.league().loc[groups.index]
    pd.testing.assert_frame_equal(league, groups, check_exact=True, check_dtype=False)


def test_its_report_is_that_of_the_command_line(both, tmp_path):
    path, options, report = both
    assert_same_report(answer(path, *options).report(tmp_path, engines=["exact"]), report)


def test_options_of_a_report_are_those_of_the_command_line(tmp_path):
    more = ("--best", "low", "--among", "2", "--compare", "b", "a", "--compare", "c", "f")
    report = accepted(tmp_path, "one_way", table(SCORES), *ROWS, *more)
    asked = {"best": "low", "among": 2, "compare": [("b", "a"), ("c", "f")]}
    assert_same_report(answer(report.data, *ROWS).report(tmp_path / "fit", engines=["exact"], **asked), report)


def assert_same_report(page, report):
    """Byte for byte, but for the manifest, which has the command and the seconds."""
    written = {file.relative_to(page.parent) for file in page.parent.rglob("*") if file.is_file()}
    assert written == {file.relative_to(report.folder) for file in report.folder.rglob("*") if file.is_file()}
    for name in written:
        if name.suffix != ".nc" and name.name != "manifest.json":
            assert (page.parent / name).read_bytes() == (report.folder / name).read_bytes(), name
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (page.parent, report.folder)]
    one, other = ({k: v for k, v in m.items() if k not in ("command", "seconds", "engines")} for m in manifests)
    assert one == other


def test_a_large_frame_is_reduced_by_its_library(monkeypatch, both):
    """Its sums of doubles about one of the values round by some 1e-15 of the spread, which the posterior follows."""
    path, options, _ = both
    if "--value" not in options:
        pytest.skip("a row a group is spelled however many there are")
    frame = read(path)
    of_frame = Mock(wraps=sufficient_statistics.of_frame)
    monkeypatch.setattr(sufficient_statistics, "of_frame", of_frame)
    small = answer(frame, *options).summary()
    assert not of_frame.called
    monkeypatch.setattr(data_frame, "MOST_SPELLED", 3)
    large = answer(frame, *options).summary().loc[small.index]
    assert of_frame.called, "or it says nothing"
    assert (np.abs(large - small).max(axis=1) < 1e-12 * small["sd"]).all()
