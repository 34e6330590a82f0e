"""Parquet files as DuckDB reads them: one, a folder of them, or those that fit a pattern."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EISDIR
from glob import escape
from hashlib import file_digest
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

from analyses.ingest.reading import Name, Opened, Record
from analyses.ingest.request import InputError
from analyses.ingest.wording import COMMAND_LINE, Wording

PARQUET = (".parquet", ".pq")
# They conclude from the smallest and largest number of a column that none is NaN; Arrow leaves NaN out of both.
BY_EXTREMES = "statistics_propagation,filter_pushdown"
NULL = "__HIVE_DEFAULT_PARTITION__"  # the name of a folder of rows in which a column is missing


@dataclass(frozen=True)
class ParquetFiles:
    """Parquet files that are one table.

    Attributes
    ----------
    path : Path
        A file, a folder, or a pattern of their names.
    wording : Wording
    show : bool
        Whether a bar tells how far DuckDB is.
    """

    place: ClassVar[str] = "row"
    path: Path
    wording: Wording = COMMAND_LINE
    show: bool = False

    @property
    def name(self) -> str:
        """Name of the file, the folder, or the pattern."""
        return self.path.name

    @contextmanager
    def opened(self, names: Sequence[Name]) -> Iterator[Opened]:
        """Read every row as text: the shortest digits that read back to the same number, nothing where null.

        Raises
        ------
        InputError
            For a file that is not Parquet, or has no rows.
        """
        root, parts = of_parquet(self.path)
        table = relation(parts, root).select("columns(*)::varchar")
        yield Opened(
            header=list(table.columns),
            line=0,
            rows=_rows(self.name, table),
            notes=[],
            digests=lambda: {str(part.relative_to(root)): digest(part) for part in parts},
        )


def _rows(name: str, table) -> Iterator[Record]:
    """Rows as text, counted from 1."""
    with read_as_parquet(name):
        rows = table.fetchall()
    for row, values in enumerate(rows, start=1):
        yield Record(row, ["" if value is None else value for value in values])
    if not rows:
        raise InputError(f"{name}: has a header and nothing below it")


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
    connection.execute(f"set disabled_optimizers = {literal(BY_EXTREMES)}")
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


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as content:
        return file_digest(content, "sha256").hexdigest()
