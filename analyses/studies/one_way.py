"""Anyone's rows in groups, or averages of groups."""

import numpy as np
import pandas as pd

from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.ingest.request import Request
from analyses.report.pages import Page, Section
from analyses.studies.sections import own_page, own_table
from analyses.studies.sections.any_model import INTERVALS, MOMENTS, mark_undefined, moments_and_quantiles
from analyses.studies.sections.own_table import OwnTable, Story
from models.groups import Groups
from models.propriety import says_nothing_of_tau


def page(settings: Settings) -> Page:
    """Tell how the groups of a file differ."""
    return own_page.page(STORY, ExactFit.of_table(settings.request, settings))


def question(groups: Groups) -> str:
    """Ask how so many groups differ."""
    return (
        f"{int(groups.n.sum()):,} values in {len(groups):,} groups of {int(groups.n.min()):,} to "
        f"{int(groups.n.max()):,}: how do the groups differ?"
    )


def headline(own: OwnTable) -> str:
    """Say how much groups differ, where the data inform that."""
    if says_nothing_of_tau(own.exact.posterior.model):
        return f"{own_table.UNINFORMED} The same holds for the share of the variance between groups."
    between, sigma = (own.figure(own.fit.reference.loc[(name, "")]) for name in ("sd_between", "sigma"))
    low, middle, high = (100 * own.exact.posterior.intraclass().quantile(p)[0] for p in (0.025, 0.5, 0.975))
    return (
        f"Groups differ with a standard deviation of {between}, values of one group with {sigma}: {middle:.0f}% of the "
        f"variance ({low:.0f} to {high:.0f}%) lies between groups."
    )


def axes(request: Request) -> dict[str, str]:
    """Draw means against how many values are behind each, in the words of the table."""
    return {
        "against": "n",
        "xlabel": request.columns.get("n", f"values per {request.group_name}"),
        "ylabel": request.axis(request.value_name),
    }


def variation(own: OwnTable) -> Section:
    """Say how much of the variance lies between groups."""
    rows = own.fit.reference.loc[["sd_between", "sigma"], MOMENTS].rename_axis(["quantity", "label"])
    share = moments_and_quantiles(own.exact.posterior.intraclass())
    share = pd.DataFrame({"quantity": "intraclass correlation"} | {name: np.ravel(v) for name, v in share.items()})
    return Section(
        title="Between and within",
        text="The intraclass correlation is the share of the variance of a value that lies between groups, and the "
        "correlation of two values of one group: sd_between² / (sd_between² + sigma²).",
        table=mark_undefined(pd.concat([rows.reset_index().drop(columns="label"), share], ignore_index=True)),
        note=f"Exact. {INTERVALS}",
    )


STORY = Story(
    name="one_way",
    title="Groups",
    likelihood="y_ij ~ N(theta_i, sigma²)",
    axes=axes,
    noun="average",
    doubts="Groups are taken for draws from one population, normal about its mean: one that is known to be of another "
    "kind should have a covariate. Values are taken for normal about their group's mean, independent, and equally "
    "scattered in all groups. Whether those in the table stand for their group, no model can tell; and a rank is far "
    "less certain than a mean.",
    question=question,
    headline=headline,
    variation=variation,
)
