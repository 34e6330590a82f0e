"""Sections on a table of one's own with so many groups that nobody reads a line for each."""

from dataclasses import replace

import pandas as pd

from analyses.checks import Verdict, probability, top_groups
from analyses.engines.inference_data import NAMES
from analyses.fits import crosscheck
from analyses.fits.crosscheck import ManyGroupsCrosscheck
from analyses.fits.exact_fit import ExactFit
from analyses.report import density_figures
from analyses.report.columns import Style
from analyses.report.numbers import bound, median_and_interval, rounded
from analyses.report.pages import Picture, Section
from analyses.studies.sections import any_model, own_table, prior_sensitivity
from analyses.studies.sections.own_table import OwnTable, Story
from models.groups import Replicates

LISTED = 20  # groups in the table of the page
GIBBS_MOST = 20_000  # groups: at each sweep Gibbs draws theta of all, in all its chains
NUTS_MOST = 20_000  # cells: each of its some thousand steps computes with all of them
UNEXPECTED = 10  # groups in the table of those that the population expects least


def checked(exact: ExactFit) -> OwnTable:
    """Compare every engine asked for that is fast enough with the exact posterior."""
    slow, groups, settings = {}, exact.posterior.model.groups, exact.settings
    if (size := len(groups)) > GIBBS_MOST:
        slow["gibbs"] = f"Gibbs sampling is left out: it draws every theta at every sweep, here {size:,} of them."
    if (size := len(groups.cells.noise)) > NUTS_MOST:
        slow["nuts"] = f"NUTS is left out: it sees as much as there are different standard errors, here {size:,}."
    warnings = tuple(warning for engine, warning in slow.items() if engine in settings.engines)
    quick = replace(settings, engines=tuple(engine for engine in settings.engines if engine not in slow))
    inside = crosscheck.many_groups(replace(exact, settings=quick), best="high")
    return OwnTable(exact=exact, fit=inside.outside(exact.prepared.units), warnings=warnings)


def leader(story: Story, own: OwnTable) -> str:
    """Say who is first by itself, who leads, and how many are among the top 1% with a probability above 0.95."""
    first = _in_order(own.fit).iloc[0]
    how_sure = f"in the top 1% with probability {probability(first['p_top'])}"
    order = own_table.order_sentence(story.noun, own, first, how_sure)
    sure = int((own.fit.groups["p_top"] > 0.95).sum())
    return f"{order} Groups that are in the top 1% with a probability above 0.95: {sure:,}."


def _in_order(fit: ManyGroupsCrosscheck) -> pd.DataFrame:
    """Groups, those that are likeliest in the top 1% first."""
    return fit.groups.sort_values(["p_top", "theta_mean"], ascending=[False, fit.best == "low"])


def sections(story: Story, own: OwnTable) -> tuple[Section, ...]:
    """Tell the story of the page; estimates may have too many different errors to compute it under other priors."""
    rows = isinstance(own.exact.prepared.model.groups, Replicates)
    return (
        own_table.model_section(story, own.exact.prepared),
        own_table.pooling_section(own.fit, _pictures(own.fit, story.axes(own.request))),
        *own_table.coefficient_sections(own),
        story.variation(own),
        _league_section(own, story.axes(own.request)["ylabel"]),
        _discoveries_section(own.fit),
        *own_table.comparison_sections(own),
        own_table.prediction_section(own),
        _population_section(own),
        *([prior_sensitivity.prior_section(own.exact.prepared)] if rows else []),
        own_table.reml_section(own),
    )


def machinery(fit: ManyGroupsCrosscheck) -> tuple[Section, ...]:
    """Say how the routes agree; theta is compared with the exact posterior in some groups."""
    agreement, ranks = any_model.routes(fit, ("mu", *fit.model.unknown))
    engines, some = ", ".join(NAMES[engine] for engine in fit.trees), len(fit.reference.loc["theta"])
    text = f"{agreement.text} theta and kappa are drawn, by {engines}, for {some} groups from all over the range."
    return replace(agreement, text=text), ranks


def picture(fit: ManyGroupsCrosscheck) -> str:
    """Name the figure that shows most at once."""
    return "pooling"


def model_checks(fit: ManyGroupsCrosscheck) -> tuple[tuple[str, Verdict], ...]:
    """Return the verdict on whether as many groups are far out as the population has it."""
    return ((fit.name, top_groups.fit(fit.groups)),)


def _pictures(fit: ManyGroupsCrosscheck, axes: dict[str, str]) -> dict[str, Picture]:
    """Show how many groups are where, before and after."""
    caption = (
        "How many groups there are, raw means on the left and posterior means on the right, against what is known of "
        "each. The outermost 0.05% of the raw means on either side are not drawn."
    )
    return {"pooling": Picture(density_figures.before_and_after(fit.groups, **axes), caption)}


def _league_section(own: OwnTable, xlabel: str) -> Section:
    """Show the groups that are most likely among the top 1%."""
    fit = own.fit
    size = len(fit.groups)
    caption = (
        "How many groups have which mean, by themselves and pooled, on a scale of logs; dashed, where the top 1% of "
        "theta begin, with its 95% interval."
    )
    return Section(
        title="Which are truly extreme?",
        text=f"P(top 1%) is the probability that a group is among the {size // 100:,} with the "
        f"{'largest' if fit.best == 'high' else 'smallest'} theta of all {size:,}. These begin at a theta of "
        f"{median_and_interval(fit.threshold)}.{own_table.rests_on_prior(own)}",
        figures={"extremes": Picture(density_figures.extremes(fit.groups, fit.threshold, xlabel=xlabel), caption)},
        table=_in_order(fit).head(LISTED).drop(columns=["kappa_sd", "p_as_small"]).dropna(axis=1, how="all"),
        headings=own_table.headings(own),
        note=f"The first {LISTED}; all {size:,} are in groups.parquet. P(top 1%) is an average over "
        f"{fit.draws:,} joint draws of the coefficients and scales, each with a threshold of its own; its Monte "
        f"Carlo error is at most {rounded(fit.groups['mcse_p_top'].max())}. All else is exact. {any_model.INTERVALS} "
        f"Their ends are good to {bound(max(fit.off, 1e-13))} of a posterior's width.",
    )


def _discoveries_section(fit: ManyGroupsCrosscheck) -> Section:
    """Say what a list of the likeliest is worth."""
    p, size = fit.groups["p_top"], len(fit.groups) // 100
    title, expected = "What is a list of them worth?", (1 - p.nlargest(size)).sum()
    text = (
        f"Of the {size:,} groups that are likeliest in the top 1% the posterior expects {expected:,.0f} not to be "
        "there. Lists of which fewer are wrong are shorter."
    )
    lists = top_groups.discoveries(p.to_numpy())
    if lists.empty:
        return Section(title=title, text=text, note="No list, however short, is expected to be right by half.")
    return Section(
        title=title,
        text=text,
        table=lists.assign(**{"groups in the list": lists["groups in the list"].map("{:,}".format)}),
        formats={"least p_top": Style.PROBABILITY},
        note="Each list holds the groups with the largest P(top 1%); expected false is the sum of its complements.",
    )


def _population_section(own: OwnTable) -> Section:
    """Say whether the groups are spread as the population says."""
    fit = own.fit
    tail, expected = top_groups.two_sided(fit.groups), top_groups.FAR * len(fit.groups)
    odd = fit.groups.assign(**{"two-sided P": tail}).nsmallest(UNEXPECTED, "two-sided P")
    columns = ["label", "n", "standard_error", "estimate", "theta_mean", "two-sided P"]
    caption = (
        "Where each group's mean lies in what the population foretells for a group of its size, in fifty bins; dotted, "
        "three standard errors of a bin's count about what is expected."
    )
    return Section(
        title="Would the model produce data like these?",
        text="If the population is normal and the noise as stated, these places are spread evenly. "
        f"Among the outermost 0.1% on both sides together lie {int((tail < top_groups.FAR).sum()):,} groups, where "
        f"{expected:,.1f} are expected.",
        figures={"places": Picture(density_figures.places(fit.groups["p_as_small"]), caption)},
        table=odd[columns].dropna(axis=1),
        formats={"two-sided P": Style.PROBABILITY},
        headings=own_table.headings(own),
        note=f"The {UNEXPECTED} that are foretold least, before one allows for the number of groups.",
    )
