"""Figures that other software prints for these data, to their digits."""

import pytest
from scipy import stats

from analyses.checks import t_tests
from analyses.engines import reml
from models import blood_pressure, math_test


def test_math_tests_by_lme4():
    model = math_test.model()
    found = reml.maximum(model)
    assert (found.b[0], found.error[0]) == (pytest.approx(48.1050, abs=5e-5), pytest.approx(0.5283, abs=5e-5))
    assert found.sd_between**2 == pytest.approx(23.20, abs=5e-3)
    assert found.sigma**2 == pytest.approx(84.73, abs=5e-3)
    printed = {"37": 46.28854, "1": 50.52812, "98": 52.45818, "12": 50.26418, "26": 46.77491, "90": 48.5344}
    printed |= {"82": 42.70665, "67": 56.9462}
    for school, value in printed.items():
        theta = found.theta[model.groups.labels.index(school)]
        assert theta == pytest.approx(value, abs=2e-4), "lme4's optimiser stops within 2e-4 of the maximum"


def test_blood_pressure_by_lme4():
    found = reml.maximum(blood_pressure.model())
    assert (found.b[1], found.error[1]) == (pytest.approx(-7.4330, abs=5e-5), pytest.approx(4.5143, abs=5e-5))


def test_blood_pressure_by_welch_on_records():
    g = blood_pressure.data()
    found = t_tests.on_records(g)
    assert found.value == pytest.approx(-9.4689, abs=5e-5)
    assert found.error == pytest.approx(1.004414, abs=5e-7)
    assert (found.value / found.error, found.df) == (pytest.approx(-9.4273, abs=5e-5), pytest.approx(391.66, abs=5e-3))


def test_blood_pressure_by_welch_on_person_means():
    g = blood_pressure.data()
    treated, control = (g.mean[g.design[:, 1] == arm] for arm in (1, 0))
    welch, pooled = t_tests.on_means(g), stats.ttest_ind(control, treated)
    assert welch.value == pytest.approx(-7.41597, abs=5e-6)
    assert (welch.value / welch.error, welch.df) == (pytest.approx(-1.643698, abs=5e-7), pytest.approx(17.09, abs=5e-3))
    assert (welch.p, pooled.pvalue) == (pytest.approx(0.118508, abs=5e-7), pytest.approx(0.117591, abs=5e-7))
