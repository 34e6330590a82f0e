"""The coefficients of a model of counts given tau, theta integrated out: a lattice for each tau.

    p(b | tau, y)  ~  p(b) prod_i I_i(x_i'b, tau)

It is log-concave. The lattice lies about the mean of b, in its sds given tau, as these grow with tau.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from scipy.special import logsumexp

from analyses.engines.conditional_integrals import Tabulated, log_integrals
from analyses.engines.modes import QuadratureError
from models import conditional_mode
from models.distributions import LOG_2PI
from models.generalized_two_level import GeneralizedTwoLevel
from models.groups.counted import Counted
from models.priors import Coefficient

STEP = {1: 0.35, 2: 0.45, 3: 0.5}  # in sds given tau, by the number of coefficients
WIDE = 1e8  # tau beyond which all that changes is its power
STEP_ALONG, STEP_ACROSS = 0.35, 0.7  # of a lattice for the density of one sum of the coefficients
DEPTH = 31.0  # e^-31 of the top is 3e-14
RADIUS, SHELL = 7.9, 0.7  # sds given tau that b is followed to at first, and that are added while it is not enough
MOST_RADIUS, TABULATED = 40.0, 12.0  # sds: what is beyond a table is computed one by one
SETTLED = 0.4  # sds, and log of a ratio of them, by which a frame may be off
MOST_PASSES = 30
FARTHEST = 100.0  # sds that a step of Newton's method goes
FRACTIONS = 2.0 ** -np.arange(10)  # of a step, of which the best is taken
LEAST_BEND = 0.01  # of a log density over an sd, which it is 1 of where the sd is right


@dataclass(frozen=True, eq=False)
class Kinds:
    """Groups that differ, each for all that are equal to it, in standard regressors.

    Attributes
    ----------
    groups : Counted
        R groups.
    members : ndarray (R,)
        How many there are of each.
    coefficients : tuple of priors.Normal
    """

    groups: Counted
    members: np.ndarray
    coefficients: tuple[Coefficient, ...]

    @classmethod
    def of(cls, model: GeneralizedTwoLevel) -> "Kinds":
        """The kinds of groups of a model."""
        standard, distinct = model.standard.model, model.groups.distinct
        return cls(standard.groups.subset(distinct.positions), distinct.members, standard.coefficients)

    @cached_property
    def x(self) -> np.ndarray:
        """Regressors (R, p); (1, p) where all are alike."""
        design = self.groups.design
        return design[:1] if (design == design[0]).all() else design

    def population(self, b: np.ndarray) -> np.ndarray:
        """Mean x'b of theta at b (node, p): (node, R), or (node, 1) where all are alike."""
        return b @ self.x.T

    def log_prior(self, b: np.ndarray) -> np.ndarray:
        """Log prior density of b (node, p), up to a constant."""
        return np.sum([prior.log_density(b[:, k]) for k, prior in enumerate(self.coefficients)], axis=0)


@dataclass(frozen=True, eq=False)
class Row:
    """Nodes of the standard coefficients at one tau.

    Attributes
    ----------
    tau : float
    b : ndarray (node, p)
    log_mass : ndarray (node,)
        Log of p(b) prod I_i times the volume of a node.
    log_integrals : ndarray (node, kind)
        log I_i of each kind of group.
    center : ndarray (p,)
    root : ndarray (p, p)
        Of the covariance of b given tau, about: its columns are the axes of the lattice.
    integrals : callable
        b (node, p) to log I_i (node, kind).
    """

    tau: float
    b: np.ndarray
    log_mass: np.ndarray
    log_integrals: np.ndarray
    center: np.ndarray
    root: np.ndarray
    integrals: Callable[[np.ndarray], np.ndarray]

    @cached_property
    def log_integral(self) -> float:
        """Log of p(y | tau)."""
        return float(logsumexp(self.log_mass))


def stretched(kinds: Kinds, at: Row, tau: float) -> Row:
    """Nodes at a tau beyond WIDE from those at WIDE.

    For large tau the flat coefficients go with tau, I_i of a group inside is 1 / tau times a function of x_i'b / tau,
    and that of a group at an end such a function alone (`models.propriety_of_counts`), but for 1 / tau or so.
    """
    log_times, inside = np.log(tau / at.tau), kinds.groups.inside
    flat = np.array([not prior.proper for prior in kinds.coefficients])
    by = np.where(flat, tau / at.tau, 1.0)
    return replace(
        at,
        tau=tau,
        b=at.b * by,
        center=at.center * by,
        root=at.root * by[:, None],
        log_mass=at.log_mass + (flat.sum() - kinds.members @ inside) * log_times,
        log_integrals=at.log_integrals - inside * log_times,
    )


def row(kinds: Kinds, tau: float, center: np.ndarray, root: np.ndarray, step: float, fineness: float) -> Row:
    """Nodes at one tau, about the mean and in the sds of b given tau, from which `center` and `root` may be far."""
    center, root = _climbed(kinds, tau, center, root, fineness)
    for _ in range(MOST_PASSES):
        integrals_at = _integrals(kinds, tau, center, root, fineness)
        points, integrals, height = _ball(
            partial(_heights, kinds, integrals_at, center, root), np.full(len(center), step)
        )
        share = np.exp(height - logsumexp(height))
        mean = share @ points
        deviations = points - mean
        sds = np.sqrt(share @ deviations**2)
        if (np.abs(mean) < SETTLED).all() and (np.abs(np.log(sds)) < SETTLED).all():
            break
        covariance = deviations.T * share @ deviations  # the lattice shows a better frame, and is laid anew
        center, root = center + root @ mean, root @ np.linalg.cholesky(covariance)
    log_volume = np.log(np.abs(np.linalg.det(root))) + len(center) * np.log(step)
    return Row(float(tau), center + points @ root.T, height + log_volume, integrals, center, root, integrals_at)


def _climbed(kinds, tau, center, root, fineness) -> tuple[np.ndarray, np.ndarray]:
    """The mode, and a root with the curvature there, by Newton's method along the axes of a frame.

    A million groups leave b an sd so small that an approximate mode is many of them away.
    """
    unit = np.eye(len(center))
    z = np.vstack([np.zeros(len(center)), unit, -unit])

    def integrals_at(b):
        return log_integrals(kinds.groups, kinds.population(b), tau, fineness)

    for _ in range(MOST_PASSES):
        middle, *beside = _heights(kinds, integrals_at, center, root, z)[1]
        up, down = np.split(np.array(beside), 2)
        bend = np.maximum(2 * middle - up - down, LEAST_BEND)
        move = np.clip((up - down) / 2 / bend, -FARTHEST, FARTHEST)
        if (np.abs(move) < SETTLED).all() and (np.abs(np.log(bend)) < 2 * SETTLED).all():
            break
        tried = FRACTIONS[:, None] * move
        best = tried[np.argmax(_heights(kinds, integrals_at, center, root, tried)[1])]
        center, root = center + root @ best, root / np.sqrt(bend)
    return center, root


def log_density_along(
    kinds: Kinds, at: Row, x: np.ndarray, without: np.ndarray, fineness: float
) -> tuple[np.ndarray, np.ndarray]:
    """Log density of x'b at one tau, up to a constant, as if some kinds of groups had one member less.

    Parameters
    ----------
    at : Row
    x : ndarray (p,)
    without : ndarray (k,)
        Kinds.

    Returns
    -------
    ndarray (point,), ndarray (point, k)
        Equally distant x'b, and the log densities there, each divided by I_i of its kind.
    """
    along = at.root.T @ x
    sd = np.linalg.norm(along)
    frame, _ = np.linalg.qr(np.column_stack([along, np.eye(len(x))]))
    root = at.root @ (frame * np.sign(frame[:, 0] @ along))
    steps = np.array([STEP_ALONG, *(len(x) - 1) * [STEP_ACROSS]]) / fineness
    heights = partial(_heights, kinds, at.integrals, at.center, root)
    points, integrals, height = _ball(heights, steps)
    index = np.rint(points[:, 0] / steps[0]).astype(int)
    first, size = index.min(), np.ptp(index) + 1
    log_cell = np.log(np.abs(np.linalg.det(root))) - np.log(sd) + np.log(steps[1:]).sum()
    left_out = height[:, None] - integrals[:, without]
    tops = np.full((size, len(without)), -np.inf)
    np.maximum.at(tops, index - first, left_out)
    off = np.exp(left_out - tops[index - first])
    sums = np.stack([np.bincount(index - first, column, size) for column in off.T], axis=1)
    return at.center @ x + sd * steps[0] * (first + np.arange(size)), np.log(sums) + tops + log_cell


def _integrals(kinds, tau, center, root, fineness) -> Callable[[np.ndarray], np.ndarray]:
    """Function of b (node, p) to log I_i (node, kind); from tables where nodes are many and groups differ in x."""
    x = kinds.x
    if len(x) == 1:
        return lambda b: log_integrals(kinds.groups, b @ x.T, tau, fineness)
    middle, half = x @ center, TABULATED * np.linalg.norm(x @ root, axis=1)
    table = Tabulated.between(kinds.groups, middle - half, middle + half, tau, fineness)

    def at(b):
        m = b @ x.T
        beyond = (np.abs(m - middle) > half).any()  # of a table, as far out as a long tail may lead
        return log_integrals(kinds.groups, m, tau, fineness) if beyond else table.at(m)

    return at


def _heights(kinds, integrals_at, center, root, z):
    """Log integrals (node, kind), and log of p(b) prod I_i, at points z of a frame."""
    points = center + z @ root.T
    integrals = integrals_at(points)
    return integrals, integrals @ kinds.members + kinds.log_prior(points)


def _ball(
    heights: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], steps: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points z (node, d) of a lattice about 0, out to where their height is negligible; integrals and heights there."""
    near, radius, top, found = -1.0, RADIUS, -np.inf, []
    while radius < MOST_RADIUS:
        axes = [step * np.arange(-int(radius / step), int(radius / step) + 1) for step in steps]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(steps))
        distance = np.linalg.norm(grid, axis=1)
        shell = grid[(distance <= radius) & (distance > near)]
        integrals, height = heights(shell)
        found.append((shell, integrals, height))
        ended, top = near > 0 and height.max() < top - DEPTH, max(top, height.max())
        if ended:
            points, integrals, height = map(np.concatenate, zip(*found, strict=True))
            return points, integrals, height
        near, radius = radius, radius + max(SHELL, 1.01 * steps.max(), radius / 12)
    raise QuadratureError(
        "the coefficients given tau have too long a tail: give them proper priors, or take more groups"
    )


@dataclass(frozen=True, eq=False)
class Approximation:
    """The normal approximation to the standard coefficients given each tau, and what the data's density is by it.

    Attributes
    ----------
    b : ndarray (node, p)
    root : ndarray (node, p, p)
        Of the covariance.
    log_density : ndarray (node,)
        Log of p(y | tau).
    """

    b: np.ndarray
    root: np.ndarray
    log_density: np.ndarray


def approximate(kinds: Kinds, tau: np.ndarray) -> Approximation:
    """Approximate the coefficients given tau (node,) by the mode of them and of theta, and the curvature there.

    With theta_i at its best given b the slope in x_i'b is that of its likelihood, and the curvature is
    1 / (tau^2 + 1 / c), c that of its likelihood.
    """
    g, members = kinds.groups, kinds.members
    x = np.broadcast_to(kinds.x, (len(members), kinds.x.shape[1]))
    prior_mean = np.array([prior.mean for prior in kinds.coefficients])
    prior_precision = np.array([prior.sd**-2.0 for prior in kinds.coefficients])
    weight = members * g.curvature(g.rough)
    information = (x.T * weight) @ x + np.diag(prior_precision)
    b = np.tile(np.linalg.solve(information, x.T @ (weight * g.rough) + prior_precision * prior_mean), (len(tau), 1))
    for _ in range(conditional_mode.MOST_STEPS):
        m = kinds.population(b)
        top = conditional_mode.mode(g, m, tau[:, None])
        held, weight = tau[:, None] ** -2.0, top.curvature / (top.curvature + tau[:, None] ** -2.0)
        pull = (1 - weight) * g.slope(m + top.off) + weight * held * top.off  # both are the slope, at the mode itself
        slope = (members * pull) @ x - prior_precision * (b - prior_mean)
        precision = np.einsum("nr,rj,rk->njk", members * weight * held, x, x) + np.diag(prior_precision)
        move = np.linalg.solve(precision, slope[..., None])[..., 0]
        if (np.einsum("nj,nj->n", move, slope) < SETTLED**2).all():
            break
        farthest = np.abs(move @ x.T).max(axis=1) / (1 + tau)
        b = b + move / np.maximum(farthest, 1.0)[:, None]
    root = np.linalg.cholesky(np.linalg.inv(precision))
    log_heights = g.log_likelihood(m + top.off) - (top.off / tau[:, None]) ** 2 / 2
    log_integrals = log_heights - np.log1p(tau[:, None] ** 2 * top.curvature) / 2
    log_volume = np.log(np.einsum("njj->nj", root)).sum(axis=1) + len(prior_mean) * LOG_2PI / 2
    return Approximation(b, root, log_integrals @ members + kinds.log_prior(b) + log_volume)
