"""Draws made elsewhere, named as the reference has them."""

import re
from typing import NamedTuple

import numpy as np
import xarray as xr

from analyses.audit.files import MOST_NAMES, UNREAD
from analyses.cli.parser import repeated
from analyses.engines.inference_data import SAMPLE
from analyses.ingest.request import InputError
from analyses.reference import Reference

NUMBER = re.compile("[0-9]+")


class Named(NamedTuple):
    """Draws of the quantities that a reference has, as the tree that every check takes; and what was left out."""

    tree: xr.DataTree
    unread: list[str]


def named(draws: xr.Dataset, reference: Reference, rename: dict[str, str]) -> Named:
    """Name draws and their entries as the reference does.

    Parameters
    ----------
    draws : Dataset
    reference : Reference
    rename : dict
        Their names to ours, which take precedence over matching names.

    Raises
    ------
    InputError
        For a name that is not there, one that is given twice, entries that do not fit the reference's, a draw that is
        no finite number, or where nothing is left to compare.
    """
    labels, theirs, ours = reference.labels, ", ".join(map(str, draws.data_vars)), ", ".join(reference.labels)
    for name in rename:
        if name not in draws:
            raise InputError(f"--rename {name}: the draws have {theirs}")
    if twice := repeated(rename.values()):
        raise InputError(f"--rename: {twice} is given twice")
    for name, new in rename.items():
        if new not in labels:
            raise InputError(f"--rename {name}={new}: {reference.name} has {ours}")
    same = {n: n for n in draws.data_vars if n in labels and n not in rename and n not in rename.values()}
    variables = {new: _match(draws[name], new, labels[new]) for name, new in (rename | same).items()}
    if not variables:
        raise InputError(
            f"nothing to compare: the draws have {theirs or 'no quantities'}, {reference.name} has {ours}; say which "
            "is which by --rename THEIRS=OURS"
        )
    unread = [str(name) for name in draws.data_vars if name not in (*rename, *same)]
    dataset = xr.Dataset(variables, attrs={"engine": "audit"})
    dataset = dataset.assign_coords({dim: np.arange(dataset.sizes[dim]) for dim in SAMPLE})
    return Named(xr.DataTree.from_dict({"posterior": dataset}), [*unread, *draws.attrs.get(UNREAD, [])])


def _match(values: xr.DataArray, name: str, labels: list[str]) -> xr.DataArray:
    """A variable under the reference's name, its entries under the reference's labels and in that order."""
    _require_numbers(values)
    sample, count = values.shape[:2], int(np.prod(values.shape[2:]))
    if labels == [""]:
        if count != 1:
            raise InputError(f"{values.name} has {count} entries where the reference has a single number")
        return xr.DataArray(values.values.reshape(sample), dims=SAMPLE)
    positions = _positions(values, labels, count)
    order, dim = np.argsort(positions), f"{name}_label"
    ordered = values.values.reshape(*sample, count)[..., order]
    return xr.DataArray(ordered, dims=(*SAMPLE, dim), coords={dim: [labels[positions[k]] for k in order]})


def _positions(values, labels, count) -> list[int]:
    """Position of each entry among the reference's labels: by its own label, its number, or as it comes."""
    name, dims = values.name, values.dims[len(SAMPLE) :]
    theirs = [str(label) for label in values[dims[0]].values] if len(dims) == 1 and dims[0] in values.coords else []
    if theirs and {*theirs} <= {*labels}:
        return [labels.index(label) for label in theirs]
    if not all(map(NUMBER.fullmatch, theirs)):
        unknown = [label for label in theirs if label not in labels][:MOST_NAMES]
        raise InputError(
            f"{name} has entries {', '.join(unknown)}, which the reference has not: {', '.join(labels[:MOST_NAMES])}"
        )
    if count != len(labels):
        raise InputError(
            f"{name} has {count} entries where the reference has {len(labels)}. To compare some of them, name them as "
            f"the reference does: {', '.join(f'{name}[{label}]' for label in labels[:MOST_NAMES])}"
        )
    numbers = list(map(int, theirs)) or list(range(count))
    if sorted(numbers) not in (list(range(count)), list(range(1, count + 1))):
        raise InputError(f"{name} has entries {', '.join(theirs[:MOST_NAMES])}: number them from 1 or 0, or name them")
    return [number - min(numbers) for number in numbers]


def _require_numbers(values) -> None:
    if not np.issubdtype(values.dtype, np.number):
        raise InputError(f"{values.name} is not made of numbers")
    if not np.isfinite(values).all():
        chain, draw = np.argwhere(~np.isfinite(values.values))[0][:2]
        which = values["chain"].values[chain] if "chain" in values.coords else chain + 1
        raise InputError(f"{values.name}: draw {draw + 1} of chain {which} is no finite number")
