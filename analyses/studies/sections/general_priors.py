"""The second solution of the math tests: empirical Bayes, and general priors (seed 001)."""

import pandas as pd
import xarray as xr

from analyses.checks import Verdict, agreement, diagnostics
from analyses.engines import empirical_bayes, exact, gibbs, summary_tables
from analyses.fits.fit import Settings, TwoLevelFit
from analyses.report.pages import Section
from models import math_test

THIN = 4  # sweeps a draw, as with the first priors


def section(found: TwoLevelFit, settings: Settings) -> tuple[Section, list[Verdict]]:
    """Set empirical Bayes beside full Bayes with the general priors of seed 001, by every engine asked for."""
    model = math_test.general(found.model.groups)
    posterior = exact.posterior(model)
    reference = posterior.population((*model.unknown, "sd_between"))
    drawn = {}
    if "nuts" in settings.engines:
        from analyses.engines import nuts

        drawn["NUTS"] = nuts.sample(model, **settings.nuts("general"))
    if "gibbs" in settings.engines:
        drawn["Gibbs"] = gibbs.sample(model, thin=THIN, rng=settings.rng("gibbs", "general"))
    shared = reference.index.get_level_values("variable").tolist()
    trees = {name: _only(tree, shared) for name, tree in drawn.items()}
    summaries = {name: summary_tables.summary(tree, reference) for name, tree in trees.items()}
    judged = [
        *(diagnostics.verdict(tree, summaries[name]) for name, tree in trees.items()),
        *(agreement.verdict(agreement.table(tree, reference)) for tree in trees.values()),
    ]
    plugged, said = empirical_bayes.table(found.model), ["mu", "tau", "sigma"]
    columns = {"empirical Bayes": plugged["mean"], "standard error": plugged["sd"]}
    columns |= {name: summary.set_index(["variable", "label"])["mean"] for name, summary in summaries.items()}
    columns |= {"exact": reference["mean"], "sd": reference["sd"], "with the first priors": found.reference["mean"]}
    rows = pd.DataFrame({name: column.droplevel("label").loc[said] for name, column in columns.items()})
    apart = ((rows["empirical Bayes"] - rows["exact"]).abs() / rows["sd"]).max()
    shown = Section(
        title="The second solution: maximum or priors",
        text="It maximises the marginal likelihood of mu, lambda = 1/sigma² and omega = 1/tau², then gives them a "
        "normal and two gamma priors and samples. Priors on mu and sigma that do not scale with each other leave two "
        "dimensions to integrate. The source finds the two methods extremely close: here the maximum lies within "
        f"{apart:.2f} posterior standard deviations of the means.",
        table=rows.rename_axis("quantity").reset_index(),
        note="lambda ~ Gamma(2, 200), omega ~ Gamma(1, 1/4), mu ~ N(50, 10²): the source gives no numbers.",
    )
    return shown, judged


def _only(tree, variables):
    """The same draws of those variables, with the sampler's statistics."""
    nodes = {"posterior": tree["posterior"].dataset[variables]}
    nodes |= {"sample_stats": tree["sample_stats"].dataset} if "sample_stats" in tree else {}
    return xr.DataTree.from_dict(nodes)
