"""Sections on a table of one's own, of few groups or many. They show numbers in the units of the data."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analyses.checks import chance, leave_out, probability
from analyses.engines import reml
from analyses.engines.mixture import highest_moment
from analyses.fits import predictions, rescale
from analyses.fits.crosscheck import ManyGroupsCrosscheck, TwoLevelCrosscheck, farthest
from analyses.fits.exact_fit import ExactFit
from analyses.ingest.build_model import Prepared
from analyses.ingest.request import Request
from analyses.report.columns import Style
from analyses.report.numbers import median_and_interval, spelled
from analyses.report.pages import Picture, Section, join_words
from analyses.studies.sections.any_model import INTERVALS, MOMENTS, PREDICTIONS, mark_undefined
from models.groups import Groups, Replicates
from models.propriety import moments, says_nothing_of_tau

POSITIVE = {"P(above 0)": Style.PROBABILITY}
UNINFORMED = "The data do not inform tau; its posterior equals its prior."
MOST_COEFFICIENTS = 3  # in a sentence
LIKELY = 0.95  # probability to be above the threshold, from which groups are counted


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnTable:
    """The exact posterior of a table, and draws of the engines compared with it, in the units of the data.

    `mu_above` is P(mu > threshold), where there is a threshold.
    """

    exact: ExactFit
    fit: TwoLevelCrosscheck | ManyGroupsCrosscheck
    warnings: tuple[str, ...] = ()
    mu_above: float | None = None

    @property
    def request(self) -> Request:
        """The question, with the table's own words for what is in it."""
        return self.exact.request

    def figure(self, row) -> str:
        """Write a median with its interval, and the unit of the data behind them."""
        return with_unit(median_and_interval(row), self.request.unit)


@dataclass(frozen=True, eq=False, kw_only=True)
class Story:
    """What differs between the page on rows in groups and the page on estimates.

    `axes` are what groups are drawn against and the labels of both axes; `noun` is what a group's own mean is called.
    """

    name: str
    title: str
    likelihood: str
    axes: Callable[[Request], dict[str, str]]
    noun: str
    doubts: str
    question: Callable[[Groups], str]
    headline: Callable[[OwnTable], str]
    variation: Callable[[OwnTable], Section]


def with_unit(figures: str, unit: str) -> str:
    """Figures of a sentence with the unit of the data behind them, where one is given."""
    return f"{figures} {unit}" if unit else figures


def with_threshold(own: OwnTable) -> OwnTable:
    """Add P(theta > threshold) of each group and P(mu > threshold), where there is a threshold."""
    threshold = own.exact.threshold
    if threshold is None:
        return own
    above = own.exact.probability(above=threshold)
    groups = own.fit.groups.assign(p_above=above["theta"].to_numpy())
    return replace(own, fit=replace(own.fit, groups=groups), mu_above=above["mu", ""])


def threshold_sentence(own: OwnTable) -> str:
    """Say how likely mu is above the threshold, and how many groups are likely to be; nothing without a threshold."""
    if own.mu_above is None:
        return ""
    threshold = with_unit(f"{float(own.exact.threshold):.15g}", own.request.unit)
    where = origin(own.exact.prepared)
    count = int((own.fit.groups["p_above"] >= LIKELY).sum())
    mean = f"The population mean{where} is above {threshold} with probability {probability(own.mu_above)}"
    if says_nothing_of_tau(own.exact.posterior.model):
        return f"{mean}."
    return f"{mean}; for {count:,} of {len(own.exact.labels):,} groups that probability is at least {LIKELY}."


def coefficients_sentence(own: OwnTable) -> str:
    """Say what the covariates do, or, of many coefficients, whose interval excludes 0; nothing without covariates."""
    changes = _changes(own.exact.prepared)
    if not changes:
        return ""
    rows = own.fit.reference.loc["beta"]
    if len(changes) <= MOST_COEFFICIENTS:
        parts = [f"{own.figure(rows.loc[column])} {change}" for column, change in changes.items()]
        return f"The population mean changes by {join_words(parts)}."
    apart = [column for column in changes if rows.loc[column, "q2_5"] > 0 or rows.loc[column, "q97_5"] < 0]
    if not apart:
        return f"None of the 95% intervals of {len(changes)} coefficients excludes 0."
    return f"Of {len(changes)} coefficients, these have a 95% interval that excludes 0: {join_words(apart)}."


def _changes(prepared: Prepared) -> dict[str, str]:
    """Coefficients, each with the change that it is the effect of."""
    covariates = prepared.model.groups.covariates
    changes = {column: f"for one unit more of {column}" for column in covariates}
    for name, reference in prepared.references.items():
        for column, level in predictions.coded_levels(name, covariates).items():
            changes[column] = f"for {name} = {level} in place of {reference}"
    return changes


def origin(prepared: Prepared) -> str:
    """Where mu is the population mean, in a sentence: the reference levels and zeros; nothing without covariates."""
    covariates = prepared.model.groups.covariates
    levels = {column for name in prepared.references for column in predictions.coded_levels(name, covariates)}
    at = [f"{name} = {reference}" for name, reference in prepared.references.items()]
    at += [f"{column} = 0" for column in covariates if column not in levels]
    return f" where {join_words(at)}" if at else ""


def headings(own: OwnTable) -> dict[str, str]:
    """What stands above columns of a table of groups: the words of the table's owner."""
    request = own.request
    words = {"label": request.group_name, "estimate": request.value_name, "observed": request.value_name}
    if own.exact.threshold is not None:
        words["p_above"] = f"P(above {float(own.exact.threshold):.15g})"
    return words


def extreme(own: OwnTable) -> str:
    """What the group with rank 1 is in theta."""
    return "highest" if own.fit.best == "high" else "lowest"


def order_sentence(noun: str, own: OwnTable, leader: pd.Series, how_sure: str) -> str:
    """Say who is first by itself and who leads once pooled, and how sure that is.

    Parameters
    ----------
    noun : str
        What a group's own mean is called.
    own : OwnTable
    leader : Series
        The first row of the league table.
    how_sure : str
        Probability of the leader to be that, in words.
    """
    raw = first_by_itself(own.fit)
    error = raw["theta_sd"] if pd.isna(raw["standard_error"]) else raw["standard_error"]
    estimate = with_unit(spelled(raw["estimate"], error, least=1), own.request.unit)
    group = own.request.group_name
    first = f"{group[:1].upper()}{group[1:]} {raw['label']} has the {extreme(own)} {noun} ({estimate})"
    if says_nothing_of_tau(own.exact.posterior.model):
        return f"{first}. Where pooling puts it depends on the prior of tau."
    theta = own.figure(leader.rename(lambda name: name.removeprefix("theta_")))
    if leader["label"] == raw["label"]:
        return f"{first} and leads after pooling: {theta}, {how_sure}."
    return f"{first}; {group} {leader['label']} leads after pooling: {theta}, {how_sure}."


def rests_on_prior(own: OwnTable) -> str:
    """Say that an order of the groups is the prior's where the data do not inform tau; nothing elsewhere."""
    if not says_nothing_of_tau(own.exact.posterior.model):
        return ""
    return " This order depends on the prior of tau, which the data do not inform."


def model_section(story: Story, prepared: Prepared) -> Section:
    """State the model with its priors, and what they leave without a moment."""
    model, covariates = prepared.model, prepared.model.groups.covariates
    regression = " + ".join(["mu", *(f"beta[{name}] x" for name in covariates)])
    spread = "tau²" if prepared.units.tau else "tau² sigma²"
    undefined = _without_moments(model)
    notes = [f"The reference level of {name} is {level!r}." for name, level in prepared.references.items()]
    if covariates:
        notes.append(f"mu is the population mean{origin(prepared)}.")
    if says_nothing_of_tau(model):
        notes.append(UNINFORMED)
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


def predicted(own: OwnTable) -> pd.DataFrame:
    """Exact predictions of one more value of the group farthest out, and of new groups at stated covariates."""
    exact = own.exact
    groups = exact.posterior.model.groups
    designs = predictions.stated(groups, exact.prepared.references)
    rows = exact.posterior.predictions(at=farthest(groups), designs=designs)
    return rescale.table(exact.prepared.units, rows).reset_index()


def prediction_section(own: OwnTable) -> Section:
    """Show predictions for an old group, and for a new one of each level of a category."""
    return Section(
        title="What comes next?",
        text="A further value in a group that is there (new_value) combines uncertainty about its theta with the noise "
        "of a value. theta of a new group (new_theta) has the spread between groups, and a value in it "
        f"(new_group_value) the noise as well.{_stated_elsewhere(own.exact.prepared)}",
        table=mark_undefined(predicted(own)[PREDICTIONS[1:]]),
        note=f"Exact. {INTERVALS}",
    )


def _stated_elsewhere(prepared: Prepared) -> str:
    """Say what the covariates are that a prediction for a level does not name; nothing without categories."""
    if not prepared.references:
        return ""
    groups = prepared.model.groups
    coded = {column for name in prepared.references for column in predictions.coded_levels(name, groups.covariates)}
    held = [f"{name} at its reference level {level}" for name, level in prepared.references.items()]
    held = held if len(held) > 1 else []  # every row names the only one
    means = zip(groups.covariates, groups.design.mean(axis=0)[1:], strict=True)
    numbers = [f"{name} at its mean over groups, {mean:.6g}" for name, mean in means if name not in coded]
    return f" Covariates that a row does not name are held: {join_words(held + numbers)}." if held + numbers else ""


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
        headings=headings(own),
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
