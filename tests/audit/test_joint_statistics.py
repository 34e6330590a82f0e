"""Draws whose margins are right and whose joint posterior is not."""

import pandas as pd
import pytest
from helpers.audits import passed, rejected, saved

SHUFFLED = {
    "eight_schools": ("mu", "tau", "theta"),
    "baseball": ("mu", "tau", "theta"),
    "math_test": ("mu", "tau"),
    "blood_pressure": ("mu", "beta[treatment]", "tau"),
    "classrooms": ("lambda", "tau", "kappa"),
}
"""Quantities on which others depend by more than 4,000 draws could miss.

Not sigma, which 2,000 pupils tell almost exactly, and not a theta of a hundred, which hardly depends on the others.
"""


def moved(table, column):
    """Draws of a column given to the next chain: each margin and each chain of it is what it was."""
    return table[column].to_numpy().reshape(4, -1)[[1, 2, 3, 0]].ravel()


@pytest.mark.parametrize(("study", "column"), [(s, c) for s, columns in SHUFFLED.items() for c in columns])
def test_a_quantity_that_is_shuffled_is_found(study, column, shipped, tmp_path, capsys):
    """Chains exchanged in one column alone: every margin passes, and the joint statistics do not."""
    table = pd.read_csv(shipped(study))
    column = column if column in table else next(c for c in table if c.startswith("theta["))
    table[column] = moved(table, column)
    out = rejected(capsys, saved(tmp_path / "draws.csv", table), study=study)
    assert "each quantity agrees by itself, but not jointly" in out
    assert " is too " not in out


def test_margins_alone_are_said_to_be_all(shipped, tmp_path, capsys):
    """Without mu nothing joint can be compared in a two-level model."""
    table = pd.read_csv(shipped("eight_schools")).drop(columns="mu")
    out = passed(capsys, saved(tmp_path / "draws.csv", table), "--without", "mu")
    assert "Jointly: nothing, only each quantity by itself." in out
