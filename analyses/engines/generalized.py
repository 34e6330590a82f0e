"""The exact posterior of the two-level model of counts: three rules of quadrature, one inside the other.

    p(tau, b | y)  ~  p(tau) p(b) prod_i I_i(x_i'b, tau)

theta is integrated out in I_i (`conditional_integrals`), b given tau on a lattice (`coefficient_lattices`), and log tau
is the coordinate of the outermost lattice (`nodes`). The laws of theta come from all nodes together (`theta_laws`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from analyses.engines import coefficient_lattices, nodes
from analyses.engines.coefficient_lattices import Kinds, Row, approximate
from analyses.engines.coordinates import Axis, Coordinates
from analyses.engines.mixture import PROBABILITIES, Mixture, Named, figures, highest_moment, named, spread, table
from analyses.engines.modes import SCAN_STEP
from analyses.engines.nodes import Nodes
from analyses.engines.theta_laws import Density, Rows
from models.generalized_two_level import GeneralizedTwoLevel
from models.groups.labelled import Positions
from models.propriety_of_counts import moments, require_proper

EVERY = slice(None)
SCANNED = -4.0, 3.0  # logs of tau
FINER = 1.25  # nodes for the numerical error are so many times as close
MOST_TRIALS, SHORTER = 6, 1.4  # times that steps are shortened, by so much at least
MOST_MOVED = 1e-5  # of a width: by which the law of tau may move without every other node
MOST_DRIFT = 0.7  # sds given tau, of the mean of the coefficients from one tau to the next
NEGLIGIBLE = 1e-12  # share of a row
TERMS = 8 * np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class GeneralizedPosterior:
    """A model of counts, and nodes of its coefficients and of tau.

    Attributes
    ----------
    model : GeneralizedTwoLevel
    nodes : Nodes
        Of log tau.
    rows : Rows
    at_fineness : callable
        A fineness, which the usual steps are divided by, to the posterior on such nodes.
    fineness : float
    """

    model: GeneralizedTwoLevel
    nodes: Nodes
    rows: Rows
    at_fineness: Callable[[float], "GeneralizedPosterior"]
    fineness: float

    @cached_property
    def closer(self) -> "GeneralizedPosterior":
        """Posterior on nodes that are closer to each other, for the numerical error."""
        return self.at_fineness(FINER * self.fineness)

    @property
    def log_evidence(self) -> float:
        """Log of the density of the data, up to the constants of improper priors."""
        basis = self.model.standard.basis
        log_basis = sum(np.log(basis[k, k]) for k, prior in enumerate(self.model.coefficients) if not prior.proper)
        return self.nodes.lattice.log_integral + float(self.model.groups.log_supremum.sum() + log_basis)

    def tau(self) -> Mixture:
        """Sd of theta about its regression."""
        return self.nodes.scale()

    @property
    def b(self) -> Mixture:
        """mu and beta."""
        return self.linear(np.eye(len(self.model.coefficients)))

    def linear(self, x: np.ndarray) -> Mixture:
        """x'b for each row of x (quantity, p)."""
        return self._population(x @ self.model.standard.basis, spread=False)

    def theta(self, at: Positions | slice = EVERY, *, response: bool = False) -> Mixture:
        """theta of every group, or of those at some positions; with `response` its probability or rate."""
        kinds, which = np.unique(self.model.groups.distinct.which[at], return_inverse=True)
        law = self._laws(self._densities(kinds.tolist()), response)
        return Mixture(
            law.mean[which],
            law.sd[which],
            lambda x, quantity: law.cdf(x, which[quantity]),
            lambda p: law.quantile(p)[..., which],
        )

    def new_theta(self, x: np.ndarray, *, response: bool = False) -> Mixture:
        """theta of a new group for each row of x (quantity, p); with `response` its probability or rate."""
        rows = self.model.standard.regressors(x)
        if response:
            return self._laws([self.rows.population(row, spread=True) for row in rows], response=True)
        return self._population(rows, spread=True)

    def _population(self, x: np.ndarray, *, spread: bool) -> Mixture:
        laws = self._laws([self.rows.population(row, spread=spread) for row in x], response=False)
        mean, sd = np.transpose([self.rows.moments(row, spread=spread) for row in x])
        return replace(laws, mean=mean, sd=sd)

    def table(self, at: Positions | slice = EVERY, probabilities: Mapping[str, float] = PROBABILITIES) -> pd.DataFrame:
        """Mean, sd and quantiles of every quantity, by variable and label; of all groups, or some positions."""
        g = self.model.groups
        labels = np.array(g.labels)[at].tolist()
        return table(
            self.coefficients(),
            named("tau", self.tau()),
            named("theta", self.theta(at), labels),
            named(g.response_name, self.theta(at, response=True), labels),
            orders=moments(self.model),
            probabilities=probabilities,
        )

    def coefficients(self) -> Named:
        """mu and beta, by name."""
        return Named([("mu", ""), *(("beta", name) for name in self.model.groups.covariates)], self.b)

    def error(self, at: Positions | slice = EVERY) -> pd.DataFrame:
        """Numerical error of each entry of `table`: twice its change on closer nodes, and rounding."""
        rows = self.table(at)
        return 2 * (self.closer.table(at) - rows).abs() + TERMS * rows.abs().add(
            len(self.model.groups) * spread(rows), axis=0
        )

    def _laws(self, densities: Iterable[Density], response: bool) -> Mixture:
        g = self.model.groups
        functions = (g.response, g.link) if response else (_same, _same)
        return _joined([density.law(*functions) for density in densities])

    @cached_property
    def _of_kinds(self) -> dict[int, Density]:
        """Laws of theta of the kinds of groups that have been asked for."""
        return {}

    def _densities(self, kinds: Sequence[int]) -> list[Density]:
        """Laws of theta of kinds of groups, those of one design together."""
        if missing := sorted(set(kinds) - set(self._of_kinds)):
            x, which = np.unique(self.rows.kinds.groups.design[missing], axis=0, return_inverse=True)
            for k, row in enumerate(x):
                alike = np.array(missing)[which == k].tolist()
                self._of_kinds.update(zip(alike, self.rows.densities(row, alike), strict=True))
        return [self._of_kinds[kind] for kind in kinds]


def _same(x):
    return x


def _joined(laws: Sequence[Mixture]) -> Mixture:
    """The law of one vector with the quantities of several laws of one quantity each."""

    def cdf(x, which):
        values = np.broadcast_to(np.asarray(x, dtype=float), np.shape(which))
        return np.array(
            [laws[k].cdf(np.array([v]), np.zeros(1, dtype=int))[0] for v, k in zip(values, which, strict=True)]
        )

    mean, sd = (np.concatenate([getattr(law, name) for law in laws]) for name in ("mean", "sd"))
    return Mixture(mean, sd, cdf, lambda p: np.concatenate([law.quantile(p) for law in laws], axis=-1))


def posterior(model: GeneralizedTwoLevel) -> GeneralizedPosterior:
    """Compute the posterior of a model of counts; `error` of it tells whether the steps were short enough.

    Raises
    ------
    ImproperPosteriorError
        With the reason.
    NotImplementedError
        For more than two covariates.
    QuadratureError
        Where a tail is too long, or too many nodes are needed.
    """
    require_proper(model)
    if len(model.coefficients) > len(coefficient_lattices.STEP):
        raise NotImplementedError(
            f"{len(model.coefficients) - 1} covariates of counts are too many for quadrature, which takes two: leave "
            "some out, or sample"
        )
    kinds, coordinates = Kinds.of(model), Coordinates((Axis((1,), model.tau.upper),))
    rough, moment = _approximately(kinds, model.tau), highest_moment(moments(model)["tau", ""])
    peaks = nodes.peaks(coordinates, rough, _starts(model, coordinates, rough))

    def at_fineness(fineness):
        known: dict[float, Row] = {}
        step = coefficient_lattices.STEP[len(model.coefficients)] / fineness

        def log_densities(logs):
            taus = np.exp(logs[0])
            near = np.unique(np.minimum(taus, coefficient_lattices.WIDE))
            frames = approximate(kinds, near)
            for tau, b, root in zip(near, frames.b, frames.root, strict=True):
                if tau not in known:
                    known[tau] = coefficient_lattices.row(kinds, tau, b, root, step, fineness)
            for tau in taus[taus > coefficient_lattices.WIDE]:
                known[tau] = coefficient_lattices.stretched(kinds, known[coefficient_lattices.WIDE], tau)
            height = np.array([known[tau].log_integral for tau in taus]) + model.tau.log_density(taus) + logs[0]
            return np.vstack([height, height + moment * logs[0]])

        shorter = fineness
        for _ in range(MOST_TRIALS):
            at = nodes.grow(coordinates, log_densities, peaks, shorter, distribution=True)
            rows = [known[tau] for tau in np.exp(at.logs[0])]
            drift = _drift(rows, at.weight) * fineness
            if drift < MOST_DRIFT and _stands(at):
                break
            shorter *= max(SHORTER, drift / MOST_DRIFT)
        every = slice(None, None, 2 if 2 * drift < MOST_DRIFT else 1)  # the law of tau alone may need steps so short
        share = at.weight[every] / at.weight[every].sum()
        return GeneralizedPosterior(
            model, at, Rows.of(kinds, rows[every], share, step, fineness), at_fineness, fineness
        )

    return at_fineness(1.0)


def _stands(at: Nodes) -> bool:
    """Whether the law of tau stands still where every other node is left out, but for a little.

    The frame is that of an approximation, which may be wider than the density. The error of a law falls like the
    exponential of minus one over the step, or faster: with all nodes it is the square of what it moves by, or less.
    """
    lattice, even = at.lattice, at.lattice.index[0] % 2 == 0
    thinned = replace(
        lattice, step=2 * lattice.step, index=lattice.index[:, even] // 2, log_mass=lattice.log_mass[even]
    )
    laws = (figures([named("tau", n.scale())], {}) for n in (at, replace(at, lattice=thinned)))
    return nodes.moved(*laws) < MOST_MOVED


def _drift(rows: Sequence[Row], share: np.ndarray) -> float:
    """Largest distance of the centers of neighboring rows, in sds given tau.

    Where it is large, the coefficients tell tau, and rows so far apart make a staircase of their laws.
    """
    pairs = zip(rows, rows[1:], np.minimum(share, np.append(share[1:], 0.0)), strict=False)
    drifts = [
        np.linalg.norm(np.linalg.solve(one.root, other.center - one.center))
        for one, other, least in pairs
        if least > NEGLIGIBLE
    ]
    return max(drifts, default=0.0)


def _approximately(kinds, prior):
    """Log density of log tau by Laplace's approximation, to find its modes."""

    def log_densities(logs):
        taus = np.exp(logs[0])
        return (approximate(kinds, taus).log_density + prior.log_density(taus) + logs[0])[None]

    return log_densities


def _starts(model, coordinates, log_densities) -> np.ndarray:
    """Logs (1, mode) of tau near the modes of its density."""
    typical = np.log([value for value in model.tau.typical if value > 0])
    # A likelihood bends over a unit of theta. A mode beyond the range is climbed to from its end.
    low, high = min(SCANNED[0], *typical - 2), max(SCANNED[1], *typical + 2)
    logs = np.arange(low, high, SCAN_STEP)
    inside = logs[None, logs < np.log(model.tau.upper)]
    height = log_densities(inside)[0] + coordinates.log_volume(coordinates.of_logs(inside))
    padded = np.pad(height, 1, constant_values=-np.inf)
    return inside[:, (height >= padded[:-2]) & (height >= padded[2:])]
