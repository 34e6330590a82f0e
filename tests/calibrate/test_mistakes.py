"""The deterministic test passes the right conditionals and names the step of every mistake; ranks catch what it cannot.

All mistakes are calibrated by `python -m analyses.calibrate --mutants`, which CI runs in its quick form.
"""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import mutants

from analyses.calibrate import density_check, jobs, mutation
from analyses.calibrate.__main__ import MISTAKES, main
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.mutation import Mistake

STEPS = {"mu": "b", "beta": "b", "sigma²": "sigma2", "tau²": "tau2", "mixing": "tau2_mixing", "theta": "theta"}
STEPS |= {"lambda": "lambda", "kappa²": "kappa2", "s²": "s2", "sd between groups": "between2"}
STEPS |= {"sigma_i²": "nu and sigma2", "nu": "nu and sigma2"}
CHANGED_PRIORS = {"theta: tau where tau² belongs"}  # of the model, so that every step that has it is wrong


@pytest.mark.parametrize("family", FAMILIES)
def test_right_conditionals_are_the_joint_densitys(family):
    assert density_check.broken(FAMILIES[family], np.random.default_rng(1)) == []


@pytest.mark.parametrize(("family", "what"), [(f, what) for f in mutants.MUTANTS for what in mutants.MUTANTS[f]])
def test_the_identity_names_the_step_that_is_wrong(family, what):
    given = mutation.patched(mutants.MUTANTS[family][what])
    with np.errstate(all="ignore"):
        found = density_check.broken(FAMILIES[family], np.random.default_rng(2), given)
    step = STEPS[what.removeprefix("000: ").removeprefix("001: ").removeprefix("003: ").split(":")[0]]
    if family in ("classrooms", "own variances") and step == "b":
        step = "mu"
    assert step in found
    assert len(found) == 1 or (family == "normal" and what in CHANGED_PRIORS)


def test_every_family_has_ten_mistakes_at_least():
    assert mutants.MUTANTS.keys() == FAMILIES.keys()
    assert min(map(len, mutants.MUTANTS.values())) >= 10


@pytest.mark.parametrize(
    ("family", "what"),
    [
        ("one way", "tau²: the half of the prior's scale dropped"),
        ("schools", "tau²: flat tau² in place of a flat tau"),
        ("baseball", "direct sampling: tau² clipped, not truncated"),
        ("absolute", "sigma²: its prior forgotten"),
    ],
)
def test_ranks_catch_mistakes(family, what):
    """A few; of the third the identity can know nothing, and of the last only the log prior."""
    found = mutation.tried(MISTAKES, Mistake(family, what), seed=1, quick=False)
    assert found["caught"]
    assert found["sets"] <= 1000


@pytest.mark.parametrize("family", ["normal", "schools"])
def test_no_mistake_is_not_caught(family, tmp_path):
    """What is reported as caught has to be wrong: the right conditionals, cut off where they have to be, are not."""
    path = tmp_path / "mine.py"
    path.write_text(f'MUTANTS = {{"{family}": {{"nothing is wrong": lambda model, right: {{}}}}}}\n', encoding="utf-8")
    found = mutation.tried(path, Mistake(family, "nothing is wrong"), seed=1, quick=True)
    assert not found["caught"]
    assert found["identity"] == ""


def test_a_sampler_that_breaks_down_is_caught_and_says_why(tmp_path):
    path = tmp_path / "mine.py"
    stops = 'def no(model, right):\n    raise FloatingPointError("out of numbers")\n\n'
    path.write_text(stops + 'MUTANTS = {"normal": {"it stops": no}}\n', encoding="utf-8")
    found = mutation.tried(path, Mistake("normal", "it stops"), seed=1, quick=True)
    assert found["caught"]
    assert found["breaks"] == "out of numbers"


def test_code_that_is_wrong_is_no_mistake_that_is_caught(tmp_path):
    """A patch that does not fit shapes says nothing of the calibration: it is an error."""
    path = tmp_path / "mine.py"
    stops = 'def no(model, right):\n    raise ValueError("operands could not be broadcast")\n\n'
    path.write_text(stops + 'MUTANTS = {"normal": {"it stops": no}}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="could not be broadcast"):
        mutation.tried(path, Mistake("normal", "it stops"), seed=1, quick=True)


@pytest.mark.parametrize("family", ["one way", "schools", "normal"])
def test_a_step_that_is_left_out_is_caught_though_it_ranks_evenly(family):
    """A chain that never leaves the truth in one quantity: its ranks are right, and it is not."""
    what = next(what for what in mutants.MUTANTS[family] if "left out" in what)
    found = mutation.tried(MISTAKES, Mistake(family, what), seed=1, quick=True)
    assert found["caught"]
    assert "never leaves the truth in 100% of the sets of data" in found["breaks"]


def test_a_chain_that_does_not_move_fails(monkeypatch):
    """Though it ranks the truth evenly, which it returns."""
    right = FAMILIES["normal"]

    def still(model, truth, *, draws, rng):
        return {name: np.stack(draws * [values]) for name, values in truth.items()}

    family = SimpleNamespace(simulate=right.simulate, quantities=right.quantities, engines={"gibbs": still})
    monkeypatch.setitem(FAMILIES, "normal", family)
    found = jobs.judged(jobs.Unit("normal", "gibbs"), seed=1, quick=True)
    assert not found.passed
    assert found.fault == "theta never leaves the truth in 100% of the sets of data"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it needs MUTANTS"),
        ("MUTANTS = {}", "it needs MUTANTS"),
        ("MUTANTS = {", "was never closed"),
        ("MUTANTS = {'oneway': {'x': None}}", "no family 'oneway': there are one way, trial"),
        (
            "MUTANTS = {'normal': {'x': lambda m, r: {'Sigma2': None}}}",
            "no conditional 'Sigma2': there are sigma2, theta",
        ),
        ("import nowhere", "No module named 'nowhere'"),
    ],
)
def test_a_file_that_holds_no_mistakes_is_refused(content, said, tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text(content, encoding="utf-8")
    asked = ["--mutants", str(path), "--quick", "--cores", "1", "--out", str(tmp_path / "out")]
    assert main(asked) == 2
    assert said in capsys.readouterr().err


def test_a_mistake_that_is_missed_is_exit_status_3(tmp_path, capsys):
    """And the page says which."""
    path = tmp_path / "mine.py"
    path.write_text('MUTANTS = {"normal": {"nothing is wrong": lambda model, right: {}}}\n', encoding="utf-8")
    asked = ["--mutants", str(path), "--quick", "--cores", "1", "--out", str(tmp_path)]
    assert main(asked) == 3
    assert "FAIL normal: 0 of 1 mistakes caught by the calibration, 0 by the identity" in capsys.readouterr().out
    page = (tmp_path / "mutants" / "index.html").read_text(encoding="utf-8")
    assert "0 of 1 mistakes were caught; not caught: nothing is wrong." in page
    assert "would the calibration have noticed" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--mutants", "nowhere.py"], "nowhere.py: no file with mistakes"),
        (["--out", "/dev/null/x"], "/dev/null"),
    ],
)
def test_bad_usage_is_exit_status_2(asked, said, capsys):
    assert main([*asked, "--quick"]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("asked", [["--seed", "-1"], ["--cores", "0"]])
def test_bad_options_are_exit_status_2(asked):
    with pytest.raises(SystemExit, match="2"):
        main(asked)
