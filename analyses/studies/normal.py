"""One group of normal data in closed form (seed 003, first part)."""

import numpy as np
import pandas as pd

from analyses.engines import conjugate
from analyses.fits.crosscheck import Crosscheck, compare_with_exact
from analyses.fits.settings import Settings
from analyses.published import lecture
from analyses.report import figures
from analyses.report.pages import Page, Picture, Section
from analyses.studies.sections import any_model
from analyses.studies.sections.draws import draw_by_engines
from models import one_group
from models.one_group import OneGroup


def page(settings: Settings) -> Page:
    """Answer the lecture's first part."""
    model = one_group.example()
    fit = fit_one_group(model, settings)
    return Page(
        name="normal",
        title="One group, before there are many",
        question="Scores of one school's pupils, a prior of theta that is measured in sigma, and a prior of sigma: "
        "what is theta's marginal posterior?",
        sentence=sentence(model),
        sections=(
            students_t(model, fit),
            one_after_the_other(model),
            any_model.prediction_section(fit),
        ),
        machinery=any_model.routes(fit, ("theta", "sigma")),
        picture="theta",
        doubts="The prior ties what is believed of theta to sigma: were pupils more alike, theta would be believed to "
        "be known better beforehand. That makes the algebra close, and is rarely meant.",
        data=("math_test",),
        fits=(fit,),
    )


def fit_one_group(model: OneGroup, settings: Settings) -> Crosscheck:
    """Reach the posterior by every engine asked for."""
    seconds: dict[str, float] = {}
    trees = draw_by_engines(
        settings,
        seconds,
        nuts=lambda: conjugate.by_nuts(model, **settings.nuts("normal")),
        gibbs=lambda: conjugate.by_gibbs(model, rng=settings.rng("gibbs", "normal")),
        exact=lambda: conjugate.draw(model, rng=settings.rng("exact", "normal")),
    )
    ahead = {e: conjugate.predicted(model, tree, rng=settings.rng("new", "normal", e)) for e, tree in trees.items()}
    cost = {"error": conjugate.error(model), "nodes": 1, "seconds": seconds}
    return compare_with_exact("normal", trees, conjugate.table(model), ahead, conjugate.predictions(model), **cost)


def sentence(model: OneGroup) -> str:
    """Give the answer in a sentence."""
    law = model.theta()
    low, high = law.ppf([0.025, 0.975])
    return (
        f"A Student t with {law.args[0]:.0f} degrees of freedom about {law.mean():.1f} points, {low:.1f} to {high:.1f} "
        f"with probability 0.95: the {model.n:.0f} pupils' mean of {model.mean:.1f} moved towards the {model.mu:.0f} "
        f"expected beforehand, by the weight of {model.tau**-2:.0f} pupils."
    )


def students_t(model: OneGroup, fit: Crosscheck) -> Section:
    """Answer the slide's question, with the parameters, prior and posterior."""
    law, sigma2 = model.theta(), model.sigma2()
    theta = np.linspace(model.mu - 12, model.mu + 12, 400)
    draws = {engine: tree["posterior"]["theta"] for engine, tree in fit.trees.items() if engine != "exact"}
    caption = "Posterior of theta by each engine under the exact t; the dashed line is the prior mean."
    exact = figures.Curve(theta, law.pdf(theta))
    figure = figures.density(draws, exact, xlabel="theta, points", mark=model.mu)
    kappa = 1 / (1 + model.n * model.tau**2)
    rows = [
        ("degrees of freedom", "2 alpha + n", law.args[0]),
        ("location", "kappa mu + (1 - kappa) mean, kappa = 1 / (1 + n tau²)", law.args[1]),
        ("scale", "sqrt(beta* / (alpha* (n + 1/tau²)))", law.args[2]),
        ("kappa", "1 / (1 + n tau²)", kappa),
        ("alpha*", "alpha + n/2", sigma2.shape),
        ("beta*", "beta + (ss + (mean - mu)² / (1/n + tau²)) / 2", sigma2.scale),
    ]
    return Section(
        title="What is the marginal posterior of theta?",
        text=f"Beforehand theta ~ N({model.mu:.0f}, {model.tau:g}² sigma²) and sigma² ~ InverseGamma({model.alpha:g}, "
        f"{model.beta:g}); the {model.n:.0f} pupils are those of school 1 of the math tests. Given sigma theta is "
        "normal; over the inverse gamma posterior of sigma² the normals add up to a Student t. "
        "It is conjugate: the posterior has the form of the prior, with mu, tau, alpha and beta updated.",
        figures={"theta": Picture(figure, caption)},
        table=pd.DataFrame(rows, columns=["of the posterior", "formula", "here"]),
    )


def one_after_the_other(model: OneGroup) -> Section:
    """Say how the sequential sampler goes, and what the printed formula would give."""
    law, printed = model.sigma2(), lecture.printed_scale(model)
    rows = [
        ("as derived", law.scale, law.scale / (law.shape - 1)),
        ("as printed", printed, printed / (law.shape - 1)),
    ]
    return Section(
        title="One after the other",
        text="The source draws sigma² from its marginal posterior and then theta given it, which needs no chain: the "
        "independent draws below are made in this way. Its scale of sigma² is printed without beta and without the "
        f"factor one half, its density with the wrong sign of the power: drawn so, sigma² would be "
        f"{printed / law.scale:.1f} times too large.",
        table=pd.DataFrame(rows, columns=["scale of sigma²", "beta*", "mean of sigma²"]),
    )
