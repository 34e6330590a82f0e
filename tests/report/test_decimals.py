"""Numbers of a table: as many decimals as mean something, and the same all the way down a column."""

import numpy as np
import pandas as pd
import pytest

from analyses.report.columns import Style
from analyses.report.decimals import cells
from analyses.report.numbers import places


def column(table: pd.DataFrame, name: str) -> list[str]:
    return [row[list(table).index(name)] for row in cells(table)]


@pytest.mark.parametrize("sd", [0.00123, 0.0999, 0.1, 0.5283, 1.0, 7.5])
def test_a_mean_is_told_to_a_tenth_of_its_sd(sd):
    """And not to a thousandth of it: rounding to that many decimals is off by half a unit of the last at most."""
    assert sd / 200 <= 0.5 * 10.0 ** -places(sd) <= sd / 20


def test_a_column_of_one_variable_has_the_same_decimals():
    """Trailing zeros too: 130 among 121.68 and 133.75 would look like a rounder measurement."""
    table = pd.DataFrame({"label": ["7", "5", "8"], "estimate": [130.0, 122.67, 137.5], "sd": [0.886, 0.7018, 1.209]})
    assert column(table, "estimate") == ["130.00", "122.67", "137.50"]
    assert column(table, "sd") == ["0.89", "0.70", "1.21"]


def test_each_variable_has_its_own():
    table = pd.DataFrame(
        {"variable": ["mu", "tau", "mu"], "mean": [48.11, 0.5375, 48.119], "sd": [0.5416, 0.0481, 0.53]}
    )
    assert column(table, "mean") == ["48.11", "0.537", "48.12"]


def test_one_narrow_row_does_not_lengthen_a_column():
    table = pd.DataFrame({"mean": [1.0, 2.0, 3.0], "sd": [5e-7, 0.2, 0.3]})
    assert column(table, "mean") == ["1.000", "2.000", "3.000"]
    assert column(table, "sd") == ["5.0e-07", "0.200", "0.300"], "it is not nothing"


def test_coefficients_of_covariates_have_a_scale_each():
    """A slope for a gram, clearly positive, beside one for a year."""
    table = pd.DataFrame({"variable": ["mu", "beta", "beta"], "label": ["", "year", "grams"]})
    table = table.assign(mean=[50.1, 3.2, 0.00042], sd=[0.5, 1.1, 0.00011])
    assert column(table, "mean") == ["50.10", "3.2", "0.00042"]


def test_a_probability_is_not_rounded_to_none():
    table = pd.DataFrame({"p_best": [0.73, 0.00025, 0.0], "mcse_p_best": [0.0070186, 0.00017678, 0.0]})
    assert column(table, "p_best") == ["0.730", "0.00025", "<0.001"]
    assert column(table, "mcse_p_best") == ["0.0070", "0.00018", "0"]


def test_a_number_that_rounds_to_nothing_has_no_sign():
    assert column(pd.DataFrame({"mean": [-0.04], "sd": [5.0]}), "mean") == ["0.0"]


def test_what_has_no_spread_has_four_digits_and_a_probability_three_decimals():
    table = pd.DataFrame({"mean": [12345.678], "statistic": [123.3456], "p_best": [0.73], "r_hat": [1.00213]})
    assert next(cells(table)) == ["12346", "123.3", "0.730", "1.002"]


def test_nothing_is_shown_where_there_is_nothing():
    table = pd.DataFrame({"label": ["a", "b"], "mean": [np.nan, 1.0], "sd": [np.nan, 0.5], "n": [4, 20_000]})
    assert [row[1:] for row in cells(table)] == [["", "", "4"], ["1.00", "0.50", "20,000"]]


@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1e15, 1e300])
def test_powers_of_ten_where_decimals_would_be_many(scale):
    """Four digits, so off by half of the last at most; and no longer than a double's 15 digits are."""
    table = pd.DataFrame({"mean": [1.2345 * scale, -2.0 * scale], "sd": [0.5 * scale, 0.25 * scale]})
    for cell, value in zip(column(table, "mean"), table["mean"], strict=True):
        assert len(cell) <= 15
        assert float(cell) == pytest.approx(value, rel=5e-4, abs=0)


def test_a_section_says_how_its_own_columns_are_written():
    """By a format, not by what stands above them; without one a column has four digits."""
    table = pd.DataFrame({"A minus B": [5.2345, 11.0], "sd": [8.1, 9.2], "P(A is greater)": [0.7316, 1e-9]})
    formats = {"A minus B": Style.VALUE, "P(A is greater)": Style.PROBABILITY}
    assert list(cells(table)) == [["5.234", "8.1", "0.7316"], ["11", "9.2", "1.000e-09"]]
    assert list(cells(table, formats)) == [["5.2", "8.1", "0.732"], ["11.0", "9.2", "1.0e-09"]]


def test_a_standard_error_tells_the_decimals_where_there_is_no_sd():
    table = pd.DataFrame({"simulated": [1.23456], "error": [0.0123]})
    formats = {"simulated": Style.VALUE, "error": Style.ERROR}
    assert list(cells(table, formats)) == [["1.235", "0.012"]]
    assert list(cells(table.assign(sd=0.5), formats)) == [["1.23", "0.01", "0.50"]]
