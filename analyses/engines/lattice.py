"""Weighted nodes in the logs of the scales: the lattice on which posteriors of two and of three levels are computed.

A posterior says what its model is given the scales, as a part of the log density that never falls along an axis and a
part that never rises, and which functions of the scales it reports. Everything else about its nodes is here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd
import xarray as xr

from analyses.engines import mixture
from analyses.engines.mixture import Mixture
from analyses.engines.quadrature import LogDensity, Parts, Region
from models.distributions import InverseGamma

MOST_MOVED = 1e-6  # of the posterior's width; halving the step squares the error: what moves by less is off by 1e-12


class GivenScales(Protocol):
    """A model given its scales, at all nodes: the log density of the scales, in two parts."""

    @property
    def rising(self) -> np.ndarray:
        """The part that never falls as a scale grows."""

    @property
    def falling(self) -> np.ndarray:
        """The part that never rises as a scale grows."""

    @property
    def log_unnormalized(self) -> np.ndarray:
        """Their sum."""


class ExactPosterior(Protocol):
    """A posterior that is computed: its table, the table's numerical error, and independent draws."""

    def table(self) -> pd.DataFrame:
        """Mean, sd and quantiles by variable and label."""

    def error(self) -> pd.DataFrame:
        """Numerical error of the table's entries."""

    def draw(self, *, draws: int = 1000, chains: int = 4, rng: np.random.Generator) -> xr.DataTree:
        """Independent draws."""


@dataclass(frozen=True, eq=False)
class Lattice[G: GivenScales]:
    """Weighted nodes, and the model given the scales at each.

    Attributes
    ----------
    collapsed : callable
        Logs of the scales (scale, node) to the model given them.
    region : Region
    step : float
        Spacing of the nodes.
    u : ndarray (scale, node)
        Logs of the scales.
    weight : ndarray (node,)
    given : GivenScales
        At the nodes.
    """

    collapsed: Callable[[np.ndarray], G]
    region: Region
    step: float
    u: np.ndarray
    weight: np.ndarray
    given: G

    @classmethod
    def of(cls, collapsed: Callable[[np.ndarray], G], region: Region, step: float) -> "Lattice[G]":
        """Weigh all nodes of a region that are so far apart."""
        u = region.lattice(step)
        given = collapsed(u)
        height = given.log_unnormalized + u.sum(axis=0)
        weight = np.exp(height - height.max())
        return cls(collapsed, region, step, u, weight / weight.sum(), given)

    def finer(self, by: float) -> "Lattice[G]":
        """Return the lattice of the same region with the step divided by a number."""
        return Lattice.of(self.collapsed, self.region, self.step / by)

    def between(self) -> "Lattice[G]":
        """Nodes halfway between these."""
        return Lattice.of(self.collapsed, replace(self.region, shift=self.step / 2), self.step)

    def t(self, location: np.ndarray, squared: np.ndarray, df: float) -> Mixture:
        """Mixture of t distributions, (node, quantity), normal where df is inf; `squared` is the squared scale."""
        return mixture.t_mixture(self.weight, location, np.sqrt(squared), df)

    def sigma(self, sigma2: InverseGamma) -> Mixture:
        """sigma, given the law of sigma^2 at the nodes."""
        return mixture.root_inverse_gamma_mixture(self.weight, float(sigma2.shape), np.asarray(sigma2.scale))

    def sigma_times(self, ratio2: np.ndarray, sigma2: InverseGamma) -> Mixture:
        """sigma times a power of the scales at the nodes, whose square is given."""
        return mixture.product_mixture(self.weight, sigma2.scale * ratio2, self.step, float(sigma2.shape))

    def not_followed(self, table: pd.DataFrame) -> pd.DataFrame:
        """Error of a table's entries from the mass outside the region: its share, times value and spread."""
        return self.region.missed * table.abs().add(mixture.spread(table), axis=0)


def density(collapsed: Callable[[np.ndarray], GivenScales], reported: Callable[[np.ndarray], Parts]) -> LogDensity:
    """Log density of the logs of the scales, and of it times the functions whose expectation is reported."""

    def log_density(u):
        given = collapsed(u)
        return Parts((given.rising + u.sum(axis=0))[None], given.falling[None]).times(reported(u))

    return log_density


def settle[P](
    at_step: Callable[[float], P],
    step: float,
    table: Callable[[P], pd.DataFrame],
    *,
    most_moved: float = MOST_MOVED,
    by: float = 2.0,
) -> P:
    """Shorten the step of a posterior's lattice until its table converges.

    Parameters
    ----------
    at_step : callable
        Step to a posterior.
    step : float
        To begin with.
    table : callable
        Posterior to those of its rows that are watched.
    most_moved : float
        What moves by less of its width stands still.
    by : float
        What the step is divided by each time.
    """
    posterior = at_step(step)
    rows = table(posterior)
    while True:
        step, last = step / by, rows
        posterior = at_step(step)
        rows = table(posterior)
        if ((rows - last).abs().max(axis=1) < most_moved * mixture.width(rows)).all():
            return posterior
