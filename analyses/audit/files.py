"""Files of draws that another sampler wrote: ArviZ's netCDF, or CSV with a column that tells the chain."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from analyses.cli.parser import repeated
from analyses.engines.inference_data import SAMPLE
from analyses.ingest.request import InputError

ENTRY = re.compile(r"(?P<name>.+?)(?:\[(?P<label>[^\[\]]+)\]|\.(?P<number>\d+))")  # theta[A], theta[1] or theta.1
UNREAD = "unread"  # attribute of a dataset: what its file has besides
CHAIN = ("chain", ".chain", "chain__")
DRAW = ("draw", ".draw", "draw__", "iteration", ".iteration", "iteration__", "iter__")
MOST_NAMES = 12  # in a message
WARM_UP_ENDS = "# Adaptation terminated"  # CmdStan's comment, before which any rows are those of warm-up


def read(path: Path) -> xr.Dataset:
    """Read draws from a netCDF file of ArviZ's, or from a CSV file with a column that tells the chain.

    Returns
    -------
    Dataset
        Variables (chain, draw, ...) under their own names.

    Raises
    ------
    InputError
        For a file that cannot be read as either, or chains of different lengths.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    return _read_csv(path) if path.suffix.lower() in (".csv", ".txt") else _read_netcdf(path)


def _read_netcdf(path) -> xr.Dataset:
    try:
        tree = xr.open_datatree(path, engine="h5netcdf")
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path.name}: neither netCDF nor a CSV file that ends in .csv: {error}") from error
    with tree:
        groups = ", ".join(tree.children) or "nothing else"
        posterior = (tree["posterior"] if "posterior" in tree.children else tree).to_dataset().load()
    if not {*SAMPLE} <= {*posterior.dims}:
        raise InputError(f"{path.name}: no group `posterior` with the dimensions chain and draw; there is {groups}")
    sampled = {name: values for name, values in posterior.data_vars.items() if {*SAMPLE} <= {*values.dims}}
    unread = [str(name) for name in posterior.data_vars if name not in sampled]
    return xr.Dataset(sampled, attrs={UNREAD: unread}).transpose(*SAMPLE, ...)


def _read_csv(path) -> xr.Dataset:
    try:
        table = pd.read_csv(path, comment="#", skipinitialspace=True)  # Stan's files have comments
        text = path.read_text(encoding="utf-8")
        for fault in _faults(table, text):
            raise InputError(f"{path.name}: {fault}")
    except (UnicodeDecodeError, csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{path.name}: no CSV file: {error}") from error
    chain = table[_chain_column(table)]
    drawn = [table[name] for name in DRAW if name in table][:1]  # without such a column rows come as they were drawn
    table = table.iloc[np.lexsort([*drawn, chain.factorize()[0]])]
    names = chain.unique()
    variables: dict[str, dict] = {}
    for column, (name, label) in _quantities(table).items():
        variables.setdefault(name, {})[label] = table[column].to_numpy().reshape(len(names), -1)
    unread = [name for name, entries in variables.items() if "" in entries and len(entries) > 1]
    arrays = {name: _variable(name, entries) for name, entries in variables.items()}
    return xr.Dataset(arrays, {"chain": list(names)}, {UNREAD: unread})


def _faults(table, text) -> Iterator[str]:
    """What is wrong with a table of draws; each fault supposes that those before it are absent."""
    if len(_rows(text.partition(WARM_UP_ENDS)[0])) > 1 and WARM_UP_ENDS in text:
        yield f"rows of warm-up come before {WARM_UP_ENDS!r}. Remove them, or sample with save_warmup=0."
    if column := repeated(next(csv.reader(_rows(text), skipinitialspace=True), [])):  # pandas would number it
        yield f"the column {column!r} is there twice"
    name = _chain_column(table)
    if name is None:
        shown = ", ".join(map(str, table.columns[:MOST_NAMES]))
        hint = "; are its columns separated by semicolons?" if len(table.columns) == 1 and ";" in shown else ""
        yield f"no column `chain`: without it nothing tells whether chains agree; columns: {shown}{hint}"
    missing = table[name].isna()
    if missing.any():
        yield f"row {int(missing.argmax()) + 1} does not say which chain it is of"
    if table.empty:
        yield "no draws, only a header"
    sizes = table[name].value_counts()
    if sizes.nunique() > 1:
        yield f"chains have {sizes.min()} to {sizes.max()} draws: give all the same"
    if entry := repeated(_quantities(table).values()):
        name, label = entry
        yield f"the columns {name}[{label}] and {name}.{label} are the same entry: keep one"


def _rows(text) -> list[str]:
    """Lines without comments and blank ones: the header and the draws."""
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _chain_column(table) -> str | None:
    return next((name for name in CHAIN if name in table), None)


def _quantities(table) -> dict[str, tuple[str, str]]:
    """Columns of draws, each with the name of its variable and its label, which is empty where it has none."""
    columns = {column: ENTRY.fullmatch(column) for column in table.columns if column not in (*CHAIN, *DRAW)}
    return {c: (m["name"], m["label"] or m["number"]) if m else (c, "") for c, m in columns.items()}


def _variable(name, entries) -> xr.DataArray:
    """Columns of one name as an array; one without a label is left out where others have one."""
    labels = [label for label in entries if label]
    if not labels:
        return xr.DataArray(entries[""], dims=SAMPLE)
    values = np.stack([entries[label] for label in labels], axis=-1)
    return xr.DataArray(values, dims=(*SAMPLE, f"{name}_entry"), coords={f"{name}_entry": labels})
