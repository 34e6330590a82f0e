"""Math scores of 1993 pupils in 100 schools (seed 000, part 1)."""

import numpy as np
import pandas as pd
from partial_pooling_data import table

from analyses.checks import shrinkage, variances
from analyses.report import figures
from analyses.report.pages import Page, Section
from analyses.routes import Answer, Settings, answer
from analyses.studies import common
from models import math_test

THIN = 4  # sweeps a draw: this sampler mixes well, and what is kept is then nearly independent
EXTREMES = 10
PAIRS = 200_000


def page(settings: Settings) -> Page:
    """Answer the exercise."""
    found = answer("math_test", math_test.statement(), settings, best="high", thin=THIN)
    methods, metropolis, _ = common.other_methods(found, settings, thin=20)
    return Page(
        name="math_test",
        title="Math tests in 100 schools",
        question="Scores of 4 to 32 tenth-graders from each of 100 schools: which schools are really better?",
        sentence=sentence(found),
        sections=(
            raw_and_pooled(found),
            how_much_is_pooled(found),
            covariances(found, settings),
            common_sigma(found),
            common.agreement_section(found),
            common.rank_section(found, ("mu", "tau", "sigma")),
            methods,
            common.predictive_section(found),
            common.prediction_section(found),
            common.league_section(found, shrinkage.sentence(found.groups, best=found.best, dim="school")),
        ),
        data=("math_test",),
        fits=(found,),
        more=(metropolis,),
    )


def sentence(found: Answer) -> str:
    """Give the answer in a sentence."""
    mu, between, sigma = (found.reference.loc[(name, ""), "mean"] for name in ("mu", "sd_between", "sigma"))
    raw, pooled = (found.groups.loc[found.groups[column].idxmax()] for column in ("estimate", "theta_mean"))
    return (
        f"School means differ with a standard deviation of {between:.1f} points about {mu:.1f}, where pupils of one "
        f"school differ with {sigma:.1f}: school {raw['label']}, first with a mean of {raw['estimate']:.1f} from "
        f"{raw['n']} pupils, comes down to {raw['theta_mean']:.1f} ({raw['theta_q2_5']:.1f} to "
        f"{raw['theta_q97_5']:.1f}), and school {pooled['label']} with {pooled['n']} pupils leads at "
        f"{pooled['theta_mean']:.1f}."
    )


def raw_and_pooled(found: Answer) -> Section:
    """Show means against sizes, raw and shrunken."""
    groups = found.groups
    mu = found.reference.loc[("mu", ""), "mean"]
    farthest = groups.loc[(groups["estimate"] - mu).abs().nlargest(EXTREMES).index]
    small = (farthest["n"] < groups["n"].median()).sum()
    figure = figures.shrinkage(groups, mu, against="n", xlabel="pupils tested", ylabel="mean score, points")
    caption = (
        "Raw school means (circles) and posterior means (dots) against the number of pupils; arrows show what "
        "pooling did."
    )
    return Section(
        title="Small schools stand out because they are small",
        text=f"Of the {EXTREMES} means farthest from the middle, {small} belong to schools with fewer pupils than the "
        f"median school's {groups['n'].median():.0f}: a mean of few scores is noisy. Pooling moves each mean towards "
        "that of all schools, the farther the fewer pupils it rests on.",
        figures={"shrinkage": (figure, caption)},
    )


def how_much_is_pooled(found: Answer) -> Section:
    """Show kappa against sizes."""
    large, small = (found.groups.loc[i] for i in (found.groups["n"].idxmax(), found.groups["n"].idxmin()))
    caption = "Posterior mean of the shrinkage kappa against the number of pupils: it falls as data say more."
    return Section(
        title="How much is pooled?",
        text=f"kappa = 1 / (1 + n tau²) is the weight on the population mean: {small['kappa_mean']:.2f} for the "
        f"{small['n']} pupils of school {small['label']}, {large['kappa_mean']:.2f} for the {large['n']} of school "
        f"{large['label']}. It is averaged over the posterior of tau, not computed from one value of it.",
        figures={"kappa": (figures.kappa(found.groups, against="n", xlabel="pupils tested"), caption)},
    )


def covariances(found: Answer, settings: Settings) -> Section:
    """Say how much two pupils have in common, in closed form and by simulation (E)."""
    tau, between = (found.reference.loc[(name, "")] for name in ("tau", "sd_between"))
    sigma = found.reference.loc[("sigma", ""), "mean"]
    low, middle, high = (tau[q] ** 2 / (1 + tau[q] ** 2) for q in ("q2_5", "q50", "q97_5"))
    same, other, error = simulated_covariances(tau["mean"], sigma, settings.rng("covariances"))
    rows = [
        ("two pupils of one school", "tau² sigma²", (tau["mean"] * sigma) ** 2, same, error),
        ("pupils of two schools", "0", 0.0, other, error),
    ]
    return Section(
        title="What two pupils have in common",
        text="Given mu, the scores of two pupils of one school have the covariance tau² sigma², for they share the "
        "school's offset, and those of pupils of two schools have none. That makes sense: a common school makes pupils "
        f"alike. Its posterior mean is {between['mean'] ** 2 + between['sd'] ** 2:.1f} points².\n\nAs a share of the "
        f"variance of a score it is tau² / (1 + tau²), the intraclass correlation: {middle:.2f}, from {low:.2f} to "
        f"{high:.2f} with probability 0.95.",
        table=pd.DataFrame(rows, columns=["scores of", "covariance", "at the means", "simulated", "standard error"]),
        note=f"Simulated: two pupils in each of {PAIRS:,} schools, with tau and sigma at their posterior means.",
    )


def simulated_covariances(tau, sigma, rng):
    """Covariance of two pupils of one school and of two schools, with the standard error of either, from the model."""
    offset = tau * sigma * rng.standard_normal(PAIRS)
    one, two = (offset + sigma * rng.standard_normal(PAIRS) for _ in range(2))
    variance = sigma**2 * (1 + tau**2)
    return np.mean(one * two), np.mean(one * np.roll(two, 1)), np.sqrt((variance**2 + (tau * sigma) ** 4) / PAIRS)


def common_sigma(found: Answer) -> Section:
    """Ask whether all schools have the same variance (F)."""
    tests = variances.table(found.model.groups, table("math_test"))
    p = tests.set_index("test")["p"]
    spread = found.predictive.set_index("statistic").loc["spread of sds within groups", "p_above"].mean()
    return Section(
        title="Is sigma common to all schools?",
        text="The source says no. The data hardly do: Bartlett's test, which takes the scores for normal and minds if "
        f"they are not, has p = {p['Bartlett']:.3f}, Levene's {p['Levene']:.3f}, and Brown and Forsythe's, the most "
        f"robust of the three, {p['Brown and Forsythe']:.2f}. Replicated data have as large a spread of the schools' "
        f"standard deviations with probability {spread:.2f}. A common sigma will do here, without being proved.",
        table=tests,
    )
