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
    p : Series
        By quantity, at the last stage; each a bound over its cuts.
    ranks : dict
        Quantity to ndarray (data,), of the first stage; empty where the engine broke down.
    sets : int
        Sets of data in all.
    limit : float
        P of all quantities together at or below which ranks are not uniform.
    fault : str
        What else was wrong than uneven ranks.
    """

    p: pd.Series
    ranks: dict[str, np.ndarray]
    sets: int
    limit: float
    fault: str = ""

    @property
    def passed(self) -> bool:
        """Whether the ranks are taken to be uniform."""
        return bool(self.bound > self.limit)

    @property
    def bound(self) -> float:
        """The smallest P times the number of quantities, which may exceed 1."""
        return len(self.p) * self.p.min()

    @property
    def smallest(self) -> float:
        """P of all quantities together."""
        return float(min(1.0, self.bound))

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
    equal = _equal(truth, draws)
    return np.sum((draws < truth) & ~equal, axis=0) + rng.integers(np.sum(equal, axis=0) + 1)


def share_stuck(truth: np.ndarray, draws: np.ndarray) -> float:
    """Share of the sets of data, (data,), in which no draw, (draw, data), is other than the truth."""
    return float(np.mean(np.all(_equal(truth, draws), axis=0)))


def _equal(truth, draws):
    return np.isclose(draws, truth, rtol=ROUNDING, atol=0.0)


def p_value(ranks: np.ndarray, draws: int) -> float:
    """Bound on P of ranks on 0..draws so uneven, were they uniform: the smallest over the cuts, times their number."""
    below, law = _below_cuts(ranks, draws), stats.binom(len(ranks), _cuts(draws))
    return float(min(1.0, 2 * draws * np.minimum(law.cdf(below), law.sf(below - 1)).min()))


def p_values(ranks: dict[str, np.ndarray], draws: int) -> pd.Series:
    """P of each quantity by itself."""
    return pd.Series({name: p_value(r, draws) for name, r in ranks.items()})


def _cuts(draws):
    """Share of truths below each possible rank, were ranks uniform."""
    return np.arange(1, draws + 1) / (draws + 1)


def _below_cuts(ranks, draws):
    """Number of truths below each possible rank."""
    return np.cumsum(np.bincount(ranks, minlength=draws + 1))[:-1]


@dataclass(frozen=True)
class DetectableError:
    """Error of a normal posterior that would be noticed; inf where none would be.

    Attributes
    ----------
    shift : float
        In its sds.
    factor : float
        By which its sd is too large.
    """

    shift: float
    factor: float


@dataclass(frozen=True)
class UniformityTest:
    """The test of ranks.

    Parameters
    ----------
    size : int
        Sets of data at the first stage.
    draws : int
        Among which a truth is ranked.
    alarm : float
        Probability that a correct engine fails, at most.
    """

    size: int
    draws: int
    alarm: float

    def limit(self, stage: int = 0) -> float:
        """P at or below which a stage fails."""
        return self.alarm / STAGES / GO_ON**stage

    def judge(self, simulate_ranks: Callable[[int], dict[str, np.ndarray]]) -> Judgement:
        """Rank truths among draws until it is clear whether the ranks are uniform.

        Parameters
        ----------
        simulate_ranks : callable
            Number of sets of data to the ranks of each quantity, of fresh data each time.
        """
        first, total = {}, 0
        for stage in range(STAGES):
            size = self.size * MORE**stage
            ranks = simulate_ranks(size)
            first = first or ranks
            total += size
            judgement = Judgement(p_values(ranks, self.draws), first, total, self.limit(stage))
            if judgement.bound > GO_ON or not judgement.passed:
                break
        return judgement

    def power(self, ranks: dict[str, np.ndarray]) -> float:
        """Chance that the first stage fails, if ranks fall as these did.

        That of the cut which tells most. Every share is taken nearer to what is right by the half of an interval that
        holds all of them at once with probability 0.99: too small rather than too large.
        """
        cuts, n = _cuts(self.draws), len(next(iter(ranks.values())))
        share = np.array([_below_cuts(r, self.draws) / n for r in ranks.values()])
        slack = stats.norm.isf(0.005 / share.size) * np.sqrt(np.maximum(share * (1 - share), 1 / n) / n)
        share = cuts + np.sign(share - cuts) * np.maximum(np.abs(share - cuts) - slack, 0.0)
        return float(self._power_of_cut(share, len(ranks)).max())

    def detectable_error(self, quantities: int, *, probability: float = 0.95) -> DetectableError:
        """The error of a posterior that would be noticed with that probability at the first stage."""
        positions = stats.norm.ppf(_cuts(self.draws))
        errors = np.geomspace(1e-3, 1e2, 1000)[:, None]

        def smallest(moved):
            noticed = self._power_of_cut(stats.norm.cdf(moved), quantities).max(axis=-1) > probability
            return float(errors[noticed.argmax(), 0]) if noticed.any() else np.inf

        return DetectableError(smallest(positions + errors), 1 + smallest(positions * (1 + errors)))

    def _power_of_cut(self, share, quantities):
        """Chance that a cut by itself fails the first stage, with this share of truths, (..., cut), below it."""
        cuts, needed = _cuts(self.draws), self.limit() / quantities / (2 * self.draws)
        low, high = stats.binom.ppf(needed, self.size, cuts) - 1, stats.binom.isf(needed, self.size, cuts)
        return stats.binom.cdf(low, self.size, share) + stats.binom.sf(high, self.size, share)
