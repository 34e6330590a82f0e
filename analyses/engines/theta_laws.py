"""Laws of theta, and of sums of the coefficients, in a model of counts: densities on a lattice of theta.

With w the weight of a node of (b, tau) and m = x_i'b there,

    p(theta_i = t | y) = L_i(t) sum w N(t | m, tau^2) / I_i(m, tau).

Where tau is less than the distance of the nodes in m, that sum is a fence of spikes. There b is integrated the other
way round: with g(m) the density of m, divided by I_i, the sum is the integral of g(t - tau z) N(z | 0, 1) over z, by
Gauss and Hermite's rule. Between its points log g is a polynomial.

A group without data has L_i = I_i = 1, and x'b has tau = 0 as well. Then g is the density of m itself, which a lattice
of b tells everywhere: the density of the nodes without its frequencies above pi / distance, as m has none of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from analyses.engines import coefficient_lattices, conditional_integrals, mixture
from analyses.engines.coefficient_lattices import Kinds, Row
from analyses.engines.conditional_integrals import polynomial, reach
from analyses.engines.line import Line
from analyses.engines.mixture import Mixture
from models import conditional_mode
from models.distributions import Numbers

STEP, MOST_STEP = 0.35, 0.15  # of the lattice: in sds of the narrowest part of a law, and in units of theta
DEPTH = 46.0  # e^-46 of the top is 1e-20: the second moment of a rate weighs what is far out
LEAST_WEIGHT = 1e-15  # of a row that a law cannot do without
LEAST_OF_ROW = 1e-13  # of a row that tells how narrow a law is
# In distances of the nodes in m: sums over nodes at such a tau err by exp(-2 (pi tau / distance)^2), 4e-14.
LEAST_TAU = 1.25
HERMITE_NODES = 14  # beside g, of which tau is half an sd at most: the rule errs by (1 / 11)^14
MOST_EXPONENT = 700.0
BLOCK_ENTRIES = 2_000_000


@dataclass(frozen=True, eq=False)
class Rows:
    """Nodes of the coefficients at each tau, and the share of the posterior that each row has.

    Attributes
    ----------
    kinds : Kinds
    rows : tuple of Row
    share : ndarray (row,)
    step : float
        Of the lattices of b, in sds.
    fineness : float
    """

    kinds: Kinds
    rows: tuple[Row, ...]
    share: np.ndarray
    step: float
    fineness: float

    @classmethod
    def of(cls, kinds: Kinds, rows: Sequence[Row], share: np.ndarray, step: float, fineness: float) -> "Rows":
        """Those rows that weigh more than next to nothing, also in the second moments of what goes with tau."""
        held = share * (1 + np.array([row.tau for row in rows]) ** 2) > LEAST_WEIGHT
        kept = tuple(row for row, one in zip(rows, held, strict=True) if one)
        return cls(kinds, kept, share[held] / share[held].sum(), step, fineness)

    @cached_property
    def tau(self) -> np.ndarray:
        """Tau of each row."""
        return np.array([row.tau for row in self.rows])

    def densities(self, x: np.ndarray, kinds: Sequence[int]) -> list["Density"]:
        """Laws of theta of kinds of groups with some regressors x (p,), on as few lattices as will do."""
        ranges = [self._range(x, self.tau, kind) for kind in kinds]
        octave = np.floor(np.log2([r.sd for r in ranges]))
        found: dict[int, Density] = {}
        for each in np.unique(octave):
            some = np.flatnonzero(octave == each)
            line = self._line([ranges[k] for k in some])
            found |= dict(zip(some, self._on(line, x, self.tau, np.array(kinds)[some]), strict=True))
        return [found[k] for k in range(len(kinds))]

    def moments(self, x: np.ndarray, *, spread: bool) -> tuple[float, float]:
        """Mean and sd of what `population` has the law of: sums over the nodes, to the last digits."""
        b, tau = np.concatenate([row.b for row in self.rows]), np.repeat(self.tau, [len(row.b) for row in self.rows])
        weight = np.concatenate(
            [share * np.exp(row.log_mass - row.log_integral) for share, row in zip(self.share, self.rows, strict=True)]
        )
        mean = weight @ (b @ x)
        return mean, np.sqrt(weight @ ((b @ x - mean) ** 2 + (tau**2 if spread else 0.0)))

    def population(self, x: np.ndarray, *, spread: bool) -> "Density":
        """Law of x'b for one x (p,), or with `spread` of theta of a group without data."""
        tau = self.tau if spread else np.zeros_like(self.tau)
        return self._on(self._line([self._range(x, tau)]), x, tau)[0]

    def _range(self, x, tau, kind=None) -> "Range":
        """Where a law lies: as narrow as at the least tau, as wide as at the largest."""
        sd = np.array([np.linalg.norm(row.root.T @ x) for row in self.rows])
        ends = np.array([[m.min(), m.max(), row.center @ x] for row in self.rows for m in [row.b @ x]])
        smooth = self.share > LEAST_OF_ROW
        off, reached = np.zeros_like(ends), np.sqrt(2 * DEPTH) * tau[:, None]
        precision = 1 / np.min((tau**2 + sd**2)[smooth])
        if kind is not None:
            top = conditional_mode.mode(self.kinds.groups.subset([kind]), ends[..., None], tau[:, None, None])
            off, reached = top.off[..., 0], reach(top.curvature[..., 0], tau[:, None], DEPTH)
            precision += top.curvature[smooth, 2].max()
        at = ends + off
        return Range((at - reached).min(), (at + reached).max(), self.share @ at[:, 2], precision**-0.5)

    def _line(self, ranges: Sequence["Range"]) -> Line:
        """A lattice for some laws. It is straight across their centers, and bent beyond them."""
        low, high, centers, sds = (np.array(column) for column in zip(*ranges, strict=True))
        straight = max(conditional_integrals.length(self.share @ self.tau), 2 * np.ptp(centers))
        step = min(STEP * sds.min(), MOST_STEP) / self.fineness
        return Line(centers.mean(), straight, step).between(low.min() - 4 * step, high.max() + 4 * step)

    def _on(self, line: Line, x, tau, kinds=None) -> list["Density"]:
        """Laws on one line."""
        t, factor = line.points, line.log_stretch[:, None]
        if kinds is not None:
            factor = factor + self.kinds.groups.subset(kinds).log_likelihood(t[:, None])
        logs = [self._log_weight(k, kinds) for k in range(len(self.rows))]
        top = np.max([log.max(axis=0) for log in logs], axis=0)  # of a group that nothing foretells no double holds it
        nearest = self._nearest(t, x, tau)
        total = sum(self._of_row(k, t, x, tau[k], kinds, logs[k] - top, top, nearest) for k in range(len(self.rows)))
        with np.errstate(divide="ignore"):
            log = np.log(np.maximum(total, 0.0)) + factor + nearest[:, None]
        share = np.exp(log - log.max(axis=0))
        return [Density.of(line, column) for column in share.T]

    def _nearest(self, t, x, tau) -> np.ndarray:
        """Log of the largest N(t | m, tau^2), (point,), but for its constant: far out it is no double itself."""
        logs = []
        for row, sd in zip(self.rows, tau, strict=True):
            m = row.b @ x
            away = np.maximum(np.maximum(m.min() - t, t - m.max()), 0.0)
            logs.append(-((away / sd) ** 2) / 2 if sd else np.where(away > 0, -np.inf, 0.0))
        largest = np.max(logs, axis=0)
        return np.where(np.isfinite(largest), largest, 0.0)

    def _log_weight(self, k, kinds) -> np.ndarray:
        """Log of w / I_i at the nodes of a row, (node, kind)."""
        row = self.rows[k]
        log_weight = (np.log(self.share[k]) - row.log_integral + row.log_mass)[:, None]
        return log_weight if kinds is None else log_weight - row.log_integrals[:, kinds]

    def _of_row(self, k, t, x, tau, kinds, log_weight, top, nearest) -> np.ndarray:
        """Share of one tau in the sum over nodes, (point, kind), divided by exp(top) and exp(nearest)."""
        row, m = self.rows[k], self.rows[k].b @ x
        distance = self.step * np.abs(row.root.T @ x).max()
        if tau > LEAST_TAU * distance:
            constant = np.sqrt(2 * np.pi) * tau
            parts = np.array_split(np.arange(len(t)), t.size * m.size // BLOCK_ENTRIES + 1)
            exponents = (-(((t[part, None] - m) / tau) ** 2) / 2 - nearest[part, None] for part in parts)
            return np.concatenate([np.exp(e) for e in exponents]) @ np.exp(log_weight) / constant
        z, weight = np.polynomial.hermite_e.hermegauss(int(HERMITE_NODES * self.fineness) if tau else 1)
        points = (t[:, None] - tau * z).ravel()
        if kinds is None:
            among = (points > m.min()) & (points < m.max())  # beyond, all that is left is where the sum was cut off
            g = np.zeros((len(points), 1))
            g[among] = _in_blocks(points[among], m, lambda off: np.sinc(off / distance) / distance, log_weight)
        elif len(x) == 1:
            order = np.argsort(m)
            g = np.exp(_between(m[order], log_weight[order] - np.log(distance), points))
        else:
            grid, logs = coefficient_lattices.log_density_along(self.kinds, row, x, kinds, self.fineness)
            g = np.exp(_between(grid, np.log(self.share[k]) - row.log_integral + logs - top, points))
        sums = np.einsum("tzk,z->tk", g.reshape(len(t), len(z), -1), weight / weight.sum())
        return sums * np.exp(np.minimum(-nearest, MOST_EXPONENT))[:, None]


class Range(NamedTuple):
    """Where a law of theta lies: its ends, a center, and the sd of its narrowest part."""

    low: float
    high: float
    center: float
    sd: float


class Density(NamedTuple):
    """A law of theta on a lattice: shares of the points (point,)."""

    line: Line
    share: np.ndarray

    @classmethod
    def of(cls, line: Line, weight: np.ndarray) -> "Density":
        """The law with these weights; the ends of the line that have none are cut off, as a rate may overflow there."""
        held = np.flatnonzero(weight)
        part = slice(held[0], held[-1] + 1)
        return cls(replace(line, v=line.v[part]), weight[part] / weight.sum())

    def law(self, transform: Callable[[Numbers], Numbers], inverse: Callable[[Numbers], Numbers]) -> Mixture:
        """Law of an increasing function of theta."""
        line = self.line
        of_v, v_of = (lambda v: transform(line.at(v))), (lambda value, which: line.v_of(inverse(value)))
        return mixture.lattice_mixture(self.share, line.v, line.step, of_v, v_of)


def _in_blocks(points, m, kernel, log_weight) -> np.ndarray:
    """Sums over nodes of weights (node, kind) and a kernel of the distance: (point, kind)."""
    weight = np.exp(log_weight)
    parts = np.array_split(points, points.size * m.size // BLOCK_ENTRIES + 1)
    return np.concatenate([kernel(part[:, None] - m) @ weight for part in parts])


def _between(grid: np.ndarray, values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Values (point, k) at x (point,), between values (node, k) on an even grid; minus infinity beyond its ends."""
    position = (x - grid[0]) / (grid[-1] - grid[0]) * (len(grid) - 1)
    inside = (position >= 0) & (position <= len(grid) - 1)
    result = np.full((len(x), values.shape[1]), -np.inf)
    result[inside] = polynomial(values, position[inside])
    return result
