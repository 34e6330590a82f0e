"""Columns of a table: those that are wanted, and where they stand below its header."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from analyses.ingest import fields, header
from analyses.ingest.faults import refuse
from analyses.ingest.reading import Name
from analyses.ingest.request import InputError
from models.groups.naming import nearest

BETWEEN = ", "  # parts of the name of a group that is made of several columns


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns to read.

    Attributes
    ----------
    text, numbers, either : sequences of names
        A name is text whatever it looks like: `007` is not `7`, and `NA` is a name. Of several columns it is their
        names, joined. What may be either is numbers if any value is one.
    optional : sequence of str
        Those of the numbers that may be blank.
    drop_missing : bool
        Whether rows are dropped in which something is missing, and not refused.
    """

    text: Sequence[Name] = ()
    numbers: Sequence[str] = ()
    either: Sequence[str] = ()
    optional: Sequence[str] = ()
    drop_missing: bool = False

    @property
    def names(self) -> tuple[Name, ...]:
        """All of them."""
        return (*self.text, *self.numbers, *self.either)


class Batch(NamedTuple):
    """Some rows of a table: their lines, all their fields, and the columns that were asked for."""

    lines: tuple[int, ...]
    rows: tuple[list[str], ...]
    columns: dict[Name, list]


def require_header(where: str, wanted: Columns) -> None:
    """Refuse a first line that is a row: it is read as names, and so would be lost.

    A first line counts as a row if every column of numbers that you name is itself a number. A wide table may have
    years for names: they are accepted where another column of numbers has a real name, or where they are not used.
    """
    numbers = wanted.numbers
    if numbers and all(_is_like_number(name) or (not name and name in wanted.optional) for name in numbers):
        raise InputError(
            f"{where}: the first line looks like a row of data, not like names of columns "
            f"({', '.join(map(repr, numbers))}): add a line of names above it; if {numbers[0]!r} is a name, change it "
            f"to 'y{numbers[0]}'"
        )


def _is_like_number(name: str) -> bool:
    return any(fields.with_point(name, mark) for mark in ".,")


def positions(where: str, names: Sequence[str], wanted: Iterable[Name]) -> dict[Name, tuple[int, ...]]:
    """Where the columns stand in a table whose header is `names`; `where` begins the messages.

    Raises
    ------
    InputError
        For a column that is not there, or is there twice.
    """
    of_name = {name: header.parts(name, names) for name in wanted}
    parts = tuple(dict.fromkeys(part for each in of_name.values() for part in each))
    if twice := [part for each in of_name.values() for part in each if each.count(part) > 1]:
        raise InputError(f"{where}: a group is named by the column {twice[0]!r} twice: name each column once")
    count = Counter(names)
    messages = [
        f"{where}: column {part!r} occurs {count[part]} times: name them apart" for part in parts if count[part] > 1
    ]
    refuse([*messages, *_absent(where, [part for part in parts if part not in names], names)])
    return {name: tuple(map(list(names).index, each)) for name, each in of_name.items()}


def _absent(where: str, missing: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """Say which columns are not there, and which may be meant."""
    if missing and len(names) == 1 and all(name in names[0] for name in missing):
        yield (
            f"{where}: the line is one field, {names[0]!r}: remove quotes around each line, or state what separates "
            "its fields"
        )
        return
    near = {name: nearest(name, names) for name in missing}
    yield from (f"{where}: there is no column {name!r}: did you mean {near[name]!r}?" for name in missing if near[name])
    if strange := [repr(name) for name in missing if not near[name]]:
        hint = "; if these are data, add a line of names above them" * any(map(fields.NUMBER.fullmatch, names))
        yield f"{where}: there is no column {' or '.join(strange)}: there are {', '.join(map(repr, names))}{hint}"
