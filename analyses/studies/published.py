"""Every figure and formula that the four sources print, computed again."""

import numpy as np
import pandas as pd

from analyses.checks import Verdict
from analyses.fits.settings import Settings
from analyses.published import TITLES, verdicts
from analyses.published.verdicts import AGREES, ERROR, OWN_ERROR, UNDECIDED, UNEXPLAINED
from analyses.report import validation_figures
from analyses.report.pages import Page, Section

CITED = {source: f"{source}: {title}" for source, title in TITLES.items()}
SHOWN = ["what", "printed", "right", "own_error", "verdict", "reason", "place"]
SHORT = {
    AGREES: "agrees",
    OWN_ERROR: "within own error",
    UNDECIDED: "undecided",
    ERROR: "wrong",
    UNEXPLAINED: "unexplained",
}


def page(settings: Settings) -> Page:
    """Say what is right in the sources and what is not."""
    rows = verdicts.table(settings.rng("published"))
    return Page(
        name="published",
        title="What the sources print, and whether it is right",
        question="Which of the figures and formulas in the four sources hold?",
        sentence=sentence(rows),
        sections=(summary(rows), in_errors(rows), wrong(rows), *(of_source(rows, source) for source in CITED)),
        picture="in_errors",
        doubts="What a source meant by a misprint is our reading of it; and where it drew at random, its figure is "
        "held against what its own procedure gives when repeated, as far as it says how it drew.",
        data=("published",),
        more=(("published", settled(rows)),),
        tables={"published.csv": rows},
    )


def sentence(rows: pd.DataFrame) -> str:
    """Give the answer in a sentence."""
    counts = count(rows)
    figures, formulas = counts.loc["computed"], counts.loc["formula"]
    reasons = f"{figures[UNEXPLAINED]} differ without a reason." if figures[UNEXPLAINED] else "Each has its reason."
    reasons += f" {figures[UNDECIDED]} are undecided." if figures[UNDECIDED] else ""
    return (
        f"Of {figures.sum()} computed figures {figures[AGREES]} agree to the last printed digit, {figures[OWN_ERROR]} "
        f"more to within what their own method may be off by, and {figures[ERROR]} are wrong; of {formulas.sum()} "
        f"formulas {formulas[ERROR]} are misprinted or mistaken, and {counts.loc['input', ERROR]} of the inputs. "
        + reasons
    )


def count(rows: pd.DataFrame, by: str | list[str] = "kind") -> pd.DataFrame:
    """Count the verdicts, one column each, by kind or more."""
    return rows.groupby(by)["verdict"].value_counts().unstack(fill_value=0).reindex(columns=list(SHORT), fill_value=0)


def settled(rows: pd.DataFrame) -> Verdict:
    """Whether no row is left without a verdict, nor an error without a reason."""
    if verdicts.is_settled(rows):
        return Verdict("published", True, f"all {len(rows)} rows have a verdict, every error its reason")
    return Verdict("published", False, f"unexplained: {rows.loc[rows['verdict'] == UNEXPLAINED, 'figure'].tolist()}")


def summary(rows: pd.DataFrame) -> Section:
    """Count the verdicts and say what they mean."""
    counts = count(rows, ["source", "kind"]).rename(columns=SHORT).reset_index()
    return Section(
        title="The rule",
        text="A figure agrees where the right value, rounded to its digits, is what is printed. Where the source drew "
        "at random, its error is computed, or its own procedure is repeated two hundred times. A figure is within the "
        "source's own error where it lies no farther from the exact value than chance takes any one of them once in "
        f"{1 / verdicts.FALSE_ALARM:,.0f} right sources, and undecided where other repetitions would change that with "
        f"a probability above {verdicts.UNSURE}; where it searched, as far as its search may stop from the "
        "top. All else is an error, and counts as explained only if the suspected mistake, computed, gives what is "
        "printed. A formula is evaluated at random values beside what it stands for.",
        table=counts.replace({"source": CITED}),
        note="Inputs are data that the sources print; what they print twice to fewer digits is called repeated.",
    )


def in_errors(rows: pd.DataFrame) -> Section:
    """Show how far drawn figures lie from the exact ones, in the sources' own errors."""
    drawn = rows[rows["own_error"].notna() & (rows["kind"] == "computed")]
    half = 0.5 * 10.0 ** -drawn["decimals"].astype(int)
    distance = (drawn["difference"].abs() - half).clip(lower=0.0)
    is_wrong = drawn["verdict"] == ERROR
    figure = validation_figures.in_errors(
        (np.sign(drawn["difference"]) * distance / drawn["own_error"]).to_numpy(),
        drawn["figure"].str.split(".").str[:2].str.join(" ").tolist(),
        is_wrong.to_numpy(),
    )
    caption = (
        "Each figure that a source sampled or searched for: its distance from the exact value in standard "
        "deviations of the source's own error, or, for a search, in the largest error that it may make, less half a "
        "unit of the last printed digit; in red those that are called wrong."
    )
    wrong_names = drawn.loc[is_wrong, "figure"].str
    return Section(
        title="How far off",
        text="The walk through the eight schools has a chain of 5000 correlated draws, which scatters its figures "
        f"about the exact ones; {wrong_names.contains('eight_schools').sum()} of them lie too far off. Of the "
        f"lecture's quantiles {wrong_names.contains('q50').sum()} medians do, and "
        f"{wrong_names.contains('q2_5|q97_5').sum()} at the ends: negative draws of tau² set to 0 move the middle.",
        figures={"in_errors": (figure, caption)},
    )


def wrong(rows: pd.DataFrame) -> Section:
    """List the errors."""
    errors = rows[rows["verdict"].isin([ERROR, UNEXPLAINED])].sort_values(["kind", "source"], ascending=[False, True])
    return Section(
        title="What is wrong",
        text="A slip of notation is taken literally, another value standing "
        "for a letter that is misplaced: its row shows that it matters, not how a reader would mend it. A slip in a "
        "derivation may leave its result right, which then has a row of its own.",
        table=errors[["source", "what", "printed", "right", "reason"]].replace({"source": CITED}),
    )


def of_source(rows: pd.DataFrame, source: str) -> Section:
    """List everything of one source."""
    return Section(title=CITED[source], table=rows.loc[rows["source"] == source, SHOWN].replace({"verdict": SHORT}))
