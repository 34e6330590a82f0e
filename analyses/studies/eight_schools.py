"""Coaching in eight schools (seed 002)."""

import arviz as az
import numpy as np
import pandas as pd
from arviz_stats.base import array_stats
from scipy import stats

from analyses.checks import chance, diagnostics, heterogeneity, probability, shrinkage
from analyses.engines import laplace, marginal_posterior, metropolis
from analyses.fits.fit import Settings, TwoLevelFit, fit_two_level
from analyses.report import figures, validation_figures
from analyses.report.pages import Page, Section
from analyses.studies.sections import any_model
from models import eight_schools
from models.linear_gaussian import kappa, theta_given

NORMAL = stats.norm.ppf(0.975)
LAGS = 40  # by then the correlation has died out
STEPS = 5000  # kept, and as many thrown away
THIN = 80  # sweeps a draw: near tau = 0 consecutive sweeps are nearly the same


def page(settings: Settings) -> Page:
    """TwoLevelFit the walk-through."""
    flat = fit_two_level("eight_schools", eight_schools.model(), settings, best="high", thin=THIN)
    weak = fit_two_level("weakly_informative", eight_schools.weakly_informative(), settings, best="high", thin=THIN)
    methods, judged, walked = any_model.other_methods(flat, settings, thin=20)
    return Page(
        name="eight_schools",
        title="Coaching in eight schools",
        question="Eight experiments each estimated the effect of coaching on a test: does it work better in some "
        "schools than in others?",
        sentence=sentence(flat),
        sections=(
            separate_or_pooled(flat),
            given_tau(flat),
            raw_and_pooled(flat),
            against_the_others(flat),
            any_model.league_section(flat, shrinkage.sentence(flat.groups, best=flat.best, dim="school")),
            other_prior(flat, weak),
            any_model.predictive_section(flat, unit="points"),
            any_model.prediction_section(flat),
        ),
        machinery=(
            hills(flat, walked),
            the_chain(flat, settings),
            *(geometry(flat, settings) if "nuts" in settings.engines else ()),
            any_model.agreement_section(flat),
            any_model.rank_section(flat, ("mu", "tau")),
            methods,
        ),
        picture="theta_given_tau",
        doubts="With eight schools the prior of tau has a say: another one is tried below. The standard errors are "
        "taken for known, the effects for normal; and the schools for a sample of those that the answer is meant for.",
        data=("eight_schools",),
        fits=(flat, weak),
        more=(("eight_schools", judged),),
        model_checks=any_model.fit(flat),
    )


def sentence(found: TwoLevelFit) -> str:
    """Give the answer in a sentence."""
    mu, tau, a = (found.reference.loc[key] for key in (("mu", ""), ("tau", ""), ("theta", "A")))
    raw = found.groups.set_index("label").loc["A", "estimate"]
    return (
        f"These data cannot tell: coaching gains about {mu['mean']:.0f} points ({mu['q2_5']:.0f} to "
        f"{mu['q97_5']:.0f}), the standard deviation between schools may be anything from {tau['q2_5']:.1f} to "
        f"{tau['q97_5']:.0f}, and school A, with a raw effect of {raw:.0f}, is put at {a['mean']:.1f} "
        f"({a['q2_5']:.0f} to {a['q97_5']:.0f})."
    )


def separate_or_pooled(found: TwoLevelFit) -> Section:
    """Give each school its own estimate, or all the same, and test whether they differ."""
    g = found.model.groups
    pooled = found.model.collapsed(np.array([1e-9]))  # next to no spread between schools
    mean, sd = pooled.location[0, 0], np.sqrt(pooled.covariance[0, 0, 0])
    chi2, df, p = heterogeneity.table(g)[:3]
    rows = [
        (label, m, se, m - NORMAL * se, m + NORMAL * se)
        for label, m, se in zip(g.labels, g.mean, g.standard_error, strict=True)
    ]
    overlap = "overlap throughout" if max(r[3] for r in rows) < min(r[4] for r in rows) else "do not all overlap"
    rows.append(("all pooled", mean, sd, mean - NORMAL * sd, mean + NORMAL * sd))
    shown = {name: (m, low, high) for name, m, _, low, high in rows}
    caption = "Each school's estimate by itself with its 95% interval, and that of all pooled; dashed, the pooled mean."
    return Section(
        title="Each for itself, or all alike?",
        text=f"By themselves the schools' intervals {overlap}. Pooled, they have the mean {mean:.2f} with variance "
        f"{sd**2:.2f}, and a chi-square test finds {'no evidence of a' if p > 0.05 else 'a'} difference between "
        f"them: {chi2:.2f} on {df} degrees of freedom, {chance(p)}.\n\nYet neither will do. For itself, "
        f"school A would have an effect above its {g.mean[0]:.0f} points with probability one half; pooled, it would "
        f"be below the common {mean:.1f} and above school C with probability one half each. The hierarchical model "
        "lies between.",
        figures={"separate": (figures.intervals(shown, xlabel="effect, points", mark=mean), caption)},
        table=pd.DataFrame(rows, columns=["school", "estimate", "standard error", "q2_5", "q97_5"]),
    )


def against_the_others(found: TwoLevelFit) -> Section:
    """Give the probabilities that the walk-through asks for, without sampling."""
    labels, others = found.model.groups.labels, len(found.model.groups) - 1
    large = 1 - found.posterior.theta().cdf(np.array([28.0]), np.array([0]))[0]
    difference = found.posterior.contrast(np.eye(others + 1)[:1] - np.eye(others + 1)[1:])
    greater = 1 - difference.cdf(np.zeros(others), np.arange(others))
    columns = {
        "school": labels[1:],
        "P(A is greater)": greater,
        "A minus this school": difference.mean,
        "sd": difference.sd,
    }
    return Section(
        title="School A against the others",
        text=f"The probability that coaching gains more than 28 points in school A is {probability(large, 4)}, and A "
        f"is ahead of "
        f"the others with probabilities from {probability(greater.min())} to {probability(greater.max())}.",
        table=pd.DataFrame(columns),
        note="Exact values: given tau, a difference of two effects is normal.",
    )


def the_chain(found: TwoLevelFit, settings: Settings) -> Section:
    """Walk as the source does, one chain of 10,000 steps of which the first half is thrown away, and look at it."""
    tree = metropolis.sample(found.model, draws=STEPS, tune=STEPS, thin=1, chains=1, rng=settings.rng("the chain"))
    mu, log_tau = tree["posterior"]["mu"].values[0], np.log(tree["posterior"]["tau"].values[0])
    tau = np.exp(np.linspace(-6, 4.1, 401))
    of_tau = np.diff(found.posterior.scale("tau").cdf(tau, np.zeros(401, dtype=int))) / np.diff(np.log(tau))
    curves = {
        "mu, points": (mu, any_model.density(found.posterior.b, 0, -18.0, 37.0)),
        "log tau": (log_tau, (np.log(tau[1:] * tau[:-1]) / 2, of_tau)),
    }
    ess = {name: float(az.ess(x[None], method="mean")) for name, x in (("mu", mu), ("log tau", log_tau))}
    rate = float(tree["sample_stats"]["acceptance_rate"].mean())
    correlations = {name: array_stats.autocorr(draws)[: LAGS + 1] for name, (draws, _) in curves.items()}
    lag = {name: correlation[1] for name, correlation in correlations.items()}
    caption = (
        "Above, the chain's draws under the exact density; in the middle, the chain; below, its autocorrelation by lag."
    )
    return Section(
        title="Metropolis, as in the source",
        text=f"Of {2 * STEPS:,} steps of twice the Cholesky factor of the normal approximation's covariance "
        f"{100 * rate:.1f}% were accepted. Successive draws of mu have a correlation of {lag['mu, points']:.2f}, of "
        f"log tau {lag['log tau']:.2f}, and it dies out, but not as fast as it may look: the {STEPS:,} draws that "
        f"are kept are worth {ess['mu']:.0f} independent ones for mu and {ess['log tau']:.0f} for log tau, so means "
        f"come with {np.sqrt(STEPS / ess['mu']):.1f} and {np.sqrt(STEPS / ess['log tau']):.1f} times the error that "
        "their number suggests.",
        figures={"chain": (validation_figures.chain(curves, correlations), caption)},
    )


def raw_and_pooled(found: TwoLevelFit) -> Section:
    """Show effects against standard errors, raw and shrunken, and B_j with its rank."""
    mu, t = found.reference.loc[("mu", ""), "mean"], found.groups
    axes = {"against": "standard_error", "xlabel": "standard error, points"}
    caption = (
        "Raw effects (circles) and posterior means (dots) against the standard error; arrows show what pooling did."
    )
    of_kappa = "Posterior mean of the shrinkage kappa, the weight on the common mean: it rises with the standard error."
    columns = {
        "school": t["label"],
        "theta: mean": t["theta_mean"],
        "sd": t["theta_sd"],
        "shrinkage B_j": t["kappa_mean"],
        "its rank": t["kappa_mean"].rank(),
        "rank of the standard error": t["standard_error"].rank(),
    }
    return Section(
        title="Eight estimates, pulled together",
        text="The less certain an estimate, the more it is moved towards the common mean: the shrinkage B_j, here "
        "called kappa, has the ranks of the standard errors, for it grows with them whatever tau is.",
        figures={
            "shrinkage": (figures.shrinkage(t, mu, ylabel="effect, points", **axes), caption),
            "kappa": (figures.kappa(t, **axes), of_kappa),
        },
        table=pd.DataFrame(columns),
        note="Exact values; schools with equal standard errors share a rank.",
    )


def given_tau(found: TwoLevelFit) -> Section:
    """Show theta given tau, and how likely each tau is."""
    g = found.model.groups
    tau, density = any_model.density(found.posterior.scale("tau"), 0, 1e-3, 30.0)
    b = found.model.collapsed(tau).location
    means, _ = theta_given(g.mean, g.noise, b @ g.design.T, tau[:, None] ** 2)
    axes = {"xlabel": "tau, points", "ylabel": "E(theta | tau, y), points"}
    caption = (
        "Posterior mean of each school's effect given tau, with the raw effects as circles at the right edge; below, "
        "the posterior density of tau."
    )
    return Section(
        title="It all hangs on tau",
        text="If schools did not differ at all (tau = 0) every effect would be the pooled mean; if they differed "
        "without bounds, each would be its own estimate. Given both mu and tau, theta_j ~ N(m_j, V_j) with V_j = 1 "
        "/ (1/se_j² + 1/tau²) and m_j = V_j (y_j / se_j² + mu / tau²): the table has them at the mode of (mu, log "
        "tau), the figure with mu averaged out.",
        table=at_the_mode(found),
        note="(1 - B_j) y_j + B_j mu is the same mean; B_j is the shrinkage.",
        figures={
            "theta_given_tau": (
                figures.conditional_means(tau, means, density, g.labels, g.mean, **axes),
                caption,
            )
        },
    )


def at_the_mode(found: TwoLevelFit) -> pd.DataFrame:
    """Mean and variance of theta given (mu, tau), and the shrinkage, at the mode of the posterior."""
    g, (mu, log_tau) = found.model.groups, laplace.approximation(found.model).mean
    mean, variance = theta_given(g.mean, g.noise, mu, np.exp(2 * log_tau))
    columns = {"school": g.labels, "m_j": mean, "V_j": variance, "B_j": kappa(g.noise, np.exp(2 * log_tau))}
    return pd.DataFrame(columns)


def geometry(found: TwoLevelFit, settings: Settings) -> tuple[Section]:
    """Show what the parameterization does to NUTS. An exhibit: it decides nothing."""
    from analyses.engines import nuts

    names = ("centered", "noncentered")
    runs = {n: nuts.sample(found.model, parameterization=n, **settings.nuts("eight_schools", n)) for n in names}
    runs["marginal"] = found.trees["nuts"]
    shown = {name: _neck(tree) for name, tree in runs.items()}
    caption = "log tau against the effect of school A in each run; divergent transitions in red."
    return (
        Section(
            title="Why the funnel matters",
            text="Sampled as it is written (centered), the posterior has a neck at small tau that NUTS cannot enter: "
            "divergent transitions are its way to say so. Standardising theta (noncentered) widens the "
            "neck. Integrating theta out (marginal) leaves two parameters and no funnel, and theta is drawn "
            "afterwards; that is the run that the checks judge. The other two decide nothing.",
            figures={"funnel": (figures.funnel(shown, group="A"), caption)},
            table=diagnostics.table(runs),
        ),
    )


def hills(found: TwoLevelFit, walked) -> Section:
    """Show the posterior of (mu, log tau), its normal approximation, and where Metropolis went."""
    mu, log_tau = np.linspace(-18, 37, 221), np.linspace(-6, 4.1, 203)
    height = marginal_posterior.log_posterior(found.model, np.stack(np.meshgrid(mu, log_tau), axis=-1))
    law = laplace.approximation(found.model)
    draws = walked["posterior"].dataset
    caption = (
        "Contours of the log posterior of (mu, log tau), a unit apart; in blue the draws of Metropolis, in red the "
        "ellipses that hold 50 and 95% of the normal approximation."
    )
    points = draws["mu"].values.ravel(), np.log(draws["tau"].values).ravel()
    return Section(
        title="The posterior of mu and log tau",
        text=f"Its mode is at mu = {law.mean[0]:.4f}, log tau = {law.mean[1]:.4f}, with curvature as of a normal with "
        f"variances {law.covariance[0, 0]:.3f} and {law.covariance[1, 1]:.4f} and covariance "
        f"{law.covariance[0, 1]:.4f}. To small tau it falls off slowly, as e^(log tau), which no normal does.",
        figures={"contour": (figures.contour(mu, log_tau, height, points, law), caption)},
    )


def _neck(tree):
    draws = tree["posterior"].dataset
    theta, tau = draws["theta"].sel(school="A").values.ravel(), draws["tau"].values.ravel()
    return theta, np.log(tau), tree["sample_stats"]["diverging"].values.ravel()


def other_prior(flat: TwoLevelFit, weak: TwoLevelFit) -> Section:
    """Set the two priors side by side, exactly."""
    columns = ["mean", "sd", "q2_5", "q50", "q97_5"]
    both = {"p(mu, tau) = 1": flat.reference, "mu ~ N(0, 5²), tau ~ HalfCauchy(5)": weak.reference}
    rows = [
        {"quantity": f"{variable} {label}".strip(), "prior": prior, **table.loc[(variable, label), columns]}
        for variable, label in flat.reference.index
        if variable in ("mu", "tau", "theta")
        for prior, table in both.items()
    ]
    return Section(
        title="With another prior",
        text="Eight groups leave room for the prior: a half-Cauchy of scale 5 on tau and a normal of sd 5 about 0 on "
        "mu pull everything closer together and down. The tables and draws of that model are in the folder "
        "weakly_informative.",
        table=pd.DataFrame(rows),
        note=f"Exact values. {any_model.INTERVALS}",
    )
