"""Numbers as text: what is printed is the number, to the digits that were asked for, whatever it is."""

import math
from decimal import Decimal

import pytest
from hypothesis import example, given, strategies as st

from analyses.checks import probability
from analyses.report import numbers

SIZES = st.floats(-320, 300).map(lambda power: 10.0**power).filter(bool)
VALUES = st.tuples(st.sampled_from([-1.0, 1.0]), SIZES).map(math.prod) | st.floats(-1e16, 1e16).filter(bool)


def is_rounded(text: str, value: float) -> bool:
    """Whether the text is within half a unit of its last place."""
    found = Decimal(text)
    unit = Decimal(1).scaleb(found.as_tuple().exponent)
    return abs(found - Decimal(value)) <= unit / 2


def written_out(text: str, value: float) -> bool:
    """No exponent between 1e-4 and 1e15, to which rounding may just carry."""
    return "e" not in text or not 1e-4 <= abs(value) < 9.99999e14


@given(VALUES, SIZES, st.integers(1, 6))
@example(9.71, 40.0, 1)
@example(-0.96466, 1.0, 1)
@example(-5e-19, 0.28, 1)
@example(99.6, 400.0, 1)
@example(0.00009996, 1.0, 2)
@example(999999.99999999995, 1e-9, 4)
@example(-9955128609158502.0, 1e15, 1)
def test_a_number_with_an_sd(value, sd, least):
    """The digits down to a tenth of the sd are there, at least as many as were asked for, and at most a double's."""
    text = numbers.spelled(value, sd, least=least)
    shown = Decimal(text).as_tuple()
    if abs(value) < 1e-9 * sd:  # what is left of a 0 that is computed to 1e-10 sds
        assert Decimal(text) == 0
        assert text == "0" or shown.exponent == math.floor(math.log10(sd)) - 1
        return
    assert is_rounded(text, value)
    assert written_out(text, value)
    assert len(shown.digits) >= least
    assert shown.exponent <= math.floor(math.log10(sd)) - 1 or len(shown.digits) >= numbers.MOST_DIGITS


@given(VALUES, VALUES, SIZES, st.integers(1, 6))
@example(9.71, 9.4, 40.0, 1)
@example(99.6, 96.0, 400.0, 1)
@example(0.96466, 1.04, 1.0, 1)
@example(-9.96, -9.94, 3.0, 2)
def test_a_larger_number_is_not_printed_smaller(one, other, sd, least):
    """At one sd: rounding keeps the order, also where it carries into the next power of ten."""
    low, high = sorted((one, other))
    assert Decimal(numbers.spelled(low, sd, least=least)) <= Decimal(numbers.spelled(high, sd, least=least))


@given(st.floats(1.0, 9.9999999), st.integers(-4, 14), st.floats(-3, 3))
@example(9.71, 0, 1.0)
@example(9.96, 1, 1.0)
@example(9.9999999, 14, 0.0)
@example(9.96875, 14, 0.0)
def test_a_number_of_positional_size_has_no_exponent(digits, power, relative):
    """At the border of a power of ten as anywhere between 1e-4 and 1e15, whatever the sd is beside it."""
    value = digits * 10.0**power
    text = numbers.spelled(value, value * 10.0**relative, least=1)
    assert written_out(text, value)
    assert is_rounded(text, value)


@given(VALUES)
@example(9.9996)
@example(0.3)
def test_a_number_without_an_sd(value):
    """Four digits, zeros at the end among them; a whole number without decimals."""
    text = numbers.spelled(value)
    assert is_rounded(text, value)
    assert written_out(text, value)
    assert value == round(value) or len(Decimal(text).as_tuple().digits) >= 4


@given(VALUES, st.integers(1, 12))
@example(99.7, 2)
@example(950000000000000.0, 1)
def test_so_many_digits(value, digits):
    text = numbers.rounded(value, digits)
    assert is_rounded(text, value)
    assert written_out(text, value)
    assert len(Decimal(text).as_tuple().digits) >= digits


@given(st.floats(0, 1), st.integers(1, 4))
@example(0.9999999999999999, 2)
@example(0.9995, 3)
@example(0.0005, 3)
def test_a_probability_is_never_printed_as_0_or_1(p, decimals):
    """Between them it is within half a unit of the last decimal; next to them it is bounded, and the bound is true."""
    said, cell = probability(p, decimals), numbers.probability_in_table(p, decimals)
    for text in (said, cell):
        number = float(text.lstrip("<>abovel w"))
        assert 0 < number < 1
        if text[0] in "<b":
            assert p < number
        elif text[0] in ">a":
            assert p > number
        else:
            assert is_rounded(text, p)


@given(st.floats(1e-16, 1e3))
@example(1e-12)
def test_a_bound_is_above(error):
    """By a factor ten at most."""
    assert error < float(numbers.bound(error)) <= 10 * error * (1 + 1e-12)


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_nothing_is_said_of_nothing(nothing):
    assert numbers.spelled(nothing) == ""
