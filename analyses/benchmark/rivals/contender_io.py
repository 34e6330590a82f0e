"""What contenders share: the order of a run, its clock, how rows are read, and how draws and seconds are handed in."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

NAMES = ("mu", "sigma", "tau", "theta")
SAMPLER = {"draws": 1000, "tune": 1000, "chains": 4, "cores": 1}
QUIET = {"progressbar": False, "compute_convergence_checks": False}  # of PyMC


class Stopwatch:
    """Seconds of named steps that follow one another, and the processor seconds of all of them."""

    def __init__(self):
        self.seconds, self.cpu = {}, 0.0
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def lap(self, step: str) -> None:
        """Add the time since the last lap to a step."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.seconds[step] = self.seconds.get(step, 0.0) + wall - self._wall
        self.cpu += cpu - self._cpu
        self._wall, self._cpu = wall, cpu

    @property
    def measured(self) -> dict:
        """What a contender without draws hands in."""
        return {"seconds": self.seconds, "cpu": self.cpu}


def read(rows: str):
    """Read the columns school and score."""
    import pandas as pd  # a contender that reads its rows otherwise is not charged with the memory of pandas

    return pd.read_csv(rows, dtype={"school": str})


def write_record(folder: str, **measured) -> None:
    """Write the seconds of each step, and what else was measured."""
    Path(folder, "seconds.json").write_text(json.dumps(measured), encoding="utf-8")


def hand_in(folder: str, seconds: dict[str, float], draws: Mapping) -> None:
    """Write mu, sigma, tau (chain, draw), theta (chain, draw, school), and the seconds of setup, compile, sampling."""
    np.savez(Path(folder) / "draws.npz", **{name: np.asarray(draws[name]) for name in NAMES if name in draws})
    write_record(folder, seconds=seconds)


def compete(build: Callable, sample: Callable, rows: str, folder: str, seed: str) -> None:
    """Build a model from the rows, sample from it and hand in.

    Parameters
    ----------
    build : callable
        Takes a data frame and returns a model; counts as set-up.
    sample : callable
        Takes the model, a seed and the stopwatch, whose steps are setup, compile and sampling; returns draws by name.
    rows, folder, seed : str
        As on the command line.
    """
    frame = read(rows)
    watch = Stopwatch()
    model = build(frame)
    watch.lap("setup")
    draws = sample(model, int(seed), watch)
    hand_in(folder, {"compile": 0.0} | watch.seconds, draws)


def pymc_seconds(tree, setup: float, run: float) -> dict[str, float]:
    """Split the seconds of stating a model and of running PyMC's NUTS into setup, compile and sampling.

    Between the first and the last kept step of each chain it samples; the rest of what it calls sampling time is
    tuning, which is set-up; the rest of pm.sample is mostly compiling, and counts as that.
    """
    stats, sampling_time = tree["sample_stats"].dataset, tree["posterior"].attrs["sampling_time"]
    starts, durations = stats["perf_counter_start"].values, stats["perf_counter_diff"].values
    kept = float(np.sum(starts[:, -1] + durations[:, -1] - starts[:, 0]))
    return {"setup": setup + sampling_time - kept, "compile": run - sampling_time, "sampling": kept}
