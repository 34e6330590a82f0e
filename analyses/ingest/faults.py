"""What is wrong with a table: found row by row, told once a cause, with the lines and the remedy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from analyses.ingest import fields
from analyses.ingest.fields import Kind
from analyses.ingest.reading import Named
from analyses.ingest.request import InputError

SHOWN = 10  # causes that are told; the others are counted
LISTED = 5  # lines that are named for a cause, beside the first


class Fault(NamedTuple):
    """A fault of a row.

    Attributes
    ----------
    line : int
    kind : Kind
    what : str
        What is wrong, with the value that is.
    column : str
        Nothing where it is of the whole row.
    """

    line: int
    kind: Kind
    what: str
    column: str = ""


def of_field(line: int, column: str, value: str, kind: Kind) -> Fault:
    """A fault of a field."""
    return Fault(line, kind, f"{value!r} {kind.what}", column)


@dataclass
class Cause:
    """Faults of one kind: the first, the columns and lines in which they are, and how many there are."""

    first: Fault
    columns: list[str]
    lines: list[int]
    count: int = 1

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """A cause that was found once."""
        return cls(fault, [fault.column], [fault.line])

    def add(self, fault: Fault) -> None:
        """Take note of one more."""
        self.count += 1
        self.lines = sorted({*self.lines, fault.line})[: LISTED + 1]
        self.columns = list(dict.fromkeys([*self.columns, fault.column]))
        if fault.line < self.first.line:
            self.first = fault

    def message(self, source: Named, rows: int) -> str:
        """What is wrong, where, and what to do."""
        (line, kind, what, column), place = self.first, source.place
        of_column, remedy = f"column {column!r}: " * bool(column), source.wording.filled(kind.remedy)
        if kind.what == fields.OTHER.what and self.count == rows > 1:
            text = what.removesuffix(kind.what).strip()
            remedy = "name a column of numbers" if kind is fields.OTHER else remedy
            return f"{source.name}: {of_column}holds text in every {place}, such as {text} in {place} {line}: {remedy}"
        return f"{source.name}:{line}: {of_column}{what}{self._more(place)}: {remedy}"

    def _more(self, place: str) -> str:
        """Say how many others there are, in which columns and lines, or rows."""
        if self.count == 1:
            return ""
        others = [line for line in self.lines if line != self.first.line]
        dots = ", ..." * (self.count - 1 > len(others) >= LISTED)
        lines = f": {place}{'s' * (len(others) > 1)} {', '.join(map(str, others))}{dots}" if others else ""
        elsewhere = [repr(column) for column in self.columns if column != self.first.column]
        also = f", also in column {', '.join(elsewhere)}" if elsewhere else ""
        return f" (and {self.count - 1:,} more{also}{lines})"


@dataclass
class Faults:
    """Faults by cause."""

    causes: dict[tuple[str, Kind], Cause] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.causes)

    def add(self, faults: Iterable[Fault]) -> None:
        """Take note of some more."""
        for fault in faults:
            key = "" if fault.kind.everywhere else fault.column, fault.kind
            if key in self.causes:
                self.causes[key].add(fault)
            else:
                self.causes[key] = Cause.of(fault)

    def refuse(self, source: Named, rows: int = 0) -> None:
        """Refuse if there were any; `rows` is how many there are in all.

        Raises
        ------
        InputError
            With a line for each cause, in the order of their first lines.
        """
        causes = sorted(self.causes.values(), key=lambda cause: cause.first.line)
        refuse([cause.message(source, rows) for cause in causes])


def refuse(messages: Sequence[str]) -> None:
    """Refuse if there are messages, with the first ten and the number of others.

    Raises
    ------
    InputError
    """
    if messages:
        more = [f"and {len(messages) - SHOWN} more"] if len(messages) > SHOWN else []
        raise InputError("\n".join([*messages[:SHOWN], *more]))
