"""Covariates of groups: numbers are one column each, text a 0/1 column for each level but the first."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.groups import naming
from models.groups.validation import is_number


def design(
    covariates: Mapping[str, Mapping[str, Any]], levels: Mapping[str, Sequence[str]] | None = None
) -> dict[str, dict[str, float]]:
    """Columns of all covariates by group, each coded as in `coded`; `levels` has the order of those that have one.

    Raises
    ------
    ValueError
        As `coded`, and for two columns of one name.
    """
    columns: dict[str, dict[str, float]] = {}
    for name, values in covariates.items():
        more = coded(name, values, (levels or {}).get(name))
        if taken := columns.keys() & more:
            raise ValueError(f"covariate {name!r} makes a second column {min(taken)!r}: rename one of the two")
        columns |= more
    return columns


def coded(name: str, values: Mapping[str, Any], order: Sequence[str] | None = None) -> dict[str, dict[str, float]]:
    """Columns of a covariate by group: its numbers, or a 0/1 column for each level but the first in order.

    The order of levels is that of `order`, which makes levels of numbers too, or that of the alphabet.

    Raises
    ------
    ValueError
        For a covariate that is the same everywhere, or has a level that is blank or looks like another.

    Examples
    --------
    >>> coded("arm", {"a": "drug", "b": "control"})
    {'arm[drug]': {'a': 1.0, 'b': 0.0}}
    """
    levels = sorted(set(values.values()), key=lambda level: order.index(str(level)) if order else str(level))
    if len(levels) < 2:
        same = f"{levels[0]:g}" if is_number(levels[0]) else repr(levels[0])
        raise ValueError(f"covariate {name!r} is {same} in every group: it tells nothing apart")
    if order is None and all(map(is_number, levels)):
        return {name: {group: float(value) for group, value in values.items()}}
    if blank := [group for group, level in values.items() if not str(level).strip()]:
        raise ValueError(f"covariate {name!r} is blank in {blank[0]!r}: fill it in, or remove the group")
    naming.require_apart(f"covariate {name!r}", list(map(str, levels)))
    return {f"{name}[{level}]": {g: float(value == level) for g, value in values.items()} for level in levels[1:]}


def columns_of(covariates: Mapping[str, Mapping[str, Any]], labels: Sequence[str]) -> dict[str, list[float]]:
    """Columns of the design in the order of the labels; a level that may stand for a missing value is warned of."""
    columns = design(covariates)
    for name, levels in covariates.items():
        naming.warn_of_missing(f"covariate {name!r}", levels.values(), "a level")
    return {name: [column[label] for label in labels] for name, column in columns.items()}
