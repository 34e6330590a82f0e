"""Any table that anyone may bring is refused by line or option, or answered rightly.

What prepare makes of a file is held against rational arithmetic on its decimals, the exact engine against the oracle
(one scale on the lattice) or a plain grid of doubles (two).
"""

from decimal import Decimal
from fractions import Fraction

import numpy as np
from helpers.cases import EPS, LOCATED, ROUNDS, Case, cases, estimates, refusal, scores
from helpers.oracle import Oracle, row
from helpers.priors import log_kernel
from hypothesis import example, given, settings
from mpmath import mpf

from analyses.engines import exact, mixture
from models import propriety

POINTS = 500  # of either axis of a fine grid
PROMISE = 1e-10  # of the quantity's posterior sd
GRID = 1e-8  # the same of the grid in two dimensions


class Line(Oracle):
    """The oracle in one dimension, with a mode that no data mislead, and tau followed as far as its moments go."""

    @property
    def mode(self):
        return max(((mpf(k) / 2, mpf(0)) for k in range(-40, 41)), key=lambda us: self.at(*us).height)

    @property
    def _moments(self):
        return 3 if mixture.highest_moment(propriety.moments(self.model)["tau", ""]) == 2 else 0


def exactly(model, i, table):
    """Mean and sd of mu, tau, sd_between and one theta at 30 digits, those whose sd exists."""
    closed = model.scales != model.unknown
    # Singular at log tau = i pi / 2 the trapezoid rule is off by exp(-pi^2 / step), as far as i pi / 4 where the
    # prior has a factor exp(-1 / tau^2) or exp(-tau^2): exp(-pi^2 / 2 step). Both are below 1e-21.
    step = "0.1" if model.tau.proper else "0.2"
    oracle, one = Line(model, closed=closed, step=step), [mpf(k == 0) for k in range(len(model.coefficients))]
    found = {
        ("tau", ""): lambda: oracle.moments_scale("tau"),
        ("sd_between", ""): lambda: oracle.moments_scale("sd_between"),
    }
    found |= {("mu", ""): lambda: oracle.moments_linear(one)}
    found |= {("theta", model.groups.labels[i]): lambda: oracle.moments_linear(row(model, i), i)}
    return {key: moments() for key, moments in found.items() if np.isfinite(table.loc[key, "sd"])}


def regression(model, v):
    """Weighted least squares on (n, J) variances, about the weighted mean of the covariate so that nothing cancels.

    Gives Q, log determinant, and location and variance of mu and of every fitted mean; a prior of mu is one more datum.
    """
    g, (prior, *slope), w = model.groups, model.coefficients, 1 / v
    x, total = (g.design[:, 1] if slope else 0.0 * g.mean), w.sum(axis=1, keepdims=True)
    middle, level, y = w @ x[:, None] / total, w @ g.mean[:, None] / total, g.mean
    x = x - middle
    sxx = np.sum(w * x**2, axis=1, keepdims=True) if slope else np.ones_like(total)
    b, of_b = (np.sum(w * x * y, axis=1, keepdims=True) / sxx, 1 / sxx) if slope else (0 * total, 0 * total)
    q = np.sum(w * (y - level - b * x) ** 2, axis=1)
    log_determinant = np.log(total * sxx)[:, 0]
    at = np.concatenate([-middle, x], axis=1)
    location, variance = level + at * b, 1 / total + at**2 * of_b
    if prior.proper:
        d, shared = variance[:, :1] + prior.sd**2, 1 / total - middle * at * of_b
        r = prior.mean - location[:, :1]
        q, log_determinant = q + (r**2 / d)[:, 0], log_determinant + np.log(d)[:, 0]
        kept = np.concatenate([variance[:, :1] * prior.sd**2 / d, variance[:, 1:] - (shared**2 / d)[:, 1:]], axis=1)
        location, variance = location + shared / d * r, kept
    return q, log_determinant, location, variance


def on_a_grid(model, i, table):
    """The same where the oracle cannot go: a trapezoid in (log tau, log sigma), theta and b gone by linear algebra.

    A coarse grid to e^45 either way finds where the density, with two moments of the scales, is within e^-40 of its
    top; a fine one covers that.
    """
    known, wide = "sigma" not in model.unknown, np.arange(-45.0, 45.0, 0.45)
    coarse = lines(model, i, wide, [0.0] if known else wide)
    u, s, height = coarse[:3]
    lifted = height + 2 * np.maximum(u, 0) + 2 * np.maximum(s, 0)
    near = (height > height.max() - 40) | (lifted > lifted.max() - 40)
    axes = [np.linspace(v[near].min() - 1, v[near].max() + 1, POINTS) for v in (u, s)]
    _, _, height, *laws = lines(model, i, axes[0], [0.0] if known else axes[1])
    weight = np.exp(height - height.max())
    weight, found = weight / weight.sum(), {}
    keys = ("tau", ""), ("sd_between", ""), ("mu", ""), ("theta", model.groups.labels[i])
    for key, mean, of_it in zip(keys, laws[::2], laws[1::2], strict=True):
        if np.isfinite(table.loc[key, "sd"]):
            centre = weight @ mean
            found[key] = centre, np.sqrt(weight @ (of_it + (mean - centre) ** 2))
    return found


def lines(model, i, u, logs_of_sigma):
    """At every pair of logs: both, log density, then mean and variance of tau, sd_between, mu and theta of a group."""
    g, tau, found = model.groups, np.exp(u), []
    for s in logs_of_sigma:
        sigma, noise = np.exp(s), g.noise * np.exp(2 * s)
        between = (tau * sigma if model.relative else tau) ** 2
        v = noise + between[:, None]
        q, log_determinant, location, variance = regression(model, v)
        height = log_kernel(model.tau, u) + u + log_kernel(model.sigma, s) + s - g.df.sum() * s
        height += -g.ss.sum() / sigma**2 / 2 - (np.log(v).sum(axis=1) + log_determinant + q) / 2
        k = noise[i] / v[:, i]
        theta = k * location[:, i + 1] + (1 - k) * g.mean[i], k**2 * variance[:, i + 1] + (1 - k) * noise[i]
        of_mu = location[:, 0], variance[:, 0]
        found.append((u, s + 0 * u, height, tau, 0 * u, np.sqrt(between), 0 * u, *of_mu, *theta))
    return list(map(np.concatenate, zip(*found, strict=True)))


def hold(model):
    """The engine's table: every quantile finite, moments where they exist, and right where another route goes."""
    posterior = exact.posterior(model)
    table, orders = posterior.table(), propriety.moments(model)
    assert np.isfinite(table[list(mixture.PROBABILITIES)].to_numpy()).all()
    order = np.array([orders[key] if key in orders else orders[key[0], ""] for key in table.index])
    for k, name in enumerate(("mean", "sd"), start=1):
        assert np.isfinite(table[name].to_numpy()).tolist() == (order > k + mixture.MOMENT_MARGIN).tolist()
    i, wrong, held = int(np.argmin(model.groups.noise)), [], model.coefficients[0].proper
    # A prior of mu and a flat slope have no common scale as tau grows: thirty digits do not invert that matrix.
    two = len(model.scales) == 2 or (held and len(model.coefficients) > 1)
    for key, truth in (on_a_grid if two else exactly)(model, i, table).items():
        for name, true in zip(("mean", "sd"), truth, strict=True):
            off, sd = float(abs(mpf(table.loc[key, name]) - true)), table.loc[key, "sd"]
            allowed = (GRID if two else PROMISE) * sd + 8 * EPS * abs(table.loc[key, name])
            if not off <= allowed and not off <= (claimed := posterior.error().loc[key, name]):
                wrong.append(f"{key} {name} off by {off / sd:.1e} sd, claimed {claimed / sd:.1e}")
    assert wrong == []


def hold_groups(case, prepared):
    """n, mean and ss inside are those of the file's decimals: the mean to 1e-14 of the spread, ss to 1e-13."""
    g, offset, unit = prepared.model.groups, Fraction(prepared.units.offset), Fraction(prepared.units.unit)
    for i, label in enumerate(g.labels):
        rows = [r for r in case.rows if r.get("group", r.get("trial")) == label]
        values = [Fraction(r[name]) for r in rows for name in r if name in LOCATED]
        everything = [Fraction(r[name]) for r in case.rows for name in r if name in LOCATED]
        spread = max(everything) - min(everything) or unit
        mean = sum(values) / len(values)
        assert abs(offset + unit * Fraction(float(g.mean[i])) - mean) <= Fraction(1, 10**14) * spread
        if case.study == "meta_analysis":
            name = "se" if "se" in rows[0] else "variance"
            squared = Fraction(rows[0][name]) ** (1 if name == "variance" else 2)
            of_noise = unit**2 * Fraction(float(g.noise[i]))
            assert abs(of_noise / squared - 1) <= Fraction(1, 10**13)
            continue
        n, ss = len(rows), sum((v - mean) ** 2 for v in values)
        if "n" in rows[0]:
            n, name = int(rows[0]["n"]), "sd" if "sd" in rows[0] else "se"
            ss = (n - 1) * Fraction(rows[0][name] or 0) ** 2 * (n if name == "se" else 1)
        assert g.n[i] == n
        assert abs(unit**2 * Fraction(float(g.ss[i])) - ss) <= Fraction(1, 10**13) * ss


def answered(case, tmp_path_factory):
    prepared = refusal(case, tmp_path_factory.mktemp("any"))
    if prepared is not None:
        hold_groups(case, prepared)
        hold(prepared.model)


PRECISE = ["1003"] * 6, ["6.2", "6.2", "3.1", "5.7", "6.2", "0.0000013"], [2000, 2000, 2007, 2009, 2006, 2001]

APART = {"a": "0 1 3", "b": "1e12 1000000000002", "c": "-1e12 -1000000000001 -999999999997"}


@settings(max_examples=25, **ROUNDS)
@given(cases("meta_analysis"))
@example(estimates(*PRECISE))
@example(estimates(["1", "1", "1", "1"], ["1", "1", "1", "1"]))
@example(estimates(["1e-400", "2e-400", "4e-400", "9e-400"], ["1e-400", "2e-400", "1e-400", "3e-400"]))
@example(estimates(["1", "2", "4"], ["1e-6", "2", "1"], priors={"tau": ("HalfCauchy", [Decimal(1)])}))
def test_any_table_of_estimates(tmp_path_factory, case):
    answered(case, tmp_path_factory)


@settings(max_examples=25, **ROUNDS)
@given(cases("one_way"))
@example(scores(APART))
@example(scores({"a": "1", "b": "2", "c": "2.5", "d": "2 2.1"}))
@example(scores({"a": "1 1", "b": "2 2", "c": "5"}))
def test_any_table_of_groups(tmp_path_factory, case):
    answered(case, tmp_path_factory)


def averages(*groups):
    """A table of n, mean and sd."""
    rows = [{"group": f"g{i}", "n": n, "mean": Decimal(m), "sd": sd} for i, (n, m, sd) in enumerate(groups)]
    return Case("one_way", tuple(rows))


@settings(max_examples=8, **ROUNDS)
@given(cases("one_way", two=True))
@example(averages((1, "0", ""), (2, "0", Decimal("1e299"))))
@example(averages((2, "0", Decimal(1)), (2, "1", Decimal(1)), (2, "0", Decimal("1e299"))))
def test_any_table_of_groups_with_two_scales_on_the_lattice(tmp_path_factory, case):
    answered(case, tmp_path_factory)
