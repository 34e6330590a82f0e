"""Columns that groups are given by, checked as they come in."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

RESERVED = {
    *("chain", "draw", "covariate", "coefficient", "row", "mean", "ss", "noise", "df", "design", "z", "y"),
    *("mu", "beta", "tau", "sigma", "sd_between", "theta", "kappa"),
}


def described(
    labels: tuple[str, ...], mean: ArrayLike, covariates: Mapping[str, ArrayLike] | None, size: int, dim: str
) -> dict:
    """Fields that all kinds of groups share: labels, mean, design, covariates and dim.

    Raises
    ------
    ValueError
        For no groups at all, lengths that differ from `size`, a label that occurs twice, a number that is not finite,
        or a `dim` that is the name of something else.
    """
    if dim in RESERVED:
        raise ValueError(f"a group cannot be called {dim!r}: that is the name of something else in every model")
    mean = numbers("mean", mean)
    given = {name: numbers(name, values) for name, values in (covariates or {}).items()}
    if size == 0:
        raise ValueError("there are no groups")
    for name, entries in {"labels": labels, "mean": mean, **given}.items():
        if len(entries) != size:
            raise ValueError(f"{name} has {len(entries)} entries where the other columns have {size}")
    if len(set(labels)) < size:
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ValueError(f"label {twice!r} occurs more than once: each group needs a name of its own")
    return {
        "labels": labels,
        "mean": mean,
        "design": np.column_stack([np.ones(size), *given.values()]),
        "covariates": tuple(given),
        "dim": dim,
    }


def numbers(name: str, values: ArrayLike) -> np.ndarray:
    """A column as doubles of its own, which nobody can write to.

    Raises
    ------
    ValueError
        For more or less than one dimension, or a number that is not finite.

    Examples
    --------
    >>> numbers("n", [3, 1])
    array([3., 1.])
    """
    out = np.array(values, dtype=float)
    out.setflags(write=False)
    if out.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {out.ndim}")
    if not np.isfinite(out).all():
        at = int(np.argmin(np.isfinite(out)))
        raise ValueError(f"{name}[{at}] is {out[at]}: every number must be finite")
    return out


def roots(labels: Sequence[object], variance: ArrayLike) -> np.ndarray:
    """Standard errors of a column of variances.

    Raises
    ------
    ValueError
        As `numbers`, and for a variance that is not positive.
    """
    variances = numbers("variance", variance)
    require(labels, "variance", variances, variances > 0, "must be positive")
    return np.sqrt(variances)


def require(labels: Sequence[object], name: str, values: np.ndarray, holds: np.ndarray, what: str) -> None:
    """Refuse a column that does not hold what it must, by the label of the first entry that does not.

    Raises
    ------
    ValueError
        Where there is one; columns whose lengths differ are refused elsewhere.
    """
    if len(labels) == len(values) and not np.all(holds):
        at = int(np.argmin(holds))
        raise ValueError(f"{name} of {labels[at]!r} is {values[at]}: it {what}")


def codes(labels: Iterable[object]) -> tuple[tuple[str, ...], np.ndarray]:
    """Distinct labels in order of appearance, and which of them each row bears.

    Examples
    --------
    >>> codes(["b", "a", "b"])
    (('b', 'a'), array([0, 1, 0]))
    """
    names: dict[str, int] = {}
    which = np.fromiter((names.setdefault(str(label), len(names)) for label in labels), dtype=np.intp)
    return tuple(names), which
