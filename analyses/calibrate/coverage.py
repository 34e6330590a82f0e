"""Coverage of 50 and 90% intervals: where the model holds, and in three ways in which it does not.

On the trial's design, with the truth that its own data suggest. NUTS draws from the exact posterior, so one row stands
for both.
"""

import numpy as np
import pandas as pd
from scipy import stats

from analyses.checks import t_tests
from analyses.engines import empirical_bayes, exact
from models import blood_pressure
from models.groups import Replicates

SETS = 500
LEVELS = (0.5, 0.9)
HEAVY = 3  # degrees of freedom of the groups' t, scaled to the same variance
UNEQUAL = 0.7  # sd of the log of a group's own sigma
SERIAL = 0.6  # correlation of a row with the one before it in its group


def simulate(groups: Replicates, truth: pd.Series, *, rng, heavy=False, unequal=False, serial=False):
    """Groups of that design with data, and their theta; rows are drawn, as what is violated is in the rows."""
    j = len(groups)
    between = rng.standard_t(HEAVY, j) / np.sqrt(HEAVY / (HEAVY - 2)) if heavy else rng.standard_normal(j)
    theta = groups.design @ [truth["mu"], truth["beta"]] + truth["sd_between"] * between
    factor = np.exp(UNEQUAL * rng.standard_normal(j) - UNEQUAL**2) if unequal else np.ones(j)  # squared, 1 on average
    sigma = truth["sigma"] * factor
    rows = [rng.normal(size=int(n)) for n in groups.n]
    rows = [_serial(e) for e in rows] if serial else rows
    values = [t + s * e for t, s, e in zip(theta, sigma, rows, strict=True)]
    treated = {"treatment": groups.design[:, 1]}
    means, squares = [v.mean() for v in values], [np.sum((v - v.mean()) ** 2) for v in values]
    found = Replicates.from_summary(groups.labels, groups.n, means, squares, covariates=treated, dim=groups.dim)
    return found, theta


def _serial(e):
    """Rows of which each is correlated with the one before it, of variance 1."""
    found = e.copy()
    for i in range(1, len(e)):
        found[i] = SERIAL * found[i - 1] + np.sqrt(1 - SERIAL**2) * e[i]
    return found


CONDITIONS: dict[str, dict] = {
    "the model": {},
    f"groups heavy-tailed: t with {HEAVY} degrees of freedom": {"heavy": True},
    "every group its own variance": {"unequal": True},
    f"rows correlated with those before: {SERIAL}": {"serial": True},
}


def table(condition: str, *, sets: int = SETS, rng) -> pd.DataFrame:
    """Coverage and mean width under one condition, with the Monte Carlo error of the former.

    Parameters
    ----------
    condition : str
        Of `CONDITIONS`.
    """
    model = blood_pressure.model()
    first = exact.posterior(model)
    truth = first.population(("sigma", "sd_between"))["mean"].droplevel("label")
    found = {}
    for _ in range(sets):
        groups, theta = simulate(model.groups, truth, rng=rng, **CONDITIONS[condition])
        posterior = first.refit(blood_pressure.model(groups=groups))
        for key, (low, high, at) in _intervals(posterior, groups, truth["beta"], theta).items():
            found.setdefault(key, []).append(((low < at) & (at < high), high - low))
    return pd.DataFrame([_row(condition, key, outcomes) for key, outcomes in found.items()])


def _row(condition, key, outcomes):
    (of, analysis, level), (inside, width) = key, map(np.array, zip(*outcomes, strict=True))
    covered = inside.reshape(len(outcomes), -1).mean(axis=1)  # groups of one set of data are not independent
    return {
        "data": condition,
        "of": of,
        "analysis": analysis,
        "interval": f"{level:.0%}",
        "coverage": covered.mean(),
        "error": covered.std(ddof=1) / np.sqrt(len(outcomes)),
        "mean width": width.mean(),
    }


def _intervals(posterior, groups, beta, theta) -> dict:
    """Ends of each analysis's intervals, with what they ought to hold, by (quantity, analysis, level)."""
    plugged = empirical_bayes.table(posterior.model)
    tests = {"t-test on all records": t_tests.on_records(groups), "t-test on subjects' means": t_tests.on_means(groups)}
    of_b, of_theta, found = posterior.b, posterior.theta(), {}
    effect, bayes = "effect of treatment", "the model: NUTS = exact"
    for level in LEVELS:
        tail = (1 - level) / 2
        low, high = of_b.quantile(tail), of_b.quantile(1 - tail)
        found[effect, bayes, level] = low[1], high[1], beta
        z = stats.norm.isf(tail)
        found[effect, "empirical Bayes", level] = *_about(plugged.loc["beta"].iloc[0], z), beta
        for name, test in tests.items():
            t = stats.t.isf(tail, test.df) * test.error
            found[effect, name, level] = test.value - t, test.value + t, beta
        found["theta", bayes, level] = of_theta.quantile(tail), of_theta.quantile(1 - tail), theta
        found["theta", "empirical Bayes", level] = *_about(plugged.loc["theta"], z), theta
    return found


def _about(estimate, z):
    mean, sd = (np.asarray(estimate[name]) for name in ("mean", "sd"))
    return mean - z * sd, mean + z * sd
