"""Every figure and formula that the four sources print, computed again."""

import numpy as np

from analyses.checks import Verdict
from analyses.fits.fit import Settings
from analyses.published import verdicts
from analyses.published.verdicts import AGREES, ERROR, OWN_ERROR, UNDECIDED, UNEXPLAINED
from analyses.report import validation_figures
from analyses.report.pages import Page, Section

SOURCES = {
    "000": "the exercise on math scores and blood pressure",
    "001": "a second solution: empirical Bayes and general priors",
    "002": "the walk through the eight schools",
    "003": "the lecture: one group, baseball, a third level",
}
SHOWN = ["what", "printed", "right", "own_error", "verdict", "reason", "place"]
SHORT = {
    AGREES: "agrees",
    OWN_ERROR: "within own error",
    UNDECIDED: "undecided",
    ERROR: "wrong",
    UNEXPLAINED: "unexplained",
}


def page(settings: Settings) -> Page:
    """TwoLevelFit what is right in the sources and what is not."""
    rows = verdicts.table(settings.rng("published"))
    return Page(
        name="published",
        title="What the sources print, and whether it is right",
        question="Which of the figures and formulas in the four sources hold?",
        sentence=sentence(rows),
        sections=(
            summary(rows),
            in_errors(rows),
            wrong(rows),
            *(of_source(rows, source) for source in SOURCES),
        ),
        picture="in_errors",
        doubts="What a source meant by a misprint is our reading of it; and where it drew at random, its figure is "
        "held against what its own procedure gives when repeated, as far as it says how it drew.",
        data=("published",),
        more=(("published", settled(rows)),),
        tables={"published.csv": rows},
    )


def _numbers(rows):
    return rows[rows["kind"] == "computed"]


def sentence(rows) -> str:
    """Give the answer in a sentence."""
    of = _numbers(rows)["verdict"].value_counts().reindex(list(SHORT), fill_value=0)
    formulas = rows[rows["kind"] == "formula"]
    wrong_inputs = int(((rows["kind"] == "input") & (rows["verdict"] == ERROR)).sum())
    reasons = f"{of[UNEXPLAINED]} differ without a reason." if of[UNEXPLAINED] else "Each has its reason."
    reasons += f" {of[UNDECIDED]} are undecided." if of[UNDECIDED] else ""
    return (
        f"Of {of.sum()} computed figures {of[AGREES]} agree to the last printed digit, {of[OWN_ERROR]} more to within "
        f"what their own method may be off by, and {of[ERROR]} are wrong; of {len(formulas)} formulas "
        f"{(formulas['verdict'] == ERROR).sum()} are misprinted or mistaken, and {wrong_inputs} of the inputs. "
        f"{reasons}"
    )


def settled(rows) -> Verdict:
    """Whether no row is left without a verdict, nor an error without a reason."""
    found = verdicts.is_settled(rows)
    open_rows = rows.loc[rows["verdict"] == UNEXPLAINED, "figure"].tolist()
    said = f"all {len(rows)} rows have a verdict, every error its reason" if found else f"unexplained: {open_rows}"
    return Verdict("published", found, said)


def summary(rows) -> Section:
    """Count the verdicts and say what they mean."""
    counted = verdicts.count(rows).pivot_table(
        index=["source", "kind"], columns="verdict", values="rows", fill_value=0, aggfunc="sum"
    )
    return Section(
        title="The rule",
        text="A figure agrees where the right value, rounded to its digits, is what is printed. Where the source drew "
        "at random, its error is computed, or its own procedure is repeated two hundred times. A figure is within the "
        "source's own error where it lies no farther from the exact value than chance takes any one of them once in "
        f"{1 / verdicts.FALSE_ALARM:,.0f} right sources, and undecided where other repetitions would change that with "
        f"a probability above {verdicts.UNSURE}; where it searched, as far as its search may stop from the "
        "top. All else is an error, and counts as explained only if the suspected mistake, computed, gives what is "
        "printed. A formula is evaluated at random values beside what it stands for.",
        table=counted.reindex(columns=list(SHORT), fill_value=0).astype(int).rename(columns=SHORT).reset_index(),
        note="Inputs are data that the sources print; what they print twice to fewer digits is called repeated.",
    )


def in_errors(rows) -> Section:
    """Show how far drawn figures lie from the exact ones, in the sources' own errors."""
    drawn = rows[rows["own_error"].notna() & (rows["kind"] == "computed")]
    half = 0.5 * 10.0 ** -drawn["decimals"].astype(int)
    off = drawn["difference"].astype(float)
    z = np.sign(off) * np.maximum(off.abs() - half, 0.0) / drawn["own_error"].astype(float)
    caption = (
        "Each figure that a source sampled or searched for: its distance from the exact value in standard "
        "deviations of the source's own error, or, for a search, in the largest error that it may make, less half a "
        "unit of the last printed digit; in red those that are called wrong."
    )
    figure = validation_figures.in_errors(
        z.to_numpy(),
        drawn["figure"].str.split(".").str[:2].str.join(" ").tolist(),
        (drawn["verdict"] == ERROR).to_numpy(),
    )

    def of(part):
        return int((drawn["figure"].str.contains(part, regex=False) & (drawn["verdict"] == ERROR)).sum())

    return Section(
        title="How far off",
        text="The walk through the eight schools has a chain of 5000 correlated draws, which scatters its figures "
        f"about the exact ones; {of('eight_schools')} of them lie too far off. Of the lecture's quantiles "
        f"{of('.q50.')} medians do, and {of('.q2_5.') + of('.q97_5.')} at the ends: negative draws of tau² set to 0 "
        "move the middle.",
        figures={"in_errors": (figure, caption)},
    )


def wrong(rows) -> Section:
    """List the errors."""
    errors = rows[rows["verdict"].isin([ERROR, UNEXPLAINED])].sort_values(["kind", "source"], ascending=[False, True])
    return Section(
        title="What is wrong",
        text="A slip of notation is taken literally, another value standing "
        "for a letter that is misplaced: its row shows that it matters, not how a reader would mend it. A slip in a "
        "derivation may leave its result right, which then has a row of its own.",
        table=errors[["source", "what", "printed", "right", "reason"]],
    )


def of_source(rows, source) -> Section:
    """List everything of one source."""
    mine = rows.loc[rows["source"] == source, SHOWN]
    return Section(title=f"{source}: {SOURCES[source]}", table=mine.replace({"verdict": SHORT}))
