"""Reference posteriors: the files of `data/reference` as tables."""

import json
from dataclasses import dataclass
from importlib import resources

import pandas as pd

from analyses.ingest.request import InputError
from models.groups.naming import nearest

FOLDER = "reference"
FUNCTIONS_OF_SCALES = ("sd_between", "kappa")  # in `classrooms` kappa is itself a scale, with a prior
STATISTICS = ("mean", "sd", "q5", "q50", "q95")


@dataclass(frozen=True, eq=False, kw_only=True)
class Reference:
    """The exact posterior of one study.

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
        return tuple(name for name in FUNCTIONS_OF_SCALES if name in self.labels and name not in self.priors)


def quantity_name(key: tuple[str, str]) -> str:
    """Name of a quantity from its variable and label.

    Examples
    --------
    >>> quantity_name(("theta", "A")), quantity_name(("mu", ""))
    ('theta[A]', 'mu')
    """
    variable, label = key
    return f"{variable}[{label}]" if label else variable


def names() -> list[str]:
    """Names of the reference posteriors."""
    folder = resources.files("partial_pooling_data") / FOLDER
    return sorted(file.name.removesuffix(".json") for file in folder.iterdir() if file.name.endswith(".json"))


def load(name: str) -> Reference:
    """Load the reference posterior of that name.

    Raises
    ------
    InputError
        For an unknown name.

    Examples
    --------
    >>> load("eight_schools").table.loc[("mu", ""), "mean"].round(3)
    np.float64(7.932)
    """
    if name not in names():
        near = nearest(name, names())
        hint = f": did you mean {near!r}?" if near else "."
        raise InputError(f"there is no reference {name!r}{hint} There are {', '.join(names())}.")
    entries = read(name)
    table = pd.DataFrame(entries["rows"], columns=entries["columns"]).set_index(["variable", "label"]).astype(float)
    return Reference(name=name, data=entries["data"]["file"], priors=entries["priors"], table=table)


def read(name: str) -> dict:
    """Read the file of a reference posterior as a dictionary."""
    file = resources.files("partial_pooling_data") / FOLDER / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


def alternatives(reference: Reference) -> list[Reference]:
    """Other posteriors of the same quantities and data."""
    others = (load(name) for name in names() if name != reference.name)
    return [o for o in others if o.data == reference.data and o.table.index.equals(reference.table.index)]
