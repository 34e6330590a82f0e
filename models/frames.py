"""Columns of a data frame as groups need them: anything whose columns `frame[name]` gives and can be iterated."""

from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Real

import numpy as np


def column(frame, name: str) -> list:
    """Values of one column.

    Raises
    ------
    ValueError
        Where there is none of that name, with the nearest one.
    """
    names = [str(known) for known in getattr(frame, "columns", getattr(frame, "column_names", frame))]
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, names))}"
        raise ValueError(f"there is no column {name!r}: {hint}")
    return [value.as_py() if hasattr(value, "as_py") else value for value in frame[name]]


def constant(name: str, groups: Iterable, values: Iterable) -> dict[str, object]:
    """Value of a covariate in each group.

    Raises
    ------
    ValueError
        Where it varies within a group, naming two rows, counted from 1.
    """
    first = {}
    for row, (group, value) in enumerate(zip(map(str, groups), values, strict=True), start=1):
        at, known = first.setdefault(group, (row, value))
        if value != known:
            raise ValueError(
                f"covariate {name!r} varies within {group!r}: {known!r} in row {at}, {value!r} in row {row}"
            )
    return {group: value for group, (_, value) in first.items()}


def coded(name: str, at: dict[str, object]) -> dict[str, dict[str, float]]:
    """Columns of a covariate by group: numbers as they are, else one 0/1 column a level but the first in order.

    Raises
    ------
    ValueError
        For a covariate that is the same everywhere.

    Examples
    --------
    >>> coded("arm", {"a": "drug", "b": "control"})
    {'arm[drug]': {'a': 1.0, 'b': 0.0}}
    """
    levels = sorted(set(at.values()), key=str)
    if len(levels) < 2:
        same = f"{levels[0]:g}" if _is_number(levels[0]) else repr(levels[0])
        raise ValueError(f"covariate {name!r} is {same} in every group: it tells nothing apart")
    if all(map(_is_number, levels)):
        return {name: {group: float(value) for group, value in at.items()}}
    return {f"{name}[{level}]": {g: float(value == level) for g, value in at.items()} for level in levels[1:]}


def _is_number(value) -> bool:
    return isinstance(value, Real | np.number)
