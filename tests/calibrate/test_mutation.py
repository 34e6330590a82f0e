"""Ranks catch mistakes that the deterministic test cannot see.

`python -m analyses.calibrate --mutants tests/helpers/mutants.py` calibrates all; CI runs its quick form.
"""

from pathlib import Path

import pytest
from helpers import mutants

from analyses.calibrate import mutation
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.mutation import Mutation

MUTANTS = Path(mutants.__file__)


def test_every_family_has_ten_mistakes_at_least():
    assert mutants.MUTANTS.keys() == FAMILIES.keys()
    assert min(map(len, mutants.MUTANTS.values())) >= 10


@pytest.mark.parametrize(
    ("family", "mistake"),
    [
        ("one way", "tau²: the half of the prior's scale dropped"),
        ("schools", "tau²: flat tau² in place of a flat tau"),
        ("baseball", "direct sampling: tau² clipped, not truncated"),
        ("absolute", "sigma²: its prior forgotten"),
    ],
)
def test_ranks_catch_mistakes(family, mistake):
    """A few; of the third the identity can know nothing, and of the last only the log prior."""
    outcome = mutation.run(MUTANTS, Mutation(family, mistake), seed=1, quick=False)
    assert outcome["caught"]
    assert outcome["sets"] <= 1000


@pytest.mark.parametrize("family", ["normal", "schools"])
def test_no_mistake_is_not_caught(family, tmp_path):
    """What is reported as caught has to be wrong: the right conditionals, cut off where they have to be, are not."""
    path = tmp_path / "mine.py"
    path.write_text(f'MUTANTS = {{"{family}": {{"nothing is wrong": lambda model, right: {{}}}}}}\n', encoding="utf-8")
    outcome = mutation.run(path, Mutation(family, "nothing is wrong"), seed=1, quick=True)
    assert not outcome["caught"]
    assert outcome["identity"] == ""


def test_a_sampler_that_breaks_down_is_caught_and_says_why(tmp_path):
    path = tmp_path / "mine.py"
    stops = 'def no(model, right):\n    raise FloatingPointError("out of numbers")\n\n'
    path.write_text(stops + 'MUTANTS = {"normal": {"it stops": no}}\n', encoding="utf-8")
    outcome = mutation.run(path, Mutation("normal", "it stops"), seed=1, quick=True)
    assert outcome["caught"]
    assert outcome["breaks"] == "out of numbers"


def test_code_that_is_wrong_is_no_mistake_that_is_caught(tmp_path):
    """A patch that does not fit shapes says nothing of the calibration: it is an error."""
    path = tmp_path / "mine.py"
    stops = 'def no(model, right):\n    raise ValueError("operands could not be broadcast")\n\n'
    path.write_text(stops + 'MUTANTS = {"normal": {"it stops": no}}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="could not be broadcast"):
        mutation.run(path, Mutation("normal", "it stops"), seed=1, quick=True)


@pytest.mark.parametrize("family", ["one way", "schools", "normal"])
def test_a_step_that_is_left_out_is_caught_though_it_ranks_evenly(family):
    """A chain that never leaves the truth in one quantity: its ranks are right, and it is not."""
    mistake = next(mistake for mistake in mutants.MUTANTS[family] if "left out" in mistake)
    outcome = mutation.run(MUTANTS, Mutation(family, mistake), seed=1, quick=True)
    assert outcome["caught"]
    assert "never leaves the truth in 100% of the sets of data" in outcome["breaks"]
