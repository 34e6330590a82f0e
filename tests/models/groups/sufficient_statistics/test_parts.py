"""Parts reduced one by one and merged are the whole, up to rounding that can be counted."""

import math
from fractions import Fraction

import numpy as np
from helpers.backends import rational
from hypothesis import given, settings, strategies as st

from models.groups import sufficient_statistics

EPS = 2.0**-53  # by which one operation on doubles is off, at most

fine = st.integers(-(2**40), 2**40).map(lambda k: k * 2.0**-20)  # squares neither vanish nor overflow
split = st.lists(st.lists(fine, min_size=1, max_size=8), min_size=1, max_size=8)


@settings(deadline=None, max_examples=300)
@given(split, st.sampled_from([0.0, 1e3, 1e9]))
def test_any_split_is_the_whole(parts, offset):
    """Merged one after the other, parts are the whole, up to rounding that can be counted.

    A mean is rounded five times a part, each by EPS of the largest value M; that moves a sum of squares by
    2 sqrt(n ss) d + n d^2 where d is what means are off by, and its own additions cost six EPS a part.
    """
    parts = [np.array([offset + v for v in part]) for part in parts]
    n, mean, ss = (np.zeros(1) for _ in range(3))
    for part in parts:
        n, mean, ss = sufficient_statistics.merged(
            n, mean, ss, *sufficient_statistics.of_values(np.zeros(len(part), dtype=int), part)
        )
    size, middle, squares = rational(np.concatenate(parts))
    largest = float(max(np.abs(part).max() for part in parts))
    d = Fraction(5 * (len(parts) + 4) * EPS) * Fraction(largest)
    assert n[0] == size
    assert abs(Fraction(float(mean[0])) - middle) <= d
    root = Fraction(math.sqrt(size * squares) * (1 + 4 * EPS))
    allowed = 2 * root * d + size * d**2 + 6 * (len(parts) + 8) * Fraction(EPS) * squares
    assert abs(Fraction(float(ss[0])) - squares) <= allowed
    assert ss[0] >= 0


@settings(deadline=None)
@given(split)
def test_parts_from_the_first_value_lose_nothing(parts):
    """As files are read: less the first value of all, exactly, an offset costs no digit however large it is.

    The first value is a row like the others: the mean is no farther from it than sqrt(n ss), and the sum of squares
    keeps its digits, whatever M is: 20 EPS for each row and part.
    """
    first = parts[0][0]
    away = [np.array([float(Fraction(v) - Fraction(first)) for v in part]) for part in parts]
    n, mean, ss = (np.zeros(1) for _ in range(3))
    for part in away:
        n, mean, ss = sufficient_statistics.merged(
            n, mean, ss, *sufficient_statistics.of_values(np.zeros(len(part), dtype=int), part)
        )
    size, middle, squares = rational(np.concatenate(away))
    allowed = Fraction(20 * (size + len(parts)) * EPS)
    assert abs(Fraction(float(ss[0])) - squares) <= allowed * squares
    assert abs(Fraction(float(mean[0])) - middle) <= allowed * Fraction(math.sqrt(size * squares) * (1 + 4 * EPS))


def test_an_empty_part_adds_nothing():
    """A group that was not there before has size 0, mean 0 and no squares: it becomes what comes in.

    Times its size and over it again, the mean is rounded twice; the rest not at all.
    """
    n, mean, ss = sufficient_statistics.merged(
        np.zeros(1), np.zeros(1), np.zeros(1), np.array([3.0]), np.array([0.1]), np.array([0.7])
    )
    assert (n.tolist(), ss.tolist()) == ([3.0], [0.7])
    assert abs(mean[0] - 0.1) <= 0.1 * 2.1 * EPS
