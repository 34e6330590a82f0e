"""Coverage of 50 and 90% intervals: where the model holds, and in three ways in which it does not.

The design is the trial's, with the truth that its own data suggest. NUTS draws from the exact posterior, so one row
stands for both.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from analyses.calibrate.family import Simulation
from analyses.checks import t_tests
from analyses.engines import empirical_bayes, exact
from models import blood_pressure
from models.groups import Replicates

SETS = 500
LEVELS = (0.5, 0.9)
HEAVY = 3  # degrees of freedom of the groups' t, scaled to the same variance
UNEQUAL = 0.7  # sd of the log of a group's own sigma
SERIAL = 0.6  # correlation of a row with the one before it in its group
EFFECT = "effect of treatment"


def simulate(groups: Replicates, truth: pd.Series, *, rng, heavy=False, unequal=False, serial=False) -> Simulation:
    """Groups of that design with data, and their theta; rows are drawn, as what is violated is in the rows."""
    j = len(groups)
    between = rng.standard_t(HEAVY, j) / np.sqrt(HEAVY / (HEAVY - 2)) if heavy else rng.standard_normal(j)
    theta = groups.design @ [truth["mu"], truth["beta"]] + truth["sd_between"] * between
    factor = np.exp(UNEQUAL * rng.standard_normal(j) - UNEQUAL**2) if unequal else np.ones(j)  # squared, 1 on average
    noise = [rng.normal(size=int(n)) for n in groups.n]
    noise = [_correlate(e) for e in noise] if serial else noise
    values = [t + s * e for t, s, e in zip(theta, truth["sigma"] * factor, noise, strict=True)]
    mean, ss = [v.mean() for v in values], [np.sum((v - v.mean()) ** 2) for v in values]
    treatment = {"treatment": groups.design[:, 1]}
    simulated = Replicates.from_summary(groups.labels, groups.n, mean, ss, covariates=treatment, dim=groups.dim)
    return Simulation(simulated, {"theta": theta})


def _correlate(noise):
    """Noise of variance 1, each row correlated with the one before it."""
    rows = noise.copy()
    for i in range(1, len(rows)):
        rows[i] = SERIAL * rows[i - 1] + np.sqrt(1 - SERIAL**2) * noise[i]
    return rows


CONDITIONS: dict[str, dict] = {
    "the model": {},
    f"groups heavy-tailed: t with {HEAVY} degrees of freedom": {"heavy": True},
    "every group its own variance": {"unequal": True},
    f"rows correlated with those before: {SERIAL}": {"serial": True},
}


def table(condition: str, *, sets: int = SETS, rng) -> pd.DataFrame:
    """Coverage and mean width under one of `CONDITIONS`, with the Monte Carlo error of the former."""
    model = blood_pressure.model()
    first = exact.posterior(model)
    truth = first.population(("sigma", "sd_between"))["mean"].droplevel("label")
    rows = []
    for _ in range(sets):
        simulation = simulate(model.groups, truth, rng=rng, **CONDITIONS[condition])
        groups, values = simulation.model, simulation.truth | {EFFECT: truth["beta"]}
        analyses = _analyses(first.refit(blood_pressure.model(groups=groups)), groups)
        for level in LEVELS:
            for (of, analysis), interval in analyses.items():
                low, high = interval((1 - level) / 2)
                inside = (low < values[of]) & (values[of] < high)
                rows.append((of, analysis, f"{level:.0%}", np.mean(inside), np.mean(high - low)))
    intervals = pd.DataFrame(rows, columns=["of", "analysis", "interval", "coverage", "width"])
    # Groups of one set of data are not independent, so the error is that of the share of each set.
    columns = {"coverage": ("coverage", "mean"), "error": ("coverage", "sem"), "mean width": ("width", "mean")}
    table = intervals.groupby(["of", "analysis", "interval"], sort=False).agg(**columns).reset_index()
    table.insert(0, "data", condition)
    return table


def _analyses(posterior, groups) -> dict[tuple[str, str], Callable]:
    """By quantity and analysis, a function from the probability of each tail to the ends of the interval."""
    b, theta, model = posterior.b, posterior.theta(), "the model: NUTS = exact"
    plugged = empirical_bayes.table(posterior.model)
    beta, plugged_theta = plugged.loc["beta"].iloc[0], plugged.loc["theta"]
    tests = {"t-test on all records": t_tests.on_records(groups), "t-test on subjects' means": t_tests.on_means(groups)}
    return {
        (EFFECT, model): lambda tail: (b.quantile(tail)[1], b.quantile(1 - tail)[1]),
        (EFFECT, "empirical Bayes"): _symmetric(beta["mean"], beta["sd"]),
        **{(EFFECT, name): _symmetric(test.value, test.error, stats.t(test.df)) for name, test in tests.items()},
        ("theta", model): lambda tail: (theta.quantile(tail), theta.quantile(1 - tail)),
        ("theta", "empirical Bayes"): _symmetric(plugged_theta["mean"].values, plugged_theta["sd"].values),
    }


def _symmetric(value, error, law=stats.norm):
    """Interval about a value, by the quantiles of a symmetric law."""

    def interval(tail):
        reach = law.isf(tail) * error
        return value - reach, value + reach

    return interval
