"""Draws made elsewhere, read and named as the reference has them."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from analyses.asked import Refused
from analyses.contract import SAMPLE, labelled
from analyses.reference import Reference

ENTRY = re.compile(r"(?P<name>.+?)(?:\[(?P<inside>[^\[\]]+)\]|\.(?P<dotted>\d+))")  # theta[A], theta[1] or theta.1
NUMBER = re.compile("[0-9]+")
CHAIN = ("chain", ".chain", "chain__")
DRAW = ("draw", ".draw", "draw__", "iteration", ".iteration", "iteration__", "iter__")
SHOWN = 12  # names in a message


def read(path: Path) -> xr.Dataset:
    """Draws of a netCDF file of ArviZ's, or of a CSV file with a column that tells the chain.

    Returns
    -------
    Dataset
        Variables (chain, draw) or (chain, draw, entry), under their own names.

    Raises
    ------
    Refused
        For a file that cannot be read as either, or chains of different lengths.
    """
    if not path.is_file():
        raise Refused(f"{path}: there is no such file")
    return _table(path) if path.suffix.lower() in (".csv", ".txt") else _tree(path)


def _tree(path):
    try:
        tree = xr.open_datatree(path, engine="h5netcdf")
    except (OSError, ValueError, KeyError) as error:
        raise Refused(f"{path.name}: neither netCDF nor a CSV file that ends in .csv: {error}") from error
    with tree:
        groups = ", ".join(tree.children) or "nothing else"
        node = tree["posterior"] if "posterior" in tree.children else tree
        found = node.to_dataset().load()
    if not {*SAMPLE} <= {*found.dims}:
        raise Refused(f"{path.name}: no group `posterior` with the dimensions chain and draw; there is {groups}")
    sampled = {name: values for name, values in found.data_vars.items() if {*SAMPLE} <= {*values.dims}}
    return xr.Dataset({name: _in_order(name, values) for name, values in sampled.items()})


def _in_order(name, values):
    """The sample first, then all other dimensions as one."""
    others = [dim for dim in values.dims if dim not in SAMPLE]
    if len(others) > 1:
        values, others = values.stack({f"{name}_entry": others}, create_index=False), [f"{name}_entry"]
    return values.transpose(*SAMPLE, *others)


def _table(path):
    try:
        frame = pd.read_csv(path, comment="#", skipinitialspace=True)  # Stan's files have comments
        twice = _twice(path)
    except (UnicodeDecodeError, csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise Refused(f"{path.name}: no CSV file: {error}") from error
    if twice:
        raise Refused(f"{path.name}: the column {twice!r} is there twice")
    chain = next((name for name in CHAIN if name in frame), None)
    if chain is None:
        shown = ", ".join(map(str, frame.columns[:SHOWN]))
        hint = "; are its columns separated by semicolons?" if len(frame.columns) == 1 and ";" in shown else ""
        raise Refused(
            f"{path.name}: no column `chain`: without it nothing tells whether chains agree; columns: {shown}{hint}"
        )
    if frame[chain].isna().any():
        raise Refused(f"{path.name}: row {int(frame[chain].isna().argmax()) + 1} does not say which chain it is of")
    if frame.empty:
        raise Refused(f"{path.name}: no draws, only a header")
    sizes = frame.groupby(chain, sort=False).size()
    if len(set(sizes)) != 1:
        raise Refused(f"{path.name}: chains have {sizes.min()} to {sizes.max()} draws: give all the same")
    counted = [name for name in DRAW if name in frame][:1]  # else they come as they were drawn
    keys = [*(frame[name] for name in counted), frame[chain].factorize()[0]]
    ordered, shape = frame.iloc[np.lexsort(keys)], (len(sizes), sizes.iloc[0])
    variables: dict[str, dict] = {}
    for column in frame.columns:
        if column not in (*CHAIN, *DRAW):
            name, label = _split(column)
            variables.setdefault(name, {})[label] = ordered[column].to_numpy().reshape(shape)
    arrays = {name: _variable(name, entries) for name, entries in variables.items()}
    return xr.Dataset(arrays, {"chain": list(sizes.index)})


def _twice(path):
    """A column's name that occurs more than once, which pandas would number."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader((line for line in file if not line.startswith("#")), skipinitialspace=True)
        header = next(rows, [])
    return next((name for name in header if header.count(name) > 1), "")


def _split(column: str) -> tuple[str, str]:
    """Variable and label of a column, which is empty where it has none."""
    found = ENTRY.fullmatch(column)
    return (found["name"], found["inside"] or found["dotted"]) if found else (column, "")


def _variable(name, entries):
    """Columns of one name as an array; one without a label beside others that have one is not of them."""
    labels = [label for label in entries if label]
    if not labels:
        return xr.DataArray(entries[""], dims=SAMPLE)
    values = np.stack([entries[label] for label in labels], axis=-1)
    return xr.DataArray(values, dims=(*SAMPLE, f"{name}_entry"), coords={f"{name}_entry": labels})


def named(draws: xr.Dataset, reference: Reference, rename: dict[str, str]) -> tuple[xr.DataTree, list[str]]:
    """Draws of the quantities that the reference has, as the tree that every check takes; and what was left out.

    Parameters
    ----------
    draws : Dataset
    reference : Reference
    rename : dict
        Their names to ours, before which a name that is the same stands back.

    Raises
    ------
    Refused
        For a name that is not there, one that is given twice, entries that do not fit the reference's, a draw that is
        no finite number, or where nothing is left to compare.
    """
    theirs = ", ".join(map(str, draws.data_vars))
    if unknown := [name for name in rename if name not in draws]:
        raise Refused(f"--rename {unknown[0]}: the draws have {theirs}")
    given, known, ours = list(rename.values()), reference.labels, ", ".join(reference.labels)
    if twice := [name for name in given if given.count(name) > 1]:
        raise Refused(f"--rename: {twice[0]} is given twice")
    if unknown := [(name, to) for name, to in rename.items() if to not in known]:
        raise Refused(f"--rename {'='.join(unknown[0])}: {reference.name} has {ours}")
    same = {name: name for name in draws.data_vars if name in known and name not in (*given, *rename)}
    found = {to: _fitted(name, draws[name], known[to]) for name, to in (rename | same).items()}
    if not found:
        raise Refused(
            f"nothing to compare: the draws have {theirs or 'no quantities'}, {reference.name} has {ours}; say which "
            "is which by --rename THEIRS=OURS"
        )
    dims = {name: (*SAMPLE, f"{name}_label") if known[name] != [""] else SAMPLE for name in found}
    coords = {f"{name}_label": known[name] for name in found if known[name] != [""]}
    tree = labelled({"posterior": {name: (dims[name], found[name]) for name in found}}, coords, {"engine": "audit"})
    return tree, [str(name) for name in draws.data_vars if name not in (*rename, *same)]


def _fitted(name, values, labels) -> np.ndarray:
    """Numbers in the order of the reference's labels: by their own where they are the same, else as they come."""
    _require_numbers(name, values)
    count = values.shape[-1] if values.ndim > len(SAMPLE) else 1
    if count != len(labels):
        right = "a single number" if labels == [""] else f"{len(labels)}"
        raise Refused(f"{name} has {count} entries where the reference has {right}")
    if values.ndim == len(SAMPLE) or labels == [""]:
        return values.values.reshape(values.shape[:2] + (() if labels == [""] else (1,)))
    dim = values.dims[-1]
    theirs = [str(label) for label in values[dim].values] if dim in values.coords else []
    if {*theirs} == {*labels}:
        return values.values[..., [theirs.index(label) for label in labels]]
    if theirs and all(NUMBER.fullmatch(label) for label in theirs):
        counted = list(map(int, theirs))
        if sorted(counted) not in (list(range(count)), list(range(1, count + 1))):
            raise Refused(f"{name} has entries {', '.join(theirs[:SHOWN])}: number them from 1 or 0, or name them")
        return values.values[..., np.argsort(counted)]
    if theirs:
        other = [label for label in theirs if label not in labels][:SHOWN]
        raise Refused(
            f"{name} has entries {', '.join(other)}, which the reference has not: {', '.join(labels[:SHOWN])}"
        )
    return values.values


def _require_numbers(name, values) -> None:
    if not np.issubdtype(values.dtype, np.number):
        raise Refused(f"{name} is not made of numbers")
    if not np.isfinite(values).all():
        chain, draw = np.argwhere(~np.isfinite(values.values))[0][:2]
        which = values["chain"].values[chain] if "chain" in values.coords else chain + 1
        raise Refused(f"{name}: draw {draw + 1} of chain {which} is no finite number")
