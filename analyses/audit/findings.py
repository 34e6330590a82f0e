"""What the draws of a stranger's sampler say against a reference posterior, and what they could not have said."""

from dataclasses import dataclass
from functools import partial

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from analyses.audit import alternatives, sentences
from analyses.audit.comparison import Comparison, compare
from analyses.checks import agreement
from analyses.engines.summary_tables import flat
from analyses.reference import Reference, quantity_name

MOST_R_HAT = 1.05  # beyond it chains have not seen the same posterior, whatever the draws' mean
LEAST_SIZE = 1000  # effective draws: with fewer an empty tail would hardly be seen, or not at all


@dataclass(frozen=True, eq=False, kw_only=True)
class Finding:
    """Whether a difference was found, in sentences.

    Attributes
    ----------
    passed : bool or None
        None where the draws are too few to tell.
    sentence : str
    more : tuple of str
        What is off, quantity by quantity, and what would explain it; or how large an error could have been missed.
    table : DataFrame
        Every figure that was compared: those of agreement.csv, and `smallest`, the error of it that would have been
        found with probability LIKELY, in posterior sds of a mean and in shares of draws.
    compared : str
        Which quantities were compared, each by itself and together.
    """

    passed: bool | None
    sentence: str
    more: tuple[str, ...]
    table: pd.DataFrame
    compared: str


def audit(tree: xr.DataTree, reference: Reference, others: list[Reference]) -> Finding:
    """Compare draws with the reference; where they differ, say how, and whether another posterior explains them.

    Parameters
    ----------
    tree : DataTree
        Of `draws.named`.
    reference : Reference
    others : list of Reference
        Of the same data, under other priors.
    """
    posterior = tree["posterior"].dataset
    comparison = compare(posterior, reference)
    compared = sentences.compared(posterior, reference, comparison)
    finding = partial(Finding, table=comparison.table, compared=compared)
    wrong, suspect = comparison.wrong, comparison.suspect.assign(z=comparison.suspect["z_alone"])
    differences = sentences.differences(suspect if wrong["joint"].all() else wrong, comparison.reference)
    if faults := _mixing_faults(posterior, comparison):  # then no error is known, nor how likely an alarm is
        sentence = f"These draws cannot be trusted: {faults}."
        return finding(passed=False, sentence=sentence, more=tuple(differences))
    if not wrong.empty:
        sentence = f"These draws are not from this posterior: {len(wrong)} of {len(comparison.table)} figures differ."
        explanations = alternatives.explanations(posterior, reference, others)
        more = (*differences, *explanations, sentences.error_rates(comparison))
        return finding(passed=False, sentence=sentence, more=more)
    if comparison.size < agreement.LEAST_ESS and not suspect.empty:
        sentence = f"These draws cannot be trusted: {sentences.too_slow(comparison, agreement.LEAST_ESS)}."
        more = (*differences, *alternatives.explanations(posterior, reference, others))
        return finding(passed=False, sentence=sentence, more=more)
    if comparison.size < LEAST_SIZE:
        return finding(passed=None, sentence=_too_few(comparison), more=tuple(differences))
    more = (*alternatives.equally_good(posterior, others), sentences.error_rates(comparison))
    return finding(passed=True, sentence=sentences.no_difference(comparison), more=more)


def _mixing_faults(posterior, comparison: Comparison) -> str:
    """Why the chains say nothing, if they do not."""
    faults = []
    if posterior.sizes["chain"] > 1:
        with np.errstate(divide="ignore", invalid="ignore"):  # chains that never move
            r_hat = flat(az.rhat(posterior)).fillna(np.inf)
        if r_hat.max() > MOST_R_HAT:
            worst = f"R-hat of {quantity_name(r_hat.idxmax())} is {r_hat.max():.2f}"
            faults.append(f"the chains do not agree with each other, {worst}")
    if not comparison.alone["ess"].min() >= agreement.LEAST_ESS:
        faults.append(sentences.too_slow(comparison, agreement.LEAST_ESS))
    return "; ".join(faults)


def _too_few(comparison: Comparison) -> str:
    """What has to be had before a figure means anything."""
    off = len(comparison.suspect)
    so_far = f"{off} figures are off by more than independent draws would be" if off else "No figure differs so far"
    needed = sentences.too_slow(comparison, LEAST_SIZE)
    return f"Too few effective draws to tell: {needed} to see that a tail is missing. {so_far}."
