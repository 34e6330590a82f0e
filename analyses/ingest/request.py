"""What is asked of a table of one's own: its columns, the priors, what to compare."""

import math
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Protocol

from analyses.ingest.reading import Name, Reading, name_of
from analyses.ingest.wording import COMMAND_LINE, Wording

Number = float | Decimal


class InputError(ValueError):
    """Data that cannot be answered for: one line a cause."""


class Table(Protocol):
    """A file's path, or a data frame; the reader tells them apart."""

    @property
    def name(self) -> str:
        """What messages call it."""


def finite(value: Number) -> Decimal:
    """A finite number, with the digits that it is written with.

    Raises
    ------
    ValueError
        For anything else.

    Examples
    --------
    >>> finite(0.1)
    Decimal('0.1')
    """
    if isinstance(value, bool) or not isinstance(value, Real | Decimal) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a finite number")
    return value if isinstance(value, Decimal) else Decimal(repr(float(value)))


@dataclass(frozen=True, kw_only=True)
class Request:
    """A table and the question put to it: a file, or a data frame.

    `columns` maps what the study needs (group, value, estimate, ...) to names of columns; `categorical` are the
    covariates that are categories even if they look like numbers; `references` maps a covariate of categories to the
    level that the others are compared with; `priors` maps a parameter, or a covariate, to how its prior was spelled;
    `threshold` is the c of P(theta_i > c); `unit` is what the values are measured in, for the page alone. Rows in which
    something is missing are refused, or dropped.
    """

    table: Table
    columns: dict[str, Name] = field(default_factory=dict)
    covariates: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    references: dict[str, str] = field(default_factory=dict)
    priors: dict[str, str] = field(default_factory=dict)
    absolute: bool = False
    compare: tuple[tuple[str, str], ...] = ()
    among: int | None = None
    drop_missing: bool = False
    reading: Reading = field(default_factory=Reading)
    wording: Wording = COMMAND_LINE
    threshold: Decimal | None = None
    unit: str = ""

    @property
    def study(self) -> str:
        """What the table is answered by: as estimates, or as groups of rows or averages."""
        return "meta_analysis" if "estimate" in self.columns else "one_way"

    @property
    def group_name(self) -> str:
        """What the table calls its groups, or estimates; "row" where these are numbered."""
        return name_of(self.columns.get("group") or self.columns.get("label") or "row")

    @property
    def value_name(self) -> str:
        """What the table calls what is measured."""
        return next(name_of(self.columns[name]) for name in ("value", "mean", "estimate") if name in self.columns)

    def axis(self, name: str) -> str:
        """Label of an axis: a name, with the unit behind it where one is given.

        Examples
        --------
        >>> Request(table="scores.csv", unit="mmHg").axis("score")
        'score (mmHg)'
        """
        return f"{name} ({self.unit})" if self.unit else name
