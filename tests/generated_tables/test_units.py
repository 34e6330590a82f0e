"""Units, origin, order and names of a table change nothing else."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from helpers.cases import EPS, Case, estimates, scores

from analyses.engines import exact, mixture
from analyses.fits import rescale

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
    return rescale.table(prepared.units, exact.posterior(prepared.model).table())


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
