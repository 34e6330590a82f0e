"""What a field of a table says: a number, a name, nothing, or something that has to be written otherwise."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from models.groups import validation
from models.groups.naming import MISSING

LARGEST, SMALLEST = Decimal(repr(validation.LARGEST_NUMBER)), Decimal(repr(validation.SMALLEST_NUMBER))
DIGITS = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?"
NUMBER = re.compile(rf"[+-]?{DIGITS}", re.ASCII)
EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}", re.ASCII)  # 1,234: thousands, or a decimal comma
COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d{1,4})?", re.ASCII)
SEPARATORS = ",.' \u00a0\u2009\u202f\u2019"  # between thousands
GROUPED = re.compile(rf"[+-]?[1-9]\d{{0,2}}([{SEPARATORS}])\d{{3}}(\1\d{{3}})*([.,]\d*)?", re.ASCII)
FEW_DIGITS = 40  # fewer of them, without an exponent, are between 1e-40 and 1e40: far inside the limits
DATES = re.compile(
    r"\d{4}-\d\d?-\d\d?.*|\d{1,2}([./-])\d{1,2}\1\d{2,4}|\d{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-\d{1,2}", re.ASCII
)
MINUS = "\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d"


@dataclass(frozen=True)
class Kind:
    """What may be wrong with a field.

    Attributes
    ----------
    what : str
        Said of the field: "has a percent sign".
    remedy : str
        What to do, ⟨missing drop⟩ standing for an option.
    everywhere : bool
        Whether it is one cause in whichever columns it is found.
    """

    what: str
    remedy: str
    everywhere: bool = False


DROPPED = "remove the row, or pass ⟨missing drop⟩"
BLANK = Kind("is blank", DROPPED)
NO_NAME = Kind("is blank", "fill it in, as below a merged cell, or remove the row, or pass ⟨missing drop⟩")
NOT_KNOWN = Kind("is not a number but stands for a missing value", DROPPED)
LARGE = Kind("is too large", "its square overflows; write the column in another unit")
SMALL = Kind("is too small", "its square underflows to zero; write the column in another unit")
PERCENT = Kind("has a percent sign", "remove it, or write 2.8% as 0.028, in the whole column", everywhere=True)
CURRENCY = Kind("has a currency sign", "remove it", everywhere=True)
DASH = Kind(
    "has a dash in place of a minus sign, such as U+2212", "write the minus sign of the keyboard, -", everywhere=True
)
THOUSANDS = Kind("has a thousands separator", "leave it out", everywhere=True)
COMMA_OR_THOUSANDS = Kind(
    "has a comma",
    "leave it out if it groups thousands; write a point, or pass ⟨decimal ,⟩, if it is a decimal one",
    everywhere=True,
)
DECIMAL_COMMA = Kind("has a decimal comma", "write a point, or pass ⟨decimal ,⟩", everywhere=True)
DECIMAL_POINT = Kind(
    "has a point where the decimal mark is a comma", "write one mark in the whole table", everywhere=True
)
PARENTHESES = Kind("is in parentheses", "write a negative number with a minus sign")
BOUND = Kind("is a bound, not a number", "no model here has bounds for data, and means without such rows are biased")
EXPONENT = Kind("has an exponent as Fortran writes it", "write e, as in 5.1e-101", everywhere=True)
TIME = Kind("is a time, not a number", "write minutes, or seconds, as a number")
FRACTION = Kind("is a fraction", "write the number that it is")
TRAILING = Kind("has its minus sign at the end", "write it in front", everywhere=True)
SEVERAL = Kind("is not a number but holds several", "give each a column")
AFTER = Kind("is not a number: text follows it", "remove the text")
SCRIPT = Kind("is not written in the digits 0 to 9", "write it in these", everywhere=True)
TRUTH = Kind("is not a number but a truth value", "write 0 or 1")
DATE = Kind("is not a number but a date", "name a column of numbers, or stop the spreadsheet from making dates of them")
ERROR = Kind("is not a number but an error of a spreadsheet", "mend its formula, or remove the row")
OTHER = Kind("is not a number", "correct it, or remove the row")
LOOKALIKE = Kind("looks like another", "use one spelling, or clearly different names")
JOINED_ALIKE = Kind("is the name of two groups", "join the columns into one whose names differ")


def _in_digits(value: str) -> str:
    """A text with 0 to 9 for the digits of every script."""
    return "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in value).replace("\u066b", ".")


KINDS = (
    (NOT_KNOWN, lambda v: v in MISSING),
    (PERCENT, lambda v: re.search("[%\u2030]$", v)),
    (CURRENCY, lambda v: re.search("[$\u20ac\u00a3\u00a5\u20b9]", v) and re.search(r"\d", v)),
    (DASH, lambda v: v[0] in MINUS and re.search(r"\d", v)),
    (THOUSANDS, GROUPED.fullmatch),
    (DECIMAL_COMMA, COMMA.fullmatch),
    (PARENTHESES, re.compile(rf"\({DIGITS}\)", re.ASCII).fullmatch),
    (BOUND, re.compile(rf"[<>\u2264\u2265~]=?\s*[+-]?{DIGITS}", re.ASCII).fullmatch),
    (DATE, DATES.fullmatch),
    (TIME, re.compile(r"\d{1,3}:\d\d(:\d\d(\.\d+)?)?", re.ASCII).fullmatch),
    (EXPONENT, re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([dD][+-]?|[+-])\d{1,3}", re.ASCII).fullmatch),
    (FRACTION, re.compile(r"[+-]?\d+\s*/\s*\d+", re.ASCII).fullmatch),
    (TRAILING, re.compile(r"\d+\.?\d*-", re.ASCII).fullmatch),
    (SEVERAL, re.compile(rf"[\[(]?\s*[+-]?{DIGITS}\s*(\u00b1|\+/-|\(|\[|;|/|,|to\b|-).*\d.*", re.ASCII).fullmatch),
    (TRUTH, lambda v: v.casefold() in ("true", "false")),
    (ERROR, re.compile(r"#(DIV/0!|VALUE!|REF!|NAME\?|NUM!|NULL!)", re.ASCII).fullmatch),
    (SCRIPT, lambda v: not v.isascii() and NUMBER.fullmatch(unicodedata.normalize("NFKC", _in_digits(v)))),
    (AFTER, re.compile(rf"[+-]?{DIGITS}\s*[^\d\s.,eE_+-].*", re.ASCII).fullmatch),
)  # fmt: skip


def fault(value: str, *, number: bool, optional: bool = False, decimal: str = ".") -> Kind | None:
    """What keeps a field from being what it should; None if nothing does.

    Examples
    --------
    >>> fault("2.8%", number=True).what, fault("2.8", number=True), fault("", number=False).what
    ('has a percent sign', None, 'is blank')
    """
    if not value and not optional:
        return BLANK if number else NO_NAME
    if not number or not value:
        return None
    if pointed := with_point(value, decimal):
        return _fault_of_size(abs(Decimal(pointed)))
    if decimal == "," and NUMBER.fullmatch(value):
        return DECIMAL_POINT
    if decimal == "." and EITHER.fullmatch(value):
        return COMMA_OR_THOUSANDS
    return next((kind for kind, holds in KINDS if holds(value)), OTHER)


def _fault_of_size(size: Decimal) -> Kind | None:
    if size > LARGEST:
        return LARGE
    return SMALL if 0 < size < SMALLEST else None


def is_missing(value: str, *, number: bool) -> bool:
    """Whether a field says nothing; a name may be NA, a number may not."""
    return not value or (number and value in MISSING)


def with_point(value: str, decimal: str) -> str:
    """A number with a decimal point; nothing where there is no number with that decimal mark.

    Examples
    --------
    >>> with_point("2,5", ","), with_point("2.5", "."), with_point("2.5", ","), with_point("a", ".")
    ('2.5', '2.5', '', '')
    """
    return pointed([value], decimal)[0]


def pointed(values: Sequence[str], decimal: str) -> list[str]:
    """The numbers of a column with decimal points, as `with_point` has each."""
    if decimal == ",":
        values = ["" if "." in value else value.replace(",", ".") for value in values]
    return [value if NUMBER.fullmatch(value) else "" for value in values]


def are_numbers(values: Sequence[str], decimal: str) -> bool:
    """Whether a column that may be either holds numbers: any is one, or each would be, were it written otherwise."""
    if any(pointed(values, decimal)):
        return True
    kinds = [fault(value, number=True, decimal=decimal) for value in dict.fromkeys(values) if value]
    return bool(kinds) and all(kind is not None and kind.everywhere for kind in kinds)


def is_plain(number: str) -> bool:
    """Whether a number is certainly neither too large nor too small: it has no exponent, and few digits."""
    return 0 < len(number) < FEW_DIGITS and number.isascii() and "e" not in number and "E" not in number


def decimal_mark(values: list[str]) -> str:
    """The decimal mark of numbers: a comma where a comma cannot be anything else, and no number has a point.

    Examples
    --------
    >>> decimal_mark(["2,5", "1,234"]), decimal_mark(["1,234"]), decimal_mark(["2,5", "2.5"])
    (',', '.', '.')
    """
    commas = [value for value in values if COMMA.fullmatch(value)]
    certain = any(not EITHER.fullmatch(value) for value in commas)
    pointed = any("." in value for value in values if NUMBER.fullmatch(value))
    return "," if certain and not pointed else "."
