"""Where a table's header is, and which of the rows below it say anything: alike in text files and workbooks."""

from collections.abc import Iterable, Iterator, Sequence

from analyses.ingest.reading import Name, Record, Source
from analyses.ingest.request import InputError

LOOKED_THROUGH = 50  # rows in which a header is looked for that is not where it should be


def parts(name: Name, header: Sequence[str]) -> tuple[str, ...]:
    """Columns that a name stands for: itself, or those between its commas.

    Examples
    --------
    >>> parts("arm,patient", ["arm", "patient", "y"]), parts("n, all", ["n, all", "y"]), parts("y", ["x"])
    (('arm', 'patient'), ('n, all',), ('y',))
    """
    if not isinstance(name, str):
        return tuple(name)
    if name in header or "," not in name:
        return (name,)
    return tuple(part.strip() for part in name.split(","))


def has_names(header: Sequence[str], names: Iterable[Name]) -> bool:
    """Whether a header has all of these names."""
    return all(part in header for name in names for part in parts(name, header))


def is_blank(fields: Sequence[str]) -> bool:
    """Whether a row says nothing: an empty line, or delimiters alone."""
    return not any(map(str.strip, fields))


def is_comment(fields: Sequence[str], names: Iterable[Name]) -> bool:
    """Whether a row above the header is a comment; a header may begin with # too."""
    return fields[0].startswith("#") and not has_names(fields, names) and not has_names(unmarked(fields), names)


def unmarked(fields: Sequence[str]) -> list[str]:
    """Names of a header that is marked as a comment."""
    return [fields[0].lstrip("# "), *fields[1:]]


def split(
    source: Source, records: Iterator[Record], names: Sequence[Name], notes: list[str], *, has_row_names: bool = False
) -> tuple[Record, Iterator[Record]]:
    """The header and the rows below it; `notes` is told what was passed over.

    Raises
    ------
    InputError
        Where there is no header, or, once the rows are read, nothing below it.
    """
    comments = 0
    for record in records:
        stripped = [field.strip() for field in record.fields]
        if not stripped:
            continue
        if is_comment(stripped, names):
            comments += 1
        elif not is_blank(stripped):
            break
    else:
        raise InputError(f"{source.name}: is empty")
    if comments:
        notes.append(f"skipped {comments} line(s) of comments above the header")
    if stripped[0].startswith("#") and not has_names(stripped, names):
        stripped = unmarked(stripped)
    if not has_names(stripped, names):
        _require_no_later_header(source, records, names)
    if has_row_names:
        stripped = ["", *stripped]
        notes.append("read the first field of each row as its name, for which the header has none")
    return Record(record.line, stripped), _rows(source, records, stripped, notes)


def _require_no_later_header(source: Source, records: Iterator[Record], names: Sequence[Name]) -> None:
    """Refuse a table whose header stands below lines of something else, such as a title."""
    for line, fields in _first(records, LOOKED_THROUGH):
        if has_names([field.strip() for field in fields], names):
            raise InputError(
                f"{source.name}:{line}: the names of the columns are here, below a title or notes: pass "
                f"{source.wording.setting('skip', line - 1)}"
            )


def _first(records: Iterator[Record], count: int) -> Iterator[Record]:
    for _, record in zip(range(count), records, strict=False):
        yield record


def _rows(source: Source, records: Iterator[Record], names: Sequence[str], notes: list[str]) -> Iterator[Record]:
    """Rows that say something, without the blank field that a delimiter at the end of a line makes.

    It is kept where the header ends so too, for then a row has one field more for another reason.
    """
    blank, count, size = 0, 0, len(names)
    for line, fields in records:
        if is_blank(fields):
            blank += bool(fields)
            continue
        count += 1
        is_ended = bool(names[-1]) and len(fields) == size + 1 and not fields[size].strip()
        yield Record(line, fields[:size] if is_ended else fields)
    if blank:
        notes.append(f"skipped {blank} row(s) without any entry")
    if not count:
        raise InputError(f"{source.name}: has a header and nothing below it")
