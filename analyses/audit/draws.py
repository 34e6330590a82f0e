"""Draws made elsewhere, read and named as the reference has them."""

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from analyses.engines.inference_data import SAMPLE, labelled
from analyses.ingest.request import InputError
from analyses.reference import Reference

ENTRY = re.compile(r"(?P<name>.+?)(?:\[(?P<inside>[^\[\]]+)\]|\.(?P<dotted>\d+))")  # theta[A], theta[1] or theta.1
NUMBER = re.compile("[0-9]+")
UNREAD = "unread"  # attribute of a dataset: what its file has besides
CHAIN = ("chain", ".chain", "chain__")
DRAW = ("draw", ".draw", "draw__", "iteration", ".iteration", "iteration__", "iter__")
SHOWN = 12  # names in a message
WARM_UP_ENDS = "# Adaptation terminated"  # CmdStan's comment, before which any rows are those of warm-up


def read(path: Path) -> xr.Dataset:
    """Draws of a netCDF file of ArviZ's, or of a CSV file with a column that tells the chain.

    Returns
    -------
    Dataset
        Variables (chain, draw) or (chain, draw, entry), under their own names.

    Raises
    ------
    InputError
        For a file that cannot be read as either, or chains of different lengths.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    return _table(path) if path.suffix.lower() in (".csv", ".txt") else _tree(path)


def _tree(path):
    try:
        tree = xr.open_datatree(path, engine="h5netcdf")
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path.name}: neither netCDF nor a CSV file that ends in .csv: {error}") from error
    with tree:
        groups = ", ".join(tree.children) or "nothing else"
        node = tree["posterior"] if "posterior" in tree.children else tree
        found = node.to_dataset().load()
    if not {*SAMPLE} <= {*found.dims}:
        raise InputError(f"{path.name}: no group `posterior` with the dimensions chain and draw; there is {groups}")
    sampled = {name: values for name, values in found.data_vars.items() if {*SAMPLE} <= {*values.dims}}
    others = [str(name) for name in found.data_vars if name not in sampled]
    return xr.Dataset({name: _in_order(name, values) for name, values in sampled.items()}, attrs={UNREAD: others})


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
        warm_up = _has_warm_up(path)
    except (UnicodeDecodeError, csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path.name}: no CSV file: {error}") from error
    if warm_up:
        raise InputError(
            f"{path.name}: rows of warm-up come before {WARM_UP_ENDS!r}. Remove them, or sample with save_warmup=0."
        )
    if twice:
        raise InputError(f"{path.name}: the column {twice!r} is there twice")
    chain = next((name for name in CHAIN if name in frame), None)
    if chain is None:
        shown = ", ".join(map(str, frame.columns[:SHOWN]))
        hint = "; are its columns separated by semicolons?" if len(frame.columns) == 1 and ";" in shown else ""
        raise InputError(
            f"{path.name}: no column `chain`: without it nothing tells whether chains agree; columns: {shown}{hint}"
        )
    if frame[chain].isna().any():
        raise InputError(f"{path.name}: row {int(frame[chain].isna().argmax()) + 1} does not say which chain it is of")
    if frame.empty:
        raise InputError(f"{path.name}: no draws, only a header")
    sizes = frame.groupby(chain, sort=False).size()
    if len(set(sizes)) != 1:
        raise InputError(f"{path.name}: chains have {sizes.min()} to {sizes.max()} draws: give all the same")
    counted = [name for name in DRAW if name in frame][:1]  # else they come as they were drawn
    keys = [*(frame[name] for name in counted), frame[chain].factorize()[0]]
    ordered, shape = frame.iloc[np.lexsort(keys)], (len(sizes), sizes.iloc[0])
    variables: dict[str, dict] = {}
    for column in frame.columns:
        if column not in (*CHAIN, *DRAW):
            name, label = _split(column)
            entries = variables.setdefault(name, {})
            if label in entries:
                raise InputError(
                    f"{path.name}: the columns {name}[{label}] and {name}.{label} are the same entry: keep one"
                )
            entries[label] = ordered[column].to_numpy().reshape(shape)
    arrays = {name: _variable(name, entries) for name, entries in variables.items()}
    unread = [name for name, entries in variables.items() if "" in entries and len(entries) > 1]
    return xr.Dataset(arrays, {"chain": list(sizes.index)}, {UNREAD: unread})


def _twice(path):
    """A column's name that occurs more than once, which pandas would number."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader((line for line in file if not line.startswith("#")), skipinitialspace=True)
        header = next(rows, [])
    return next((name for name in header if header.count(name) > 1), "")


def _has_warm_up(path) -> bool:
    """Whether a file of CmdStan's has draws, besides the header, before the comment that ends the adaptation."""
    text, ends, _ = path.read_text(encoding="utf-8").partition(WARM_UP_ENDS)
    rows = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return bool(ends) and len(rows) > 1


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
        Their names to ours, which take precedence over matching names.

    Raises
    ------
    InputError
        For a name that is not there, one that is given twice, entries that do not fit the reference's, a draw that is
        no finite number, or where nothing is left to compare.
    """
    theirs = ", ".join(map(str, draws.data_vars))
    if unknown := [name for name in rename if name not in draws]:
        raise InputError(f"--rename {unknown[0]}: the draws have {theirs}")
    given, known, ours = list(rename.values()), reference.labels, ", ".join(reference.labels)
    if twice := [name for name in given if given.count(name) > 1]:
        raise InputError(f"--rename: {twice[0]} is given twice")
    if unknown := [(name, to) for name, to in rename.items() if to not in known]:
        raise InputError(f"--rename {'='.join(unknown[0])}: {reference.name} has {ours}")
    same = {name: name for name in draws.data_vars if name in known and name not in (*given, *rename)}
    found = {to: _fitted(name, draws[name], known[to]) for name, to in (rename | same).items()}
    if not found:
        raise InputError(
            f"nothing to compare: the draws have {theirs or 'no quantities'}, {reference.name} has {ours}; say which "
            "is which by --rename THEIRS=OURS"
        )
    labeled = {name for name in found if known[name] != [""]}
    variables = {n: ((*SAMPLE, f"{n}_label") if n in labeled else SAMPLE, values) for n, (_, values) in found.items()}
    coords = {f"{name}_label": found[name][0] for name in labeled}
    tree = labelled({"posterior": variables}, coords, {"engine": "audit"})
    left = [str(name) for name in draws.data_vars if name not in (*rename, *same)]
    return tree, [*left, *draws.attrs.get(UNREAD, [])]


def _fitted(name, values, labels) -> tuple[list[str], np.ndarray]:
    """Labels of the entries, in the reference's order, and the numbers of each."""
    _require_numbers(name, values)
    single, count = values.ndim == len(SAMPLE), values.shape[-1] if values.ndim > len(SAMPLE) else 1
    if labels == [""] or (single and len(labels) == 1):
        if count != 1:
            raise InputError(f"{name} has {count} entries where the reference has a single number")
        return labels, values.values.reshape(values.shape[:2] + (() if labels == [""] else (1,)))
    at = _positions(name, values, labels, count)
    order = np.argsort(at)
    return [labels[at[k]] for k in order], values.values[..., order]


def _positions(name, values, labels, count) -> list[int]:
    """Position of each entry among the reference's labels: by its own label, its number, or as it comes."""
    dim = values.dims[-1] if values.ndim > len(SAMPLE) else None
    theirs = [str(label) for label in values[dim].values] if dim in values.coords else []
    if theirs and {*theirs} <= {*labels}:
        return [labels.index(label) for label in theirs]
    if theirs and not _numbered(theirs):
        other = [label for label in theirs if label not in labels][:SHOWN]
        raise InputError(
            f"{name} has entries {', '.join(other)}, which the reference has not: {', '.join(labels[:SHOWN])}"
        )
    if count != len(labels):
        raise InputError(
            f"{name} has {count} entries where the reference has {len(labels)}. To compare some of them, name them as "
            f"the reference does: {', '.join(f'{name}[{label}]' for label in labels[:SHOWN])}"
        )
    if not theirs:
        return list(range(count))
    counted = list(map(int, theirs))
    if sorted(counted) not in (list(range(count)), list(range(1, count + 1))):
        raise InputError(f"{name} has entries {', '.join(theirs[:SHOWN])}: number them from 1 or 0, or name them")
    return [number - min(counted) for number in counted]


def _numbered(labels) -> bool:
    return all(NUMBER.fullmatch(label) for label in labels)


def _require_numbers(name, values) -> None:
    if not np.issubdtype(values.dtype, np.number):
        raise InputError(f"{name} is not made of numbers")
    if not np.isfinite(values).all():
        chain, draw = np.argwhere(~np.isfinite(values.values))[0][:2]
        which = values["chain"].values[chain] if "chain" in values.coords else chain + 1
        raise InputError(f"{name}: draw {draw + 1} of chain {which} is no finite number")
