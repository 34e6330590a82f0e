"""Figures are written with the digits that their errors support."""

import pytest

from analyses.reference.rounding import round_to_error


@pytest.mark.parametrize(
    ("value", "error", "rounded"),
    [
        (48.105012345678, 1e-5, 48.10501),
        (48.105012345678, 2e-5, 48.105),
        (0.000123456, 3e-9, 0.00012346),
        (1.5, 0.0, 1.5),
    ],
)
def test_digits_are_those_that_the_error_supports(value, error, rounded):
    """The last one is of the size of the error at least, and less than ten times it."""
    assert round_to_error(value, error) == rounded


def test_no_digit_for_what_does_not_exist():
    assert round_to_error(float("nan"), 1e-9) is None
