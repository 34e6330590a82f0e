"""Independent draws from the densities of many sets of data on one lattice, made exact by rejection."""

from collections.abc import Callable
from itertools import product

import numpy as np

from analyses.calibrate.batched_states import first_accepted


def draw(log_density: Callable, reach, size: int, draws: int, rng, *, envelope=None, bound=1.25, inside=None):
    """Draws (d, draw, data) of d variables of so many sets of data, independent of each other.

    Proposals are from the density that is multilinear between nodes, as in `quadrature.Region.draw`.

    Parameters
    ----------
    log_density : callable
        (d, ..., data) to (..., data).
    reach : sequence of (low, high, step)
        One a variable.
    envelope : callable, optional
        Log density to take at the nodes, where the density itself has edges.
    bound : float
        On the density over the interpolation between nodes.
    inside : callable, optional
        Draws to which of them to keep.

    Raises
    ------
    RuntimeError
        Where the bound is exceeded.
    """
    axes, step = [np.arange(*ends) for ends in reach], np.array([ends[2] for ends in reach])[:, None, None]
    low, high = (np.array([axis[end] for axis in axes])[:, None, None] for end in (0, -1))
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"))
    height = (envelope or log_density)(nodes[..., None] * np.ones(size))
    top = height.max(axis=tuple(range(len(axes))))
    weight = np.exp(height - top)
    cumulative = np.cumsum(weight.reshape(-1, size), axis=0)

    def propose():
        targets = rng.random((2 * draws, size)) * cumulative[-1]
        node = np.stack([np.searchsorted(w, x) for w, x in zip(cumulative.T, targets.T, strict=True)], axis=1)
        index = np.stack(np.unravel_index(node, nodes.shape[1:]))
        offset = rng.triangular(-1, 0, 1, index.shape)
        u = np.stack([axis[i] for axis, i in zip(axes, index, strict=True)]) + step * offset
        covered = np.all((low < u) & (u < high), axis=0)  # beyond the ends there is next to nothing, and no envelope
        ratio = np.where(covered, np.exp(log_density(u) - top) / _interpolate(weight, index, offset) / bound, 0.0)
        if ratio.max() > 1:
            raise RuntimeError(f"the envelope of the draws is exceeded by a factor {ratio.max():.3f}")
        accepted = rng.random(node.shape) < ratio
        return {"u": np.moveaxis(u, 0, -1), "accepted": accepted & inside(u) if inside else accepted}

    return np.moveaxis(first_accepted(propose, draws)["u"], -1, 0)


def _interpolate(weight, index, offset) -> np.ndarray:
    """Multilinear interpolation of weights (.., data) at index + offset, both (d, draw, data); 0 beyond the ends."""
    padded = np.pad(weight, [(1, 1)] * len(index) + [(0, 0)])
    neighbor, share = index + np.where(offset < 0, -1, 1), np.abs(offset)
    total = 0.0
    for corner in product((False, True), repeat=len(index)):
        far = np.array(corner)[:, None, None]
        position = np.where(far, neighbor, index) + 1
        factor = np.prod(np.where(far, share, 1 - share), axis=0)
        total = total + factor * padded[(*position, np.arange(weight.shape[-1]))]
    return total
