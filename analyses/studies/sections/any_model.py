"""Sections that every study has: how the routes agree, whether the model fits, what comes next."""

import numpy as np
import pandas as pd

from analyses.checks import Verdict, agreement, league_table, predictive
from analyses.engines.inference_data import NAMES, QUANTILES
from analyses.engines.mixture import Mixture
from analyses.engines.summary_tables import SUMMARY
from analyses.fits.crosscheck import Crosscheck, TwoLevelCrosscheck
from analyses.report import figures, validation_figures
from analyses.report.pages import Picture, Section, error_bound

INTERVALS = "Intervals are equal-tailed and hold 95% of the posterior."
MOMENTS = ["mean", "sd", *QUANTILES]
PREDICTIONS = ["engine", "variable", "label", *MOMENTS]


def agreement_section(fit: Crosscheck) -> Section:
    """Compare every figure of every engine with the exact posterior."""
    limit = max(agreement.limit(agreement.tests(rows)) for _, rows in fit.agreement.groupby("engine"))
    of_groups = fit.summary["variable"].isin(["theta", "mu", "kappa", "sigma"]) & (fit.summary["label"] != "")
    columns = [name for name in SUMMARY if name != "ess_tail"]
    chains = {engine: NAMES[engine] for engine in ("nuts", "gibbs")}
    caption = (
        f"Each point is one figure of one engine. Beyond the dashed lines, {limit:.1f} standard errors from the exact "
        "value, an engine is called wrong; a right one goes there less than once in a thousand runs."
    )
    how = "in closed form" if fit.nodes == 1 else "the scales by quadrature, all else in closed form given them"
    return Section(
        title="Do the three routes agree?",
        text=f"The exact posterior is computed without sampling: {how}, {error_bound(fit.error)}. Every mean, and "
        "every share of draws below the exact 5, 50 and 95% quantiles, is held against it in Monte Carlo standard "
        "errors.",
        figures={"agreement": Picture(validation_figures.agreement(fit.agreement, limit), caption)},
        table=mark_undefined(fit.summary.loc[~of_groups, columns].replace({"engine": chains})),
        note=f"{INTERVALS} The exact rows have no Monte Carlo error. Values for each group are in summary.csv.",
    )


def rank_section(fit: Crosscheck, variables) -> Section:
    """Show rank plots of the chains, for the engines that have chains."""
    draws = {engine: tree["posterior"] for engine, tree in fit.trees.items() if engine != "exact"}
    pictures = {}
    for name in variables if draws else ():
        values = {engine: posterior[name].values for engine, posterior in draws.items()}
        pictures[f"ranks_{name}"] = Picture(
            validation_figures.ranks(values, variable=name),
            f"Ranks of {name} among all draws of its engine, a line for each chain: level lines say that all chains "
            "saw the same posterior.",
        )
    text = "" if draws else "No engine with chains was asked for."
    return Section(title="Did the chains mix?", text=text, figures=pictures)


def predictive_section(fit: TwoLevelCrosscheck, more: str = "", *, unit: str = "") -> Section:
    """Show posterior predictive checks; `more` is what the study adds, `unit` that of the data, where it is known."""
    observed = fit.predictive.set_index("statistic")["observed"].groupby(level=0, sort=False).first().to_dict()
    caption = "What data on groups drawn anew would look like, by engine; the red line is what was seen."
    return Section(
        title="Would the model produce data like these?",
        text=" ".join(filter(None, (predictive.sentence(fit.predictive), more))),
        figures={"predictive": Picture(figures.predictive(fit.replicated, observed, unit=unit), caption)},
        table=fit.predictive.replace({"engine": NAMES}),
        note="P(above) is the share of replicated data sets with a value at least as large as the one observed. Below "
        f"{predictive.EXTREME} or above {1 - predictive.EXTREME} it is called a misfit.",
    )


def model_checks(fit: TwoLevelCrosscheck, *more: Verdict) -> tuple[tuple[str, Verdict], ...]:
    """Return the verdicts on whether a model fits its data, each with the name of the fit."""
    return tuple((fit.name, verdict) for verdict in (*predictive.fit(fit.predictive), *more))


def prediction_section(fit: Crosscheck) -> Section:
    """Show predictions for an old and a new group."""
    return Section(
        title="What comes next?",
        text="A further value in a group that is there (new_value) needs its theta and the noise of a value; theta of "
        "a new group (new_theta) needs what is known of the population, and a value in it (new_group_value) the noise "
        "as well. Each engine draws them one after the other; the exact rows are in closed form given the scales.",
        table=mark_undefined(fit.predictions[PREDICTIONS]),
        note=INTERVALS,
    )


def mark_undefined(rows: pd.DataFrame) -> pd.DataFrame:
    """Put words in place of a mean or sd that does not exist."""
    moments = rows[[name for name in ("mean", "sd") if name in rows]]
    return rows.assign(**moments.astype(object).where(moments.notna(), "does not exist"))


def moments_and_quantiles(mixture: Mixture) -> dict[str, np.ndarray]:
    """Columns of a table of the quantities of a mixture."""
    quantiles = {name: mixture.quantile(p) for name, p in QUANTILES.items()}
    return {"mean": mixture.mean, "sd": mixture.sd} | quantiles


def league_section(fit: TwoLevelCrosscheck, group: str) -> Section:
    """Show the table of groups, best first; `group` is what one of them is called."""
    return Section(
        title="The league table, with what it is worth",
        text=league_table.sentence(fit.groups, best=fit.best, dim=group),
        table=fit.groups.sort_values("rank_mean", kind="stable").dropna(axis=1, how="all"),
        note="Ranks, P(best) and P(among the best) are shares of 4,000 independent joint draws, so a probability is "
        f"off by 0.008 at most in one standard error; that of P(best) is beside it. All else is exact. {INTERVALS}",
    )


def density(mixture: Mixture, which: int, low: float, high: float) -> figures.Curve:
    """Density of one quantity of a mixture between two points, from differences of its distribution function."""
    edges = np.linspace(low, high, 401)
    mass = np.diff(mixture.cdf(edges, np.full(len(edges), which)))
    return figures.Curve((edges[1:] + edges[:-1]) / 2, mass / np.diff(edges))


def routes(fit: Crosscheck, variables) -> tuple[Section, Section]:
    """Say how the routes agree and whether the chains mixed."""
    return agreement_section(fit), rank_section(fit, variables)


def code_section(code: str) -> Section:
    """Show the model as a script of plain PyMC, as `code()` of a named case gives it."""
    return Section(
        title="The model in PyMC",
        text="This script states the same model in plain PyMC; with pm.sample() it runs as it is. Its log density is "
        "that of the builder that NUTS sampled here, up to a constant.",
        code=code.strip(),
    )
