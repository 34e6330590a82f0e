"""A table made ready by its own library, wherever it lives: rows dropped, categories spelled, groups named."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from analyses.ingest import doubts, fields, header
from analyses.ingest.columns import BETWEEN, Columns
from analyses.ingest.reading import name_of
from analyses.ingest.request import InputError
from models.groups.naming import MISSING


class Ready(NamedTuple):
    """A frame that can be reduced, the column of it that names the groups, and what is to be told."""

    frame: Any
    group: str
    warnings: tuple[str, ...]


def prepared(frame: Any, names: Sequence[str], wanted: Columns, categorical: Sequence[str]) -> Ready:
    """Drop rows with a missing value if that is wanted, make text of categories, and one name of several columns.

    Raises
    ------
    InputError
        Where something is missing in every row.
    """
    import narwhals as nw  # takes its time to import

    whole, (group,), warnings = nw.from_native(frame), wanted.text, ()
    parts = header.parts(group, names)
    if wanted.drop_missing:
        whole, warnings = _without_missing(whole, parts, (*wanted.numbers, *wanted.either))
    as_text = [nw.col(name).cast(nw.String) for name in wanted.either if name in categorical]
    as_text += [nw.col(name).cast(nw.Float64) for name in _numbers(whole, wanted.either, categorical)]
    if len(parts) > 1:
        joined = nw.concat_str(*(nw.col(part).cast(nw.String) for part in parts), separator=BETWEEN)
        as_text.append(joined.alias(name_of(group)))
    return Ready(whole.with_columns(*as_text) if as_text else whole, name_of(group), warnings)


def _without_missing(whole, parts: Sequence[str], others: Sequence[str]):
    """Rows in which nothing is missing, and what there is to tell of the others."""
    import narwhals as nw

    from models.groups import dataframes  # it imports narwhals

    schema = whole.collect_schema()
    # NA is a name of a group, and stands for a missing value elsewhere, as `fields.is_missing` has it.
    codes = [nw.col(name).is_in(sorted(MISSING)) for name in others if schema[name] == nw.String]
    blank = (_is_missing(name, schema[name]) for name in (*parts, *others))
    missing = nw.any_horizontal(*blank, *codes, ignore_nulls=True)
    labels = [nw.col(part).cast(nw.String).fill_null("") for part in parts]
    named = whole.with_columns(
        nw.concat_str(*labels, separator=BETWEEN).alias("label of its group"), missing.alias("is missing")
    )
    counts = dataframes.fetched(named.lazy().group_by("label of its group", "is missing").agg(nw.len().alias("n")))
    rows = list(zip(*(counts[name].tolist() for name in ("label of its group", "is missing", "n")), strict=True))
    dropped = Counter({label: n for label, is_missing, n in rows if is_missing})
    kept = {label for label, is_missing, _ in rows if not is_missing}
    if not dropped:
        return whole, ()
    if not kept:
        raise InputError("something is missing in every row")
    total = sum(n for _, _, n in rows)
    return whole.filter(~missing), (doubts.of_dropped(dropped, kept, total),)


def _numbers(whole, names: Sequence[str], categorical: Sequence[str]) -> list[str]:
    """Covariates of text that are all numbers, as they would be in a text file.

    Raises
    ------
    InputError
        For one of which some are numbers and some are not.
    """
    import narwhals as nw

    from models.groups import dataframes  # it imports narwhals

    schema = whole.collect_schema()
    text = [name for name in names if schema[name] == nw.String and name not in categorical]
    if not text:
        return []
    are = [nw.col(name).str.contains(f"^\\s*{fields.NUMBER.pattern}\\s*$").cast(nw.Int8) for name in text]
    ends = whole.lazy().select(
        *(one.min().alias(f"low {k}") for k, one in enumerate(are)),
        *(one.max().alias(f"high {k}") for k, one in enumerate(are)),
    )
    extremes = {name: values.tolist()[0] for name, values in dataframes.fetched(ends).items()}
    for k, name in enumerate(text):
        if extremes[f"low {k}"] != extremes[f"high {k}"]:
            raise InputError(f"covariate {name!r} holds numbers and text: name it categorical, or correct it")
    return [name for k, name in enumerate(text) if extremes[f"low {k}"]]


def _is_missing(name: str, dtype):
    """Whether a column has nothing in a row: null, NaN, or text that is white space."""
    import narwhals as nw

    column = nw.col(name)
    if dtype.is_float():
        return column.is_null() | column.is_nan()
    if dtype == nw.String:
        return column.is_null() | (column.str.strip_chars() == "")
    return column.is_null()
