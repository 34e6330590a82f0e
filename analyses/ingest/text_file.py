"""Text files of tables: the bytes, hashed while they are read, the encoding, and the rows of their dialect."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import ClassVar

from analyses import progress
from analyses.ingest import dialect, header
from analyses.ingest.dialect import Dialect
from analyses.ingest.reading import Name, Opened, Reading, Record
from analyses.ingest.request import InputError
from analyses.ingest.wording import COMMAND_LINE, Wording

SAMPLE = 1 << 16  # bytes that are read at a time
GZIPPED = b"\x1f\x8b"
ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that the encoding does not have, as Python marks them
MARK = "\ufeff"


class Hashed(io.RawIOBase):
    """A file that is hashed while it is read, so that the hash is of what was read."""

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


@dataclass(frozen=True)
class TextFile:
    """A table in a text file, gzipped or not.

    Attributes
    ----------
    path : Path
    reading : Reading
        What its user says of its dialect; the rest is recognized.
    wording : Wording
    show : bool
        Whether a bar tells how far it is.
    """

    place: ClassVar[str] = "line"
    path: Path
    reading: Reading = field(default_factory=Reading)
    wording: Wording = COMMAND_LINE
    show: bool = False

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.path.name

    @contextmanager
    def opened(self, names: Sequence[Name]) -> Iterator[Opened]:
        """Recognize the dialect by the names of the columns that are wanted, and read on from there.

        Raises
        ------
        InputError
            For what is no text in its encoding, a quote that is left open, or nothing below the header.
        """
        watched = progress.bar(f"reading {self.name}", total=self.path.stat().st_size, unit="B", show=self.show)
        with self.path.open("rb", buffering=0) as file, watched as bar:
            hashed = Hashed(file)
            content = _unzipped(io.BufferedReader(hashed, SAMPLE))
            with _readable(self):
                encoding = _encoding(content.peek(SAMPLE), self.reading.encoding)
            text = io.TextIOWrapper(content, encoding, "surrogateescape", newline="")
            lines = _decoded(self, text, encoding)
            skipped = sum(1 for _ in islice(lines, self.reading.skip or 0))
            with _readable(self):
                head = list(_head(lines))
            known = dialect.recognized(head, names, self.reading)
            notes = list(_told(encoding, known, self.reading))
            records = _records(self, chain(head, lines), skipped, known)
            first, rows = header.split(self, records, names, notes, has_row_names=known.row_names)
            yield Opened(
                header=first.fields,
                line=first.line,
                rows=rows,
                notes=notes,
                digests=lambda: {self.name: hashed.hash.hexdigest()},
                is_text=True,
                decimal=known.decimal,
                update=lambda: bar.update(hashed.size - bar.n),
            )


def _unzipped(content: io.BufferedReader) -> io.BufferedReader:
    """The content of a gzipped file, or of one that is not."""
    if not content.peek(len(GZIPPED)).startswith(GZIPPED):
        return content
    return io.BufferedReader(gzip.GzipFile(fileobj=content), SAMPLE)


def _encoding(sample: bytes, stated: str | None) -> str:
    """The encoding that was stated, or that a byte-order mark tells, else UTF-8."""
    if stated:
        return "utf-8-sig" if codecs.lookup(stated).name == "utf-8" else stated
    return "utf-16" if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def _told(encoding: str, known: Dialect, reading: Reading) -> Iterator[str]:
    """What was recognized and not stated."""
    if encoding == "utf-16" and not reading.encoding:
        yield "read as UTF-16"
    yield from dialect.told(known, reading)


def _head(lines: Iterator[str]) -> Iterator[str]:
    """The first lines of a table, from which its dialect is recognized; comments above it do not count."""
    count = 0
    for line in lines:
        yield line
        count += not line.startswith("#")
        if count == header.LOOKED_THROUGH:
            return


def _records(source: TextFile, lines: Iterator[str], skipped: int, known: Dialect) -> Iterator[Record]:
    """Line and fields of every row, a line at a time in memory."""
    skipped += sum(1 for _ in islice(lines, known.skip))
    reader, line = csv.reader(lines, strict=True, **known.of_csv), skipped + 1
    try:
        with _readable(source):
            for row in reader:
                yield Record(line, row)
                line = skipped + reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{source.name}:{line}: {_cause(error)}") from error


@contextmanager
def _readable(source: TextFile) -> Iterator[None]:
    """Refuse a gzipped file that is damaged."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{source.name}: is no gzipped file that can be read: {error}") from error


def _cause(error: csv.Error) -> str:
    """Say what the reader of CSV met."""
    if "expected after" in str(error):
        return f'{error}: write a quotation mark within quotes twice, as in "the ""best"" school"'
    return f"{error}: is a quote left open?"


def _decoded(source: TextFile, text, encoding: str) -> Iterator[str]:
    """Lines of a text; refuse bytes that are not text."""
    number, decoding = 0, _decoding(source, text, encoding)
    for number, line in enumerate(decoding, start=1):
        if "\0" in line:
            raise InputError(
                f"{source.name}:{number}: holds a NUL byte: it is no text file, or is in UTF-16; save it as UTF-8, or "
                f"pass {source.wording.setting('encoding', 'utf-16-le')}"
            )
        if not line.isascii():
            line = line.removeprefix(MARK) if number == 1 else line
            _require_text(source, number, line, encoding)
        yield line


def _decoding(source: TextFile, text, encoding: str) -> Iterator[str]:
    try:
        yield from text
    except UnicodeError as error:
        raise InputError(f"{source.name}: is not in {encoding}: {error}; name another encoding") from error


def _require_text(source: TextFile, number: int, line: str, encoding: str) -> None:
    """Refuse bytes that the encoding does not have, and a byte-order mark in the middle of a file."""
    if wrong := ESCAPED.search(line):
        byte = ord(wrong[0]) - 0xDC00
        called = "UTF-8" if encoding == "utf-8-sig" else encoding
        raise InputError(
            f"{source.name}:{number}: byte {byte:#x} is not {called}: save it as UTF-8, or name its encoding: "
            f"{source.wording.setting('encoding', 'cp1252')} for Windows, latin-1 for older files"
        )
    if MARK in line:
        raise InputError(
            f"{source.name}:{number}: holds a byte-order mark in the middle: two files were joined; remove it"
        )
