"""Tables as text: where a spread tells how many decimals mean something, the same all the way down a column."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from analyses.report.columns import COLUMNS, Column, Format, Style
from analyses.report.numbers import MOST_DIGITS, places, probability_in_table, spelled

KEYS = ("variable", "quantity", "covariate", "statistic")  # columns that say of what a row is
MOST_DECIMALS = 9  # beyond them powers of ten are easier to read
NO_FORMATS: Mapping[str, Format] = {}


def cells(table: pd.DataFrame, formats: Mapping[str, Format] = NO_FORMATS) -> Iterator[list[str]]:
    """Write the rows of a table as text, nothing where there is nothing.

    A mean and its interval have the decimals that tell a tenth of the smallest sd among the rows of their variable, but
    of one whose sds are far apart one more than their median needs at most. Every covariate has a scale of its own.

    Parameters
    ----------
    table : DataFrame
    formats : mapping
        Column to its format, of columns that `columns.COLUMNS` does not have.
    """
    formats = {name: formats.get(name, COLUMNS.get(name, Column(name)).format) for name in table}
    rows = table.to_dict("records")
    spreads = [_spread(row, formats) for row in rows]
    for row, sd, decimals in zip(rows, spreads, _shared_decimals(table, spreads), strict=True):
        yield [_cell(value, formats[name], sd, decimals) for name, value in row.items()]


def _shared_decimals(table, spreads) -> np.ndarray:
    """Decimals of each row's values; nan where no spread tells."""
    by = next((table[name] for name in KEYS if name in table), pd.Series("", table.index))
    by = (by.mask(by == "beta", table["label"]) if "label" in table else by).to_numpy()
    sd = pd.Series(spreads, dtype=float)
    needed = sd.map(places, na_action="ignore").groupby(by).transform("max")
    usual = sd.groupby(by).transform("median").map(places, na_action="ignore")
    return np.fmin(needed, usual + 1).to_numpy()


def _spread(row, formats) -> float:
    """What tells how many digits of a row mean something: its sd, else the width of its interval, else its error."""
    spreads = [row[name] for name, style in formats.items() if style is Style.SPREAD]
    low, high = row.get("q2_5"), row.get("q97_5")
    if isinstance(low, float) and isinstance(high, float):
        spreads.append((high - low) / 4)
    spreads += [row[name] for name, style in formats.items() if style is Style.ERROR]
    return next((sd for sd in spreads if isinstance(sd, float | int) and 0 < sd < math.inf), math.nan)


def _cell(value, style, sd, decimals) -> str:
    if isinstance(value, str | bool):
        return str(value)
    if value is None or pd.isna(value):
        return ""
    if isinstance(value, int):
        return f"{value:,}"
    if style is Style.PROBABILITY:
        return probability_in_table(value)
    if style is Style.MC_ERROR:
        return spelled(value, value, least=1)
    if style is Style.PLAIN:
        return spelled(value)
    if isinstance(style, int):
        sd, decimals = None, style
    if not (decimals <= MOST_DECIMALS and abs(value) < 10.0 ** (MOST_DIGITS - decimals)):
        return spelled(value, sd)
    if style is not Style.VALUE and 0 < abs(value) < 0.5 * 10.0**-decimals:
        return spelled(value, value, least=1)
    return f"{round(value, int(decimals)) + 0.0:.{int(decimals)}f}"  # no -0.0
