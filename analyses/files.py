"""Files of tables: CSV a line at a time, Parquet as DuckDB has it, and the hash of what was read."""

import csv
import io
import re
from collections.abc import Iterator
from errno import EISDIR
from glob import escape
from hashlib import file_digest, sha256
from pathlib import Path

from analyses.asked import Refused

ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8, as Python marks them


class Hashed(io.RawIOBase):
    """A file that is hashed as it is read, so that the hash is of what was read."""

    def __init__(self, file):
        self.file, self.hash, self.size = file, sha256(), 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer) -> int:
        """Read on, and hash that."""
        size = self.file.readinto(buffer)
        self.hash.update(memoryview(buffer)[:size])
        self.size += size
        return size


def records(path: Path, file) -> Iterator[tuple[int, list[str]]]:
    """Line and fields of every row of a CSV file that is not empty, the header first; a line at a time in memory.

    Raises
    ------
    Refused
        For what is no text in UTF-8, a quote that is left open, or nothing below the header.
    """
    text = io.TextIOWrapper(io.BufferedReader(file, 1 << 20), "utf-8-sig", "surrogateescape", newline="")
    reader, line, count = csv.reader(_decoded(path, text), strict=True), 1, 0
    try:
        for row in reader:
            if row:
                count += 1
                yield line, row if count > 1 else [name.strip() for name in row]
            line = reader.line_num + 1
    except csv.Error as error:
        raise Refused(f"{path.name}:{line}: {error}: is a quote left open?") from error
    if count < 2:
        raise Refused(f"{path.name}: {'has a header and nothing below it' if count else 'is empty'}")


def _decoded(path: Path, text) -> Iterator[str]:
    """Lines of a text, each looked through for bytes that are none."""
    for number, line in enumerate(text, start=1):
        if "\0" in line:
            raise Refused(
                f"{path.name}:{number}: holds a NUL byte: it is no text file, or is in UTF-16; save it as UTF-8"
            )
        if not line.isascii() and (wrong := ESCAPED.search(line)):
            byte = ord(wrong[0]) - 0xDC00
            raise Refused(f"{path.name}:{number}: byte {byte:#x} is not UTF-8: save it as UTF-8")
        yield line


def is_parquet(path: Path) -> bool:
    """Whether a path is one of Parquet: a file, a folder of them, or a pattern of their names."""
    return path.suffix.lower() in (".parquet", ".pq") or path.is_dir()


def of_parquet(path: Path) -> list[Path]:
    """The files that a path stands for: itself, those in its folder, or those that fit it.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        Where there are none.
    """
    if path.is_dir():
        if found := sorted(path.rglob("*.parquet")):
            return found
        raise IsADirectoryError(EISDIR, "Is a directory without Parquet files", str(path))
    if path.exists() or not (found := sorted(path.parent.glob(path.name))):
        path.stat()  # which says what is wrong with one that is not there
        return [path]
    return found


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def relation(files: list[Path], *, show: bool = False, **options):
    """Parquet files as DuckDB has them; names are names, not patterns. With `show` it tells how far it is.

    Raises
    ------
    Refused
        For a file that is none.
    """
    import duckdb  # takes its time to import

    try:
        connection = duckdb.connect()
        connection.execute(f"set enable_progress_bar = {show}")
        return connection.read_parquet([escape(str(file)) for file in files], **options)
    except duckdb.Error as error:
        name = files[0].name
        raise Refused(f"{name}: is no Parquet file that can be read: {str(error).splitlines()[0]}") from error


def records_of_parquet(path: Path, parts: list[Path]) -> Iterator[tuple[int, list[str]]]:
    """Number and fields of every row, the header first: shortest digits that read back as they are, nothing where null.

    Raises
    ------
    Refused
        For a file that is none, or has no rows.
    """
    found = relation(parts).select("columns(*)::varchar")
    yield 0, list(found.columns)
    rows = found.fetchall()
    for row, values in enumerate(rows, start=1):
        yield row, ["" if value is None else value for value in values]
    if not rows:
        raise Refused(f"{path.name}: has a header and nothing below it")


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()
