"""Code that the named cases share: their options, and `build`, which imports PyMC when it is called.

Each case is a module with `data()`, `model()`, which states it as data, `build()`, which states it in PyMC, and
`code()`, the text of the same model in plain PyMC. The two of rows in groups have `build_rows()` as well.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from models.groups import Replicates
from models.priors import Normal, Scale
from models.two_level import Parameterization, TwoLevel

if TYPE_CHECKING:
    import pymc as pm

Centering = Literal["centered", "noncentered"]  # of theta, which a likelihood on rows needs


class Options(TypedDict, total=False):
    """Arguments of a case of rows in groups: other groups, other priors, or another unit of tau."""

    groups: Replicates | None
    tau: Scale
    sigma: Scale
    coefficients: tuple[Normal, ...]
    relative: bool


def build(model: TwoLevel, parameterization: Parameterization, cells: bool = False) -> "pm.Model":
    """State a case in PyMC, on group means: `pymc_model.build`."""
    from models import pymc_model

    return pymc_model.build(model, parameterization=parameterization, cells=cells)


def code(case: str) -> str:
    """Text of the script of `models.plain_pymc` with the name of a case."""
    return Path(__file__).with_name("plain_pymc").joinpath(f"{case}.py").read_text(encoding="utf-8")


def build_rows(model: TwoLevel, labels: Iterable, values: Iterable[float], parameterization: Centering) -> "pm.Model":
    """State a case in PyMC, on single rows: `pymc_model.build_rows`."""
    from models import pymc_model

    return pymc_model.build_rows(model, labels, values, parameterization=parameterization)
