"""Every printed formula at random states: right to rounding, or off for everybody to see."""

import numpy as np
import pytest
from partial_pooling_data import table

from analyses.published import verdicts

WRONG = {
    *("000.squares_within", "000.conditional_of_s_with_beta", "000.variance_of_beta"),
    *("001.square_completed", "001.prefactor", "001.joint", "001.variance_of_theta", "001.kernel_of_lambda"),
    *("002.quadratic_in_theta", "002.cancelled_terms", "002.weight_without_index", "002.proportional_logs"),
    *("002.shrinkage_without_index", "003.lost_integral", "003.kernel_of_sigma", "003.scale_of_sigma"),
    *("003.joint_of_means", "003.number_of_groups", "003.law_of_the_total", "003.mean_squared_error"),
    "003.pupils_without_index",
}


@pytest.mark.parametrize("name", verdicts.FORMULAS)
def test_formulas(name):
    """What is printed equals what is right to rounding, or is off for everybody to see, at any values."""
    off = [verdicts.evaluate(name, np.random.default_rng(seed)).discrepancy for seed in range(20)]
    if name in WRONG:
        assert max(off) > 1e-3
    else:
        assert max(off) < verdicts.ROUNDING


def test_every_formula_has_its_row():
    stored = table("published")
    assert set(stored.loc[stored["kind"] == "formula", "figure"]) == set(verdicts.FORMULAS)
