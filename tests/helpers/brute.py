"""The posterior in doubles by brute force, written apart from the engines: a lattice over the whole range of scales.

The formulas are those of METHOD.md, sections 1 to 3. Sigma is never integrated out in closed form, and no mode is
searched for. A coarse lattice covers the whole range of the log scales. A fine one covers every block of it that is not
below e^-60 of the top.

    brute = Brute(model)
    brute.table.loc[("theta", "a"), "mean"]
    brute.quantile_error(("tau", ""), q, 0.95)  # how far q is from the 95% quantile of tau
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.polynomial.legendre import leggauss
from scipy.special import erfc, ndtr

from helpers.priors import log_kernel
from models import priors, propriety

NEGLIGIBLE = 60.0  # e^-60 of the top: 9e-27
CUT = 45.0  # what lies beyond the range is below e^-45 of the top, 3e-20
COARSE = 0.125  # side of a block in log tau and log sigma
STEP = {"one": 0.005, "two": 0.02}  # of the fine lattice, by the number of unknown scales
BLOCK = 1 << 16  # entries of an array that is worked on at once
SMOOTH = 2.5  # width of the smooth step of a distribution function, in steps of the lattice
ABSCISSAE, WEIGHTS = leggauss(40)


def sharpness(prior):
    """Number of deviations that a prior of a scale is worth: its log has an sd above 1 / sqrt(2 sharpness)."""
    return 2 * prior.shape if isinstance(prior, priors.InverseGamma) and prior.proper else 2.0


def typical(prior):
    """Logs of the sd about which a prior bends; none for a power."""
    if not prior.proper:
        return []
    of_mode = [np.log(prior.scale / (prior.shape + 0.5)) / 2] if isinstance(prior, priors.InverseGamma) else []
    return [*of_mode, np.log(prior.size)]


@dataclass(frozen=True)
class Nodes:
    """Points of a lattice, with the law of b at each: normal about location, covariance root root'."""

    log_tau: np.ndarray
    log_sigma: np.ndarray
    height: np.ndarray
    location: np.ndarray
    root: np.ndarray

    def where(self, kept):
        return Nodes(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Point:
    """A distribution function and its density at one point."""

    cdf: float
    density: float


@dataclass(frozen=True)
class Rows:
    """Rows of the lattice: a log sigma, and a block of log tau by its number."""

    block: np.ndarray
    log_sigma: np.ndarray


@dataclass(frozen=True)
class Axis:
    """A lattice of one log scale: blocks of `fine` steps each."""

    low: float
    blocks: int
    fine: int

    @property
    def step(self):
        return COARSE / self.fine if self.blocks else 1.0

    @property
    def corners(self):
        return self.low + COARSE * np.arange(self.blocks + 1)

    def inside(self, block):
        """Points of the fine lattice in each block."""
        return self.low + COARSE * np.asarray(block)[..., None] + self.step * np.arange(self.fine)


def axis(low, high, step):
    """A lattice from low to high with at most that step."""
    return Axis(low, int(np.ceil((high - low) / COARSE)), int(np.ceil(COARSE / step)))


class Brute:
    """Posterior of a TwoLevel model: `table`, `cdf`, `quantile_error`.

    `refine` divides the steps of the lattice, to see how far the results still move.
    """

    def __init__(self, model, refine=1):
        propriety.require_proper(model)
        g, self.model = model.groups, model
        self.known = isinstance(model.sigma, priors.KnownScale)
        self.centre = float(np.median(g.mean))
        self.noise, self.df, self.ss = g.noise, float(np.sum(g.df)), float(np.sum(g.ss))
        proper = [k for k, prior in enumerate(model.coefficients) if prior.proper]
        told = [model.coefficients[k] for k in proper]
        offset = np.where(np.array(proper, dtype=int) == 0, self.centre, 0.0)
        # A normal prior of a coefficient is one more row, with a variance that is known.
        self.design = np.vstack([g.design, np.eye(g.design.shape[1])[proper]])
        self.response = np.concatenate([g.mean - self.centre, [prior.mean for prior in told] - offset])
        self.prior_variance = np.array([prior.sd**2 for prior in told])
        self.orders = propriety.moments(model)
        self.refine = refine
        self.log_tau, self.log_sigma = self._axes()

    # The range

    def _axes(self):
        g, model = self.model.groups, self.model
        spread = self._spread()
        sd = 1.0 if self.known else np.sqrt((self.ss or np.var(g.mean)) / (self.df or len(g)))
        unit = sd if model.relative else 1.0
        own = np.log(np.sqrt(self.noise) * (sd / unit))
        seen = [*own, np.log(spread / unit), *typical(model.tau)]
        step = STEP["one" if self.known else "two"]
        fewest = 0.3 / np.sqrt(2 * (len(g) + sharpness(model.tau)))
        log_tau = self._axis("tau", model.tau.origin_exponent, seen, min(step, fewest))
        if self.known:
            return log_tau, Axis(0.0, 0, 1)
        seen = [np.log(sd), np.log(max(sd, spread)), *typical(model.sigma)]
        fewest = 0.3 / np.sqrt(2 * (self.df + len(g) + sharpness(model.sigma)))
        rise = np.inf if self.ss else model.sigma.origin_exponent
        return log_tau, self._axis("sigma", rise, seen, min(step, fewest))

    def _spread(self):
        """How far the means, and what the priors of the coefficients expect, may be from each other."""
        g, slopes = self.model.groups, self.model.coefficients[1:]
        reach = [(abs(p.mean) + p.sd) * np.ptp(x) for p, x in zip(slopes, g.design[:, 1:].T, strict=True) if p.proper]
        return np.ptp(self.response) + np.sqrt(np.max(self.noise, initial=0.0)) + sum(reach)

    def _axis(self, name, rise, seen, step):
        """As far beyond what bends the density as its powers need to fall by e^-CUT."""
        left = self.orders[name, ""] - self._order(name)
        low, high = min(seen) - 5 - CUT / (rise + 1), max(seen) + 4 + CUT / left
        return axis(max(low, -300.0), min(high, 300.0), step / self.refine)

    def _order(self, name, label=""):
        """The highest moment that is asked for: 2 or 1 where it exists with something to spare."""
        order = self.orders[name, label]
        return 2 if order > 2.25 else 1 if order > 1.25 else 0

    # The density

    def heights(self, log_tau, log_sigma=0.0):
        """Log density of the log scales, up to a constant, at points of any one shape."""
        u, s = np.broadcast_arrays(*map(np.atleast_1d, (log_tau, log_sigma)))
        return self.at(u.ravel(), s.ravel(), heights_only=True).height.reshape(u.shape)

    def at(self, log_tau, log_sigma, *, heights_only=False):
        """The nodes at those points, worked on in blocks."""
        size = max(1, BLOCK // len(self.response))
        parts = [
            self._at(log_tau[k : k + size], log_sigma[k : k + size], heights_only) for k in range(0, len(log_tau), size)
        ]
        return Nodes(*(np.concatenate([getattr(part, name) for part in parts]) for name in Nodes.__dataclass_fields__))

    def _at(self, u, s, heights_only):
        between = np.exp(2 * (u + s) if self.model.relative else 2 * u)
        v = np.empty((len(self.response), len(u)))
        v[: len(self.noise)] = np.multiply.outer(self.noise, np.exp(2 * s)) + between
        v[len(self.noise) :] = self.prior_variance[:, None]
        root, right, quadratic = least_squares(self.design, self.response, v)
        height = log_kernel(self.model.tau, u) + u - np.sum(np.log(v), axis=0) / 2 - quadratic / 2
        height -= np.sum(np.log(np.einsum("kkn->kn", root)), axis=0)
        height += self._of_sigma(s)
        if heights_only:
            none = np.empty((len(u), 0))
            return Nodes(u, s, height, none, none)
        inverse = invert(root)
        location = np.einsum("jkn,kn->nj", inverse, right)
        return Nodes(u, s, height, location, np.moveaxis(inverse, -1, 0))

    def _of_sigma(self, s):
        """What sigma's prior and the squares within groups add: with many rows, a narrow peak."""
        if self.known:
            return np.zeros_like(s)
        of_squares = 0.0
        if self.ss:  # about its top, where terms of the size of the number of rows would cancel
            off = s - np.log(self.ss / self.df) / 2
            of_squares = -self.df / 2 * (2 * off + np.expm1(-2 * off))
        return log_kernel(self.model.sigma, s) + s + of_squares

    # The lattice

    @cached_property
    def kept(self):
        """Blocks that are not negligible, for the density or for it times a moment, (log tau, log sigma).

        A block's bound is the highest of its corners, but the narrow peak in sigma alone is that of its fine lattice.
        It is compared with heights that the density has: a bound may lie far above them.
        """
        u, s = self.log_tau.corners[:, None], self.log_sigma.corners[None, :]
        corners, inside = self.heights(u, s) - self._of_sigma(s), self._inside_sigma
        peaks = self._of_sigma(inside).max(axis=1)
        at_peaks = inside[np.arange(len(inside)), self._of_sigma(inside).argmax(axis=1)]
        known = self.heights(u, at_peaks)
        bounds = [self._highest(corners + moment) + peaks for moment in self._moments(u, s)]
        tops = [np.max(known + moment) for moment in self._moments(u, at_peaks)]
        return np.any([bound > top - NEGLIGIBLE for bound, top in zip(bounds, tops, strict=True)], axis=0)

    @property
    def _inside_sigma(self):
        return self.log_sigma.inside(np.arange(max(self.log_sigma.blocks, 1)))

    def _highest(self, corners):
        """Of the corners of each block."""
        ends = np.maximum(corners[:-1], corners[1:])
        return ends if self.known else np.maximum(ends[:, :-1], ends[:, 1:])

    @cached_property
    def rows(self):
        """Log sigma of the rows of the fine lattice in the blocks that are kept, and which block of log tau each is in.

        A row that is negligible at both ends of its block is left out.
        """
        block, of_sigma = np.nonzero(self.kept)
        s = self.log_sigma.inside(of_sigma)
        block, s = np.repeat(block, s.shape[1]), s.ravel()
        u = self.log_tau.corners[block[:, None] + [0, 1]]
        ends = self.heights(u, s[:, None])
        bounds = [np.max(ends + moment, axis=1) for moment in self._moments(u, s[:, None])]
        kept = np.any([bound > bound.max() - NEGLIGIBLE for bound in bounds], axis=0)
        return Rows(block[kept], s[kept])

    def _moments(self, u, s):
        """Logs of the moments that are asked for."""
        yield 0.0 * u
        yield self._order("tau") * u
        if not self.known:
            yield self._order("sigma") * s
            yield self._order("sd_between") * (u + s if self.model.relative else u)

    @cached_property
    def nodes(self):
        """Every point of the fine lattice in the rows that are kept."""
        u, s = np.broadcast_arrays(self.log_tau.inside(self.rows.block), self.rows.log_sigma[:, None])
        return self.at(u.ravel(), s.ravel())

    @cached_property
    def weights(self):
        """Of the nodes, adding up to one."""
        raw = np.exp(self.nodes.height - self.nodes.height.max())
        return raw / raw.sum()

    @cached_property
    def log_total(self):
        """Log of the integral of the density over both logs."""
        top = self.nodes.height.max()
        return top + np.log(np.sum(np.exp(self.nodes.height - top)) * self.log_tau.step * self.log_sigma.step)

    # Laws given the scales

    def linear(self, x, nodes=None):
        """Mean and variance of x'b minus the center, at each node."""
        nodes = nodes or self.nodes
        return nodes.location @ x, np.sum(np.einsum("j,njk->nk", x, nodes.root) ** 2, axis=-1)

    def theta(self, i, nodes=None):
        """Mean and variance of theta of group i minus the center, at each node."""
        nodes = nodes or self.nodes
        mean, variance = self.linear(self.model.groups.design[i], nodes)
        noise = self.noise[i] * np.exp(2 * nodes.log_sigma)
        own, kappa = self.own(i, nodes), self.kappa(i, nodes)
        return own * self.response[i] + kappa * mean, own * noise + kappa**2 * variance

    def kappa(self, i, nodes=None):
        """Weight of group i on its population, at each node."""
        return np.exp(-np.logaddexp(0.0, 2 * self._log_ratio(nodes or self.nodes) - np.log(self.noise[i])))

    def own(self, i, nodes=None):
        """Weight of group i on its own mean, 1 - kappa, at each node."""
        return np.exp(-np.logaddexp(0.0, np.log(self.noise[i]) - 2 * self._log_ratio(nodes or self.nodes)))

    def _log_ratio(self, nodes):
        return nodes.log_tau - (0.0 if self.model.relative else nodes.log_sigma)

    # Moments

    @cached_property
    def table(self):
        """Mean and sd, indexed by (variable, label); no number where a moment does not exist or hardly."""
        g = self.model.groups
        rows = {}
        for k, key in enumerate(self._coefficients):
            rows[key] = self._mixed(*self.linear(np.eye(g.design.shape[1])[k]), self.orders[key])
        rows["mu", ""]["mean"] += self.centre
        for name, (of_tau, of_sigma) in self._powers.items():
            value = np.exp(of_tau * self.nodes.log_tau + of_sigma * self.nodes.log_sigma)
            rows[name, ""] = self._mixed(value, 0.0, self.orders[name, ""])
        for i, label in enumerate(g.labels):
            rows["theta", label] = self._mixed(*self.theta(i), self.orders["theta", ""])
            rows["theta", label]["mean"] += self.centre
            rows["kappa", label] = self._of_kappa(i)
        return pd.DataFrame.from_dict(rows, orient="index")

    def _mixed(self, mean, variance, order):
        expected = self.weights @ mean
        sd = np.sqrt(self.weights @ (variance + (mean - expected) ** 2))
        return {"mean": expected if order > 1.25 else np.nan, "sd": sd if order > 2.25 else np.nan}

    def _of_kappa(self, i):
        """By 1 - kappa where that is the smaller one, which has the digits."""
        own = self._mixed(self.own(i), 0.0, np.inf)
        if own["mean"] > 0.5:
            return self._mixed(self.kappa(i), 0.0, np.inf)
        return {"mean": 1 - own["mean"], "sd": own["sd"]}

    @property
    def _coefficients(self):
        return [("mu", ""), *(("beta", name) for name in self.model.groups.covariates)]

    @property
    def _powers(self):
        """The scales with a posterior as powers of (tau, sigma)."""
        if self.known:
            return {"tau": (1, 0), "sd_between": (1, 0)}
        return {"tau": (1, 0), "sigma": (0, 1), "sd_between": (1, int(self.model.relative))}

    # Distribution functions

    def quantile_error(self, key, q, p):
        """How far q is from the quantile p, to first order, in the unit of q."""
        point = self.cdf(key, q)
        return (point.cdf - p) / point.density

    def cdf(self, key, q):
        """P(quantity <= q) and the density of the quantity there."""
        variable, label = key
        if variable == "theta":
            return self._normal(self.theta(self.model.groups.labels.index(label), self._heavy), q - self.centre)
        if key in self._coefficients:
            x = np.eye(self.model.groups.design.shape[1])[self._coefficients.index(key)]
            return self._normal(self.linear(x, self._heavy), q - self.centre * (variable == "mu"))
        if variable == "kappa":
            noise = self.noise[self.model.groups.labels.index(label)]
            point = self._product((1, int(self.model.relative) - 1), np.log(noise * (1 - q) / q) / 2)
            return Point(1 - point.cdf, point.density / (2 * q * (1 - q)))
        point = self._product(self._powers[variable], np.log(q))
        return Point(point.cdf, point.density / q)

    @cached_property
    def _heavy(self):
        return self.nodes.where(self._heavy_ones)

    @property
    def _heavy_ones(self):
        return self.weights > 1e-16 / len(self.weights)

    def _normal(self, law, q):
        """A mixture of normals over the nodes."""
        (mean, variance), weights = law, self.weights[self._heavy_ones]
        sd = np.sqrt(variance)
        z = (q - mean) / sd
        return Point(float(weights @ ndtr(z)), float(weights @ (np.exp(-(z**2) / 2) / sd) / np.sqrt(2 * np.pi)))

    def _product(self, powers, x):
        """That of the log of tau^a sigma^b, w = a log tau + b log sigma.

        The lattice sums P(w <= x) as if the step at x were smooth; what makes it sharp is integrated up to x and from
        x on by Gauss and Legendre's rule.
        """
        a, b = powers
        delta = SMOOTH * max(abs(a) * self.log_tau.step, abs(b) * self.log_sigma.step)
        smooth = self.weights @ erfc((a * self.nodes.log_tau + b * self.nodes.log_sigma - x) / delta) / 2
        distance = 3 * delta * (ABSCISSAE + 1)
        sharper = 3 * delta * WEIGHTS * erfc(distance / delta) / 2
        density = self._density(powers, np.concatenate([[x], x - distance, x + distance]))
        left, right = density[1 : 1 + len(distance)], density[1 + len(distance) :]
        return Point(float(smooth + sharper @ (left - right)), float(density[0]))

    def _density(self, powers, w):
        """That of a log tau + b log sigma at several points, by lattice sums along the other scale."""
        (a, b), w = powers, w[:, None]
        if a:
            s = np.unique(self.rows.log_sigma)
            u, step = (w - b * s) / a, self.log_sigma.step
        else:
            u = self.log_tau.inside(np.unique(self.rows.block)).ravel()
            s, step = w / b, self.log_tau.step
        return step * np.sum(np.exp(self.heights(u, s) - self.log_total), axis=-1)


def least_squares(design, response, variance):
    """Weighted least squares at many nodes by Gram and Schmidt: triangular root of the precision, right side, residual.

    Parameters
    ----------
    design : ndarray (R, p)
    response : ndarray (R,)
    variance : ndarray (R, n)

    Returns
    -------
    root : ndarray (p, p, n)
        Upper triangular; the precision of b is root'root.
    right : ndarray (p, n)
        root b = right.
    quadratic : ndarray (n,)
    """
    weight, p = 1 / np.sqrt(variance), design.shape[1]
    columns = [weight * design[:, k, None] for k in range(p)]
    residual = weight * response[:, None]
    root, right = np.zeros((p, p, variance.shape[1])), np.zeros((p, variance.shape[1]))
    for k in range(p):
        root[k, k] = np.sqrt(np.einsum("rn,rn->n", columns[k], columns[k]))
        columns[k] /= root[k, k]
        for later in range(k + 1, p):
            root[k, later] = np.einsum("rn,rn->n", columns[k], columns[later])
            columns[later] -= root[k, later] * columns[k]
        right[k] = np.einsum("rn,rn->n", columns[k], residual)
        residual -= right[k] * columns[k]
    return root, right, np.einsum("rn,rn->n", residual, residual)


def invert(root):
    """Inverse of upper triangular matrices (p, p, n), by back substitution."""
    inverse = np.zeros_like(root)
    for k in reversed(range(len(root))):
        inverse[k, k] = 1 / root[k, k]
        for later in range(k + 1, len(root)):
            rest = np.einsum("jn,jn->n", root[k, k + 1 : later + 1], inverse[k + 1 : later + 1, later])
            inverse[k, later] = -rest / root[k, k]
    return inverse
