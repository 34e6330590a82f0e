"""The verdict on every figure and formula that the sources print. Each follows from a computation by one rule.

A figure agrees where it is the right value rounded to its digits. Else it is within the source's own error where it
differs by no more than half a unit and the bound of its arithmetic, or `limit` Monte Carlo sds. Else it is an error,
and explained where the suspected mistake gives it by the same measure. An sd that is estimated from repetitions has an
error of its own; where that leaves the verdict open the figure is undecided. A formula is right where it equals what it
stands for at random values, to rounding.
"""

import inspect

import numpy as np
import pandas as pd
from partial_pooling_data import table as stored
from scipy.special import ndtri
from scipy.stats import chi2

from analyses.published import Figure, discrepancy, source_000, source_001, source_002, source_003

AGREES, OWN_ERROR, UNDECIDED, ERROR, UNEXPLAINED = (
    "agrees to the printed digits",
    "within the source's own error",
    "undecided by so many repetitions",
    "misprint or error",
    "differs, and nothing explains it",
)
FALSE_ALARM = 1e-3  # that chance alone makes any of the figures with a Monte Carlo error look wrong
UNSURE = 1e-4  # that other repetitions would give a figure that is decided another verdict
ROUNDING = 1e-9  # relative difference that formulas which are the same do not reach
FORMULAS = source_000.FORMULAS | source_001.FORMULAS | source_002.FORMULAS | source_003.FORMULAS
COLUMNS = (
    *("source", "place", "kind", "what", "printed", "decimals", "engine", "size", "figure"),
    *("right", "difference", "own_error", "verdict", "reason", "test"),
)


def table(rng) -> pd.DataFrame:
    """Rows of published.csv with their verdicts."""
    rows = stored("published")
    figures = computed(printed_quantiles(), rng)
    most = limit(figures, rows)
    found = [
        formula(row.figure, rng) if row.kind == "formula" else figure(row, figures[row.figure], most)
        for row in rows.itertuples()
    ]
    return pd.concat([rows, pd.DataFrame(found)], axis=1)[list(COLUMNS)]


def computed(printed: pd.DataFrame, rng) -> dict[str, Figure]:
    """Every figure by its name."""
    return source_000.figures() | source_001.figures() | source_002.figures(rng) | source_003.figures(printed)


def printed_quantiles() -> pd.DataFrame:
    """The table of seed 003: a row a player, a column a quantile."""
    rows = stored("published")
    name = rows["figure"].str.split(".", n=3, expand=True)
    mine = (name[0] == "baseball") & (name[1] == "theta")
    quantiles = rows[mine].assign(quantile=name[2], player=name[3]).astype({"printed": float})
    wide = quantiles.pivot(index="player", columns="quantile", values="printed")
    return wide.loc[quantiles["player"].unique(), list(source_003.QUANTILES)]


def limit(figures: dict[str, Figure], rows: pd.DataFrame) -> float:
    """Largest |z| that a figure of a right source may have."""
    tests = sum(figures[name].sd > 0 for name in rows.loc[rows["kind"] != "formula", "figure"])
    return float(-ndtri(FALSE_ALARM / (2 * tests)))


def figure(row, found: Figure, most: float) -> dict:
    """Judge one printed figure."""
    printed, half = float(row.printed), 0.5 * 10.0 ** -int(row.decimals)
    off = printed - found.value
    least, allowed, largest = (half * (1 + ROUNDING) + max(found.bound, most * sd) for sd in possible_sds(found))
    if abs(off) <= half * (1 + ROUNDING):
        verdict = AGREES
    elif abs(off) <= least:
        verdict = OWN_ERROR
    elif abs(off) <= largest:
        verdict = UNDECIDED if found.runs else OWN_ERROR
    else:
        verdict = ERROR if abs(printed - found.mistaken) <= allowed else UNEXPLAINED
    reason = found.reason if verdict == ERROR else ""
    said = {"right": found.value, "difference": off, "own_error": max(found.bound, found.sd) or None}
    return said | {"verdict": verdict, "reason": reason, "test": "tests/test_published.py::test_figures"}


def possible_sds(found: Figure) -> tuple[float, float, float]:
    """Least, estimated and largest sd that a figure's repetitions leave open."""
    if not found.runs:
        return found.sd, found.sd, found.sd
    df = found.runs - 1
    low, high = chi2.isf(UNSURE / 2, df), chi2.ppf(UNSURE / 2, df)
    return found.sd * float(np.sqrt(df / low)), found.sd, found.sd * float(np.sqrt(df / high))


def formula(name: str, rng) -> dict:
    """Judge one printed formula."""
    off = max(discrepancy(*FORMULAS[name](rng)) for _ in range(5))
    right = off <= ROUNDING
    said = {"right": None, "difference": off, "own_error": None, "verdict": AGREES if right else ERROR}
    reason = "" if right else " ".join(inspect.getdoc(FORMULAS[name]).split())
    return said | {"reason": reason, "test": f"tests/test_published.py::test_formulas[{name}]"}


def count(rows: pd.DataFrame) -> pd.DataFrame:
    """How many of each kind have which verdict, by source."""
    return rows.groupby(["source", "kind", "verdict"], sort=True).size().rename("rows").reset_index()


def is_settled(rows: pd.DataFrame) -> bool:
    """Whether every row has a verdict, and every error its reason."""
    errors = rows[rows["verdict"] == ERROR]
    return bool(rows["verdict"].isin([AGREES, OWN_ERROR, UNDECIDED, ERROR]).all() and (errors["reason"] != "").all())
