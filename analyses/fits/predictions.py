"""Predictions for the rows of a table: groups that are in the data, and new ones, by name and covariates."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from analyses.engines.exact import Posterior
from analyses.engines.mixture import named
from analyses.ingest import header, reader, repeats
from analyses.ingest.build_model import Prepared
from analyses.ingest.contents import POSITIVE
from analyses.ingest.data_frame import FrameTable
from analyses.ingest.reading import Name, name_of
from analyses.ingest.request import InputError
from models.groups import Estimates, Groups

NAMES = {
    "new_theta": "theta",
    "new_value": "value",
    "new_group_value": "value",
}  # the row says whether a group is new


@dataclass(frozen=True)
class NamedColumns:
    """What the columns of a table are called.

    Attributes
    ----------
    label : str, or tuple of str
        Names of the groups.
    covariates : tuple of str
    error : str or None
        Standard errors, of estimates.
    """

    label: Name
    covariates: tuple[str, ...]
    error: str | None


@dataclass(frozen=True, eq=False)
class NewTable:
    """Rows to be predicted.

    Attributes
    ----------
    labels : list of str
    columns : DataFrame
        Covariates, text or Decimal, and the standard error where the table has one.
    error : str or None
        Name of the column of standard errors.
    """

    labels: list[str]
    columns: pd.DataFrame
    error: str | None


def table(
    posterior: Posterior, prepared: Prepared, called: NamedColumns, frame: Any, probabilities: Mapping[str, float]
) -> pd.DataFrame:
    """Means, sds and quantiles of theta and of one more value, in the units of the engines.

    Raises
    ------
    InputError
        For a covariate that is missing, a level that the data do not have, or one that differs from the data's.
    """
    groups = prepared.model.groups
    rows = read(frame, called, prepared.references)
    known = {label: position for position, label in enumerate(groups.labels)}
    old = [known[label] for label in rows.labels if label in known]
    new = [row for row, label in enumerate(rows.labels) if label not in known]
    _require_same(rows, groups, prepared, called)
    parts = []
    if old:
        names = [groups.labels[k] for k in old]
        parts += [named("theta", posterior.theta(old), names), named("new_value", posterior.new_value(old), names)]
    if new:
        names, x = [rows.labels[row] for row in new], design(rows.columns.iloc[new], groups, prepared, called)
        parts.append(named("new_theta", posterior.new_theta(x), names))
        noise = _noise(rows, new, groups, prepared)
        if noise is not None:
            parts.append(named("new_group_value", posterior.new_theta(x, noise), names))
    return posterior.rows(*parts, probabilities=probabilities)


def renamed(rows: pd.DataFrame) -> pd.DataFrame:
    """Predictions with theta before values, each variable under one name."""
    rows = rows.rename(index=NAMES, level="variable")
    return pd.concat([rows.loc[[name]] for name in ("theta", "value") if name in rows.index.get_level_values(0)])


def read(frame: Any, called: NamedColumns, references: Mapping[str, str]) -> NewTable:
    """Read the labels and covariates of the rows, as strictly as any table.

    Covariates that have a reference level are read as text.
    """
    source = FrameTable.of(frame, [called.label, *called.covariates])
    known_names = [name for name in (called.label, *called.covariates, called.error) if name]
    there = {name for name in known_names if header.has_names(source.columns, [name])}
    parts = header.parts(called.label, source.columns)
    if called.label not in there and not {*parts}.isdisjoint(source.columns):
        raise InputError(f"frame: groups are named by {' and '.join(map(repr, parts))}: give all of these columns")
    if not there:
        known = ", ".join(map(name_of, known_names))
        raise InputError(f"frame: there is no column that tells what to predict: the fit knows {known}")
    covariates = [name for name in called.covariates if name in there]
    columns = reader.read(
        source,
        text=[*(name for name in (called.label,) if name in there), *(c for c in covariates if c in references)],
        numbers=[name for name in (called.error,) if name in there],
        either=[c for c in covariates if c not in references],
    )
    if called.error in there:
        repeats.check(source, columns, called.error, (value > 0 for value in columns[called.error]), POSITIVE)
    labels = list(columns[called.label]) if called.label in there else [f"new {row}" for row in columns.index]
    label, count = Counter(labels).most_common(1)[0]
    if count > 1:
        raise InputError(f"frame: column {called.label!r}: {label!r} occurs more than once: give each row a name")
    return NewTable(labels, columns, called.error if called.error in there else None)


def design(columns: pd.DataFrame, groups: Groups, prepared: Prepared, called: NamedColumns) -> np.ndarray:
    """Regressors (row, p) of new groups.

    Raises
    ------
    InputError
        For a covariate that is missing, or a level that the data do not have.
    """
    if missing := [name for name in called.covariates if name not in columns]:
        raise InputError(f"frame: there is no column {missing[0]!r}: a new group needs the covariates of the model")
    x = {"mu": np.ones(len(columns))}
    for name in called.covariates:
        x |= _coded(name, list(columns[name]), groups.covariates, prepared.references.get(name))
    return np.column_stack([x[name] for name in ("mu", *groups.covariates)])


def _coded(name: str, values: Sequence[Any], covariates: Sequence[str], reference: str | None) -> dict[str, np.ndarray]:
    """Columns of one covariate: its numbers, or a 0/1 column for each level but the reference."""
    if reference is None:
        if text := [value for value in values if not isinstance(value, Decimal)]:
            raise InputError(f"frame: column {name!r}: {text[0]!r} is not a number")
        return {name: np.array(values, dtype=float)}
    columns = {level: f"{name}[{level}]" for level in map(str, values) if level != reference}
    if unknown := [level for level, column in columns.items() if column not in covariates]:
        known = [reference, *coded_levels(name, covariates).values()]
        raise InputError(f"frame: column {name!r}: there is no level {unknown[0]!r}: there are {', '.join(known)}")
    return {
        column: np.array([columns.get(str(value)) == column for value in values], dtype=float)
        for column in coded_levels(name, covariates)
    }


def coded_levels(name: str, covariates: Sequence[str]) -> dict[str, str]:
    """Columns of a categorical covariate, each with its level; the reference level has none.

    Examples
    --------
    >>> coded_levels("sector", ["sector[public]", "year"])
    {'sector[public]': 'public'}
    """
    return {column: column[len(name) + 1 : -1] for column in covariates if column.startswith(f"{name}[")}


def stated(groups: Groups, references: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Designs of new groups under names that state what is particular to each.

    With a categorical covariate there is one for each of its levels, "sector = public": other categories are at their
    reference level, numbers at their mean over the groups. With numbers alone there is one for each combination in the
    data, or their mean where these are many; without covariates there is one.

    Parameters
    ----------
    groups : Groups
    references : mapping
        Categorical covariate to its reference level.
    """
    if not references:
        return {_stated_numbers(groups, x) or name: x for name, x in groups.designs.items()}
    coded = {name: coded_levels(name, groups.covariates) for name in references}
    positions = {column: k for k, column in enumerate(groups.covariates, start=1)}
    base = groups.design.mean(axis=0)
    base[[positions[column] for levels in coded.values() for column in levels]] = 0.0
    designs = {}
    for name, levels in coded.items():
        designs[f"{name} = {references[name]}"] = base
        for column, level in levels.items():
            designs[f"{name} = {level}"] = base + np.eye(len(base))[positions[column]]
    return designs


def _stated_numbers(groups: Groups, x: np.ndarray) -> str:
    """Name a row of the design by its numbers: "year = 2003"; nothing without covariates."""
    return ", ".join(f"{name} = {value:.6g}" for name, value in zip(groups.covariates, x[1:], strict=True))


def _require_same(rows: NewTable, groups: Groups, prepared: Prepared, called: NamedColumns) -> None:
    """Refuse covariates of a known group that differ from those in the data."""
    if any(name not in rows.columns for name in called.covariates):
        return
    x = design(rows.columns, groups, prepared, called)
    known = {label: position for position, label in enumerate(groups.labels)}
    for row, label in enumerate(rows.labels):
        if label in known and (wrong := np.flatnonzero(x[row] != groups.design[known[label]])).size:
            name, old = groups.covariates[wrong[0] - 1], groups.design[known[label], wrong[0]]
            raise InputError(f"frame: {label!r} has {name} {x[row, wrong[0]]:g}, and {old:g} in the data of the fit")


def _noise(rows: NewTable, new: Sequence[int], groups: Groups, prepared: Prepared) -> np.ndarray | float | None:
    """Noise of one value of each new group, in units of sigma^2; None for estimates without a standard error."""
    if not isinstance(groups, Estimates):
        return 1.0
    if rows.error is None:
        return None
    return np.array([prepared.units.scaled(rows.columns[rows.error].iloc[row]) ** 2 for row in new])
