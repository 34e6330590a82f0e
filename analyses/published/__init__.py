"""What the sources print, computed again: a module a source, each with its formulas and its figures.

A formula is a function of a generator: it evaluates what is printed and what is right at random values. Its docstring
says what is wrong, if anything. A figure is computed as the source means it, with what its own method may be off by.
"""

from dataclasses import dataclass

import numpy as np


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


def discrepancy(printed, right) -> float:
    """Largest relative difference."""
    printed, right = np.broadcast_arrays(printed, right)
    return float(np.max(np.abs(printed - right) / np.maximum(np.abs(right), 1e-12)))
