"""Batting averages of 18 players (seed 003)."""

import numpy as np
import pandas as pd

from analyses.checks import agreement, shrinkage
from analyses.engines import direct_sampling, empirical_bayes
from analyses.fits.fit import Settings, TwoLevelFit, fit_two_level
from analyses.published import lecture
from analyses.report import figures
from analyses.report.pages import Page, Section
from analyses.studies.sections import any_model
from models import baseball

THIN = 40  # sweeps a draw: as with the eight schools, but tau keeps farther from 0


def page(settings: Settings) -> Page:
    """TwoLevelFit the lecture's example."""
    found = fit_two_level("baseball", baseball.model(), settings, best="high", thin=THIN)
    tree = direct_sampling.sample(found.model, rng=settings.rng("direct"))
    methods, metropolis, _ = any_model.other_methods(found, settings, thin=20)
    return Page(
        name="baseball",
        title="Batting averages: what 45 at-bats are worth",
        question="Eighteen players' averages after 45 at-bats: what will they bat for the rest of the season?",
        sentence=sentence(found),
        sections=(
            rest_of_season(found),
            raw_and_pooled(found),
            printed_table(),
            any_model.league_section(found, shrinkage.sentence(found.groups, best=found.best, dim="player")),
            any_model.predictive_section(found),
            any_model.prediction_section(found),
        ),
        machinery=(
            any_model.agreement_section(found),
            any_model.rank_section(found, ("mu", "tau")),
            methods,
        ),
        picture="pooled",
        doubts="An average of 45 at-bats is taken for normal with a known standard error, the same for all, where it "
        "is a proportion and hangs on the player's ability. The players are those who had 45 at-bats on one day, not a "
        "sample of all; and the rest of a season is not the ability itself either.",
        data=("baseball",),
        fits=(found,),
        more=(("baseball", agreement.verdict(agreement.table(tree, found.reference))), ("baseball", metropolis)),
        model_checks=any_model.fit(found),
    )


def sentence(found: TwoLevelFit) -> str:
    """Give the answer in a sentence."""
    rest, raw = baseball.averages()["rest_of_season"].to_numpy(), found.model.groups.mean
    pooled = found.groups["theta_mean"].to_numpy()
    better = int(np.sum(np.abs(pooled - rest) < np.abs(raw - rest)))
    first = found.groups.iloc[0]
    return (
        f"Not what they have batted so far: pooled, {first['label']}'s {first['estimate']:.3f} becomes "
        f"{first['theta_mean']:.3f}, {better} of the {len(raw)} players come nearer to their average over the rest of "
        f"the season, and the sum of squared errors goes from {np.sum((raw - rest) ** 2):.3f} to "
        f"{np.sum((pooled - rest) ** 2):.3f}."
    )


def rest_of_season(found: TwoLevelFit) -> Section:
    """Hold raw averages, Bayes and James-Stein against what came after."""
    t = baseball.averages()
    estimates = {
        "average after 45": t["average"].to_numpy(),
        "the same for all, their mean": np.full(len(t), t["average"].mean()),
        "posterior mean": found.groups["theta_mean"].to_numpy(),
        "empirical Bayes": empirical_bayes.by_moments(found.model.groups),
        "James-Stein": empirical_bayes.james_stein(found.model.groups),
    }
    rest, raw = t["rest_of_season"].to_numpy(), t["average"].to_numpy()
    rows = [
        (name, np.sum((e - rest) ** 2), int(np.sum(np.abs(e - rest) < np.abs(raw - rest))))
        for name, e in estimates.items()
    ]
    return Section(
        title="What came after",
        text=f"Here sigma is the binomial {baseball.binomial():.4f}; the source's {baseball.PRINTED} is looked at "
        "below. The rest of the season shows how good each player was, nearly. Giving all players the common mean "
        "goes most of the way: eighteen players are too few to show that partial pooling does better than complete. "
        "What the source calls mean squared error is this sum of squares; what it calls final averages are, in "
        "Efron and Morris's table, those over the rest.",
        table=pd.DataFrame(rows, columns=["estimate", "sum of squared errors", "players nearer than by their average"]),
    )


def raw_and_pooled(found: TwoLevelFit) -> Section:
    """Show where each average goes, and what the player batted afterwards."""
    rest = baseball.averages()["rest_of_season"].to_numpy()
    caption = "From the average after 45 at-bats to the posterior mean; in red what the player batted afterwards."
    return Section(
        title="Everybody towards the middle",
        text="All standard errors are equal, so all averages keep the same share of their distance from the mean: "
        f"{1 - found.groups['kappa_mean'].iloc[0]:.2f}.",
        figures={"pooled": (figures.before_and_after(found.groups, rest, ylabel="batting average"), caption)},
    )


def printed_table() -> Section:
    """Find the reading of the source's misprints that reproduces its table."""
    found = lecture.readings(lecture.printed_quantiles())
    rows = [(f"sigma = {sigma:.4f}, tau² {name}", off) for (sigma, name), off in found.items()]
    best, off = min(rows, key=lambda row: row[1])
    return Section(
        title="The printed table",
        text="The source prints sigma² = 0.6², which cannot be, and draws tau² from a law that has to be cut off at 0. "
        f"Of four readings, {best} comes nearest to its intervals and medians, with a root mean square difference of "
        f"{off:.4f}. Clipped means that negative tau² were set to 0; that is not the posterior. Each printed figure "
        "has its verdict on the page on what the sources print.",
        table=pd.DataFrame(rows, columns=["reading", "rms difference from the print"]),
    )
