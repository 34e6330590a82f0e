"""Columns that groups are given by, checked as they come in."""

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from models.groups import naming
from models.groups.dataframes import is_number

RESERVED = {
    *("chain", "draw", "covariate", "coefficient", "row", "mean", "ss", "noise", "df", "design", "z", "y"),
    *("mu", "beta", "tau", "sigma", "sd_between", "theta", "kappa"),
}
# Sizes whose fourth powers, squares of variances, are doubles. Variances themselves, 1e-150 to 1e150, leave the
# quadrature room to multiply and divide them by exp(350).
LARGEST_SCALE, SMALLEST_SCALE = 1e75, 1e-75
NEGLIGIBLE = 1e-6  # of a standard error: what a mean may lose by rounding before it is said


class RoundedWarning(UserWarning):
    """Means so far from 0 that doubles there lie apart by more than a millionth of a standard error."""


def described(
    labels: tuple[str, ...], mean: ArrayLike, covariates: Mapping[str, ArrayLike] | None, size: int, dim: str
) -> dict:
    """Fields that all kinds of groups share: labels, mean, design, covariates and dim.

    Raises
    ------
    ValueError
        For no groups at all, lengths that differ from `size`, a label that occurs twice or looks like another, a number
        that is missing, not finite or too large, or a `dim` that is the name of something else.
    """
    if dim in RESERVED:
        raise ValueError(f"a group cannot be called {dim!r}: that is the name of something else in every model")
    mean = numbers("mean", mean)
    given = {name: numbers(name, values, truths=True) for name, values in (covariates or {}).items()}
    if size == 0:
        raise ValueError("there are no groups")
    for name, entries in {"labels": labels, "mean": mean, **given}.items():
        if len(entries) != size:
            raise ValueError(f"{name} has {len(entries)} entries where the other columns have {size}")
    if len(set(labels)) < size:
        twice = Counter(labels).most_common(1)[0][0]
        raise ValueError(f"label {twice!r} occurs more than once: each group needs a name of its own")
    naming.require_apart("labels", labels)
    require_scale(labels, "mean", mean)
    return {
        "labels": labels,
        "mean": mean,
        "design": np.column_stack([np.ones(size), *given.values()]),
        "covariates": tuple(given),
        "dim": dim,
    }


def numbers(name: str, values: ArrayLike, *, truths: bool = False) -> np.ndarray:
    """A column as doubles of its own, which nobody can write to.

    Parameters
    ----------
    name : str
    values : array_like
        Numbers of any kind; with `truths` also truth values, as 0 and 1.

    Raises
    ------
    ValueError
        For more or less than one dimension, what is no number, or a number that is missing or not finite.

    Examples
    --------
    >>> numbers("n", [3, 1])
    array([3., 1.])
    """
    given = _array(values)
    if given.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {given.ndim}")
    if given.dtype.kind not in "iuf":
        _require_numbers(name, given, truths)
    out = np.array(given, dtype=float)
    out.setflags(write=False)
    if not np.isfinite(out).all():
        at = int(np.argmin(np.isfinite(out)))
        raise ValueError(f"{name}[{at}] is {out[at]}: every number must be finite")
    return out


def _array(values: ArrayLike) -> np.ndarray:
    """Entries as an array: masked ones are missing, and text or truth values beside numbers stay what they are."""
    if isinstance(values, np.ma.MaskedArray):
        return naming.unmasked(values)
    if hasattr(values, "to_pylist"):  # Arrow's
        values = values.to_pylist()
    kinds = set(map(type, values)) if isinstance(values, list | tuple) else set()
    mixed = len(kinds) > 1 and any(issubclass(kind, str | bytes | bool | np.bool_) for kind in kinds)
    return np.array(values, dtype=object) if mixed else np.asarray(values)


def _require_numbers(name: str, given: np.ndarray, truths: bool) -> None:
    """Refuse the first entry that is no number."""
    for at, entry in enumerate(given):
        if naming.is_missing(entry):
            raise ValueError(f"{name}[{at}] is missing: every number must be finite")
        truth = isinstance(entry, bool | np.bool_)
        if not is_number(entry) or (truth and not (truths and given.dtype.kind == "b")):
            hint = ", or use from_frame, which takes text" if truths and isinstance(entry, str) else ""
            shown = entry.item() if isinstance(entry, np.generic) else entry
            raise ValueError(f"{name}[{at}] is {shown!r}: give numbers{hint}")


def require_aligned(columns: Mapping[str, object], covariates: Mapping[str, object]) -> None:
    """Refuse pandas Series whose indexes differ: they are taken by position, and pandas goes by the index.

    Raises
    ------
    ValueError
        Naming two of them.
    """
    given = dict(columns) | {f"covariate {name}": one for name, one in covariates.items()}
    series = {name: one for name, one in given.items() if type(one).__module__.partition(".")[0] == "pandas"}
    indexes = {name: one.index for name, one in series.items() if hasattr(one, "index")}
    for name, index in indexes.items():
        first = next(iter(indexes))
        if len(index) == len(indexes[first]) and not index.equals(indexes[first]):
            raise ValueError(
                f"{name} and {first} have different indexes: align them in one frame, or pass arrays to go by position"
            )


def require_scale(labels: Sequence[object], name: str, values: np.ndarray, *, small: bool = False) -> None:
    """Refuse numbers whose fourth powers overflow; with `small` those, too, whose fourth powers underflow.

    Raises
    ------
    ValueError
        Naming the first.
    """
    size = np.abs(values)
    advice = "is out of the range that variances can be computed in: rescale the column"
    require(labels, name, values, size <= LARGEST_SCALE, advice)
    if small:
        require(labels, name, values, size >= SMALLEST_SCALE, advice)


def require_spread(size: float) -> None:
    """Refuse values that differ by so little that the square of it underflows.

    Raises
    ------
    ValueError
        Unless they do not differ at all, which is a question of propriety.
    """
    if 0 < size < SMALLEST_SCALE:
        raise ValueError(f"the spread of the values is {size:.1e}, and its square underflows: rescale the column")


def warn_of_rounding(labels: Sequence[str], mean: np.ndarray, error: np.ndarray, *, as_given: np.ndarray) -> None:
    """Say that means have lost digits to an offset that all of them share, if more than `NEGLIGIBLE` of an error.

    Parameters
    ----------
    labels : sequence of str
    mean, error : ndarray (J,)
        Means, and their standard errors.
    as_given : ndarray (J,) of bool
        Where a mean is a single value; it is exact if it is whole.

    Warns
    -----
    RoundedWarning
        Only where subtracting a constant helps.
    """
    apart = np.spacing(np.abs(mean))
    away = np.abs(mean - np.median(mean))
    shared = apart > 2 * np.spacing(np.maximum(away, np.median(away)))
    exact = as_given & (mean == np.round(mean)) & (apart < 1)
    lost = shared & ~exact & (error > 0) & (apart / 2 > NEGLIGIBLE * error)
    if lost.any():
        at = int(np.argmax(lost))
        warnings.warn(
            f"mean of {labels[at]!r} is rounded: doubles near {mean[at]:.3g} are {apart[at]:.2g} apart, and its "
            f"standard error is {error[at]:.2g}. Subtract a constant from the column before you pass it.",
            RoundedWarning,
            stacklevel=4,
        )


def warn_of_missing(what: str, labels: Iterable[object], read_as: str = "the name of a group") -> None:
    """Say which names may stand for a missing value.

    Warns
    -----
    MissingNameWarning
    """
    if said := naming.maybe_missing(labels, read_as):
        warnings.warn(f"{what}: {said}", naming.MissingNameWarning, stacklevel=4)


def warn_of_missing_levels(covariates: Mapping[str, Mapping[str, object]]) -> None:
    """Say which levels of covariates may stand for a missing value.

    Warns
    -----
    MissingNameWarning
    """
    for name, at in covariates.items():
        warn_of_missing(f"covariate {name!r}", at.values(), "a level")


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

    Raises
    ------
    ValueError
        For a label that is missing or blank, or two that differ and have one spelling, as 1 and "1".

    Examples
    --------
    >>> codes(["b", "a", "b"])
    (('b', 'a'), array([0, 1, 0]))
    """
    given = naming.as_list(labels)
    spelled = naming.read("labels", given)
    first: dict[str, int] = {}
    which = np.fromiter((first.setdefault(name, len(first)) for name in spelled), dtype=np.intp)
    if len(set(map(type, given))) > 1:
        _require_one_spelling(given, spelled)
    return tuple(first), which


def _require_one_spelling(given: list, spelled: Sequence[str]) -> None:
    """Refuse labels that differ and are spelled alike, or are equal and spelled otherwise: 1 and "1", 1 and 1.0."""
    objects: dict[str, object] = {}
    for entry, name in zip(given, spelled, strict=True):
        if (known := objects.setdefault(name, entry)) != entry:
            raise ValueError(f"labels hold both {known!r} and {entry!r}: give all as text")
    values: dict[object, str] = {}
    for entry, name in zip(given, spelled, strict=True):
        if (other := values.setdefault(entry, name)) != name:
            raise ValueError(f"labels hold both {other} and {name} for one number: give all as text")
