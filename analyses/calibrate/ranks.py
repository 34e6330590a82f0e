"""Are ranks uniform? An exact test, in stages, whose rate of false alarms is proved, not simulated.

Of n sets of data, those in which fewer than j of L draws lie below the truth number Binomial(n, j / (L + 1)). Each of
those p-values is exact; the smallest, times how many there are, bounds what the family of them says by chance.

Stages (after Gandy and Scott 2020): a p above GO_ON passes at once, one below the stage's limit fails, and what lies
between is put to fresh data, twice as many. With limits alarm / stages / GO_ON^s at stage s the chance of failing
at that stage is at most GO_ON^s times that, in all no more than `alarm`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

GO_ON = 0.05
STAGES = 3
ROUNDING = 1e-12  # of a chain that has not left the truth yet, there and back through a logarithm
MORE = 2  # times as many sets of data at each stage


@dataclass(frozen=True, eq=False)
class Judgement:
    """Whether ranks were uniform.

    Attributes
    ----------
    passed : bool
    p : Series
        By quantity, at the last stage; each a bound over its cuts.
    ranks : dict
        Quantity to ndarray (data,), of the first stage; empty where the engine broke down.
    sets : int
        Sets of data in all.
    fault : str
        What else was wrong than uneven ranks.
    """

    passed: bool
    p: pd.Series
    ranks: dict[str, np.ndarray]
    sets: int
    fault: str = ""

    @property
    def smallest(self) -> float:
        """P of all quantities together."""
        return float(min(1.0, len(self.p) * self.p.min()))

    @property
    def worst(self) -> str:
        """The quantity farthest from uniform."""
        return str(self.p.idxmin())


def rank(truth: np.ndarray, draws: np.ndarray, rng) -> np.ndarray:
    """Draws below the truth, (data,); among draws that equal it, but for rounding, the truth takes a random place.

    Parameters
    ----------
    truth : ndarray (data,)
    draws : ndarray (draw, data)
    rng : numpy.random.Generator
    """
    equal = np.isclose(draws, truth, rtol=ROUNDING, atol=0.0)
    return np.sum((draws < truth) & ~equal, axis=0) + rng.integers(np.sum(equal, axis=0) + 1)


def stuck(truth: np.ndarray, draws: np.ndarray) -> float:
    """Share of the sets of data, (data,), in which no draw, (draw, data), is other than the truth."""
    return float(np.mean(np.all(np.isclose(draws, truth, rtol=ROUNDING, atol=0.0), axis=0)))


def p_value(ranks: np.ndarray, draws: int) -> float:
    """Bound on P of ranks on 0..draws so uneven, were they uniform: the smallest over the cuts, times their number."""
    cuts, n = np.arange(1, draws + 1), len(ranks)
    below = np.cumsum(np.bincount(ranks, minlength=draws + 1))[:-1]
    law = stats.binom(n, cuts / (draws + 1))
    return float(min(1.0, 2 * draws * np.minimum(law.cdf(below), law.sf(below - 1)).min()))


def limit(alarm: float, stage: int) -> float:
    """P at or below which a stage fails."""
    return alarm / STAGES / GO_ON**stage


def judge(ranked: Callable, *, size: int, draws: int, alarm: float) -> Judgement:
    """Rank truths among draws until it is clear whether the ranks are uniform.

    Parameters
    ----------
    ranked : callable
        Number of sets of data to the ranks of each quantity, of fresh data each time.
    size : int
        Sets of data at the first stage.
    draws : int
        Among which a truth is ranked.
    alarm : float
        Probability that a correct engine fails, at most.
    """
    first, sets = None, 0
    for stage in range(STAGES):
        found = ranked(size * MORE**stage)
        first, sets = first or found, sets + size * MORE**stage
        p = pd.Series({name: p_value(r, draws) for name, r in found.items()})
        together = len(p) * p.min()
        if together > GO_ON or together <= limit(alarm, stage):
            break
    return Judgement(bool(together > limit(alarm, stage)), p, first, sets)


def power(ranks: dict[str, np.ndarray], *, size: int, draws: int, alarm: float) -> float:
    """Chance that `size` sets of data fail at the first stage, if their ranks fall as these did.

    That of the cut which tells most. Every share is taken nearer to what is right by the half of an interval that holds
    all of them at once with probability 0.99: too small rather than too large.
    """
    cuts = np.arange(1, draws + 1) / (draws + 1)
    share = np.array([np.cumsum(np.bincount(r, minlength=draws + 1))[:-1] / len(r) for r in ranks.values()])
    n = len(next(iter(ranks.values())))
    slack = stats.norm.isf(0.005 / share.size) * np.sqrt(np.maximum(share * (1 - share), 1 / n) / n)
    share = cuts + np.sign(share - cuts) * np.maximum(np.abs(share - cuts) - slack, 0.0)
    return float(_noticed(share, len(ranks), size=size, draws=draws, alarm=alarm).max())


def smallest(quantities: int, *, size: int, draws: int, alarm: float, likely: float = 0.95) -> tuple[float, float]:
    """The error of a posterior that would be noticed with that probability at the first stage.

    Returns
    -------
    shift : float
        Of a normal posterior, in its sds.
    factor : float
        By which its sd is too large. Either is inf where no error would be.
    """
    at = stats.norm.ppf(np.arange(1, draws + 1) / (draws + 1))
    errors = np.geomspace(1e-3, 1e2, 1000)[:, None]
    noticed = [
        _noticed(stats.norm.cdf(moved), quantities, size=size, draws=draws, alarm=alarm).max(axis=-1) > likely
        for moved in (at + errors, at * (1 + errors))
    ]
    shift, factor = (float(errors[found.argmax(), 0]) if found.any() else np.inf for found in noticed)
    return shift, 1 + factor


def _noticed(share, quantities, *, size, draws, alarm):
    """Chance that a cut fails the first stage by itself if so large a share of truths, (..., cut), lies below it."""
    cuts = np.arange(1, draws + 1) / (draws + 1)
    needed = limit(alarm, 0) / quantities / (2 * draws)
    low, high = stats.binom.ppf(needed, size, cuts) - 1, stats.binom.isf(needed, size, cuts)
    return stats.binom.cdf(low, size, share) + stats.binom.sf(high, size, share)
