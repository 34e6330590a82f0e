"""Marginal posteriors as mixtures over the nodes of a quadrature: mean, sd, distribution function, quantiles.

Nothing here is sampled. Given the scales, b and theta are t or normal and sigma is a root inverse gamma; a function of
the scales alone has its law from the lattice of nodes itself.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.optimize import elementwise


@dataclass(frozen=True, eq=False)
class Mixture:
    """Laws of a vector of quantities.

    Attributes
    ----------
    mean, sd : ndarray (quantity,)
    cdf : callable
        (x, which) to P(quantity[which] <= x), elementwise.
    quantile : callable
        Probability to ndarray (quantity,).
    """

    mean: np.ndarray
    sd: np.ndarray
    cdf: Callable
    quantile: Callable


def t_mixture(weight, location, scale, df) -> Mixture:
    """Weighted sum of t distributions, normal where df is inf.

    Parameters
    ----------
    weight : ndarray (node,)
    location, scale : ndarray (node, quantity)
    df : float
    """
    normal = np.isinf(df)

    def cdf(x, which):
        z = (x - location[:, which]) / scale[:, which]
        return weight @ (special.ndtr(z) if normal else special.stdtr(df, z))

    def component(p):
        return location + scale * (special.ndtri(p) if normal else special.stdtrit(df, p))

    variance = scale**2 * (1.0 if normal else df / (df - 2))
    return _mixture(weight, location, variance, cdf, component)


def root_inverse_gamma_mixture(weight, factor, shape, scale) -> Mixture:
    """Weighted sum of factor sqrt(x), x ~ InverseGamma(shape, scale); factor and scale (node,)."""
    squared = (factor**2 * scale)[:, None]
    excess = _root_excess(shape - 1)

    def cdf(x, which):
        return weight @ special.gammaincc(shape, squared / x**2)

    def component(p):
        return np.sqrt(squared / special.gammainccinv(shape, p))

    second = squared / (shape - 1)
    return _mixture(weight, np.sqrt(second / (1 + excess)), second * excess / (1 + excess), cdf, component)


def _root_excess(c):
    """E x / (E sqrt x)^2 - 1 for x ~ InverseGamma(c + 1, .): (Gamma(c + 1) / (sqrt(c) Gamma(c + 1/2)))^2 - 1.

    From log gamma functions it cancels as c grows; there the series in 1/c of that ratio takes over.
    """
    if c < 30:
        root = np.expm1(special.gammaln(c + 1) - special.gammaln(c + 0.5) - np.log(c) / 2)
    else:
        root = np.polyval([869 / 4194304, 399 / 262144, -21 / 32768, -5 / 1024, 1 / 128, 1 / 8, 0.0], 1 / c)
    return root * (2 + root)


def lattice_mixture(weight, u, step, transform, inverse, *, increasing=True) -> Mixture:
    """Monotone functions of u, a quantity known at equally spaced nodes.

    The trapezoid rule samples a density that is band limited for all that doubles can tell; the distribution function
    of what it sampled is the sum of 1/2 + Si(pi (x - u) / step) / pi.

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
    index = np.rint((u - u.min()) / step).astype(int)
    weight, nodes = np.bincount(index, weight), u.min() + step * np.arange(index.max() + 1)[:, None]

    def below(x):
        return weight @ (0.5 + special.sici(np.pi * (x - nodes) / step)[0] / np.pi)

    def cdf(x, which):
        at = below(inverse(x, which))
        return at if increasing else 1 - at

    def quantile(p):
        target = p if increasing else 1 - p
        return transform(_root(lambda x: below(x) - target, nodes[0], nodes[-1]))

    values = transform(nodes)
    return Mixture(*_moments(weight, values, 0.0), cdf, quantile)


def _mixture(weight, means, variances, cdf, component) -> Mixture:
    """Mix laws of these means, variances and quantiles; a quantile of the mixture lies between the extreme ones."""

    def quantile(p):
        each = component(p)
        which = np.arange(each.shape[1])
        return _root(lambda x, i: cdf(x, i) - p, each.min(axis=0), each.max(axis=0), which)

    return Mixture(*_moments(weight, means, variances), cdf, quantile)


def _moments(weight, means, variances):
    mean = weight @ means
    return mean, np.sqrt(weight @ (variances + (means - mean) ** 2))


def _root(f, low, high, *args):
    return elementwise.find_root(f, (low, high), args=args, tolerances={"xrtol": 4e-16, "xatol": 0.0}).x
