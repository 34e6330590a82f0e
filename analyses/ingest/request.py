"""What is asked of a table of one's own: its columns, the priors, what to compare; and how the table is read."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from analyses.ingest.usage import COMMAND_LINE, Wording

Name = str | tuple[str, ...]  # of a column, or of several that name a group together


class InputError(ValueError):
    """Data that cannot be answered for: one line a cause."""


class Table(Protocol):
    """A file's path, or a data frame; the reader tells them apart."""

    @property
    def name(self) -> str:
        """What messages call it."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file is written, where its user says so; what is None is recognized.

    Attributes
    ----------
    delimiter, decimal, encoding, sheet : str, optional
        `sheet` is of a workbook.
    skip : int, optional
        Lines above the header.
    """

    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    skip: int | None = None


class Record(NamedTuple):
    """A row of a table: its line and its fields."""

    line: int
    fields: list[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Opened:
    """A table while it is read, once.

    Attributes
    ----------
    header : list of str
    line : int
        That of the header, 0 where it is no row.
    rows : iterator of Record
        Below the header.
    notes : list of str
        What the reader should be told of how it was read; complete once all rows are through.
    digests : callable
        Names of what was read to their SHA-256, once all rows are through.
    is_text : bool
        Whether the header might be a row that was taken for one.
    decimal : str, optional
        The decimal mark; None where the numbers have to tell.
    warnings : list of str
        What the reader should look at; complete once all rows are through.
    update : callable
        Called after each batch.
    """

    header: list[str]
    line: int
    rows: Iterator[Record]
    notes: list[str]
    digests: Callable[[], dict[str, str]]
    is_text: bool = False
    decimal: str | None = "."
    warnings: list[str] = field(default_factory=list)
    update: Callable[[], None] = lambda: None


class Source(Protocol):
    """A table that can be read row by row."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def wording(self) -> Wording:
        """How its front end calls options."""

    def opened(self, names: Sequence[Name]) -> AbstractContextManager[Opened]:
        """Begin to read it; `names` are those of the columns that are wanted."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A table and the question put to it: a file, or a data frame.

    `columns` maps what the study needs (group, value, estimate, ...) to names of columns; `categorical` are the
    covariates that are categories even if they look like numbers; `references` maps a covariate of categories to the
    level that the others are compared with; `priors` maps a parameter, or a covariate, to how its prior was spelled.
    Rows in which something is missing are refused, or dropped.
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

    @property
    def study(self) -> str:
        """What the table is answered by: as estimates, or as groups of rows or averages."""
        return "meta_analysis" if "estimate" in self.columns else "one_way"
