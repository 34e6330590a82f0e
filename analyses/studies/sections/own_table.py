"""Sections of the studies that take a table of one's own. What they show is outside the units that engines work in."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd

from analyses.checks import chance, leave_out, probability, sensitivity, shrinkage
from analyses.engines import reml
from analyses.engines.inference_data import QUANTILES
from analyses.engines.mixture import highest_moment
from analyses.fits import rescale
from analyses.fits.fit import ManyGroupsFit, Settings, TwoLevelFit, fit_two_level
from analyses.ingest.build_model import Prepared
from analyses.report import figures
from analyses.report.numbers import spelled
from analyses.report.pages import Section
from analyses.studies.sections import any_model
from models import priors
from models.groups import Replicates
from models.propriety import moments, says_nothing_of_tau

MOST_DRAWN = 60  # groups in a figure that names each
CAREFUL = 0.99  # of NUTS's proposals are to be accepted: nobody knows what data will come
QUANTITY = ["mean", "sd", "q2_5", "q50", "q97_5"]


def answered(name: str, prepared: Prepared, settings: Settings) -> tuple[TwoLevelFit, TwoLevelFit]:
    """The answer inside the units and outside them."""
    among = min(settings.asked.among or shrinkage.AMONG, len(prepared.model.groups))
    careful = replace(settings, target_accept=CAREFUL)
    inside = fit_two_level(name, prepared.model, careful, best="high", thin=None, among=among)
    return inside, rescale.two_level(prepared.units, inside)


def between(row: pd.Series) -> str:
    """An estimate and its interval."""
    sd = (row["q97_5"] - row["q2_5"]) / 4
    low, middle, high = (spelled(row[name], sd, least=1) for name in ("q2_5", "q50", "q97_5"))
    return f"{middle} ({low} to {high})"


def first(found: TwoLevelFit) -> str:
    """Who is first by itself, where pooling puts it, and how sure that it is first."""
    high = found.best == "high"
    raw = found.groups.loc[found.groups["estimate"].idxmax() if high else found.groups["estimate"].idxmin()]
    theta, end = found.reference.loc[("theta", raw["label"])], "highest" if high else "lowest"
    alone = spelled(raw["estimate"], raw["theta_sd"], least=1)
    return (
        f"{raw['label']}, {end} by itself with {alone}, is put at {between(theta)} and is the {end} with probability "
        f"{probability(raw['p_best'])}."
    )


def the_model(prepared: Prepared, likelihood: str) -> Section:
    """State the model with its priors, and what they leave without a moment."""
    model, g = prepared.model, prepared.model.groups
    regression = " + ".join(["mu", *(f"beta[{name}] x" for name in g.covariates)])
    spread = "tau²" if prepared.units.tau else "tau² sigma²"
    missing = _without_moments(model)
    notes = [
        *(f"The reference level of {name} is {level!r}." for name, level in prepared.references.items()),
        "mu is the population mean where every covariate is 0." if g.covariates else "",
        "These data say nothing of tau: its posterior is its prior." if says_nothing_of_tau(model) else "",
        f"The mean or the standard deviation of {', '.join(missing)} does not exist under these priors, or hardly: "
        "medians and intervals stand in their place."
        if missing
        else "",
    ]
    priors_ = ", ".join(f"{name} ~ {dist}" for name, dist in prepared.priors.items())
    return Section(
        title="The model",
        text=f"{likelihood}; theta_i ~ N({regression}, {spread}). Priors: {priors_}. Figures in sentences are medians "
        f"with 95% intervals. {' '.join(filter(None, notes))}",
    )


def _without_moments(model) -> list[str]:
    """Variables of which some mean or variance does not exist."""
    reported = ("mu", "beta", *model.unknown, "sd_between", "theta")
    orders = moments(model).items()
    return sorted({name for (name, _), order in orders if name in reported and highest_moment(order) < 2})


def raw_and_pooled(found: TwoLevelFit, *, against: str, xlabel: str, ylabel: str) -> Section:
    """Show what pooling does to each group."""
    shown = found.groups.dropna(subset=["theta_mean"])
    mu = found.reference.loc[("mu", ""), "q50"] if not found.model.groups.covariates else None
    caption = "Raw means (circles) and posterior means (dots); arrows show what pooling did."
    pictures = {}
    if len(shown):
        figure = figures.shrinkage(shown, mu, against=against, xlabel=xlabel, ylabel=ylabel)
        pictures["shrinkage"] = (figure, caption)
    if len(found.groups) <= MOST_DRAWN:
        width = "1.96 standard errors, with the sigma that all share" if "sigma" in found.model.unknown else "1.96 se"
        forest = f"Each group by itself (grey, within {width}) and pooled (blue, 95% of the posterior)."
        pictures["forest"] = (figures.forest(_by_itself(found), xlabel=ylabel), forest)
    return Section(
        title="What pooling does",
        text="Each group's mean is pulled towards the population's, the farther the less it says by itself: kappa, the "
        f"weight on the population, is {found.groups['kappa_mean'].min():.2f} to "
        f"{found.groups['kappa_mean'].max():.2f}.",
        figures=pictures,
    )


def picture(found: TwoLevelFit) -> str:
    """Name of the figure that shows most at once; none where theta has no mean and groups are too many to name."""
    if len(found.groups) <= MOST_DRAWN:
        return "forest"
    return "shrinkage" if found.groups["theta_mean"].notna().any() else ""


def _by_itself(found: TwoLevelFit) -> pd.DataFrame:
    """Groups with their own 95% intervals, the highest first."""
    error = found.groups["standard_error"]
    if "sigma" in found.model.unknown:
        error = found.reference.loc[("sigma", ""), "q50"] * np.sqrt(found.model.groups.noise)
    rows = found.groups.assign(
        low=found.groups["estimate"] - 1.96 * error, high=found.groups["estimate"] + 1.96 * error
    )
    return rows.sort_values("estimate")


def coefficients(inside: TwoLevelFit, found: TwoLevelFit) -> tuple[Section, ...]:
    """The effect of each covariate."""
    names = inside.model.groups.covariates
    if not names:
        return ()
    positive = 1 - inside.posterior.b.cdf(np.zeros(len(names)), np.arange(1, len(names) + 1))
    rows = found.reference.loc["beta"].loc[list(names), QUANTITY].reset_index(names="covariate")
    return (
        Section(
            title="What the covariates do",
            text="beta is the difference of the population mean for one unit more of a covariate, or between a level "
            "and its reference.",
            table=rows.assign(**{"P(above 0)": positive}),
            note=f"Exact. {any_model.INTERVALS}",
        ),
    )


def league(found: TwoLevelFit) -> Section:
    """The table of groups, best first."""
    text = shrinkage.sentence(found.groups, best=found.best, dim="group")
    section = any_model.league_section(found, text)
    return replace(
        section, note=f"P(among the best) is the probability to be among the first {found.among}. {section.note}"
    )


def comparisons(prepared: Prepared, inside: TwoLevelFit, settings: Settings) -> tuple[Section, ...]:
    """The difference between the groups that were asked for; else between the first and the last."""
    pairs = settings.asked.compare or (_ends(inside),)
    named = list(dict.fromkeys(chain.from_iterable(pairs)))
    at = np.array([inside.model.groups.labels.index(label) for label in named])
    weights = np.array([[(name == a) - (name == b) for name in named] for a, b in pairs], dtype=float)
    law, which, unit = inside.posterior.contrast(weights, at), np.arange(len(pairs)), float(prepared.units.unit)
    exist = highest_moment(moments(inside.model)["theta", ""])
    low, middle, high = (unit * law.quantile(p) for p in (0.025, 0.5, 0.975))
    columns = {
        "difference": [f"{a} - {b}" for a, b in pairs],
        "mean": unit * law.mean if exist >= 1 else np.nan,
        "sd": unit * law.sd if exist >= 2 else np.nan,
        "q2_5": low,
        "q50": middle,
        "q97_5": high,
        "P(above 0)": 1 - law.cdf(np.zeros(len(pairs)), which),
    }
    ends = (
        "" if settings.asked.compare else " Here, the first of the league table and the last; --compare asks for any."
    )
    return (
        Section(
            title="Does one differ from another?",
            text="The difference of two groups is not that of two independent intervals: both are pulled to the same "
            f"population.{ends}",
            table=any_model.existing(pd.DataFrame(columns)),
            note=f"Exact. {any_model.INTERVALS}",
        ),
    )


def _ends(found: TwoLevelFit | ManyGroupsFit) -> tuple[str, str]:
    """First and last of the league table, which for a crowd is one of posterior means."""
    ranked = "rank_mean" in found.groups
    ascending = ranked or found.best == "low"
    ordered = found.groups.sort_values("rank_mean" if ranked else "theta_mean", ascending=ascending, kind="stable")
    return ordered["label"].iloc[0], ordered["label"].iloc[-1]


def what_comes_next(found: TwoLevelFit) -> Section:
    """Exact predictions for an old and a new group."""
    section = any_model.prediction_section(found)
    exact = found.predictions[found.predictions["engine"] == "exact"].drop(columns="engine")
    columns = [name for name in any_model.PREDICTIONS if name != "engine"]
    return replace(section, table=any_model.existing(exact[columns]), note=f"Exact. {any_model.INTERVALS}")


def others_say(prepared: Prepared, inside: TwoLevelFit) -> Section:
    """Leave each group out and let the others say what to expect of it."""
    rows, g = leave_out.table(inside.posterior), inside.model.groups
    offset, unit = prepared.units.affine("theta")
    moved = {name: offset + unit * rows[name] for name in ("observed", "mean", *QUANTILES) if name in rows}
    moved |= {"sd": unit * rows["sd"]} if "sd" in rows else {}
    size = g.n if isinstance(g, Replicates) else np.ones(len(g))
    rows = rows.assign(**moved, log_density=rows["log_density"] - size * np.log(unit))
    return Section(
        title="What the others say of each",
        text="Each group is left out in turn, and the others, their scales estimated anew, say what its mean should "
        f"be. {_oddest(rows)}",
        table=any_model.existing(rows),
        note="Exact. log density is that of the group's data given all others: the larger, the better predicted.",
    )


def _oddest(rows) -> str:
    """Name the group that the others expect least."""
    tail = np.minimum(rows["P(as large)"], 1 - rows["P(as large)"])
    if tail.isna().all():
        return "But without one, the others have no posterior under this prior."
    odd = rows.loc[tail.idxmin()]
    p = f"{chance(2 * tail.min())} before one allows for the number of groups, {len(rows)}"
    if "q50" not in rows:
        return f"The oddest is {odd['label']}, whose mean has a two-sided {p}."
    alone = spelled(odd["observed"], (odd["q97_5"] - odd["q2_5"]) / 4, least=1)
    return f"The oddest is {odd['label']}: a mean of {alone} where the others expect {between(odd)}, two-sided {p}."


def other_priors(prepared: Prepared, others: dict, scale: str) -> Section:
    """Set other priors of tau beside the model's, and weigh prior and data; `scale` says whence theirs is."""
    model, name = prepared.model, "tau" if "tau" in prepared.priors else "tau2"
    models = {f"{name} ~ {prepared.priors[name]}": model}
    models |= {spelling: replace(model, tau=tau) for spelling, tau in others.items() if tau != model.tau}
    tables = {spelling: rescale.table(prepared.units, t) for spelling, t in sensitivity.side_by_side(models).items()}
    power = sensitivity.by_power(model)
    rows = [
        {"variable": variable, "label": label, "prior": spelling, **rows.loc[(variable, label), QUANTITY]}
        for variable, label in power.index
        for spelling, rows in tables.items()
    ]
    return Section(
        title="With another prior",
        text=f"{_weight(model, power['prior'])} The first prior is the model's; scales of the others are {scale}, "
        "to show how much a prior would matter. Those that leave no posterior are left out.",
        table=any_model.existing(pd.DataFrame(rows)),
        note="When all priors weigh twice as much (power-scaling), medians move by, in sds, a doubling: "
        f"{_listed(power['prior'])}. When the data do: {_listed(power['data'])}. Exact. {any_model.INTERVALS}",
    )


def _weight(model, moved) -> str:
    """Say how far the prior's weight moves the medians."""
    most = moved.abs().max()
    if not sensitivity.is_power_scaled(model):
        return "Flat priors are flat to any power, so weighing them more says nothing: look how far others lead."
    if np.isnan(most):
        return "With less of its weight the prior leaves no posterior: it holds this one up. Look how far others lead."
    if most <= sensitivity.MATTERS:
        return f"A prior that weighs twice as much moves no median by more than {most:.2f} of its sd: the data decide."
    return f"A prior that weighs twice as much moves a median by up to {most:.2f} of its sd: it matters here."


def _listed(column) -> str:
    found = {" ".join(filter(None, key)): value for key, value in column.dropna().items()}
    return ", ".join(f"{name} {value:+.2f}" for name, value in found.items()) or "no posterior is left"


def by_restricted_likelihood(prepared: Prepared, inside: TwoLevelFit, found: TwoLevelFit) -> Section:
    """Set restricted maximum likelihood beside the posterior."""
    title, g = "By restricted maximum likelihood", inside.model.groups
    if not reml.tells(inside.model):
        return Section(title=title, text="It has no answer here: it says nothing of the spread between groups.")
    best = reml.maximum(inside.model)
    (offset, unit) = prepared.units.affine("theta")
    rows = [("mu", "", offset + unit * best.b[0], unit * best.error[0])]
    rows += [("beta", c, unit * best.b[k], unit * best.error[k]) for k, c in enumerate(g.covariates, start=1)]
    rows += [("sd_between", "", unit * best.sd_between, np.nan)]
    rows += [("sigma", "", unit * best.sigma, np.nan)] if isinstance(g, Replicates) else []
    table = pd.DataFrame(rows, columns=["variable", "label", "REML", "standard error"])
    exact, and_beta = found.reference[QUANTITY].reset_index(), " and beta" if g.covariates else ""
    boundary = (
        "It is largest at the boundary, tau = 0: taken at its word, no group differs from the others at all and every "
        f"mean is pooled completely. The posterior says what is compatible with the data: sd_between is "
        f"{between(found.reference.loc[('sd_between', '')])}."
        if best.sd_between == 0
        else "Its standard errors take the variances for known."
    )
    return Section(
        title=title,
        text=f"What lme4 and metafor report: the likelihood is largest there with mu{and_beta} integrated out. "
        f"{boundary}",
        table=any_model.existing(table.merge(exact, on=["variable", "label"])),
        note="mean to 97.5% are the exact posterior's. " + any_model.INTERVALS,
    )


def relative_priors() -> dict:
    """Usual priors of tau in units of sigma."""
    return {
        "tau ~ HalfCauchy(1)": priors.HalfCauchy(1.0),
        "tau2 ~ InverseGamma(0.5, 0.5)": priors.InverseGamma(0.5, 0.5),
        "tau ~ HalfNormal(1)": priors.HalfNormal(1.0),
        "tau ~ Uniform()": priors.FLAT,
        "tau2 ~ Uniform()": priors.FLAT_VARIANCE,
    }


def absolute_priors(prepared: Prepared, scale: float) -> dict:
    """Usual priors of tau as it is.

    The proper ones take their scale, inside, from the data: that is no prior, but shows how much one would matter.
    """
    said = spelled(scale * float(prepared.units.unit))
    return {
        "tau ~ Uniform()": priors.FLAT,
        f"tau ~ HalfCauchy({said})": priors.HalfCauchy(scale),
        f"tau ~ HalfNormal({said})": priors.HalfNormal(scale),
        "tau2 ~ Uniform()": priors.FLAT_VARIANCE,
    }
