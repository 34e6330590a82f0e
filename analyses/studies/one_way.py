"""Anyone's rows in groups, or averages of groups."""

import numpy as np
import pandas as pd

from analyses.fits.fit import MANY, ManyGroupsFit, Settings, TwoLevelFit
from analyses.ingest import build_model
from analyses.ingest.build_model import Prepared
from analyses.report.pages import Page, Section
from analyses.studies.sections import any_model, many_groups, own_table

LIKELIHOOD = "y_ij ~ N(theta_i, sigma²)"
DOUBTS = (
    "Groups are taken for draws from one population, normal about its mean: one that is known to be of another kind "
    "should have a covariate. Values are taken for normal about their group's mean, independent, and equally scattered "
    "in all groups. Whether those in the table stand for their group, no model can tell; and a rank is far less "
    "certain than a mean."
)


def page(settings: Settings) -> Page:
    """TwoLevelFit for a table of one's own."""
    prepared = build_model.one_way(settings.asked, show=settings.progress)
    if len(prepared.model.groups) > MANY:
        return of_many(prepared, settings)
    inside, found = own_table.answered("one_way", prepared, settings)
    model, g = prepared.model, prepared.model.groups
    sigma = model.initial_scales["sigma"]
    others = own_table.relative_priors() if model.relative else own_table.absolute_priors(prepared, sigma)
    scale = "the usual ones" if model.relative else "about sigma's size"
    return Page(
        name="one_way",
        title=f"Groups in {settings.asked.path.name}",
        question=question(g),
        sentence=sentence(inside, found),
        sections=(
            own_table.the_model(prepared, LIKELIHOOD),
            own_table.raw_and_pooled(found, against="n", xlabel="values in the group", ylabel="mean of the group"),
            *own_table.coefficients(inside, found),
            variation(inside, found),
            own_table.league(found),
            *own_table.comparisons(prepared, inside, settings),
            own_table.what_comes_next(found),
            own_table.others_say(prepared, inside),
            own_table.other_priors(prepared, others, scale),
            own_table.by_restricted_likelihood(prepared, inside, found),
            any_model.predictive_section(found),
        ),
        machinery=(any_model.agreement_section(found), any_model.rank_section(found, ("mu", *model.unknown))),
        picture=own_table.picture(found),
        doubts=DOUBTS,
        read=prepared.read,
        fits=(found,),
        model_checks=any_model.fit(found),
        warnings=prepared.warnings,
    )


def of_many(prepared: Prepared, settings: Settings) -> Page:
    """The same of very many groups."""
    inside, found, left_out = many_groups.answered("one_way", prepared, settings)
    model, g = prepared.model, prepared.model.groups
    others = (
        own_table.relative_priors()
        if model.relative
        else own_table.absolute_priors(prepared, model.initial_scales["sigma"])
    )
    mean = "mean of the group"
    return Page(
        name="one_way",
        title=f"Groups in {settings.asked.path.name}",
        question=question(g),
        sentence=f"{how_much(inside, found)} {many_groups.first(found)}",
        sections=(
            own_table.the_model(prepared, LIKELIHOOD),
            many_groups.what_pooling_does(found, against="n", xlabel="values in the group", ylabel=mean),
            *own_table.coefficients(inside, found),
            variation(inside, found),
            many_groups.league(found, xlabel=mean),
            many_groups.discoveries(found),
            *own_table.comparisons(prepared, inside, settings),
            own_table.what_comes_next(found),
            many_groups.foretold(found),
            own_table.other_priors(prepared, others, "the usual ones" if model.relative else "about sigma's size"),
            own_table.by_restricted_likelihood(prepared, inside, found),
        ),
        machinery=many_groups.routes(found, ("mu", *model.unknown)),
        picture="pooling",
        doubts=DOUBTS,
        read=prepared.read,
        fits=(found,),
        model_checks=(many_groups.spread_of_places(found),),
        warnings=(*prepared.warnings, *left_out),
    )


def question(g) -> str:
    """What is asked of so many values."""
    return (
        f"{int(g.n.sum()):,} values in {len(g):,} groups of {int(g.n.min()):,} to {int(g.n.max()):,}: how do the "
        "groups "
        "differ?"
    )


def sentence(inside: TwoLevelFit, found: TwoLevelFit) -> str:
    """Give the answer in a sentence or two."""
    return f"{how_much(inside, found)} {own_table.first(found)}"


def how_much(inside: TwoLevelFit | ManyGroupsFit, found: TwoLevelFit | ManyGroupsFit) -> str:
    """Say how much groups differ."""
    spread, sigma = (own_table.between(found.reference.loc[(name, "")]) for name in ("sd_between", "sigma"))
    low, middle, high = (100 * inside.posterior.intraclass().quantile(p)[0] for p in (0.025, 0.5, 0.975))
    return (
        f"Groups differ with a standard deviation of {spread}, values of one group with {sigma}: {middle:.0f}% of the "
        f"variance ({low:.0f} to {high:.0f}%) lies between groups."
    )


def variation(inside: TwoLevelFit | ManyGroupsFit, found: TwoLevelFit | ManyGroupsFit) -> Section:
    """Say how much of the variance lies between groups."""
    law = inside.posterior.intraclass()
    columns = {"mean": law.mean, "sd": law.sd} | {
        name: law.quantile(p) for name, p in (("q2_5", 0.025), ("q50", 0.5), ("q97_5", 0.975))
    }
    share = pd.DataFrame({"quantity": ["intraclass correlation"]} | {name: np.ravel(v) for name, v in columns.items()})
    rows = found.reference.loc[["sd_between", "sigma"], own_table.QUANTITY].reset_index()
    rows = rows.rename(columns={"variable": "quantity"}).drop(columns="label")
    return Section(
        title="Between and within",
        text="The intraclass correlation is the share of the variance of a value that lies between groups, and the "
        "correlation of two values of one group: sd_between² / (sd_between² + sigma²).",
        table=any_model.existing(pd.concat([rows, share], ignore_index=True)),
        note=f"Exact. {any_model.INTERVALS}",
    )
