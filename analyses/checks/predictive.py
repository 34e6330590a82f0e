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
from analyses.checks.replicates import compare
from analyses.engines.inference_data import NAMES, SAMPLE, labelled, replicate
from models.distributions import Numbers
from models.groups import Groups
from models.two_level import TwoLevel

EXTREME = 0.01  # a predictive p-value below it, or above one minus it, is called a misfit in words


def statistics(groups: Groups, mean: np.ndarray, ss: np.ndarray | None = None) -> dict[str, Numbers]:
    """Test quantities of data, or of replicated data with leading dimensions."""
    quantities: dict[str, Numbers] = {"largest group mean": mean.max(axis=-1), "smallest group mean": mean.min(axis=-1)}
    if len(groups) > 1:
        quantities["sd of group means"] = mean.std(axis=-1, ddof=1)
    several = groups.df > 0
    if several.sum() > 1:
        assert ss is not None  # where there is a spread within groups
        sds = np.sqrt(ss[..., several] / groups.df[several])
        quantities["spread of sds within groups"] = sds.std(axis=-1, ddof=1)
    return quantities


def replicated(model: TwoLevel, tree: xr.DataTree, *, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Test quantities of replicated data sets, (chain, draw), from groups drawn anew from the population.

    With the theta of the data themselves a group that does not belong to the population would go unnoticed: its own
    theta follows it wherever it lies (Marshall and Spiegelhalter 2003).
    """
    draws = tree["posterior"].dataset
    theta = _new_theta(model, draws, model.groups.design, rng)
    sigma = draws["sigma"].values if "sigma" in draws else np.ones(theta.shape[:-1])
    quantities = statistics(model.groups, **replicate(model.groups, theta, sigma, rng=rng))
    return {name: np.asarray(values) for name, values in quantities.items()}


def _new_theta(model, draws, x, rng) -> np.ndarray:
    """theta of new groups, one for each row of x, at each draw."""
    return rng.normal(population(model, draws, x), draws["sd_between"].values[..., None])


def population(model: TwoLevel, draws: xr.Dataset, x: ArrayLike) -> np.ndarray:
    """x'b for each draw and each row of x: (chain, draw, row)."""
    x = np.asarray(x)
    b = draws["mu"].values[..., None]
    if model.groups.covariates:
        b = np.concatenate([b, draws["beta"].values], axis=-1)
    return b @ x.T


def table(groups: Groups, replicated: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """Compare test quantities of the data with those of replicated data: mean, interval, P(replicated >= observed).

    Parameters
    ----------
    groups : Groups
    replicated : dict
        Engine to what `replicated` gives.
    """
    observed = statistics(groups, groups.mean, groups.ss)
    tables = []
    for engine, quantities in replicated.items():
        rows = compare(observed, quantities).rename(columns={"quantity": "statistic"})
        above = [(values >= observed[name]).astype(float) for name, values in quantities.items()]
        rows["p_above"] = [(a.sum() + 0.5) / (a.size + 1) for a in above]  # half a draw keeps P from being 0
        rows["ess"] = [np.nan_to_num(min(float(az.ess(a, method="mean")), a.size), nan=a.size) for a in above]
        tables.append(rows.assign(engine=engine))
    return pd.concat(tables, ignore_index=True)[["engine", *rows.columns.drop("P(as large)")]]


def verdict(table: pd.DataFrame) -> Verdict:
    """Compare the engines' predictive p-values, two at a time."""
    p, ess = (table.pivot(index="statistic", columns="engine", values=column) for column in ("p_above", "ess"))
    z = pd.DataFrame({f"{a} and {b}": _difference(p[a], ess[a], p[b], ess[b]) for a, b in combinations(p, 2)}).abs()
    worst, most, size = float(z.to_numpy().max()), limit(z.size), float(ess.to_numpy().min())
    engines = ", ".join(NAMES[engine] for engine in p)
    if not size >= LEAST_ESS:
        sentence = f"{engines}: an effective sample size of {size:.0f} is too small to compare"
        return Verdict("predictive", False, sentence)
    verb = "agree" if worst <= most else "differ"
    sentence = f"{engines} {verb} in what they predict: largest |z| {worst:.1f}, limit {most:.1f}"
    return Verdict("predictive", worst <= most, sentence)


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
    g, draws = model.groups, tree["posterior"].dataset
    theta = draws["theta"].sel({g.dim: [g.labels[at]]}).values
    noise = np.sqrt(g.noise_of_one[at]) * (draws["sigma"].values[..., None] if "sigma" in draws else 1.0)
    new_theta = _new_theta(model, draws, list(g.designs.values()), rng)
    variables = {
        "new_value": ((*SAMPLE, "old"), rng.normal(theta, noise)),
        "new_theta": ((*SAMPLE, "new"), new_theta),
        "new_group_value": ((*SAMPLE, "new"), rng.normal(new_theta, noise)),
    }
    labels = {"old": [g.labels[at]], "new": list(g.designs)}
    return labelled({"posterior": variables}, labels, {"engine": draws.attrs["engine"]})


def fit(table: pd.DataFrame) -> tuple[Verdict, ...]:
    """Judge for each test quantity whether the data look like data from the model; P is averaged over the engines."""
    p = table.groupby("statistic", sort=False)["p_above"].mean()
    return tuple(
        Verdict("fit", bool(EXTREME <= value <= 1 - EXTREME), f"{name}: as large a value has {chance(value)}")
        for name, value in p.items()
    )


def sentence(table: pd.DataFrame) -> str:
    """Say whether the data look like the model's."""
    verdicts = fit(table)
    if odd := [verdict.sentence for verdict in verdicts if not verdict.passed]:
        respects = f"{len(odd)} of {len(verdicts)} respects"
        return f"The model does not produce data like these in {respects}: {'; '.join(odd)}."
    return f"The data look like data from the model in the {len(verdicts)} respects that were tried."
