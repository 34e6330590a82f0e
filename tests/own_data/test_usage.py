"""What may be asked of a table of one's own: bad usage is one line, and nothing of it runs unasked."""

from types import SimpleNamespace

import pytest
from helpers.own_tables import ARGUMENTS, ESTIMATES, ROWS, put, refused, subprocessed
from helpers.refusals import USAGE

from analyses import run
from analyses.catalog import OWN, RUNS
from analyses.report import pages
from models import spellings


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
    path = put(tmp_path, "school,score\nb,1\na,x\n,2\n")
    found = subprocessed("one_way", "--data", path, *ROWS, "--out", tmp_path / "out")
    expected = (
        "table.csv:3: column 'score': 'x' is not a number: correct it, or remove the row\n"
        "table.csv:4: column 'school': '' is blank: fill it in, as below a merged cell, or remove the row, or pass "
        "--missing drop\n"
    )
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
