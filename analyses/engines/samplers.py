"""Gibbs and NUTS for the models beside the two-level one.

A model supplies its conditionals, its PyMC model, and the names and labels of its variables; this module runs it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import xarray as xr

from analyses.engines import gibbs
from analyses.engines.inference_data import Drawn, Labels, labelled
from models.distributions import Conditionals, State
from models.two_level import TwoLevel

if TYPE_CHECKING:
    import pymc as pm


class Engine(Protocol):
    """A function that draws from the posterior of a two-level model."""

    def __call__(self, model: TwoLevel, *, draws: int, chains: int, rng: np.random.Generator) -> xr.DataTree:
        """Draws with the variables and labels of `inference_data.complete`."""


class HasConditionals(Protocol):
    """A model that Gibbs can draw from."""

    def conditionals(self) -> Conditionals:
        """Full conditionals in the order of drawing."""


@dataclass(frozen=True)
class Samplers[M: HasConditionals]:
    """Gibbs and NUTS for one kind of model.

    Attributes
    ----------
    build : callable
        Model to its PyMC model.
    start : callable
        (model, chains, rng) to the state in which Gibbs begins.
    label : callable
        (model, draws by name, rng) to labelled variables; it draws those that an engine integrates out.
    sampled : tuple of str
        Variables that NUTS draws.
    variances : mapping
        Standard deviation to the variance that Gibbs draws in its place.
    schedule : mapping
        Of Gibbs, where the caller says nothing: draws, tune, thin and chains.
    """

    build: Callable[[M], "pm.Model"]
    start: Callable[[M, int, np.random.Generator], State]
    label: Callable[[M, Drawn, np.random.Generator], Labels]
    sampled: tuple[str, ...]
    variances: Mapping[str, str]
    schedule: Mapping[str, int]

    def by_gibbs(self, model: M, *, rng: np.random.Generator, **schedule: int) -> xr.DataTree:
        """Sweep over the full conditionals; `schedule` may have draws, tune, thin and chains."""
        numbers = {**self.schedule, **schedule}
        state = self.start(model, numbers.pop("chains"), rng)
        drawn = gibbs.run(model.conditionals(), state, rng=rng, **numbers)  # type: ignore[arg-type]  # only numbers
        drawn |= {sd: np.sqrt(drawn[variance]) for sd, variance in self.variances.items()}
        return self.complete(model, drawn, engine="gibbs", rng=rng)

    def by_nuts(self, model: M, *, rng: np.random.Generator, **options: Any) -> xr.DataTree:
        """NUTS on the PyMC model; `options` are those of `nuts.run`."""
        from analyses.engines import nuts

        tree = nuts.run(self.build(model), **options)
        drawn = {name: tree["posterior"].dataset[name].values for name in self.sampled}
        return self.complete(model, drawn, engine="nuts", rng=rng, sample_stats=tree["sample_stats"].dataset)

    def complete(
        self,
        model: M,
        drawn: Drawn,
        *,
        engine: str,
        rng: np.random.Generator,
        sample_stats: xr.Dataset | None = None,
    ) -> xr.DataTree:
        """Complete and label the draws of an engine."""
        labels = self.label(model, drawn, rng)
        return labelled(labels.nodes, labels.coords, {"engine": engine, **labels.attrs}, sample_stats)
