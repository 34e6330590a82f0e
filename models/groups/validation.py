"""Columns of numbers that groups are given by, checked as they come in."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Real
from operator import lt

import numpy as np
from numpy.typing import ArrayLike

from models.groups import naming

RESERVED = {
    *("chain", "draw", "covariate", "coefficient", "row", "mean", "ss", "ss_within", "noise", "df", "design", "z", "y"),
    *("mu", "beta", "tau", "sigma", "sd_between", "theta", "kappa"),
}
# Sizes whose fourth powers, squares of variances, are doubles. Variances themselves, 1e-150 to 1e150, leave the
# quadrature room to multiply and divide them by exp(350).
LARGEST_SCALE, SMALLEST_SCALE = 1e75, 1e-75
LARGEST_NUMBER, SMALLEST_NUMBER = 1e305, 1e-305  # beyond either what follows from a number may be none
NEGLIGIBLE_ROUNDING = 1e-6  # of a standard error: what a mean may lose before a warning


class RoundedWarning(UserWarning):
    """Means so far from 0 that doubles there lie apart by more than a millionth of a standard error."""


def shared_fields(
    labels: tuple[str, ...], columns: Mapping[str, ArrayLike], covariates: Mapping[str, ArrayLike] | None, dim: str
) -> dict:
    """Fields that all kinds of groups share: labels, design, covariates and dim; and some columns as numbers.

    Raises
    ------
    ValueError
        For no groups at all, lengths that differ, a label that occurs twice or looks like another, a number that is
        missing or not finite, or a `dim` that is the name of something else.
    """
    if dim in RESERVED:
        raise ValueError(f"a group cannot be called {dim!r}: that is the name of something else in every model")
    entries = {name: numbers(name, values) for name, values in columns.items()}
    regressors = {name: numbers(name, values, truths=True) for name, values in (covariates or {}).items()}
    size = len(next(iter(entries.values())))
    if size == 0:
        raise ValueError("there are no groups")
    for name, values in {"labels": labels, **entries, **regressors}.items():
        if len(values) != size:
            raise ValueError(f"{name} has {len(values)} entries where the other columns have {size}")
    in_order = all(map(lt, labels, labels[1:]))  # as a group-by has them: quicker than to hash a million
    if not in_order and len(set(labels)) < size:
        repeated = Counter(labels).most_common(1)[0][0]
        raise ValueError(f"label {repeated!r} occurs more than once: each group needs a name of its own")
    naming.require_apart("labels", labels)
    design = np.column_stack([np.ones(size), *regressors.values()])
    return {"labels": labels, "design": design, "covariates": tuple(regressors), "dim": dim, **entries}


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
    entries = _array(values)
    if entries.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {entries.ndim}")
    if entries.dtype.kind not in "iuf":
        _require_numbers(name, entries, truths)
    column = np.array(entries, dtype=float)
    column.setflags(write=False)
    if not np.isfinite(column).all():
        position = int(np.argmin(np.isfinite(column)))
        raise ValueError(f"{name}[{position}] is {column[position]}: every number must be finite")
    return column


def _array(values: ArrayLike) -> np.ndarray:
    """Entries as an array: masked ones are missing, and text or truth values beside numbers stay what they are."""
    entries = naming.plain(values)
    kinds = set(map(type, entries)) if isinstance(entries, list | tuple) else set()
    mixed = len(kinds) > 1 and any(issubclass(kind, str | bytes | bool | np.bool_) for kind in kinds)
    return np.array(entries, dtype=object) if mixed else np.asarray(entries)


def _require_numbers(name: str, entries: np.ndarray, truths: bool) -> None:
    """Refuse the first entry that is no number."""
    allowed = (Real, bool) if truths and entries.dtype.kind == "b" else (Real,)
    for position, entry in enumerate(entries):
        if naming.is_missing(entry):
            raise ValueError(f"{name}[{position}] is missing: every number must be finite")
        if kind(entry) not in allowed:
            hint = ", or use from_frame, which takes text" if truths and isinstance(entry, str) else ""
            shown = entry.item() if isinstance(entry, np.generic) else entry
            raise ValueError(f"{name}[{position}] is {shown!r}: give numbers{hint}")


def kind(value: object) -> type:
    """What a Python object is taken for: `bool`, `numbers.Real`, or its own type.

    Examples
    --------
    >>> kind(np.int64(3)), kind(True), kind("3")
    (<class 'numbers.Real'>, <class 'bool'>, <class 'str'>)
    """
    if isinstance(value, bool | np.bool_):
        return bool
    return Real if isinstance(value, Real | Decimal) and not isinstance(value, np.timedelta64) else type(value)


def is_number(value: object) -> bool:
    """Whether a value is a real number of Python's or NumPy's; truth values are, as in Python."""
    return kind(value) in (Real, bool)


def require_present(what: str, values: list) -> None:
    """Refuse a column of which an entry is missing or infinite, by its row, counted from 1.

    Raises
    ------
    ValueError
        Naming the first.
    """
    if set(map(type, values)) == {float} and np.isfinite(values).all():
        return
    for row, value in enumerate(values, start=1):
        if isinstance(value, float) and np.isinf(value):
            raise ValueError(f"{what} is {value} in row {row}: every number must be finite")
        if not isinstance(value, str | int) and naming.is_missing(value):
            raise ValueError(f"{what} is missing in row {row}: remove the row, or fill it in")


def require_aligned(columns: Mapping[str, object], covariates: Mapping[str, object] | None = None) -> None:
    """Refuse pandas Series whose indexes differ: they are taken by position, and pandas goes by the index.

    Raises
    ------
    ValueError
        Naming two of them.
    """
    columns = dict(columns) | {f"covariate {name}": column for name, column in (covariates or {}).items()}
    pandas = {name: column for name, column in columns.items() if type(column).__module__.partition(".")[0] == "pandas"}
    indexes = {name: column.index for name, column in pandas.items() if hasattr(column, "index")}
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
    in_range = (size <= LARGEST_SCALE) & (size >= (SMALLEST_SCALE if small else 0.0))
    require(labels, name, values, in_range, "is out of the range that variances can be computed in: rescale the column")


def require_spread(size: float) -> None:
    """Refuse values that differ by so little that the square of it underflows.

    Raises
    ------
    ValueError
        Unless they do not differ at all, which is a question of propriety.
    """
    if 0 < size < SMALLEST_SCALE:
        raise ValueError(f"the spread of the values is {size:.1e}, and its square underflows: rescale the column")


def warn_of_rounding(labels: Sequence[str], mean: np.ndarray, error: np.ndarray, *, single: np.ndarray) -> None:
    """Say that means have lost digits to an offset that all share, if more than `NEGLIGIBLE_ROUNDING` of an error.

    Parameters
    ----------
    labels : sequence of str
    mean, error : ndarray (J,)
        Means, and their standard errors.
    single : ndarray (J,) of bool
        Where a mean is a single value; it is exact if it is whole.

    Warns
    -----
    RoundedWarning
        Only where subtracting a constant helps.
    """
    apart = np.spacing(np.abs(mean))
    away = np.abs(mean - np.median(mean))
    shared = apart > 2 * np.spacing(np.maximum(away, np.median(away)))
    exact = single & (mean == np.round(mean)) & (apart < 1)
    lost = shared & ~exact & (error > 0) & (apart / 2 > NEGLIGIBLE_ROUNDING * error)
    if lost.any():
        i = int(np.argmax(lost))
        warnings.warn(
            f"mean of {labels[i]!r} is rounded: doubles near {mean[i]:.3g} are {apart[i]:.2g} apart, and its "
            f"standard error is {error[i]:.2g}. Subtract a constant from the column before you pass it.",
            RoundedWarning,
            stacklevel=4,
        )


def require(labels: Sequence[object], name: str, values: np.ndarray, holds: np.ndarray, what: str) -> None:
    """Refuse a column that does not hold what it must, by the label of the first entry that does not.

    Raises
    ------
    ValueError
        Where there is one; columns whose lengths differ are refused elsewhere.
    """
    if len(labels) == len(values) and not np.all(holds):
        i = int(np.argmin(holds))
        raise ValueError(f"{name} of {labels[i]!r} is {values[i]}: it {what}")
