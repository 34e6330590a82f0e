"""NUTS through the truths."""

import numpy as np
import pytest

from analyses.calibrate import nuts_chains


@pytest.mark.parametrize(
    ("name", "variable", "value"),
    [("mu", "mu", -3.0), ("tau_log__", "tau", 2.5), ("sigma_log__", "sigma", 2.5)],
)
def test_what_pymc_samples_is_found_again(name, variable, value):
    transform = nuts_chains.transform(name, {"mu": None})
    assert transform.name == variable
    assert transform.backward(transform.forward(value)) == pytest.approx(value, rel=1e-14)
    if name != "mu":
        assert np.exp(transform.forward(value)) == pytest.approx(value)
