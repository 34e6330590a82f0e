"""The verdict on every figure and formula that the sources print. Each follows from a computation by one rule.

A figure agrees where it is the right value rounded to its digits. Else it is within the source's own error where it
differs by no more than half a unit and the bound of its arithmetic, or `limit` Monte Carlo sds. Else it is an error,
and explained where the suspected mistake gives it by the same measure. An sd that is estimated from repetitions has an
error of its own; where that leaves the verdict open the figure is undecided. A formula is right where it equals what it
stands for at random values, to rounding.
"""

import inspect
from dataclasses import dataclass

import numpy as np
import pandas as pd
from partial_pooling_data import table as stored
from scipy.special import ndtri
from scipy.stats import chi2

from analyses.published import Evaluation, Figure, exercise, lecture, second_solution, walkthrough

AGREES = "agrees to the printed digits"
OWN_ERROR = "within the source's own error"
UNDECIDED = "undecided by so many repetitions"
ERROR = "misprint or error"
UNEXPLAINED = "differs, and nothing explains it"
FALSE_ALARM = 1e-3  # that chance alone makes any of the figures with a Monte Carlo error look wrong
UNSURE = 1e-4  # that other repetitions would give a figure that is decided another verdict
ROUNDING = 1e-9  # relative difference that formulas which are the same do not reach
SOURCES = {"000": exercise, "001": second_solution, "002": walkthrough, "003": lecture}
FORMULAS = {
    f"{source}.{name}": function
    for source, module in SOURCES.items()
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if inspect.signature(function).return_annotation is Evaluation
}


@dataclass(frozen=True)
class Judgment:
    """What is right, how far off the print is, what error the source allows for, and what follows."""

    right: float | None
    difference: float
    own_error: float | None
    verdict: str
    reason: str


def table(rng: np.random.Generator) -> pd.DataFrame:
    """Rows of published.csv with their verdicts."""
    rows = stored("published")
    figures = exercise.figures() | second_solution.figures() | walkthrough.figures(rng) | lecture.figures()
    sds = limit(figures, rows)
    judgments = [
        judge_formula(row.figure, rng) if row.kind == "formula" else judge_figure(row, figures[row.figure], sds)
        for row in rows.itertuples()
    ]
    of_formulas = "tests/published/test_formulas.py::test_formulas[" + rows["figure"] + "]"
    tests = of_formulas.where(rows["kind"] == "formula", "tests/published/test_verdicts.py::test_figures")
    return rows.join(pd.DataFrame(judgments)).assign(test=tests)


def limit(figures: dict[str, Figure], rows: pd.DataFrame) -> float:
    """Largest |z| that a figure of a right source may have."""
    tests = sum(figures[name].sd > 0 for name in rows.loc[rows["kind"] != "formula", "figure"])
    return float(-ndtri(FALSE_ALARM / (2 * tests)))


def judge_figure(row, figure: Figure, sds: float) -> Judgment:
    """Judge one printed figure, which may differ from the right one by so many sds."""
    printed, half = float(row.printed), 0.5 * 10.0 ** -int(row.decimals) * (1 + ROUNDING)
    difference = printed - figure.value
    least, allowed, largest = half + np.maximum(figure.bound, sds * possible_sds(figure))
    if abs(difference) <= half:
        verdict = AGREES
    elif abs(difference) <= least:
        verdict = OWN_ERROR
    elif abs(difference) <= largest:
        verdict = UNDECIDED
    else:
        verdict = ERROR if abs(printed - figure.mistaken) <= allowed else UNEXPLAINED
    reason = figure.reason if verdict == ERROR else ""
    return Judgment(figure.value, difference, max(figure.bound, figure.sd) or None, verdict, reason)


def possible_sds(figure: Figure) -> np.ndarray:
    """Least, estimated and largest sd that a figure's repetitions leave open."""
    if not figure.runs:
        return np.full(3, figure.sd)
    df = figure.runs - 1
    quantiles = np.array([chi2.isf(UNSURE / 2, df), df, chi2.ppf(UNSURE / 2, df)])
    return figure.sd * np.sqrt(df / quantiles)


def judge_formula(name: str, rng: np.random.Generator) -> Judgment:
    """Judge one printed formula."""
    difference = max(evaluate(name, rng).discrepancy for _ in range(5))
    if difference <= ROUNDING:
        return Judgment(None, difference, None, AGREES, "")
    return Judgment(None, difference, None, ERROR, " ".join(inspect.getdoc(FORMULAS[name]).split()))


def evaluate(name: str, rng: np.random.Generator) -> Evaluation:
    """Evaluate a formula at random states of the types of its parameters."""
    states = [parameter.annotation for parameter in inspect.signature(FORMULAS[name]).parameters.values()]
    return FORMULAS[name](*[rng if state is np.random.Generator else state(rng) for state in states])


def is_settled(rows: pd.DataFrame) -> bool:
    """Whether every figure and formula that is not right has its reason."""
    return bool((rows.loc[rows["verdict"].isin([ERROR, UNEXPLAINED]), "reason"] != "").all())
