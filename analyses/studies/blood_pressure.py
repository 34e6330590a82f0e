"""Systolic blood pressure of 20 subjects on two medications (seed 000, part 2)."""

import numpy as np
import pandas as pd
from scipy import stats

from analyses.checks import shrinkage
from analyses.report import figures
from analyses.report.pages import Page, Section
from analyses.routes import Answer, Settings, answer
from analyses.studies import common
from models import blood_pressure

THIN = 4  # as for the math tests


def page(settings: Settings) -> Page:
    """Answer the exercise."""
    found = answer("blood_pressure", blood_pressure.statement(), settings, best="low", thin=THIN)
    methods, metropolis, _ = common.other_methods(found, settings, thin=20)
    return Page(
        name="blood_pressure",
        title="Blood pressure: does the medication work?",
        question="Twenty subjects, ten on each medication, measured 8 to 31 times: does the experimental one lower "
        "blood pressure?",
        sentence=sentence(found),
        sections=(
            effect(found),
            three_analyses(found),
            raw_and_pooled(found),
            how_much_is_pooled(found),
            common.agreement_section(found),
            common.rank_section(found, ("mu", "tau", "sigma")),
            methods,
            common.predictive_section(found),
            common.prediction_section(found),
            common.league_section(found, shrinkage.sentence(found.groups, best=found.best, dim="subject")),
        ),
        data=("blood_pressure",),
        fits=(found,),
        more=(metropolis,),
    )


def below_zero(found: Answer) -> float:
    """Exact probability that the medication lowers blood pressure."""
    return float(found.posterior.b.cdf(np.array([0.0]), np.array([1]))[0])


def sentence(found: Answer) -> str:
    """Give the answer in a sentence."""
    beta = found.reference.loc[("beta", "treatment")]
    certain = beta["q2_5"] > 0 or beta["q97_5"] < 0
    return (
        f"{'Yes' if certain else 'Probably, but these data do not settle it'}: the experimental medication changes "
        f"blood pressure by {beta['mean']:.1f} mmHg (95% interval {beta['q2_5']:.1f} to {beta['q97_5']:.1f}) and "
        f"lowers it with probability {below_zero(found):.2f}; {beta['sd']:.1f} mmHg of uncertainty remain because "
        f"there are {len(found.groups)} subjects, however often each is measured."
    )


def effect(found: Answer) -> Section:
    """Show the posterior of beta."""
    beta = found.reference.loc[("beta", "treatment")]
    law = common.density(found.posterior.b, 1, beta["mean"] - 4 * beta["sd"], beta["mean"] + 4 * beta["sd"])
    drawn = {e: t["posterior"]["beta"].sel(covariate="treatment") for e, t in found.trees.items() if e != "exact"}
    caption = "Posterior of beta by each engine under the exact density; the dashed line is no effect."
    return Section(
        title="The effect of the medication",
        text=f"beta is the difference between the two medications. Its posterior has mean {beta['mean']:.2f} and "
        f"standard deviation {beta['sd']:.2f}; P(beta < 0) = {below_zero(found):.3f}.",
        figures={"beta": (figures.density(drawn, law, xlabel="beta, mmHg", mark=0.0), caption)},
    )


def three_analyses(found: Answer) -> Section:
    """Set the t-test on records, the t-test on subjects' means and the hierarchical model side by side."""
    beta = found.reference.loc[("beta", "treatment")]
    records, means = (stats.ttest_ind_from_stats(*of_arms, equal_var=False) for of_arms in t_tests(found))
    columns = ["analysis", "difference", "standard error", "q2_5", "q97_5", "p, or P(beta > 0)"]
    rows = [
        ("A: t-test on all records", *_welch(t_tests(found)[0], records)),
        ("B: t-test on subjects' means", *_welch(t_tests(found)[1], means)),
        ("C: hierarchical model", *beta[["mean", "sd", "q2_5", "q97_5"]], 1 - below_zero(found)),
    ]
    return Section(
        title="Three analyses, two of them wrong",
        text=f"The t-test on all records counts {found.groups['n'].sum()} records as if each came from a subject of "
        "its own. But records of one subject resemble each other far more than those of two, and what was randomised, "
        f"and what one wants to conclude about, are {len(found.groups)} subjects. Its standard error of "
        f"{rows[0][2]:.1f} is badly too small.\n\nThe t-test on subjects' means has as many observations as subjects "
        f"and a standard error of {rows[1][2]:.1f}, as it must: what limits the trial is how much subjects differ. It "
        "is wrong in a subtler way, for it takes a mean of 8 records to be as sure as one of 31. The hierarchical "
        "model weighs each by what it is worth. Here that makes little difference, as a subject's mean of even a few "
        "records is known well.",
        table=pd.DataFrame(rows, columns=columns),
        note="A and B: Welch's t-test, 95% confidence interval, two-sided p. C: posterior mean, sd, 95% interval.",
    )


def t_tests(found: Answer):
    """Mean, sd and size of both arms, experimental first: of all records, and of subjects' means."""
    groups = found.model.groups
    arms = [groups.design[:, 1] == 1, groups.design[:, 1] == 0]
    records, means = [], []
    for arm in arms:
        n, mean = groups.n[arm], groups.mean[arm]
        grand = np.average(mean, weights=n)
        ss = groups.ss[arm].sum() + np.sum(n * (mean - grand) ** 2)
        records += [grand, np.sqrt(ss / (n.sum() - 1)), n.sum()]
        means += [mean.mean(), mean.std(ddof=1), len(mean)]
    return records, means


def _welch(of_arms, test):
    """Difference, standard error, 95% interval and p of Welch's test."""
    one, _, _, two, _, _ = of_arms
    error = (one - two) / test.statistic
    half = stats.t.ppf(0.975, _welch_df(of_arms)) * error
    return one - two, error, one - two - half, one - two + half, test.pvalue


def _welch_df(of_arms):
    _, s1, n1, _, s2, n2 = of_arms
    parts = np.array([s1**2 / n1, s2**2 / n2])
    return parts.sum() ** 2 / np.sum(parts**2 / np.array([n1 - 1, n2 - 1]))


def raw_and_pooled(found: Answer) -> Section:
    """Show subjects' means, raw and shrunken."""
    arm = np.where(found.model.groups.design[:, 1] == 1, "experimental", "control")
    figure = figures.shrinkage_by_arm(found.groups, arm, xlabel="records", ylabel="mean systolic, mmHg")
    caption = "Raw means (circles) and posterior means (dots) of the subjects against their number of records."
    between, sigma = (found.reference.loc[(name, ""), "mean"] for name in ("sd_between", "sigma"))
    return Section(
        title="Subjects hardly move",
        text=f"Subjects on the same medication differ with a standard deviation of {between:.1f} mmHg, records of one "
        f"subject with {sigma:.1f}: each subject keeps nearly all of its own mean.",
        figures={"shrinkage": (figure, caption)},
    )


def how_much_is_pooled(found: Answer) -> Section:
    """Show kappa against the number of records."""
    caption = "Posterior mean of the shrinkage kappa against the number of records."
    return Section(
        title="How much is pooled?",
        text="kappa = 1 / (1 + n tau²) is the weight on the mean of the subject's arm: at most "
        f"{found.groups['kappa_mean'].max():.3f}.",
        figures={"kappa": (figures.kappa(found.groups, against="n", xlabel="records"), caption)},
    )
