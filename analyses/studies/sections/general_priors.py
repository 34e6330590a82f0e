"""The second solution of the math tests: empirical Bayes, and general priors (seed 001)."""

import pandas as pd
import xarray as xr

from analyses.checks import Verdict, agreement, diagnostics
from analyses.engines import empirical_bayes, exact, gibbs, summary_tables
from analyses.engines.inference_data import NAMES
from analyses.fits.crosscheck import TwoLevelCrosscheck
from analyses.fits.settings import Settings
from analyses.report.columns import Style
from analyses.report.pages import Section
from analyses.studies.sections.draws import draw_by_engines
from models import math_test

THIN = 4  # sweeps a draw, as with the first priors


def section(fit: TwoLevelCrosscheck, settings: Settings) -> tuple[Section, list[Verdict]]:
    """Compare empirical Bayes with full Bayes under the general priors of seed 001, by every engine asked for."""
    model = math_test.general(fit.model.groups)
    reference = exact.posterior(model).population((*model.unknown, "sd_between"))
    trees = draw_by_engines(
        settings,
        nuts=lambda: _by_nuts(model, settings),
        gibbs=lambda: gibbs.sample(model, thin=THIN, rng=settings.rng("gibbs", "general")),
    )
    variables = reference.index.get_level_values("variable").tolist()
    trees = {engine: _select(tree, variables) for engine, tree in trees.items()}
    summaries = {engine: summary_tables.summary(tree, reference) for engine, tree in trees.items()}
    verdicts = [
        *(diagnostics.verdict(tree, summaries[engine]) for engine, tree in trees.items()),
        *(agreement.verdict(agreement.table(tree, reference)) for tree in trees.values()),
    ]
    return _section(fit, reference, {NAMES[engine]: summary for engine, summary in summaries.items()}), verdicts


def _section(fit, reference, summaries) -> Section:
    maximum = empirical_bayes.table(fit.model)
    columns = {"empirical Bayes": maximum["mean"], "standard error": maximum["sd"]}
    columns |= {name: summary.set_index(["variable", "label"])["mean"] for name, summary in summaries.items()}
    columns |= {"exact": reference["mean"], "sd": reference["sd"], "with the first priors": fit.reference["mean"]}
    rows = pd.DataFrame({name: c.droplevel("label").loc[["mu", "tau", "sigma"]] for name, c in columns.items()})
    formats = dict.fromkeys(columns, Style.VALUE) | {"standard error": Style.ERROR, "sd": Style.SPREAD}
    apart = ((rows["empirical Bayes"] - rows["exact"]).abs() / rows["sd"]).max()
    return Section(
        title="The second solution: maximum or priors",
        text="It maximises the marginal likelihood of mu, lambda = 1/sigma² and omega = 1/tau², then gives them a "
        "normal and two gamma priors and samples. Priors on mu and sigma that do not scale with each other leave two "
        "dimensions to integrate. The source finds the two methods extremely close: here the maximum lies within "
        f"{apart:.2f} posterior standard deviations of the means.",
        table=rows.rename_axis("quantity").reset_index(),
        formats=formats,
        note="lambda ~ Gamma(2, 200), omega ~ Gamma(1, 1/4), mu ~ N(50, 10²): the source gives no numbers.",
    )


def _by_nuts(model, settings) -> xr.DataTree:
    from analyses.engines import nuts  # PyMC takes its time to import

    return nuts.sample(model, **settings.nuts("general"))


def _select(tree, variables) -> xr.DataTree:
    """Keep some variables of the draws, with the sampler's statistics."""
    nodes = {"posterior": tree["posterior"].dataset[variables]}
    nodes |= {"sample_stats": tree["sample_stats"].dataset} if "sample_stats" in tree else {}
    return xr.DataTree.from_dict(nodes)
