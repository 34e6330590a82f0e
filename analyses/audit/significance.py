"""How many independent draws the draws of a file are worth, and how rare a deviation of theirs is.

Two kinds of slow chains are allowed for:

- chains that move slowly everywhere show it in their autocorrelation, and so in their effective sample sizes. A size n
  is itself an estimate; its relative variance is that of a chi-square with n / PER_DEGREE degrees of freedom, so a
  deviation in estimated standard errors is compared with Student's t;
- chains that rarely enter a tail and stay there long show it in the number of their visits. A file with few visits, or
  none, has an autocorrelation that says nothing of it. Where a chain's being in the tail is a Markov chain, the times
  of v visits and the times between them are v geometric variables each, so that the odds of being in the tail, over
  the exact ones, are a ratio of two gamma variables: F.

A share of draws counts as different only if it is rare by both. All figures of a file use one size, the smallest:
whatever is slow in one quantity can move every other.
"""

import numpy as np
import pandas as pd
from scipy import special, stats

from analyses.checks.agreement import FALSE_ALARM, SHARES
from models.distributions import Numbers

PER_DEGREE = 10  # effective draws a degree of freedom: 7 to 9 for autoregressions of 110 to 3,000 effective draws
SHORTEST = 1e-3  # least squared coefficient of variation of a time: visits of a single draw have none


def visits(draws: np.ndarray, table: pd.DataFrame) -> pd.DataFrame:
    """Count how often draws (quantity, chain, draw) go from the other side of the median into each tail and back.

    Parameters
    ----------
    table : DataFrame
        Exact quantiles, a row a quantity.

    Returns
    -------
    DataFrame
        A column for each share of draws; of the median, how often it is crossed, and back.
    """
    low, middle, high = (table[q].to_numpy()[:, None, None] for q in ("q5", "q50", "q95"))
    below = draws <= middle
    trips = {"below_q5": (draws <= low, ~below), "below_q50": (below, ~below), "below_q95": (draws > high, below)}
    return pd.DataFrame({name: _round_trips(*sides) for name, sides in trips.items()}, table.index)


def _round_trips(inside, opposite):
    """Half the number of changes of side within chains; what lies between the sides counts as the side before."""
    side = inside.astype(int) - opposite
    last = np.maximum.accumulate(np.where(side != 0, np.arange(side.shape[-1]), 0), axis=-1)
    side = np.take_along_axis(side, last, axis=-1)
    return np.sum(side[..., 1:] * side[..., :-1] < 0, axis=(-2, -1)) / 2


def visits_a_draw(p: Numbers) -> Numbers:
    """Expected visits to a tail of that probability, for each independent draw.

    Of the draws a share p + 1/2 is in the tail or beyond the median, p / (p + 1/2) of these in the tail; of two in a
    row the first is in the tail and the second is not with probability q (1 - q).
    """
    p = np.minimum(p, 1 - p)
    return p / (2 * p + 1)


def size_of_visits(visits: Numbers, p: Numbers, draws: int) -> Numbers:
    """Effective size of the share of a two-state Markov chain with that many visits.

    With b the visits over those of independent draws, its autocorrelation is 1 - b, and the size n b / (2 - b).
    """
    b = np.minimum(visits / (draws * visits_a_draw(p)), 1)
    return draws * b / (2 - b)


def limit(tests: int, size: float) -> float:
    """Largest deviation, in standard errors from an estimated size, that so many tests exceed with FALSE_ALARM."""
    return float(stats.t.isf(FALSE_ALARM / (2 * tests), max(size, 1) / PER_DEGREE))


def probability(deviation: float, size: float) -> float:
    """Chance that one test deviates by so many standard errors from an estimated size, or more."""
    return float(2 * stats.t.sf(deviation, max(size, 1) / PER_DEGREE))


def deviate(share: Numbers, p: Numbers, size: Numbers) -> np.ndarray:
    """Normal deviate as rare as a share of so many draws: a binomial's tails near 5% are not a normal's."""
    n = np.maximum(np.floor(size), 1)
    k = share * n
    return _normal_deviate(share > p, special.betainc(k, n - k + 1, p), special.betaincc(k + 1, n - k, p))


def deviate_of_visits(share: Numbers, p: Numbers, visits: Numbers, draws: int) -> np.ndarray:
    """Normal deviate as rare as the odds of a share by F; 0 without a visit, which says nothing."""
    inside, odds = share * draws, share / (1 - share) / (p / (1 - p))
    spread = [np.maximum(1 - visits / time, SHORTEST) for time in (inside, draws - inside)]  # 1 - 1/mean, if geometric
    degrees = [2 * visits / squared for squared in spread]
    z = _normal_deviate(share > p, stats.f.sf(odds, *degrees), stats.f.cdf(odds, *degrees))
    return np.where(visits > 0, z, 0.0)


def _normal_deviate(is_upper, above, below) -> np.ndarray:
    """Normal deviate of a figure from the probabilities of as large and of as small a one."""
    return np.where(is_upper, -special.ndtri(above), special.ndtri(below))


def smallest(p: float, size: float, draws: int, most: float, likely: float) -> float:
    """How far a share has to be off, towards one half, to go beyond the limit with probability `likely`."""
    p, n = min(p, 1 - p), max(int(size), 1)
    visits, least, beyond = worth(p, size, draws), int(n * p) + 1, n
    while least < beyond:  # deviates grow with the share
        k = (least + beyond) // 2
        z = min(deviate(k / n, p, n), deviate_of_visits(k / n, p, visits, draws))
        least, beyond = (least, k) if z > most else (k + 1, beyond)
    return special.betaincinv(least, n - least + 1, likely) - p


def worth(p: Numbers, size: float, draws: int) -> Numbers:
    """Visits that give an effective size: the inverse of `size_of_visits`."""
    return draws * visits_a_draw(p) * 2 * size / (draws + size)


PROBABILITY = {name: p for name, (_, p) in SHARES.items()}
