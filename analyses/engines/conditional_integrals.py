"""The likelihood of a count with theta integrated out, for many populations at once.

    I_i(m, tau) = integral L_i(t) N(t | m, tau^2) dt

Three rules, by how wide the population is. Beside a narrow one the likelihood is smooth: Gauss and Hermite's rule. Else
the trapezoid rule on a lattice of t that groups share, so that all integrals of one tau are a product of two matrices,
L_i(t) and N(t | m, tau^2). Where that underflows, as of a group that no population foretells, the trapezoid rule about
the mode of each integrand.

An integrand is log-concave. Its log falls from its mode by

    x^2 / (2 tau^2) + c (exp(-x) - 1 + x)

at least on the way to mode + x, for both signs of x, where c is the curvature of the log likelihood at the mode: over a
distance x that curvature changes by a factor of exp(x) at most. So the ends of the rules are known before they run.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from analyses.engines.line import Line
from models.conditional_mode import mode
from models.distributions import LOG_2PI, Numbers
from models.groups.counted import Counted

DEPTH = 34.0  # e^-34 of the top is 2e-15
LENGTH = 3.0  # units of theta beyond which steps grow, for a population of sd 0
STEP = 0.5  # sds of the integrand, were it normal with the curvature of its mode
# A Poisson likelihood is analytic up to pi / 2 off the real line, so the rule errs by exp(-pi^2 / step): by 1e-16.
MOST_STEP = 0.27
# Nodes of Hermite's rule, by how much the log likelihood changes over an sd of the population. It bends over a unit.
HERMITE = {0.01: 4, 0.1: 8, 0.5: 16}
NODES_OF_EACH = 500  # of a rule about each mode, by what they cost: a shared lattice of more is not worth it
# A polynomial of degree 11 through points that are 1/8 apart follows exp(m), or log(1 + exp(m)), to 1e-14 of it. A wide
# population leaves nothing of the likelihood that is narrower.
POINTS_OF_POLYNOMIAL, SPACING = 12, 0.125
LEAST_POINTS = 48  # of a table: two an sd of x'b, over 24 of them
OF_LIKELIHOOD = 6  # exponentials that a log likelihood costs as much as
LEAST_LOG = -500.0  # of an integral: a smaller one may have underflowed in part
BLOCK_ENTRIES = 2_000_000


def reach(curvature: np.ndarray, tau: np.ndarray, depth: float = DEPTH) -> np.ndarray:
    """A distance from the mode at which the log of the integrand has fallen by `depth` at least, on both sides.

    exp(-x) - 1 + x is at least x^2 / (2 + x), which is solved for x from above.
    """
    x = tau * np.sqrt(2 * depth)
    for _ in range(4):
        x = np.sqrt(depth / (0.5 * tau**-2.0 + curvature / (2 + x)))
    return x


@dataclass(frozen=True, eq=False)
class Tabulated:
    """log I_i(m, tau) of one tau as a function of m: a polynomial between the points of a table.

    Attributes
    ----------
    low, spacing : ndarray (J,)
        First m of each group's table, and the distance to the next.
    values : ndarray (point, J)
    """

    low: np.ndarray
    spacing: np.ndarray
    values: np.ndarray

    @classmethod
    def between(cls, groups: Counted, low: np.ndarray, high: np.ndarray, tau: float, fineness: float) -> "Tabulated":
        """Tabulate from low to high (J,)."""
        size = int(np.ceil(max((high - low).max() / (SPACING * (1 + tau)), LEAST_POINTS) * fineness))
        spacing = (high - low) / (size - 1)
        m = low + spacing * np.arange(size)[:, None]
        return cls(low, spacing, log_integrals(groups, m, tau, fineness))

    def at(self, m: np.ndarray) -> np.ndarray:
        """Values (node, J) at m (node, J)."""
        columns = [
            polynomial(v, (x - low) / apart)
            for v, x, low, apart in zip(self.values.T, m.T, self.low, self.spacing, strict=True)
        ]
        return np.stack(columns, axis=1)


def polynomial(values: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Values (node, ...) at positions (node,), between values (point, ...) at 0, 1, ...

    Between two points it is the polynomial through those around them.
    """
    size = min(POINTS_OF_POLYNOMIAL, len(values))
    first = np.clip(np.floor(position).astype(int) - (size // 2 - 1), 0, len(values) - size)
    shares = lagrange(position - first, size)
    return np.einsum("xj,xj...->x...", shares, values[first[:, None] + np.arange(size)])


def lagrange(x: np.ndarray, size: int) -> np.ndarray:
    """Values (node, size) at x (node,) of the polynomials that are 1 at one of 0, 1, ... and 0 at the others."""
    nodes = np.arange(size)
    off = x[:, None] - nodes
    one = np.ones((len(x), 1))
    before = np.cumprod(np.hstack([one, off[:, :-1]]), axis=1)
    after = np.cumprod(np.hstack([one, off[:, :0:-1]]), axis=1)[:, ::-1]
    return before * after / _products(size)


@cache
def _products(size: int) -> np.ndarray:
    """Products of j - k over all k but j, for each j."""
    return np.array([np.prod([j - k for k in range(size) if k != j], dtype=float) for j in range(size)])


def length(tau: Numbers) -> Numbers:
    """Distance from a mode beyond which steps may grow: where a likelihood with no peak bends, they must not."""
    return LENGTH * (1 + np.log1p(tau))


def log_integrals(groups: Counted, m: np.ndarray, tau: float, fineness: float = 1.0) -> np.ndarray:
    """Log of I_i(m, tau) for one tau, the supremum of L_i being 1.

    Parameters
    ----------
    groups : Counted
        J groups.
    m : ndarray (node, J) or (node, 1)
    tau : float
    fineness : float
        Shortens the steps.

    Returns
    -------
    ndarray (node, J)
    """
    rule = np.searchsorted(list(HERMITE), _change(groups, m, tau))
    logs = np.empty((len(m), len(groups)))
    for each in np.unique(rule):
        some = np.flatnonzero(rule == each)
        part, of_m = groups.subset(some), m if m.shape[1] == 1 else m[:, some]
        if each < len(HERMITE):
            logs[:, some] = _by_hermite(list(HERMITE.values())[each], part, of_m, tau)
        else:
            logs[:, some] = _on_shared_lattices(part, of_m, tau, fineness)
    return logs


def _change(groups, m, tau) -> np.ndarray:
    """How much the log likelihood changes over an sd of the population, by slope or curvature, or as it bends, (J,).

    It is looked at three sds around as well: a likelihood that is level at m may bend there.
    """
    around = np.concatenate([m.min(axis=0, keepdims=True) - 3 * tau, m, m.max(axis=0, keepdims=True) + 3 * tau])
    slope, curvature = np.abs(groups.slope(around)).max(axis=0), groups.curvature(around).max(axis=0)
    return tau * np.maximum(np.maximum(slope, np.sqrt(curvature)), 1.0)


def _of(m, groups):
    """The m of some groups, where they differ."""
    return m if m.shape[1] == 1 else m[:, groups]


def _by_hermite(nodes, groups, m, tau) -> np.ndarray:
    """Gauss and Hermite's rule, for populations beside which the likelihood is smooth."""
    z, weight = np.polynomial.hermite_e.hermegauss(nodes)
    weight = weight / np.sqrt(2 * np.pi)
    at_m = groups.log_likelihood(m)
    total = np.zeros_like(at_m)
    for off, share in zip(z, weight, strict=True):
        total += share * np.exp(groups.log_likelihood(m + tau * off) - at_m)
    return at_m + np.log(total)


def _on_shared_lattices(groups, m, tau, fineness) -> np.ndarray:
    """The trapezoid rule on lattices of t, each for the groups whose integrands are about as narrow."""
    ends = np.stack([m.min(axis=0), m.max(axis=0)])
    top = mode(groups, ends, np.asarray(tau))
    away, at = reach(top.curvature, np.asarray(tau)), ends + top.off
    low, high = (at - away).min(axis=0), (at + away).max(axis=0)
    steps = np.minimum(STEP / np.sqrt(tau**-2.0 + top.curvature.max(axis=0)), MOST_STEP) / fineness
    octave = np.floor(np.log2(steps))
    logs = np.full((len(m), len(groups)), np.nan)
    for each in np.unique(octave):
        some = np.flatnonzero(octave == each)
        part, of_m, centers = groups.subset(some), _of(m, some), at[:, some].mean(axis=0)
        line = Line(centers.mean(), max(length(tau), 2 * np.ptp(centers)), steps[some].min())
        ends_of_line = low[some].min(), high[some].max()
        if line.count(*ends_of_line) * (of_m.size + OF_LIKELIHOOD * some.size) < NODES_OF_EACH * len(m) * some.size:
            logs[:, some] = _on_line(line.between(*ends_of_line), part, of_m, tau)
    lost = np.flatnonzero(~(logs > LEAST_LOG).all(axis=0))
    if lost.size:
        logs[:, lost] = about_each_mode(groups.subset(lost), _of(m, lost), tau, fineness)
    return logs


def _on_line(line, groups, m, tau) -> np.ndarray:
    t, stretch = line.points, np.exp(line.log_stretch)
    likelihood = np.exp(groups.log_likelihood(t[:, None])) * stretch[:, None]
    with np.errstate(divide="ignore", under="ignore"):
        if m.shape[1] == 1:
            total = np.exp(-(((t - m) / tau) ** 2) / 2) @ likelihood
        else:
            parts = np.array_split(np.arange(len(m)), m.size * t.size // BLOCK_ENTRIES + 1)
            total = np.concatenate(
                [
                    np.einsum("nrt,tr->nr", np.exp(-(((t - m[part, :, None]) / tau) ** 2) / 2), likelihood)
                    for part in parts
                ]
            )
        return np.log(total * (line.step / tau)) - LOG_2PI / 2


def about_each_mode(groups: Counted, m: np.ndarray, tau: Numbers, fineness: float = 1.0) -> np.ndarray:
    """Compute `log_integrals` by the trapezoid rule about the mode of each integrand: slowly, and always.

    `tau` may be an array (node, 1).
    """
    m = np.broadcast_to(m, (len(m), len(groups)))
    top = mode(groups, m, np.asarray(tau))
    straight = length(tau)
    bent = straight * np.arcsinh(reach(top.curvature, np.asarray(tau)) / straight)
    step = np.minimum(STEP / np.sqrt(tau**-2.0 + top.curvature), MOST_STEP) / fineness
    half = int(np.ceil((bent / step).max()))

    def height(off):
        return groups.log_likelihood(m + off) - (off / tau) ** 2 / 2

    highest, total = height(top.off), np.zeros_like(m)
    nodes = np.arange(-half, half + 1) / half
    for some in np.array_split(nodes, nodes.size * m.size // BLOCK_ENTRIES + 1):
        v = some[:, None, None] * bent / straight
        below = height(top.off + straight * np.sinh(v)) - highest
        total += np.sum(np.exp(below) * np.cosh(v), axis=0)
    return highest + np.log(total * bent / half / tau) - LOG_2PI / 2
