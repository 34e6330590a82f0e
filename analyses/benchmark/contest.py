"""Contenders take turns for some rounds, in random order, so that a machine whose speed drifts is fair to all.

Only ratios within a round mean anything, so it is those that are summarized.
"""

import tempfile
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from analyses.benchmark.contenders import Contender, Installation
from analyses.benchmark.runs import ContenderError, Run, measure
from analyses.benchmark.simulate_rows import Size
from analyses.report.numbers import rounded

NOT_INSTALLED = "not installed"
ENDS = ("", "_low", "_high")


@dataclass(frozen=True, eq=False)
class Entry:
    """A contender at a size, its runs in order of the rounds, and what went wrong if anything did."""

    contender: Contender
    installation: Installation | None = None
    size: Size | None = None
    runs: tuple[Run, ...] = ()
    status: str = ""

    @property
    def version(self) -> str:
        """Version of the contender; empty where it is not installed."""
        return self.installation.version if self.installation else ""

    @property
    def finished(self) -> bool:
        """Whether it ran, and never broke down."""
        return bool(self.runs) and not self.status


def enter(contenders: Iterable[Contender], pythons: list[str], sizes: Iterable[Size | None] = (None,)) -> list[Entry]:
    """Look for the contenders and enter each at every size that it takes."""
    installations = {contender: contender.find(pythons) for contender in contenders}
    return [
        Entry(contender, installation, size, status="" if installation else NOT_INSTALLED)
        for size in sizes
        for contender, installation in installations.items()
        if size is None or contender.takes(size)
    ]


def play(
    entries: Iterable[Entry],
    rows: Mapping[Size | None, Path],
    *,
    rounds: int,
    seed: int,
    say: Callable[[str], None] = print,
) -> list[Entry]:
    """Let all entries take turns on the rows of their sizes; one that breaks down is left out of what follows."""
    entries, rng = list(entries), np.random.default_rng(seed)
    for number in range(rounds):
        for size, path in rows.items():
            for k in rng.permutation(len(entries)):
                entry = entries[k]
                if entry.size == size and not entry.status and not (entry.contender.first_round_only and number):
                    entries[k] = turn(entry, path, seed + number)
                    where = f", {size}" if size else ""
                    say(f"round {number + 1} of {rounds}{where}: {entry.contender.name}: {outcome(entries[k])}")
    return entries


def turn(entry: Entry, rows: Path, seed: int) -> Entry:
    """Let an entry run once more; its draws, some 100 MB, are summarized at once and thrown away."""
    with tempfile.TemporaryDirectory(dir=rows.parent) as folder:
        try:
            run = measure(entry.contender, entry.installation, rows, Path(folder), seed)
        except ContenderError as error:
            return replace(entry, status=str(error))
    return replace(entry, runs=(*entry.runs, run))


def outcome(entry: Entry) -> str:
    """Say what the last run took, or how it failed."""
    if entry.status:
        return entry.status
    run = entry.runs[-1]
    if run.differences:
        return f"{max(run.differences.values()):.1e} off"
    if run.draws:
        return ", ".join(f"{step} {rounded(seconds, 3)} s" for step, seconds in run.seconds.items())
    return f"{rounded(run.total, 3)} s, {run.peak / 2**20:,.0f} MiB"


def ratio(column: str, rates: pd.Series, reference: pd.Series | None) -> dict[str, float]:
    """Median, lowest and highest over the rounds of how many times the reference a rate is.

    Parameters
    ----------
    column : str
        Name of the median; the others have the endings "_low" and "_high".
    rates, reference : Series
        A value for each round; without a reference all ratios are nan.

    Examples
    --------
    >>> list(ratio("times", pd.Series([6.0, 8.0, 20.0]), pd.Series([1.0, 2.0, 2.0])).values()) == [6.0, 4.0, 10.0]
    True
    """
    ratios = rates / (np.nan if reference is None else reference)
    return {column: ratios.median(), f"{column}_low": ratios.min(), f"{column}_high": ratios.max()}


@dataclass(frozen=True)
class Target:
    """A figure that should be at least or at most so much.

    Attributes
    ----------
    labels : dict
        What the page says of it.
    index : hashable
        The row of the table.
    column : str
    bound : {"at least", "at most"}
    limit : float
    """

    labels: dict[str, object]
    index: Hashable
    column: str
    bound: Literal["at least", "at most"]
    limit: float


def compare(targets: Iterable[Target], table: pd.DataFrame) -> pd.DataFrame:
    """Compare targets with what was measured."""
    rows = []
    for target in targets:
        row = table.loc[target.index] if target.index in table.index else {}
        measured = {f"measured{end}": row.get(f"{target.column}{end}", np.nan) for end in ENDS}
        rows.append(target.labels | measured | {"met": met(measured["measured"], target.bound, target.limit)})
    return pd.DataFrame(rows)


def met(measured: float, bound: str, limit: float) -> str:
    """Say whether a figure is within its bound."""
    if np.isnan(measured):
        return "not measured"
    return "yes" if (measured <= limit if bound == "at most" else measured >= limit) else "no"
