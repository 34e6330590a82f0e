"""What of a reference a file of draws leaves out, and which of its columns may be that under another name."""

from collections.abc import Sequence

import xarray as xr

from analyses.ingest.request import InputError
from analyses.reference import Reference

SHOWN = 4  # columns in a message
PUNCTUATION = "._-()[]{}: "


def require_known(without: Sequence[str], reference: Reference) -> None:
    """Reject a variable that the reference does not have.

    Raises
    ------
    InputError
    """
    if unknown := [name for name in without if name not in reference.labels]:
        raise InputError(f"--without {unknown[0]}: {reference.name} has {', '.join(reference.labels)}")


def missing(posterior: xr.Dataset, reference: Reference, left: Sequence[str], without: Sequence[str]) -> list[str]:
    """Why agreement of the draws would not be agreement with the whole posterior; nothing where it would.

    Parameters
    ----------
    posterior : Dataset
        Of `draws.named`.
    reference : Reference
    left : sequence of str
        Names in the file that were not used.
    without : sequence of str
        Variables that the file lacks for a reason.
    """
    faults = []
    for name, labels in reference.labels.items():
        alike = [other for other in left if _alike(other, name, labels)]
        if name in posterior and posterior.sizes.get(f"{name}_label", 1) == len(labels):
            continue  # columns of a similar name hide nothing
        if alike:
            faults.append(_unread(name, alike, labels))
        elif name not in (*posterior, *without, *reference.derived):
            faults.append(f"{name} was not compared. Rename a column by --rename, or say --without {name}")
    return faults


def _alike(other: str, name: str, labels: Sequence[str]) -> bool:
    """Whether a column may be an entry of a variable: its name in any case, and a number, a label or nothing."""
    if not other.lower().startswith(name.lower()):
        return False
    rest = other[len(name) :].strip(PUNCTUATION)
    return rest == "" or rest.isdigit() or rest in labels


def _unread(name, alike, labels) -> str:
    shown = f"{', '.join(alike[:SHOWN])}{' and more' if len(alike) > SHOWN else ''}"
    entry = f"{name}[{labels[0]}] or {name}[1]" if labels != [""] else name
    return f"{shown} may be {name} but {'was' if len(alike) == 1 else 'were'} not read. Name them as {entry}"
