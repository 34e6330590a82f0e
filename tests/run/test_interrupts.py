"""Ctrl-C at any time: status 130, nothing half-written, nothing lost."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyses import run
from analyses.studies import eight_schools


@pytest.mark.parametrize("seconds", [1.5, 5.0, pytest.param(8.0, marks=pytest.mark.slow)])
def test_interrupted_runs_leave_the_earlier_report_alone(seconds, tmp_path):
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


def test_an_interrupt_that_comes_back_as_something_else_is_one_all_the_same(tmp_path, monkeypatch, capsys):
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
