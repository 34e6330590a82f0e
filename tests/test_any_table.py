"""Any table that anyone may bring is refused by line or option, or answered rightly; units change nothing else.

Tables are random, with every kind of prior. What prepare makes of a file is held against rational arithmetic on its
decimals, the exact engine against the oracle (one scale on the lattice) or a plain grid of doubles (two).
"""

import contextlib
import csv
import io
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mpmath import mpf
from oracle import Oracle, row

from analyses import prepare, run
from analyses.asked import Asked, Refused
from analyses.engines import exact, mixture
from models import priors, propriety

POINTS = 500  # of either axis of a fine grid
PROMISE = 1e-10  # of the quantity's posterior sd
GRID = 1e-8  # the same of the grid in two dimensions
EPS = np.finfo(float).eps
LOCATED, SPREAD, SQUARED = {"value", "mean", "estimate"}, {"sd", "se"}, {"variance"}
EXACT = Context(prec=1500)  # digits enough for 1e-300 upon 1e300
ROUNDS = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}


@dataclass(frozen=True)
class Case:
    """A table as decimals, and what is asked of it; priors are (distribution, arguments) by name."""

    study: str
    rows: tuple[dict, ...]
    covariates: tuple[str, ...] = ()
    priors: dict = field(default_factory=dict)
    absolute: bool = False

    @property
    def header(self):
        return list(self.rows[0])

    def asked(self, path):
        """The question, its table written to that path."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerows([self.header, *([str(r[name]) for name in self.header] for r in self.rows)])
        return Asked(
            path=path,
            columns={("label" if n == "trial" else n): n for n in self.header if n not in (*self.covariates, "note")},
            covariates=self.covariates,
            priors={name: f"{dist}({', '.join(map(str, args))})" for name, (dist, args) in self.priors.items()},
            absolute=self.absolute,
        )

    def prepared(self, folder):
        return getattr(prepare, self.study)(self.asked(folder / "table.csv"))

    def options(self, folder):
        """The same question put to the command line."""
        asked = self.asked(folder / "table.csv")
        given = [f"--{name}={column}" for name, column in asked.columns.items()]
        given += [f"--covariate={name}" for name in asked.covariates]
        given += [f"--prior={name}={dist}" for name, dist in asked.priors.items()]
        given += ["--tau-scale=absolute"] if self.absolute and self.study == "one_way" else []
        return [self.study, f"--data={asked.path}", *given]

    def moved(self, a, b):
        """Of a + b y, the priors moved with it."""
        a, b = Decimal(a), Decimal(b)

        def cell(name, v):
            if name in LOCATED:
                return a + b * v
            return v if v == "" else abs(b) * v if name in SPREAD else b * b * v if name in SQUARED else v

        def prior(name, dist, args):
            if dist == "Normal":
                return dist, [(a if name == "mu" else 0) + b * args[0], abs(b) * args[1]]
            if not args or (name in ("tau", "tau2") and self.study == "one_way" and not self.absolute):
                return dist, args
            return dist, [*args[:-1], args[-1] * (b * b if dist == "InverseGamma" else abs(b))]

        with localcontext(EXACT):
            rows = tuple({n: cell(n, v) for n, v in r.items()} for r in self.rows)
            return replace(self, rows=rows, priors={n: prior(n, *p) for n, p in self.priors.items()})


def numbers(low, high):
    return st.integers(low, high).map(Decimal)


@st.composite
def scale_priors(draw, name, unit, *kinds):
    """None, so that the default is taken, or one for the scale or its square."""
    s, nu = draw(st.sampled_from(["0.3", "1", "2", "40"])), draw(st.sampled_from(["1", "3", "4"]))
    s = Decimal(s) * unit
    args = {"Uniform": [], "Jeffreys": [], "HalfStudentT": [Decimal(nu), s], "InverseGamma": [Decimal(nu) / 2, s * s]}
    kind = draw(st.sampled_from([None, *kinds]))
    if kind is None:
        return {}
    squared = kind == "InverseGamma" or kind == "Uniform2"
    kind = kind.removesuffix("2")
    return {name + "2" * squared: (kind, args.get(kind, [s]))}


@st.composite
def cases(draw, study, two=False, scales=("1e-300", "1e-9", "1", "1e6", "1e300"), offsets=("0", "1e3", "1e9", "-1e12")):
    """A table of 1 to 8 groups at any offset and scale, with priors that leave one scale to the lattice, or two."""
    unit, offset = Decimal(draw(st.sampled_from(scales))), Decimal(draw(st.sampled_from(offsets)))
    digits, count = draw(st.sampled_from([0, 1, 3, 6])), draw(st.integers(1, 8))
    alike = draw(st.sampled_from(["no", "no", "no", "groups", "all"]))
    with localcontext(EXACT):
        fine = unit.scaleb(-digits)
        value = numbers(-3 * 10**digits, 3 * 10**digits).map(lambda k: EXACT.add(offset, EXACT.multiply(k, fine)))
        spread = st.tuples(numbers(1, 99), st.sampled_from([0, 0, 1, 6])).map(lambda s: s[0] * unit.scaleb(-1 - s[1]))
        names = draw(st.permutations([f"g{i}" for i in range(count)]))
        form = draw(st.sampled_from(["value", "sd", "se"] if study == "one_way" else ["se", "variance"]))
        most = 1 if study == "meta_analysis" else draw(st.sampled_from([1, 2, 6, 6]))
        covariate = draw(st.sampled_from(["", "", "year", "arm"]))
        common = draw(value)
        rows = []
        for name in names:
            about = common if alike != "no" else draw(value)
            n = draw(st.integers(1, most))
            at = {"year": draw(numbers(2000, 2012)), "arm": draw(st.sampled_from("xy"))}.get(covariate)
            of = {covariate: at} if covariate else {}
            if study == "meta_analysis":
                s = draw(spread)
                rows.append({"trial": name, "estimate": about, form: s * s if form == "variance" else s, **of})
            elif form == "value":
                offs = [common if alike == "all" else draw(value) for _ in range(n)]
                rows += [{"group": name, "value": v, **of} for v in offs]
            else:
                rows.append({"group": name, "n": n, "mean": about, form: draw(spread) if n > 1 else "", **of})
        relative = study == "one_way" and not (two and draw(st.booleans()))
        known = Decimal(1) if relative else unit
        kinds = ("Uniform", "Uniform2", "HalfNormal", "HalfCauchy", "HalfStudentT", "InverseGamma")
        given = draw(scale_priors("tau", known, *kinds))
        if study == "one_way":
            given |= draw(scale_priors("sigma", unit, "Jeffreys", "InverseGamma", *["HalfCauchy", "HalfNormal"] * two))
        if (two or study == "meta_analysis") and draw(st.booleans()):
            given["mu"] = ("Normal", [offset + unit, 3 * unit])
    rows = draw(st.permutations(rows))
    return Case(study, tuple(rows), (covariate,) if covariate else (), given, absolute=not relative)


def refusal(case, folder):
    """What is prepared, or None where it is refused, every line of which names the file or an option."""
    try:
        return case.prepared(folder)
    except Refused as refused:
        lines = str(refused).splitlines()
        assert lines
        assert all(s.startswith(("table.csv:", "--")) or s.endswith("faults more") for s in lines), lines
        return None


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
    step = "0.1" if isinstance(model.tau, priors.HalfNormal) or model.tau.proper else "0.2"
    oracle, one = Line(model, closed=closed, step=step), [mpf(k == 0) for k in range(len(model.coefficients))]
    found = {
        ("tau", ""): lambda: oracle.moments_scale("tau"),
        ("sd_between", ""): lambda: oracle.moments_scale("sd_between"),
    }
    found |= {("mu", ""): lambda: oracle.moments_linear(one)}
    found |= {("theta", model.groups.labels[i]): lambda: oracle.moments_linear(row(model, i), i)}
    return {key: moments() for key, moments in found.items() if np.isfinite(table.loc[key, "sd"])}


def log_kernel(prior, sd):
    """Log density of a scale, up to a constant."""
    match prior:
        case priors.InverseGamma(shape=a, scale=s):
            return -(2 * a + 1) * np.log(sd) - s / sd**2
        case priors.HalfStudentT(nu=n, scale=s):
            return -(n + 1) / 2 * np.log1p((sd / s) ** 2 / n)
        case priors.HalfNormal(scale=s):
            return -((sd / s) ** 2) / 2
        case priors.Known():
            return 0.0


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
        height = log_kernel(model.tau, tau) + u + log_kernel(model.sigma, sigma) + s - g.df.sum() * s
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
        assert np.isfinite(table[name].to_numpy()).tolist() == (order > k + mixture.NEAR).tolist()
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


def estimates(values, errors, of=None, **asked):
    """A table of estimates with their standard errors, `of` a year each."""
    rows = [
        {"trial": f"g{i}", "estimate": Decimal(v), "se": Decimal(e)}
        for i, (v, e) in enumerate(zip(values, errors, strict=True))
    ]
    if of:
        rows, asked = (
            [r | {"year": Decimal(y)} for r, y in zip(rows, of, strict=True)],
            {"covariates": ("year",)} | asked,
        )
    return Case("meta_analysis", tuple(rows), **asked)


def scores(groups, of=None, **asked):
    """A table of rows, `of` a year for each group."""
    rows = [
        {"group": name, "value": Decimal(v)} | ({"year": Decimal(of[name])} if of else {})
        for name, values in groups.items()
        for v in values.split()
    ]
    return Case("one_way", tuple(rows), ("year",) if of else (), **asked)


PRECISE = ["1003"] * 6, ["6.2", "6.2", "3.1", "5.7", "6.2", "0.0000013"], [2000, 2000, 2007, 2009, 2006, 2001]
EIGHT = ["28", "8", "-3", "7", "-1", "1", "18", "12"], ["15", "10", "16", "11", "9", "11", "10", "18"]
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


@settings(max_examples=300, **ROUNDS)
@given(
    st.sampled_from(["one_way", "meta_analysis"]),
    st.sampled_from([b"", b"a,b\n", b"a,b\nx,1\nx,2\ny,", b"a,b\n1,2\n"]),
    st.binary(max_size=40) | st.text('ab,\n\r"01.9eE-+; \t\u0660', max_size=40).map(lambda s: s.encode()),
)
@example("one_way", b"a,b\nx,1\nx,2\ny,", b"1e-9999999999999999999999")
@example("one_way", b"a,b\nx,1\nx,2\ny,", b"0e999999999999999999")
@example("meta_analysis", b"a,b\n1,1\n2,1\n3,1\n4,", b"1e-330")
def test_any_bytes(tmp_path_factory, study, start, rest):
    """Refused, every line with the file's name, or a model."""
    path = tmp_path_factory.mktemp("bytes") / "table.csv"
    path.write_bytes(start + rest)
    names = {"one_way": ("group", "value"), "meta_analysis": ("estimate", "se")}[study]
    try:
        prepared = getattr(prepare, study)(Asked(path=path, columns=dict(zip(names, "ab", strict=True))))
        faults = []
    except Refused as refused:
        prepared, faults = None, str(refused).splitlines()
    assert all(line.startswith("table.csv:") or line.endswith("faults more") for line in faults)
    assert (prepared is None) == bool(faults)
    assert prepared is None or np.isfinite(prepared.model.groups.mean).all()


@settings(max_examples=3, **ROUNDS)
@given(cases("one_way") | cases("meta_analysis"))
@example(estimates(["1", "2", "4"], ["1", "1", "2"]))
@example(scores({"a": "1 2", "b": "2 4 7", "c": "5", "d": "3 3"}))
@example(scores({"a": "1 1", "b": "2 2", "c": "5"}))
@example(scores({"a": "0 1e-9", "b": "1 1.000000002", "c": "3"}))
@example(scores({"a": "1 2", "b": "3 1", "c": "5 1e15"}))
@example(estimates(*EIGHT, priors={"tau2": ("InverseGamma", [Decimal("0.001"), Decimal("0.001")])}))
@example(estimates(["1", "2", "3"], ["1", "1e-7", "1e3"]))
def test_any_table_on_the_command_line(tmp_path_factory, case):
    """Status 2 with the refusal and nothing else, or a report."""
    folder, said = tmp_path_factory.mktemp("any"), io.StringIO()
    try:
        case.prepared(folder)
        refused = None
    except Refused as error:
        refused = str(error)
    with contextlib.redirect_stderr(said):
        status = run.main([*case.options(folder), "--engines", "exact", "--quiet", "--out", str(folder / "out")])
    assert status == 2 if refused else status in (0, 3)
    if refused:
        assert said.getvalue() == refused + "\n"


Y = {"a": 2001, "b": 2004, "c": 2005, "d": 2009, "e": 2010}
ROWS = {"a": "1.5 2 3", "b": "2 4.5 7", "c": "5", "d": "3 3.5", "e": "-1 0 2.5 1"}
AVERAGES = tuple(
    {"group": name, "n": n, "mean": Decimal(mean), "sd": Decimal(sd) if n > 1 else ""}
    for name, n, mean, sd in [("a", 3, "2.1", "1.2"), ("b", 5, "4.5", "2"), ("c", 1, "5", ""), ("d", 4, "3.3", "0.4")]
)
D = Decimal
MOVED = {
    "rows": scores(ROWS, priors={"sigma2": ("InverseGamma", [D(1), D(2)])}),
    "rows, covariate": scores(ROWS, Y),
    "averages": Case("one_way", AVERAGES, priors={"tau2": ("InverseGamma", [D("0.5"), D("0.5")])}),
    "averages, absolute": Case(
        "one_way",
        AVERAGES,
        priors={"tau": ("HalfCauchy", [D(2)]), "sigma": ("HalfNormal", [D(3)]), "mu": ("Normal", [D(1), D(4)])},
        absolute=True,
    ),
    "estimates": estimates(
        ["1", "4", "2.5", "-1", "3"],
        ["1", "0.5", "2", "1.5", "0.1"],
        priors={"tau": ("HalfStudentT", [D(3), D(2)]), "mu": ("Normal", [D(1), D(4)])},
    ),
    "estimates, covariate": estimates(
        ["1", "4", "2.5", "-1", "3", "3"], ["1", "0.5", "2", "1.5", "1", "1"], [1, 2, 4, 4, 7, 9]
    ),
}
# To the last an informative prior of mu cannot go along: it is spelled in doubles, and they cannot tell 1e9 + 1e-9.
MOVES = ("1e9", "1"), ("-1000", "-2.5"), ("0", "1e-100"), ("1e9", "1e-9")
QUANTILES = ["q2_5", "q5", "q50", "q95", "q97_5"]


def reported(case, tmp_path_factory):
    """What the report says, outside the units."""
    prepared = case.prepared(tmp_path_factory.mktemp("any"))
    return prepared.units.table(exact.posterior(prepared.model).table())


@pytest.mark.parametrize("name", MOVED)
def test_units_and_origin_change_nothing_else(tmp_path_factory, name):
    """y to a + b y: locations and scales go along, kappa and relative tau stay; b < 0 turns quantiles round."""
    case = MOVED[name]
    table = reported(case, tmp_path_factory)
    for a, b in MOVES[: 2 if name == "averages, absolute" else 3 if "mu" in case.priors else 4]:
        other = reported(case.moved(a, b), tmp_path_factory)
        shift, by = float(a), float(b)
        for key in table.index:
            fixed = key[0] == "kappa" or (key[0] == "tau" and name in ("rows", "rows, covariate", "averages"))
            located = key[0] in ("mu", "theta")
            factor = 1.0 if fixed else by if located or key[0] == "beta" else abs(by)
            now, then = other.loc[key, ["mean", *QUANTILES]].to_numpy(), table.loc[key, ["mean", *QUANTILES]].to_numpy()
            then = factor * (then if factor > 0 else then[[0, 5, 4, 3, 2, 1]]) + shift * located
            sd = abs(factor) * mixture.width(table.loc[[key]]).iloc[0]
            # Outside, a double of that size is all there is.
            assert now == pytest.approx(then, rel=0, abs=1e-9 * sd + 4 * EPS * np.nanmax(np.abs(then)), nan_ok=True), (
                key
            )
            assert other.loc[key, "sd"] == pytest.approx(abs(factor) * table.loc[key, "sd"], rel=1e-9, nan_ok=True), key


@pytest.mark.parametrize("name", MOVED)
def test_order_and_names_change_nothing_else(tmp_path_factory, name):
    """Rows in another order, columns too with one more between them, and other names: the same to 1e-11."""
    case = MOVED[name]
    column = "trial" if case.study == "meta_analysis" else "group"
    renamed = [{"note": "?"} | {n: r[n] for n in reversed(r)} | {column: f"~ {r[column]}, too"} for r in case.rows]
    table, other = (reported(c, tmp_path_factory) for c in (case, replace(case, rows=tuple(renamed[::-1]))))
    same = [(v, f"~ {label}, too" if v in ("theta", "kappa") else label) for v, label in table.index]
    slack = 1e-11 * mixture.width(table).to_numpy()[:, None] + 8 * EPS * table.abs().to_numpy()
    off = np.abs(other.loc[same].to_numpy() - table.to_numpy())
    assert (np.isnan(off) == table.isna().to_numpy()).all()
    assert not (off > slack).any()
