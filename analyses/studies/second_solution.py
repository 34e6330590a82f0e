"""The second solution of the math tests: empirical Bayes, and general priors (seed 001)."""

import pandas as pd
import xarray as xr

from analyses import tables
from analyses.checks import Verdict, agreement
from analyses.engines import empirical_bayes, exact, gibbs
from analyses.report.pages import Section
from analyses.routes import Answer, Settings
from models import math_test

THIN = 4  # sweeps a draw, as with the first priors


def section(found: Answer, settings: Settings) -> tuple[Section, list[Verdict]]:
    """Set empirical Bayes beside full Bayes with the general priors of seed 001, by every engine asked for."""
    model = math_test.general()
    posterior = exact.posterior(model)
    reference = posterior.population((*model.unknown, "sd_between"))
    drawn = {}
    if "nuts" in settings.engines:
        from analyses.engines import nuts

        drawn["NUTS"] = nuts.sample(model, **settings.nuts("general"))
    if "gibbs" in settings.engines:
        drawn["Gibbs"] = gibbs.sample(model, thin=THIN, rng=settings.rng("gibbs", "general"))
    shared = reference.index.get_level_values("variable").tolist()
    trees = {name: xr.DataTree.from_dict({"posterior": t["posterior"].dataset[shared]}) for name, t in drawn.items()}
    plugged, said = empirical_bayes.table(found.model), ["mu", "tau", "sigma"]
    columns = {"empirical Bayes": plugged["mean"], "standard error": plugged["sd"]}
    for name, tree in trees.items():
        columns[name] = tables.summary(tree, reference).set_index(["variable", "label"])["mean"]
    columns |= {"exact": reference["mean"], "sd": reference["sd"], "with the first priors": found.reference["mean"]}
    rows = pd.DataFrame({name: column.droplevel("label").loc[said] for name, column in columns.items()})
    apart = ((rows["empirical Bayes"] - rows["exact"]).abs() / rows["sd"]).max()
    return (
        Section(
            title="The second solution: maximum or priors",
            text="It maximises the marginal likelihood of mu, lambda = 1/sigma² and omega = 1/tau², then gives them a "
            "normal and two gamma priors and samples. Priors on mu and sigma that do not scale with each other leave "
            "two dimensions to integrate. It finds the two methods extremely close; with a hundred schools they are: "
            f"the maximum lies within {apart:.2f} posterior standard deviations of the means.",
            table=rows.rename_axis("quantity").reset_index(),
            note="lambda ~ Gamma(2, 200), omega ~ Gamma(1, 1/4), mu ~ N(50, 10²): the source gives no numbers.",
        ),
        [agreement.verdict(agreement.table(tree, reference)) for tree in trees.values()],
    )
