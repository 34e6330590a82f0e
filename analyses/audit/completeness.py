"""What of a reference a file of draws leaves out, and which of its columns may be that under another name."""

from collections.abc import Sequence

import xarray as xr

from analyses.ingest.request import InputError
from analyses.reference import Reference

MOST_COLUMNS = 4  # in a message
PUNCTUATION = "._-()[]{}: "


def require_known(without: Sequence[str], reference: Reference) -> None:
    """Reject a variable that the reference does not have.

    Raises
    ------
    InputError
    """
    if unknown := [name for name in without if name not in reference.labels]:
        raise InputError(f"--without {unknown[0]}: {reference.name} has {', '.join(reference.labels)}")


def missing(posterior: xr.Dataset, reference: Reference, unread: Sequence[str], without: Sequence[str]) -> list[str]:
    """Why agreement of the draws would not be agreement with the whole posterior; nothing where it would.

    Parameters
    ----------
    posterior : Dataset
        Of `draws.named`.
    reference : Reference
    unread : sequence of str
        Names in the file that were not used.
    without : sequence of str
        Variables that the file lacks for a reason.
    """
    faults = []
    for name, labels in reference.labels.items():
        if name in posterior and posterior.sizes.get(f"{name}_label", 1) == len(labels):
            continue  # columns of a similar name hide nothing
        if similar := [column for column in unread if _is_similar(column, name, labels)]:
            entry = f"{name}[{labels[0]}] or {name}[1]" if labels != [""] else name
            verb = "was" if len(similar) == 1 else "were"
            shown = listed(similar, MOST_COLUMNS)
            faults.append(f"{shown} may be {name} but {verb} not read. Name them as {entry}")
        elif name not in (*posterior, *without, *reference.derived):
            faults.append(
                f"{name} was not compared. Rename a column (--rename), or say that the draws lack it (--without {name})"
            )
    return faults


def _is_similar(column: str, name: str, labels: Sequence[str]) -> bool:
    """Whether a column may be an entry of a variable: its name in any case, and a number, a label or nothing."""
    rest = column[len(name) :].strip(PUNCTUATION)
    return column.lower().startswith(name.lower()) and (rest == "" or rest.isdigit() or rest in labels)


def listed(names: Sequence[str], most: int) -> str:
    """Names in a message, no more than so many."""
    return f"{', '.join(names[:most])}{' and more' if len(names) > most else ''}"
