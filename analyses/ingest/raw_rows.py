"""The raw rows behind a study's table, where someone has them: summarised as the table was."""

import io
from datetime import date
from itertools import pairwise

import pandas as pd
from partial_pooling_data import read, summarise, table

from analyses.ingest import reader, repeats, source
from analyses.ingest.columns import Batch
from analyses.ingest.faults import Faults
from analyses.ingest.fields import Kind
from analyses.ingest.reading import Source
from analyses.ingest.request import InputError, Request

ARMS = ("1", "2")
DATE = Kind("is no date", "write 2003-05-31")
ARM = Kind(f"is not one of {', '.join(ARMS)}", "correct it")
ORDER = Kind("is not after the one before it of the same subject", "sort the rows of each subject by date")


def summarised(study: str, request: Request | None) -> tuple[pd.DataFrame, dict[str, str]]:
    """The table of a study, from the file that was given if one was; and what was read, with its SHA-256.

    Raises
    ------
    InputError
        With a line for each fault, or where the file has other groups than the study.
    """
    shipped = table(study)
    if request is None:
        return shipped, {}
    group, numbers, text, made = {
        "math_test": ("school", ["mathscore"], [], summarise.school),
        "blood_pressure": ("subject", ["systolic"], ["date", "treatment"], summarise.subject),
    }[study]
    rows_of = source.of_path(request.table, (group, *text, *numbers), request.reading)
    frame = reader.read(rows_of, text=[group, *text], numbers=numbers)
    if text:
        _require_calendar(rows_of, frame, group)
    rows = [made(name, some.astype(str).to_dict("records")) for name, some in frame.groupby(group, sort=False)]
    if {row[group] for row in rows} != set(shipped[group]):
        raise InputError(
            f"{request.table.name}: these are not the {group}s of {study}: for a table of your own ask for one_way"
        )
    out = io.StringIO()
    summarise.write(out, rows)
    return read(io.StringIO(out.getvalue())), frame.attrs["read"]


def _require_calendar(table: Source, frame: pd.DataFrame, group: str) -> None:
    """Refuse dates that are none or go back, and arms that are none or change."""
    repeats.check(table, frame, "date", map(_is_date, frame["date"]), DATE)
    repeats.check(table, frame, "treatment", frame["treatment"].isin(ARMS), ARM)
    varying = Faults()
    repeats.varying(table, "treatment", group, _batch(frame), {}, varying)
    varying.refuse(table)
    ordered = pd.Series(True, index=frame.index)
    for _, days in frame.groupby(group, sort=False)["date"]:
        for (_, earlier), (line, later) in pairwise(days.items()):
            ordered[line] = later > earlier
    repeats.check(table, frame, "date", ordered, ORDER)


def _batch(frame: pd.DataFrame) -> Batch:
    """All rows of a table at once."""
    return Batch(tuple(frame.index), (), {name: list(frame[name]) for name in frame})


def _is_date(text) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2003-05-31")
