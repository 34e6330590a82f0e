"""Did the chains mix? R-hat, effective sample sizes, divergences, E-BFMI (Vehtari et al. 2021; Betancourt 2016)."""

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from analyses.checks import Verdict
from analyses.engines import effective_size
from analyses.engines.inference_data import NAMES
from analyses.engines.summary_tables import TAIL_PROBABILITIES, stacked

MOST_R_HAT = 1.01
LEAST_ESS = 400
LEAST_BFMI = 0.3


def verdict(tree: xr.DataTree, summary: pd.DataFrame) -> Verdict:
    """Judge an engine's draws from their rows of summary.csv and, for NUTS, its sampler's statistics."""
    summary = summary.set_index(["variable", "label"])
    # A quantity that has no R-hat or effective size is a constant: that is the worst, not nothing.
    r_hat, ess = summary["r_hat"].fillna(np.inf), summary[["ess_bulk", "ess_tail"]].fillna(0).min(axis=1)
    figures = f"largest R-hat {r_hat.max():.4f}, smallest effective sample size {ess.min():.0f}"
    faults = [f"R-hat of {_where(r_hat.idxmax())} is {r_hat.max():.3f}"] if not r_hat.max() <= MOST_R_HAT else []
    if not ess.min() >= LEAST_ESS:
        faults.append(f"effective sample size of {_where(ess.idxmin())} is {ess.min():.0f}")
    if "sample_stats" in tree:
        divergences, bfmi = divergent(tree), energy(tree)
        figures += f", {divergences} divergences, smallest E-BFMI {bfmi:.2f}"
        faults += [f"{divergences} divergent transitions"] if divergences else []
        faults += [f"E-BFMI is {bfmi:.2f}"] if not bfmi >= LEAST_BFMI else []
    engine = NAMES[tree["posterior"].attrs["engine"]]
    sentence = f"{engine}: {'; '.join(faults)}" if faults else f"{engine}: the chains mixed, {figures}"
    return Verdict("diagnostics", not faults, sentence)


def _where(quantity):
    return " ".join(filter(None, quantity))


def divergent(tree: xr.DataTree) -> int:
    """Divergent transitions of a NUTS run."""
    return int(tree["sample_stats"]["diverging"].sum())


def energy(tree: xr.DataTree) -> float:
    """Smallest E-BFMI of a NUTS run's chains."""
    return float(az.bfmi(tree)["energy"].min())


def table(trees: dict[str, xr.DataTree]) -> pd.DataFrame:
    """Compare NUTS runs: divergences, E-BFMI, worst R-hat and effective sample sizes."""
    rows = [{"parameterization": name, **_figures(tree)} for name, tree in trees.items()]
    return pd.DataFrame(rows)


def _figures(tree) -> dict[str, float]:
    _, draws = stacked(tree["posterior"].dataset)
    return {
        "draws": draws.shape[1] * draws.shape[2],
        "divergences": divergent(tree),
        "e_bfmi": energy(tree),
        "r_hat": np.nanmax(effective_size.r_hat(draws)),
        "ess_bulk": effective_size.bulk(draws).min(),
        "ess_tail": effective_size.tail(draws, TAIL_PROBABILITIES).min(),
    }
