"""The test of ranks: exact, rarely alarmed, and as sharp as it says."""

import numpy as np
import pytest
from scipy import stats

from analyses.calibrate import ranks
from analyses.calibrate.ranks import UniformityTest

DRAWS = 31


def uniform(rng, *, shift=0.0, factor=1.0):
    """Ranks of truths from N(0, 1) among draws of N(shift, factor^2), of so many sets of data."""

    def simulate_ranks(sets):
        draws = rng.normal(shift, factor, (DRAWS, sets))
        return {"theta": ranks.rank(rng.standard_normal(sets), draws, rng)}

    return simulate_ranks


def test_p_is_the_binomials_times_the_number_of_cuts():
    few = np.array([0, 0, 0, 1, 3, 2])
    each = [2 * min(stats.binom.cdf(b, 6, j / 4), stats.binom.sf(b - 1, 6, j / 4)) for j, b in ((1, 3), (2, 4), (3, 5))]
    assert ranks.p_value(few, 3) == pytest.approx(min(1.0, 3 * min(each)), rel=1e-12)


def test_p_is_no_smaller_than_it_says():
    """P(p <= x) <= x for ranks that are uniform: among 4000 of 50 ranks, within five binomial sds."""
    rng = np.random.default_rng(1)
    p = np.array([ranks.p_value(rng.integers(DRAWS + 1, size=50), DRAWS) for _ in range(4000)])
    for x in (0.01, 0.05, 0.2):
        assert np.mean(p <= x) <= x + 5 * np.sqrt(x / 4000)


def test_limits_add_up_to_the_alarm():
    """A stage is reached with probability GO_ON^s at most, as p is no smaller than it says."""
    alarm = 1e-5
    test = UniformityTest(size=1, draws=DRAWS, alarm=alarm)
    total = sum(ranks.GO_ON**stage * test.limit(stage) for stage in range(ranks.STAGES))
    assert total == pytest.approx(alarm, rel=1e-12)
    assert test.limit(ranks.STAGES - 1) < ranks.GO_ON, "the last limit may not exceed what sends a run on"


def test_right_ranks_fail_no_oftener_than_asked():
    """With an alarm as high as can be counted: of 3000 runs, within five binomial sds."""
    rng, alarm = np.random.default_rng(2), 0.002
    test = UniformityTest(size=40, draws=DRAWS, alarm=alarm)
    failed = sum(not test.judge(uniform(rng)).passed for _ in range(3000))
    assert failed <= 3000 * alarm + 5 * np.sqrt(3000 * alarm)


def test_an_unclear_p_is_put_to_fresh_data():
    """A first stage with p in between is followed by one of twice the size, and the ranks shown are the first's."""
    sizes, rng = [], np.random.default_rng(3)

    def simulate_ranks(sets):
        sizes.append(sets)
        slightly_off = len(sizes) == 1
        return {
            "theta": np.minimum(rng.integers(DRAWS + 1, size=sets) + slightly_off * (rng.random(sets) < 0.5), DRAWS)
        }

    judgement = UniformityTest(size=2000, draws=DRAWS, alarm=1e-300).judge(simulate_ranks)
    assert sizes == [2000, 4000]
    assert judgement.passed
    assert len(judgement.ranks["theta"]) == 2000
    assert judgement.sets == 6000


@pytest.mark.parametrize("which", ["shift", "factor"])
def test_the_smallest_error_is_found_as_often_as_it_says(which):
    """Errors of the stated size fail the first stage with probability 0.95: of 100 runs, within five binomial sds."""
    rng, alarm, size = np.random.default_rng(4), 1e-6, 2000
    test = UniformityTest(size=size, draws=DRAWS, alarm=alarm)
    error = getattr(test.detectable_error(1), which)
    simulate_ranks = uniform(rng, **{which: error})
    p = [ranks.p_value(simulate_ranks(size)["theta"], DRAWS) for _ in range(100)]
    assert np.mean(np.array(p) <= test.limit()) >= 0.95 - 5 * np.sqrt(0.95 * 0.05 / 100)


def test_power_is_no_larger_than_what_is_found():
    """The power of one sample's ranks, foretold from it, against how often others like it fail; of a large error 1."""
    rng, alarm, size = np.random.default_rng(5), 1e-6, 1000
    test = UniformityTest(size=size, draws=DRAWS, alarm=alarm)

    def power(simulate_ranks):
        return np.mean([test.power(simulate_ranks(size)) for _ in range(50)])

    subtle = uniform(rng, shift=0.2)
    failed = [ranks.p_value(subtle(size)["theta"], DRAWS) <= test.limit() for _ in range(200)]
    assert power(subtle) <= np.mean(failed) + 5 * np.sqrt(0.25 / 200)
    assert power(uniform(rng, shift=1.0)) > 0.99


def test_ties_are_put_in_order_at_random():
    """A chain that never leaves the truth, there and back through a logarithm, ranks it evenly."""
    rng, truth = np.random.default_rng(6), np.random.default_rng(7).gamma(2.0, size=4000)
    stuck = np.tile(np.exp(np.log(truth**2) / 2), (DRAWS, 1))
    assert ranks.p_value(ranks.rank(truth, stuck, rng), DRAWS) > 1e-6
