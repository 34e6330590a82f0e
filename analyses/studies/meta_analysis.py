"""Anyone's estimates with their standard errors."""

import pandas as pd

from analyses.checks import chance, heterogeneity
from analyses.engines.inference_data import MANY
from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.ingest.request import Request
from analyses.report.numbers import median_and_interval
from analyses.report.pages import Page, Section
from analyses.studies.sections import own_page, own_table
from analyses.studies.sections.own_table import OwnTable, Story
from models.groups import Groups
from models.propriety import says_nothing_of_tau


def page(settings: Settings) -> Page:
    """Tell the common effect of the estimates in a file, and how much effects differ."""
    return own_page.page(STORY, ExactFit.of_table(settings.request, settings))


def question(groups: Groups) -> str:
    """Ask what so many estimates have in common, or, of very many, which are extreme."""
    ask = "what is the common effect, and do they differ by more than their errors?"
    if len(groups) > MANY:
        ask = "do they differ by more than their errors, and which are truly extreme?"
    return f"{len(groups):,} estimates with their standard errors: {ask}"


def headline(own: OwnTable) -> str:
    """Say what the mean effect is, and how much effects differ, where the data inform that."""
    mu, tau = (own.figure(own.fit.reference.loc[(name, "")]) for name in ("mu", "tau"))
    where = own_table.origin(own.exact.prepared)
    if says_nothing_of_tau(own.exact.posterior.model):
        return f"The mean effect{where} is {mu}. {own_table.UNINFORMED}"
    return f"The mean effect{where} is {mu}, the standard deviation between effects {tau}."


def axes(request: Request) -> dict[str, str]:
    """Draw estimates against their standard errors, in the words of the table."""
    return {
        "against": "standard_error",
        "xlabel": request.axis(request.columns.get("se", "standard error")),
        "ylabel": request.axis(request.value_name),
    }


def variation(own: OwnTable) -> Section:
    """Say whether estimates differ by more than their errors, with the prior and without."""
    title, tau = "Do they differ by more than their errors?", own.fit.reference.loc[("tau", "")]
    predictions = own_table.predicted(own).query("variable == 'new_theta'")
    once = len(predictions) == 1
    new = median_and_interval(predictions.iloc[0]) if once else "in the table of what comes next"
    try:
        q = heterogeneity.table(own.exact.prepared.model.groups)
    except ValueError as error:
        return Section(title=title, text=f"There is no Q: {error}. The effect of another study is {new}.")
    moments, low, high = (own.exact.prepared.units.spread("tau", value) for value in (q.tau, q.low, q.high))
    rows = [
        ("posterior", tau["q50"], tau["q2_5"], tau["q97_5"]),
        ("moments, and Q profile", moments, low, high),
    ]
    return Section(
        title=title,
        text=f"Q is {q.q:.2f} on {q.df} degrees of freedom ({chance(q.p)}), so {100 * q.i2:.0f}% of the variation is "
        f"more than error (I²). tau is {median_and_interval(tau)}. The effect of another study, for which the interval "
        f"of mu is too short, is {new}.",
        table=pd.DataFrame(rows, columns=["tau by", "estimate", "q2_5", "q97_5"]),
        note="The posterior's median and equal-tailed 95% interval; DerSimonian and Laird's estimate and the interval "
        "of tau at which Q is between its 2.5 and 97.5% points: none where they differ less than errors would have "
        "them.",
    )


STORY = Story(
    name="meta_analysis",
    title="Estimates",
    likelihood="y_i ~ N(theta_i, se_i²)",
    axes=axes,
    noun="estimate",
    doubts="Standard errors are taken for known and estimates for normal and independent: small studies, ratios that "
    "are not on a scale of logs, or several estimates of one study break that. Effects are taken for draws from a "
    "population, normal about its mean. And what was never published is not in the table: no model of those that were "
    "can tell.",
    question=question,
    headline=headline,
    variation=variation,
)
