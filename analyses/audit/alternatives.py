"""What else the draws may be: draws of another posterior, or of a variance in the place of an sd."""

import numpy as np
import xarray as xr

from analyses.audit.comparison import compare
from analyses.reference import Reference

CHANGES = {"squares": np.sqrt, "square roots": np.square}  # what draws are by mistake, and what undoes it


def explanations(posterior: xr.Dataset, reference: Reference, alternatives: list[Reference]) -> list[str]:
    """Sentences on what would make the draws right: another prior, or a variance in the place of an sd."""
    sentences = [f"they agree with {description}" for description in _agreeing(posterior, alternatives)]
    for name, values in posterior.data_vars.items():
        if (values > 0).all() and not _agrees(posterior[[name]], reference):
            sentences += [
                f"{name} agrees if its draws are taken for {mistake}: a variance and an sd are exchanged"
                for mistake, correct in CHANGES.items()
                if _agrees(posterior[[name]].map(correct, keep_attrs=True), reference)
            ]
    return sentences


def equally_good(posterior: xr.Dataset, alternatives: list[Reference]) -> list[str]:
    """A sentence on other posteriors that the draws agree with too, if there are any."""
    descriptions = _agreeing(posterior, alternatives)
    return [f"These draws do not tell it from {'; '.join(descriptions)}."] if descriptions else []


def _agreeing(posterior, references) -> list[str]:
    """Name and priors of the references that the draws agree with."""
    return [
        f"{reference.name}: {', '.join(f'{name} ~ {prior}' for name, prior in reference.priors.items())}"
        for reference in references
        if _agrees(posterior, reference)
    ]


def _agrees(posterior, reference) -> bool:
    return compare(posterior, reference).suspect.empty
