"""Would the model produce data like these? Posterior predictive checks, and predictions for old and new groups.

Replicated data come from one function for all engines, so NUTS and Gibbs must agree here too.
"""

from itertools import combinations

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from analyses.checks import Verdict, chance
from analyses.checks.agreement import LEAST_ESS, limit
from analyses.engines.inference_data import NAMES, SAMPLE, labelled, replicate
from models.distributions import Numbers
from models.groups import Groups
from models.two_level import TwoLevel

EXTREME = 0.01  # a predictive p-value below it, or above one minus it, is called a misfit in words


def statistics(groups: Groups, mean: np.ndarray, ss: np.ndarray | None = None) -> dict[str, Numbers]:
    """Test quantities of data, or of replicated data with leading dimensions."""
    out: dict[str, Numbers] = {"largest group mean": mean.max(axis=-1), "smallest group mean": mean.min(axis=-1)}
    if len(groups) > 1:
        out["sd of group means"] = mean.std(axis=-1, ddof=1)
    several = groups.df > 0
    if several.sum() > 1:
        assert ss is not None  # where there is a spread within groups
        out["spread of sds within groups"] = np.sqrt(ss[..., several] / groups.df[several]).std(axis=-1, ddof=1)
    return out


def replicated(model: TwoLevel, tree: xr.DataTree, *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Test quantities of replicated data sets, (chain, draw), from groups drawn anew from the population.

    With the theta of the data themselves a group that does not belong to the population would go unnoticed: its own
    theta follows it wherever it lies (Marshall and Spiegelhalter 2003).
    """
    draws = tree["posterior"].dataset
    theta = rng.normal(population(model, draws, model.groups.design), draws["sd_between"].values[..., None])
    sigma = draws["sigma"].values if "sigma" in draws else np.ones(theta.shape[:-1])
    found = statistics(model.groups, **replicate(model.groups, theta, sigma, rng=rng))
    return {name: np.asarray(values) for name, values in found.items()}


def population(model: TwoLevel, draws: xr.Dataset, x: ArrayLike) -> np.ndarray:
    """x'b for each draw and each row of x: (chain, draw, row)."""
    x = np.asarray(x)
    b = draws["mu"].values[..., None]
    if model.groups.covariates:
        b = np.concatenate([b, draws["beta"].values], axis=-1)
    return b @ x.T


def table(groups: Groups, replicates: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """Compare test quantities of the data with those of replicated data: mean, interval, P(replicated >= observed).

    Parameters
    ----------
    groups : Groups
    replicates : dict
        Engine to what `replicated` gives.
    """
    observed, rows = statistics(groups, groups.mean, groups.ss), []
    for engine, found in replicates.items():
        for name, values in found.items():
            above = (values >= observed[name]).astype(float)
            ess = np.nan_to_num(min(float(az.ess(above, method="mean")), above.size), nan=above.size)
            p = (above.sum() + 0.5) / (above.size + 1)  # half a draw, as none among so many is not none
            low, high = np.quantile(values, [0.025, 0.975])
            rows.append((engine, name, observed[name], values.mean(), low, high, p, ess))
    columns = ["engine", "statistic", "observed", "mean", "q2_5", "q97_5", "p_above", "ess"]
    return pd.DataFrame(rows, columns=columns)


def verdict(table: pd.DataFrame) -> Verdict:
    """Hold the engines' predictive p-values against each other, two at a time."""
    p, ess = (table.pivot(index="statistic", columns="engine", values=column) for column in ("p_above", "ess"))
    z = pd.DataFrame({f"{a} and {b}": _difference(p[a], ess[a], p[b], ess[b]) for a, b in combinations(p, 2)}).abs()
    worst, most, size = float(z.to_numpy().max()), limit(z.size), float(ess.to_numpy().min())
    engines = ", ".join(NAMES[engine] for engine in p)
    if not size >= LEAST_ESS:
        return Verdict(
            "predictive", False, f"{engines}: an effective sample size of {size:.0f} is too small to compare"
        )
    found = f"{'agree' if worst <= most else 'differ'} in what they predict: largest |z| {worst:.1f}, limit {most:.1f}"
    return Verdict("predictive", worst <= most, f"{engines} {found}")


def _difference(p, n, q, m):
    """z of the difference of two shares; half a draw keeps the error from vanishing where none or all count."""
    pooled = (p * n + q * m + 0.5) / (n + m + 1)
    return (p - q) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))


def predicted(model: TwoLevel, tree: xr.DataTree, *, at: int, rng: np.random.Generator) -> xr.DataTree:
    """Draw what comes next, by both routes of seed 003, from an engine's draws.

    Parameters
    ----------
    model : TwoLevel
    tree : DataTree
        Of any engine.
    at : int
        Position of the group that is there.
    rng : numpy.random.Generator

    Returns
    -------
    DataTree
        posterior: new_value, one more value of the group given its theta; new_theta, theta of a group that is not
        there, for each design there is; new_group_value, a value of it. A value of estimates is one more with that
        group's standard error. `Posterior.predictions` has their exact laws.
    """
    g, draws, designs = model.groups, tree["posterior"].dataset, model.groups.designs
    noise = (draws["sigma"].values if "sigma" in draws else 1.0) * np.sqrt(g.noise_of_one[at])
    theta = rng.normal(population(model, draws, list(designs.values())), draws["sd_between"].values[..., None])
    value = rng.normal(draws["theta"].sel({g.dim: g.labels[at]}).values, noise)
    new = rng.normal(theta, np.broadcast_to(noise, value.shape)[..., None])
    variables = {
        "new_value": ((*SAMPLE, "old"), value[..., None]),
        "new_theta": ((*SAMPLE, "new"), theta),
        "new_group_value": ((*SAMPLE, "new"), new),
    }
    labels = {"old": [g.labels[at]], "new": list(designs)}
    return labelled({"posterior": variables}, labels, {"engine": draws.attrs["engine"]})


def fit(table: pd.DataFrame) -> tuple[Verdict, ...]:
    """Judge for each test quantity whether the data look like data from the model; P is averaged over the engines."""
    p = table.groupby("statistic", sort=False)["p_above"].mean()
    said = {name: f"{name}: as large a value has {chance(value)}" for name, value in p.items()}
    return tuple(Verdict("fit", bool(EXTREME <= p[name] <= 1 - EXTREME), said[name]) for name in p.index)


def sentence(table: pd.DataFrame) -> str:
    """Say whether the data look like the model's."""
    verdicts = fit(table)
    if odd := [verdict.sentence for verdict in verdicts if not verdict.passed]:
        return (
            f"The model does not produce data like these in {len(odd)} of {len(verdicts)} respects: {'; '.join(odd)}."
        )
    return f"The data look like data from the model in the {len(verdicts)} respects that were tried."
