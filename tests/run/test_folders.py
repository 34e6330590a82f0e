"""The folder that is written to: made, shared, full, or not ours; no earlier report is lost."""

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.runs import COMMAND, command

from analyses import run


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


def test_a_system_without_locks_runs_all_the_same(tmp_path):
    """As on Windows, which has no fcntl and no forked processes: two studies run in one process, without a lock."""
    code = """
import multiprocessing, sys
sys.modules["fcntl"] = None
import analyses.run
analyses.run.get_all_start_methods = lambda: ["spawn"]
multiprocessing.context.ForkProcess = None
sys.exit(analyses.run.main(["normal", "eight_schools", "--engines", "exact", "--quiet", "--out", sys.argv[1]]))
"""
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", "normal", "eight_schools"}
