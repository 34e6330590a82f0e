"""Batting averages of 18 players (seed 003)."""

import numpy as np
import pandas as pd

from analyses.checks import agreement
from analyses.engines import direct_sampling, empirical_bayes
from analyses.fits import crosscheck
from analyses.fits.crosscheck import TwoLevelCrosscheck
from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.published import lecture
from analyses.report import figures
from analyses.report.pages import Page, Picture, Section
from analyses.studies.sections import any_model
from analyses.studies.sections.other_methods import compare_methods
from models import baseball

THIN = 40  # sweeps a draw: as with the eight schools, but tau keeps farther from 0


def page(settings: Settings) -> Page:
    """Answer the lecture's example."""
    fit = crosscheck.two_level(ExactFit.of_model("baseball", baseball.model(), settings), best="high", thin=THIN)
    direct = direct_sampling.sample(fit.model, rng=settings.rng("direct"))
    methods = compare_methods(fit, settings)
    return Page(
        name="baseball",
        title="Batting averages: what 45 at-bats are worth",
        question="Eighteen players' averages after 45 at-bats: what will they bat for the rest of the season?",
        sentence=sentence(fit),
        sections=(
            rest_of_season(fit),
            raw_and_pooled(fit),
            printed_table(),
            any_model.league_section(fit, "player"),
            any_model.predictive_section(fit),
            any_model.prediction_section(fit),
        ),
        machinery=(*any_model.routes(fit, ("mu", "tau")), methods.section, any_model.code_section(baseball.code())),
        picture="pooled",
        doubts="An average of 45 at-bats is taken for normal with a known standard error, the same for all, where it "
        "is a proportion and hangs on the player's ability. The players are those who had 45 at-bats on one day, not a "
        "sample of all; and the rest of a season is not the ability itself either.",
        data=("baseball",),
        fits=(fit,),
        more=(("baseball", agreement.verdict(agreement.table(direct, fit.reference))), methods.verdict),
        model_checks=any_model.model_checks(fit),
    )


def squared_error(estimate: np.ndarray) -> float:
    """Sum of squared errors of estimates of the rest of the season."""
    return float(np.sum((estimate - baseball.averages()["rest_of_season"].to_numpy()) ** 2))


def number_nearer(estimate: np.ndarray) -> int:
    """Number of players whose rest of the season is nearer to the estimate than to their average so far."""
    t = baseball.averages()
    rest, raw = t["rest_of_season"].to_numpy(), t["average"].to_numpy()
    return int(np.sum(np.abs(estimate - rest) < np.abs(raw - rest)))


def sentence(fit: TwoLevelCrosscheck) -> str:
    """Give the answer in a sentence."""
    raw, pooled, first = fit.model.groups.mean, fit.groups["theta_mean"].to_numpy(), fit.groups.iloc[0]
    return (
        f"Not what they have batted so far: pooled, {first['label']}'s {first['estimate']:.3f} becomes "
        f"{first['theta_mean']:.3f}, {number_nearer(pooled)} of the {len(raw)} players come nearer to their average "
        f"over the rest of the season, and the sum of squared errors goes from {squared_error(raw):.3f} to "
        f"{squared_error(pooled):.3f}."
    )


def rest_of_season(fit: TwoLevelCrosscheck) -> Section:
    """Compare raw averages, Bayes and James-Stein with what came after."""
    raw = baseball.averages()["average"].to_numpy()
    estimates = {
        "average after 45": raw,
        "the same for all, their mean": np.full(len(raw), raw.mean()),
        "posterior mean": fit.groups["theta_mean"].to_numpy(),
        "empirical Bayes": empirical_bayes.by_moments(fit.model.groups),
        "James-Stein": empirical_bayes.james_stein(fit.model.groups),
    }
    rows = [(name, squared_error(estimate), number_nearer(estimate)) for name, estimate in estimates.items()]
    return Section(
        title="What came after",
        text=f"Here sigma is the binomial {baseball.binomial():.4f}; the source's {baseball.PRINTED} is looked at "
        "below. The rest of the season shows how good each player was, nearly. Giving all players the common mean "
        "goes most of the way: eighteen players are too few to show that partial pooling does better than complete. "
        "What the source calls mean squared error is this sum of squares; what it calls final averages are, in "
        "Efron and Morris's table, those over the rest.",
        table=pd.DataFrame(rows, columns=["estimate", "sum of squared errors", "players nearer than by their average"]),
    )


def raw_and_pooled(fit: TwoLevelCrosscheck) -> Section:
    """Show where each average goes, and what the player batted afterwards."""
    rest = baseball.averages()["rest_of_season"].to_numpy()
    caption = "From the average after 45 at-bats to the posterior mean; in red what the player batted afterwards."
    return Section(
        title="Everybody towards the middle",
        text="All standard errors are equal, so all averages keep the same share of their distance from the mean: "
        f"{1 - fit.groups['kappa_mean'].iloc[0]:.2f}.",
        figures={"pooled": Picture(figures.before_and_after(fit.groups, rest, ylabel="batting average"), caption)},
    )


def printed_table() -> Section:
    """Find the reading of the source's misprints that reproduces its table."""
    readings = lecture.readings(lecture.printed_quantiles())
    rows = [(f"sigma = {sigma:.4f}, tau² {name}", difference) for (sigma, name), difference in readings.items()]
    best, difference = min(rows, key=lambda row: row[1])
    return Section(
        title="The printed table",
        text="The source prints sigma² = 0.6², which cannot be, and draws tau² from a law that has to be cut off at 0. "
        f"Of four readings, {best} comes nearest to its intervals and medians, with a root mean square difference of "
        f"{difference:.4f}. Clipped means that negative tau² were set to 0; that is not the posterior. Each printed "
        "figure has its verdict on the page on what the sources print.",
        table=pd.DataFrame(rows, columns=["reading", "rms difference from the print"]),
    )
