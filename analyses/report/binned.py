"""Figures of very many groups: a point for each would be a blot, and take minutes."""

import numpy as np
from matplotlib.figure import Figure

from analyses.report.figures import POOLED, RAW, WARNING, figure_of

WIDE = 50  # times the smallest: then x is drawn on a scale of logs
MIDDLE = (0.0005, 0.9995)  # of the raw means is drawn: the few beyond would press the others together
MOST_COLUMNS = 60


def before_and_after(groups, *, against: str, xlabel: str, ylabel: str) -> Figure:
    """Numbers of raw and of posterior means, against how much is known of each group."""
    figure, axes = figure_of(width=7.2, height=3.6, ncols=2, sharex=True, sharey=True)
    x, ends = groups[against].to_numpy(dtype=float), np.quantile(groups["estimate"], MIDDLE)
    bins = [_columns(x), np.linspace(*ends, 61)]
    for ax, (column, title) in zip(axes, (("estimate", "by itself"), ("theta_mean", "pooled")), strict=True):
        counts, *edges = np.histogram2d(x, groups[column], bins)
        mesh = ax.pcolormesh(*edges, np.where(counts > 0, counts, np.nan).T, norm="log", cmap="Blues")
        ax.set(xlabel=xlabel, title=title, xscale="log" if bins[0][-1] > WIDE * bins[0][0] else "linear")
        ax.title.set_fontsize(9)
    axes[0].set_ylabel(ylabel)
    figure.colorbar(mesh, ax=axes, label="groups", shrink=0.8)
    return figure


def _columns(x) -> np.ndarray:
    """Edges of columns: one for each whole number where they are few, else even ones, of logs where x is far apart."""
    low, high = x.min(), x.max()
    if np.all(x == np.round(x)) and high - low < MOST_COLUMNS:
        return np.arange(low - 0.5, high + 1)
    return (np.geomspace if high > WIDE * low else np.linspace)(low, high, MOST_COLUMNS + 1)


def extremes(groups, threshold: float, *, xlabel: str) -> Figure:
    """Raw and posterior means beside each other, with the threshold of the top 1%."""
    figure, ax = figure_of(height=3.2)
    bins = np.linspace(*np.quantile(groups["estimate"], MIDDLE), 101)
    for column, colour, label in (("estimate", RAW, "by itself"), ("theta_mean", POOLED, "pooled")):
        ax.hist(groups[column], bins, histtype="step", color=colour, label=label, linewidth=1.2)
    ax.axvline(threshold, color=WARNING, linestyle="--", linewidth=1.0, label="threshold of the top 1%")
    ax.set(xlabel=xlabel, ylabel="groups", yscale="log")
    ax.legend(frameon=False, fontsize=8)
    return figure


def places(p: np.ndarray) -> Figure:
    """How the groups' places in what the population foretells are spread: evenly, if the model is right."""
    figure, ax = figure_of(height=2.8)
    counts, edges = np.histogram(p, 50, (0, 1))
    even = len(p) / len(counts)
    ax.stairs(counts / even, edges, color=POOLED, linewidth=1.2)
    ax.axhline(1.0, color=RAW, linewidth=0.8, linestyle="--")
    for side in (-1, 1):
        ax.axhline(1 + side * 3 / np.sqrt(even), color=WARNING, linewidth=0.6, linestyle=":")
    ax.set(xlabel="P(as small a mean), from the population", ylabel="groups over expected", ylim=(0, None))
    return figure
