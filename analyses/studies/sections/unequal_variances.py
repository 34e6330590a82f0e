"""Do all schools share one variance, and what if each had its own (seed 000, part 1, F)."""

import numpy as np
import pandas as pd
from arviz_stats.base import array_stats

from analyses.checks import Verdict, agreement, chance, diagnostics, equal_variances, importance, leave_out, probability
from analyses.engines import unequal_variances
from analyses.engines.summary_tables import flat
from analyses.fits.fit import Settings, TwoLevelFit
from analyses.report import figures
from analyses.report.pages import Section
from models.unequal_variances import GRID, OwnVariances

DOUBTFUL = 0.05
EASY = {"target_accept": 0.8}  # with sigma_i and nu integrated out nothing is narrow, and steps may be long


def tests(found: TwoLevelFit, t: pd.DataFrame) -> Section:
    """Ask whether all schools have the same variance."""
    rows = equal_variances.table(found.model.groups, t)
    p = rows.set_index("test")["p"]
    spread = found.predictive.set_index("statistic").loc["spread of sds within groups", "p_above"].mean()
    doubts = (p < DOUBTFUL).sum()
    said = f"Of three tests {('none', 'one', 'two', 'all')[doubts]} would say so at {DOUBTFUL}."
    return Section(
        title="F. Is sigma common to all schools?",
        text=f"The source says no. {said} Bartlett's test takes the scores for normal and minds if they are not: "
        f"{chance(p['Bartlett'])}. Levene's is more robust: {chance(p['Levene'])}; Brown and Forsythe's the most: "
        f"{chance(p['Brown and Forsythe'])}. Replicated data have as large a spread of the schools' standard "
        f"deviations with probability {probability(spread)}.",
        table=rows,
    )


def remedy(found: TwoLevelFit, settings: Settings) -> tuple[tuple[Section, ...], tuple[Verdict, ...]]:
    """Give each school its own variance, by every engine that was asked for, and see whether it predicts better."""
    model, trees = OwnVariances(found.model.groups), {}
    if "nuts" in settings.engines:
        trees["nuts"] = unequal_variances.by_nuts(model, **settings.nuts("own_variances") | EASY)
    if "gibbs" in settings.engines:
        trees["gibbs"] = unequal_variances.by_gibbs(model, rng=settings.rng("gibbs", "own_variances"))
    if not trees:
        return (), ()
    verdicts = [diagnostics.verdict(tree, _summary(tree)) for tree in trees.values()]
    if len(trees) == 2:
        verdicts.append(agreement.verdict(agreement.between(trees["nuts"], trees["gibbs"])))
    tree = list(trees.values())[-1]
    compared, weights = left_out(found, model, tree)
    return (own_sds(found, tree), compared), (*verdicts, weights)


def _summary(tree):
    """What diagnostics look at."""
    import arviz as az

    posterior = tree["posterior"].dataset
    columns = {"r_hat": az.rhat(posterior), **{f"ess_{m}": az.ess(posterior, method=m) for m in ("bulk", "tail")}}
    return pd.DataFrame({name: flat(statistics) for name, statistics in columns.items()}).reset_index()


def own_sds(found: TwoLevelFit, tree) -> Section:
    """Show sample sds against those of the model."""
    draws, g = tree["posterior"].dataset, found.model.groups
    raw, sigma = np.sqrt(g.ss / g.df), draws["sigma"].mean(("chain", "draw")).values
    spread = np.quantile(draws["sigma"].std("school", ddof=1), [0.025, 0.5, 0.975])
    common = found.reference.loc[("sigma", ""), "mean"]
    low, middle, high = np.exp(np.quantile(draws["log_nu"], [0.025, 0.5, 0.975], method="inverted_cdf"))
    caption = (
        "Standard deviation of each school's scores (circle) and posterior mean of its sigma where each has its own "
        "(dot), against the number of pupils; the dashed line is the common sigma."
    )
    end = "; the data set no upper limit, the end is that of the grid" if high == GRID[-1] else ""
    return Section(
        title="The remedy: a variance of its own for each school",
        text="Let sigma_i² come from an inverse gamma whose scale s² and shape nu/2 are learned, nu on a grid up to "
        f"{GRID[-1]:.0f}, where all sigma_i are next to equal. The data put nu at {middle:.0f}, from {low:.0f} to "
        f"{high:.0f} with probability 0.95, about a median, with p(nu) = 1/nu beforehand{end}. The schools' sample sds "
        f"have a spread of {raw.std(ddof=1):.1f} points; that of the sigma_i themselves is put at {spread[1]:.1f} "
        f"({spread[0]:.1f} to {spread[2]:.1f}), so most of it is noise. The dots, being pulled together, spread less.",
        figures={"own_sds": (figures.own_sds(g.n, raw, sigma, common), caption)},
    )


def draws_in(tree) -> int:
    """Draws of all chains."""
    return tree["posterior"].sizes["chain"] * tree["posterior"].sizes["draw"]


def weighed(model: OwnVariances, tree) -> importance.Weighed:
    """Leave one school out by importance sampling, allowing for the dependence of draws in a chain."""
    log_predictive = unequal_variances.log_predictive(model, tree)
    chains = tree["posterior"].sizes["chain"]
    effective = array_stats.ess(log_predictive.T.reshape(-1, chains, len(log_predictive) // chains), method="mean")
    efficiency = min(1.0, float(np.min(effective)) / len(log_predictive))
    return importance.by_importance(log_predictive, efficiency=efficiency)


def left_out(found: TwoLevelFit, model: OwnVariances, tree) -> tuple[Section, Verdict]:
    """Compare the two models by what they say of each school from the others."""
    one, (several, mcse) = leave_out.exactly(found.model), weighed(model, tree)
    gain, k = several["log_density"] - one, several["pareto_k"].max()
    total, error, first = gain.sum(), np.sqrt(len(gain)) * gain.std(ddof=1), gain.idxmax()
    if abs(total) < 2 * np.hypot(error, mcse):
        said = "The data do not say that sigma differs between schools: the common one will do."
    elif total > 0:
        said = "Variances of their own predict better: sigma is not common."
    else:
        said = "The common variance predicts better."
    good = bool(np.isfinite(mcse))
    of_k = f"largest Pareto k {k:.2f}, limit {importance.largest_k(draws_in(tree)):.2f}"
    rows = [
        ("common variance", one.sum(), np.nan, np.nan),
        ("own variances", several["log_density"].sum(), total, error),
    ]
    return Section(
        title="Does it predict better?",
        text="Leave out one school, predict all its scores from the others, and add up the logs of the predictive "
        "densities: exactly for the common variance, as a ratio of two integrals over tau; by importance sampling over "
        f"the hyperparameters for the other ({of_k}). Variances of their own gain {total:+.2f} with a standard error "
        f"of {error:.2f} and a Monte Carlo error of {mcse:.2f}; the school that gains most, "
        f"{found.model.groups.labels[first]}, gains {gain[first]:.2f}. "
        f"{said if good else 'The weights are too uneven to say which is better.'}",
        table=pd.DataFrame(rows, columns=["model", "log predictive density", "gain", "standard error"]),
        note="The models differ in the prior of the spread between schools as well, flat in points here and inverse "
        "gamma in units of sigma there, which a hundred schools hardly feel.",
    ), Verdict("leave_out", good, f"importance sampling: {of_k}")
