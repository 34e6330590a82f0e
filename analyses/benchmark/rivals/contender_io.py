"""What all contenders share: how they are handed the rows, and how they hand in draws and seconds."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

NAMES = ("mu", "sigma", "tau", "theta")


def read(rows: str) -> pd.DataFrame:
    """Read the columns school and score."""
    return pd.read_csv(rows, dtype={"school": str})


def hand_in(folder: str, seconds: dict[str, float], **draws: np.ndarray) -> None:
    """Write mu, sigma, tau (chain, draw), theta (chain, draw, school), and the seconds of setup, compile, sampling."""
    np.savez(Path(folder) / "draws.npz", **draws)
    Path(folder, "seconds.json").write_text(json.dumps(seconds), encoding="utf-8")


def hand_in_tree(folder: str, seconds: dict[str, float], posterior) -> None:
    """Write what is wanted of a dataset of ArviZ's."""
    hand_in(folder, seconds, **{name: posterior[name].values for name in NAMES if name in posterior})


def of_pymc(tree, stated: float, ran: float) -> dict[str, float]:
    """Seconds of a run of PyMC's own NUTS, from those of stating the model and of all that pm.sample did.

    Between the first and the last kept step of each chain it samples; the rest of what it calls sampling time is
    tuning, which is set-up; the rest of pm.sample is mostly compiling, and counts as that.
    """
    stats, sampling_time = tree["sample_stats"].dataset, tree["posterior"].attrs["sampling_time"]
    begun, lasted = stats["perf_counter_start"].values, stats["perf_counter_diff"].values
    kept = float(np.sum(begun[:, -1] + lasted[:, -1] - begun[:, 0]))
    return {"setup": stated + sampling_time - kept, "compile": ran - sampling_time, "sampling": kept}
