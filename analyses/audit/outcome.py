"""An audit as a whole: draws named, compared with the reference, and what they lack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import xarray as xr

from analyses.audit import completeness, draws, findings
from analyses.audit.findings import Finding
from analyses.reference import Reference

MOST_UNREAD = 8  # names that are listed


@dataclass(frozen=True, eq=False, kw_only=True)
class Audit:
    """Whether draws are from a posterior; `print` shows it in sentences.

    Attributes
    ----------
    source, against : str
        What was audited, and the reference.
    chains, draws : int
    unread : list of str
        Names in the source that were not used.
    finding : Finding
    missing : list of str
        Why agreement would not be agreement with the whole posterior; empty where it would.
    """

    source: str
    against: str
    chains: int
    draws: int
    unread: list[str]
    finding: Finding
    missing: list[str]

    @property
    def passed(self) -> bool | None:
        """Whether no difference was found; None where the draws are too few to tell."""
        return self.finding.passed

    @property
    def table(self) -> pd.DataFrame:
        """Every figure that was compared."""
        return self.finding.table

    def __str__(self) -> str:
        lines = [
            f"{self.source}: {self.chains} chain{'s' * (self.chains > 1)} of {self.draws} draws, against {self.against}"
        ]
        if self.chains == 1:
            lines.append("a single chain: nothing can tell whether it has seen all of the posterior")
        if self.unread:
            lines.append(f"not looked at: {completeness.listed(self.unread, MOST_UNREAD)}")
        lines.append(self.finding.compared)
        if self.missing:
            lines.append(f"This says nothing of the whole posterior: {'; '.join(self.missing)}.")
        return "\n".join([*lines, "\n  ".join([self.finding.sentence, *self.finding.more])])

    __repr__ = __str__


def audit(
    dataset: xr.Dataset,
    reference: Reference,
    alternatives: Sequence[Reference] = (),
    *,
    source: str,
    rename: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
) -> Audit:
    """Audit draws.

    Parameters
    ----------
    dataset : Dataset
        Variables with the dimensions chain and draw.
    reference : Reference
    alternatives : sequence of Reference
        Of the same data, under other priors.
    source : str
        What the draws are called.
    rename : mapping, optional
        Their names to the reference's.
    without : sequence of str
        Variables that the draws lack for a reason.

    Raises
    ------
    InputError
        For names or draws that cannot be compared.
    """
    completeness.require_known(without, reference)
    tree, unread = draws.named(dataset, reference, dict(rename or {}))
    posterior = tree["posterior"].dataset
    return Audit(
        source=source,
        against=reference.name,
        chains=posterior.sizes["chain"],
        draws=posterior.sizes["draw"],
        unread=unread,
        finding=findings.audit(tree, reference, list(alternatives)),
        missing=completeness.missing(posterior, reference, unread, without),
    )
