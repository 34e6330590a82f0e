"""Do all schools share one variance, and what if each had its own (seed 000, part 1, F)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats

from analyses.checks import Verdict, agreement, chance, diagnostics, equal_variances, importance, leave_out, probability
from analyses.engines import unequal_variances
from analyses.engines.summary_tables import convergence
from analyses.fits.crosscheck import TwoLevelCrosscheck
from analyses.fits.settings import Settings
from analyses.report import figures
from analyses.report.columns import Style
from analyses.report.pages import Picture, Section
from analyses.studies.sections.draws import draw_by_engines
from models.unequal_variances import GRID, OwnVariances

DOUBTFUL = 0.05  # P below which a test speaks against a common variance
SHARE = 0.5  # of the draws of NUTS: with a hundred theta they take most of the study's time, and half are effective
EASY = {"target_accept": 0.8}  # with sigma_i and nu integrated out nothing is narrow, and steps may be long


@dataclass(frozen=True, eq=False)
class Remedy:
    """What a variance of its own for each school gives: sections and verdicts, none where no engine draws."""

    sections: tuple[Section, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


def tests_section(fit: TwoLevelCrosscheck, t: pd.DataFrame) -> Section:
    """Ask whether all schools have the same variance."""
    rows = equal_variances.table(fit.model.groups, t)
    p = rows.set_index("test")["p"]
    spread = fit.predictive.set_index("statistic").loc["spread of sds within groups", "p_above"].mean()
    doubts = ("none", "one", "two", "all")[(p < DOUBTFUL).sum()]
    return Section(
        title="F. Is sigma common to all schools?",
        text=f"The source says no. Of three tests {doubts} would say so at {DOUBTFUL}. Bartlett's test takes the "
        f"scores for normal and minds if they are not: {chance(p['Bartlett'])}. Levene's is more robust: "
        f"{chance(p['Levene'])}; Brown and Forsythe's the most: {chance(p['Brown and Forsythe'])}. Replicated data "
        f"have as large a spread of the schools' standard deviations with probability {probability(spread)}.",
        table=rows,
    )


def remedy(fit: TwoLevelCrosscheck, settings: Settings) -> Remedy:
    """Give each school its own variance, by every engine that was asked for, and see whether it predicts better."""
    model = OwnVariances(fit.model.groups)
    trees = draw_by_engines(
        settings,
        nuts=lambda: unequal_variances.by_nuts(model, **settings.nuts("own_variances", share=SHARE) | EASY),
        gibbs=lambda: unequal_variances.by_gibbs(model, rng=settings.rng("gibbs", "own_variances")),
    )
    if not trees:
        return Remedy()
    verdicts = [
        diagnostics.verdict(tree, convergence(tree["posterior"].dataset).reset_index()) for tree in trees.values()
    ]
    if len(trees) == 2:
        verdicts.append(agreement.verdict(agreement.between(trees["nuts"], trees["gibbs"])))
    tree = list(trees.values())[-1]
    weighed = _importance_sampling(model, tree)
    largest_k = _largest_k(weighed, tree)
    even = Verdict("leave_out", bool(np.isfinite(weighed.mcse_sum)), f"importance sampling: {largest_k}")
    sections = _sds_section(fit, tree), _predictive_section(fit, weighed, largest_k)
    return Remedy(sections, (*verdicts, even))


def _sds_section(fit: TwoLevelCrosscheck, tree: xr.DataTree) -> Section:
    """Show sample sds beside those of the model."""
    draws, g = tree["posterior"].dataset, fit.model.groups
    raw, sigma = np.sqrt(g.ss / g.df), draws["sigma"].mean(("chain", "draw")).values
    spread = np.quantile(draws["sigma"].std("school", ddof=1), [0.025, 0.5, 0.975])
    low, middle, high = np.exp(np.quantile(draws["log_nu"], [0.025, 0.5, 0.975], method="inverted_cdf"))
    caption = (
        "Standard deviation of each school's scores (circle) and posterior mean of its sigma where each has its own "
        "(dot), against the number of pupils; the dashed line is the common sigma."
    )
    end = "; the data set no upper limit, the end is that of the grid" if high == GRID[-1] else ""
    figure = figures.own_sds(g.n, raw, sigma, fit.reference.loc[("sigma", ""), "mean"])
    return Section(
        title="The remedy: a variance of its own for each school",
        text="Let sigma_i² come from an inverse gamma whose scale s² and shape nu/2 are learned, nu on a grid up to "
        f"{GRID[-1]:.0f}, where all sigma_i are next to equal. The data put nu at {middle:.0f}, from {low:.0f} to "
        f"{high:.0f} with probability 0.95, about a median, with p(nu) = 1/nu beforehand{end}. The schools' sample sds "
        f"have a spread of {raw.std(ddof=1):.1f} points; that of the sigma_i themselves is put at {spread[1]:.1f} "
        f"({spread[0]:.1f} to {spread[2]:.1f}), so most of it is noise. The dots, being pulled together, spread less.",
        figures={"own_sds": Picture(figure, caption)},
    )


def _importance_sampling(model: OwnVariances, tree: xr.DataTree) -> importance.Weighed:
    """Leave one school out by importance sampling, allowing for the dependence of draws in a chain."""
    log_predictive = unequal_variances.log_predictive(model, tree)
    chains = tree["posterior"].sizes["chain"]
    effective = array_stats.ess(log_predictive.T.reshape(-1, chains, len(log_predictive) // chains), method="mean")
    efficiency = min(1.0, float(np.min(effective)) / len(log_predictive))
    return importance.by_importance(log_predictive, efficiency=efficiency)


def _largest_k(weighed: importance.Weighed, tree: xr.DataTree) -> str:
    """Name the largest Pareto k beside its limit for so many draws."""
    limit = importance.largest_k(tree["posterior"].sizes["chain"] * tree["posterior"].sizes["draw"])
    return f"largest Pareto k {weighed.groups['pareto_k'].max():.2f}, limit {limit:.2f}"


def _predictive_section(fit: TwoLevelCrosscheck, weighed: importance.Weighed, largest_k: str) -> Section:
    """Compare the two models by what they say of each school from the others."""
    common, own, mcse = leave_out.exactly(fit.model), weighed.groups["log_density"], weighed.mcse_sum
    gain = own - common
    total, error, first = gain.sum(), np.sqrt(len(gain)) * gain.std(ddof=1), gain.idxmax()
    if not np.isfinite(mcse):
        answer = "The weights are too uneven to say which is better."
    elif abs(total) < 2 * np.hypot(error, mcse):
        answer = "The data do not say that sigma differs between schools: the common one will do."
    elif total > 0:
        answer = "Variances of their own predict better: sigma is not common."
    else:
        answer = "The common variance predicts better."
    rows = [
        ("common variance", common.sum(), np.nan, np.nan),
        ("own variances", own.sum(), total, error),
    ]
    return Section(
        title="Does it predict better?",
        text="Leave out one school, predict all its scores from the others, and add up the logs of the predictive "
        "densities: exactly for the common variance, as a ratio of two integrals over tau; by importance sampling over "
        f"the hyperparameters for the other ({largest_k}). Variances of their own gain {total:+.2f} with a standard "
        f"error of {error:.2f} and a Monte Carlo error of {mcse:.2f}; the school that gains most, "
        f"{fit.model.groups.labels[first]}, gains {gain[first]:.2f}. {answer}",
        table=pd.DataFrame(rows, columns=["model", "log predictive density", "gain", "standard error"]),
        formats={"gain": Style.VALUE, "standard error": Style.ERROR},
        note="The models differ in the prior of the spread between schools as well, flat in points here and inverse "
        "gamma in units of sigma there, which a hundred schools hardly feel.",
    )
