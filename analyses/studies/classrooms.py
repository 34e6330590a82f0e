"""Pupils in classrooms in schools, simulated with a known truth (seed 003, last part)."""

import numpy as np
import pandas as pd
from partial_pooling_data import table
from partial_pooling_data.simulate_classrooms import TRUTH

from analyses.engines import three_level
from analyses.fits.fit import Fit, Settings, compare_with_exact, timed
from analyses.report import figures
from analyses.report.pages import Page, Section
from analyses.studies.sections import any_model
from models import classrooms, priors
from models.three_level import ThreeLevel

LEVELS = {"lambda": "lambda", "mu": "schools", "theta": "classrooms"}


def page(settings: Settings) -> Page:
    """TwoLevelFit the lecture's last slide."""
    model = classrooms.model()
    found = reached(model, settings)
    change = moved(found)
    return Page(
        name="classrooms",
        title="A third level: pupils, classrooms, schools",
        question="Test scores of pupils in classrooms in schools: where does the difference lie, and does it matter "
        "below what is believed at the top?",
        sentence=sentence(found, change),
        sections=(
            where_it_lies(found, model),
            pulled_twice(found, model),
            top_and_bottom(change),
            any_model.prediction_section(found),
        ),
        machinery=(any_model.agreement_section(found), any_model.rank_section(found, ("lambda", "kappa", "tau"))),
        picture="pulled",
        doubts="Nothing, for once: the data are simulated from the model that is fitted. With data of one's own all "
        f"three levels would be taken for normal, and {len(model.schools)} schools say little of how schools spread.",
        data=("classrooms",),
        fits=(found,),
    )


def reached(model: ThreeLevel, settings: Settings) -> Fit:
    """Reach the posterior by every engine asked for."""
    trees, seconds = {}, {}
    with timed(seconds, "exact"):
        posterior = three_level.posterior(model)
        reference, predictions, error = posterior.table(), posterior.predictions(at=0), posterior.error()
    if "nuts" in settings.engines:
        with timed(seconds, "nuts"):
            trees["nuts"] = three_level.by_nuts(model, **settings.nuts("classrooms"))
    if "gibbs" in settings.engines:
        with timed(seconds, "gibbs"):
            trees["gibbs"] = three_level.by_gibbs(model, rng=settings.rng("gibbs", "classrooms"))
    if "exact" in settings.engines:
        with timed(seconds, "exact draws"):
            trees["exact"] = posterior.draw(rng=settings.rng("exact", "classrooms"))
    ahead = {
        e: three_level.predicted(model, tree, posterior.new_labels(0), at=0, rng=settings.rng("new", "classrooms", e))
        for e, tree in trees.items()
    }
    off = float(error.div(reference.loc[error.index, "sd"], axis=0).max().max())
    known = {"error": off, "nodes": len(posterior.weight), "seconds": seconds}
    return compare_with_exact("classrooms", trees, reference, ahead, predictions, **known)


def sentence(found: Fit, change: pd.DataFrame) -> str:
    """Give the answer in a sentence."""
    sds = {name: found.reference.loc[(name, "")] for name in ("kappa", "tau", "sigma")}
    said = {name: f"{r['mean']:.1f} ({r['q2_5']:.1f} to {r['q97_5']:.1f})" for name, r in sds.items()}
    return (
        f"Schools differ with a standard deviation of {said['kappa']} points, classrooms of one school with "
        f"{said['tau']}, pupils of one classroom with {said['sigma']}; {TRUTH['kappa']:.0f}, {TRUTH['tau']:.0f} and "
        f"{TRUTH['sigma']:.0f} are the truth behind the data. Another prior of kappa moves no "
        f"classroom's mean by more than {change.iloc[-1, 1]:.2f} of its standard deviations."
    )


def where_it_lies(found: Fit, model: ThreeLevel) -> Section:
    """Hold the scales against the truth."""
    columns = ["mean", "sd", "q2_5", "q97_5"]
    rows = [
        {"quantity": name, "truth": truth, **found.reference.loc[(name, ""), columns]} for name, truth in TRUTH.items()
    ]
    t = table("classrooms")
    inside = {}
    for level, truth in (("theta", t["true_theta"]), ("mu", t.drop_duplicates("school")["true_mu"])):
        q = found.reference.loc[level]
        inside[level] = int(np.sum((q["q2_5"].to_numpy() < truth) & (truth < q["q97_5"].to_numpy())))
    relative = found.reference["sd"] / found.reference["mean"]
    least = max(("kappa", "tau", "sigma"), key=lambda name: relative[name, ""])
    return Section(
        title="Where does the difference lie?",
        text=f"The data are simulated, so the truth is known: of {len(model.classrooms)} classrooms "
        f"{inside['theta']}, of {len(model.schools)} schools {inside['mu']} have their true mean within the 95% "
        f"interval. Of the three spreads {least} is known least, for its size.",
        table=pd.DataFrame(rows),
        note=f"Exact values. {any_model.INTERVALS} kappa is here the source's letter for the spread between schools.",
    )


def pulled_twice(found: Fit, model: ThreeLevel) -> Section:
    """Show classroom means, their posterior means, and those of their schools."""
    theta, mu = (found.reference.loc[name, "mean"].to_numpy() for name in ("theta", "mu"))
    caption = (
        "Mean score of each classroom (circle), its posterior mean (dot), and that of its school (line); the dashed "
        "line is lambda."
    )
    g, top = model.classrooms, found.reference.loc[("lambda", ""), "mean"]
    return Section(
        title="Pulled twice",
        text="A classroom is pulled towards its school, the more the fewer pupils it has, and the school towards all "
        "schools, the more the fewer classrooms it has.",
        figures={"pulled": (figures.nested(g.mean, theta, mu, model.school, model.schools, top), caption)},
    )


def moved(found: Fit) -> pd.DataFrame:
    """How far means move, in sds, and how sds change, when p(kappa) = 1 takes the place of p(kappa^2) = 1."""
    other = three_level.posterior(classrooms.model(kappa=priors.FLAT))
    rows = []
    for name, said in {"kappa": "kappa itself", **LEVELS}.items():
        law, before = other.scale(name) if name == "kappa" else other.level(name), found.reference.loc[name]
        off = np.abs(law.mean - before["mean"].to_numpy()) / before["sd"].to_numpy()
        rows.append((said, off.max(), np.mean(law.sd / before["sd"].to_numpy())))
    return pd.DataFrame(rows, columns=["level", "largest move of a mean, in sds", "mean ratio of sds"])


def top_and_bottom(rows: pd.DataFrame) -> Section:
    """Say how far down a change at the top is felt."""
    off = rows.set_index("level").iloc[:, 0]
    return Section(
        title="A change at the top",
        text="The source says that subtle changes near the top hardly matter at the bottom. Take p(kappa) = 1 in place "
        f"of p(kappa²) = 1: kappa's own mean moves by {off['kappa itself']:.2f} of its standard deviations, those of "
        f"schools by up to {off['schools']:.2f}, those of classrooms by up to {off['classrooms']:.2f}.",
        table=rows,
        note="Both posteriors exact. Ratio: sd with p(kappa) = 1 over sd with p(kappa²) = 1.",
    )
