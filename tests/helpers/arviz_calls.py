"""What ArviZ's users do with a DataTree, warnings being errors."""

import warnings

import arviz as az
import matplotlib.pyplot as plt
import numpy as np
from arviz_stats.base import array_stats

from analyses.checks import importance
from analyses.engines.inference_data import SAMPLE


def every_call(tree, *, prior=True):
    """Tables and plots."""
    tables(tree, prior=prior)
    plots(tree)


def tables(tree, *, prior=True):
    """Summary, leave-one-out, comparison, sensitivity; without a `prior` to scale only the likelihood's."""
    posterior, names = tree["posterior"].dataset, above_theta(tree)
    assert len(az.summary(tree)) == sum(v.isel(chain=0, draw=0).size for v in posterior.data_vars.values())
    with warnings.catch_warnings():
        # From 4,000 draws k is estimated with an error of 0.1: chance lifts one of 0.55 above 0.7 now and then.
        warnings.filterwarnings("ignore", "Estimated shape parameter of Pareto distribution")
        assert np.isfinite(az.loo(tree, pointwise=True).elpd_i).all()
        assert az.compare({"one": tree, "again": tree})["elpd_diff"].tolist() == [0.0, 0.0]
    if prior:
        sensitivity = az.psense_summary(tree, var_names=names)
        assert np.isfinite(sensitivity[["prior", "likelihood"]]).all(axis=None)
    assert all(np.isfinite(v).all() for v in az.psense(tree, group="likelihood", var_names=names).data_vars.values())


def plots(tree):
    """Of what is above theta: forty subplots are ArviZ's limit."""
    for plot in (az.plot_forest, az.plot_rank):
        plot(tree, var_names=above_theta(tree), backend="matplotlib")
        plt.close("all")


def weighed(tree):
    """Leave-one-out densities of a tree with their Monte Carlo errors, from its effective number of draws."""
    log_likelihood = tree["log_likelihood"]["y"].values
    effective = array_stats.ess(np.moveaxis(log_likelihood, -1, 0), method="mean")
    draws = log_likelihood.reshape(-1, log_likelihood.shape[-1])
    return importance.by_importance(draws, efficiency=min(1.0, float(effective.min()) / len(draws)))


def above_theta(tree):
    """Variables without a group: coefficients and scales."""
    return [name for name, v in tree["posterior"].data_vars.items() if {*v.dims} <= {*SAMPLE, "covariate"}]


def all_flat(tree):
    """Whether the log prior is the same at every draw."""
    return all(np.ptp(v.values) == 0 for v in tree["log_prior"].data_vars.values())
