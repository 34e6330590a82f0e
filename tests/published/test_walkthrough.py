"""Seed 002: the procedure behind its covariance, repeated."""

import numpy as np
import pytest

from analyses.published import walkthrough
from models import eight_schools


def test_the_procedure_of_the_source_repeats_its_covariance():
    """R's differences of differences about the printed mode give the printed covariance but for the mode's rounding."""
    printed = np.array([[22.3232882, 0.1935228], [0.1935228, 0.5352576]])
    covariance = walkthrough.r_covariance(eight_schools.model(), walkthrough.printed_mode()[0])
    assert covariance == pytest.approx(printed, rel=2e-5)
