"""Strict reading of rows: every cause for refusal, before anything is computed.

Numbers stay decimals with all their digits: a double would lose those that an offset pushes out of it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import batched, chain

import pandas as pd

from analyses.ingest import doubts, fields, header, repeats
from analyses.ingest.columns import BETWEEN, Batch, Columns, positions, require_header
from analyses.ingest.faults import Fault, Faults, of_field
from analyses.ingest.fields import Kind
from analyses.ingest.reading import Name, Opened, Record, Source, name_of
from analyses.ingest.request import InputError
from models.groups.naming import MISSING, normalized

BATCH = 50_000  # rows at a time
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", re.ASCII)
LONG = Kind(
    "more fields than the header",
    "did R write the name of each row first (row.names=FALSE leaves it out), or is a comma a decimal mark, or part of "
    "a name without quotes?",
)
SHORT = Kind("fewer fields than the header", "if it is a note, remove it; else fill the row up")
HEADER_AGAIN = Kind("repeats the header", "if two files were joined here, remove the line")
SECOND_HEADER = Kind("is not a number", "if this line holds units or a second header, remove it")
CATEGORICAL = Kind("is not a number", "correct it, or pass ⟨categorical {}⟩ if these are categories")


def read(source: Source, **columns) -> pd.DataFrame:
    """Read some columns of a table.

    Parameters
    ----------
    source : Source
    **columns
        Those of `Columns`.

    Returns
    -------
    DataFrame
        Those columns, text as it stands without blanks at its ends, numbers as Decimal, None where blank; the index is
        the line of the file (the row of a frame). `attrs` has "repeated", which rows repeat others, if any do; "notes",
        how the table was read; "warnings", what its reader should look at; and "read", the SHA-256 of each file.

    Raises
    ------
    InputError
        With a line for each cause.
    """
    wanted = Columns(**columns)
    with source.opened(wanted.names) as opened:
        parts = list(batches(source, opened, wanted))
    lines, rows = (tuple(chain.from_iterable(part[k] for part in parts)) for k in (0, 1))
    values = {name: list(chain.from_iterable(part.columns[name] for part in parts)) for name in wanted.names}
    table = pd.DataFrame(dict(enumerate(values.values())), index=pd.Index(lines, name="line"), dtype=object)
    table.columns = pd.Index([*values], tupleize_cols=False)
    told = {"notes": tuple(opened.notes), "warnings": tuple(opened.warnings)}
    table.attrs |= {"repeated": repeats.repeated(source, rows, lines), "read": opened.digests(), **told}
    return table


def batches(source: Source, opened: Opened, wanted: Columns) -> Iterator[Batch]:
    """Lines, fields and columns of some rows at a time; none any more once there was a fault.

    What may be either is numbers if any value of the first batch is one. `opened.warnings` is told what was dropped.

    Raises
    ------
    InputError
        At the end, with a line for each cause.
    """
    where = f"{source.name}:{opened.line}" if opened.line else source.name
    reader = Reader(source, opened, wanted, positions(where, opened.header, wanted.names))
    if opened.is_text:
        require_header(where, wanted)
    for batch in batched(opened.rows, BATCH):
        if (part := reader.batch(batch)) is not None:
            yield part
            opened.update()
    reader.finish()


@dataclass(eq=False)
class Reader:
    """What has been learnt of a table up to a batch of its rows.

    Attributes
    ----------
    source, opened, wanted
        The table, one pass over it, and the columns that are wanted.
    positions : dict
        Where the columns stand.
    decimal, numeric : str, frozenset
        The decimal mark and the columns of numbers, once the first batch has told them.
    seen, joined : dict
        Names that were seen, with their lines, and the parts of those that are joined.
    uneven, wrong, alike : Faults
        Rows of another length, fields that cannot be read, and names that look alike; each is looked for only where
        the one before it is empty.
    dropped, kept : Counter, set
        Labels of rows that were dropped, and of those that were not.
    rows : int
        How many were read.
    """

    source: Source
    opened: Opened
    wanted: Columns
    positions: dict[Name, tuple[int, ...]]
    decimal: str = ""
    numeric: frozenset[Name] = frozenset()
    seen: dict[int, dict[str, tuple[str, int]]] = field(default_factory=dict)
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)
    uneven: Faults = field(default_factory=Faults)
    wrong: Faults = field(default_factory=Faults)
    alike: Faults = field(default_factory=Faults)
    dropped: Counter = field(default_factory=Counter)
    kept: set[str] = field(default_factory=set)
    rows: int = 0

    def batch(self, records: Sequence[Record]) -> Batch | None:
        """Read some rows; None where there was a fault, in these or earlier."""
        self.rows += len(records)
        self.uneven.add(self._uneven(records))
        if self.uneven:
            return None
        if not self.decimal:
            self._learn(records)
        if self.wanted.drop_missing:
            records = self._complete(records)
        lines, rows = zip(*records, strict=True) if records else ((), ())
        columns = {name: self._fields(rows, name) for name in self.positions}
        numbers = [name for name in self.positions if name in self.numeric]
        pointed = {name: fields.pointed(columns[name], self.decimal) for name in numbers}
        for name in self.positions:
            if name in self.numeric:
                self.wrong.add(self._no_numbers(name, columns[name], pointed[name], lines))
                continue
            self.wrong.add(self._blanks(name, rows, lines))
            self.alike.add(self._lookalikes(name, records))
        if self.wrong or self.alike:
            return None
        if self.rows == len(records) + self.dropped.total():
            self.opened.warnings.extend(self._doubts(columns, pointed))
        typed = {name: [Decimal(value) if value else None for value in values] for name, values in pointed.items()}
        return Batch(lines, rows, columns | typed)

    def finish(self) -> None:
        """Refuse what was found, and tell what was dropped."""
        self._recognize_second_header()
        for faults in (self.uneven, self.wrong, self.alike):
            faults.refuse(self.source, self.rows)
        if count := self.dropped.total():
            self.opened.warnings.append(doubts.of_dropped(self.dropped, self.kept, self.rows))
            if count == self.rows:
                raise InputError(f"{self.source.name}: something is missing in every row")

    def _learn(self, records: Sequence[Record]) -> None:
        """Tell the decimal mark, and which columns that may be either hold numbers, from the first batch."""
        rows = [row for _, row in records]

        def fields_of(names):
            return [value for name in names for value in self._fields(rows, name)]

        of_numbers, of_either = fields_of(self.wanted.numbers), fields_of(self.wanted.either)
        marks = (fields.decimal_mark(values) for values in (of_numbers, of_either))
        self.decimal = self.opened.decimal or ("," if "," in marks else ".")
        if self.opened.decimal is None:
            self._tell_decimal(records, of_numbers)
        either = (name for name in self.wanted.either if fields.are_numbers(fields_of([name]), self.decimal))
        self.numeric = frozenset({*self.wanted.numbers, *either})

    def _tell_decimal(self, records: Sequence[Record], of_numbers: Sequence[str]) -> None:
        """Say that the decimal mark is a comma; refuse points that may group thousands, where other columns tell so."""
        if self.decimal == ",":
            self.opened.notes.append("read with a decimal comma")
        elif (doubtful := next(filter(THOUSANDS.fullmatch, of_numbers), "")) and "," in {
            fields.decimal_mark([row[k].strip() for _, row in records]) for k in range(len(self.opened.header))
        }:
            remedy = self.source.wording.filled(
                "pass ⟨decimal ,⟩ if it groups thousands and then leave it out, else ⟨decimal .⟩"
            )
            raise InputError(
                f"{self.source.name}: {doubtful!r} has a point, and other columns have decimal commas: {remedy}"
            )

    def _fields(self, rows: Sequence[list[str]], name: Name) -> list[str]:
        """Fields of a column, or those of several columns, joined."""
        parts = [list(map(_unwrapped, (row[position] for row in rows))) for position in self.positions[name]]
        values = parts[0] if len(parts) == 1 else [BETWEEN.join(each) for each in zip(*parts, strict=True)]
        return ["" if value in MISSING else value for value in values] if name in self.wanted.optional else values

    def _label(self, record: Record) -> str:
        """What a row is called when it is dropped: its group, or where it stands."""
        if not self.wanted.text:
            return f"{self.source.place} {record.line}"
        return self._fields([record.fields], self.wanted.text[0])[0]

    def _is_complete(self, row: list[str]) -> bool:
        """Whether nothing that is wanted is missing in a row."""
        return not any(
            fields.is_missing(row[position].strip(), number=name not in self.wanted.text[:1])
            for name, places in self.positions.items()
            if name not in self.wanted.optional
            for position in places
        )

    def _doubts(self, columns: dict[Name, list[str]], pointed: dict[Name, list[str]]) -> Iterator[str]:
        """What may be wrong with numbers that can be read, of the first batch."""
        for name in pointed:
            of_numbers = doubts.of_numbers(list(filter(None, pointed[name])))
            codes = doubts.of_covariate(name, columns[name]) if name in self.wanted.either else ()
            yield from (f"column {name!r}: {message}" for message in chain(of_numbers, codes))

    def _complete(self, records: Sequence[Record]) -> list[Record]:
        """Rows in which nothing is missing; the names of the groups of the others are remembered."""
        complete = []
        for record in records:
            label = self._label(record)
            if self._is_complete(record.fields):
                complete.append(record)
                self.kept.update([label] if self.wanted.text else [])
            else:
                self.dropped[label] += 1
        return complete

    def _uneven(self, records: Sequence[Record]) -> Iterator[Fault]:
        """Rows with more or fewer fields than the header, and rows that repeat it."""
        names, places = self.opened.header, [k for each in self.positions.values() for k in each]
        size, first = len(names), places[0]
        for line, row in records:
            if len(row) != size:
                what = f"{len(row)} field{'s' * (len(row) != 1)} where the header has {size}"
                yield Fault(line, LONG if len(row) > size else SHORT, what)
            elif row[first].strip() == names[first] and all(row[k].strip() == names[k] for k in places):
                yield Fault(line, HEADER_AGAIN, HEADER_AGAIN.what)

    def _recognize_second_header(self) -> None:
        """Name units, or a second header, as the cause where the first row alone is at fault in some column."""
        line, causes = self.opened.line + 1, self.wrong.causes
        alone = [key for key, cause in causes.items() if (cause.first.line, cause.count) == (line, 1)]
        text = [key for key in alone if causes[key].first.kind is fields.OTHER]
        if self.opened.is_text and text and self.rows > 1:
            causes[text[0]].first = causes[text[0]].first._replace(kind=SECOND_HEADER)
            for key in alone:
                if key != text[0]:
                    del causes[key]

    def _blanks(self, name: Name, rows: Sequence[list[str]], lines: Sequence[int]) -> Iterator[Fault]:
        """Names that are blank, or of which a part is."""
        for part, position in zip(header.parts(name, self.opened.header), self.positions[name], strict=True):
            for row, line in zip(rows, lines, strict=True):
                if not row[position].strip():
                    yield of_field(line, part, "", fields.NO_NAME)

    def _no_numbers(
        self, name: str, values: Sequence[str], pointed: Sequence[str], lines: Sequence[int]
    ) -> Iterator[Fault]:
        """What is not a number, or is of no size to compute with."""
        optional = name in self.wanted.optional
        for value, number, line in zip(values, pointed, lines, strict=True):
            if not fields.is_plain(number) and (
                kind := fields.fault(value, number=True, optional=optional, decimal=self.decimal)
            ):
                yield of_field(line, name, value, self._kind(kind, name))

    def _kind(self, kind: Kind, name: Name) -> Kind:
        """The remedy that fits the column: a covariate may be a category."""
        if kind is fields.OTHER and name in self.wanted.either:
            return Kind(kind.what, CATEGORICAL.remedy.format(name))
        return kind

    def _lookalikes(self, name: Name, records: Sequence[Record]) -> Iterator[Fault]:
        """Names that differ in nothing but blanks at their ends, or in how Unicode encodes them."""
        for position, part in zip(self.positions[name], header.parts(name, self.opened.header), strict=True):
            first = self.seen.setdefault(position, {})
            for line, row in records:
                known, earlier = first.setdefault(normalized(row[position]), (row[position], line))
                if row[position] != known:
                    yield Fault(
                        line,
                        fields.LOOKALIKE,
                        f"{row[position]!r} looks like {known!r} of {self.source.place} {earlier}",
                        part,
                    )
        if len(self.positions[name]) > 1:
            yield from self._joined_alike(name, records)

    def _joined_alike(self, name: Name, records: Sequence[Record]) -> Iterator[Fault]:
        """Names of several parts that are one once they are joined, the parts being others."""
        for line, row in records:
            parts = tuple(row[position].strip() for position in self.positions[name])
            joined = BETWEEN.join(parts)
            if self.joined.setdefault(joined, parts) != parts:
                yield Fault(line, fields.JOINED_ALIKE, f"{joined!r} {fields.JOINED_ALIKE.what}", name_of(name))


def _unwrapped(field: str) -> str:
    """A field without blanks at its ends, nor what keeps a spreadsheet from taking it for a number: 001 of ="001"."""
    value = field.strip()
    return value[2:-1] if value[:2] == '="' and value.endswith('"') else value
