"""Strict reading of a table: every fault with its line, column and value, before anything is computed.

Numbers stay decimals, exactly as they are written: a double would lose digits that an offset pushes out of it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from itertools import batched, chain
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from analyses.ingest import files
from analyses.ingest.data_frame import FrameTable
from analyses.ingest.request import InputError, Table
from models.groups import validation
from models.groups.naming import normalized

SHOWN = 10  # faults that are listed; the others are counted
BATCH = 50_000  # rows at a time
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
LARGEST, SMALLEST = Decimal(repr(validation.LARGEST_NUMBER)), Decimal(repr(validation.SMALLEST_NUMBER))
EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)  # 1,234: thousands, or a decimal comma
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([,' ]\d{3})+(\.\d*)?", re.ASCII)
COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns to read.

    Attributes
    ----------
    text, numbers, either : sequences of str
        A name is text whatever it looks like: `007` is not `7`, and `NA` is a name. What may be either is numbers if
        any value is one.
    optional : sequence of str
        Those of the numbers that may be blank.
    """

    text: Sequence[str] = ()
    numbers: Sequence[str] = ()
    either: Sequence[str] = ()
    optional: Sequence[str] = ()


class Batch(NamedTuple):
    """Some rows of a file: their lines, all their fields, and the columns that were asked for."""

    lines: tuple[int, ...]
    rows: tuple[list[str], ...]
    columns: dict[str, list]


def read(path: Path | FrameTable, **columns: Sequence[str]) -> pd.DataFrame:
    """Read some columns of a CSV or Parquet file, or of a data frame.

    Parameters
    ----------
    path : Path or FrameTable
        CSV in UTF-8, with or without a byte-order mark, lines ending in LF, CRLF or CR, fields quoted or not; Parquet
        where the name ends in .parquet.
    **columns
        Those of `Columns`: text, numbers, either, optional.

    Returns
    -------
    DataFrame
        Those columns, text as it stands less blanks at its ends, numbers as Decimal, None where blank; the index is the
        line of the file (the row of a Parquet file). `attrs["repeated"]` says which rows repeat others, if any do, and
        `attrs["sha256"]` what was read.

    Raises
    ------
    InputError
        With the first ten faults, and how many there are besides.
    """
    with opened(path) as (records, sha256):
        parts = list(batches(path, records, Columns(**columns)))
    lines, rows = (tuple(chain.from_iterable(part[k] for part in parts)) for k in (0, 1))
    values = {name: list(chain.from_iterable(part.columns[name] for part in parts)) for name in parts[0].columns}
    table = pd.DataFrame(values, index=pd.Index(lines, name="line"), dtype=object)
    table.attrs |= {"repeated": repeated(path, rows, lines), "sha256": sha256()}
    return table


@contextmanager
def opened(path: Path | FrameTable):
    """Records of a table, the header first, and what tells the hash of all that was read."""
    if isinstance(path, FrameTable):
        yield path.records(), lambda: ""
    elif files.is_parquet(path):
        root, parts = files.of_parquet(path)
        yield files.records_of_parquet(path, root, parts), lambda: " ".join(map(files.digest, parts))
    else:
        with path.open("rb", buffering=0) as file:
            hashed = files.Hashed(file)
            yield files.records(path, hashed), hashed.hash.hexdigest


def batches(path: Table, records: Iterator[tuple[int, list[str]]], wanted: Columns) -> Iterator[Batch]:
    """Lines, fields and columns of some rows at a time, as `read` has them; none any more once there was a fault.

    What may be either is numbers if any value of the first batch is one.

    Raises
    ------
    InputError
        At the end, with the first ten faults of all rows.
    """
    line, header = next(records)
    is_csv = isinstance(path, Path) and not files.is_parquet(path)
    where = path.name if isinstance(path, FrameTable) else f"{path.name}:1"
    places = positions(where, header, (*wanted.text, *wanted.numbers, *wanted.either))
    if is_csv:
        _require_header(f"{path.name}:{line}", wanted)
    uneven, wrong, alike = Faults(), Faults(), Faults()
    numeric, spelled = None, {name: {} for name in places}
    for batch in batched(records, BATCH):
        lines, rows = zip(*batch, strict=True)
        uneven.add(_ragged(path, header, lines, rows))
        if uneven.count:
            continue
        columns = {name: [row[place].strip() for row in rows] for name, place in places.items()}
        if numeric is None:
            numbers = (name for name in wanted.either if any(map(NUMBER.fullmatch, columns[name])))
            numeric = {*wanted.numbers, *numbers}
        for name, values in columns.items():
            optional = name in wanted.optional
            wrong.add(_of_fields(path, name, values, lines, number=name in numeric, optional=optional))
            if name not in numeric:
                alike.add(_collisions(path, name, [row[places[name]] for row in rows], lines, spelled[name]))
        if not (wrong.count or alike.count):
            typed = {n: [Decimal(v) if v else None for v in vs] for n, vs in columns.items() if n in numeric}
            yield Batch(lines, rows, columns | typed)
    for faults in (uneven, wrong, alike):
        faults.refuse()


def _require_header(where: str, wanted: Columns) -> None:
    """Refuse a first line that is a row: it is read as names, and so would be lost.

    A first line counts as a row if every column of numbers that you name is itself a number. A wide table may have
    years for names: they are accepted where another column of numbers has a real name, or where they are not used.
    """
    numbers = wanted.numbers
    if numbers and not any(fault(name, number=True, optional=name in wanted.optional) for name in numbers):
        raise InputError(
            f"{where}: the first line looks like a row of data, not like names of columns "
            f"({', '.join(map(repr, numbers))}): add a line of names above it; if {numbers[0]!r} is a name, change it "
            f"to 'y{numbers[0]}'"
        )


class Faults:
    """Faults as they are found, each with its line: the first ten are kept, the others counted."""

    def __init__(self):
        self.first: list[tuple[int, str]] = []
        self.count = 0

    def add(self, faults: Iterable[tuple[int, str]]) -> None:
        """Take note of some more."""
        faults = list(faults)
        self.count += len(faults)
        self.first = sorted([*self.first, *faults], key=lambda fault: fault[0])[:SHOWN]

    def refuse(self) -> None:
        """Refuse if there were any."""
        refuse([message for _, message in self.first], self.count)


def constant(path: Table, column: str, lines, labels, values, first: dict) -> Iterator[tuple[int, str]]:
    """Values that differ from what the same group had before, each with its line.

    `first` remembers line and value of each group.
    """
    for line, label, value in zip(lines, labels, values, strict=True):
        earlier, known = first.setdefault(label, (line, value))
        if value != known:
            message = f"'{value}' where line {earlier} has '{known}' for the same group {label!r}"
            yield line, f"{path.name}:{line}: column {column!r}: {message}: a covariate is constant within a group"


def check(path: Table, frame: pd.DataFrame, column: str, holds: Iterable[bool], what: str) -> None:
    """Refuse values of a column that break a rule.

    Raises
    ------
    InputError
        One line a value, with what it has to be.
    """
    faults = [
        f"{path.name}:{line}: column {column!r}: '{'' if value is None else value}' {what}"
        for line, value, good in zip(frame.index, frame[column], holds, strict=True)
        if not good
    ]
    refuse(faults)


def _ragged(path: Table, header: list[str], lines, rows) -> Iterator[tuple[int, str]]:
    """Rows with more or fewer fields than the header."""
    comma = ": a decimal comma, or one in a name without quotes?"
    for line, row in zip(lines, rows, strict=True):
        if len(row) != len(header):
            hint = comma * (len(row) > len(header))
            yield line, f"{path.name}:{line}: {len(row)} fields where the header has {len(header)}{hint}"


def positions(where: str, header: list[str], wanted: Sequence[str]) -> dict[str, int]:
    """Where the columns stand in a table; `where` begins the messages."""
    if len(header) == 1 and len(set(wanted)) > 1:
        for delimiter, separators in DELIMITERS.items():
            if delimiter in header[0]:
                raise InputError(f"{where}: fields are separated by {separators}: separate them by commas")
    names, count = tuple(dict.fromkeys(wanted)), Counter(header)
    faults = [f"{where}: column {name!r} occurs {count[name]} times" for name in names if count[name] > 1]
    for name in names:
        if name not in header:
            near = get_close_matches(name, header, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, header))}"
            if not near and any(map(NUMBER.fullmatch, header)):
                hint += "; if these are data, add a line of names above them"
            faults.append(f"{where}: there is no column {name!r}: {hint}")
    refuse(faults)
    return {name: header.index(name) for name in names}


def _of_fields(path: Table, name: str, values, lines, *, number: bool, optional: bool = False):
    """What keeps the fields of a column from being what they should, each with its line."""
    for value, line in zip(values, lines, strict=True):
        if message := fault(value, number=number, optional=optional):
            yield line, f"{path.name}:{line}: column {name!r}: {value!r} {message}"


def fault(value: str, *, number: bool, optional: bool = False) -> str:
    """What keeps a field from being what it should; nothing if nothing does."""
    if not value:
        return "" if optional else "is blank"
    if not number:
        return ""
    if NUMBER.fullmatch(value):
        size = abs(Decimal(value))
        if size > LARGEST:
            return "is too large: no double holds what follows from it"
        return "" if size >= SMALLEST or size == 0 else "is too small: no double holds what follows from it"
    if EITHER.fullmatch(value):
        return "has a comma: leave it out if it groups thousands, write a point if it is a decimal one"
    if GROUPED.fullmatch(value):
        return "has a thousands separator: leave it out"
    if COMMA.fullmatch(value):
        return "has a decimal comma: write a point"
    return "is not a number"


def _collisions(path, name, values, lines, first: dict[str, tuple[str, int]]) -> Iterator[tuple[int, str]]:
    """Names that are the same once blanks at their ends are gone and Unicode is normalised, and yet not the same.

    `first` remembers each that was seen, and its line.
    """
    for value, line in zip(values, lines, strict=True):
        known, earlier = first.setdefault(normalized(value), (value, line))
        if value != known:
            message = f"{value!r} looks like {known!r} of line {earlier} and is another: spell them alike, or apart"
            yield line, f"{path.name}:{line}: column {name!r}: {message}"


def repeated(path, rows, lines) -> str:
    """Say which rows repeat others in every column; nothing where none do."""
    lines_of: dict[tuple, list[int]] = {}
    for line, row in zip(lines, rows, strict=True):
        lines_of.setdefault(tuple(row), []).append(int(line))
    several = [same for same in lines_of.values() if len(same) > 1]
    if not several:
        return ""
    return (
        f"{path.name}: {sum(map(len, several)) - len(several)} row(s) repeat others in every column (lines "
        f"{several[0][0]} and {several[0][1]}, say): all are counted; if one was entered twice, take it out"
    )


def refuse(faults: Sequence[str], count: int | None = None) -> None:
    """Refuse if there are faults, with the first ten and the number of others; `count` is of all there were.

    Raises
    ------
    InputError
    """
    count = len(faults) if count is None else count
    if count:
        more = [f"and {count - SHOWN} faults more"] if count > SHOWN else []
        raise InputError("\n".join([*faults[:SHOWN], *more]))
