"""Batting averages of 18 players (seed 003)."""

import numpy as np
import pandas as pd

from analyses.checks import agreement, shrinkage
from analyses.engines import direct
from analyses.report import figures
from analyses.report.pages import Page, Section
from analyses.routes import Answer, Settings, answer
from analyses.studies import common
from models import baseball

THIN = 40  # sweeps a draw: as with the eight schools, but tau keeps farther from 0
MANY = 25_000  # draws a chain for the printed table: its Monte Carlo error is then below a unit of its last digit

# 2.5%, median and 97.5% of each player as the source prints them, in the order of the table.
PRINTED = np.array(
    [
        *([0.239, 0.309, 0.418], [0.234, 0.299, 0.403], [0.227, 0.294, 0.391], [0.219, 0.286, 0.380]),
        *([0.209, 0.279, 0.365], [0.211, 0.279, 0.367], [0.200, 0.272, 0.355], [0.190, 0.266, 0.343]),
        *([0.178, 0.259, 0.332], [0.177, 0.259, 0.330], [0.166, 0.253, 0.322], [0.164, 0.253, 0.321]),
        *([0.165, 0.252, 0.321], [0.165, 0.253, 0.322], [0.166, 0.253, 0.323], [0.152, 0.246, 0.313]),
        *([0.143, 0.240, 0.304], [0.130, 0.231, 0.298]),
    ]
)


def page(settings: Settings) -> Page:
    """Answer the lecture's example."""
    found = answer("baseball", baseball.statement(), settings, best="high", thin=THIN)
    tree = direct.sample(found.model, rng=settings.rng("direct"))
    methods, metropolis, _ = common.other_methods(found, settings, thin=20)
    return Page(
        name="baseball",
        title="Batting averages: what 45 at-bats are worth",
        question="Eighteen players' averages after 45 at-bats: what will they bat for the rest of the season?",
        sentence=sentence(found),
        sections=(
            rest_of_season(found),
            raw_and_pooled(found),
            printed_table(settings),
            common.agreement_section(found),
            common.rank_section(found, ("mu", "tau")),
            methods,
            common.predictive_section(found),
            common.prediction_section(found),
            common.league_section(found, shrinkage.sentence(found.groups, best=found.best, dim="player")),
        ),
        data=("baseball",),
        fits=(found,),
        more=(("baseball", agreement.verdict(agreement.table(tree, found.reference))), ("baseball", metropolis)),
    )


def james_stein(groups) -> np.ndarray:
    """Efron and Morris's estimates: 1 - (k - 3) sigma^2 / sum of squares is what each keeps of its own deviation."""
    deviation = groups.mean - groups.mean.mean()
    return groups.mean.mean() + (1 - (len(groups) - 3) * groups.noise[0] / np.sum(deviation**2)) * deviation


def sentence(found: Answer) -> str:
    """Give the answer in a sentence."""
    rest, raw = baseball.averages()["rest_of_season"].to_numpy(), found.model.groups.mean
    pooled = found.groups["theta_mean"].to_numpy()
    better = int(np.sum(np.abs(pooled - rest) < np.abs(raw - rest)))
    first = found.groups.iloc[0]
    return (
        f"Not what they have batted so far: pooled, {first['label']}'s {first['estimate']:.3f} becomes "
        f"{first['theta_mean']:.3f}, {better} of the 18 players come nearer to their average over the rest of the "
        f"season, and the sum of squared errors falls from {np.sum((raw - rest) ** 2):.3f} to "
        f"{np.sum((pooled - rest) ** 2):.3f}."
    )


def rest_of_season(found: Answer) -> Section:
    """Hold raw averages, Bayes and James-Stein against what came after."""
    t = baseball.averages()
    estimates = {
        "average after 45": t["average"].to_numpy(),
        "posterior mean": found.groups["theta_mean"].to_numpy(),
        "James-Stein": james_stein(found.model.groups),
    }
    rest, raw = t["rest_of_season"].to_numpy(), t["average"].to_numpy()
    rows = [
        (name, np.sum((e - rest) ** 2), int(np.sum(np.abs(e - rest) < np.abs(raw - rest))))
        for name, e in estimates.items()
    ]
    return Section(
        title="What came after",
        text="The rest of the season shows how good each player was, nearly. What the source calls mean squared error "
        "is this sum of squares; what it calls true ability are the averages over the rest of the season.",
        table=pd.DataFrame(rows, columns=["estimate", "sum of squared errors", "players nearer than by their average"]),
    )


def raw_and_pooled(found: Answer) -> Section:
    """Show where each average goes, and what the player batted afterwards."""
    rest = baseball.averages()["rest_of_season"].to_numpy()
    caption = "From the average after 45 at-bats to the posterior mean; in red what the player batted afterwards."
    return Section(
        title="Everybody towards the middle",
        text="All standard errors are equal, so all averages keep the same share of their distance from the mean: "
        f"{1 - found.groups['kappa_mean'].iloc[0]:.2f}.",
        figures={"pooled": (figures.before_and_after(found.groups, rest, ylabel="batting average"), caption)},
    )


def printed_table(settings: Settings) -> Section:
    """Find the reading of the source's misprints that reproduces its table."""
    readings = {}
    for sigma in (baseball.PRINTED, baseball.binomial()):
        model = baseball.statement(sigma=sigma)
        for name, sampler in (("truncated", direct.sample), ("clipped at 0", direct.sample_clipped)):
            tree = sampler(model, draws=MANY, rng=settings.rng("printed", name, f"{sigma:.4f}"))
            theta = tree["posterior"]["theta"].values.reshape(-1, len(PRINTED))
            quantiles = np.quantile(theta, [0.025, 0.5, 0.975], axis=0).T
            readings[f"sigma = {sigma:.4f}, tau² {name}"] = np.sqrt(np.mean((quantiles - PRINTED) ** 2))
    best = min(readings, key=readings.get)
    return Section(
        title="The printed table",
        text="The source prints sigma² = 0.6², which cannot be, and draws tau² from a law that has to be cut off at 0. "
        f"Of four readings, {best} comes nearest to its intervals and medians, with a root mean square difference of "
        f"{readings[best]:.4f}. Clipped means that negative tau² were set to 0; that is not the posterior.",
        table=pd.DataFrame(list(readings.items()), columns=["reading", "rms difference from the print"]),
    )
