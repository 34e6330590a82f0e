"""What is held of a CSV file at any time: two batches, however many rows there are."""

import tracemalloc

from helpers.scans import put, scanned

from analyses.ingest import text_file
from analyses.ingest.reading import Record


class Row(list):
    """Fields of a row, counted while they are there."""

    there = most = 0

    def __init__(self, fields):
        super().__init__(fields)
        Row.there += 1
        Row.most = max(Row.most, Row.there)

    def __del__(self):
        Row.there -= 1


def long(folder, size):
    return put(folder, "g,v\n" + "".join(f"g{i % 5},{i % 7}.{i % 64}\n" for i in range(size)))


def test_no_more_rows_are_held_than_two_batches(batch, tmp_path, monkeypatch):
    """The one that is worked on and the one that is being read, of 300,000 rows."""
    batch(2_000)
    path, records = long(tmp_path, 300_000), text_file._records
    watched = lambda *given: (Record(line, Row(fields)) for line, fields in records(*given))  # noqa: E731
    monkeypatch.setattr(text_file, "_records", watched)
    monkeypatch.setattr(Row, "most", 0)
    assert scanned(path).n.sum() == 300_000
    assert 2_000 <= Row.most <= 2 * 2_000 + 2


def test_memory_does_not_grow_with_the_rows(batch, tmp_path):
    """Columns and numbers are let go as well: of 38,000 rows more not as much as a pointer each is held at any time."""
    batch(500)
    scanned(long(tmp_path, 500))  # what is imported, and kept by libraries, is there from now on
    peaks = []
    for size in (2_000, 40_000):
        path = long(tmp_path, size)
        tracemalloc.start()
        try:
            scanned(path)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 8 * 38_000
