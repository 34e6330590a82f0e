"""Names of groups and of levels: missing ones, ones that look alike, the nearest one, ones that may mean missing."""

import unicodedata
import warnings
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

# As R, pandas, databases and spreadsheets write what is missing. All of them may be names as well: NA is Namibia.
MISSING = frozenset(
    {
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
        '"',
    }
)


class MissingNameWarning(UserWarning):
    """A group or a level is called what other programs write for a missing value."""


@dataclass(frozen=True, eq=False)
class Coded:
    """Distinct labels in order of appearance, and the position among them of the label of each row."""

    labels: tuple[str, ...]
    position: np.ndarray


def read(what: str, names: Iterable[object]) -> tuple[str, ...]:
    """Names as text, one an entry.

    Parameters
    ----------
    what : str
        What the entries are called in a message: "labels", "column 'school'".
    names : iterable
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
    entries = list(plain(names))
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


def code(labels: Iterable[object]) -> Coded:
    """Distinct labels in order of appearance, and which of them each row bears.

    Raises
    ------
    ValueError
        For a label that is missing or blank, or two that differ and have one spelling, as 1 and "1".

    Examples
    --------
    >>> code(["b", "a", "b"])
    Coded(labels=('b', 'a'), position=array([0, 1, 0]))
    """
    entries = list(plain(labels))
    names = read("labels", entries)
    if len(set(map(type, entries))) > 1:
        _require_one_spelling(entries, names)
    positions: dict[str, int] = {}
    position = np.fromiter((positions.setdefault(name, len(positions)) for name in names), dtype=np.intp)
    return Coded(tuple(positions), position)


def _require_one_spelling(entries: list, names: Sequence[str]) -> None:
    """Refuse labels that differ and are spelled alike, or are equal and spelled otherwise: 1 and "1", 1 and 1.0."""
    entry_of: dict[str, object] = {}
    name_of: dict[object, str] = {}
    for entry, name in zip(entries, names, strict=True):
        if (first := entry_of.setdefault(name, entry)) != entry:
            raise ValueError(f"labels hold both {first!r} and {entry!r}: give all as text")
        if (spelling := name_of.setdefault(entry, name)) != name:
            raise ValueError(f"labels hold both {spelling} and {name} for one number: give all as text")


def plain(entries: Any) -> Any:
    """A container, Arrow's as a list of Python's objects, and a masked array with None where something is masked."""
    if isinstance(entries, np.ma.MaskedArray) and np.ma.getmaskarray(entries).any():
        return np.where(np.ma.getmaskarray(entries), np.array(None), np.ma.getdata(entries))
    return entries.to_pylist() if hasattr(entries, "to_pylist") else entries


def is_missing(value: object) -> bool:
    """Whether a value is missing: None, NaN, or what a library has in their place."""
    import pandas as pd  # takes its time to import

    return bool(pd.isna(value))


def are_blank(labels: np.ndarray) -> np.ndarray:
    """Which labels of an array are missing, or text that is white space."""
    import pandas as pd

    missing = np.asarray(pd.isna(labels), dtype=bool)
    if labels.dtype.kind in "biuf":
        return missing
    return missing | np.array([not str(label).strip() for label in labels.tolist()], dtype=bool)


def spelled(labels: np.ndarray) -> list[str]:
    """Labels of an array as text, each as Python spells it.

    Examples
    --------
    >>> spelled(np.array([1.0, 2.5]))
    ['1.0', '2.5']
    """
    return list(map(str, labels.tolist() if labels.dtype.kind in "biufO" else labels.astype(str).tolist()))


def argsort(labels: np.ndarray) -> np.ndarray:
    """Positions of labels in their order: numbers by size, text by its letters, what is missing last."""
    if labels.dtype != object:
        return np.argsort(labels, kind="stable")
    import pandas as pd

    text, missing = list(map(str, labels)), pd.isna(labels)
    return np.array(sorted(range(len(labels)), key=lambda i: (missing[i], text[i])), dtype=np.intp)


def require_apart(what: str, names: Collection[str]) -> None:
    """Refuse two different names that look the same: blanks at an end, or two ways to encode a letter.

    Raises
    ------
    ValueError
        Naming both.
    """
    joined = "".join(names)
    if joined.isascii() and joined.split(maxsplit=1) == [joined]:  # no name has a blank
        return
    distinct = dict.fromkeys(names)
    if all(map(str.isascii, distinct)) and len({" ".join(name.split()) for name in distinct}) == len(distinct):
        return
    first: dict[str, str] = {}
    for name in distinct:
        if (lookalike := first.setdefault(normalized(name), name)) != name:
            raise ValueError(f"{what}: {name!r} looks like {lookalike!r}: use one spelling, or clearly different names")


LOOKALIKES = str.maketrans("\u2018\u2019\u02bc\u201c\u201d\u2010\u2011\u2012\u2013\u2212", "'''\"\"-----")


def normalized(name: str) -> str:
    """A name as it looks: without blanks at its ends, doubled blanks or invisible letters, lookalikes made the same."""
    if not name.isascii():
        visible = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
        name = unicodedata.normalize("NFKC", visible).translate(LOOKALIKES)
    return " ".join(name.split())


def nearest(name: str, names: Iterable[str]) -> str:
    """Name that may have been meant: the most similar one, or "" if none is similar.

    Case and surrounding blanks do not count, and hyphens, underscores and blanks are alike.

    Examples
    --------
    >>> nearest("eight_school", ["math_test", "eight_schools"]), nearest("Standard-Error", ["standard error"])
    ('eight_schools', 'standard error')
    >>> nearest("score", ["weight", "height"])
    ''
    """
    of_key: dict[str, str] = {}
    for candidate in names:
        of_key.setdefault(_key(candidate), candidate)
    similar = get_close_matches(_key(name), of_key, n=1)
    return of_key[similar[0]] if similar else ""


def _key(name: str) -> str:
    return normalized(name).casefold().replace("-", " ").replace("_", " ")


def maybe_missing(names: Iterable[object], what: str) -> str:
    """Say which names may stand for a missing value, and as `what` they are read; nothing where none may.

    Examples
    --------
    >>> maybe_missing(["p1", "NA"], "the name of a group")
    "'NA' is read as the name of a group. If it stands for a missing value, remove its rows."
    """
    suspects = ", ".join(map(repr, sorted(MISSING.intersection(names))))
    return f"{suspects} is read as {what}. If it stands for a missing value, remove its rows." if suspects else ""


def warn_of_missing(what: str, names: Iterable[object], read_as: str = "the name of a group") -> None:
    """Say which names may stand for a missing value.

    Warns
    -----
    MissingNameWarning
    """
    if message := maybe_missing(names, read_as):
        warnings.warn(f"{what}: {message}", MissingNameWarning, stacklevel=4)
