"""Draws made elsewhere, read and named as the reference has them."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from analyses.asked import Refused
from analyses.contract import SAMPLE, labelled
from analyses.reference import Reference

ENTRY = re.compile(r"(?P<name>.+?)(?:\[(?P<inside>[^\[\]]+)\]|\.(?P<dotted>\d+))")  # theta[A], theta[1] or theta.1
CHAIN, DRAW = ("chain", ".chain", "chain__"), ("draw", ".draw", "draw__", "iteration", ".iteration", "iteration__")


def read(path: Path) -> xr.Dataset:
    """Draws of a netCDF file of ArviZ's, or of a CSV file with a column that tells the chain.

    Returns
    -------
    Dataset
        Variables (chain, draw) or (chain, draw, entry), under their own names.

    Raises
    ------
    Refused
        For a file that cannot be read as either, chains of different lengths, or a draw that is no finite number.
    """
    if not path.is_file():
        raise Refused(f"{path}: there is no such file")
    found = _table(path) if path.suffix.lower() in (".csv", ".txt") else _tree(path)
    for name, values in found.data_vars.items():
        if not np.issubdtype(values.dtype, np.number):
            raise Refused(f"{path.name}: {name} is not made of numbers")
        if not np.isfinite(values).all():
            chain, draw = np.argwhere(~np.isfinite(values.values))[0][:2]
            raise Refused(f"{path.name}: {name}: draw {draw + 1} of chain {chain + 1} is no finite number")
    return found


def _tree(path):
    try:
        tree = xr.open_datatree(path, engine="h5netcdf")
    except (OSError, ValueError, KeyError) as error:
        raise Refused(f"{path.name}: neither netCDF nor a CSV file that ends in .csv: {error}") from error
    with tree:
        node = tree["posterior"] if "posterior" in tree.children else tree
        found = node.to_dataset().load()
    if not {*SAMPLE} <= {*found.dims}:
        raise Refused(
            f"{path.name}: no group `posterior` with the dimensions chain and draw; there is {', '.join(tree.children)}"
        )
    kept = {}
    for name, values in found.data_vars.items():
        if {*SAMPLE} <= {*values.dims}:
            others = [dim for dim in values.dims if dim not in SAMPLE]
            if len(others) > 1:
                values = values.stack({f"{name}_entry": others}, create_index=False)
                others = [f"{name}_entry"]
            kept[name] = values.transpose(*SAMPLE, *others)
    return xr.Dataset(kept)


def _table(path):
    try:
        frame = pd.read_csv(path, comment="#")  # Stan's files begin with comments
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise Refused(f"{path.name}: no CSV file: {error}") from error
    chain = next((name for name in CHAIN if name in frame), None)
    if chain is None:
        raise Refused(
            f"{path.name}: no column `chain`: without it nothing tells whether chains agree; columns: "
            f"{', '.join(map(str, frame.columns[:12]))}"
        )
    sizes = frame.groupby(chain, sort=False).size()
    if len(set(sizes)) != 1:
        raise Refused(f"{path.name}: chains have {sizes.min()} to {sizes.max()} draws: give all the same")
    shape, variables = (len(sizes), sizes.iloc[0]), {}
    ordered = frame.iloc[np.argsort(frame[chain].factorize()[0], kind="stable")]
    for column in frame.columns:
        if column in (*CHAIN, *DRAW):
            continue
        name, label = _split(column)
        variables.setdefault(name, {})[label] = ordered[column].to_numpy().reshape(shape)
    return xr.Dataset({name: _variable(name, entries) for name, entries in variables.items()})


def _split(column: str) -> tuple[str, str]:
    """Variable and label of a column, which is empty where it has none."""
    found = ENTRY.fullmatch(column)
    return (found["name"], found["inside"] or found["dotted"]) if found else (column, "")


def _variable(name, entries):
    if list(entries) == [""]:
        return xr.DataArray(entries[""], dims=SAMPLE)
    labels = [label for label in entries if label]
    values = np.stack([entries[label] for label in labels], axis=-1)
    return xr.DataArray(values, dims=(*SAMPLE, f"{name}_entry"), coords={f"{name}_entry": labels})


def named(draws: xr.Dataset, reference: Reference, rename: dict[str, str]) -> tuple[xr.DataTree, list[str]]:
    """Draws of the quantities that the reference has, as the tree that every check takes; and what was left out.

    Parameters
    ----------
    draws : Dataset
    reference : Reference
    rename : dict
        Their names to ours.

    Raises
    ------
    Refused
        For a name that is not there, one that is given twice, entries that do not fit the reference's, or where nothing
        is left to compare.
    """
    if unknown := [name for name in rename if name not in draws]:
        raise Refused(f"--rename {unknown[0]}: the draws have {', '.join(draws.data_vars)}")
    known, found, left = reference.labels, {}, []
    for name in draws.data_vars:
        ours = rename.get(name, name)
        if ours in found:
            raise Refused(f"--rename: {ours} is there twice")
        if ours in known:
            found[ours] = _fitted(name, draws[name], known[ours])
        elif name in rename:
            raise Refused(f"--rename {name}={ours}: {reference.name} has {', '.join(known)}")
        else:
            left.append(name)
    if not found:
        raise Refused(
            f"nothing to compare: the draws have {', '.join(draws.data_vars)}, {reference.name} has "
            f"{', '.join(known)}; say which is which by --rename THEIRS=OURS"
        )
    variables = {
        name: ((*SAMPLE, f"{name}_label") if known[name] != [""] else SAMPLE, values) for name, values in found.items()
    }
    coords = {f"{name}_label": known[name] for name in found if known[name] != [""]}
    return labelled({"posterior": variables}, coords, {"engine": "audit"}), left


def _fitted(name, values, labels) -> np.ndarray:
    """The entries in the order of the reference's labels: by their own where they are the same, else as they come."""
    if labels == [""]:
        if values.ndim > len(SAMPLE) and values.shape[-1] > 1:
            raise Refused(f"{name} has {values.shape[-1]} entries where the reference has a single number")
        return values.values.reshape(values.shape[:2])
    count = values.shape[-1] if values.ndim > len(SAMPLE) else 1
    if count != len(labels):
        raise Refused(f"{name} has {count} entries where the reference has {len(labels)}")
    if values.ndim == len(SAMPLE):
        return values.values[..., None]
    dim = values.dims[-1]
    theirs = [str(label) for label in values[dim].values] if dim in values.coords else []
    if {*theirs} == {*labels}:
        return values.values[..., [theirs.index(label) for label in labels]]
    if theirs and all(label.lstrip("-").isdigit() for label in theirs):
        return values.values[..., np.argsort(list(map(int, theirs)))]
    if theirs:
        raise Refused(f"{name} is of {', '.join(theirs[:4])}.. where the reference has {', '.join(labels[:4])}..")
    return values.values
