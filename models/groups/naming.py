"""Names of groups and of levels: missing ones, ones that look alike, and ones that may stand for a missing value."""

import unicodedata
from collections.abc import Collection, Iterable

import numpy as np

# As R, pandas, databases and spreadsheets write what is missing. All of them may be names as well: NA is Namibia.
MISSING = frozenset(
    [
        "NA",
        "na",
        "N/A",
        "n/a",
        "#N/A",
        "<NA>",
        "NaN",
        "nan",
        "NAN",
        "NaT",
        "NULL",
        "Null",
        "null",
        "None",
        ".",
        "?",
        "-",
    ]
)


class MissingNameWarning(UserWarning):
    """A group or a level is called what other programs write for a missing value."""


def read(what: str, given: Iterable[object]) -> tuple[str, ...]:
    """Names as text, one an entry.

    Parameters
    ----------
    what : str
        What the entries are called in a message: "labels", "column 'school'".
    given : iterable
        Text, or anything else that has a spelling: numbers, dates.

    Raises
    ------
    ValueError
        For an entry that is missing, blank or a list, naming its row, counted from 1.

    Examples
    --------
    >>> read("labels", ["a", 7])
    ('a', '7')
    """
    entries = as_list(given)
    if set(map(type, entries)) == {str} and all(map(str.strip, entries)):  # a million of them in a moment
        return tuple(entries)
    for row, entry in enumerate(entries, start=1):
        if isinstance(entry, str):
            if not entry.strip():
                raise ValueError(f"{what}: row {row} is blank: give every row a name")
        elif isinstance(entry, list | np.ndarray):
            raise ValueError(f"{what}: row {row} holds several entries: give one name a row")
        elif not isinstance(entry, int) and is_missing(entry):
            raise ValueError(f"{what}: row {row} is missing: give every row a name")
    return tuple(map(str, entries))


def as_list(given: Iterable[object]) -> list:
    """Entries of any container; Arrow's as Python's objects, masked ones as None."""
    if isinstance(given, np.ma.MaskedArray):
        return unmasked(given).tolist()
    return given.to_pylist() if hasattr(given, "to_pylist") else list(given)


def unmasked(array: np.ndarray) -> np.ndarray:
    """An array with None where a masked one has nothing."""
    if not np.ma.getmaskarray(array).any():
        return np.asarray(array)
    return np.where(np.ma.getmaskarray(array), np.array(None), np.ma.getdata(array))


def is_missing(value: object) -> bool:
    """Whether a value is missing: None, NaN, or what a library has in their place."""
    import pandas as pd  # takes its time to import

    return bool(pd.isna(value))


def require_apart(what: str, names: Collection[str]) -> None:
    """Refuse two different names that look the same: blanks at an end, or two ways to encode a letter.

    Raises
    ------
    ValueError
        Naming both.
    """
    distinct = dict.fromkeys(names)
    if all(map(str.isascii, distinct)) and len(set(map(str.strip, distinct))) == len(distinct):
        return
    first: dict[str, str] = {}
    for name in distinct:
        if (known := first.setdefault(normalized(name), name)) != name:
            raise ValueError(f"{what}: {name!r} looks like {known!r}: use one spelling, or clearly different names")


def normalized(name: str) -> str:
    """A name without blanks at its ends, letters that look alike made the same."""
    return (name if name.isascii() else unicodedata.normalize("NFKC", name)).strip()


def maybe_missing(names: Iterable[object], what: str) -> str:
    """Say which names may stand for a missing value, and as `what` they are read; nothing where none may.

    Examples
    --------
    >>> maybe_missing(["p1", "NA"], "the name of a group")
    "'NA' is read as the name of a group. If it stands for a missing value, remove its rows."
    """
    suspects = sorted(MISSING.intersection(names))
    return (
        f"{', '.join(map(repr, suspects))} is read as {what}. If it stands for a missing value, remove its rows."
        if suspects
        else ""
    )
