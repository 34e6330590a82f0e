"""What the calibration found, as pages."""

import numpy as np
import pandas as pd
from scipy import stats

from analyses.calibrate import mutation, ranks
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.jobs import ALARM, DRAWS, UNITS, Unit
from analyses.calibrate.ranks import Judgement
from analyses.checks import Verdict
from analyses.engines.inference_data import NAMES
from analyses.report import validation_figures
from analyses.report.pages import Page, Section

RANKED = (
    "A truth is drawn from the prior, data from the truth, and the truth ranked among {draws} draws of the engine "
    "given those data. For a right engine the rank is uniform. Flat coefficients are fixed, at 500 and 30, and sigma "
    "under 1/sigma² at 10 where tau is measured in it: that is exact, as those priors are invariant under shifts and "
    "scales. Other improper priors are cut off, and with them the posterior. Gibbs, Metropolis and NUTS run through "
    "the truth, which stands at a random place of the chain, so that correlated draws do no harm."
)
TESTED = (
    "The number of truths with a rank below each possible one is binomial, so each P is exact; the smallest is "
    "multiplied by their number and that of the quantities. Beyond {go_on} an engine passes; in between it is put "
    "to twice as many fresh sets of data, and once more at most. All {units} together raise a false alarm with "
    "probability 1 in {often:,.0f} at most, by construction and not by simulation. The last two columns say what would "
    "have been found with probability 0.95 in a normal posterior by draws that are about independent: a mean that is "
    "off by so many sds, an sd too large by such a factor."
)
BLIND = (
    "What ranks cannot see: a flat prior in place of a proper one is calibrated too, averaged over data, in all that "
    "moves with the data; that is what the log prior is ranked for. A chain "
    "that stays near the truth ranks it evenly: each has to leave it, but that it forgets its start, and how it was "
    "tuned, is for R-hat in each run. An engine that is right on these small designs and "
    "wrong elsewhere would pass; each run's agreement with the exact posterior is for that."
)


def calibration(found: dict[Unit, Judgement], coverage: pd.DataFrame, *, quick: bool) -> Page:
    """Whether every engine of every family ranks truths evenly, and how often intervals hold the truth."""
    wrong = sum(not judgement.passed for judgement in found.values())
    sets = sum(judgement.sets for judgement in found.values())
    return Page(
        name="calibration",
        title="Calibration: are the engines right?",
        question="Truths drawn from the prior, data drawn from the truths: does every engine rank them evenly?",
        sentence=f"{wrong} of {len(found)} runs of an engine on a family of models failed."
        if wrong
        else f"No difference found: in {len(found)} runs of an engine on one of {len(FAMILIES)} families of models "
        f"{sets:,} truths rank evenly{', in the quick form' if quick else ''}.",
        sections=(
            Section(title="How it is done", text=RANKED.format(draws=DRAWS)),
            _decisions(found),
            *(_places(name, found) for name in FAMILIES),
            _coverage(coverage),
        ),
        doubts=BLIND,
        more=tuple((unit.family, _verdict(unit, judgement)) for unit, judgement in found.items()),
    )


def _verdict(unit, found):
    if found.fault:
        return Verdict("calibration", False, f"{NAMES[unit.engine]}: broke down: {found.fault}")
    who = f"{NAMES[unit.engine]}: {found.sets:,} truths"
    p = f"P = {found.smallest:.2g}"
    if found.passed:
        return Verdict("calibration", True, f"{who} rank evenly in {len(found.p)} quantities, {p}")
    return Verdict("calibration", False, f"{who} do not rank evenly: {found.worst}, {p}")


def _decisions(found):
    rows = []
    for unit, judgement in found.items():
        size = len(next(iter(judgement.ranks.values()), ()))
        alarm = ALARM / len(UNITS)
        asked = {"size": max(size, 1), "draws": DRAWS, "alarm": alarm}
        shift, factor = ranks.smallest(len(judgement.p), **asked)
        rows.append(
            {
                "family": unit.family,
                "engine": NAMES[unit.engine],
                "sets": judgement.sets,
                "least even": judgement.worst,
                "P": judgement.smallest,
                "mean off": shift,
                "sd off": factor,
            }
        )
    return Section(
        title="What was found, and what would have been",
        text=TESTED.format(go_on=ranks.GO_ON, units=len(UNITS), often=1 / ALARM),
        table=pd.DataFrame(rows),
    )


def _places(name, found):
    """Figure of one family: the places of truths among the draws of each engine."""
    of_engines = {unit.engine: j.ranks for unit, j in found.items() if unit.family == name and j.ranks}
    if not of_engines:
        return Section(title=_heading(name), text="Every engine broke down.")
    size = min(len(r) for given in of_engines.values() for r in given.values())
    rng = np.random.default_rng(0)  # within a rank any place is as good as any other
    places = {
        engine: {quantity: (r[:size] + rng.random(size)) / (DRAWS + 1) for quantity, r in given.items()}
        for engine, given in of_engines.items()
    }
    alarm = ranks.limit(ALARM / len(UNITS), 0) / len(next(iter(places.values()))) / (2 * DRAWS)
    figure = validation_figures.ranks_of_truths(places, lambda p: stats.norm.isf(alarm) * np.sqrt(p * (1 - p) / size))
    caption = (
        f"Share of {size:,} truths below each place among the draws, less what it should be, by quantity and engine. "
        f"The band is that of {size:,} sets of data: engines with more are judged by a narrower one."
    )
    return Section(
        title=_heading(name),
        text=FAMILIES[name].story,
        figures={f"calibration_{name.replace(' ', '_')}": (figure, caption)},
    )


def _coverage(table):
    return Section(
        title="How often intervals hold the truth",
        text="On the blood pressure trial's design, with the truth that its data suggest: data from the model, and "
        "data that violate it. The t-test on all records takes rows of one subject for independent; empirical Bayes "
        "takes the maximum of the likelihood for known. Rows that resemble those before them say less of a subject "
        "than they seem to, and a common variance is too large for some subjects and too small for others.",
        table=table,
        note="The error is a Monte Carlo standard error; mu, beta and the scales are the same in all sets of data.",
    )


def mutants(rows: pd.DataFrame, *, quick: bool) -> Page:
    """Whether every mistake was caught, and by what."""
    missed = rows[~_caught(rows, quick)]
    families = list(rows.groupby("family", sort=False))
    return Page(
        name="mutants",
        title="Mistakes: would the calibration have noticed?",
        question="Samplers with one mistake each, as sources print them and public code makes them: is each caught?",
        sentence=f"{len(rows) - len(missed)} of {len(rows)} mistakes were caught"
        + (f"; not caught: {'; '.join(missed['mistake'])}." if len(missed) else "."),
        sections=(
            Section(
                title="What catches which",
                text="Each mistake is a patch of one conditional of the right sampler; a number before it is that of "
                "the source that prints it. The identity holds the law of each step against the joint density, without "
                "sampling, and names the step that is wrong; it cannot see a sampler that is wrong as a whole. The "
                f"calibration ranks truths, {mutation.FIRST} sets of data and then more until the mistake is caught, "
                "by the limit that right engines have to pass, and names the quantity that is least even. Power is a "
                f"lower bound on the chance that the whole test, with {'an eighth of ' if quick else ''}its number of "
                "sets, catches it at once.",
            ),
            *(Section(title=_heading(name), text=FAMILIES[name].story, table=_shown(part)) for name, part in families),
        ),
        more=tuple((name, _verdict_on(part, _caught(part, quick))) for name, part in families),
    )


def _caught(rows, quick):
    """Caught by the calibration; in the quick form, with few sets of data, by either test."""
    return rows["caught"] | ((rows["identity"] != "") & quick)


def _verdict_on(rows, caught):
    by_identity = (rows["identity"] != "").sum()
    broken = (rows["breaks"] != "").sum()
    found = f"{rows['caught'].sum()} of {len(rows)} mistakes caught by the calibration"
    found += f", of which {broken} break down or do not move" if broken else ""
    found += f", {by_identity} by the identity"
    missed = "" if caught.all() else f"; not caught: {'; '.join(rows.loc[~caught, 'mistake'])}"
    return Verdict("mistakes", bool(caught.all()), found + missed)


def _shown(rows):
    by_ranks = np.where(rows["caught"], rows["quantity"], "not caught")
    by_ranks = np.where(rows["breaks"] != "", rows["breaks"], by_ranks)
    p = [
        f"{value:.0e}" if value else "" if sets == 0 else "< 1e-300"
        for value, sets in zip(rows["p"], rows["sets"], strict=True)
    ]
    shown = rows[["mistake"]].assign(identity=rows["identity"].where(rows["identity"] != "", "cannot see it"))
    return shown.assign(calibration=by_ranks, sets=rows["sets"], P=p, power=[f"{value:.4f}" for value in rows["power"]])


def _heading(name):
    return name[0].upper() + name[1:]
