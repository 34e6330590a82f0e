"""Empirical Bayes, the normal approximation and Metropolis beside the exact posterior."""

from dataclasses import dataclass

import pandas as pd
import xarray as xr

from analyses.checks import Verdict, agreement
from analyses.engines import empirical_bayes, laplace, metropolis, summary_tables
from analyses.fits.crosscheck import TwoLevelCrosscheck
from analyses.fits.settings import Settings
from analyses.report.columns import Style
from analyses.report.numbers import bound
from analyses.report.pages import Section

THIN = 20  # steps of Metropolis a draw


@dataclass(frozen=True, eq=False)
class OtherMethods:
    """The section on them, the verdict on Metropolis with the name of the fit, and its draws."""

    section: Section
    verdict: tuple[str, Verdict]
    metropolis: xr.DataTree


def compare_methods(fit: TwoLevelCrosscheck, settings: Settings) -> OtherMethods:
    """Compare other methods with the exact posterior.

    Metropolis is judged as every engine is. The other two are approximations: their error is shown.
    """
    tree = metropolis.sample(fit.model, thin=THIN, rng=settings.rng("metropolis", fit.name))
    maximum = empirical_bayes.table(fit.model)
    verdict = agreement.verdict(agreement.table(tree, fit.reference))
    return OtherMethods(_section(fit, tree, maximum), (fit.name, verdict), tree)


def _section(fit, tree, maximum) -> Section:
    model = fit.model
    coefficients = ["mu", *(["beta"] if model.groups.covariates else [])]
    logs = ", ".join([*coefficients, *(f"log {name}" for name in model.unknown)])
    searched = empirical_bayes.table(model, method="Nelder-Mead")
    apart = (maximum["mean"] - searched["mean"]).abs() / maximum["sd"].fillna(1.0)
    approximation = laplace.table(model)
    keys = [key for key in approximation.index if key in maximum.index]
    columns = {
        "exact": fit.reference,
        "Metropolis": summary_tables.summary(tree, fit.reference).set_index(["variable", "label"]),
        "normal approximation": approximation,
        "empirical Bayes": maximum,
    }
    rows = [
        {"quantity": " ".join(filter(None, key)), "of it": statistic}
        | {name: table.loc[key, statistic] for name, table in columns.items()}
        for key in keys
        for statistic in ("mean", "sd")
    ]
    return Section(
        title="By other methods",
        text="Random-walk Metropolis draws from the same posterior with theta integrated out, with steps of twice "
        "the Cholesky factor of the normal approximation's covariance; "
        f"{100 * float(tree['sample_stats']['acceptance_rate'].mean()):.0f}% of them were accepted. The normal "
        f"approximation has the mode and the curvature of that posterior in ({logs}).\n\nEmpirical Bayes maximises the "
        f"marginal likelihood of {', '.join([*coefficients, *model.unknown])} and puts the maximum in their place. "
        f"Nelder and Mead's search and one on the score end less than {bound(apart.loc[keys].max())} standard errors "
        f"apart. {_shortfall(fit, maximum)}",
        table=pd.DataFrame(rows),
        formats={"exact": Style.VALUE, "empirical Bayes": Style.VALUE},
        note="The sd of empirical Bayes is a standard error.",
    )


def _shortfall(fit, maximum) -> str:
    """Say what taking the scales for known costs."""
    if maximum.loc[("tau", ""), "mean"] == 0:
        nothing = "that no group differs from the others at all, and without any error"
        return f"Here it is largest at tau = 0, which says {nothing}."
    spread = (maximum["sd"] / fit.reference["sd"]).loc["theta"].mean()
    return f"Taken for known, they make theta's standard deviations {100 * (1 - spread):.1f}% too small on average."
