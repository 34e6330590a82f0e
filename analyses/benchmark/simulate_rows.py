"""Rows in groups of any number, made by DuckDB in bounded memory: the same rows each time, in random order."""

import errno
import os
import shutil
import sys
from math import gcd
from pathlib import Path
from typing import NamedTuple

import numpy as np

PIECE = 20_000_000  # rows of a file: they are sorted at a time
MEMORY = "3GB"
BYTES = 40  # of disk a row: the file, and what sorting it may put aside
STRIDE = 7919  # a prime: sizes are spread over their range, whatever that is
MACROS = """
create macro mixed(i, j, k) as hash((k::bigint << 50) + (i::bigint << 22) + j);
create macro uniform(i, j, k) as (mixed(i, j, k) >> 11) / 9007199254740992;
create macro normal(i, j, k) as sqrt(-2 * ln(1 - uniform(i, j, k))) * cos(2 * pi() * uniform(i, j, k + 1));
"""
ROWS = """
copy (
    with schools as (select range as i, {low} + (range * {stride}) % {span} as n from range({groups})),
    pupils as (select i, unnest(range(1, n + 1)) as j from schools)
    select i as school, 50 + 5 * normal(i, 0, 1) + 9 * normal(i, j, 3) as score
    from pupils where mixed(i, j, 5) % {pieces} = {piece} order by mixed(i, j, 6)
) to '{file}' (format parquet)
"""


class Size(NamedTuple):
    """About how many rows, and in how many groups."""

    rows: int
    groups: int

    @property
    def ends(self) -> tuple[int, int]:
        """Smallest and largest size of a group: a quarter of the average, and as far above it."""
        average = max(1, self.rows // self.groups)
        low = max(1, average // 4)
        return low, 2 * average - low

    @property
    def sizes(self) -> np.ndarray:
        """Size of each group."""
        low, high = self.ends
        return low + np.arange(self.groups) * STRIDE % (high - low + 1)

    @property
    def exact_rows(self) -> int:
        """How many rows exactly."""
        return int(self.sizes.sum())

    @property
    def distinct_sizes(self) -> int:
        """How many sizes of groups there are."""
        low, high = self.ends
        span = high - low + 1
        return min(self.groups, span // gcd(STRIDE, span))

    def __str__(self):
        return f"{self.rows:,} rows in {self.groups:,} groups"


def require_room(sizes: list[Size], folder: Path) -> None:
    """Refuse what would fill the disk.

    Raises
    ------
    OSError
        Naming the folder.
    """
    needed, free = BYTES * sum(size.rows for size in sizes), shutil.disk_usage(folder).free
    if needed > free:
        wanted = f"{needed / 1e9:.1f} GB are needed for the rows, and {free / 1e9:.1f} GB are free"
        raise OSError(errno.ENOSPC, wanted, str(folder))


def parquet(size: Size, folder: Path) -> None:
    """Write the rows into a folder, as columns school and score; random numbers are hashes of the rows they are for."""
    import duckdb

    low, high = size.ends
    pieces = -(-size.rows // PIECE)
    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{MEMORY}'; set temp_directory = '{folder / 'aside'}'; {MACROS}")
        connection.execute("set enable_progress_bar = false")
        numbers = {"low": low, "span": high - low + 1, "stride": STRIDE, "groups": size.groups}
        for piece in range(pieces):
            file = folder / f"rows_{piece:02d}.parquet"
            connection.execute(ROWS.format(**numbers, pieces=pieces, piece=piece, file=file))
    shutil.rmtree(folder / "aside", ignore_errors=True)


def csv(folder: Path) -> None:
    """Write the same rows as CSV, for R."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"copy (from '{folder / '*.parquet'}') to '{folder / 'rows.csv'}' (header)")


def main(rows: str, groups: str, folder: str, *also: str) -> None:
    """Write the rows, and as CSV too if so asked."""
    parquet(Size(int(rows), int(groups)), Path(folder))
    if also:
        csv(Path(folder))


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main(*sys.argv[1:])
