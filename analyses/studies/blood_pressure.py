"""Systolic blood pressure of 20 subjects on two medications (seed 000, part 2)."""

import numpy as np
import pandas as pd

from analyses.checks import chance, coverage, probability, serial_correlation, t_tests
from analyses.fits import crosscheck
from analyses.fits.crosscheck import TwoLevelCrosscheck
from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.ingest import raw_rows
from analyses.report import figures
from analyses.report.columns import Style
from analyses.report.pages import Page, Picture, Section
from analyses.studies.sections import any_model
from analyses.studies.sections.conditionals import conditionals_section
from analyses.studies.sections.other_methods import compare_methods
from models import blood_pressure

THIN = 4  # as for the math tests


def page(settings: Settings) -> Page:
    """Answer the exercise."""
    t, read = raw_rows.summarised("blood_pressure", settings.request)
    model = blood_pressure.model(groups=blood_pressure.data(t))
    fit = crosscheck.two_level(ExactFit.of_model("blood_pressure", model, settings), best="low", thin=THIN)
    n, methods = model.groups.n, compare_methods(fit, settings)
    replicated = replicated_records(fit, t, settings)
    rows = serial_correlation.table(serial_correlation.from_table(t), replicated)
    return Page(
        name="blood_pressure",
        title="Blood pressure: does the medication work?",
        question=f"{len(n)} subjects on two medications, measured {n.min():.0f} to {n.max():.0f} times: does the "
        "experimental one lower blood pressure?",
        sentence=sentence(fit),
        sections=(
            three_analyses(fit),
            covering(fit, settings),
            conditionals_section(beta=True),
            effect(fit),
            raw_and_pooled(fit),
            how_much_is_pooled(fit),
            independence(replicated, rows),
            any_model.predictive_section(fit, spread_of_records(fit), unit="mmHg"),
            any_model.prediction_section(fit),
            any_model.league_section(fit, "subject"),
        ),
        machinery=(
            *any_model.routes(fit, ("mu", "tau", "sigma")),
            methods.section,
            any_model.code_section(blood_pressure.code()),
        ),
        picture="three",
        doubts="That the difference is the medication's rests on its having been given at random. Subjects are few and "
        "taken for normal about the mean of their medication; records of one subject for independent, which section D "
        "looks at, and for equally scattered in all subjects.",
        data=() if read else ("blood_pressure",),
        read=read,
        fits=(fit,),
        more=(methods.verdict,),
        model_checks=any_model.model_checks(fit, serial_correlation.verdict(rows)),
    )


def below_zero(fit: TwoLevelCrosscheck) -> float:
    """Exact probability that the medication lowers blood pressure."""
    return float(fit.posterior.b.cdf(np.array([0.0]), np.array([1]))[0])


def sentence(fit: TwoLevelCrosscheck) -> str:
    """Give the answer in a sentence."""
    beta, below = fit.reference.loc[("beta", "treatment")], below_zero(fit)
    if beta["q2_5"] > 0 or beta["q97_5"] < 0:
        answer = "Yes" if below > 0.5 else "No, it raises it"
    else:
        answer = f"Probably{'' if below > 0.5 else ' not'}, but these data do not settle it"
    return (
        f"{answer}: the experimental medication changes blood pressure by {beta['mean']:.1f} mmHg (95% interval "
        f"{beta['q2_5']:.1f} to {beta['q97_5']:.1f}) and lowers it with probability {probability(below)}; "
        f"{beta['sd']:.1f} mmHg of uncertainty remain because there are {len(fit.groups)} subjects, however often each "
        "is measured."
    )


def effect(fit: TwoLevelCrosscheck) -> Section:
    """Show the posterior of beta."""
    beta = fit.reference.loc[("beta", "treatment")]
    exact = any_model.density(fit.posterior.b, 1, beta["mean"] - 4 * beta["sd"], beta["mean"] + 4 * beta["sd"])
    draws = {e: t["posterior"]["beta"].sel(covariate="treatment") for e, t in fit.trees.items() if e != "exact"}
    caption = "Posterior of beta by each engine under the exact density; the dashed line is no effect."
    return Section(
        title="C. The effect of the medication",
        text=f"beta is the difference between the two medications. Its posterior has mean {beta['mean']:.2f} and "
        f"standard deviation {beta['sd']:.2f}; P(beta < 0) is {probability(below_zero(fit), 3)}.",
        figures={"beta": Picture(figures.density(draws, exact, xlabel="beta, mmHg", mark=0.0), caption)},
    )


def three_analyses(fit: TwoLevelCrosscheck) -> Section:
    """Set the t-test on records, the t-test on subjects' means and the hierarchical model side by side (A to C)."""
    g, beta, below = fit.model.groups, fit.reference.loc[("beta", "treatment")], below_zero(fit)
    tests = {"A: t-test on all records": t_tests.on_records(g), "B: t-test on subjects' means": t_tests.on_means(g)}
    records, means = tests.values()
    rows = [(name, test.value, test.error, test.low, test.high, test.p) for name, test in tests.items()]
    rows.append(("C: hierarchical model", *beta[["mean", "sd", "q2_5", "q97_5"]], 2 * min(below, 1 - below)))
    columns = ["analysis", "difference", "standard error", "q2_5", "q97_5", "p, or 2 P(beta > 0)"]
    table = pd.DataFrame(rows, columns=columns)
    figure = figures.intervals(table, xlabel="experimental less control, mmHg", mark=0.0)
    caption = (
        "The difference between the medications by each analysis, with its 95% interval; the dashed line is no effect."
    )
    return Section(
        title="A to C. Three analyses, two of them wrong",
        text=f"The t-test on all records (A) counts {fit.groups['n'].sum()} of them as if each came from a subject "
        "of its own, and finds the medication effective beyond doubt. But records of one subject resemble each "
        "other far more than those of two, and what was randomised, and what one wants to conclude about, are "
        f"{len(fit.groups)} subjects. Its standard error of {records.error:.1f} is badly too small.\n\nThe t-test on "
        f"subjects' means (B) has as many observations as subjects and a standard error of {means.error:.1f}, as it "
        "must: what limits the trial is how much subjects differ. It is wrong in a subtler way, for it takes a mean of "
        f"{g.n.min():.0f} records to be as sure as one of {g.n.max():.0f}. The hierarchical "
        "model (C) weighs each by what it is worth. Here that makes little difference, as a subject's mean of even a "
        "few records is known well.",
        figures={"three": Picture(figure, caption)},
        table=table,
        formats={"difference": Style.VALUE, "standard error": Style.ERROR, columns[-1]: Style.PROBABILITY},
        note="A and B: Welch's t-test, 95% confidence interval, two-sided p. C: posterior mean, sd, 95% interval, "
        "and twice the smaller of P(beta > 0) and P(beta < 0).",
    )


def covering(fit: TwoLevelCrosscheck, settings: Settings) -> Section:
    """Measure how often each interval covers the truth."""
    truth = fit.reference["mean"].droplevel("label")
    rows = coverage.table(fit.posterior, truth, rng=settings.rng("coverage"))
    a, b, c = rows["covers the truth"]
    return Section(
        title="How often does each interval cover the truth?",
        text=f"In {coverage.TRIALS} simulated trials like this one, with the posterior means for the truth, the 95% "
        f"interval of A covers it {100 * a:.0f} times in a hundred, that of B {100 * b:.0f} and that of C "
        f"{100 * c:.0f}.",
        table=rows,
        formats={"standard error": Style.ERROR},
    )


def spread_of_records(fit: TwoLevelCrosscheck) -> str:
    """Say how unequally subjects' records vary, and what that does to beta."""
    g = fit.model.groups
    sd = np.sqrt(g.ss / g.df)
    return (
        f"Subjects' records vary with standard deviations of {sd.min():.1f} to {sd.max():.1f} mmHg. As each subject "
        f"keeps at least {100 * (1 - fit.groups['kappa_mean'].max()):.1f}% of its own mean whatever its noise, "
        "beta hardly hangs on whether sigma is common."
    )


def replicated_records(fit: TwoLevelCrosscheck, t: pd.DataFrame, settings: Settings) -> dict[str, np.ndarray]:
    """Test quantities of replicated records."""
    tree, rng = fit.posterior.draw(rng=settings.rng("serial")), settings.rng("serial", "replicated")
    return serial_correlation.replicated(*serial_correlation.calendar(t), tree, rng=rng)


def independence(replicated: dict[str, np.ndarray], rows: pd.DataFrame) -> Section:
    """Check whether records of a subject are independent given theta (D)."""
    p, observed = serial_correlation.two_sided(rows), rows.set_index("quantity")["observed"].to_dict()
    odd = rows[p < serial_correlation.ODD / len(rows)]
    first, oddest = rows.iloc[0], p.idxmin()
    caption = (
        "What records that are independent given theta would show on the same days; the red line is what was seen."
    )
    answer = (
        "There is no clear evidence against independence."
        if odd.empty
        else f"It does not look sensible in one respect or more: {', '.join(odd['quantity'])}."
    )
    return Section(
        title="D. Are a subject's records independent?",
        text=f"Given theta, neighbouring records of a subject have a correlation of {first['observed']:+.2f}; "
        "deviations from a subject's own mean add up to 0, so independent ones would have "
        f"{first['mean']:+.2f} on average, from {first['q2_5']:+.2f} to {first['q97_5']:+.2f}. The table shows it by "
        f"days between records as well, and the trend over the month. Oddest is the {rows['quantity'][oddest]}, with a "
        f"two-sided {chance(p[oddest])} before one allows for the number of quantities. {answer}",
        figures={"serial": Picture(figures.predictive({"exact": replicated}, observed), caption)},
        table=rows,
        formats={"P(as large)": Style.PROBABILITY},
        note="Replicated records are independent given theta, on the same days. Two-sided P are held against "
        f"{serial_correlation.ODD} divided by their number.",
    )


def raw_and_pooled(fit: TwoLevelCrosscheck) -> Section:
    """Show subjects' means, raw and shrunken."""
    arm = np.where(fit.model.groups.design[:, 1] == 1, "experimental", "control")
    figure = figures.shrinkage_by_arm(fit.groups, arm, xlabel="records", ylabel="mean systolic, mmHg")
    caption = "Raw means (circles) and posterior means (dots) of the subjects against their number of records."
    between, sigma = (fit.reference.loc[(name, ""), "mean"] for name in ("sd_between", "sigma"))
    return Section(
        title="Subjects hardly move",
        text=f"Subjects on the same medication differ with a standard deviation of {between:.1f} mmHg, records of one "
        f"subject with {sigma:.1f}: each subject keeps nearly all of its own mean.",
        figures={"shrinkage": Picture(figure, caption)},
    )


def how_much_is_pooled(fit: TwoLevelCrosscheck) -> Section:
    """Show kappa against the number of records."""
    caption = "Posterior mean of the shrinkage kappa against the number of records."
    return Section(
        title="How much is pooled?",
        text="kappa = 1 / (1 + n tau²) is the weight on the mean of the subject's arm: at most "
        f"{fit.groups['kappa_mean'].max():.3f}.",
        figures={"kappa": Picture(figures.kappa(fit.groups, against="n", xlabel="records"), caption)},
    )
