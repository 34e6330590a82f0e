"""Math scores of 1993 pupils in 100 schools (seed 000, part 1)."""

import numpy as np
import pandas as pd
from scipy import optimize

from analyses.checks import chance, funnel, probability, shrinkage
from analyses.fits.fit import Settings, TwoLevelFit, fit_two_level
from analyses.ingest import raw_rows
from analyses.report import figures
from analyses.report.numbers import bound
from analyses.report.pages import Page, Section
from analyses.studies.sections import any_model, general_priors, unequal_variances
from models import math_test

THIN = 4  # sweeps a draw: this sampler mixes well, and what is kept is then nearly independent
PAIRS = 200_000


def page(settings: Settings) -> Page:
    """TwoLevelFit the exercise."""
    t, read = raw_rows.summarised("math_test", settings.asked)
    model = math_test.model(groups=math_test.data(t))
    found, n = fit_two_level("math_test", model, settings, best="high", thin=THIN), model.groups.n
    farthest = far_from_the_middle(found, settings)
    methods, metropolis, _ = any_model.other_methods(found, settings, thin=20)
    remedy, own = unequal_variances.remedy(found, settings)
    second, judged = general_priors.section(found, settings)
    return Page(
        name="math_test",
        title="Math tests in 100 schools",
        question=f"Scores of {n.min():.0f} to {n.max():.0f} tenth-graders from each of {len(n)} schools: which schools "
        "are really better?",
        sentence=sentence(found),
        sections=(
            maximum_likelihood(found),
            extreme_means(found, farthest),
            raw_and_pooled(found),
            any_model.conditionals_section(beta=False),
            how_much_is_pooled(found),
            covariances(found, settings),
            unequal_variances.tests(found, t),
            *remedy,
            second,
            any_model.league_section(found, shrinkage.sentence(found.groups, best=found.best, dim="school")),
            any_model.predictive_section(
                found, "Section B tried one respect more, how samples of few and of many spread.", unit="points"
            ),
            any_model.prediction_section(found),
        ),
        machinery=(
            any_model.agreement_section(found),
            any_model.rank_section(found, ("mu", "tau", "sigma")),
            methods,
        ),
        picture="shrinkage",
        doubts="The schools are taken for draws from one population, and pupils of all schools for equally scattered "
        "about their school's mean: sections B and F look at both. Whether the pupils tested stand for their school, "
        "no model can tell. And a rank is far less certain than a mean: the league table says how much.",
        data=() if read else ("math_test",),
        read=read,
        fits=(found,),
        more=(
            ("math_test", metropolis),
            *(("own variances", verdict) for verdict in own),
            *(("general priors", verdict) for verdict in judged),
        ),
        model_checks=(*any_model.fit(found), ("math_test", funnel.verdict(farthest))),
    )


def sentence(found: TwoLevelFit) -> str:
    """Give the answer in a sentence."""
    mu, between, sigma = (found.reference.loc[(name, ""), "mean"] for name in ("mu", "sd_between", "sigma"))
    raw, pooled = (found.groups.loc[found.groups[column].idxmax()] for column in ("estimate", "theta_mean"))
    return (
        f"School means have a standard deviation of {between:.1f} points about {mu:.1f}, pupils within a school one "
        f"of {sigma:.1f}: school {raw['label']}, first with a mean of {raw['estimate']:.1f} from "
        f"{raw['n']} pupils, comes down to {raw['theta_mean']:.1f} ({raw['theta_q2_5']:.1f} to "
        f"{raw['theta_q97_5']:.1f}), and school {pooled['label']} with {pooled['n']} pupils leads at "
        f"{pooled['theta_mean']:.1f}."
    )


def maximum_likelihood(found: TwoLevelFit) -> Section:
    """Maximise the likelihood of all theta and sigma by a search that knows nothing of means (A)."""
    g = found.model.groups
    theta, sigma = maximised(g)
    off, error = np.abs(theta - g.mean).max(), sigma / np.sqrt(g.n.max())
    return Section(
        title="A. The likelihood is largest at the sample means",
        text="Given sigma, the log likelihood of a school is -n (theta - mean)² / (2 sigma²) and a constant: it is "
        f"largest where theta is the mean. A search over all {len(g)} theta and log sigma at once, which uses no "
        f"formula but the likelihood's, ends with every theta within {bound(off)} points of the school's mean, "
        f"where the smallest standard error is {error:.1f}; and at sigma = {sigma:.4f}, the root of the sum of "
        f"squares over the "
        f"number of pupils, {np.sqrt(g.ss.sum() / g.n.sum()):.4f}.",
    )


def maximised(g):
    """theta and sigma where the likelihood of the rows is largest, from all theta at the grand mean.

    The search is in units that make theta and log sigma about as uncertain: sigma_0 / sqrt(n_i) and 1 / sqrt(N).
    """
    rows, first = g.n.sum(), g.mean.std()
    unit = np.append(first / np.sqrt(g.n), rows**-0.5)

    def minus(z):
        theta, log_sigma = g.center + (unit * z)[:-1], np.log(first) + (unit * z)[-1]
        precision, squares = np.exp(-2 * log_sigma), np.sum(g.ss + g.n * (g.mean - theta) ** 2)
        slope = np.append(-g.n * (g.mean - theta) * precision, rows - squares * precision)
        return rows * (unit * z)[-1] + squares * precision / 2, slope * unit

    found = optimize.minimize(minus, 0 * unit, jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9})
    if not found.success:
        raise RuntimeError(f"the search for the largest likelihood did not end: {found.message}")
    at = unit * found.x
    return g.center + at[:-1], first * np.exp(at[-1])


def far_from_the_middle(found: TwoLevelFit, settings: Settings) -> pd.DataFrame:
    """Count the means far from the middle, in the data and in replicated ones."""
    tree = found.posterior.draw(rng=settings.rng("extremes"))
    return funnel.table(found.model.groups, tree, rng=settings.rng("extremes", "replicated"))


def extreme_means(found: TwoLevelFit, rows: pd.DataFrame) -> Section:
    """Show means against sizes within their funnel, and ask whether small schools are extreme for being small (B)."""
    groups, mu, sigma = found.groups, *(found.reference.loc[(name, ""), "mean"] for name in ("mu", "sigma"))
    of = rows.set_index("quantity")
    few, ratio = of.iloc[0], of.iloc[-1]
    low, high = (groups.set_index("label").loc[name] for name in ("17", "67"))
    explained = "Noise explains what is seen."
    unexplained = (
        "Noise and one spread for all do not explain it: they lie farther out than that, so there may be "
        "something in the suspicion."
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
        f"others, "
        f"noise allowed for, with {chance(ratio['P, differing'])}. "
        f"{explained if ratio['P, differing'] > funnel.DOUBTFUL else unexplained} Were all schools alike, "
        f"{of.iloc[1]['mean, alike']:.0f} means would lie beyond two standard errors; {of.iloc[1]['observed']:.0f} "
        f"do ({chance(of.iloc[1]['P, alike'])}).",
        figures={"extremes": (figure, caption)},
        table=rows,
        note="What is observed is averaged over the posterior of mu and sigma, on which the counts depend.",
    )


def raw_and_pooled(found: TwoLevelFit) -> Section:
    """Show means against sizes, raw and shrunken (C)."""
    mu = found.reference.loc[("mu", ""), "mean"]
    figure = figures.shrinkage(found.groups, mu, against="n", xlabel="pupils tested", ylabel="mean score, points")
    caption = (
        "Raw school means (circles) and posterior means (dots) against the number of pupils; arrows show what "
        "pooling did."
    )
    return Section(
        title="C. The hierarchical model",
        text="Pooling moves each mean towards that of all schools, the farther the fewer pupils it rests on. Gibbs "
        "sampling cycles through the full conditionals of mu, sigma², tau² and all theta at once; NUTS and quadrature "
        "reach the same posterior, as is shown below.",
        figures={"shrinkage": (figure, caption)},
    )


def how_much_is_pooled(found: TwoLevelFit) -> Section:
    """Show kappa against sizes."""
    large, small = (found.groups.loc[i] for i in (found.groups["n"].idxmax(), found.groups["n"].idxmin()))
    caption = "Posterior mean of the shrinkage kappa against the number of pupils: it falls as data say more."
    return Section(
        title="D. How much is pooled?",
        text=f"kappa = 1 / (1 + n tau²) is the weight on the population mean: {small['kappa_mean']:.2f} for the "
        f"{small['n']} pupils of school {small['label']}, {large['kappa_mean']:.2f} for the {large['n']} of school "
        f"{large['label']}. It falls steeply at first and slowly then, and schools with as many pupils share it "
        "whatever their means. It is averaged over the posterior of tau, not computed from one value of it.",
        figures={"kappa": (figures.kappa(found.groups, against="n", xlabel="pupils tested"), caption)},
    )


def covariances(found: TwoLevelFit, settings: Settings) -> Section:
    """Say how much two pupils have in common, in closed form and by simulation (E)."""
    tau, between = (found.reference.loc[(name, "")] for name in ("tau", "sd_between"))
    sigma = found.reference.loc[("sigma", ""), "mean"]
    low, middle, high = (tau[q] ** 2 / (1 + tau[q] ** 2) for q in ("q2_5", "q50", "q97_5"))
    same, other, error, error_of_other = simulated_covariances(tau["mean"], sigma, settings.rng("covariances"))
    rows = [
        ("two pupils of one school", "tau² sigma²", (tau["mean"] * sigma) ** 2, same, error),
        ("pupils of two schools", "0", 0.0, other, error_of_other),
    ]
    return Section(
        title="E. What two pupils have in common",
        text="Given mu, the scores of two pupils of one school have the covariance tau² sigma², for they share the "
        "school's offset, and those of pupils of two schools have none. That makes sense: a common school makes "
        f"pupils alike. The posterior mean of the product is {between['mean'] ** 2 + between['sd'] ** 2:.1f} "
        "points².\n\nAs a share of the variance of a score it is tau² / (1 + tau²), the intraclass correlation: "
        f"{middle:.2f}, from {low:.2f} to {high:.2f} with probability 0.95. The simulated covariances lie "
        f"{(same - rows[0][2]) / error:+.1f} and {other / error_of_other:+.1f} standard errors from what they should "
        "be.",
        table=pd.DataFrame(rows, columns=["scores of", "covariance", "at the means", "simulated", "standard error"]),
        note=f"Simulated: two pupils in each of {PAIRS:,} schools, with tau and sigma at their posterior means.",
    )


def simulated_covariances(tau, sigma, rng):
    """Covariance of two pupils of one school and of two schools from the model, then the standard error of either."""
    offset = tau * sigma * rng.standard_normal(PAIRS)
    one, two = (offset + sigma * rng.standard_normal(PAIRS) for _ in range(2))
    variance, shared = sigma**2 * (1 + tau**2), (tau * sigma) ** 2
    errors = np.sqrt(variance**2 + np.array([shared**2, 0.0])) / np.sqrt(PAIRS)
    return np.mean(one * two), np.mean(one * np.roll(two, 1)), *errors
