"""What is asked of a table of one's own: its columns, the priors, what to compare."""

from dataclasses import dataclass, field
from typing import Protocol


class InputError(ValueError):
    """Data that cannot be answered for: one line a fault."""


class Table(Protocol):
    """A file's path, or a data frame; the reader tells them apart."""

    @property
    def name(self) -> str:
        """What messages call it."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A table and the question put to it: a file, or a data frame.

    `columns` maps what the study needs (group, value, estimate, ...) to names of columns; `priors` maps a parameter, or
    a covariate, to how its prior was spelled.
    """

    table: Table
    columns: dict[str, str] = field(default_factory=dict)
    covariates: tuple[str, ...] = ()
    priors: dict[str, str] = field(default_factory=dict)
    absolute: bool = False
    compare: tuple[tuple[str, str], ...] = ()
    among: int | None = None

    @property
    def study(self) -> str:
        """What the table is answered by: as estimates, or as groups of rows or averages."""
        return "meta_analysis" if "estimate" in self.columns else "one_way"
