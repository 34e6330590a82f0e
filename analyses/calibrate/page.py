"""The page of a calibration."""

import numpy as np
import pandas as pd
from scipy import stats

from analyses.calibrate import ranks
from analyses.calibrate.families import FAMILIES
from analyses.calibrate.family import Family
from analyses.calibrate.jobs import ALARM, DRAWS, JOBS, Job, uniformity_test
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
    "to twice as many fresh sets of data, and once more at most. All {jobs} together raise a false alarm with "
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


def calibration_page(judgements: dict[Job, Judgement], coverage: pd.DataFrame, *, quick: bool) -> Page:
    """Whether every engine of every family ranks truths evenly, and how often intervals hold the truth."""
    failed = sum(not judgement.passed for judgement in judgements.values())
    sets = sum(judgement.sets for judgement in judgements.values())
    return Page(
        name="calibration",
        title="Calibration: are the engines right?",
        question="Truths drawn from the prior, data drawn from the truths: does every engine rank them evenly?",
        sentence=f"{failed} of {len(judgements)} runs of an engine on a family of models failed."
        if failed
        else f"No difference found: in {len(judgements)} runs of an engine on one of {len(FAMILIES)} families of "
        f"models {sets:,} truths rank evenly{', in the quick form' if quick else ''}.",
        sections=(
            Section(title="How it is done", text=RANKED.format(draws=DRAWS)),
            _decisions(judgements),
            *(_figure(family, judgements) for family in FAMILIES.values()),
            _coverage(coverage),
        ),
        doubts=BLIND,
        more=tuple((job.family, _verdict(job, judgement)) for job, judgement in judgements.items()),
    )


def _verdict(job, judgement):
    engine, p = NAMES[job.engine], f"P = {judgement.smallest:.2g}"
    if judgement.fault:
        sentence = f"{engine}: broke down: {judgement.fault}"
    elif judgement.passed:
        sentence = f"{engine}: {judgement.sets:,} truths rank evenly in {len(judgement.p)} quantities, {p}"
    else:
        sentence = f"{engine}: {judgement.sets:,} truths do not rank evenly: {judgement.worst}, {p}"
    return Verdict("calibration", judgement.passed, sentence)


def _decisions(judgements):
    """The table of all jobs."""
    text = TESTED.format(go_on=ranks.GO_ON, jobs=len(JOBS), often=1 / ALARM)
    table = pd.DataFrame([_row(job, judgement) for job, judgement in judgements.items()])
    return Section(title="What was found, and what would have been", text=text, table=table)


def _row(job, judgement):
    size = len(next(iter(judgement.ranks.values()), ()))
    error = uniformity_test(max(size, 1)).detectable_error(len(judgement.p))
    return {
        "family": job.family,
        "engine": NAMES[job.engine],
        "sets": judgement.sets,
        "least even": judgement.worst,
        "P": judgement.smallest,
        "mean off": error.shift,
        "sd off": error.factor,
    }


def _figure(family: Family, judgements):
    """Figure of one family: the places of truths among the draws of each engine."""
    all_ranks = {job.engine: j.ranks for job, j in judgements.items() if job.family == family.name and j.ranks}
    if not all_ranks:
        return Section(title=family.heading, text="Every engine broke down.")
    size = min(len(r) for by_quantity in all_ranks.values() for r in by_quantity.values())
    rng = np.random.default_rng(0)  # within a rank any place is as good as any other
    places = {
        engine: {quantity: (r[:size] + rng.random(size)) / (DRAWS + 1) for quantity, r in by_quantity.items()}
        for engine, by_quantity in all_ranks.items()
    }
    quantities = len(next(iter(places.values())))
    z = stats.norm.isf(uniformity_test(size).limit() / quantities / (2 * DRAWS))
    figure = validation_figures.ranks_of_truths(places, lambda p: z * np.sqrt(p * (1 - p) / size))
    caption = (
        f"Share of {size:,} truths below each place among the draws, less what it should be, by quantity and engine. "
        f"The band is that of {size:,} sets of data: engines with more are judged by a narrower one."
    )
    figures = {f"calibration_{family.name.replace(' ', '_')}": (figure, caption)}
    return Section(title=family.heading, text=family.story, figures=figures)


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
