"""Very many groups, rows or estimates: what stays to be told when nobody reads a line for each."""

from dataclasses import replace

from analyses.checks import Verdict
from analyses.checks import top_groups as of_crowd
from analyses.engines.inference_data import NAMES
from analyses.fits import rescale
from analyses.fits.fit import ManyGroupsFit, Settings, fit_many_groups
from analyses.ingest.build_model import Prepared
from analyses.report import density_figures
from analyses.report.numbers import bound, rounded, spelled
from analyses.report.pages import Section
from analyses.studies.sections import any_model, own_table

LISTED = 20  # groups in the table of the page
GIBBS_MOST = 20_000  # groups: at each sweep Gibbs draws theta of all, in all its chains
NUTS_MOST = 20_000  # cells: each of its some thousand steps computes with all of them
ODD = 10


def answered(name: str, prepared: Prepared, settings: Settings) -> tuple[ManyGroupsFit, ManyGroupsFit, tuple[str, ...]]:
    """The answer inside the units and outside them, and what was left out."""
    slow = {}
    if (size := len(prepared.model.groups)) > GIBBS_MOST:
        slow["gibbs"] = f"Gibbs sampling is left out: it draws every theta at every sweep, here {size:,} of them."
    if (size := len(prepared.model.groups.cells.noise)) > NUTS_MOST:
        slow["nuts"] = f"NUTS is left out: it sees as much as there are different standard errors, here {size:,}."
    said = tuple(sentence for engine, sentence in slow.items() if engine in settings.engines)
    settings = replace(settings, engines=tuple(e for e in settings.engines if e not in slow))
    inside = fit_many_groups(name, prepared.model, settings, best="high")
    return inside, rescale.many_groups(prepared.units, inside), said


def first(found: ManyGroupsFit) -> str:
    """Who is first by itself, and how many are among the top 1% with a probability above 0.95."""
    high, p = found.best == "high", found.groups["p_top"]
    raw = found.groups.loc[found.groups["estimate"].idxmax() if high else found.groups["estimate"].idxmin()]
    low, middle, top = (spelled(raw[f"theta_{q}"], raw["theta_sd"], least=1) for q in ("q2_5", "mean", "q97_5"))
    alone = spelled(raw["estimate"], raw["theta_sd"], least=1)
    return (
        f"{raw['label']}, {'highest' if high else 'lowest'} by itself with {alone}, is put at {middle} ({low} to "
        f"{top}). "
        f"Groups that are in the top 1% with a probability above 0.95: {int((p > 0.95).sum()):,}."
    )


def what_pooling_does(found: ManyGroupsFit, *, against: str, xlabel: str, ylabel: str) -> Section:
    """Show how many groups are where, before and after."""
    caption = (
        "How many groups there are, raw means on the left and posterior means on the right, against what is known of "
        "each. The outermost 0.05% of the raw means on either side are not drawn."
    )
    picture = density_figures.before_and_after(found.groups, against=against, xlabel=xlabel, ylabel=ylabel)
    kappa = found.groups["kappa_mean"]
    return Section(
        title="What pooling does",
        text="Each group's mean is pulled towards the population's, the farther the less it says by itself: kappa, the "
        f"weight on the population, is {kappa.min():.2f} to {kappa.max():.2f}.",
        figures={"pooling": (picture, caption)},
    )


def league(found: ManyGroupsFit, *, xlabel: str) -> Section:
    """The groups that are most likely among the top 1%."""
    sign = found.best == "high"
    shown = found.groups.sort_values(["p_top", "theta_mean"], ascending=[False, not sign]).head(LISTED)
    columns = [c for c in shown if c not in ("kappa_sd", "p_as_small")]
    caption = (
        "How many groups have which mean, by themselves and pooled, on a scale of logs; dashed, where the top 1% of "
        "theta begin, with its 95% interval."
    )
    return Section(
        title="Which are truly extreme?",
        text=f"P(top 1%) is the probability that a group is among the {len(found.groups) // 100:,} with the "
        f"{'largest' if sign else 'smallest'} theta of all {len(found.groups):,}. These begin at a theta of "
        f"{own_table.between(found.threshold)}.",
        figures={"extremes": (density_figures.extremes(found.groups, found.threshold, xlabel=xlabel), caption)},
        table=shown[columns].dropna(axis=1, how="all"),
        note=f"The first {LISTED}; all {len(found.groups):,} are in groups.parquet. P(top 1%) is an average over "
        f"{found.draws:,} joint draws of the coefficients and scales, each with a threshold of its own; its Monte "
        f"Carlo error is at most {rounded(found.groups['mcse_p_top'].max())}. All else is exact. {any_model.INTERVALS} "
        f"Their ends are good to {bound(max(found.off, 1e-13))} of a posterior's width.",
    )


def discoveries(found: ManyGroupsFit) -> Section:
    """What a list of the likeliest is worth."""
    rows, p = of_crowd.discoveries(found.groups["p_top"].to_numpy()), found.groups["p_top"]
    size = len(p) // 100
    false = float((1 - p.nlargest(size)).sum())
    return Section(
        title="What is a list of them worth?",
        text=f"Of the {size:,} groups that are likeliest in the top 1% the posterior expects {false:,.0f} not to be "
        "there. Lists of which fewer are wrong are shorter.",
        table=rows.assign(**{"groups in the list": rows["groups in the list"].map("{:,}".format)})
        if len(rows)
        else None,
        note="Each list holds the groups with the largest P(top 1%); expected false is the sum of its complements."
        if len(rows)
        else "No list, however short, is expected to be right by half.",
    )


def foretold(found: ManyGroupsFit) -> Section:
    """Whether the groups are spread as the population says."""
    p = found.groups["p_as_small"]
    tail = of_crowd.two_sided(found.groups)
    odd = found.groups.assign(**{"two-sided P": tail}).nsmallest(ODD, "two-sided P")
    caption = (
        "Where each group's mean lies in what the population foretells for a group of its size, in fifty bins; dotted, "
        "three standard errors of a bin's count about what is expected."
    )
    columns = [
        c for c in ("label", "n", "standard_error", "estimate", "theta_mean", "two-sided P") if odd[c].notna().all()
    ]
    return Section(
        title="Would the model produce data like these?",
        text="If the population is normal and the noise as stated, these places are spread evenly. "
        f"Among the outermost 0.1% on both sides together lie {int((tail < of_crowd.FAR).sum()):,} groups, where "
        f"{of_crowd.FAR * len(p):,.1f} are expected.",
        figures={"places": (density_figures.places(p), caption)},
        table=odd[columns],
        note=f"The {ODD} that are foretold least, before one allows for the number of groups.",
    )


def spread_of_places(found: ManyGroupsFit) -> tuple[str, Verdict]:
    """Verdict on whether as many groups are far out as the population has it."""
    return found.name, of_crowd.fit(found.groups)


def routes(found: ManyGroupsFit, variables) -> tuple[Section, ...]:
    """How the routes agree; theta is held against the exact posterior in some groups."""
    section = any_model.agreement_section(found)
    engines = ", ".join(NAMES[engine] for engine in found.trees)
    some = found.reference.loc["theta"].shape[0]
    text = f"{section.text} theta and kappa are drawn, by {engines}, for {some} groups from all over the range."
    return replace(section, text=text), any_model.rank_section(found, variables)
