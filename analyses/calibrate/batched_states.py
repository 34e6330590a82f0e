"""States of many sets of data: name to an array (data, ...), or (draw, data, ...) for draws."""

from collections.abc import Callable
from itertools import product

import numpy as np

from models.groups import Groups


def log_likelihood(groups: Groups, state: dict) -> np.ndarray:
    """Log density of the data, up to a constant, given theta and a common sigma: (..., data)."""
    (df, ss), sigma2 = groups.within, state["sigma2"]
    squares = ss + np.sum((groups.mean - state["theta"]) ** 2 / groups.noise, axis=-1)
    return -((df + len(groups)) * np.log(sigma2) + squares / sigma2) / 2


def drawn_given(law: Callable, states: dict, rng) -> np.ndarray:
    """Draw from a conditional, which has one leading index, for every draw of the states."""
    draws = len(next(iter(states.values())))
    return np.stack([law({name: values[i] for name, values in states.items()}).draw(rng) for i in range(draws)])


def first_kept(draw: Callable, draws: int) -> dict:
    """The first so many draws of each set of data that are kept; `draw()` gives some of all, and which to keep."""
    found, kept = draw()
    while kept.sum(axis=0).min() < draws:
        more, of_more = draw()
        kept = np.concatenate([kept, of_more])
        found = {name: np.concatenate([found[name], more[name]]) for name in found}
    order = np.argsort(~kept, axis=0, kind="stable")[:draws]
    return {
        name: np.take_along_axis(values, order.reshape(order.shape + (1,) * (values.ndim - 2)), axis=0)
        for name, values in found.items()
    }


def on_lattice(
    log_density: Callable,
    reach,
    size: int,
    draws: int,
    rng,
    *,
    above: Callable | None = None,
    bound: float = 1.25,
    box: Callable | None = None,
) -> np.ndarray:
    """Independent draws (d, draw, data) of d variables of so many sets of data, on one lattice for all.

    From the density that is multilinear between nodes, made exact by rejection as `quadrature.Region.draw` does it.

    Parameters
    ----------
    log_density : callable
        (d, ..., data) to (..., data).
    reach : sequence of (low, high, step)
        One a variable.
    above : callable, optional
        In place of the density at the nodes, where it has edges.
    bound : float
        On the density over the interpolation between nodes.
    box : callable, optional
        Draws to which of them to keep.
    """
    axes, step = [np.arange(*ends) for ends in reach], np.array([ends[2] for ends in reach])
    nodes = np.stack(np.meshgrid(*axes, indexing="ij"))
    height = (above or log_density)(nodes[..., None] * np.ones(size))
    top = height.max(axis=tuple(range(len(axes))))
    weight, (low, high) = np.exp(height - top), np.transpose([(a[0], a[-1]) for a in axes])[..., None, None]
    upto = np.cumsum(weight.reshape(-1, size), axis=0)

    def draw():
        at = rng.random((2 * draws, size)) * upto[-1]
        node = np.stack([np.searchsorted(w, a) for w, a in zip(upto.T, at.T, strict=True)], axis=1)
        index = np.stack(np.unravel_index(node, nodes.shape[1:]))
        off = rng.triangular(-1, 0, 1, index.shape)
        u = np.stack([axis[i] for axis, i in zip(axes, index, strict=True)]) + step[:, None, None] * off
        inside = np.all((low < u) & (u < high), axis=0)  # beyond the ends there is next to nothing, and no envelope
        ratio = np.where(inside, np.exp(log_density(u) - top) / _between(weight, index, off) / bound, 0.0)
        if ratio.max() > 1:
            raise RuntimeError(f"the envelope of the draws is exceeded by a factor {ratio.max():.3f}")
        kept = rng.random(node.shape) < ratio
        return {"u": np.moveaxis(u, 0, -1)}, kept if box is None else kept & box(u)

    return np.moveaxis(first_kept(draw, draws)["u"], -1, 0)


def _between(weight, index, off) -> np.ndarray:
    """Multilinear interpolation of the weights (.., data) at index + off, both (d, draw, data); 0 beyond the ends."""
    padded = np.pad(weight, [(1, 1)] * len(index) + [(0, 0)])
    away, share = index + np.where(off < 0, -1, 1), np.abs(off)
    total = 0.0
    for corner in product((False, True), repeat=len(index)):
        far = np.array(corner)[:, None, None]
        at = np.where(far, away, index) + 1
        total = total + np.prod(np.where(far, share, 1 - share), axis=0) * padded[(*at, np.arange(weight.shape[-1]))]
    return total


def each(*arrays: dict[str, np.ndarray]) -> list[tuple[dict, ...]]:
    """The entries of every set of data by itself."""
    size = len(next(iter(arrays[0].values())))
    return [tuple({name: values[i] for name, values in some.items()} for some in arrays) for i in range(size)]
