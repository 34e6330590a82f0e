"""What may be asked of a table of one's own: bad usage is one line, and nothing of it runs unasked."""

from types import SimpleNamespace

import pytest
from helpers.own_tables import ARGUMENTS, AVERAGES, ESTIMATES, ROWS, put, refused, subprocessed

from analyses import run
from analyses.catalog import OWN, RUNS
from analyses.report import pages
from models import spellings

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


def test_a_study_of_ones_own_needs_data(tmp_path, capfd):
    for study in OWN:
        (line,) = refused(capfd, tmp_path, study, *ARGUMENTS[study])
        assert line.endswith(f"{study} needs --data FILE")


def test_an_inverse_gamma_without_a_scale_is_no_prior():
    """It is improper, and would be taken for a density: improper priors go by other names here."""
    with pytest.raises(ValueError, match="no density"):
        spellings.prior("tau2", "InverseGamma(1, 0)")


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
    assert asked == list(RUNS)
    assert run.main(["--list"]) == 0
    assert [line.split()[0] for line in capfd.readouterr().out.splitlines()] == [*RUNS, *OWN]
