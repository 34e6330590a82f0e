"""Files of a reference posterior: its figures as JSON, and independent draws from it."""

import json
from collections.abc import Mapping
from hashlib import sha256
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.engines.summary_tables import stacked
from analyses.reference import STATISTICS, quantity_name
from analyses.reference.cases import Case
from analyses.reference.rounding import round_to_error

CHAINS = 4  # parts of the independent draws
GRADIENT = (
    "At each point: partial derivatives of each log density, by the name of the parameter. "
    "They are with respect to the parameters themselves, not to logs or squares of scales. "
    "Group effects are held fixed while another parameter varies; "
    "their own derivatives are a list in the order of the rows. "
    "Sums of log densities, as log_likelihood + log_population + log_prior, have the sums of these as gradient."
)


def write_figures(name: str, case: Case, folder: Path) -> None:
    """Write a file of the schema in data/reference/README.md."""
    table = case.table()
    error, points = case.error(table), case.points(table)
    data = (resources.files("partial_pooling_data") / case.data).read_bytes()
    entries = {
        "command": f"python -m analyses.reference {name}",
        "schema": 2,
        "name": name,
        "model": case.model,
        "priors": case.priors,
        "data": {"file": case.data, "sha256": sha256(data).hexdigest()},
        "columns": ["variable", "label", *STATISTICS],
        "rows": [
            [*key, *(round_to_error(row[s], error.loc[key, s]) for s in STATISTICS)] for key, row in table.iterrows()
        ],
        "gradient": GRADIENT,
        "points": [_twelve_digits(point) for point in points],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(_json(entries), encoding="utf-8")


def _twelve_digits(value):
    """Round a number, or all that a mapping or an array holds."""
    if isinstance(value, Mapping):
        return {name: _twelve_digits(entry) for name, entry in value.items()}
    return [*map(_twelve_digits, value)] if np.ndim(value) else float(f"{value:.12g}")


def _json(entries: Mapping) -> str:
    """JSON with a row a line."""
    lists = {key: "[\n" + ",\n".join(f"  {_line(row)}" for row in entries[key]) + "\n ]" for key in ("rows", "points")}
    lines = [f' "{key}": {lists.get(key) or _line(value)}' for key, value in entries.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _line(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_draws(case: Case, path: Path, *, size: int, seed: int) -> None:
    """Write independent draws in four parts, which stand for chains, as netCDF or CSV."""
    tree = case.draw(draws=size // CHAINS, chains=CHAINS, rng=np.random.default_rng(seed))
    if path.suffix == ".nc":
        path.write_bytes(tree.to_netcdf(engine="h5netcdf"))
        return
    index, draws = stacked(tree["posterior"].dataset)
    chain, draw = np.indices(draws.shape[1:])
    columns = {"chain": chain, "draw": draw} | dict(zip(map(quantity_name, index), draws, strict=True))
    table = pd.DataFrame({name: values.ravel() for name, values in columns.items()})
    table.to_csv(path, index=False, lineterminator="\n")
