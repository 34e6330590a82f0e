"""Draws of a table of one's own are in the units of its data, log densities too, and ArviZ's users can use them."""

import arviz as az
import numpy as np
import pandas as pd
import pytest
from helpers.arviz_calls import all_flat, every_call, weighed

from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.ingest.request import Request
from analyses.studies.sections import few_groups
from models import priors
from models.groups import Estimates, Replicates
from models.two_level import TwoLevel

ROWS = {
    "a": (521.0, 655.0, 702.5),
    "b": (730.0, 855.0, 900.0, 745.0),
    "c": (608.0,),
    "d": (409.0, 457.0, 750.0),
    "e": (801.0, 957.5),
    "f": (700.0, 730.0, 580.0),
    "g": (640.0, 850.0),
    "h": (505.0, 690.0, 560.0),
    "i": (750.0, 630.0),
    "j": (690.0, 810.0, 720.0, 590.0, 775.0),
}
SIZE = {"a": 1.0, "b": 4.0, "c": 2.0, "d": 3.5, "e": 1.5, "f": 3.0, "g": 2.5, "h": 1.0, "i": 4.5, "j": 2.0}
ERROR = {"a": 61.0, "b": 45.0, "c": 110.0, "d": 70.0, "e": 83.0, "f": 62.0, "g": 77.0, "h": 58.0, "i": 72.0, "j": 50.0}
ERRORS = 4.5  # of Monte Carlo: one of sixty right figures is farther off once in two thousand runs
LABELS = [label for label, values in ROWS.items() for _ in values]
VALUES = [value for values in ROWS.values() for value in values]
MEANS = [float(np.mean(values)) for values in ROWS.values()]


def rows_in_groups(**covariates):
    return Replicates.from_rows(LABELS, VALUES, covariates=covariates)


def estimates(**covariates):
    levels = {name: list(values.values()) for name, values in covariates.items()}
    return Estimates.from_summary(list(ROWS), MEANS, list(ERROR.values()), covariates=levels)


SPELLED = {"mu": "Normal(700, 300)", "size": "Normal(0, 50)", "tau": "HalfNormal(150)", "sigma": "HalfCauchy(120)"}
NORMAL = (priors.Normal(700.0, 300.0), priors.Normal(0.0, 50.0))
SQUARED = {"tau2": "InverseGamma(1, 2)", "sigma2": "InverseGamma(2, 20000)"}
CASES = {
    "rows": (rows_in_groups, {}, {}, {"tau": priors.HalfCauchy(1.0)}),
    "rows, absolute tau, proper priors, covariate": (
        rows_in_groups,
        {"size": SIZE},
        {"absolute": True, "priors": SPELLED},
        {"relative": False, "tau": priors.HalfNormal(150.0), "sigma": priors.HalfCauchy(120.0), "coefficients": NORMAL},
    ),
    "rows, priors of squares, covariate": (
        rows_in_groups,
        {"size": SIZE},
        {"priors": SQUARED},
        {"tau": priors.InverseGamma(1.0, 2.0), "sigma": priors.InverseGamma(2.0, 20000.0)},
    ),
    "estimates": (estimates, {}, {"priors": {"tau": "HalfCauchy(100)"}}, {"tau": priors.HalfCauchy(100.0)}),
    "estimates, flat tau": (estimates, {}, {}, {"tau": priors.FLAT}),
    "estimates, flat tau2, covariate": (
        estimates,
        {"size": SIZE},
        {"priors": {"tau2": "Uniform()"}},
        {"tau": priors.FLAT_VARIANCE},
    ),
}


def fitted(groups, covariates, options, path):
    """The table as a file, with the question put to it."""
    if groups is rows_in_groups:
        columns = {"group": "g", "value": "y"}
        table = {"g": LABELS, "y": VALUES}
    else:
        columns = {"label": "g", "estimate": "y", "se": "se"}
        table = {"g": list(ROWS), "y": MEANS, "se": list(ERROR.values())}
    table |= {name: [values[label] for label in table["g"]] for name, values in covariates.items()}
    pd.DataFrame(table).to_csv(path, index=False)
    request = Request(table=path, columns=columns, covariates=tuple(covariates), **options)
    return ExactFit.of_table(request, Settings(engines=("gibbs", "exact")))


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    """The model in the units of the data, and the trees of its fit."""
    groups, covariates, options, stated = CASES[request.param]
    exact = fitted(groups, covariates, options, tmp_path_factory.mktemp("own") / "table.csv")
    assert abs(np.log(float(exact.prepared.units.unit))) > 2, "or a forgotten unit hides"
    trees = few_groups.checked(exact).fit.trees
    return TwoLevel(groups=groups(**covariates), **stated), trees


def drawn(model, tree):
    """b, tau and sigma."""
    posterior = tree["posterior"]
    beta = [posterior["beta"].values] if model.groups.covariates else []
    b = np.concatenate([posterior["mu"].values[..., None], *beta], axis=-1)
    tau = posterior["tau"].values
    return b, tau, posterior["sigma"].values if "sigma" in model.unknown else np.ones_like(tau)


def test_log_densities_are_those_of_the_model_in_the_units_of_the_data(case):
    """Of all rows or estimates, and of every parameter; improper ones have no constant.

    So flat priors stay 0.
    """
    model, trees = case
    for tree in trees.values():
        values = drawn(model, tree)
        expected = model.log_likelihood(*values)
        assert tree["log_likelihood"]["y"].values == pytest.approx(expected, rel=1e-9, abs=1e-9)
        log_priors = model.log_priors(*values)
        assert list(tree["log_prior"].data_vars) == list(log_priors)
        for name, log_density in log_priors.items():
            assert tree["log_prior"][name].values == pytest.approx(log_density, rel=1e-9, abs=1e-9)


@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto")  # by chance: see `arviz_calls.tables`
def test_every_call_works(case):
    _, trees = case
    for tree in trees.values():
        every_call(tree, prior=not all_flat(tree))


@pytest.mark.filterwarnings("ignore:Estimated shape parameter of Pareto")
def test_engines_predict_each_group_alike(case):
    """To Monte Carlo error, which is stated unless Pareto k is high; ArviZ's difference is the sum over the groups."""
    _, trees = case
    gibbs, exact = (az.loo(trees[engine], pointwise=True).elpd_i.values for engine in ("gibbs", "exact"))
    error = np.hypot(*(weighed(trees[engine]).groups["mcse_log_density"] for engine in ("gibbs", "exact")))
    stated = np.isfinite(error)
    assert stated.sum() >= len(ROWS) - 1, "or it says nothing"
    assert np.all(np.abs(gibbs - exact)[stated] < ERRORS * error[stated])
    difference = az.compare(trees, round_to="none")["elpd_diff"].iloc[1]
    assert difference == pytest.approx(-abs(np.sum(gibbs - exact)), rel=1e-9)


def test_the_tree_keeps_its_attributes(case):
    _, trees = case
    assert {engine: tree.attrs["engine"] for engine, tree in trees.items()} == {"gibbs": "gibbs", "exact": "exact"}
