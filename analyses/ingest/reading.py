"""What reading a table takes: how it is written, and what one pass over it gives."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from analyses.ingest.wording import Wording

Name = str | tuple[str, ...]  # of a column, or of several that name a group together


def name_of(name: Name) -> str:
    """The name of a column, or of several."""
    return name if isinstance(name, str) else ",".join(name)


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


class Named(Protocol):
    """What messages are about: its name, how options are called, and what its rows are."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def wording(self) -> Wording:
        """How its front end calls options."""

    @property
    def place(self) -> str:
        """What the numbers in messages count: "line" or "row"."""


class Source(Named, Protocol):
    """A table that can be read row by row."""

    def opened(self, names: Sequence[Name]) -> AbstractContextManager[Opened]:
        """Begin to read it; `names` are those of the columns that are wanted."""
