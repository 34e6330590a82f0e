"""Several studies at once, in processes of their own: the same files, the same words, the same ends."""

import json
import subprocess
import sys

import pytest

# A process of its own: a fork wants a parent without threads, which a session of tests may have started.
RUN = """
import json, os, signal, sys, time
from types import SimpleNamespace
from analyses import run
from analyses.fits import crosscheck
from analyses.fits.settings import Settings
from analyses.report import publish
from analyses.report import pages

def told(action, cores, out, studies, *more):
    real, seen = run.import_module, out + ".seen"
    def module(name):
        name = name.rpartition(".")[2]
        with open(seen, "a") as file:
            file.write(f"{name} {os.getpid()}\\n")
        return action(name) or real(f"analyses.studies.{name}")
    run.import_module, run._cores = module, lambda: cores
    try:
        return run.main([*studies, "--out", out, *more])
    finally:
        run.import_module = real

def stub(name, page=None, **fields):
    made = pages.Page(name=name, title="", question="", sentence="", sections=(), **fields)
    return SimpleNamespace(page=page or (lambda settings: made))

out = sys.argv[1]
"""
QUICK = ("--draws", "20", "--tune", "20", "--chains", "2", "--engines", "exact")
STUDIES = ["normal", "baseball"]


def child(code, out, timeout=120):
    asked = (sys.executable, "-W", "error", "-c", RUN + code, str(out))
    return subprocess.run(asked, capture_output=True, text=True, check=False, timeout=timeout)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Two studies by two processes, and the same by one; processes by study, and what was printed."""
    found = {}
    for cores in (2, 1):
        out = tmp_path_factory.mktemp("workers") / "out"
        ran = child(f"sys.exit(told(lambda name: None, {cores}, out, {STUDIES}, *{QUICK}))", out)
        assert ran.stderr == ""
        seen = dict(line.split() for line in (out.parent / "out.seen").read_text().splitlines())
        found[cores] = out, seen, ran.stdout, ran.returncode
    return found


def test_they_are_two_processes(both):
    """Else the rest says nothing; with one core they are one after the other, in this process."""
    assert sorted(both[2][1]) == sorted(both[1][1]) == sorted(STUDIES)
    assert len(set(both[2][1].values())) == 2
    assert len(set(both[1][1].values())) == 1


def test_files_are_the_same(both):
    """Streams are named after their purpose, whichever process draws from them: every table to its last byte."""
    one, other = both[2][0], both[1][0]
    names = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    tables = [name for name in names if name.suffix in (".csv", ".png")]
    assert len([name for name in tables if name.suffix == ".csv"]) >= 5
    for name in tables:
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_words_are_the_same_in_the_order_asked_for(both):
    """A study that is done first waits for its turn; the status is that of all."""

    def words(out):
        return [line for line in both[out][2].splitlines() if line.startswith("  ")]

    assert words(2) == words(1) != []
    for cores in (2, 1):
        headed = [line.split()[0] for line in both[cores][2].splitlines() if line.endswith(" s)")]
        assert headed == STUDIES
    assert both[2][3] == both[1][3]


FAULTS = """
def failing(error):
    def action(name):
        if name == "baseball":
            raise error
        return stub(name)
    return action

from analyses.ingest.request import InputError
found = {}
print(told(stub, 2, out, ["normal"], "--quiet"), flush=True)
before = sorted(os.listdir(out)), os.stat(out + "/normal/index.html").st_mtime_ns
for error in (InputError("no such thing"), OSError(28, "No space left on device", "there"), ZeroDivisionError("oh")):
    try:
        found[type(error).__name__] = told(failing(error), 2, out, ["normal", "baseball"], "--quiet")
    except ZeroDivisionError as raised:
        found["ZeroDivisionError"] = str(raised)
    assert (sorted(os.listdir(out)), os.stat(out + "/normal/index.html").st_mtime_ns) == before
def warned(name):
    time.sleep(0.5 * (name == "normal"))  # it is done last, and told first all the same
    return stub(name, warnings=(f"mind {name}",))

found["warned"] = told(warned, 2, out, ["normal", "baseball"], "--quiet")
found["folders"] = sorted(os.listdir(out))
print(json.dumps(found))
"""


def test_an_error_in_one_is_told_and_nothing_is_published(tmp_path):
    """As it is in one process: a refusal or a full disk in a line, a mistake of ours raised; the old report stays."""
    ran = child(FAULTS, tmp_path / "out")
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert (found["InputError"], found["OSError"], found["ZeroDivisionError"]) == (2, 2, "oh")
    assert ran.stderr.splitlines()[:2] == ["no such thing", "there: No space left on device"]
    assert ran.stderr.splitlines()[2:] == ["warning: mind normal", "warning: mind baseball"]
    assert (found["warned"], found["folders"]) == (0, ["baseball", "index.html", "normal"])


def test_a_worker_that_is_killed_does_not_keep_the_run_waiting(tmp_path):
    """As where memory runs out: what is asked of it will never come, and the run has to say so.

    Without that it would wait for ever; a minute is long enough on a busy machine.
    """
    code = """
def killed(name):
    if name == "baseball":
        os.kill(os.getpid(), signal.SIGKILL)
    return stub(name)

def waited(number, frame):
    os.write(1, b"still waiting")
    raise TimeoutError

signal.signal(signal.SIGALRM, waited)
signal.alarm(60)
sys.exit(told(killed, 2, out, ["normal", "baseball"], "--quiet"))
"""
    ran = child(code, tmp_path / "out")
    assert "still waiting" not in ran.stdout
    assert (ran.returncode, "a study was killed" in ran.stderr) == (2, True)


def test_a_worker_may_have_processes_of_its_own(tmp_path):
    """With four cores and --cores 2 two studies run at once, each of whose chains are to have two processes."""
    code = """
import multiprocessing

def chains(settings):
    process = multiprocessing.get_context("fork").Process(target=int)  # as pm.sample does, by a server
    process.start()
    process.join()
    return pages.Page(name="normal", title="", question="", sentence="", sections=())

sys.exit(told(lambda name: stub(name, chains), 4, out, ["normal", "baseball"], "--quiet", "--cores", "2"))
"""
    ran = child(code, tmp_path / "out")
    assert "daemonic" not in ran.stderr
    assert ran.returncode == 0
