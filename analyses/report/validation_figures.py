"""Figures of whether the numbers hold: engines against the exact posterior, chains, calibration, printed figures."""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from analyses.engines.inference_data import NAMES
from analyses.report.figures import COLOR, DASHED, POOLED, RAW, STYLE, WARNING, Curve, figure_of

OTHER_COLORS = {"metropolis": "#2e8b57", "one at a time": "#7b5ea7", "direct": "#b8860b"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Trace:
    """One quantity's draws of a chain, its exact density, and the autocorrelation by lag."""

    draws: np.ndarray
    exact: Curve
    autocorrelation: np.ndarray


def agreement(table, limit: float) -> Figure:
    """Every z of an engine against the exact posterior, by variable."""
    variables = list(dict.fromkeys(table["variable"]))
    figure, ax = figure_of(height=3.2)
    offset = {engine: (i - 1) * 0.22 for i, engine in enumerate(COLOR)}
    for engine, rows in table.groupby("engine", sort=False):
        x = rows["variable"].map(variables.index).to_numpy(dtype=float) + offset[engine]
        jitter = np.linspace(-0.08, 0.08, len(rows)) if len(rows) > 1 else 0.0
        ax.scatter(x + jitter, rows["z"], s=4, color=COLOR[engine], alpha=0.6, linewidths=0, label=NAMES[engine])
    for side in (-limit, limit):
        ax.axhline(side, color=WARNING, linewidth=0.8, linestyle="--")
    ax.axhline(0, color=RAW, linewidth=0.6)
    ax.set(ylabel="z: standard errors from exact", xticks=range(len(variables)))
    ax.set_xticklabels(variables, rotation=25, ha="right", fontsize=8)
    ax.legend(frameon=False, fontsize=8, markerscale=2.5, ncols=3, loc="upper left")
    reach = max(limit, table["z"].abs().max())
    ax.set_ylim(-reach * 1.15, reach * 1.35)
    return figure


def ranks(draws: dict, *, variable: str, bins: int = 10) -> Figure:
    """Ranks of each chain's draws among all of its engine's: flat where the chains agree (Vehtari et al. 2021)."""
    figure, axes = figure_of(width=7.2, height=2.6, ncols=len(draws), squeeze=False)
    for ax, (engine, values) in zip(axes[0], draws.items(), strict=True):
        chains, size = values.shape
        rank = np.argsort(np.argsort(values, axis=None)).reshape(values.shape)
        for chain in range(chains):
            count, edges = np.histogram(rank[chain], bins, (0, values.size))
            ax.stairs(count, edges, color=COLOR[engine], alpha=0.4 + 0.6 * chain / chains, **STYLE)
        ax.axhline(size / bins, **DASHED)
        ax.set(title=NAMES[engine], xlabel=f"rank of {variable}", ylim=(0, 2 * size / bins))
    axes[0][0].set_ylabel("draws of a chain")
    return figure


def chain(quantities: dict[str, Trace]) -> Figure:
    """Density, trace and autocorrelation of one chain's quantities."""
    figure, axes = figure_of(width=7.2, height=6.0, nrows=3, ncols=len(quantities))
    for (top, middle, bottom), (name, trace) in zip(axes.T, quantities.items(), strict=True):
        draws, correlations = trace.draws, trace.autocorrelation
        top.hist(draws, 60, density=True, histtype="step", color=POOLED, label="chain", **STYLE)
        top.plot(trace.exact.x, trace.exact.density, color=COLOR["exact"], label="exact", **STYLE)
        top.set(xlabel=name, yticks=[])
        middle.plot(draws, color=POOLED, linewidth=0.3)
        middle.set(xlabel="step", ylabel=name)
        bottom.vlines(range(len(correlations)), 0, correlations, color=POOLED)
        bottom.axhline(0, color=RAW, linewidth=0.6)
        bottom.set(xlabel="lag", ylabel="autocorrelation")
    axes[0][0].legend(frameon=False, fontsize=7)
    return figure


def ranks_of_truths(places: dict[str, dict[str, np.ndarray]], reach) -> Figure:
    """Distribution function of the truths' places less the uniform one, by quantity and engine.

    Parameters
    ----------
    places : dict
        Engine to quantity to ndarray (data,), of as many sets of data each, in 0..1.
    reach : callable
        Probability to the distance that a right engine does not go beyond.
    """
    import arviz as az
    import matplotlib.pyplot as plt
    import xarray as xr

    engines, names = list(places), list(next(iter(places.values())))
    values = {name: (("engine", "sample"), np.stack([places[e][name] for e in engines])) for name in names}
    tree = xr.DataTree.from_dict({"prior_sbc": xr.Dataset(values, {"engine": engines})})
    rows = (len(names) + 3) // 4
    colors = COLOR | OTHER_COLORS
    drawn = az.plot_ecdf_pit(
        tree,
        sample_dims=["sample"],
        cols=["__variable__"],
        col_wrap=4,
        aes={"color": ["engine"]},
        color=[colors[e] for e in engines],
        aes_by_visuals={"ecdf_lines": ["color"]},
        visuals={"p_value_text": False, "suspicious_points": False, "xlabel": False, "ecdf_lines": {"linewidth": 0.9}},
        figure_kwargs={"figsize": (8.2, 1.9 * rows + 0.4), "dpi": 160, "layout": "constrained"},
        backend="matplotlib",
    )
    figure, p = drawn.viz["figure"].item(), np.linspace(0, 1, 100)
    plt.close(figure)  # ArviZ draws through pyplot, which would keep it
    for ax in (ax for ax in figure.axes if ax.lines):
        ax.fill_between(p, -reach(p), reach(p), color=RAW, alpha=0.15, linewidth=0)
        ax.spines[["top", "right"]].set_visible(False)
        ax.title.set_fontsize(9)
        ax.tick_params(labelsize=7)
    handles = [Line2D([], [], color=colors[e], label=NAMES[e]) for e in engines]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(engines), frameon=False, fontsize=8)
    return figure


def in_errors(z, kinds, wrong) -> Figure:
    """Distances in standard errors, a row for each kind of figure; the wrong ones in red."""
    names = list(dict.fromkeys(kinds))
    figure, ax = figure_of(height=0.32 * len(names) + 1.0)
    y = np.array([names.index(kind) for kind in kinds])
    for members, color in ((~wrong, POOLED), (wrong, WARNING)):
        ax.scatter(z[members], y[members], s=12, color=color, alpha=0.7, linewidths=0)
    ax.axvline(0, color=RAW, linewidth=0.6)
    ax.set(xlabel="distance from the exact value, in the source's own errors", yticks=range(len(names)))
    ax.set_yticklabels([name.replace("_", " ") for name in names], fontsize=8)
    ax.invert_yaxis()
    return figure
