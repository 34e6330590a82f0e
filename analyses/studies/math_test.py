"""Math scores of 1993 pupils in 100 schools (seed 000, part 1)."""

import numpy as np
import pandas as pd
from scipy import optimize

from analyses.checks import chance, funnel, probability
from analyses.fits import crosscheck
from analyses.fits.crosscheck import TwoLevelCrosscheck
from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.ingest import raw_rows
from analyses.report import figures
from analyses.report.columns import Style
from analyses.report.numbers import bound
from analyses.report.pages import Page, Picture, Section
from analyses.studies.sections import any_model, general_priors, unequal_variances
from analyses.studies.sections.conditionals import conditionals_section
from analyses.studies.sections.other_methods import compare_methods
from models import math_test
from models.groups import Replicates

THIN = 4  # sweeps a draw: this sampler mixes well, and what is kept is then nearly independent
PAIRS = 200_000


def page(settings: Settings) -> Page:
    """Answer the exercise."""
    t, read = raw_rows.summarised("math_test", settings.request)
    model = math_test.model(groups=math_test.data(t))
    fit = crosscheck.two_level(ExactFit.of_model("math_test", model, settings), best="high", thin=THIN)
    n, methods, farthest = model.groups.n, compare_methods(fit, settings), far_from_the_middle(fit, settings)
    remedy = unequal_variances.remedy(fit, settings)
    second_solution, verdicts = general_priors.section(fit, settings)
    return Page(
        name="math_test",
        title="Math tests in 100 schools",
        question=f"Scores of {n.min():.0f} to {n.max():.0f} tenth-graders from each of {len(n)} schools: which schools "
        "are really better?",
        sentence=sentence(fit),
        sections=(
            maximum_likelihood(fit),
            extreme_means(fit, farthest),
            raw_and_pooled(fit),
            conditionals_section(beta=False),
            how_much_is_pooled(fit),
            covariances(fit, settings),
            unequal_variances.tests_section(fit, t),
            *remedy.sections,
            second_solution,
            any_model.league_section(fit, "school"),
            any_model.predictive_section(
                fit, "Section B tried one respect more, how samples of few and of many spread.", unit="points"
            ),
            any_model.prediction_section(fit),
        ),
        machinery=(
            *any_model.routes(fit, ("mu", "tau", "sigma")),
            methods.section,
            any_model.code_section(math_test.code()),
        ),
        picture="shrinkage",
        doubts="The schools are taken for draws from one population, and pupils of all schools for equally scattered "
        "about their school's mean: sections B and F look at both. Whether the pupils tested stand for their school, "
        "no model can tell. And a rank is far less certain than a mean: the league table says how much.",
        data=() if read else ("math_test",),
        read=read,
        fits=(fit,),
        more=(
            methods.verdict,
            *(("own variances", verdict) for verdict in remedy.verdicts),
            *(("general priors", verdict) for verdict in verdicts),
        ),
        model_checks=any_model.model_checks(fit, funnel.verdict(farthest)),
    )


def sentence(fit: TwoLevelCrosscheck) -> str:
    """Give the answer in a sentence."""
    mu, between, sigma = (fit.reference.loc[(name, ""), "mean"] for name in ("mu", "sd_between", "sigma"))
    raw, pooled = (fit.groups.loc[fit.groups[column].idxmax()] for column in ("estimate", "theta_mean"))
    return (
        f"School means have a standard deviation of {between:.1f} points about {mu:.1f}, pupils within a school one "
        f"of {sigma:.1f}: school {raw['label']}, first with a mean of {raw['estimate']:.1f} from {raw['n']} pupils, "
        f"comes down to {raw['theta_mean']:.1f} ({raw['theta_q2_5']:.1f} to {raw['theta_q97_5']:.1f}), and school "
        f"{pooled['label']} with {pooled['n']} pupils leads at {pooled['theta_mean']:.1f}."
    )


def maximum_likelihood(fit: TwoLevelCrosscheck) -> Section:
    """Maximise the likelihood of all theta and sigma by a search that knows nothing of means (A)."""
    g = fit.model.groups
    theta, sigma = maximize_likelihood(g)
    difference, error = np.abs(theta - g.mean).max(), sigma / np.sqrt(g.n.max())
    return Section(
        title="A. The likelihood is largest at the sample means",
        text="Given sigma, the log likelihood of a school is -n (theta - mean)² / (2 sigma²) and a constant: it is "
        f"largest where theta is the mean. A search over all {len(g)} theta and log sigma at once, which uses no "
        f"formula but the likelihood's, ends with every theta within {bound(difference)} points of the school's mean, "
        f"where the smallest standard error is {error:.1f}; and at sigma = {sigma:.4f}, the root of the sum of "
        f"squares over the number of pupils, {np.sqrt(g.ss.sum() / g.n.sum()):.4f}.",
    )


def maximize_likelihood(g: Replicates) -> tuple[np.ndarray, float]:
    """Find theta and sigma where the likelihood of the rows is largest, from all theta at the grand mean.

    The search is in units that make theta and log sigma about as uncertain: sigma_0 / sqrt(n_i) and 1 / sqrt(N).
    """
    rows, first = g.n.sum(), g.mean.std()
    unit = np.append(first / np.sqrt(g.n), rows**-0.5)

    def negative_log_likelihood(z):
        theta, log_sigma = g.center + (unit * z)[:-1], np.log(first) + (unit * z)[-1]
        precision, squares = np.exp(-2 * log_sigma), np.sum(g.ss + g.n * (g.mean - theta) ** 2)
        slope = np.append(-g.n * (g.mean - theta) * precision, rows - squares * precision)
        return rows * (unit * z)[-1] + squares * precision / 2, slope * unit

    options = {"ftol": 1e-15, "gtol": 1e-9}
    search = optimize.minimize(negative_log_likelihood, 0 * unit, jac=True, method="L-BFGS-B", options=options)
    if not search.success:
        raise RuntimeError(f"the search for the largest likelihood did not end: {search.message}")
    maximum = unit * search.x
    return g.center + maximum[:-1], first * np.exp(maximum[-1])


def far_from_the_middle(fit: TwoLevelCrosscheck, settings: Settings) -> pd.DataFrame:
    """Count the means far from the middle, in the data and in replicated ones."""
    tree = fit.posterior.draw(rng=settings.rng("extremes"))
    return funnel.table(fit.model.groups, tree, rng=settings.rng("extremes", "replicated"))


def extreme_means(fit: TwoLevelCrosscheck, rows: pd.DataFrame) -> Section:
    """Show means against sizes within their funnel, and ask whether small schools are extreme for being small (B)."""
    groups, mu, sigma = fit.groups, *(fit.reference.loc[(name, ""), "mean"] for name in ("mu", "sigma"))
    quantities = rows.set_index("quantity")
    few, beyond, ratio = quantities.iloc[0], quantities.iloc[1], quantities.iloc[-1]
    low, high = (groups.set_index("label").loc[name] for name in ("17", "67"))
    answer = "Noise explains what is seen."
    if ratio["P, differing"] <= funnel.DOUBTFUL:
        answer = (
            "Noise and one spread for all do not explain it: they lie farther out than that, so there may be something "
            "in the suspicion."
        )
    below = int((groups["estimate"] < low["estimate"]).sum())
    figure = figures.funnel_of_means(groups, mu, sigma, named=("67", "17"), xlabel="pupils tested", ylabel="points")
    caption = (
        "School means against the number of pupils; the curves are two standard errors of a mean from mu, were all "
        "schools alike."
    )
    return Section(
        title="B. Extreme means come from small samples",
        text=f"School 67, the highest with {high['estimate']:.1f}, has {high['n']} pupils, and school 17, the lowest "
        f"but {below} with {low['estimate']:.1f}, has {low['n']}: of the {funnel.FARTHEST} means farthest from the "
        f"middle {few['observed']:.0f} belong to schools with fewer pupils tested than the median one (n is the "
        "number tested, not the size of the school). A mean of n scores has the standard error sigma / sqrt(n), so "
        "schools with few pupils tested scatter most even if they are no better and no worse.\n\nThe source "
        "suspects a second reason, that these schools also differ more in truth. Replicated data, in which every "
        "school comes from one population whatever its size, answer: as many of them among the farthest with "
        f"probability {probability(few['P, differing'])}, and as large a spread of theirs compared with that of the "
        f"others, noise allowed for, with {chance(ratio['P, differing'])}. {answer} Were all schools alike, "
        f"{beyond['mean, alike']:.0f} means would lie beyond two standard errors; {beyond['observed']:.0f} do "
        f"({chance(beyond['P, alike'])}).",
        figures={"extremes": Picture(figure, caption)},
        table=rows,
        formats={"P, alike": Style.PROBABILITY, "P, differing": Style.PROBABILITY},
        note="What is observed is averaged over the posterior of mu and sigma, on which the counts depend.",
    )


def raw_and_pooled(fit: TwoLevelCrosscheck) -> Section:
    """Show means against sizes, raw and shrunken (C)."""
    mu = fit.reference.loc[("mu", ""), "mean"]
    figure = figures.shrinkage(fit.groups, mu, against="n", xlabel="pupils tested", ylabel="mean score, points")
    caption = (
        "Raw school means (circles) and posterior means (dots) against the number of pupils; arrows show what "
        "pooling did."
    )
    return Section(
        title="C. The hierarchical model",
        text="Pooling moves each mean towards that of all schools, the farther the fewer pupils it rests on. Gibbs "
        "sampling cycles through the full conditionals of mu, sigma², tau² and all theta at once; NUTS and quadrature "
        "reach the same posterior, as is shown below.",
        figures={"shrinkage": Picture(figure, caption)},
    )


def how_much_is_pooled(fit: TwoLevelCrosscheck) -> Section:
    """Show kappa against sizes."""
    large, small = (fit.groups.loc[i] for i in (fit.groups["n"].idxmax(), fit.groups["n"].idxmin()))
    caption = "Posterior mean of the shrinkage kappa against the number of pupils: it falls as data say more."
    return Section(
        title="D. How much is pooled?",
        text=f"kappa = 1 / (1 + n tau²) is the weight on the population mean: {small['kappa_mean']:.2f} for the "
        f"{small['n']} pupils of school {small['label']}, {large['kappa_mean']:.2f} for the {large['n']} of school "
        f"{large['label']}. It falls steeply at first and slowly then, and schools with as many pupils share it "
        "whatever their means. It is averaged over the posterior of tau, not computed from one value of it.",
        figures={"kappa": Picture(figures.kappa(fit.groups, against="n", xlabel="pupils tested"), caption)},
    )


def covariances(fit: TwoLevelCrosscheck, settings: Settings) -> Section:
    """Say how much two pupils have in common, in closed form and by simulation (E)."""
    tau, between = (fit.reference.loc[(name, "")] for name in ("tau", "sd_between"))
    sigma = fit.reference.loc[("sigma", ""), "mean"]
    low, middle, high = (tau[q] ** 2 / (1 + tau[q] ** 2) for q in ("q2_5", "q50", "q97_5"))
    exact = np.array([(tau["mean"] * sigma) ** 2, 0.0])
    simulated = simulated_covariances(tau["mean"], sigma, settings.rng("covariances"))
    error = np.sqrt((sigma**2 * (1 + tau["mean"] ** 2)) ** 2 + exact**2) / np.sqrt(PAIRS)
    columns = {
        "scores of": ["two pupils of one school", "pupils of two schools"],
        "covariance": ["tau² sigma²", "0"],
        "at the means": exact,
        "simulated": simulated,
        "standard error": error,
    }
    same, other = (simulated - exact) / error
    return Section(
        title="E. What two pupils have in common",
        text="Given mu, the scores of two pupils of one school have the covariance tau² sigma², for they share the "
        "school's offset, and those of pupils of two schools have none. That makes sense: a common school makes "
        f"pupils alike. The posterior mean of the product is {between['mean'] ** 2 + between['sd'] ** 2:.1f} "
        "points².\n\nAs a share of the variance of a score it is tau² / (1 + tau²), the intraclass correlation: "
        f"{middle:.2f}, from {low:.2f} to {high:.2f} with probability 0.95. The simulated covariances lie {same:+.1f} "
        f"and {other:+.1f} standard errors from what they should be.",
        table=pd.DataFrame(columns),
        formats={"at the means": Style.VALUE, "simulated": Style.VALUE, "standard error": Style.ERROR},
        note=f"Simulated: two pupils in each of {PAIRS:,} schools, with tau and sigma at their posterior means.",
    )


def simulated_covariances(tau: float, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Covariance of the scores of two pupils of one school, and of two schools, simulated from the model."""
    offset = tau * sigma * rng.standard_normal(PAIRS)
    first, second = (offset + sigma * rng.standard_normal(PAIRS) for _ in range(2))
    return np.array([np.mean(first * second), np.mean(first * np.roll(second, 1))])
