"""A family of models in the calibration, and what a module about one kind of model provides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from analyses.calibrate.batched_states import Limits, States


@dataclass(frozen=True, eq=False)
class Simulation:
    """Truths drawn from the prior, (data, ...), and the model with one set of data from each."""

    model: Any
    truth: States

    def __len__(self):
        return len(next(iter(self.truth.values())))


# From a family, a simulation, the number of draws and rng, draws (draw, data, ...) given each set of data.
Engine = Callable[..., States]


class Kind(Protocol):
    """What a module about one kind of model provides; states hold variances, PyMC samples their roots."""

    ENGINES: Mapping[str, Engine]  # beside Gibbs and NUTS, which all have
    VARIANCES: Mapping[str, str]  # sd that PyMC samples to variance in the state

    def simulate(self, family: "Family", size: int, rng: np.random.Generator) -> Simulation:
        """Draw truths from the prior, with flat locations fixed, and data from each."""

    def quantities(self, model: Any, state: States, rng: np.random.Generator) -> States:
        """Return what is ranked, (..., data); a future value is drawn for every state."""

    def log_joint(self, model: Any, state: States) -> np.ndarray:
        """Return the log density of a state and the data, (data,), up to a constant."""

    def build(self, model: Any) -> Any:
        """State the model in PyMC."""

    def observed(self, model: Any) -> States:
        """Return the values of PyMC's data."""

    def to_pymc(self, model: Any, truth: States) -> States:
        """Return what PyMC samples beside the scales, and maybe more."""

    def complete(self, model: Any, sampled: States, rng: np.random.Generator) -> States:
        """Return states with what neither PyMC nor a lattice samples, drawn from conditionals."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Family:
    """A model, a design and priors, for any number of sets of data.

    Parameters
    ----------
    name, story : str
        What it is called, and the model in a line.
    kind : Kind
        Module about models of this class.
    model
        Whose data are not looked at.
    limits : dict
        Variance to its limits, where its prior is improper.
    reach : tuple of (low, high, step)
        Lattice in the logs of the scales that are not integrated out.
    thin : int
        Sweeps of Gibbs a draw.
    engines : tuple of str
        Their names.
    joint_step : tuple of str
        Conditionals that are one step of Gibbs, the earlier drawn with the later integrated out.
    """

    name: str
    story: str
    kind: Kind
    model: Any
    limits: Limits = field(default_factory=dict)
    reach: tuple[tuple[float, float, float], ...] = ()
    thin: int = 4
    engines: tuple[str, ...] = ("exact", "gibbs", "nuts")
    joint_step: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """Its name at the start of a line."""
        return self.name[0].upper() + self.name[1:]
