"""Anyone's estimates with their standard errors."""

import numpy as np
import pandas as pd

from analyses.checks import chance, heterogeneity
from analyses.fits.fit import MANY, ManyGroupsFit, Settings, TwoLevelFit
from analyses.ingest import build_model
from analyses.ingest.build_model import Prepared
from analyses.report.pages import Page, Section
from analyses.studies.sections import any_model, many_groups, own_table

LIKELIHOOD = "y_i ~ N(theta_i, se_i²)"
DOUBTS = (
    "Standard errors are taken for known and estimates for normal and independent: small studies, ratios that are not "
    "on a scale of logs, or several estimates of one study break that. Effects are taken for draws from a population, "
    "normal about its mean. And what was never published is not in the table: no model of those that were can tell."
)


def page(settings: Settings) -> Page:
    """TwoLevelFit for a table of one's own."""
    prepared = build_model.meta_analysis(settings.asked)
    if len(prepared.model.groups) > MANY:
        return of_many(prepared, settings)
    inside, found = own_table.answered("meta_analysis", prepared, settings)
    g = prepared.model.groups
    others = own_table.absolute_priors(prepared, float(np.median(g.standard_error)))
    return Page(
        name="meta_analysis",
        title=f"Estimates in {settings.asked.path.name}",
        question=f"{len(g):,} estimates with their standard errors: what is the common effect, and do they differ by "
        "more than their errors?",
        sentence=sentence(found),
        sections=(
            own_table.the_model(prepared, LIKELIHOOD),
            own_table.raw_and_pooled(found, against="standard_error", xlabel="standard error", ylabel="effect"),
            *own_table.coefficients(inside, found),
            variation(prepared, found),
            own_table.league(found),
            *own_table.comparisons(prepared, inside, settings),
            own_table.what_comes_next(found),
            own_table.others_say(prepared, inside),
            own_table.other_priors(prepared, others, "the median standard error"),
            own_table.by_restricted_likelihood(prepared, inside, found),
            any_model.predictive_section(found),
        ),
        machinery=(any_model.agreement_section(found), any_model.rank_section(found, ("mu", "tau"))),
        picture=own_table.picture(found),
        doubts=DOUBTS,
        read=prepared.read,
        fits=(found,),
        model_checks=any_model.fit(found),
        warnings=prepared.warnings,
    )


def of_many(prepared: Prepared, settings: Settings) -> Page:
    """The same of very many estimates."""
    inside, found, left_out = many_groups.answered("meta_analysis", prepared, settings)
    g = prepared.model.groups
    return Page(
        name="meta_analysis",
        title=f"Estimates in {settings.asked.path.name}",
        question=f"{len(g):,} estimates with their standard errors: do they differ by more than their errors, and "
        "which "
        "are truly extreme?",
        sentence=f"{how_much(found)} {many_groups.first(found)}",
        sections=(
            own_table.the_model(prepared, LIKELIHOOD),
            many_groups.what_pooling_does(found, against="standard_error", xlabel="standard error", ylabel="effect"),
            *own_table.coefficients(inside, found),
            variation(prepared, found),
            many_groups.league(found, xlabel="effect"),
            many_groups.discoveries(found),
            *own_table.comparisons(prepared, inside, settings),
            own_table.what_comes_next(found),
            many_groups.foretold(found),
            own_table.by_restricted_likelihood(prepared, inside, found),
        ),
        machinery=many_groups.routes(found, ("mu", "tau")),
        picture="pooling",
        doubts=DOUBTS,
        read=prepared.read,
        fits=(found,),
        model_checks=(many_groups.spread_of_places(found),),
        warnings=(*prepared.warnings, *left_out),
    )


def sentence(found: TwoLevelFit) -> str:
    """Give the answer in a sentence or two."""
    return f"{how_much(found)} {own_table.first(found)}"


def how_much(found: TwoLevelFit | ManyGroupsFit) -> str:
    """Say what the mean effect is, and how much effects differ."""
    mu, tau = (own_table.between(found.reference.loc[(name, "")]) for name in ("mu", "tau"))
    where = " where every covariate is 0" if found.model.groups.covariates else ""
    return f"The mean effect{where} is {mu}, the standard deviation between effects {tau}."


def variation(prepared: Prepared, found: TwoLevelFit | ManyGroupsFit) -> Section:
    """Say whether estimates differ by more than their errors, with the prior and without."""
    tau, unit = found.reference.loc[("tau", "")], float(prepared.units.unit)
    new = found.predictions[(found.predictions["variable"] == "new_theta") & (found.predictions["engine"] == "exact")]
    ahead = own_table.between(new.iloc[0]) if len(new) == 1 else "in the table of what comes next"
    title = "Do they differ by more than their errors?"
    try:
        by_q = heterogeneity.table(prepared.model.groups)
    except ValueError as error:
        return Section(title=title, text=f"There is no Q: {error}. The effect of another study is {ahead}.")
    low, high, moments = (unit * v for v in (by_q.low, by_q.high, by_q.tau))
    rows = [
        ("posterior", tau["q50"], tau["q2_5"], tau["q97_5"]),
        ("moments, and Q profile", moments, low, high),
    ]
    return Section(
        title=title,
        text=f"Q is {by_q.q:.2f} on {by_q.df} degrees of freedom ({chance(by_q.p)}), so {100 * by_q.i2:.0f}% of the "
        f"variation is more than error (I²). tau is {own_table.between(tau)}. "
        "The effect of another study, for which the interval of mu is too short, "
        f"is {ahead}.",
        table=pd.DataFrame(rows, columns=["tau by", "estimate", "q2_5", "q97_5"]),
        note="The posterior's median and equal-tailed 95% interval; DerSimonian and Laird's estimate and the interval "
        "of tau at which Q is between its 2.5 and 97.5% points: none where they differ less than errors would have "
        "them.",
    )
