"""Files of tables: CSV a line at a time, Parquet as DuckDB has it, and the hash of what was read."""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EISDIR
from glob import escape
from hashlib import file_digest, sha256
from pathlib import Path
from uuid import uuid4

from analyses.ingest.request import InputError

PARQUET = (".parquet", ".pq")
NULL = "__HIVE_DEFAULT_PARTITION__"  # the name of a folder of rows in which a column is missing
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
    InputError
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
        raise InputError(f"{path.name}:{line}: {error}: is a quote left open?") from error
    if count < 2:
        raise InputError(f"{path.name}: {'has a header and nothing below it' if count else 'is empty'}")


def _decoded(path: Path, text) -> Iterator[str]:
    """Lines of a text, each looked through for bytes that are none."""
    for number, line in enumerate(text, start=1):
        if "\0" in line:
            raise InputError(
                f"{path.name}:{number}: holds a NUL byte: it is no text file, or is in UTF-16; save it as UTF-8"
            )
        if not line.isascii() and (wrong := ESCAPED.search(line)):
            byte = ord(wrong[0]) - 0xDC00
            raise InputError(f"{path.name}:{number}: byte {byte:#x} is not UTF-8: save it as UTF-8")
        yield line


def is_parquet(path: Path) -> bool:
    """Whether a path is one of Parquet: a file, a folder of them, or a pattern of their names."""
    return path.suffix.lower() in PARQUET or path.is_dir()


def of_parquet(path: Path) -> tuple[Path, list[Path]]:
    """The folder that files are named from, and those that a path stands for: itself, or what is in it or fits it.

    A name is no pattern where there is such a file or folder.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        Where there are none.
    """
    if path.exists():
        root, fitting = path if path.is_dir() else path.parent, [path]
    else:
        root = next(folder for folder in path.parents if folder.is_dir())
        fitting = root.glob(str(path.relative_to(root)))
    if found := sorted({file for one in fitting for file in _within(one)}):
        return root, found
    path.stat()  # which says what is wrong with one that is not there
    raise IsADirectoryError(EISDIR, "Is a directory without Parquet files", str(path))


def _within(path: Path) -> list[Path]:
    """A file, or the Parquet files of a folder, which may itself be called like one."""
    if not path.is_dir():
        return [path]
    return [file for file in path.rglob("*") if file.suffix.lower() in PARQUET and file.is_file()]


def quoted(name: str) -> str:
    """A column's name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def read_as_parquet(name: str):
    """Refuse what DuckDB cannot read.

    Raises
    ------
    InputError
        With the first line of what it says.
    """
    import duckdb  # takes its time to import

    try:
        yield
    except duckdb.Error as error:
        raise InputError(f"{name}: is no Parquet file that can be read: {str(error).splitlines()[0]}") from error


def relation(files: list[Path], root: Path | None = None, *, show: bool = False):
    """Parquet files as DuckDB has them; names are names, not patterns. With `show` it tells how far it is.

    Columns go by their names, each of a type that holds what all files have. A folder below `root`, the first file's
    own unless said otherwise, that is called key=value is a column of text.

    Raises
    ------
    InputError
        For a file that is none.
    """
    import duckdb

    root, connection = root or files[0].parent, duckdb.connect()
    connection.execute(f"set enable_progress_bar = {show}")
    keys = {name.partition("=")[0] for file in files for name in file.relative_to(root).parts[:-1] if "=" in name}
    filename = uuid4().hex  # a name that no column has
    names = ", ".join(literal(escape(str(file.absolute()))) for file in files)
    options = "union_by_name=true, hive_partitioning=false" + (f", filename='{filename}'" if keys else "")
    try:
        with read_as_parquet(str(files[0].relative_to(root)) if len(files) == 1 else root.absolute().name):
            table = connection.sql(f"from read_parquet([{names}], {options})")
    except InputError:
        for file in files if len(files) > 1 else ():
            relation([file], root)  # which names the one that is at fault
        raise
    return _with_keys(table, root, keys, filename) if keys else table


def _with_keys(table, root: Path, keys: set[str], filename: str):
    """What names of folders say, in columns of text; DuckDB would read those above the root as well."""
    below = f"substr({quoted(filename)}, {len(str(root.absolute())) + 1})"
    values = {
        key: f"url_decode(regexp_extract({below}, {literal(f'(?:^|/){re.escape(key)}=([^/]*)/')}, 1))"
        for key in sorted(keys.difference(table.columns))
    }
    columns = [f"nullif({value}, {literal(NULL)}) as {quoted(key)}" for key, value in values.items()]
    return table.select(", ".join([f"* exclude ({quoted(filename)})", *columns]))


def records_of_parquet(path: Path, root: Path, parts: list[Path]) -> Iterator[tuple[int, list[str]]]:
    """Number and fields of every row, the header first: shortest digits that read back as they are, nothing where null.

    Raises
    ------
    InputError
        For a file that is none, or has no rows.
    """
    found = relation(parts, root).select("columns(*)::varchar")
    yield 0, list(found.columns)
    with read_as_parquet(path.name):
        rows = found.fetchall()
    for row, values in enumerate(rows, start=1):
        yield row, ["" if value is None else value for value in values]
    if not rows:
        raise InputError(f"{path.name}: has a header and nothing below it")


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()
