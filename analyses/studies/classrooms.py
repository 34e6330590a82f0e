"""Pupils in classrooms in schools, simulated with a known truth (seed 003, last part)."""

import numpy as np
import pandas as pd
from partial_pooling_data import table
from partial_pooling_data.simulate_classrooms import TRUTH

from analyses.engines import three_level
from analyses.fits.crosscheck import Crosscheck, compare_with_exact
from analyses.fits.settings import Settings, timed
from analyses.report import figures
from analyses.report.columns import Style
from analyses.report.pages import Page, Picture, Section
from analyses.studies.sections import any_model
from analyses.studies.sections.draws import draw_by_engines
from models import classrooms, priors
from models.three_level import ThreeLevel

LEVELS = {"lambda": "lambda", "mu": "schools", "theta": "classrooms"}


def page(settings: Settings) -> Page:
    """Answer the lecture's last slide."""
    model = classrooms.model()
    fit = fit_classrooms(model, settings)
    change = effect_of_prior(fit)
    return Page(
        name="classrooms",
        title="A third level: pupils, classrooms, schools",
        question="Test scores of pupils in classrooms in schools: where does the difference lie, and does it matter "
        "below what is believed at the top?",
        sentence=sentence(fit, change),
        sections=(
            where_it_lies(fit, model),
            pulled_twice(fit, model),
            top_and_bottom(change),
            any_model.prediction_section(fit),
        ),
        machinery=(*any_model.routes(fit, ("lambda", "kappa", "tau")), any_model.code_section(classrooms.code())),
        picture="pulled",
        doubts="Nothing, for once: the data are simulated from the model that is fitted. With data of one's own all "
        f"three levels would be taken for normal, and {len(model.schools)} schools say little of how schools spread.",
        data=("classrooms",),
        fits=(fit,),
    )


def fit_classrooms(model: ThreeLevel, settings: Settings) -> Crosscheck:
    """Reach the posterior by every engine asked for."""
    seconds: dict[str, float] = {}
    with timed(seconds, "exact"):
        posterior = three_level.posterior(model)
        reference, predictions, error = posterior.table(), posterior.predictions(at=0), posterior.error()
    trees = draw_by_engines(
        settings,
        seconds,
        nuts=lambda: three_level.by_nuts(model, **settings.nuts("classrooms")),
        gibbs=lambda: three_level.by_gibbs(model, rng=settings.rng("gibbs", "classrooms")),
        exact=lambda: posterior.draw(rng=settings.rng("exact", "classrooms")),
    )
    ahead = {
        e: three_level.predicted(model, tree, posterior.new_labels(0), at=0, rng=settings.rng("new", "classrooms", e))
        for e, tree in trees.items()
    }
    in_sds = float(error.div(reference.loc[error.index, "sd"], axis=0).max().max())
    cost = {"error": in_sds, "nodes": len(posterior.weight), "seconds": seconds}
    return compare_with_exact("classrooms", trees, reference, ahead, predictions, **cost)


def sentence(fit: Crosscheck, change: pd.DataFrame) -> str:
    """Give the answer in a sentence."""
    sds = {name: fit.reference.loc[(name, "")] for name in ("kappa", "tau", "sigma")}
    kappa, tau, sigma = (f"{sd['mean']:.1f} ({sd['q2_5']:.1f} to {sd['q97_5']:.1f})" for sd in sds.values())
    return (
        f"Schools differ with a standard deviation of {kappa} points, classrooms of one school with "
        f"{tau}, pupils of one classroom with {sigma}; {TRUTH['kappa']:.0f}, {TRUTH['tau']:.0f} and "
        f"{TRUTH['sigma']:.0f} are the truth behind the data. Another prior of kappa moves no "
        f"classroom's mean by more than {change.iloc[-1, 1]:.2f} of its standard deviations."
    )


def where_it_lies(fit: Crosscheck, model: ThreeLevel) -> Section:
    """Hold the scales against the truth."""
    columns = ["mean", "sd", "q2_5", "q97_5"]
    rows = [
        {"quantity": name, "truth": truth, **fit.reference.loc[(name, ""), columns]} for name, truth in TRUTH.items()
    ]
    t = table("classrooms")
    classrooms_covered = number_covered(fit, "theta", t["true_theta"])
    schools_covered = number_covered(fit, "mu", t.drop_duplicates("school")["true_mu"])
    relative = fit.reference["sd"] / fit.reference["mean"]
    least = max(("kappa", "tau", "sigma"), key=lambda name: relative[name, ""])
    return Section(
        title="Where does the difference lie?",
        text=f"The data are simulated, so the truth is known: of {len(model.classrooms)} classrooms "
        f"{classrooms_covered}, of {len(model.schools)} schools {schools_covered} have their true mean within the 95% "
        f"interval. Of the three spreads {least} is known least, for its size.",
        table=pd.DataFrame(rows),
        formats={"truth": Style.VALUE},
        note=f"Exact values. {any_model.INTERVALS} kappa is here the source's letter for the spread between schools.",
    )


def number_covered(fit: Crosscheck, variable: str, truth: pd.Series) -> int:
    """Count the true means within their 95% intervals."""
    rows = fit.reference.loc[variable]
    return int(np.sum((rows["q2_5"].to_numpy() < truth) & (truth < rows["q97_5"].to_numpy())))


def pulled_twice(fit: Crosscheck, model: ThreeLevel) -> Section:
    """Show classroom means, their posterior means, and those of their schools."""
    theta, mu = (fit.reference.loc[name, "mean"].to_numpy() for name in ("theta", "mu"))
    caption = (
        "Mean score of each classroom (circle), its posterior mean (dot), and that of its school (line); the dashed "
        "line is lambda."
    )
    top = fit.reference.loc[("lambda", ""), "mean"]
    figure = figures.nested(model.classrooms.mean, theta, mu, model.school, model.schools, top)
    return Section(
        title="Pulled twice",
        text="A classroom is pulled towards its school, the more the fewer pupils it has, and the school towards all "
        "schools, the more the fewer classrooms it has.",
        figures={"pulled": Picture(figure, caption)},
    )


def effect_of_prior(fit: Crosscheck) -> pd.DataFrame:
    """How far means move, in sds, and how sds change, when p(kappa) = 1 takes the place of p(kappa^2) = 1."""
    other = three_level.posterior(classrooms.model(kappa=priors.FLAT))
    rows = []
    for name, level in {"kappa": "kappa itself", **LEVELS}.items():
        marginal = other.scale(name) if name == "kappa" else other.level(name)
        mean, sd = (fit.reference.loc[name, moment].to_numpy() for moment in ("mean", "sd"))
        rows.append((level, np.max(np.abs(marginal.mean - mean) / sd), np.mean(marginal.sd / sd)))
    return pd.DataFrame(rows, columns=["level", "largest move of a mean, in sds", "mean ratio of sds"])


def top_and_bottom(rows: pd.DataFrame) -> Section:
    """Say how far down a change at the top is felt."""
    move = rows.set_index("level").iloc[:, 0]
    return Section(
        title="A change at the top",
        text="The source says that subtle changes near the top hardly matter at the bottom. Take p(kappa) = 1 in place "
        f"of p(kappa²) = 1: kappa's own mean moves by {move['kappa itself']:.2f} of its standard deviations, those of "
        f"schools by up to {move['schools']:.2f}, those of classrooms by up to {move['classrooms']:.2f}.",
        table=rows,
        note="Both posteriors exact. Ratio: sd with p(kappa) = 1 over sd with p(kappa²) = 1.",
    )
