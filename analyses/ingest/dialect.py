"""The dialect of a text file: what separates its fields, what quotes them, and where the table begins.

It is recognized by the names of the columns that are wanted: the separator under which the header has them is the one.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from analyses.ingest.header import has_names, is_blank, is_comment
from analyses.ingest.reading import Name, Reading

CALLED = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
QUOTES = ('"', "'")
STATED_IN_FILE = re.compile(r'"?sep=(?P<delimiter>.)"?,*', re.IGNORECASE)  # Excel's first line


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How the text of a table is written.

    Attributes
    ----------
    delimiter, quote : str
    decimal : str, optional
        The decimal mark; None where the numbers have to tell.
    skip : int
        Lines before the table: one where the first states the delimiter.
    padded : bool
        Whether blanks that follow a delimiter belong to no field.
    row_names : bool
        Whether each row begins with a name for which the header has none, as R writes them.
    """

    delimiter: str = ","
    quote: str = '"'
    decimal: str | None = None
    skip: int = 0
    padded: bool = False
    row_names: bool = False

    @property
    def of_csv(self) -> dict:
        """Arguments of `csv.reader`."""
        return {"delimiter": self.delimiter, "quotechar": self.quote, "skipinitialspace": self.padded}


def recognized(lines: Sequence[str], names: Sequence[Name], reading: Reading) -> Dialect:
    """Recognize the dialect of a file from its first lines, without those that were to be skipped."""
    skip, delimiters = 0, [reading.delimiter] if reading.delimiter else list(CALLED)
    if lines and (stated := STATED_IN_FILE.fullmatch(lines[0].strip("\ufeff\r\n"))):
        delimiters = [reading.delimiter or stated["delimiter"]]
        skip = 1
    quotes = [QUOTES[0], *(quote for quote in QUOTES[1:] if any(line.startswith(quote) for line in lines[skip:]))]
    candidates = [
        Dialect(delimiter=delimiter, quote=quote, skip=skip, padded=padded or delimiter == " ")
        for quote, padded, delimiter in product(quotes, (False, True), delimiters)
    ]
    best = max(candidates, key=lambda candidate: _merit(lines[skip:], candidate, names))  # the first of the best
    return _completed(lines[skip:], best, reading)


def told(known: Dialect, reading: Reading) -> Iterator[str]:
    """Say what was recognized and not stated, where it is not what everybody expects."""
    if known.delimiter != "," and not reading.delimiter:
        called = CALLED.get(known.delimiter, repr(known.delimiter))
        yield f"read as separated by {called}"
    if known.quote != QUOTES[0]:
        yield "read as quoted with apostrophes"


def _merit(lines: Sequence[str], candidate: Dialect, names: Sequence[Name]) -> tuple[int, int, int]:
    """How many wanted names the header has under a dialect, or a later line, and whether the header is separated."""
    fields = _header(lines, candidate, names)
    later = ([field.strip() for field in _fields(line, candidate)] for line in lines)
    of_later = max((sum(has_names(some, [name]) for name in names) for some in later), default=0)
    return sum(has_names(fields, [name]) for name in names), of_later, min(len(fields), 2)


def _header(lines: Sequence[str], candidate: Dialect, names: Sequence[Name]) -> list[str]:
    """Fields of the first line that is neither blank nor a comment."""
    try:
        for fields in csv.reader(lines, strict=True, **candidate.of_csv):
            stripped = [field.strip() for field in fields]
            if not (is_blank(stripped) or is_comment(stripped, names)):
                return stripped
    except csv.Error:  # of another dialect than this one
        return []
    return []


def _fields(line: str, candidate: Dialect) -> list[str]:
    """Fields of a line; none under a dialect that it is not written in."""
    try:
        return next(csv.reader([line], strict=True, **candidate.of_csv), [])
    except csv.Error:
        return []


def _completed(lines: Sequence[str], known: Dialect, reading: Reading) -> Dialect:
    """What the first lines of the table tell beside the delimiter."""
    raw = [line.strip("\ufeff\r\n") for line in lines if line.strip() and not line.startswith("#")]
    padded = bool(raw) and known.delimiter != "\t" and (_is_padded(raw[0], known) or _has_padded_quotes(raw, known))
    known = replace(known, padded=known.padded or padded, decimal=_decimal(known, reading))
    return replace(known, row_names=_has_row_names(raw, known))


def _has_row_names(raw: Sequence[str], known: Dialect) -> bool:
    """Whether the rows have one field more than the header, and begin with "1", "2", ... as those of R do.

    Other names in that place may as well be labels in a table with decimal commas.
    """
    if len(raw) < 2:
        return False
    header, *rows = (_fields(line, known) for line in raw)
    numbers = [row[0] for row in rows if len(row) == len(header) + 1 and row[-1].strip()]
    running = numbers == [str(k) for k in range(1, len(rows) + 1)]
    return running and all(line.startswith(known.quote) for line in raw)


def _has_padded_quotes(raw: Sequence[str], known: Dialect) -> bool:
    """Whether some field is quoted behind a blank."""
    pattern = re.compile(re.escape(known.delimiter) + " +" + known.quote)
    return any(map(pattern.search, raw))


def _is_padded(line: str, known: Dialect) -> bool:
    """Whether a blank follows every delimiter of a line."""
    after = line.split(known.delimiter)[1:]
    return bool(after) and all(field.startswith(" ") for field in after)


def _decimal(known: Dialect, reading: Reading) -> str | None:
    """The decimal mark that was stated; a point where commas separate; else what the numbers tell."""
    return reading.decimal or ("." if known.delimiter == "," else None)
