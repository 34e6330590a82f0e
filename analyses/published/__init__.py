"""Every figure and formula that the four source documents print, computed again: one module for each source.

A figure is computed as the source means it, with what its own method may be off by. A formula is a function that
returns an `Evaluation`: what is printed and what is right at random states, which the types of its parameters name. Its
docstring says what is wrong, if anything.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

TITLES = {
    "000": "SDS 383D Exercises 4: Intro to Hierarchical Models",
    "001": "Exercise 4: Hierarchical Models",
    "002": "Learning Bayesian Hierarchical Modeling from 8 Schools",
    "003": "Hierarchical Models",
}


@dataclass(frozen=True)
class Figure:
    """A figure as it should be.

    Attributes
    ----------
    value : float
        Right, to more digits than any source prints.
    sd : float
        Of the source's own Monte Carlo error; 0 where it has none.
    runs : int
        Repetitions of the source's procedure that the sd is computed from; 0 where it is computed without drawing.
    bound : float
        Largest error that the source's own arithmetic allows, a search that stops early, say.
    mistaken : float
        What a mistake that the source is suspected of would give.
    reason : str
        That mistake.
    """

    value: float
    sd: float = 0.0
    runs: int = 0
    bound: float = 0.0
    mistaken: float = np.nan
    reason: str = ""


def by_label(labels, columns: Mapping[str, ArrayLike], sds: ArrayLike = 0.0, *, runs: int = 0) -> dict[str, Figure]:
    """One figure for each label of each column, called `column.label`."""
    return {
        f"{name}.{label}": Figure(value, sd=sd, runs=runs)
        for name, values in columns.items()
        for label, value, sd in zip(labels, *np.broadcast_arrays(values, sds), strict=True)
    }


@dataclass(frozen=True)
class Evaluation:
    """What a formula gives as printed, and the right value."""

    printed: ArrayLike
    right: ArrayLike

    @classmethod
    def of_change(cls, printed: Callable, right: Callable, start: tuple, end: tuple) -> Self:
        """Evaluate the change between two points, in which the constants of log densities cancel."""
        return cls(printed(*end) - printed(*start), right(*end) - right(*start))

    @property
    def discrepancy(self) -> float:
        """Largest relative difference."""
        printed, right = np.broadcast_arrays(self.printed, self.right)
        return float(np.max(np.abs(printed - right) / np.maximum(np.abs(right), 1e-12)))
