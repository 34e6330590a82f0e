"""Coaching in eight schools (seed 002)."""

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats
from scipy import stats

from analyses.checks import chance, diagnostics, heterogeneity, probability
from analyses.engines import laplace, marginal_posterior, metropolis
from analyses.fits import crosscheck
from analyses.fits.crosscheck import TwoLevelCrosscheck
from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.report import figures, validation_figures
from analyses.report.columns import Style
from analyses.report.pages import Page, Picture, Section
from analyses.studies.sections import any_model
from analyses.studies.sections.other_methods import compare_methods
from models import eight_schools
from models.shrinkage import kappa, theta_given

NORMAL = stats.norm.ppf(0.975)
LAGS = 40  # by then the correlation has died out
STEPS = 5000  # kept, and as many thrown away
SHARE = 0.25  # of the draws, for what is shown and decides nothing
THIN = 80  # sweeps a draw: near tau = 0 consecutive sweeps are nearly the same


def page(settings: Settings) -> Page:
    """Answer the walk-through."""
    models = {"eight_schools": eight_schools.model(), "weakly_informative": eight_schools.weakly_informative()}
    flat, weak = (
        crosscheck.two_level(ExactFit.of_model(name, model, settings), best="high", thin=THIN)
        for name, model in models.items()
    )
    methods = compare_methods(flat, settings)
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
            any_model.league_section(flat, "school"),
            other_prior(flat, weak),
            any_model.predictive_section(flat, unit="points"),
            any_model.prediction_section(flat),
        ),
        machinery=(
            posterior_contours(flat, methods.metropolis["posterior"].dataset),
            one_chain(flat, settings),
            *([parameterizations(flat, settings)] if "nuts" in settings.engines else []),
            *any_model.routes(flat, ("mu", "tau")),
            methods.section,
            any_model.code_section(eight_schools.code()),
        ),
        picture="theta_given_tau",
        doubts="With eight schools the prior of tau has a say: another one is tried below. The standard errors are "
        "taken for known, the effects for normal; and the schools for a sample of those that the answer is meant for.",
        data=("eight_schools",),
        fits=(flat, weak),
        more=(methods.verdict,),
        model_checks=any_model.model_checks(flat),
    )


def sentence(fit: TwoLevelCrosscheck) -> str:
    """Give the answer in a sentence."""
    mu, tau, a = (fit.reference.loc[key] for key in (("mu", ""), ("tau", ""), ("theta", "A")))
    raw = fit.groups.set_index("label").loc["A", "estimate"]
    return (
        f"These data cannot tell: coaching gains about {mu['mean']:.0f} points ({mu['q2_5']:.0f} to "
        f"{mu['q97_5']:.0f}), the standard deviation between schools may be anything from {tau['q2_5']:.1f} to "
        f"{tau['q97_5']:.0f}, and school A, with a raw effect of {raw:.0f}, is put at {a['mean']:.1f} "
        f"({a['q2_5']:.0f} to {a['q97_5']:.0f})."
    )


def separate_or_pooled(fit: TwoLevelCrosscheck) -> Section:
    """Give each school its own estimate, or all the same, and test whether they differ."""
    g = fit.model.groups
    pooled = fit.model.collapsed(np.array([1e-9]))  # next to no spread between schools
    mean, variance, q = pooled.location[0, 0], pooled.covariance[0, 0, 0], heterogeneity.table(g)
    table = pd.DataFrame({
        "school": [*g.labels, "all pooled"],
        "estimate": [*g.mean, mean],
        "standard error": [*g.standard_error, np.sqrt(variance)],
    })  # fmt: skip
    table["q2_5"], table["q97_5"] = (table["estimate"] + side * table["standard error"] for side in (-NORMAL, NORMAL))
    overlap = table["q2_5"][:-1].max() < table["q97_5"][:-1].min()
    caption = "Each school's estimate by itself with its 95% interval, and that of all pooled; dashed, the pooled mean."
    return Section(
        title="Each for itself, or all alike?",
        text=f"By themselves the schools' intervals {'overlap throughout' if overlap else 'do not all overlap'}. "
        f"Pooled, they have the mean {mean:.2f} with variance {variance:.2f}, and a chi-square test finds "
        f"{'no evidence of a' if q.p > 0.05 else 'a'} difference between them: {q.q:.2f} on {q.df} degrees of freedom, "
        f"{chance(q.p)}.\n\nYet neither will do. For itself, school A would have an effect above its "
        f"{g.mean[0]:.0f} points with probability one half; pooled, it would be below the common {mean:.1f} and above "
        "school C with probability one half each. The hierarchical model lies between.",
        figures={"separate": Picture(figures.intervals(table, xlabel="effect, points", mark=mean), caption)},
        table=table,
        formats={"standard error": Style.ERROR},
    )


def against_the_others(fit: TwoLevelCrosscheck) -> Section:
    """Give the probabilities that the walk-through asks for, without sampling."""
    labels, size = fit.model.groups.labels, len(fit.model.groups)
    large = 1 - fit.posterior.theta().cdf(np.array([28.0]), np.array([0]))[0]
    difference = fit.posterior.contrast(np.eye(size)[:1] - np.eye(size)[1:])
    greater = 1 - difference.cdf(np.zeros(size - 1), np.arange(size - 1))
    columns = {
        "school": labels[1:],
        "P(A is greater)": greater,
        "A minus this school": difference.mean,
        "sd": difference.sd,
    }
    return Section(
        title="School A against the others",
        text=f"The probability that coaching gains more than 28 points in school A is {probability(large, 4)}, and A "
        f"is ahead of the others with probabilities from {probability(greater.min())} to {probability(greater.max())}.",
        table=pd.DataFrame(columns),
        formats={"P(A is greater)": Style.PROBABILITY, "A minus this school": Style.VALUE},
        note="Exact values: given tau, a difference of two effects is normal.",
    )


def one_chain(fit: TwoLevelCrosscheck, settings: Settings) -> Section:
    """Walk as the source does, one chain of 10,000 steps of which the first half is thrown away, and look at it."""
    tree = metropolis.sample(fit.model, draws=STEPS, tune=STEPS, thin=1, chains=1, rng=settings.rng("the chain"))
    mu, log_tau = tree["posterior"]["mu"].values[0], np.log(tree["posterior"]["tau"].values[0])
    tau = np.exp(np.linspace(-6, 4.1, 401))
    of_tau = np.diff(fit.posterior.scale("tau").cdf(tau, np.zeros(401, dtype=int))) / np.diff(np.log(tau))
    traces = {
        "mu, points": _trace(mu, any_model.density(fit.posterior.b, 0, -18.0, 37.0)),
        "log tau": _trace(log_tau, figures.Curve(np.log(tau[1:] * tau[:-1]) / 2, of_tau)),
    }
    (ess_mu, ess_tau), (lag_mu, lag_tau) = zip(
        *((float(az.ess(t.draws[None], method="mean")), t.autocorrelation[1]) for t in traces.values()), strict=True
    )
    rate = float(tree["sample_stats"]["acceptance_rate"].mean())
    caption = (
        "Above, the chain's draws under the exact density; in the middle, the chain; below, its autocorrelation by lag."
    )
    return Section(
        title="Metropolis, as in the source",
        text=f"Of {2 * STEPS:,} steps of twice the Cholesky factor of the normal approximation's covariance "
        f"{100 * rate:.1f}% were accepted. Successive draws of mu have a correlation of {lag_mu:.2f}, of log tau "
        f"{lag_tau:.2f}, and it dies out, but not as fast as it may look: the {STEPS:,} draws that are kept are worth "
        f"{ess_mu:.0f} independent ones for mu and {ess_tau:.0f} for log tau, so means come with "
        f"{np.sqrt(STEPS / ess_mu):.1f} and {np.sqrt(STEPS / ess_tau):.1f} times the error that their number suggests.",
        figures={"chain": Picture(validation_figures.chain(traces), caption)},
    )


def _trace(draws: np.ndarray, exact: figures.Curve) -> validation_figures.Trace:
    correlations = array_stats.autocorr(draws)[: LAGS + 1]
    return validation_figures.Trace(draws=draws, exact=exact, autocorrelation=correlations)


def raw_and_pooled(fit: TwoLevelCrosscheck) -> Section:
    """Show effects against standard errors, raw and shrunken, and B_j with its rank."""
    mu, t = fit.reference.loc[("mu", ""), "mean"], fit.groups
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
            "shrinkage": Picture(figures.shrinkage(t, mu, ylabel="effect, points", **axes), caption),
            "kappa": Picture(figures.kappa(t, **axes), of_kappa),
        },
        table=pd.DataFrame(columns),
        formats={"theta: mean": Style.VALUE},
        note="Exact values; schools with equal standard errors share a rank.",
    )


def given_tau(fit: TwoLevelCrosscheck) -> Section:
    """Show theta given tau, and how likely each tau is."""
    g = fit.model.groups
    tau = any_model.density(fit.posterior.scale("tau"), 0, 1e-3, 30.0)
    b = fit.model.collapsed(tau.x).location
    means, _ = theta_given(g.mean, g.noise, b @ g.design.T, tau.x[:, None] ** 2)
    axes = {"xlabel": "tau, points", "ylabel": "E(theta | tau, y), points"}
    figure = figures.conditional_means(tau, means, g.labels, g.mean, **axes)
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
        table=at_the_mode(fit),
        note="(1 - B_j) y_j + B_j mu is the same mean; B_j is the shrinkage.",
        figures={"theta_given_tau": Picture(figure, caption)},
    )


def at_the_mode(fit: TwoLevelCrosscheck) -> pd.DataFrame:
    """Mean and variance of theta given (mu, tau), and the shrinkage, at the mode of the posterior."""
    g, (mu, log_tau) = fit.model.groups, laplace.approximation(fit.model).mean
    mean, variance = theta_given(g.mean, g.noise, mu, np.exp(2 * log_tau))
    columns = {"school": g.labels, "m_j": mean, "V_j": variance, "B_j": kappa(g.noise, np.exp(2 * log_tau))}
    return pd.DataFrame(columns)


def parameterizations(fit: TwoLevelCrosscheck, settings: Settings) -> Section:
    """Show what the parameterization does to NUTS. An exhibit: it decides nothing."""
    from analyses.engines import nuts

    runs = {
        name: nuts.sample(fit.model, parameterization=name, **settings.nuts("eight_schools", name, share=SHARE))
        for name in ("centered", "noncentered")
    }
    runs["marginal"] = fit.trees["nuts"]
    necks = {name: _neck(tree) for name, tree in runs.items()}
    caption = "log tau against the effect of school A in each run; divergent transitions in red."
    return Section(
        title="Why the funnel matters",
        text="Sampled as it is written (centered), the posterior has a neck at small tau that NUTS cannot enter: "
        "divergent transitions are its way to say so. Standardising theta (noncentered) widens the neck. Integrating "
        "theta out (marginal) leaves two parameters and no funnel, and theta is drawn afterwards; that is the run that "
        "the checks judge. The other two decide nothing.",
        figures={"funnel": Picture(figures.funnel(necks, group="A"), caption)},
        table=diagnostics.table(runs),
    )


def posterior_contours(fit: TwoLevelCrosscheck, draws: xr.Dataset) -> Section:
    """Show the posterior of (mu, log tau), its normal approximation, and where Metropolis went."""
    mu, log_tau = np.linspace(-18, 37, 221), np.linspace(-6, 4.1, 203)
    log_density = marginal_posterior.log_posterior(fit.model, np.stack(np.meshgrid(mu, log_tau), axis=-1))
    normal = laplace.approximation(fit.model)
    mode, covariance = normal.mean, normal.covariance
    points = draws["mu"].values.ravel(), np.log(draws["tau"].values).ravel()
    caption = (
        "Contours of the log posterior of (mu, log tau), a unit apart; in blue the draws of Metropolis, in red the "
        "ellipses that hold 50 and 95% of the normal approximation."
    )
    return Section(
        title="The posterior of mu and log tau",
        text=f"Its mode is at mu = {mode[0]:.4f}, log tau = {mode[1]:.4f}, with curvature as of a normal with "
        f"variances {covariance[0, 0]:.3f} and {covariance[1, 1]:.4f} and covariance {covariance[0, 1]:.4f}. To small "
        "tau it falls off slowly, as e^(log tau), which no normal does.",
        figures={"contour": Picture(figures.contour(mu, log_tau, log_density, points, normal), caption)},
    )


def _neck(tree):
    draws = tree["posterior"].dataset
    theta, tau = draws["theta"].sel(school="A").values.ravel(), draws["tau"].values.ravel()
    return theta, np.log(tau), tree["sample_stats"]["diverging"].values.ravel()


def other_prior(flat: TwoLevelCrosscheck, weak: TwoLevelCrosscheck) -> Section:
    """Set the two priors side by side, exactly."""
    both = {"p(mu, tau) = 1": flat.reference, "mu ~ N(0, 5²), tau ~ HalfCauchy(5)": weak.reference}
    rows = [
        {"quantity": f"{variable} {label}".strip(), "prior": prior, **table.loc[(variable, label), any_model.MOMENTS]}
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
