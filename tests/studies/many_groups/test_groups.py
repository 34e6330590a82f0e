"""groups.parquet: all groups under their names, right as one by one, whatever the unit and the offset."""

import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from helpers.thousands import (
    ALIKE,
    ESTIMATES,
    LARGER,
    MOVED,
    NAMES,
    ROWS,
    STRETCHED,
    of_scores,
    of_trials,
    ran,
    scores,
    trials,
)

from analyses.engines import exact, summary_tables
from analyses.fits import crosscheck
from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.ingest import build_model
from analyses.ingest.request import Request
from analyses.report import pages
from analyses.studies.sections import prior_sensitivity


def test_all_groups_are_there_under_their_names(schools, low):
    """Under their names, with what the file says of each; columns without a value are left out."""
    by_hand = pd.DataFrame(scores(), columns=["school", "score", "kind"]).astype({"score": float})
    by_hand = by_hand.groupby("school")["score"].agg(["size", "mean"])
    rows = schools.groups.set_index("label")
    assert tuple(schools.groups.columns) == tuple(c for c in summary_tables.CROWD if c != "standard_error")
    assert sorted(rows.index) == sorted(by_hand.index)
    assert rows["n"].loc[by_hand.index].tolist() == by_hand["size"].tolist()
    assert rows["estimate"].loc[by_hand.index].to_numpy() == pytest.approx(by_hand["mean"].to_numpy(), rel=1e-13)
    assert tuple(low.groups.columns) == tuple(c for c in summary_tables.CROWD if c != "n")
    assert low.groups["label"].tolist() == [t for t, *_ in trials()]
    for name, at in (("estimate", 1), ("standard_error", 2)):
        expected = [float(row[at]) for row in trials()]
        assert low.groups[name].to_numpy() == pytest.approx(expected, rel=1e-14, abs=1e-14)
    for rows in (schools.groups, low.groups):
        assert rows.notna().all(axis=None)
        assert rows[["p_top", "p_as_small", "kappa_mean"]].apply(lambda p: p.between(0, 1)).all(axis=None)


def test_rows_are_those_of_the_plain_mixtures(low):
    """Of 2,500 groups, one by one and without a sweep: to 1e-10 of a posterior sd, and the rounding of the units."""
    asked = Request(
        table=low.data, columns={"label": "trial", "estimate": "y", "se": "se"}, covariates=("year",), priors={}
    )
    prepared = build_model.meta_analysis(asked)
    posterior = exact.posterior(prepared.model)
    theta, kappa = posterior.theta(), posterior.kappa()
    offset, unit = prepared.units.affine("theta")
    sd = unit * theta.sd
    expected = {
        "theta_mean": offset + unit * theta.mean,
        "theta_sd": sd,
        "theta_q2_5": offset + unit * theta.quantile(0.025),
        "theta_q97_5": offset + unit * theta.quantile(0.975),
    }
    for name, values in expected.items():
        assert (np.abs(low.groups[name] - values) / sd).max() < 1e-10
    for name, values in (("kappa_mean", kappa.mean), ("kappa_sd", kappa.sd)):
        assert (np.abs(low.groups[name] - values) / kappa.sd).max() < 1e-10
    assert low.groups["p_top"].sum() == pytest.approx(LARGER // 100, rel=1e-4), "so many are there in every draw"


# --- units ------------------------------------------------------------------------------------------------------------


def test_an_offset_moves_and_changes_nothing(schools, tmp_path, quick):
    """Right to 1e-9 of an sd, or the spacing of doubles at an offset that is no smaller; probabilities stay."""
    offset = 1_000_000_000
    moved = of_scores(lambda v: format(Decimal(v) + offset, "f"))
    more = ("--covariate", "kind", "--threshold", str(55 + offset))
    rows = ran(tmp_path, "one_way", moved, *ROWS, *more).groups
    one, other = (t.set_index("label").sort_index() for t in (schools.groups, rows))
    assert list(one.index) == list(other.index)
    allowed = np.maximum(1e-9 * one["theta_sd"], 4 * np.spacing(float(offset)))
    for name in MOVED:
        assert ((other[name] - (one[name] + offset)).abs() <= allowed).all()
    assert other["theta_sd"].to_numpy() == pytest.approx(one["theta_sd"].to_numpy(), rel=1e-9)
    for name in set(ALIKE) & set(one):
        assert other[name].to_numpy() == pytest.approx(one[name].to_numpy(), abs=1e-9)


def test_a_scale_multiplies_and_changes_nothing(low, tmp_path, monkeypatch):
    """1e200: no square of it overflows, on the whole page and in its pictures."""
    monkeypatch.setattr(prior_sensitivity, "prior_section", lambda *_: pages.Section(title="With another prior"))
    more = ("--covariate", "year", "--best", "low")
    found = ran(tmp_path, "meta_analysis", of_trials("e200"), *ESTIMATES, *more)
    for name in (*MOVED, *STRETCHED):
        assert found.groups[name].to_numpy() == pytest.approx(1e200 * low.groups[name].to_numpy(), rel=1e-9)
    for name in set(ALIKE) & set(low.groups):
        assert found.groups[name].to_numpy() == pytest.approx(low.groups[name].to_numpy(), abs=1e-9)
    assert {path.stem for path in (found.folder / "figures").iterdir()} == {*NAMES}
    assert not re.search(r"\b(nan|inf)\b", re.sub('src="[^"]*"', "", found.page))
    assert found.said == ""


def test_units_move_a_crowds_threshold(low):
    """With the offset and the unit of theta, as its rows are."""
    asked = Request(table=low.data, columns={"label": "trial", "estimate": "y", "se": "se"}, covariates=(), priors={})
    exact = ExactFit.of_table(asked, Settings(engines=("exact",), best="low"))
    inside = crosscheck.many_groups(exact, best="high")
    units = replace(exact.prepared.units, offset=Decimal("12.5"), unit=Decimal("100"))
    found = inside.outside(units)
    assert found.threshold.tolist() == pytest.approx((12.5 + 100 * inside.threshold).tolist(), rel=1e-14)
    assert found.groups["p_top"].tolist() == inside.groups["p_top"].tolist()
    for name in MOVED:
        assert found.groups[name].to_numpy() == pytest.approx(12.5 + 100 * inside.groups[name].to_numpy(), rel=1e-14)
    for name in STRETCHED:
        assert found.groups[name].to_numpy() == pytest.approx(100 * inside.groups[name].to_numpy(), rel=1e-14)
    mu = found.reference.loc[("mu", ""), "mean"]
    assert mu == pytest.approx(12.5 + 100 * inside.reference.loc[("mu", ""), "mean"], rel=1e-14)
