"""Tables that anyone may bring: decimals at any offset and scale, with every kind of prior, at random or by hand."""

import csv
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal, localcontext

import numpy as np
from hypothesis import HealthCheck, strategies as st

from analyses.ingest import build_model
from analyses.ingest.request import InputError, Request
from helpers.priors import KINDS

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
        return Request(
            table=path,
            columns={("label" if n == "trial" else n): n for n in self.header if n not in (*self.covariates, "note")},
            covariates=self.covariates,
            priors={name: f"{dist}({', '.join(map(str, args))})" for name, (dist, args) in self.priors.items()},
            absolute=self.absolute,
        )

    def prepared(self, folder):
        return getattr(build_model, self.study)(self.asked(folder / "table.csv"))

    def options(self, folder):
        """The same question put to the command line."""
        asked = self.asked(folder / "table.csv")
        given = [f"--{name}={column}" for name, column in asked.columns.items()]
        given += [f"--covariate={name}" for name in asked.covariates]
        given += [f"--prior={name}={dist}" for name, dist in asked.priors.items()]
        given += ["--tau-scale=absolute"] if self.absolute and self.study == "one_way" else []
        return [self.study, f"--data={asked.table}", *given]

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
        given = draw(scale_priors("tau", known, *KINDS["tau"]))
        if study == "one_way":
            given |= draw(scale_priors("sigma", unit, *KINDS["sigma"], *KINDS["sigma, on a lattice"] * two))
        if (two or study == "meta_analysis") and draw(st.booleans()):
            given["mu"] = ("Normal", [offset + unit, 3 * unit])
    rows = draw(st.permutations(rows))
    return Case(study, tuple(rows), (covariate,) if covariate else (), given, absolute=not relative)


def refusal(case, folder):
    """What is prepared, or None where it is refused, every line of which names the file or an option."""
    try:
        return case.prepared(folder)
    except InputError as refused:
        lines = str(refused).splitlines()
        assert lines
        assert all(s.startswith(("table.csv:", "--")) or s.endswith("faults more") for s in lines), lines
        return None


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
