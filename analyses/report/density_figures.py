"""Figures of very many groups: a point for each would be a blot, and take minutes."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from analyses.report.figures import DASHED, POOLED, RAW, WARNING, figure_of, verbatim

WIDE = 50  # times the smallest: then x is drawn on a scale of logs
MIDDLE = (0.0005, 0.9995)  # of the raw means is drawn: the few beyond would press the others together
MOST_COLUMNS = 60


def before_and_after(groups, *, against: str, xlabel: str, ylabel: str) -> Figure:
    """Numbers of raw and of posterior means, against how much is known of each group."""
    figure, axes = figure_of(width=7.2, height=3.6, ncols=2, sharex=True, sharey=True)
    x = groups[against].to_numpy(dtype=float)
    bins, titles = [_columns(x), _middle(groups, 61)], {"estimate": "by itself", "theta_mean": "pooled"}
    counts = {column: np.histogram2d(x, groups[column], bins)[0] for column in titles}
    colors = LogNorm(1, max(2.0, *(count.max() for count in counts.values())))
    for ax, (column, title) in zip(axes, titles.items(), strict=True):
        seen = np.where(counts[column] > 0, counts[column], np.nan).T
        mesh = ax.pcolormesh(*bins, seen, norm=colors, cmap="Blues")
        ax.set(xlabel=verbatim(xlabel), title=title, xscale="log" if bins[0][-1] > WIDE * bins[0][0] else "linear")
        ax.title.set_fontsize(9)
    axes[0].set_ylabel(verbatim(ylabel))
    figure.colorbar(mesh, ax=axes, label="groups", shrink=0.8)
    return figure


def _columns(x) -> np.ndarray:
    """Edges of columns: one for each whole number where they are few, else even ones, of logs where x is far apart."""
    low, high = x.min(), x.max()
    if low == high:
        return np.array([0.9, 1.1]) * low
    if np.all(x == np.round(x)) and high - low < MOST_COLUMNS:
        return np.arange(low - 0.5, high + 1)
    return (np.geomspace if high > WIDE * low else np.linspace)(low, high, MOST_COLUMNS + 1)


def _middle(groups, edges: int) -> np.ndarray:
    """Even edges over the middle of the raw means; where most of them are one, over all means there are."""
    low, high = np.quantile(groups["estimate"], MIDDLE)
    if low == high:
        every = groups[["estimate", "theta_mean"]].to_numpy()
        low, high = every.min(), np.nextafter(every.max(), np.inf)
    return np.linspace(low, max(high, low + edges * np.spacing(abs(low))), edges)


def extremes(groups, threshold, *, xlabel: str) -> Figure:
    """Raw and posterior means beside each other, with where the top 1% begin: the median and a band of 95%."""
    figure, ax = figure_of(height=3.2)
    bins = _middle(groups, 101)
    for column, color, label in (("estimate", RAW, "by itself"), ("theta_mean", POOLED, "pooled")):
        ax.hist(groups[column], bins, histtype="step", color=color, label=label, linewidth=1.2)
    ax.axvline(threshold["q50"], color=WARNING, linestyle="--", linewidth=1.0, label="threshold of the top 1%")
    ax.axvspan(threshold["q2_5"], threshold["q97_5"], color=WARNING, alpha=0.15, linewidth=0)
    ax.set(xlabel=verbatim(xlabel), ylabel="groups", yscale="log")
    ax.legend(frameon=False, fontsize=8)
    return figure


def places(p: np.ndarray) -> Figure:
    """How the groups' places in what the population foretells are spread: evenly, if the model is right."""
    figure, ax = figure_of(height=2.8)
    counts, edges = np.histogram(p, 50, (0, 1))
    even = len(p) / len(counts)
    ax.stairs(counts / even, edges, color=POOLED, linewidth=1.2)
    ax.axhline(1.0, **DASHED)
    for side in (-1, 1):
        ax.axhline(1 + side * 3 / np.sqrt(even), color=WARNING, linewidth=0.6, linestyle=":")
    ax.set(xlabel="P(as small a mean), from the population", ylabel="groups over expected", ylim=(0, None))
    return figure
