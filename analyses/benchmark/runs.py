"""One run of a contender: always a process of its own, whose seconds, memory and draws are measured."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from analyses.benchmark.contenders import Contender, Installation
from analyses.engines.summary_tables import flat

SECONDS_LIMIT = 1800
POPULATION = ("mu", "sigma", "tau")
CHECKED = ("mu", "sigma", "sd_between")


class ContenderError(Exception):
    """A run that did not end well, with the last line of its output."""


@dataclass(frozen=True, eq=False)
class DrawsSummary:
    """What the draws of one run are worth, and the means that tell whether they are right.

    Attributes
    ----------
    count : int
    ess : Series
        Bulk effective sample size by variable and label.
    mean, mcse : Series
        Of the quantities that are checked.
    """

    count: int
    ess: pd.Series
    mean: pd.Series
    mcse: pd.Series


@dataclass(frozen=True, eq=False)
class Run:
    """What one run took and handed in.

    Attributes
    ----------
    seconds : dict
        Of each step.
    cpu : float
        Seconds of all processors together.
    peak : int
        Memory in bytes.
    differences : dict
        Largest relative difference of the answers from those of the plain path, by quantity.
    draws : DrawsSummary, optional
    """

    seconds: dict[str, float]
    cpu: float = np.nan
    peak: int = 0
    differences: dict[str, float] = field(default_factory=dict)
    draws: DrawsSummary | None = None

    @property
    def slowest(self) -> str:
        """Name of the step that took longest."""
        return max(self.seconds, key=lambda name: self.seconds[name])

    @property
    def total(self) -> float:
        """Seconds of all steps."""
        return sum(self.seconds.values())


def measure(contender: Contender, installation: Installation, rows: Path, folder: Path, seed: int) -> Run:
    """Run a contender once, from a small process so that its peak memory is its own.

    Parameters
    ----------
    rows : Path
        A CSV file, or a folder of Parquet files.
    folder : Path
        Where it hands in; there and empty.

    Raises
    ------
    ContenderError
        With the last line of its error.
    """
    arguments = contender.arguments(rows, folder) if contender.arguments else [str(rows), str(folder), str(seed)]
    record = folder / "record.json"
    launch = [sys.executable, "-m", "analyses.benchmark.launch", str(record), str(SECONDS_LIMIT)]
    done = subprocess.run([*launch, *installation.command, *arguments], capture_output=True, text=True)
    if done.returncode not in contender.statuses:
        raise ContenderError(last_line(done))
    usage = json.loads(record.read_text(encoding="utf-8"))
    if contender.hands_in == "nothing":
        return Run({"in all": usage["seconds"]}, usage["cpu"], usage["peak"])
    try:
        measured = json.loads((folder / "seconds.json").read_text(encoding="utf-8"))
        draws = summarize(read_draws(folder)) if contender.hands_in == "draws" else None
    except FileNotFoundError as error:
        raise ContenderError(f"handed in no {Path(error.filename).name}") from None
    return Run(**measured, peak=usage["peak"], draws=draws)


def last_line(done: subprocess.CompletedProcess) -> str:
    """Last line of what a process printed; its exit status, if it printed nothing."""
    lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
    return lines[-1] if lines else f"exit status {done.returncode}, and nothing said"


def read_draws(folder: Path) -> xr.Dataset:
    """Read the draws that a contender has handed in."""
    with np.load(folder / "draws.npz") as arrays:
        draws = {name: arrays[name] for name in (*POPULATION, "theta") if name in arrays}
    return xr.Dataset({name: (("chain", "draw", "school")[: values.ndim], values) for name, values in draws.items()})


def summarize(draws: xr.Dataset) -> DrawsSummary:
    """Compute effective sample sizes and means in the same way for all contenders."""
    draws = draws.astype(float).assign_coords(school=np.arange(draws.sizes.get("school", 0)))
    checked = draws.assign(sd_between=draws["tau"] * draws["sigma"])[list(CHECKED)]
    return DrawsSummary(
        count=draws.sizes["chain"] * draws.sizes["draw"],
        ess=flat(az.ess(draws, method="bulk")),
        mean=flat(checked.mean(("chain", "draw"))),
        mcse=flat(az.mcse(checked, method="mean")),
    )
