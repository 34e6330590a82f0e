"""Marginal posteriors as mixtures over the nodes of a quadrature: mean, sd, distribution function, quantiles.

Nothing here is sampled. Given the scales, b and theta are t or normal and sigma is a root inverse gamma; a function of
the scales alone has its law from the lattice of nodes itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
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
MOST_DF_OF_T = 1e6  # from there on a t is computed by its normal image
LEAST_SHAPE_NORMAL = 30.0  # of a gamma variable, from which on its log is about normal
MOST_STEP_IN_SDS = 0.35  # step times the root of the shape: the kernel's sd is 1.4 steps
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
    levels = list(probabilities.values())
    columns = [np.vstack([law.mean, law.sd, law.quantile(levels)]) for _, law in quantities]
    index = pd.MultiIndex.from_tuples(chain(*(keys for keys, _ in quantities)), names=["variable", "label"])
    rows = pd.DataFrame(np.hstack(columns).T, index=index, columns=["mean", "sd", *probabilities])
    orders = orders or {}
    order = [orders.get(key, orders.get((key[0], ""), np.inf)) for key in rows.index]
    highest = np.array(list(map(highest_moment, order)))
    return rows.assign(mean=rows["mean"].where(highest >= 1), sd=rows["sd"].where(highest >= 2))


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

    def cdf(x, which):
        return weight @ _t_cdf(df, (x - location[:, which]) / scale[:, which])

    def component(p):
        return location + scale * _t_quantile(df, p)

    mean, sd = _moments(weight, location if df > 1 else np.full_like(location, np.nan), scale**2 * t_inflation(df))
    return Mixture(mean, sd, cdf, _mixture_quantile(weight, cdf, component))


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
    """Distribution function of Student's t; of many degrees of freedom by its normal image."""
    if df < MOST_DF_OF_T:
        return special.stdtr(df, x)
    # Abramowitz and Stegun 26.7.8, off by 0.084 / df^2 at most: 1e-13. It takes a tenth of the time.
    return special.ndtr(x if np.isinf(df) else x * (1 - 1 / (4 * df)) / np.sqrt(1 + x**2 / (2 * df)))


def _t_quantile(df, p):
    """Quantile of Student's t."""
    if df < MOST_DF_OF_T:
        return special.stdtrit(df, p)
    z = special.ndtri(p)
    return z if np.isinf(df) else z / np.sqrt((1 - 1 / (4 * df)) ** 2 - z**2 / (2 * df))


def root_inverse_gamma_mixture(weight: np.ndarray, shape: float, scale: np.ndarray) -> Mixture:
    """Weighted sum of sqrt(x), x ~ InverseGamma(shape, scale); scale (node,). Its quantiles are found in the log."""

    def cdf_of_log(u, which):
        return weight @ special.gammaincc(shape, scale[:, None] * np.exp(-2 * u))

    def component(p):
        return np.log(scale[:, None] / special.gammainccinv(shape, p)) / 2

    quantile = _mixture_quantile(weight, cdf_of_log, component)
    mean, sd = root_moments(weight, shape, scale)
    return Mixture(mean, sd, lambda x, which: cdf_of_log(np.log(x), which), lambda p: np.exp(quantile(p)))


def root_moments(weight: np.ndarray, shape: float, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and sd of a weighted sum of sqrt(x), x ~ InverseGamma(shape, scale); scale (node,)."""
    if shape <= 1:
        ratio = np.exp(special.gammaln(shape - 0.5) - special.gammaln(shape)) if shape > 0.5 else np.nan
        return weight @ (np.sqrt(scale[:, None]) * ratio), np.array([np.nan])
    excess, second = _root_excess(shape - 1), scale[:, None] / (shape - 1)
    return _moments(weight, np.sqrt(second / (1 + excess)), second * excess / (1 + excess))


def product_mixture(weight: np.ndarray, squared: np.ndarray, step: float, shape: float) -> Mixture:
    """Law of exp(y) / sqrt(g), exp(2 y) known at the nodes of a lattice in y, and g ~ Gamma(shape) independent of it.

    Given y its log has an sd of about 1 / (2 sqrt(shape)). Where the nodes lie closer than that, the sum over them is
    smooth, and exact. Else it is a staircase. But in the log it is a sum of two independent terms, so characteristic
    functions multiply: that of y is the trapezoid rule's, good up to the frequency pi / step and nothing beyond, and
    that of -log(g) / 2 as well, on nodes apart. Gil-Pelaez inverts the product.
    """
    mean, sd = root_moments(weight, shape, squared)
    y = np.log(squared) / 2
    # A normal kernel of sd s makes the trapezoid rule err by exp(-2 pi^2 s^2 / step^2), here 2e-18. A gamma variable of
    # small shape is far from normal: its transform, falling only like exp(-pi w / 4), would have to be followed farther
    # than its nodes tell it.
    if shape < LEAST_SHAPE_NORMAL or step * np.sqrt(shape) < MOST_STEP_IN_SDS:
        return replace(root_inverse_gamma_mixture(weight, shape, np.exp(2 * y)), mean=mean, sd=sd)
    log_g, share = _log_gamma_nodes(shape)
    low, high, center = y.min() - log_g[-1] / 2, y.max() - log_g[0] / 2, weight @ y - share @ log_g / 2
    period = 2 * (high - low)
    most = min(np.pi / step, 2 * np.pi / (log_g[1] - log_g[0]))  # past either there are only images of what is below
    half = np.arange(0.5, period * most / (2 * np.pi))  # odd multiples of half the frequency whose period that is
    frequency = 2 * np.pi * half / period
    transform = np.exp(1j * np.multiply.outer(frequency, y - weight @ y)) @ weight
    transform *= np.exp(-0.5j * np.multiply.outer(frequency, log_g - share @ log_g)) @ share

    def cdf_of_log(x):
        wave = np.exp(-1j * np.multiply.outer(np.ravel(x) - center, frequency)) * transform
        return 0.5 - (wave.imag / half).sum(axis=-1) / np.pi

    quantile_of_log = _inverse(cdf_of_log, low, high, center)
    return Mixture(mean, sd, lambda x, which: cdf_of_log(np.log(x)), lambda p: np.exp(quantile_of_log(p)))


def _log_gamma_nodes(shape):
    """Nodes and weights of the trapezoid rule for the log of a Gamma(shape) variable, a third of its sd apart."""
    step = 0.3 / np.sqrt(shape)
    low, high = np.log(special.gammaincinv(shape, 1e-20)), np.log(special.gammainccinv(shape, 1e-20))
    t = np.arange(low, high + step, step)
    height = shape * (t - np.log(shape)) - np.exp(t) + shape
    share = np.exp(height - height.max())
    return t, share / share.sum()


def _root_excess(c):
    """E x / (E sqrt x)^2 - 1 for x ~ InverseGamma(c + 1, .): (Gamma(c + 1) / (sqrt(c) Gamma(c + 1/2)))^2 - 1.

    From log gamma functions it cancels as c grows; there the series in 1/c of that ratio takes over.
    """
    if c < 30:
        root = np.expm1(special.gammaln(c + 1) - special.gammaln(c + 0.5) - np.log(c) / 2)
    else:
        root = np.polyval([869 / 4194304, 399 / 262144, -21 / 32768, -5 / 1024, 1 / 128, 1 / 8, 0.0], 1 / c)
    return root * (2 + root)


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
    below, beyond = lattice_cdf(weight, u, step), STEPS_BEYOND * step
    quantile_of_u = _inverse(below, u.min() - beyond, u.max() + beyond, weight @ u)

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
    index = np.rint((u - u.min()) / step).astype(int)
    weight, nodes = np.bincount(index, weight), u.min() + step * np.arange(index.max() + 1)[:, None]
    return lambda x: weight @ (0.5 + special.sici(np.pi * (x - nodes) / step)[0] / np.pi)


def _inverse(cdf, low, high, center) -> Callable:
    """Quantile function of one quantity that lies between two ends."""

    def quantile(p):
        target = np.ravel(p).astype(float)
        ends = (np.full(len(target), end) for end in (low, high, center))
        x = _root(lambda x, target: cdf(x) - target, *ends, 1.0, target)
        return x.reshape(*np.shape(p), 1)

    return quantile


def _mixture_quantile(weight, cdf, component) -> Callable:
    """Quantile function of a mixture: a quantile lies between the extreme ones of the components."""
    near = np.argmax(weight)  # not the mean, which may not exist

    def quantile(p):
        levels, width = np.ravel(p), (component(0.75) - component(0.25))[near]
        components = np.concatenate([component(level) for level in levels], axis=1)
        which, target = np.tile(np.arange(len(width)), len(levels)), np.repeat(levels, len(width))
        start, width_of_each = components[near], width[which]
        ends = _around(components, width_of_each)
        x = _root(lambda x, i, target: cdf(x, i) - target, *ends, start, width_of_each, which, target)
        return x.reshape(*np.shape(p), len(width))

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
