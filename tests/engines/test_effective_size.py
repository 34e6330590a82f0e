"""Effective sizes and R-hat of many quantities at once are ArviZ's of each."""

import numpy as np
import pytest
from arviz_stats.base import array_stats

from analyses.engines import effective_size

TAIL = (0.11, 0.89)


def autoregressive(rng, quantities, chains, length):
    """Chains from independent to very slow, and from alternating to apart from each other."""
    rho = rng.uniform(-0.95, 0.995, (quantities, 1, 1))
    x = np.empty((quantities, chains, length))
    x[:, :, :1] = rng.standard_normal((quantities, chains, 1))
    for t in range(1, length):
        noise = rng.standard_normal((quantities, chains, 1))
        x[:, :, t : t + 1] = rho * x[:, :, t - 1 : t] + np.sqrt(1 - rho**2) * noise
    apart = rng.choice([0.0, 0.3, 5.0], (quantities, 1, 1)) * rng.standard_normal((quantities, chains, 1))
    return np.round(x + apart, 1) if rng.random() < 0.3 else x + apart


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(("chains", "length"), [(1, 4), (1, 5), (2, 6), (4, 7), (3, 50), (4, 401), (8, 1000)])
def test_they_are_arviz_own(chains, length):
    """To rounding; of constants, ties, single chains and the shortest ones too."""
    rng = np.random.default_rng([453, chains, length])
    draws = autoregressive(rng, 60, chains, length)
    draws[0] = 3.0
    draws[1] = np.arange(length) % 2
    found = {
        "mean": effective_size.of_mean(draws),
        "bulk": effective_size.bulk(draws),
        "tail": effective_size.tail(draws, TAIL),
        "r_hat": effective_size.r_hat(draws),
    }
    with np.errstate(invalid="ignore", divide="ignore"):
        right = {
            "mean": array_stats.ess(draws, method="mean"),
            "bulk": array_stats.ess(draws, method="bulk"),
            "tail": array_stats.ess(draws, method="tail", prob=TAIL),
            "r_hat": array_stats.rhat(draws),
        }
    for name, expected in right.items():
        assert found[name] == pytest.approx(expected, rel=1e-9, nan_ok=True), name


def test_blocks_change_nothing(monkeypatch):
    draws = autoregressive(np.random.default_rng(454), 13, 4, 100)
    whole = effective_size.bulk(draws)
    monkeypatch.setattr(effective_size, "BLOCK_ENTRIES", 900)
    assert effective_size.bulk(draws).tolist() == whole.tolist()


def test_draws_that_are_not_finite_have_no_size():
    draws = autoregressive(np.random.default_rng(455), 3, 4, 100)
    draws[1, 2, 50] = np.nan
    assert np.isnan(effective_size.of_mean(draws)).tolist() == [False, True, False]
