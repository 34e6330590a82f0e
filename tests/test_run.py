"""The command line: what it writes, what it says, how it ends."""

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from hashlib import sha256
from importlib import resources
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import pytest

from analyses import OWN, STUDIES, prepare, run, tables
from analyses.studies import eight_schools

TINY = ("--draws", "50", "--tune", "100", "--chains", "2")
COMMAND = (sys.executable, "-W", "error", "-m", "analyses.run")


def command(*arguments, **options):
    return subprocess.run((*COMMAND, *map(str, arguments)), capture_output=True, text=True, check=False, **options)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """Run the blood pressure trial on tiny draws, in a process of its own."""
    out = tmp_path_factory.mktemp("trial")
    return out, command("blood_pressure", "--out", out, *TINY)


@pytest.fixture(scope="module")
def schools(tmp_path_factory):
    """Run the eight schools without NUTS, in this process."""
    out = tmp_path_factory.mktemp("schools")
    return out, run.main(["eight_schools", "--engines", "exact,gibbs", "--out", str(out), "--quiet"])


def test_help_and_list_import_nothing_heavy():
    check = "import sys; from analyses.run import main; main(['--list']); print({'numpy', 'pymc'} & {*sys.modules})"
    found = subprocess.run((sys.executable, "-c", check), capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "set()"
    assert [line.split()[0] for line in found.stdout.splitlines()[:-1]] == [*STUDIES, *OWN]
    shown = command("--help")
    assert shown.returncode == 0
    assert "python -m analyses.run eight_schools --seed 7" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nine_schools"], "unknown study 'nine_schools': choose from math_test"),
        (["--draws", "three"], "'three' is not a whole number of 4 or more"),
        (["--draws", "0"], "'0' is not a whole number"),
        (["--seed", "-1"], "'-1' is not a whole number of 0 or more"),
        (["--engines", "nuts,stan"], "'stan' is not an engine: choose from nuts, gibbs, exact"),
        (["--best", "middle"], "invalid choice: 'middle'"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(arguments, said):
    found = command(*arguments)
    assert found.returncode == 2
    assert said in found.stderr
    assert found.stderr.count("\n") == 1
    assert found.stdout == ""


def test_an_output_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("in the way")
    found = command("eight_schools", "--engines", "exact", "--out", tmp_path / "file")
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
    assert found.stderr.startswith(str(tmp_path / "file"))


def test_a_failed_check_is_status_3_and_stamped(trial):
    """A hundred draws are too few: the report is written all the same, and says so at its top."""
    out, found = trial
    assert found.returncode == 3
    assert re.search("FAIL blood_pressure: NUTS: .*effective sample size", found.stdout)
    page = (out / "blood_pressure" / "index.html").read_text(encoding="utf-8")
    assert "A check failed" in page.split("<section>")[0]
    assert "A check failed" in (out / "index.html").read_text(encoding="utf-8")


def test_nothing_but_results_is_printed_into_a_pipe(trial):
    _, found = trial
    assert found.stderr == ""
    assert re.match(r"blood_pressure \(\d+\.\d s\)\n", found.stdout)


def test_all_is_well_is_status_0_and_quiet(schools, capfd):
    _, status = schools
    assert status == 0
    assert capfd.readouterr().out == ""


def test_files(trial):
    out, _ = trial
    folder = out / "blood_pressure"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("index.html", "figures", "manifest.json", "nuts.nc", "gibbs.nc", "exact.nc"),
        *("summary.csv", "agreement.csv", "groups.csv"),
    }
    assert {"beta.png", "shrinkage.png", "kappa.png", "agreement.png"} <= {
        p.name for p in (folder / "figures").iterdir()
    }
    assert sorted(path.name for path in out.iterdir()) == ["blood_pressure", "index.html"]


def test_columns(trial):
    folder = trial[0] / "blood_pressure"
    summary, agreement, groups = (pd.read_csv(folder / f"{n}.csv") for n in ("summary", "agreement", "groups"))
    assert tuple(summary.columns) == tables.SUMMARY
    assert tuple(agreement.columns) == tables.AGREEMENT
    assert tuple(groups.columns) == tables.GROUPS
    assert set(summary["engine"]) == {"nuts", "gibbs", "exact"}
    for _, rows in summary.groupby("engine"):
        counts = rows["variable"].value_counts().to_dict()
        assert counts == {"mu": 1, "beta": 1, "sigma": 1, "tau": 1, "sd_between": 1, "theta": 20, "kappa": 20}
    assert summary.query("variable == 'beta'")["label"].unique() == ["treatment"]
    exact = summary.query("engine == 'exact'")
    assert exact[["mcse_mean", "ess_bulk", "ess_tail", "r_hat"]].isna().all(axis=None)
    assert groups["n"].sum() == 426
    assert groups["standard_error"].isna().all()


def test_z_is_what_it_says(trial):
    rows = pd.read_csv(trial[0] / "blood_pressure" / "agreement.csv")
    assert rows["z"].to_numpy() == pytest.approx(((rows["value"] - rows["exact"]) / rows["mcse"]).to_numpy(), rel=1e-9)


def test_known_standard_errors_have_no_sigma(schools):
    folder = schools[0] / "eight_schools"
    summary, groups = pd.read_csv(folder / "summary.csv"), pd.read_csv(folder / "groups.csv")
    assert "sigma" not in set(summary["variable"])
    assert groups["standard_error"].tolist() == [15, 10, 16, 11, 9, 11, 10, 18]
    assert groups["n"].isna().all()
    assert (folder / "weakly_informative" / "summary.csv").exists()


def test_numbers_are_at_machine_precision(schools):
    """What is written reads back as the very double that was computed."""
    from analyses.engines import exact
    from models import eight_schools

    rows = pd.read_csv(schools[0] / "eight_schools" / "summary.csv", keep_default_na=False).query("engine == 'exact'")
    computed = exact.posterior(eight_schools.statement()).table()
    assert rows["mean"].astype(float).tolist() == computed["mean"].tolist()


def test_draws_can_be_read_by_arviz(trial):
    folder = trial[0] / "blood_pressure"
    for engine in ("nuts", "gibbs", "exact"):
        tree = az.from_netcdf(folder / f"{engine}.nc")
        assert {"mu", "tau", "sigma"} <= set(az.summary(tree, var_names=["mu", "tau", "sigma"]).index)
        assert {"posterior", "posterior_predictive", "observed_data", "constant_data"} <= set(tree.children)


def test_manifest(trial):
    manifest = json.loads((trial[0] / "blood_pressure" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"][:4] == ["python", "-m", "analyses.run", "blood_pressure"]
    assert manifest["seed"] == 1
    assert manifest["versions"]["pymc"].startswith("6.")
    assert not manifest["passed"]
    assert {verdict["check"] for verdict in manifest["verdicts"]} == {"diagnostics", "agreement", "predictive"}
    assert all(seconds >= 0 for seconds in manifest["seconds"].values())
    table = resources.files("partial_pooling_data").joinpath("blood_pressure.csv").read_bytes()
    assert manifest["data"] == {"blood_pressure.csv": sha256(table).hexdigest()}


def test_pages_need_no_network(trial, schools):
    for folder, name in ((trial[0], "blood_pressure"), (schools[0], "eight_schools")):
        for page in (folder / "index.html", folder / name / "index.html"):
            text = page.read_text(encoding="utf-8")
            for link in re.findall(r'(?:src|href)="([^"]*)"', text):
                assert link.startswith(("data:image/png;base64,", "#")) or (page.parent / link).exists()
            assert set(re.findall("<script[^>]*>", text)) == {"<script>"}  # what is inside the page, and no other
            assert len(re.findall("<img", text)) == len(re.findall(r'<img [^>]*alt="[^"]+', text))


def test_same_seed_same_bytes_and_another_seed_others(trial, tmp_path):
    out, _ = trial
    again, other = tmp_path / "again", tmp_path / "other"
    command("blood_pressure", "--out", again, *TINY)
    command("blood_pressure", "--out", other, *TINY, "--seed", "2")
    for name in ("summary.csv", "agreement.csv", "groups.csv"):
        first = (out / "blood_pressure" / name).read_bytes()
        assert first == (again / "blood_pressure" / name).read_bytes()
        assert first != (other / "blood_pressure" / name).read_bytes()


def test_one_engine_is_the_same_whatever_else_is_run(schools, tmp_path):
    """Streams are named after their purpose, so leaving one engine out does not change another."""
    assert run.main(["eight_schools", "--engines", "gibbs", "--out", str(tmp_path), "--quiet"]) == 0
    both, alone = (
        pd.read_csv(folder / "eight_schools" / "summary.csv").query("engine == 'gibbs'").reset_index(drop=True)
        for folder in (schools[0], tmp_path)
    )
    pd.testing.assert_frame_equal(both, alone)


def test_best_low_turns_the_ranks(schools, tmp_path):
    run.main(["eight_schools", "--engines", "exact", "--best", "low", "--out", str(tmp_path), "--quiet"])
    high, low = (pd.read_csv(f / "eight_schools" / "groups.csv") for f in (schools[0], tmp_path))
    assert (high["rank_mean"] + low["rank_mean"]).to_numpy() == pytest.approx(np.full(8, 9.0))


def test_the_front_page_leads_to_every_study_that_is_there(tmp_path):
    for name in ("eight_schools", "math_test"):
        run.main([name, "--engines", "exact", "--out", str(tmp_path), "--quiet"])
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<h3><a href="([^"]*)"', text) == ["math_test/index.html", "eight_schools/index.html"]


@pytest.mark.parametrize("seconds", [1.5, 5.0, 8.0])
def test_interrupted_runs_leave_the_earlier_report_alone(schools, seconds, tmp_path):
    """Ctrl-C while importing, sampling, or between studies: status 130, nothing half-written, nothing lost."""
    run.main(["eight_schools", "--engines", "exact", "--out", str(tmp_path), "--quiet"])
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    # Without -W error: a compiler's process that is cut off says so in a warning, which no user sees.
    asked = (sys.executable, "-m", "analyses.run", "--out", str(tmp_path), "--draws", "100000", "--quiet")
    process = subprocess.Popen(asked, stderr=subprocess.PIPE, text=True, env=environment)
    while not list(tmp_path.glob(".unfinished-*")):
        time.sleep(0.05)
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.startswith("interrupted: ")
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()} == before


def test_an_interrupt_that_comes_back_as_something_else(tmp_path, monkeypatch, capsys):
    """A compiler may wrap what is raised through it in an error of its own: it is an interrupt all the same."""

    def wrapping(settings):
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except BaseException as error:
            raise ValueError("while compiling") from error

    monkeypatch.setattr(eight_schools, "page", wrapping)
    assert run.main(["eight_schools", "--out", str(tmp_path), "--quiet"]) == 130
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err.startswith("interrupted: ")


def test_an_interrupt_that_was_swallowed_publishes_nothing(tmp_path, monkeypatch):
    """A destructor, say, ignores it: then the run ends, late, without a report."""
    whole = eight_schools.page

    def swallowing(settings):
        with contextlib.suppress(BaseException):
            os.kill(os.getpid(), signal.SIGINT)
        return whole(settings)

    monkeypatch.setattr(eight_schools, "page", swallowing)
    assert run.main(["eight_schools", "--engines", "exact", "--out", str(tmp_path), "--quiet"]) == 130
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_while_publishing_waits(tmp_path, monkeypatch):
    """Between taking an old report away and putting the new one in its place nothing may come."""
    run.main(["eight_schools", "--engines", "exact", "--out", str(tmp_path), "--quiet"])
    rename, moves = Path.rename, []

    def interrupting(self, target):
        moves.append(target)
        os.kill(os.getpid(), signal.SIGINT)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupting)
    assert run.main(["eight_schools", "--engines", "exact", "--seed", "5", "--out", str(tmp_path), "--quiet"]) == 130
    assert len(moves) == 2
    assert json.loads((tmp_path / "eight_schools" / "manifest.json").read_text())["seed"] == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["eight_schools", "index.html"]


@pytest.mark.parametrize("kilobytes", [4, 60, 400])
def test_a_full_disk_loses_no_earlier_report(kilobytes, tmp_path):
    """No file may grow beyond that: writing fails early, in a picture, in the draws, as on a disk that is full."""
    run.main(["eight_schools", "--engines", "exact", "--out", str(tmp_path), "--quiet"])
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * kilobytes, 1024 * kilobytes))

    found = command("eight_schools", "--engines", "exact", "--seed", "5", "--out", tmp_path, preexec_fn=limit)
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
    assert found.stderr == f"{tmp_path}: File too large\n"
    assert {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()} == before


def test_two_runs_into_one_folder_both_arrive(tmp_path):
    asked = [(*COMMAND, name, "--engines", "exact", "--out", str(tmp_path)) for name in ("eight_schools", "normal")]
    both = [subprocess.Popen(one, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for one in asked]
    said = [process.communicate(timeout=120) for process in both]
    assert [(process.returncode, error) for process, (_, error) in zip(both, said, strict=True)] == [(0, "")] * 2
    leads = re.findall(r'<h3><a href="([^"]*)"', (tmp_path / "index.html").read_text(encoding="utf-8"))
    assert leads == ["normal/index.html", "eight_schools/index.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["eight_schools", "index.html", "normal"]


def test_a_folder_that_is_missing_is_made(tmp_path):
    deep = tmp_path / "not" / "there" / "yet"
    assert run.main(["normal", "--engines", "exact", "--out", str(deep), "--quiet"]) == 0
    assert (deep / "index.html").exists()


def test_a_report_that_cannot_be_moved_leaves_the_old_one(tmp_path, monkeypatch, capsys):
    """The new one fails to arrive after the old one was taken away: it is put back."""
    run.main(["eight_schools", "--engines", "exact", "--out", str(tmp_path), "--quiet"])
    rename = Path.rename

    def failing(self, target):
        if self.name == "eight_schools" and self.parent != tmp_path:
            raise OSError(5, "Input/output error", str(target))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    assert run.main(["eight_schools", "--engines", "exact", "--seed", "5", "--out", str(tmp_path), "--quiet"]) == 2
    assert capsys.readouterr().err.endswith("Input/output error\n")
    assert json.loads((tmp_path / "eight_schools" / "manifest.json").read_text())["seed"] == 1


def test_a_file_that_disappears_or_changes_was_read_once(tmp_path, monkeypatch):
    """All that the report says, its checksum too, is of what was read first."""
    table = tmp_path / "trials.csv"
    table.write_text("y,se\n1,1\n3,2\n2,1\n5,2\n4,1\n")
    wanted, answer = sha256(table.read_bytes()).hexdigest(), prepare.meta_analysis

    def vanishing(asked):
        found = answer(asked)
        table.unlink()
        return found

    monkeypatch.setattr(prepare, "meta_analysis", vanishing)
    asked = ["meta_analysis", "--data", str(table), "--estimate", "y", "--se", "se", "--engines", "exact", "--quiet"]
    assert run.main([*asked, "--out", str(tmp_path / "out")]) == 0
    manifest = json.loads((tmp_path / "out" / "meta_analysis" / "manifest.json").read_text())
    assert manifest["data"] == {"trials.csv": wanted}


@pytest.mark.parametrize("document", ["README.md", "GUIDE.md"])
def test_examples_of_the_documents_run(document):
    """In processes of their own, warnings as errors, as somebody would paste them."""
    text = Path(__file__).parents[1].joinpath(document).read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert examples
    for code in examples:
        subprocess.run((sys.executable, "-W", "error", "-c", code), check=True)


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "eight_schools").mkdir()
    (tmp_path / "eight_schools" / "notes.txt").write_text("mine")
    found = command("eight_schools", "--engines", "exact", "--out", tmp_path)
    assert (found.returncode, found.stderr.count("\n")) == (2, 1)
    assert "holds no report of eight_schools" in found.stderr
    assert (tmp_path / "eight_schools" / "notes.txt").read_text() == "mine"


def test_manifests_of_others_do_not_disturb(tmp_path):
    for name, text in (("theirs", '{"study": "theirs"}'), ("math_test", "not JSON")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(text)
    assert run.main(["eight_schools", "--engines", "exact", "--out", str(tmp_path), "--quiet"]) == 0
    assert re.findall(r'<h3><a href="([^"]*)"', (tmp_path / "index.html").read_text()) == ["eight_schools/index.html"]


def test_a_reader_that_leaves_does_not_stop_the_run(tmp_path):
    asked = f"{sys.executable} -m analyses.run eight_schools --engines exact --out {tmp_path} | true"
    found = subprocess.run(["bash", "-c", f"set -o pipefail; {asked}"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")
    assert (tmp_path / "index.html").exists()


def test_builders_work_from_anywhere(tmp_path):
    """A notebook outside the checkout imports the builders with their data."""
    code = "from models import eight_schools; print(type(eight_schools.build(parameterization='noncentered')).__name__)"
    found = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, cwd=tmp_path, check=True)
    assert found.stdout == "Model\n"
