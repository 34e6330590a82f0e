"""What may be wrong with a table although it can be read: its reader is warned, and decides."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from analyses.ingest import fields
from models.groups.naming import maybe_missing

CODES = {Decimal(sign * number) for number in (9, 99, 999, 9999, 99999) for sign in (1, -1)}
SURE = 99  # from here on a code is far from the data by design; 9 may be a value among others
FAR = 2  # times the largest other number: no value of a sample lies that far beyond the next without a reason
GROUPS_TOLD = 5  # of those of which rows were dropped
SUMS = ("sum", "all", "mean", "average", "pooled", "total")
SUM = re.compile(r"^\s*(sum|all|overall|mean|average|pooled)\s*$|\b(sub-?)?totals?\b", re.IGNORECASE)
THREE_DECIMALS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)
THREE_DIGITS = re.compile(r"[+-]?[1-9]\d{2}", re.ASCII)
ROUNDED = re.compile(r"^\d(\.\d+)?[eE]\+\d+$", re.ASCII | re.MULTILINE)
DATED = re.compile(r"^\d{1,2}-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)$", re.ASCII | re.MULTILINE)
RESPELLED = re.compile(r"^[+-]?(0\d+|\d+\.\d*|\d*\.\d+|\d+(\.\d*)?[eE][+-]?\d+)$", re.ASCII | re.MULTILINE)
ZERO = re.compile(r"0\d+", re.ASCII)
SPREADS = {
    "sd": re.compile(r"sds?|std|stdev|st\.?dev\.?|standard.deviations?", re.IGNORECASE),
    "se": re.compile(r"ses?|sem|s\.e\.m?\.?|std\.?_?err(or)?s?|stderr|standard.errors?", re.IGNORECASE),
    "variance": re.compile(r"vars?|variances?|vi", re.IGNORECASE),
}
CALLED = {"sd": "standard deviations", "se": "standard errors", "variance": "variances"}


def of_numbers(values: Sequence[str]) -> Iterator[str]:
    """Numbers that may be codes for missing values, or thousands with a point between them."""
    count = Counter(Decimal(value) for value in values)
    others = [value for value in count if value not in CODES]
    for code in sorted(CODES & count.keys() if others else ()):
        is_far = abs(code) >= SURE and abs(code) > FAR * max(map(abs, others))
        if is_far or (code < 0 < min(others)):
            remedy = "if it stands for a missing value, remove its rows"
            yield f"{code} occurs {count[code]} time(s), far from all else: {remedy}"
    pointed = [value for value in values if "." in value]
    if pointed and all(map(THREE_DECIMALS.fullmatch, pointed)) and (whole := _first(THREE_DIGITS, values)):
        yield f"{pointed[0]!r} beside {whole!r}: if the point groups thousands, leave it out"


def of_covariate(column: str, values: Iterable[str]) -> Iterator[str]:
    """Codes that were taken for numbers."""
    if code := _first(ZERO, values):
        yield f"{code!r} is read as a number, though it begins with 0: if these are codes, pass ⟨categorical {column}⟩"


def of_names(names: Sequence[str], what: str) -> Iterator[str]:
    """Names of groups, or of levels, that may be one, or none."""
    if message := maybe_missing(names, what):
        yield message
    if alike := _alike(names, str.casefold):
        yield f"{' and '.join(map(repr, alike))} differ only in case: check whether they are the same"
    text = "\n".join(names)  # a million names are looked through at once
    if RESPELLED.search(text) and (alike := _alike(names, _as_number)):
        yield f"{' and '.join(map(repr, alike))} are the same number: check whether they are the same"
    if rounded := ROUNDED.search(text):
        yield f"{rounded[0]!r} may be what a spreadsheet has left of a longer number: save the column as text"
    if (dated := DATED.search(text)) and not all(map(DATED.fullmatch, names)):
        yield f"{dated[0]!r} may be a name that a spreadsheet took for a date: check it"


def of_groups(names: Sequence[str]) -> Iterator[str]:
    """Groups that are sums of the others."""
    text = "\n".join(names).casefold()
    if any(word in text for word in SUMS) and (sums := [name for name in names if SUM.search(name)]):
        more = f" (and {len(sums) - 1} more)" * (len(sums) > 1)
        yield f"{sums[0]!r} is a group here{more}: if its row is a sum or a mean of the others, leave it out"


def of_dropped(dropped: Counter, kept: set[str], rows: int) -> str:
    """Say how many rows were dropped, of which groups, and which groups are left without any."""
    first = sorted(dropped.items(), key=lambda item: (-item[1], not item[0], item[0]))
    of_groups = [f"{label!r} ({n})" if label else f"no name ({n})" for label, n in first]
    gone = [repr(label) for label, _ in first if label and kept and label not in kept]
    lost = f"; nothing is left of {_some(gone)}" if gone else ""
    return f"dropped {dropped.total():,} of {rows:,} rows with a missing value: of {_some(of_groups)}{lost}"


def of_option(option: str, column: str) -> Iterator[str]:
    """A column whose name says that it is of another kind than the option."""
    for other, pattern in SPREADS.items():
        if option in SPREADS and other != option and pattern.fullmatch(column):
            yield f"is read as {CALLED[option]}, and its name says {CALLED[other]}: check which they are"


def _some(names: Sequence[str]) -> str:
    """The first of some names, and how many others there are."""
    others = len(names) - GROUPS_TOLD
    return ", ".join(names[:GROUPS_TOLD]) + (f" and {others:,} others" if others > 0 else "")


def _first(pattern: re.Pattern, values: Iterable[str]) -> str:
    return next(filter(pattern.fullmatch, values), "")


def _as_number(name: str) -> object:
    """The number that a name is, or the name."""
    return Decimal(name) if fields.NUMBER.fullmatch(name) else name


def _alike(names: Iterable[str], key) -> list[str]:
    """The first two names that are one to a key, if any."""
    seen: dict[object, str] = {}
    return next(([other, name] for name in names if (other := seen.setdefault(key(name), name)) != name), [])
