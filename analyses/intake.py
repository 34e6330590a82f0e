"""Strict reading of a CSV file: every fault with its line, column and value, before anything is computed."""

import csv
import io
import math
import re
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

SHOWN = 10  # faults that are listed; the others are counted
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
GROUPED = re.compile(r"[+-]?\d{1,3}([,' ]\d{3})+(\.\d*)?", re.ASCII)
COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


class Refused(ValueError):
    """A file that cannot be answered for: one line a fault."""


def read(path: Path, *, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """Read some columns of a CSV file.

    Parameters
    ----------
    path : Path
        UTF-8, with or without a byte-order mark, lines ending in LF, CRLF or CR, fields quoted or not.
    text, numbers : sequences of str
        Columns to read. A name is text whatever it looks like: `007` is not `7`, and `NA` is a name.

    Returns
    -------
    DataFrame
        Those columns, text as it stands less blanks at its ends, numbers as doubles; the index is the line of the file.

    Raises
    ------
    Refused
        With the first ten faults, and how many there are besides.
    """
    rows = _rows(path, _decoded(path))
    header, body = rows[0][1], rows[1:]
    at = _positions(path, [name.strip() for name in header], (*text, *numbers))
    faults, columns = [], {name: [] for name in at}
    for line, row in body:
        if len(row) != len(header):
            faults.append(f"{path.name}:{line}: {len(row)} fields where the header has {len(header)}")
            continue
        for name, position in at.items():
            value = row[position].strip()
            fault = _fault_of_number(value) if name in numbers else ("is blank" if not value else "")
            if fault:
                faults.append(f"{path.name}:{line}: column {name!r}: {value!r} {fault}")
            columns[name].append(value)
    _refuse(faults)
    lines = [line for line, _ in body]
    for name in text:
        _refuse(_collisions(path, name, columns[name], lines))
    typed = {name: list(map(float, values)) if name in numbers else values for name, values in columns.items()}
    return pd.DataFrame(typed, index=pd.Index(lines, name="line"))


def _decoded(path: Path) -> str:
    """The file's text, without a byte-order mark."""
    content = path.read_bytes()
    if b"\0" in content:
        line = content[: content.index(b"\0")].count(b"\n") + 1
        raise Refused(f"{path.name}:{line}: holds a NUL byte: it is no text file, or is in UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Refused(f"{path.name}:{line}: byte {content[error.start]:#x} is not UTF-8: save it as UTF-8") from error


def _rows(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Line and fields of every row that is not empty, the header first."""
    reader, rows, line = csv.reader(io.StringIO(text, newline=""), strict=True), [], 1
    try:
        for row in reader:
            if row:
                rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise Refused(f"{path.name}:{line}: {error}: is a quote left open?") from error
    if not rows:
        raise Refused(f"{path.name}: is empty")
    if len(rows) == 1:
        raise Refused(f"{path.name}: has a header and nothing below it")
    return rows


def _positions(path: Path, header: list[str], wanted: Sequence[str]) -> dict[str, int]:
    """Where the columns stand."""
    if len(header) == 1 and len(wanted) > 1:
        for delimiter, said in DELIMITERS.items():
            if delimiter in header[0]:
                raise Refused(f"{path.name}:1: fields are separated by {said}: separate them by commas")
    faults = [
        f"{path.name}:1: column {name!r} occurs {header.count(name)} times"
        for name in dict.fromkeys(wanted)
        if header.count(name) > 1
    ]
    for name in dict.fromkeys(wanted):
        if name not in header:
            near = get_close_matches(name, header, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, header))}"
            faults.append(f"{path.name}:1: there is no column {name!r}: {hint}")
    _refuse(faults)
    return {name: header.index(name) for name in wanted}


def _fault_of_number(value: str) -> str:
    """What keeps a field from being a finite number; nothing if nothing does."""
    if NUMBER.fullmatch(value):
        return "" if math.isfinite(float(value)) else "is too large for a double"
    if not value:
        return "is blank"
    if GROUPED.fullmatch(value):
        return "has a thousands separator: leave it out"
    if COMMA.fullmatch(value):
        return "has a decimal comma: write a point"
    return "is not a number"


def _collisions(path, name, values, lines) -> list[str]:
    """Names that are the same once Unicode is normalised, and yet not the same."""
    first, faults = {}, []
    for value, line in zip(values, lines, strict=True):
        known, at = first.setdefault(unicodedata.normalize("NFKC", value), (value, line))
        if value != known:
            faults.append(
                f"{path.name}:{line}: column {name!r}: {value!r} looks like {known!r} of line {at} and is another"
            )
    return faults


def _refuse(faults: list[str]) -> None:
    if faults:
        more = [f"and {len(faults) - SHOWN} faults more"] if len(faults) > SHOWN else []
        raise Refused("\n".join([*faults[:SHOWN], *more]))
