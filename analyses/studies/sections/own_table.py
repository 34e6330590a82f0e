"""Sections on a table of one's own, of few groups or many. They show numbers in the units of the data."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analyses.checks import chance, leave_out
from analyses.engines import reml
from analyses.engines.mixture import highest_moment
from analyses.fits import rescale
from analyses.fits.crosscheck import ManyGroupsCrosscheck, TwoLevelCrosscheck
from analyses.fits.exact_fit import ExactFit
from analyses.ingest.build_model import Prepared
from analyses.report.columns import Style
from analyses.report.numbers import median_and_interval, spelled
from analyses.report.pages import Picture, Section
from analyses.studies.sections.any_model import INTERVALS, MOMENTS, mark_undefined
from models.groups import Groups, Replicates
from models.propriety import moments, says_nothing_of_tau

POSITIVE = {"P(above 0)": Style.PROBABILITY}


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnTable:
    """The exact posterior of a table, and draws of the engines compared with it, in the units of the data."""

    exact: ExactFit
    fit: TwoLevelCrosscheck | ManyGroupsCrosscheck
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Story:
    """What differs between the page on rows in groups and the page on estimates.

    `axes` are what groups are drawn against and the labels of both axes.
    """

    name: str
    title: str
    likelihood: str
    axes: dict[str, str]
    doubts: str
    question: Callable[[Groups], str]
    headline: Callable[[OwnTable], str]
    variation: Callable[[OwnTable], Section]


def model_section(story: Story, prepared: Prepared) -> Section:
    """State the model with its priors, and what they leave without a moment."""
    model, covariates = prepared.model, prepared.model.groups.covariates
    regression = " + ".join(["mu", *(f"beta[{name}] x" for name in covariates)])
    spread = "tau²" if prepared.units.tau else "tau² sigma²"
    undefined = _without_moments(model)
    notes = [f"The reference level of {name} is {level!r}." for name, level in prepared.references.items()]
    if covariates:
        notes.append("mu is the population mean where every covariate is 0.")
    if says_nothing_of_tau(model):
        notes.append("These data say nothing of tau: its posterior is its prior.")
    if undefined:
        notes.append(
            f"The mean or the standard deviation of {', '.join(undefined)} does not exist under these priors, or "
            "hardly: medians and intervals stand in their place."
        )
    priors = ", ".join(f"{name} ~ {prior}" for name, prior in prepared.priors.items())
    return Section(
        title="The model",
        text=f"{story.likelihood}; theta_i ~ N({regression}, {spread}). Priors: {priors}. Figures in sentences are "
        f"medians with 95% intervals. {' '.join(notes)}",
    )


def _without_moments(model) -> list[str]:
    """Variables of which some mean or variance does not exist."""
    reported = ("mu", "beta", *model.unknown, "sd_between", "theta")
    orders = moments(model).items()
    return sorted({name for (name, _), order in orders if name in reported and highest_moment(order) < 2})


def pooling_section(fit: TwoLevelCrosscheck | ManyGroupsCrosscheck, pictures: dict[str, Picture]) -> Section:
    """Say how far groups are pulled towards the population, and show it."""
    kappa = fit.groups["kappa_mean"]
    return Section(
        title="What pooling does",
        text="Each group's mean is pulled towards the population's, the farther the less it says by itself: kappa, the "
        f"weight on the population, is {kappa.min():.2f} to {kappa.max():.2f}.",
        figures=pictures,
    )


def first_by_itself(fit: TwoLevelCrosscheck | ManyGroupsCrosscheck) -> pd.Series:
    """Return the row of the group whose own estimate is best."""
    estimate = fit.groups["estimate"]
    return fit.groups.loc[estimate.idxmax() if fit.best == "high" else estimate.idxmin()]


def coefficient_sections(own: OwnTable) -> tuple[Section, ...]:
    """Show the effect of each covariate, if there is any."""
    names = own.exact.posterior.model.groups.covariates
    if not names:
        return ()
    positive = 1 - own.exact.posterior.b.cdf(np.zeros(len(names)), np.arange(1, len(names) + 1))
    rows = own.fit.reference.loc["beta"].loc[list(names), MOMENTS].reset_index(names="covariate")
    section = Section(
        title="What the covariates do",
        text="beta is the difference of the population mean for one unit more of a covariate, or between a level and "
        "its reference.",
        table=rows.assign(**{"P(above 0)": positive}),
        formats=POSITIVE,
        note=f"Exact. {INTERVALS}",
    )
    return (section,)


def comparison_sections(own: OwnTable) -> tuple[Section, ...]:
    """Compare the groups that were asked for; else the first and the last."""
    compare = own.exact.request.compare
    differences = [own.exact.difference(*pair) for pair in compare or (_ends(own.fit),)]
    table = pd.DataFrame([row.to_dict() for row in differences]).rename(columns={"p_above": "P(above 0)"})
    table.insert(0, "difference", [row.name for row in differences])
    ends = "" if compare else " Here, the first of the league table and the last; --compare asks for any."
    section = Section(
        title="Does one differ from another?",
        text="The difference of two groups is not that of two independent intervals: both are pulled to the same "
        f"population.{ends}",
        table=mark_undefined(table),
        formats=POSITIVE,
        note=f"Exact. {INTERVALS}",
    )
    return (section,)


def _ends(fit: TwoLevelCrosscheck | ManyGroupsCrosscheck) -> tuple[str, str]:
    """First and last of the league table; of very many groups, first and last of the posterior means."""
    ranked = "rank_mean" in fit.groups
    ascending = ranked or fit.best == "low"
    ordered = fit.groups.sort_values("rank_mean" if ranked else "theta_mean", ascending=ascending, kind="stable")
    return ordered["label"].iloc[0], ordered["label"].iloc[-1]


def leave_out_section(own: OwnTable) -> Section:
    """Leave each group out and let the others say what to expect of it."""
    groups, units = own.exact.posterior.model.groups, own.exact.prepared.units
    size = groups.n if isinstance(groups, Replicates) else np.ones(len(groups))
    rows = rescale.table(units, leave_out.table(own.exact.posterior).assign(variable="theta"))
    density = rows["log_density"] - size * np.log(units.spread("theta", 1.0))  # of the data in their own unit
    rows = rows.drop(columns="variable").assign(log_density=density)
    return Section(
        title="What the others say of each",
        text="Each group is left out in turn, and the others, their scales estimated anew, say what its mean should "
        f"be. {_least_expected(rows)}",
        table=mark_undefined(rows),
        formats={"P(as large)": Style.PROBABILITY},
        note="Exact. log density is that of the group's data given all others: the larger, the better predicted.",
    )


def _least_expected(rows) -> str:
    """Name the group that the others expect least."""
    tail = np.minimum(rows["P(as large)"], 1 - rows["P(as large)"])
    if tail.isna().all():
        return "But without one, the others have no posterior under this prior."
    row = rows.loc[tail.idxmin()]
    p = f"{chance(2 * tail.min())} before one allows for the number of groups, {len(rows)}"
    if "q50" not in rows:
        return f"The oddest is {row['label']}, whose mean has a two-sided {p}."
    mean, expected = spelled(row["observed"], (row["q97_5"] - row["q2_5"]) / 4, least=1), median_and_interval(row)
    return f"The oddest is {row['label']}: a mean of {mean} where the others expect {expected}, two-sided {p}."


def reml_section(own: OwnTable) -> Section:
    """Compare restricted maximum likelihood with the posterior."""
    title, model = "By restricted maximum likelihood", own.exact.posterior.model
    if not reml.tells(model):
        return Section(title=title, text="It has no answer here: it says nothing of the spread between groups.")
    covariates, maximum = model.groups.covariates, reml.maximum(model)
    estimates = dict(zip((("mu", ""), *(("beta", c) for c in covariates)), maximum.b, strict=True))
    estimates["sd_between", ""] = maximum.sd_between
    if isinstance(model.groups, Replicates):
        estimates["sigma", ""] = maximum.sigma
    rows = pd.DataFrame(list(estimates), columns=["variable", "label"]).assign(mean=list(estimates.values()))
    rows["sd"] = pd.Series(maximum.error)
    rows = rescale.table(own.exact.prepared.units, rows).rename(columns={"mean": "REML", "sd": "standard error"})
    boundary = (
        "It is largest at the boundary, tau = 0: taken at its word, no group differs from the others at all and every "
        "mean is pooled completely. The posterior says what is compatible with the data: sd_between is "
        f"{median_and_interval(own.fit.reference.loc[('sd_between', '')])}."
    )
    return Section(
        title=title,
        text=f"What lme4 and metafor report: the likelihood is largest there with mu{' and beta' if covariates else ''}"
        " integrated out. "
        f"{boundary if maximum.sd_between == 0 else 'Its standard errors take the variances for known.'}",
        table=mark_undefined(rows.merge(own.fit.reference[MOMENTS].reset_index(), on=["variable", "label"])),
        formats={"REML": Style.VALUE, "standard error": Style.ERROR},
        note=f"mean to 97.5% are the exact posterior's. {INTERVALS}",
    )
