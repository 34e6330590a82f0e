"""Strict reading of a table: every fault with its line, column and value, before anything is computed.

Numbers stay decimals, exactly as they are written: a double would lose digits that an offset pushes out of it.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from analyses.asked import Refused

SHOWN = 10  # faults that are listed; the others are counted
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
LARGEST, SMALLEST = Decimal("1e305"), Decimal("1e-305")  # beyond either what follows from a number may be none
EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)  # 1,234: thousands, or a decimal comma
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([,' ]\d{3})+(\.\d*)?", re.ASCII)
COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read(
    path: Path,
    *,
    text: Sequence[str] = (),
    numbers: Sequence[str] = (),
    either: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> pd.DataFrame:
    """Read some columns of a CSV or Parquet file.

    Parameters
    ----------
    path : Path
        CSV in UTF-8, with or without a byte-order mark, lines ending in LF, CRLF or CR, fields quoted or not; Parquet
        where the name ends in .parquet.
    text, numbers, either : sequences of str
        Columns to read. A name is text whatever it looks like: `007` is not `7`, and `NA` is a name. What may be either
        is numbers if any value is one.
    optional : sequence of str
        Those of the numbers that may be blank.

    Returns
    -------
    DataFrame
        Those columns, text as it stands less blanks at its ends, numbers as Decimal, None where blank; the index is the
        line of the file (the row of a Parquet file). `attrs["repeated"]` says which rows repeat others, if any do, and
        `attrs["sha256"]` what was read.

    Raises
    ------
    Refused
        With the first ten faults, and how many there are besides.
    """
    content = path.read_bytes()
    header, lines, rows = _parquet(path, content) if path.suffix.lower() == ".parquet" else _csv(path, content)
    wanted = tuple(dict.fromkeys((*text, *numbers, *either)))
    at = _positions(path, header, wanted)
    comma = ": a decimal comma, or one in a name without quotes?"
    ragged = [
        f"{path.name}:{line}: {len(row)} fields where the header has {len(header)}{comma * (len(row) > len(header))}"
        for line, row in zip(lines, rows, strict=True)
        if len(row) != len(header)
    ]
    refuse(ragged)
    columns = {name: [row[position].strip() for row in rows] for name, position in at.items()}
    numeric = {*numbers, *(name for name in either if any(map(NUMBER.fullmatch, columns[name])))}
    faults = [
        (line, f"{path.name}:{line}: column {name!r}: {value!r} {fault}")
        for name, values in columns.items()
        for line, value in zip(lines, values, strict=True)
        if (fault := _fault(value, number=name in numeric, optional=name in optional))
    ]
    refuse([fault for _, fault in sorted(faults, key=lambda f: f[0])])
    for name in columns:
        if name not in numeric:
            refuse(_collisions(path, name, [row[at[name]] for row in rows], lines))
    typed = {n: [Decimal(v) if v else None for v in vs] if n in numeric else vs for n, vs in columns.items()}
    found = pd.DataFrame(typed, index=pd.Index(lines, name="line"), dtype=object)
    found.attrs |= {"repeated": _repeated(path, rows, lines), "sha256": sha256(content).hexdigest()}
    return found


def constant(path: Path, frame: pd.DataFrame, labels: Sequence[str], column: str) -> dict:
    """Value of a column in each group, `labels` naming that of each row.

    Raises
    ------
    Refused
        Where it varies within a group, naming both lines.
    """
    first, faults = {}, []
    for line, label, value in zip(frame.index, labels, frame[column], strict=True):
        at, known = first.setdefault(label, (line, value))
        if value != known:
            faults.append(
                f"{path.name}:{line}: column {column!r}: '{value}' where line {at} has '{known}' for the same group "
                f"{label!r}: a covariate is constant within a group"
            )
    refuse(faults)
    return {label: value for label, (_, value) in first.items()}


def check(path: Path, frame: pd.DataFrame, column: str, holds: Iterable[bool], what: str) -> None:
    """Refuse values of a column that break a rule.

    Raises
    ------
    Refused
        One line a value, with what it has to be.
    """
    faults = [
        f"{path.name}:{line}: column {column!r}: '{'' if value is None else value}' {what}"
        for line, value, good in zip(frame.index, frame[column], holds, strict=True)
        if not good
    ]
    refuse(faults)


def _csv(path: Path, content: bytes) -> tuple[list[str], list[int], list[list[str]]]:
    """Header, lines and fields of a CSV file."""
    (_, header), *body = _rows(path, _decoded(path, content))
    return [name.strip() for name in header], [line for line, _ in body], [row for _, row in body]


def _parquet(path: Path, content: bytes) -> tuple[list[str], list[int], list[list[str]]]:
    """The same of a Parquet file: its values in the shortest digits that read back as they are, nothing where null.

    It is read from a copy of what was read already, under a name that no engine takes for a pattern of names.
    """
    import duckdb  # takes its time to import

    with TemporaryDirectory() as folder:
        copy = Path(folder, "table.parquet")
        copy.write_bytes(content)
        try:
            found = duckdb.sql(f"select columns(*)::varchar from read_parquet('{copy}')")
            rows = [["" if value is None else value for value in row] for row in found.fetchall()]
        except duckdb.Error as error:
            raise Refused(f"{path.name}: is no Parquet file that can be read: {str(error).splitlines()[0]}") from error
    if not rows:
        raise Refused(f"{path.name}: has a header and nothing below it")
    return list(found.columns), list(range(1, len(rows) + 1)), rows


def _decoded(path: Path, content: bytes) -> str:
    """The file's text, without a byte-order mark."""
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
    refuse(faults)
    return {name: header.index(name) for name in wanted}


def _fault(value: str, *, number: bool, optional: bool) -> str:
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


def _collisions(path, name, values, lines) -> list[str]:
    """Names that are the same once blanks at their ends are gone and Unicode is normalised, and yet not the same."""
    first, faults = {}, []
    for value, line in zip(values, lines, strict=True):
        known, at = first.setdefault(unicodedata.normalize("NFKC", value).strip(), (value, line))
        if value != known:
            faults.append(
                f"{path.name}:{line}: column {name!r}: {value!r} looks like {known!r} of line {at} and is another: "
                "spell them alike, or apart"
            )
    return faults


def _repeated(path, rows, lines) -> str:
    """Say which rows repeat others in every column; nothing where none do."""
    whole = [tuple(row) for row in rows]
    often = sum(count - 1 for count in Counter(whole).values())
    if not often:
        return ""
    twice = next(row for row, count in Counter(whole).items() if count > 1)
    one, two = (int(line) for line in np.array(lines)[[row == twice for row in whole]][:2])
    return (
        f"{path.name}: {often} row(s) repeat others in every column (lines {one} and {two}, say): all are counted; if "
        "one was entered twice, take it out"
    )


def refuse(faults: list[str]) -> None:
    """Refuse, with the first ten faults and the number of others, if there are any."""
    if faults:
        more = [f"and {len(faults) - SHOWN} faults more"] if len(faults) > SHOWN else []
        raise Refused("\n".join([*faults[:SHOWN], *more]))
