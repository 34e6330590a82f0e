"""One table in any dialect that programs write: its rows to the last digit, or one line that names the oddity."""

import csv
import gzip
import io

import pytest
from helpers.cases import ROUNDS
from helpers.scans import EPS, assert_near, exactly, scanned
from hypothesis import given, settings, strategies as st

from analyses.ingest.reading import Reading
from analyses.ingest.request import InputError

LABELS = ["A", "b c", "007", "St. Mary's", 'the "best"', "x, y", "1;2", "Åse", "école", "Ørsted", "NA", "#1"]
ODDITIES = {  # what a message about it may call each
    "decimal comma": ("decimal comma", "has a comma", "is a comma a decimal mark"),
    "not declared": ("encoding",),
    "percent": ("percent sign",),
    "minus": ("minus sign",),
    "thousands": ("thousands", "has a comma"),
    "currency": ("currency sign",),
    "title": ("title",),
    "row names": ("did R write",),
    "header again": ("repeats the header",),
    "total": ("where the header has",),
    "missing": ("is blank",),
}
TOLD = ("separated by", "decimal comma", "comments", "without any entry", "UTF-16")
numbers = st.decimals(min_value=-9999, max_value=9999, places=2).filter(lambda v: v == 0 or abs(v) >= 1)


@st.composite
def tables(draw):
    """Rows of a few groups, each with a number of two decimals."""
    labels = draw(st.lists(st.sampled_from(LABELS), min_size=2, max_size=4, unique=True))
    return [(label, v) for label in labels for v in draw(st.lists(numbers, min_size=1, max_size=4))]


@st.composite
def dialects(draw):
    """How a program may write it."""

    def seldom():
        return draw(st.sampled_from([False, False, False, True]))

    return {
        "delimiter": draw(st.sampled_from([",", ",", ";", "\t", "|"])),
        "decimal": draw(st.sampled_from([".", ".", ","])),
        "quoting": draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "utf-16-le"])),
        "declared": draw(st.booleans()),
        "end": draw(st.sampled_from(["\n", "\r\n", "\r"])),
        "last line ends": draw(st.booleans()),
        "turned": draw(st.booleans()),
        "gzipped": seldom(),
        **{
            name: seldom()
            for name in (
                *(
                    "blank lines",
                    "comments",
                    "sep",
                    "title",
                    "row names",
                    "named rows",
                    "padded",
                    "trailing",
                    "empty rows",
                ),
                *("header again", "total", "missing", "percent", "minus", "thousands", "currency"),
            )
        },
    }


def number(value, known) -> str:
    """A number as the dialect has it."""
    text = f"{value:,.2f}" if known["thousands"] else f"{value:.2f}"
    if known["decimal"] == ",":
        text = text.translate({ord(","): ".", ord("."): ","})
    if known["minus"]:
        text = text.replace("-", "\u2212")
    return "$" * known["currency"] + text + "%" * known["percent"]


def rows_of(rows, known) -> list[list[str]]:
    """Header and rows of fields."""
    order = [1, 0] if known["turned"] else [0, 1]
    header, fields = ["school", "score"], [[label, number(value, known)] for label, value in rows]
    lines = [[header[k] for k in order], *([row[k] for k in order] for row in fields)]
    if known["named rows"]:
        lines = [["" if i == 0 else str(i), *line] for i, line in enumerate(lines)]
    if known["header again"]:
        lines.insert(2, lines[0])
    if known["missing"]:
        lines.append([*lines[0]])
        lines[-1] = ["" if name == "score" else "A" for name in lines[0]]
    if known["row names"]:
        lines = [lines[0], *([str(i), *line] for i, line in enumerate(lines[1:], start=1))]
    if known["empty rows"]:
        lines += [[""] * len(lines[0])] * 3
    if known["trailing"]:
        lines = [[*line, ""] for line in lines]
    return lines + [["in all"]] * known["total"]


def quoted(field: str, known) -> str:
    """A field as the dialect quotes it."""
    out = io.StringIO()
    csv.writer(out, delimiter=known["delimiter"], quoting=known["quoting"], lineterminator="").writerow([field, "x"])
    return out.getvalue().rpartition(known["delimiter"])[0]


def written(rows, known) -> str:
    """The text of a file."""
    delimiter, end = known["delimiter"], known["end"]
    between = delimiter + " " * known["padded"]
    lines = [between.join(quoted(field, known) for field in fields) for fields in rows_of(rows, known)]
    above = ["Scores of 2021", ""] * known["title"] + ["# made by hand", "# points"] * known["comments"]
    lines = [f"sep={delimiter}"] * known["sep"] + above + lines
    if known["blank lines"]:
        lines = [line for each in lines for line in (each, "")]
    return end.join(lines) + end * known["last line ends"]


def put(folder, rows, known):
    """A file in the dialect; None where its encoding lacks a letter."""
    try:
        content = written(rows, known).encode(known["encoding"])
    except UnicodeEncodeError:
        return None
    path = folder / ("t.csv.gz" if known["gzipped"] else "t.csv")
    path.write_bytes(gzip.compress(content, 1) if known["gzipped"] else content)
    return path


def oddities(known) -> set[str]:
    """What a message may be about."""
    names = {name for name in ODDITIES if known.get(name)}
    if known["decimal"] == ",":
        names.add("decimal comma")
    if not known["declared"] and known["encoding"] in ("latin-1", "cp1252", "utf-16-le"):
        names.add("not declared")
    return names


@pytest.mark.slow
@settings(max_examples=2000, **ROUNDS)
@given(tables(), dialects())
def test_any_dialect(tmp_path_factory, rows, known):
    """2,000 dialects, most of them with several oddities: no traceback, no row lost, no number changed."""
    check(tmp_path_factory, rows, known)


@settings(max_examples=200, **ROUNDS)
@given(tables(), dialects())
def test_some_dialects(tmp_path_factory, rows, known):
    """200 of them in every run."""
    check(tmp_path_factory, rows, known)


def told(rows, known) -> set[str]:
    """What there is to tell of a table that was read."""
    commas = known["decimal"] == "," and any(set(number(value, known)) & {","} for _, value in rows)
    return {
        what
        for what, is_so in {
            "separated by": known["delimiter"] != ",",
            "decimal comma": commas,
            "comments": known["comments"],
            "without any entry": known["empty rows"],
            "UTF-16": known["encoding"] == "utf-16" and not known["declared"],
        }.items()
        if is_so
    }


def check(tmp_path_factory, rows, known):
    """Right, or refused in one line for each oddity that is named."""
    path = put(tmp_path_factory.mktemp("dialect"), rows, known)
    if path is None:
        return
    reading = Reading(encoding=known["encoding"] if known["declared"] else None)
    expected = exactly([(label, str(value)) for label, value in rows])
    try:
        found = scanned(path, group="school", value="score", reading=reading)
    except InputError as refused:
        lines, names = str(refused).splitlines(), oddities(known)
        for line in lines:
            assert line.startswith(path.name)
            assert any(word in line for name in names for word in ODDITIES[name]), line
        assert len(lines) <= max(len(names), 1)
    else:
        assert_near(found, expected, relative=20 * EPS * len(rows))
        assert {what for what in TOLD if any(what in note for note in found.notes)} == told(rows, known)
