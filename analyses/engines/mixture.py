"""Marginal posteriors as mixtures over the nodes of a quadrature: mean, sd, distribution function, quantiles.

Nothing here is sampled. Given the scales, b and theta are t or normal and sigma is a root inverse gamma; a function of
the scales alone has its law from the lattice of nodes itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special
from scipy.optimize import elementwise

from analyses.engines.inference_data import QUANTILES
from models.distributions import Numbers

ROOT_TOLERANCES = {"xatol": 2e-16, "xrtol": 4e-16}
PROBABILITIES = QUANTILES | {"q5": 0.05, "q95": 0.95}  # the last two are what agreement asks for
LEVELS = tuple(PROBABILITIES.values())
LEAST_DF_OF_SERIES = 100.0  # of a t: from there on it is computed by its normal image
LEAST_WEIGHT = 1e-15  # of nodes together: with less a distribution function stays what it is
MOST_STEPS = 8  # of Halley's method
FARTHEST = 8.0  # sds that one of its steps goes
LEAST_SHARE = 0.01  # of the heaviest node: those above it tell where a mixture lies
BESIDE = 1e-9  # a level so far above another has its quantile next to that of the other
NEAR_ENOUGH = 1e-6  # share by which a step of Halley's changes the density: the next one would change it by no digit
NEWTON_NEAR_ENOUGH = 1e-9  # the same of a step of Newton's, which doubles the digits
ROOT_2PI = np.sqrt(2 * np.pi)
STEPS_BEYOND = 100  # there a lattice too coarse for a spike at its end comes within 1e-3 of 0 and 1 as well
MOMENT_MARGIN = 0.25  # of an order: a moment that exists by less is not computed


@dataclass(frozen=True, eq=False)
class Mixture:
    """Laws of a vector of quantities.

    Attributes
    ----------
    mean, sd : ndarray (quantity,)
        Nan where a moment does not exist.
    cdf : callable
        (x, which) to P(quantity[which] <= x), elementwise.
    quantile : callable
        Probability to ndarray (quantity,), or probabilities (p,) to (p, quantity) at once.
    """

    mean: np.ndarray
    sd: np.ndarray
    cdf: Callable[[Numbers, np.ndarray], np.ndarray]
    quantile: Callable[[ArrayLike], np.ndarray]


class Named(NamedTuple):
    """A vector of quantities: variable and label of each, and their laws."""

    keys: list[tuple[str, str]]
    law: Mixture


def named(variable: str, law: Mixture, labels: Iterable[str] = ("",)) -> Named:
    """Name the quantities of one variable by their labels."""
    return Named([(variable, label) for label in labels], law)


def table(
    *quantities: Named,
    orders: Mapping[tuple[str, str], float] | None = None,
    probabilities: Mapping[str, float] = PROBABILITIES,
) -> pd.DataFrame:
    """Mean, sd and quantiles of each quantity, by variable and label.

    Parameters
    ----------
    quantities : Named
    orders : mapping, optional
        Order below which moments exist, by variable and label, or by variable and "": nan stands for those that do not.
        All exist where none is given.
    probabilities : mapping, optional
        Name of a column to the probability of its quantile.
    """
    index = pd.MultiIndex.from_tuples(chain(*(keys for keys, _ in quantities)), names=["variable", "label"])
    rows = figures(quantities, orders or {}, list(probabilities.values()))
    return pd.DataFrame(rows, index=index, columns=["mean", "sd", *probabilities])


def figures(
    quantities: Iterable[Named], orders: Mapping[tuple[str, str], float], levels: Sequence[float] = LEVELS
) -> np.ndarray:
    """What a table is made of: mean, sd and quantiles of some levels, (quantity, 2 + level)."""
    rows = np.hstack([np.vstack([law.mean, law.sd, law.quantile(levels)]) for _, law in quantities]).T
    keys = chain(*(keys for keys, _ in quantities))
    order = [orders.get(key, orders.get((key[0], ""), np.inf)) for key in keys]
    highest = np.array(list(map(highest_moment, order)))[:, None]
    rows[:, :2][highest < [1, 2]] = np.nan
    return rows


def highest_moment(order: float) -> int:
    """The higher of the first two moments that exists, 0 if neither does, where those below that order exist."""
    return max((k for k in (1, 2) if order > k + MOMENT_MARGIN), default=0)


def width(table: pd.DataFrame) -> pd.Series:
    """Width of each posterior from its quantiles, which always exist: the sd of a normal with the same quantiles."""
    return (table["q97_5"] - table["q2_5"]) / 4


def spread(table: pd.DataFrame) -> pd.Series:
    """The larger of a posterior's width and its sd; a small mass far away widens only the sd."""
    return np.maximum(width(table), table["sd"].fillna(0.0))


def t_mixture(weight: np.ndarray, location: np.ndarray, scale: np.ndarray, df: float) -> Mixture:
    """Weighted sum of t distributions, normal where df is inf.

    Parameters
    ----------
    weight : ndarray (node,)
    location, scale : ndarray (node, quantity)
    df : float
    """
    mean, sd = _moments(weight, location if df > 1 else np.full_like(location, np.nan), scale**2 * t_inflation(df))
    heavy = _heavy(weight)
    weight, location, scale = weight[heavy], location[heavy], scale[heavy]
    return Mixture(mean, sd, _t_mixture_cdf(weight, location, scale, df), _halley(weight, location, scale, df))


def _t_mixture_cdf(weight, location, scale, df) -> Callable[[Numbers, np.ndarray], np.ndarray]:
    return lambda x, which: weight @ _t_cdf(df, (x - location[:, which]) / scale[:, which])


def _heavy(weight: np.ndarray) -> np.ndarray:
    """Positions of the nodes that a distribution function can tell: all others together weigh LEAST_WEIGHT at most."""
    order = np.argsort(weight)
    return np.sort(order[np.searchsorted(np.cumsum(weight[order]), LEAST_WEIGHT) :])


def _halley(weight, location, scale, df) -> Callable[[ArrayLike], np.ndarray]:
    """Quantile function of a mixture of t by Halley's method, which triples the digits at each step.

    It starts at the quantile of a normal with the moments of the heaviest nodes, or at one found for a level that is
    beside it. What has not converged after MOST_STEPS, or is thrown far out, is found between brackets.
    """
    core = weight > LEAST_SHARE * weight.max()
    share, inverse = weight[core] / weight[core].sum(), 1 / scale
    center = share @ location[core]
    width = np.sqrt(share @ (scale[core] ** 2 + (location[core] - center) ** 2))

    def step(x, level):
        """Step from x, and the share by which it changes the density."""
        z = (x - location) * inverse
        below, density = _t_cdf_and_density(df, z)
        density *= inverse
        off, rate = weight @ below - level, weight @ density
        fall = weight @ (density * inverse * (z if np.isinf(df) else z * ((df + 1) / (df + z * z))))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            move = off / (rate + off * fall / (2 * rate))
            return move, np.abs(move) * (1 / width + np.abs(fall / rate))

    def one(level, x):
        ended, lost = np.zeros(len(x), dtype=bool), np.zeros(len(x), dtype=bool)
        for _ in range(MOST_STEPS):
            move, change = step(x, level)
            lost |= ~ended & ~(np.abs(move) < FARTHEST * width)
            x = np.where(ended | lost, x, x - move)
            ended |= ~lost & (change < NEAR_ENOUGH)
            if (ended | lost).all():
                break
        if not ended.all():
            x[~ended] = _between(weight, location[:, ~ended], scale[:, ~ended], df)(level)
        return x

    def quantile(p):
        levels = np.ravel(p)
        found = np.empty((len(levels), len(width)))
        at = solved = -np.inf
        for i in np.argsort(levels):
            start = at if levels[i] - solved < BESIDE else center + width * special.ndtri(levels[i])
            found[i], solved = (at := one(levels[i], start)), levels[i]
        return found.reshape(*np.shape(p), len(width))

    return quantile


def _t_cdf_and_density(df, z):
    """Distribution function and density of Student's t."""
    if np.isinf(df):
        return special.ndtr(z), np.exp(-0.5 * z * z) / ROOT_2PI
    log = np.log1p(z * z / df)
    constant = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - np.log(df * np.pi) / 2
    below = special.ndtr(_normal_image(df, z, log)) if df > LEAST_DF_OF_SERIES else special.stdtr(df, z)
    return below, np.exp(constant - (df + 1) / 2 * log)


def _normal_image(df, z, log):
    """The normal deviate with the distribution function of a t, `log` being log(1 + z^2 / df) (Hill 1970).

    From 100 degrees of freedom on the three terms are right to 2e-16, in a fifth of the time of the function itself.
    """
    a = df - 0.5
    b, w2 = 48 * a**2, a * log
    series = (((((64 * w2 + 788) * w2 + 9801) * w2 + 89775) * w2 + 543375) * w2 + 1788885) / (210 * b**3)
    series -= (((4 * w2 + 33) * w2 + 240) * w2 + 855) / (10 * b**2)
    series += (w2 + 3) / b + 1
    return np.copysign(np.sqrt(w2), z) * series


def t_inflation(df: float) -> float:
    """Variance of a t over its squared scale; nan where it has none."""
    return 1.0 if np.isinf(df) else df / (df - 2) if df > 2 else np.nan


def t_quantiles(weight: np.ndarray, location: np.ndarray, scale: np.ndarray, df: float, p: float) -> np.ndarray:
    """Quantiles of mixtures of t with different weights: all arrays are (node, quantity)."""

    def excess(x, which):
        return np.sum(weight[:, which] * _t_cdf(df, (x - location[:, which]) / scale[:, which]), axis=0) - p

    components = location + scale * _t_quantile(df, p)
    which = np.arange(location.shape[1])
    top = np.argmax(weight, axis=0), which
    return _root(excess, *_around(components, scale[top]), components[top], scale[top], which)


def _t_cdf(df, x):
    """Distribution function of Student's t."""
    return _t_cdf_and_density(df, x)[0]


def _t_quantile(df, p):
    """Quantile of Student's t."""
    return special.ndtri(p) if np.isinf(df) else special.stdtrit(df, p)


def lattice_mixture(
    weight: np.ndarray,
    u: np.ndarray,
    step: float,
    transform: Callable[[np.ndarray], Numbers],
    inverse: Callable[[Numbers, np.ndarray], Numbers],
    *,
    increasing: bool = True,
) -> Mixture:
    """Monotone functions of u, a quantity known at the nodes of a lattice.

    Parameters
    ----------
    weight, u : ndarray (node,)
        Nodes may share a u.
    step : float
        Of the lattice on which all u lie.
    transform : callable
        u, an array (..., 1), to the quantities, (..., quantity).
    inverse : callable
        (x, which) to the u where quantity[which] is x.
    increasing : bool
        Of all of them; else all decrease.
    """
    below, quantile_of_u = lattice_cdf(weight, u, step), lattice_quantile(weight, u, step)

    def cdf(x, which):
        share = below(inverse(x, which))
        return share if increasing else 1 - share

    def quantile(p):
        return transform(quantile_of_u(p if increasing else 1 - np.asarray(p)))

    return Mixture(*_moments(weight, transform(u[:, None]), 0.0), cdf, quantile)


def lattice_cdf(weight: np.ndarray, u: np.ndarray, step: float) -> Callable[[Numbers], np.ndarray]:
    """Distribution function of a quantity known at the nodes of a lattice; nodes may share a u.

    The trapezoid rule samples a density that is band limited for all that doubles can tell; the distribution function
    of what it sampled is the sum of 1/2 + Si(pi (x - u) / step) / pi.
    """
    weight, nodes = _rows(weight, u, step)
    return lambda x: weight @ (0.5 + special.sici(np.pi * (x - nodes[:, None]) / step)[0] / np.pi)


def lattice_quantile(weight: np.ndarray, u: np.ndarray, step: float) -> Callable[[ArrayLike], np.ndarray]:
    """Quantile function of such a quantity: (p,) to (p, 1), by Newton's method from the nearest nodes.

    What has not converged after MOST_STEPS, or would go farther than to the next node, is found between brackets.
    """
    cdf = lattice_cdf(weight, u, step)
    weight, nodes = _rows(weight, u, step)
    at_nodes, beyond = np.cumsum(weight) - weight / 2, STEPS_BEYOND * step

    def density(x):
        return weight @ np.sinc((x - nodes[:, None]) / step) / step

    def quantile(p):
        level = np.ravel(p).astype(float)
        x = np.interp(level, at_nodes, nodes)
        for _ in range(MOST_STEPS):
            with np.errstate(divide="ignore", invalid="ignore"):
                move = (cdf(x) - level) / density(x)
            ended = np.abs(move) < NEWTON_NEAR_ENOUGH * step
            x = np.where(np.abs(move) < step, x - move, x)
            if ended.all():
                break
        if not ended.all():
            ends = (np.full((~ended).sum(), end) for end in (nodes[0] - beyond, nodes[-1] + beyond, weight @ nodes))
            x[~ended] = _root(lambda x, target: cdf(x) - target, *ends, 1.0, level[~ended])
        return x.reshape(*np.shape(p), 1)

    return quantile


def _rows(weight, u, step) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of the lattice from the first to the last, and their weights."""
    index = np.rint((u - u.min()) / step).astype(int)
    weight = np.bincount(index, weight)
    return weight, u.min() + step * np.arange(len(weight))


def _between(weight, location, scale, df) -> Callable[[float], np.ndarray]:
    """Quantile function of a mixture of t: a quantile lies between the extreme ones of the components."""
    near = np.argmax(weight)  # not the mean, which may not exist
    cdf, which = _t_mixture_cdf(weight, location, scale, df), np.arange(location.shape[1])

    def quantile(level):
        components = location + scale * _t_quantile(df, level)
        ends = _around(components, scale[near])
        return _root(lambda x, i: cdf(x, i) - level, *ends, components[near], scale[near], which)

    return quantile


def _around(components, width):
    """Ends between which a mixture's quantiles lie, from those of its components, (node, quantity).

    Wider by a little, as all components may have the same; if need be by the last places of a number that far from 0.
    """
    slack = 1e-6 * width + 4 * np.spacing(np.abs(components).max(axis=0))
    return components.min(axis=0) - slack, components.max(axis=0) + slack


def _moments(weight, means, variances) -> tuple[np.ndarray, np.ndarray]:
    near = means[np.argmax(weight)]  # what all nodes share is not summed: it would cost its digits
    mean = near + weight @ (means - near)
    return mean, np.sqrt(weight @ (variances + (means - mean) ** 2))


def _root(f, low, high, center, width, *args):
    """Where f changes its sign between low and high, to the rounding of a number that far from the center.

    Searched in the inverse hyperbolic sine, as ends may be astronomically far.
    """

    def scaled(t, center, width, *args):
        return f(center + np.sinh(t) * width, *args)

    ends = np.arcsinh((low - center) / width), np.arcsinh((high - center) / width)
    root = elementwise.find_root(scaled, ends, args=(center, width, *args), tolerances=ROOT_TOLERANCES)
    if not root.success.all():
        raise RuntimeError("the distribution function of a mixture does not cross the probability between its ends")
    return center + np.sinh(root.x) * width
