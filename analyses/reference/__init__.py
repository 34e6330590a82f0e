"""Reference posteriors: what is shipped in `data/reference`, as tables."""

import json
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources

import numpy as np
import pandas as pd

from analyses.ingest.request import InputError

FOLDER = "reference"
FUNCTIONS = ("sd_between", "kappa")  # of the scales; in `classrooms` kappa is itself a scale, with a prior
STATISTICS = ("mean", "sd", "q5", "q50", "q95")


@dataclass(frozen=True, eq=False, kw_only=True)
class Reference:
    """One posterior.

    Attributes
    ----------
    name : str
    data : str
        File of the data, which alternatives share.
    priors : dict
        Parameter to its prior, as it is spelled.
    table : DataFrame
        Mean, sd and 5, 50, 95% quantiles by variable and label; nan for a moment that does not exist.
    """

    name: str
    data: str
    priors: dict[str, str]
    table: pd.DataFrame

    @property
    def labels(self) -> dict[str, list[str]]:
        """Variable to its labels, [""] where it is a single number."""
        index = self.table.index
        return {name: index[index.get_level_values(0) == name].get_level_values(1).tolist() for name in index.levels[0]}

    @property
    def derived(self) -> tuple[str, ...]:
        """Variables that are functions of the scales: draws that lack them lack nothing."""
        return tuple(name for name in FUNCTIONS if name in self.labels and name not in self.priors)


def names() -> list[str]:
    """All that are shipped."""
    folder = resources.files("partial_pooling_data") / FOLDER
    return sorted(file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json"))


def load(name: str) -> Reference:
    """Read one.

    Raises
    ------
    InputError
        Where there is none of that name.

    Examples
    --------
    >>> load("eight_schools").table.loc[("mu", ""), "mean"].round(3)
    np.float64(7.932)
    """
    if name not in names():
        near = get_close_matches(name, names(), n=1)
        hint = f": did you mean {near[0]!r}?" if near else "."
        raise InputError(f"there is no reference {name!r}{hint} There are {', '.join(names())}.")
    found = read(name)
    index = pd.MultiIndex.from_tuples([tuple(row[:2]) for row in found["rows"]], names=["variable", "label"])
    values = np.array([row[2:] for row in found["rows"]], dtype=float)  # null is no number
    table = pd.DataFrame(values, index, STATISTICS)
    return Reference(name=name, data=found["data"]["file"], priors=found["priors"], table=table)


def read(name: str) -> dict:
    """The file as it is."""
    file = resources.files("partial_pooling_data") / FOLDER / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


def alternatives(reference: Reference) -> list[Reference]:
    """Other posteriors of the same quantities and data."""
    others = [load(name) for name in names() if name != reference.name]
    return [
        other for other in others if other.data == reference.data and other.table.index.equals(reference.table.index)
    ]
