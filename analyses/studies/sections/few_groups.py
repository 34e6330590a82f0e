"""Sections on a table of one's own whose groups can each be named."""

from dataclasses import replace

import numpy as np
import pandas as pd

from analyses.checks import Verdict, league_table, probability
from analyses.fits import crosscheck
from analyses.fits.crosscheck import TwoLevelCrosscheck
from analyses.fits.exact_fit import ExactFit
from analyses.report import figures
from analyses.report.pages import Picture, Section
from analyses.studies.sections import any_model, bayes_factor, own_table, prior_sensitivity
from analyses.studies.sections.own_table import OwnTable, Story

MOST_DRAWN = 60  # groups in a figure that names each
TARGET_ACCEPT = 0.99  # of NUTS's proposals: nobody knows what data will come


def checked(exact: ExactFit) -> OwnTable:
    """Compare every engine asked for with the exact posterior."""
    among = min(exact.request.among or league_table.AMONG, len(exact.labels))
    careful = replace(exact.settings, target_accept=TARGET_ACCEPT)
    inside = crosscheck.two_level(replace(exact, settings=careful), best="high", thin=None, among=among)
    return OwnTable(exact=exact, fit=inside.outside(exact.prepared.units))


def leader(story: Story, own: OwnTable) -> str:
    """Say who is first by itself, who leads the league table, and how sure that is."""
    first = own.fit.groups.sort_values("rank_mean", kind="stable").iloc[0]
    how_sure = f"the {own_table.extreme(own)} with probability {probability(first['p_best'])}"
    return own_table.order_sentence(story.noun, own, first, how_sure)


def sections(story: Story, own: OwnTable) -> tuple[Section, ...]:
    """Tell the story of the page."""
    return (
        own_table.model_section(story, own.exact.prepared),
        own_table.pooling_section(own.fit, _pictures(own.fit, story.axes(own.request))),
        *own_table.coefficient_sections(own),
        story.variation(own),
        _league_section(own),
        *own_table.comparison_sections(own),
        own_table.prediction_section(own),
        own_table.leave_out_section(own),
        prior_sensitivity.prior_section(own.exact.prepared),
        *bayes_factor.sections(own.exact),
        own_table.reml_section(own),
        any_model.predictive_section(own.fit, unit=own.request.unit),
    )


def machinery(fit: TwoLevelCrosscheck) -> tuple[Section, ...]:
    """Say how the routes agree."""
    return any_model.routes(fit, ("mu", *fit.model.unknown))


def picture(fit: TwoLevelCrosscheck) -> str:
    """Name the figure that shows most at once; none where theta has no mean and groups are too many to name."""
    if len(fit.groups) <= MOST_DRAWN:
        return "forest"
    return "shrinkage" if fit.groups["theta_mean"].notna().any() else ""


def model_checks(fit: TwoLevelCrosscheck) -> tuple[tuple[str, Verdict], ...]:
    """Return the verdicts on whether the model fits its data."""
    return any_model.model_checks(fit)


def _pictures(fit: TwoLevelCrosscheck, axes: dict[str, str]) -> dict[str, Picture]:
    """Show what pooling does to each group."""
    groups, pictures = fit.groups.dropna(subset=["theta_mean"]), {}
    if len(groups):
        mu = None if fit.model.groups.covariates else fit.reference.loc[("mu", ""), "q50"]
        caption = "Raw means (circles) and posterior means (dots); arrows show what pooling did."
        pictures["shrinkage"] = Picture(figures.shrinkage(groups, mu, **axes), caption)
    if len(fit.groups) <= MOST_DRAWN:
        width = "1.96 standard errors, with the sigma that all share" if "sigma" in fit.model.unknown else "1.96 se"
        caption = f"Each group by itself (grey, within {width}) and pooled (blue, 95% of the posterior)."
        pictures["forest"] = Picture(figures.forest(_by_themselves(fit), xlabel=axes["ylabel"]), caption)
    return pictures


def _by_themselves(fit: TwoLevelCrosscheck) -> pd.DataFrame:
    """Groups with their own 95% intervals, the highest first."""
    error = fit.groups["standard_error"]
    if "sigma" in fit.model.unknown:
        error = fit.reference.loc[("sigma", ""), "q50"] * np.sqrt(fit.model.groups.noise)
    return with_own_intervals(fit.groups, error)


def with_own_intervals(groups: pd.DataFrame, error: pd.Series) -> pd.DataFrame:
    """A table of groups with the interval of each by itself, the highest first."""
    estimate = groups["estimate"]
    return groups.assign(low=estimate - 1.96 * error, high=estimate + 1.96 * error).sort_values("estimate")


def _league_section(own: OwnTable) -> Section:
    section = any_model.league_section(own.fit, own.request.group_name)
    among = f"P(among the best) is the probability to be among the first {own.fit.among}."
    text = f"{section.text}{own_table.rests_on_prior(own)}"
    return replace(section, text=text, headings=own_table.headings(own), note=f"{among} {section.note}")
