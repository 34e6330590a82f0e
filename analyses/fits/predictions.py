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
from analyses.ingest import strict_csv
from analyses.ingest.build_model import Prepared
from analyses.ingest.data_frame import FrameTable
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
    label : str
        Names of the groups.
    covariates : tuple of str
    error : str or None
        Standard errors, of estimates.
    """

    label: str
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
    rows = read(frame, called)
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


def read(frame: Any, called: NamedColumns) -> NewTable:
    """Read the labels and covariates of the rows, as strictly as any table."""
    source = FrameTable.of(frame, [called.label, *called.covariates])
    there = {name for name in (called.label, *called.covariates, called.error) if name in source.columns}
    if not there:
        known = ", ".join(filter(None, [called.label, *called.covariates, called.error]))
        raise InputError(f"frame: there is no column that tells what to predict: the fit knows {known}")
    columns = strict_csv.read(
        source,
        text=[name for name in (called.label,) if name in there],
        numbers=[name for name in (called.error,) if name in there],
        either=[name for name in called.covariates if name in there],
    )
    if called.error in there:
        strict_csv.check(
            source, columns, called.error, (value > 0 for value in columns[called.error]), "must be positive"
        )
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
        known = [reference, *(c[len(name) + 1 : -1] for c in covariates if c.startswith(f"{name}["))]
        raise InputError(f"frame: column {name!r}: there is no level {unknown[0]!r}: there are {', '.join(known)}")
    levels = [column for column in covariates if column.startswith(f"{name}[")]
    return {column: np.array([columns.get(str(value)) == column for value in values], dtype=float) for column in levels}


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
