"""The raw rows behind a study's table, where someone has them: summarised as the table was."""

import io
from datetime import date
from itertools import pairwise

import pandas as pd
from partial_pooling_data import read, summarise, table

from analyses.ingest import strict_csv
from analyses.ingest.request import InputError, Request

ARMS = ("1", "2")


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
    frame = strict_csv.read(request.table, text=[group, *text], numbers=numbers)
    if text:
        _require_calendar(request, frame, group)
    rows = [made(name, some.astype(str).to_dict("records")) for name, some in frame.groupby(group, sort=False)]
    if {row[group] for row in rows} != set(shipped[group]):
        raise InputError(
            f"{request.table.name}: these are not the {group}s of {study}: for a table of your own ask for one_way"
        )
    out = io.StringIO()
    summarise.write(out, rows)
    return read(io.StringIO(out.getvalue())), {request.table.name: frame.attrs["sha256"]}


def _require_calendar(request, frame, group):
    """Refuse dates that are none or go back, and arms that are none or change."""
    strict_csv.check(request.table, frame, "date", map(_is_date, frame["date"]), "is no date: write 2003-05-31")
    strict_csv.check(request.table, frame, "treatment", frame["treatment"].isin(ARMS), f"is none of {', '.join(ARMS)}")
    strict_csv.refuse(
        [
            f
            for _, f in strict_csv.constant(
                request.table, "treatment", frame.index, frame[group], frame["treatment"], {}
            )
        ]
    )
    ordered = pd.Series(True, index=frame.index)
    for _, days in frame.groupby(group, sort=False)["date"]:
        for (_, earlier), (line, later) in pairwise(days.items()):
            ordered[line] = later > earlier
    strict_csv.check(request.table, frame, "date", ordered, "is not after the one before it of the same subject")


def _is_date(text) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2003-05-31")
