"""How long a user waits: arithmetic on made-up figures, the jobs themselves, and the whole part with quick ones."""

import subprocess
import sys
from types import SimpleNamespace

import pandas as pd
import pytest

from analyses.benchmark import __main__ as command, jobs, two_scales, waiting, waiting_page
from analyses.benchmark.contenders import Installation
from analyses.benchmark.contest import Entry
from analyses.benchmark.runs import Run
from analyses.catalog import RUNS

BY_KEY = {job.key: job for job in waiting.JOBS}


def entry(key, *seconds, status="", step="in all"):
    return Entry(BY_KEY[key], Installation((), "1.0"), None, tuple(Run({step: s}, s) for s in seconds), status)


def test_limits_are_multiples_of_the_bare_process_of_the_same_round():
    entries = [entry("bare", 5, 10), entry("all", 15, 50), entry("priors", 1.5, 1.2, step="tau flat, sigma flat")]
    table = waiting.table(entries).set_index("job")
    assert table.loc["all", ["times_bare", "times_bare_low", "times_bare_high"]].to_list() == [4.0, 3.0, 5.0]
    met = waiting.targets(table.reset_index()).set_index("of")["met"]
    assert met["every study"] == "yes"
    assert met["every prior with every other"] == "no"
    assert met["three levels"] == "not measured"
    assert table.loc["priors", "what"].endswith("the slowest: tau flat, sigma flat")


def test_one_that_breaks_down_is_told():
    table = waiting.table([entry("bare", 5.0), entry("exact", status="Killed")])
    verdicts = dict(waiting_page.part(table).verdicts)
    assert "broke down: Killed" in verdicts["the same, exact alone"].sentence


def test_every_study_is_timed_and_has_a_limit():
    assert len(BY_KEY) == len(waiting.JOBS)
    assert set(RUNS) <= set(BY_KEY)
    assert set(waiting.LIMITS) == set(BY_KEY) - {"bare"}


@pytest.mark.parametrize(("name", "step"), [("three_levels", "three levels"), ("evidence", "200 priors")])
def test_jobs_tell_their_seconds(name, step):
    ((told, seconds),) = jobs.JOBS[name]().items()
    assert told == step
    assert 0 < seconds < 60


def test_the_slowest_prior_is_named(monkeypatch):
    """Of two priors of sigma and both meanings of tau, with a clock by which the third takes three seconds."""
    monkeypatch.setattr(jobs, "OF_SD", {"flat": jobs.OF_SD["flat"]})
    monkeypatch.setattr(jobs, "OF_SIGMA", {name: jobs.OF_SIGMA[name] for name in ("Jeffreys", "HalfNormal")})
    monkeypatch.setattr(jobs, "OF_MU", {"flat": jobs.OF_MU["flat"]})
    ticks = iter([0, 1, 1, 2, 2, 5, 5, 6])
    monkeypatch.setattr(jobs, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    assert jobs.of_all_priors() == {"tau flat (relative), sigma HalfNormal, mu flat": 3}


def test_commands_and_samplers_start_cold():
    """Else what one has compiled would be there for the next."""
    for job in (*waiting.JOBS, *two_scales.CONTENDERS):
        found = job.find([sys.executable])
        if found and (job.hands_in == "nothing" or not job.ours):
            assert found.command[:3] == (sys.executable, "-m", "analyses.benchmark.cold")


def test_caches_are_empty_and_thrown_away():
    code = "import os; print(os.environ['NUMBA_CACHE_DIR'], os.listdir(os.environ['NUMBA_CACHE_DIR']))"
    cold = (sys.executable, "-m", "analyses.benchmark.cold", sys.executable, "-c", code)
    found = [subprocess.run(cold, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert all(line.endswith(" []\n") for line in found)
    assert found[0] != found[1]
    failing = subprocess.run((*cold[:-1], "import sys; sys.exit(3)"), check=False)
    assert failing.returncode == 3


def test_the_whole_part_runs(tmp_path, monkeypatch, capsys):
    """From the command line: a missing file, and three levels."""
    quick = waiting.play
    chosen = [BY_KEY["missing"], BY_KEY["three_levels"]]
    monkeypatch.setattr(waiting, "play", lambda **options: quick(chosen, **options))
    assert command.main(["--parts", "waiting", "--rounds", "1", "--out", str(tmp_path)]) == 0
    written = pd.read_csv(tmp_path / "benchmark_waiting.csv", keep_default_na=False)
    assert tuple(written.columns) == waiting.COLUMNS
    assert written["status"].to_list() == ["", ""]
    html = (tmp_path / "benchmark" / "index.html").read_text(encoding="utf-8")
    assert "a missing file" in html
