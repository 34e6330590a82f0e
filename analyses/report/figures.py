"""The figures, a function each: numbers in, a matplotlib Figure out."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from analyses.engines.inference_data import NAMES

COLOR = {"nuts": "#1f6fb2", "gibbs": "#d9730d", "exact": "#222222"}
RAW, POOLED, WARNING = "#8a8a8a", "#1f6fb2", "#c0263b"
STYLE = {"linewidth": 1.2}
DASHED = {"color": RAW, "linewidth": 0.8, "linestyle": "--"}
DPI = 230  # twice the pixels of a column of the page, for screens that show them


@dataclass(frozen=True, eq=False)
class Curve:
    """A density at some points."""

    x: np.ndarray
    density: np.ndarray


def figure_of(width=6.4, height=3.8, **grid):
    """Return an empty figure with its axes."""
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    axes = figure.subplots(**grid)
    for ax in np.atleast_1d(axes).flat:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def verbatim(text: str) -> str:
    r"""Text of a table as it is: matplotlib would read what stands between two dollars as a formula.

    Examples
    --------
    >>> print(verbatim("a$ and b$"))
    a\$ and b\$
    """
    return text.replace("$", r"\$")


def shrinkage(groups, mu, *, against: str, xlabel: str, ylabel: str) -> Figure:
    """Raw means with arrows to their posterior means."""
    figure, ax = figure_of()
    if mu is not None:
        ax.axhline(mu, **DASHED, label="mu")
    _arrows(ax, groups, against)
    for i in {groups["estimate"].idxmax(), groups["estimate"].idxmin()}:
        point = groups.loc[i, [against, "estimate"]]
        ax.annotate(verbatim(groups.loc[i, "label"]), point, xytext=(4, 3), textcoords="offset points", fontsize=8)
    ax.set(xlabel=verbatim(xlabel), ylabel=verbatim(ylabel))
    ax.legend(frameon=False, fontsize=8)
    return figure


def forest(groups, *, xlabel: str) -> Figure:
    """Each group by itself and pooled, with intervals."""
    figure, ax = figure_of(width=6.4, height=0.9 + 0.24 * len(groups))
    y = np.arange(len(groups))
    ax.hlines(y + 0.15, groups["low"], groups["high"], color=RAW, linewidth=0.9)
    ax.plot(groups["estimate"], y + 0.15, "o", color=RAW, markersize=3, markerfacecolor="white", label="by itself")
    ax.hlines(y - 0.15, groups["theta_q2_5"], groups["theta_q97_5"], color=POOLED, linewidth=1.4)
    ax.plot(groups["theta_mean"], y - 0.15, "o", color=POOLED, markersize=3.5, label="pooled")
    ax.set(yticks=y, ylim=(-0.7, len(groups) - 0.3), xlabel=verbatim(xlabel))
    ax.set_yticklabels([verbatim(str(label)[:40]) for label in groups["label"]], fontsize=7)
    ax.legend(frameon=False, fontsize=7, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def intervals(table, *, xlabel: str, mark: float | None = None) -> Figure:
    """Estimates with their 95% intervals, the first on top; names are the first column, estimates the second."""
    figure, ax = figure_of(height=0.9 + 0.26 * len(table))
    y = -np.arange(len(table))
    if mark is not None:
        ax.axvline(mark, **DASHED)
    ax.hlines(y, table["q2_5"], table["q97_5"], color=POOLED, linewidth=1.4)
    ax.plot(table.iloc[:, 1], y, "o", color=POOLED, markersize=4)
    ax.set(yticks=y, ylim=(-len(table) + 0.4, 0.6), xlabel=xlabel)
    ax.set_yticklabels(table.iloc[:, 0], fontsize=8)
    return figure


def shrinkage_by_arm(groups, arm, *, xlabel: str, ylabel: str) -> Figure:
    """Raw means with arrows to their posterior means, a panel for each arm of a trial."""
    figure, axes = figure_of(ncols=2, sharey=True)
    for ax, (name, members) in zip(axes, groups.groupby(np.asarray(arm), sort=False), strict=True):
        _arrows(ax, members, "n")
        ax.set(xlabel=xlabel, title=name)
    axes[0].set_ylabel(ylabel)
    axes[0].legend(frameon=False, fontsize=8)
    return figure


def _arrows(ax, groups, against):
    """Raw means as circles, posterior means as dots, and an arrow between them wherever there is room for one."""
    x, raw, pooled = (groups[column].to_numpy(dtype=float) for column in (against, "estimate", "theta_mean"))
    room = 0.03 * (raw.max() - raw.min())
    for x_i, start, end in zip(x, raw, pooled, strict=True):
        if abs(end - start) > room:
            ax.annotate("", (x_i, end), (x_i, start), arrowprops={"arrowstyle": "->", "color": POOLED, "lw": 0.7})
    _raw_and_pooled(ax, x, raw, pooled, "raw mean", "posterior mean")


def _raw_and_pooled(ax, x, raw, pooled, raw_label, pooled_label):
    """Draw raw estimates as circles and pooled ones as dots."""
    ax.scatter(x, raw, s=18, facecolors="none", edgecolors=RAW, label=raw_label, zorder=4)
    ax.scatter(x, pooled, s=12, color=POOLED, label=pooled_label, zorder=3)


def before_and_after(groups, later, *, ylabel: str) -> Figure:
    """Raw means on the left, posterior means on the right, a line each; beside them what came later."""
    figure, ax = figure_of(width=5.2, height=4.4)
    for raw, pooled, truth in zip(groups["estimate"], groups["theta_mean"], later, strict=True):
        ax.plot([0, 1], [raw, pooled], "-o", color=POOLED, markersize=3, linewidth=0.8, alpha=0.7)
        ax.plot([1, 2], [pooled, truth], color=RAW, linewidth=0.6, alpha=0.6)
        ax.plot([2], [truth], "o", color=WARNING, markersize=3)
    ax.set(ylabel=ylabel, xlim=(-0.3, 2.3), xticks=[0, 1, 2], xticklabels=["raw", "pooled", "afterwards"])
    return figure


def kappa(groups, *, against: str, xlabel: str) -> Figure:
    """Posterior mean of each group's shrinkage."""
    figure, ax = figure_of(height=3.2)
    ax.scatter(groups[against], groups["kappa_mean"], s=16, color=POOLED)
    ax.set(xlabel=xlabel, ylabel="posterior mean of kappa", ylim=(0, 1.06 * groups["kappa_mean"].max()))
    return figure


def density(draws: dict, exact: Curve, *, xlabel: str, mark: float | None = None) -> Figure:
    """Histograms of each engine's draws under the exact density."""
    figure, ax = figure_of(height=3.2)
    _histograms(ax, draws, np.linspace(exact.x[0], exact.x[-1], 61))
    ax.plot(exact.x, exact.density, color=COLOR["exact"], label="exact", **STYLE)
    if mark is not None:
        ax.axvline(mark, **DASHED)
    ax.set(xlabel=xlabel, ylabel="posterior density", ylim=(0, None))
    ax.legend(frameon=False, fontsize=8)
    return figure


def against_scale(factors, log_bayes_factor, *, xlabel: str) -> Figure:
    """Bayes factor of tau = 0 against the scale of tau's prior, in multiples of the model's."""
    figure, ax = figure_of(height=3.0)
    ax.plot(factors, np.asarray(log_bayes_factor) / np.log(10), color=COLOR["exact"], **STYLE)
    ax.axhline(0.0, **DASHED)
    ax.axvline(1.0, **DASHED)
    ax.set(xlabel=xlabel, ylabel="log10 of the Bayes factor", xscale="log")
    ax.set_xticks([1 / 16, 1 / 4, 1, 4, 16], ["1/16", "1/4", "1", "4", "16"])
    ax.minorticks_off()
    return figure


def _histograms(ax, draws, bins):
    """Draw the outline of a histogram for each engine."""
    for engine, values in draws.items():
        color, label = COLOR[engine], NAMES[engine]
        ax.hist(np.ravel(values), bins, density=True, histtype="step", color=color, label=label, **STYLE)


def conditional_means(tau: Curve, means, labels, raw, *, xlabel: str, ylabel: str) -> Figure:
    """E(theta | tau) of each group against tau with the raw effects at the edge; below, the posterior of tau."""
    figure, (top, bottom) = figure_of(height=4.8, nrows=2, sharex=True, height_ratios=(3, 1))
    lines, edge = top.plot(tau.x, means, **STYLE), tau.x[-1]
    places = _spread_out(raw, 0.045 * (np.max(raw) - np.min(raw)))  # the height of a label in these axes
    for line, label, effect, place in zip(lines, labels, raw, places, strict=True):
        style = {"color": line.get_color(), "clip_on": False}
        top.plot(edge * 1.05, effect, "o", markersize=4, markerfacecolor="none", **style)
        top.text(edge * 1.075, place, label, fontsize=8, va="center", **style)
    top.set(ylabel=ylabel, title="")
    bottom.fill_between(tau.x, tau.density, color=POOLED, alpha=0.25, linewidth=0)
    bottom.plot(tau.x, tau.density, color=POOLED, **STYLE)
    bottom.set(xlabel=xlabel, ylabel="p(tau | y)", ylim=(0, None), xlim=(0, edge * 1.12))
    return figure


def _spread_out(y, gap) -> np.ndarray:
    """Places for labels near y, none nearer to the next than the gap.

    Examples
    --------
    >>> _spread_out([1.1, 3.0, 1.0], 0.5).round(9).tolist()
    [1.3, 3.0, 0.8]
    """
    order = np.argsort(y)
    steps = gap * np.arange(len(y))
    lifted = np.maximum.accumulate(np.asarray(y)[order] - steps) + steps  # from the lowest up, and then half way back
    lowered = np.minimum.accumulate((np.asarray(y)[order] - steps)[::-1])[::-1] + steps
    return ((lifted + lowered) / 2)[np.argsort(order)]


def funnel(runs: dict, *, group: str) -> Figure:
    """log tau against one theta for each parameterization, divergent transitions marked."""
    figure, axes = figure_of(width=8.2, height=3.2, ncols=len(runs), sharex=True, sharey=True)
    for ax, (name, (theta, log_tau, divergent)) in zip(axes, runs.items(), strict=True):
        ax.scatter(theta, log_tau, s=2, color=RAW, alpha=0.4, linewidths=0)
        x, y = theta[divergent], log_tau[divergent]
        ax.scatter(x, y, s=9, color=WARNING, zorder=3, linewidths=0, label="divergent")
        ax.set(title=f"{name}: {divergent.sum()} divergences", xlabel=f"theta of {group}")
        ax.title.set_fontsize(9)
    axes[0].set(ylabel="log tau", ylim=(-6, 5))
    axes[0].legend(frameon=False, fontsize=7, loc="lower right")
    return figure


def contour(mu, log_tau, log_density, points, approximation) -> Figure:
    """Log posterior of (mu, log tau) with draws from it, and the normal approximation's 50 and 95% ellipses."""
    figure, ax = figure_of(height=4.2)
    ax.scatter(*points, s=2, color=POOLED, alpha=0.35, linewidths=0)
    below_mode = log_density - log_density.max()
    ax.contour(mu, log_tau, below_mode, levels=np.arange(-12, 0), colors=RAW, linewidths=0.6, linestyles="solid")
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.linalg.cholesky(approximation.covariance) @ np.stack([np.cos(angle), np.sin(angle)])
    for share in (0.5, 0.95):
        ellipse = approximation.mean[:, None] + np.sqrt(-2 * np.log(1 - share)) * circle
        ax.plot(*ellipse, color=WARNING, linewidth=1.0)
    ax.set(xlabel="mu, points", ylabel="log tau", xlim=mu[[0, -1]], ylim=log_tau[[0, -1]])
    return figure


def predictive(replicated: dict, observed: dict, *, unit: str = "") -> Figure:
    """Each test quantity's predictive distribution by engine, with what was observed; all in one unit, or their own."""
    names = list(observed)
    nrows = (len(names) + 1) // 2
    figure, axes = figure_of(width=7.2, height=2.6 * nrows, nrows=nrows, ncols=2, squeeze=False)
    for ax, name in zip(axes.flat, names, strict=False):
        values = {engine: np.ravel(statistics[name]) for engine, statistics in replicated.items()}
        everything = np.concatenate(list(values.values()))
        low, high = np.quantile(everything, [0.001, 0.999])
        bins = np.linspace(low, max(high, low + 41 * np.spacing(abs(low))), 41)  # of values that are one double too
        _histograms(ax, values, bins)
        ax.axvline(observed[name], color=WARNING, label="observed", **STYLE)
        ax.set(xlabel=verbatim(", ".join(filter(None, (name, unit)))), yticks=[])
    for ax in list(axes.flat)[len(names) :]:
        ax.set_visible(False)
    axes.flat[0].legend(frameon=False, fontsize=7)
    return figure


def nested(raw, theta, mu, parent, labels, top) -> Figure:
    """Raw and posterior means of groups within larger ones, whose own posterior means are lines."""
    figure, ax = figure_of()
    ax.axhline(top, **DASHED)
    size = np.bincount(parent)
    within = np.array([np.sum(parent[:i] == school) for i, school in enumerate(parent)])
    x = parent + 0.6 * ((within + 0.5) / size[parent] - 0.5)
    ax.hlines(mu, np.arange(len(mu)) - 0.35, np.arange(len(mu)) + 0.35, color=WARNING, linewidth=1.2, label="school")
    ax.vlines(x, raw, theta, color=POOLED, linewidth=0.7)
    _raw_and_pooled(ax, x, raw, theta, "classroom, raw mean", "classroom, posterior mean")
    ax.set(xlabel="school", ylabel="score, points", xticks=range(len(labels)), xticklabels=labels)
    ax.legend(frameon=False, fontsize=7, ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.12))
    return figure


def funnel_of_means(groups, mu, sigma, *, named, xlabel: str, ylabel: str) -> Figure:
    """Raw means against sizes within two standard errors of mu, were all groups alike."""
    figure, ax = figure_of()
    n = np.linspace(groups["n"].min(), groups["n"].max(), 200)
    for side in (-2, 2):
        ax.plot(n, mu + side * sigma / np.sqrt(n), color=WARNING, linewidth=1.0)
    ax.axhline(mu, **DASHED)
    ax.scatter(groups["n"], groups["estimate"], s=18, facecolors="none", edgecolors=POOLED)
    for label, n, mean in groups.loc[groups["label"].isin(named), ["label", "n", "estimate"]].itertuples(index=False):
        ax.annotate(f"#{label}", (n, mean), xytext=(5, 2), textcoords="offset points", fontsize=8)
    ax.set(xlabel=xlabel, ylabel=f"mean score, {ylabel}")
    return figure


def own_sds(n, raw, pooled, common) -> Figure:
    """Sample sds of groups and posterior means of their own sigma."""
    figure, ax = figure_of(height=3.2)
    ax.axhline(common, **DASHED)
    _raw_and_pooled(ax, n, raw, pooled, "sample sd", "posterior mean of sigma_i")
    ax.set(xlabel="pupils tested", ylabel="sd of scores, points")
    ax.legend(frameon=False, fontsize=8)
    return figure
