"""Sections that every study has: how the routes agree, whether the model fits, the tables."""

import numpy as np
import pandas as pd
import xarray as xr

from analyses.checks import Verdict, agreement, predictive
from analyses.engines import empirical_bayes, laplace, metropolis, summary_tables
from analyses.engines.inference_data import NAMES
from analyses.fits.fit import Fit, Settings, TwoLevelFit
from analyses.report import figures, validation_figures
from analyses.report.numbers import bound
from analyses.report.pages import Section, above

SUMMARY = ["engine", "variable", "label", "mean", "sd", "q2_5", "q50", "q97_5", "mcse_mean", "ess_bulk", "r_hat"]
PREDICTIONS = ["engine", "variable", "label", "mean", "sd", "q2_5", "q50", "q97_5"]
NONE = "does not exist"
INTERVALS = "Intervals are equal-tailed and hold 95% of the posterior."


def agreement_section(answer: Fit) -> Section:
    """Show every figure of every engine against the exact posterior."""
    rows = answer.agreement
    most = max(agreement.limit(agreement.tests(part)) for _, part in rows.groupby("engine"))
    of_groups = answer.summary["variable"].isin(["theta", "mu", "kappa", "sigma"]) & (answer.summary["label"] != "")
    shared = answer.summary[~of_groups]
    caption = (
        f"Each point is one figure of one engine. Beyond the dashed lines, {most:.1f} standard errors from the exact "
        "value, an engine is called wrong; a right one goes there less than once in a thousand runs."
    )
    by_quadrature = "the scales by quadrature, all else in closed form given them"
    how = "in closed form" if answer.nodes == 1 else by_quadrature
    return Section(
        title="Do the three routes agree?",
        text=f"The exact posterior is computed without sampling: {how}, {above(answer.error)}. Every mean, and every "
        "share of draws below the exact 5, 50 and 95% quantiles, is held against it in Monte Carlo standard errors.",
        figures={"agreement": (validation_figures.agreement(rows, most), caption)},
        table=existing(shared[SUMMARY].replace({"engine": {"nuts": NAMES["nuts"], "gibbs": NAMES["gibbs"]}})),
        note=f"{INTERVALS} The exact rows have no Monte Carlo error. Values for each group are in summary.csv.",
    )


def conditionals_section(*, beta: bool) -> Section:
    """The complete conditionals that Gibbs cycles through, as `TwoLevel.conditionals` has them."""
    regression = "mu + beta x_i" if beta else "mu"
    of_b = (
        [("mu, beta", "N((X'X)⁻¹ X'theta, tau² sigma² (X'X)⁻¹), X the columns 1 and x, both at once")]
        if beta
        else [("mu", "N(mean of theta, tau² sigma² / J)")]
    )
    rows = [
        *of_b,
        ("sigma²", "InverseGamma((N + J) / 2, (sum_i ss_i + n_i (mean_i - theta_i)² + e'e / tau²) / 2)"),
        ("tau²", "InverseGamma((J + 1) / 2, (1 + e'e / sigma²) / 2)"),
        ("theta_i", f"N(kappa_i ({regression}) + (1 - kappa_i) mean_i, (1 - kappa_i) sigma² / n_i)"),
    ]
    return Section(
        title="C. The model and its complete conditionals",
        text=f"y_ij ~ N(theta_i, sigma²), theta_i ~ N({regression}, tau² sigma²); p({'mu, beta' if beta else 'mu'}) "
        "= 1, p(sigma²) = 1/sigma² (Jeffreys), tau² ~ InverseGamma(1/2, 1/2). With N rows in J groups, e_i = "
        f"theta_i - {regression.replace(' +', ' -')}, and kappa_i = 1 / (1 + n_i tau²), each parameter given the "
        "data and all others:",
        table=pd.DataFrame(rows, columns=["parameter", "given all else"]),
        note="Each is tested against the joint density that PyMC has of the model, as a function of that parameter.",
    )


def rank_section(answer: Fit, variables) -> Section:
    """Rank plots of the chains, for the engines that have chains."""
    drawn = {engine: tree["posterior"] for engine, tree in answer.trees.items() if engine != "exact"}
    caption = (
        "Ranks of {} among all draws of its engine, a line for each chain: level lines say that all chains saw the "
        "same posterior."
    )
    return Section(
        title="Did the chains mix?",
        text="" if drawn else "No engine with chains was asked for.",
        figures={
            f"ranks_{name}": (
                validation_figures.ranks(
                    {engine: draws[name].values for engine, draws in drawn.items()}, variable=name
                ),
                caption.format(name),
            )
            for name in (variables if drawn else ())
        },
    )


def predictive_section(answer: TwoLevelFit, more: str = "", *, unit: str = "") -> Section:
    """Posterior predictive checks; `more` is what the study has to add, `unit` that of the data, where it is known."""
    observed = answer.predictive.set_index("statistic")["observed"].groupby(level=0, sort=False).first().to_dict()
    caption = "What data on groups drawn anew would look like, by engine; the red line is what was seen."
    return Section(
        title="Would the model produce data like these?",
        text=" ".join(filter(None, (predictive.sentence(answer.predictive), more))),
        figures={"predictive": (figures.predictive(answer.replicated, observed, unit=unit), caption)},
        table=answer.predictive.replace({"engine": NAMES}),
        note="P(above) is the share of replicated data sets with a value at least as large as the one observed. Below "
        f"{predictive.EXTREME} or above {1 - predictive.EXTREME} it is called a misfit.",
    )


def fit(answer: TwoLevelFit) -> tuple[tuple[str, Verdict], ...]:
    """Verdicts on whether the model of an answer fits its data, each with the name of the answer."""
    return tuple((answer.name, verdict) for verdict in predictive.fit(answer.predictive))


def prediction_section(answer: Fit) -> Section:
    """Predictions for an old and a new group."""
    return Section(
        title="What comes next?",
        text="A further value in a group that is there (new_value) needs its theta and the noise of a value; theta "
        "of a new group (new_theta) needs what is known of the population, and a value in it (new_group_value) the "
        "noise as well. Each engine draws them one after the other; the exact rows are in closed form given the "
        "scales.",
        table=existing(answer.predictions[PREDICTIONS]),
        note=INTERVALS,
    )


def existing(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows with words in place of a mean or sd that does not exist."""
    named = {name: rows[name].astype(object).where(rows[name].notna(), NONE) for name in ("mean", "sd") if name in rows}
    return rows.assign(**named)


def league_section(answer: TwoLevelFit, text: str) -> Section:
    """The table of groups, best first."""
    return Section(
        title="The league table, with what it is worth",
        text=text,
        table=answer.groups.sort_values("rank_mean").dropna(axis=1, how="all"),
        note="Ranks, P(best) and P(among the best) are shares of 4,000 independent joint draws, so a probability is "
        f"off by 0.008 at most in one standard error; that of P(best) is beside it. All else is exact. {INTERVALS}",
    )


def density(law, which: int, low: float, high: float, *, points: int = 400):
    """Density of one quantity of a mixture between two points, from differences of its distribution function."""
    edges = np.linspace(low, high, points + 1)
    mass = np.diff(law.cdf(edges, np.full(len(edges), which)))
    return (edges[1:] + edges[:-1]) / 2, mass / np.diff(edges)


def other_methods(answer: TwoLevelFit, settings: Settings, *, thin: int) -> tuple[Section, Verdict, xr.DataTree]:
    """Empirical Bayes, the normal approximation and Metropolis beside the exact posterior.

    Metropolis is judged as every engine is. The other two are approximations: their error is shown.
    """
    model, exact = answer.model, answer.reference
    tree = metropolis.sample(model, thin=thin, rng=settings.rng("metropolis", answer.name))
    plugged, normal = empirical_bayes.table(model), laplace.table(model)
    walked = summary_tables.summary(tree, exact).set_index(["variable", "label"])
    keys = [key for key in normal.index if key in plugged.index]
    columns = {"exact": exact, "Metropolis": walked, "normal approximation": normal, "empirical Bayes": plugged}
    rows = [
        {"quantity": " ".join(filter(None, key)), "of it": statistic}
        | {name: table.loc[key, statistic] for name, table in columns.items()}
        for key in keys
        for statistic in ("mean", "sd")
    ]
    of_b = ["mu", *(["beta"] if model.groups.covariates else [])]
    logs, plain = [*of_b, *(f"log {name}" for name in model.unknown)], [*of_b, *model.unknown]
    searched = empirical_bayes.table(model, method="Nelder-Mead")
    apart = ((plugged["mean"] - searched["mean"]).abs() / plugged["sd"].fillna(1.0)).loc[keys].max()
    spread = (plugged["sd"] / exact["sd"]).loc["theta"].mean()
    boundary = plugged.loc[("tau", ""), "mean"] == 0
    short = (
        "Here it is largest at tau = 0, which says that no group differs from the others at all, and without any error."
        if boundary
        else f"Taken for known, they make theta's standard deviations {100 * (1 - spread):.1f}% too small on average."
    )
    return (
        Section(
            title="By other methods",
            text="Random-walk Metropolis draws from the same posterior with theta integrated out, with steps of twice "
            "the Cholesky factor of the normal approximation's covariance; "
            f"{100 * float(tree['sample_stats']['acceptance_rate'].mean()):.0f}% of them were accepted. The normal "
            f"approximation has the mode and the curvature of that posterior in ({', '.join(logs)}).\n\n"
            f"Empirical Bayes maximises the marginal likelihood of {', '.join(plain)} and puts the maximum in their "
            f"place. Nelder and Mead's search and one on the score end less than {bound(apart)} standard errors "
            f"apart. {short}",
            table=pd.DataFrame(rows),
            note="The sd of empirical Bayes is a standard error.",
        ),
        agreement.verdict(agreement.table(tree, exact)),
        tree,
    )
