"""Pictures of thousands of groups: bins, of which none loses a group."""

import numpy as np
import pandas as pd
import pytest

from analyses.report import density_figures, pages

KNOWN = {
    "whole numbers": np.arange(2, 40).repeat(20),
    "one whole number": np.full(760, 5),
    "far apart": np.geomspace(1, 1e4, 760),
    "many whole numbers": np.arange(760) + 1,
    "tenths": np.linspace(0.1, 1.7, 760),
    "tiny": np.linspace(1, 3, 760) * 1e-200,
}


def pictured(x, estimate=None):
    y = np.random.default_rng(84).normal(size=len(x)) if estimate is None else estimate
    return pd.DataFrame({"known": x, "estimate": y, "theta_mean": 0.4 * y})


@pytest.mark.parametrize("x", KNOWN.values(), ids=KNOWN)
def test_every_group_has_a_column(x):
    """The counts of the pooled means are those of all groups, none lost between bins or at their ends."""
    figure = density_figures.before_and_after(pictured(x), against="known", xlabel="x", ylabel="y")
    raw, pooled, *_ = figure.axes
    counts = [np.nansum(ax.collections[0].get_array()) for ax in (raw, pooled)]
    assert counts[1] == len(x)
    assert counts[0] == len(x) - 2  # the outermost 0.05% on either side are not drawn
    edges = density_figures._columns(np.asarray(x))
    assert len(edges) <= density_figures.MOST_COLUMNS + 1
    assert np.all(np.diff(edges) > 0)
    assert raw.get_xscale() == ("log" if edges[-1] > density_figures.WIDE * edges[0] else "linear")
    pages.png(figure)


def test_places_are_counts_over_what_is_expected():
    """Level at 1 for places that are spread evenly, and fifty for all in one bin."""
    for p, heights in ((np.linspace(0.01, 0.99, 50), np.ones(50)), (np.full(500, 0.999), np.eye(50)[-1] * 50)):
        (ax,) = density_figures.places(p).axes
        (stairs,) = [patch for patch in ax.patches if hasattr(patch, "get_data")]
        assert stairs.get_data().values == pytest.approx(heights)


def test_equal_standard_errors_are_seen():
    """All estimates with an error of 0.5: a column that has no width is an empty picture."""
    assert np.all(np.diff(density_figures._columns(np.full(2_100, 0.5))) > 0)


def test_a_color_means_the_same_in_both_halves():
    """Pooled means lie closer, so their bins are fuller; the bar of colors stands for both halves."""
    raw, pooled, *_ = density_figures.before_and_after(
        pictured(KNOWN["whole numbers"]), against="known", xlabel="x", ylabel="y"
    ).axes
    assert raw.collections[0].get_clim() == pooled.collections[0].get_clim()


def test_nearly_equal_estimates_have_a_picture():
    """As of counts that are nearly all 0: the quantiles between which bins are laid are one number."""
    y = np.zeros(2_100)
    y[0] = 1.0
    x = np.arange(2_100) % 3 + 1
    rows = pictured(x, y).assign(theta_mean=y.mean())  # as they are pooled, next to their mean
    pages.png(density_figures.before_and_after(rows, against="known", xlabel="x", ylabel="y"))
