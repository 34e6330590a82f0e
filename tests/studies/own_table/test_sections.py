"""What the sections of anyone's data say is in the units of the file, and is what the draws say."""

import numpy as np
import pytest

from analyses.engines.mixture import width
from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.ingest.request import Request
from analyses.report.decimals import cells
from analyses.studies import meta_analysis, one_way
from analyses.studies.sections import few_groups, own_table

ROWS = {"a": (5.0, 6.5, 7.0), "b": (9.0, 8.5, 11.0, 9.5), "c": (6.0,), "d": (4.0, 4.5, 7.5), "e": (8.0, 9.5)}
TRIALS = [("a", 2.8, 1.5), ("b", 0.8, 1.0), ("c", -0.3, 1.6), ("d", 0.7, 1.1), ("e", 1.8, 1.0), ("f", 1.2, 1.8)]


def answered(tmp_path, study, offset, unit):
    """The study's answer on the table above at that offset and unit, by the exact engine."""
    path = tmp_path / f"{offset}_{unit}.csv"
    if study is one_way:
        lines = ["g,y", *(f"{g},{offset + unit * y!r}" for g, values in ROWS.items() for y in values)]
        columns = {"group": "g", "value": "y"}
    else:
        lines = ["g,y,s", *(f"{g},{offset + unit * y!r},{unit * s!r}" for g, y, s in TRIALS)]
        columns = {"label": "g", "estimate": "y", "se": "s"}
    path.write_text("\n".join(lines))
    asked = Request(table=path, columns=columns, compare=(("b", "a"), ("c", "d")))
    return few_groups.checked(ExactFit.of_table(asked, Settings(engines=("exact",))))


@pytest.fixture(params=[one_way, meta_analysis], ids=["one_way", "meta_analysis"])
def both(request, tmp_path):
    """The same data about 0 and in thousandths about 64 (numbers that doubles hold)."""
    study = request.param
    return study, answered(tmp_path, study, 0.0, 1.0), answered(tmp_path, study, 64.0, 2.0**-10)


def moved(rows, *, located=(), scaled=()):
    """Rows of the first table in the units of the second."""
    at = {name: 64.0 + rows[name] / 1024 for name in located if name in rows}
    return rows.assign(**at, **{name: rows[name] / 1024 for name in scaled if name in rows})


def same(one, two):
    assert one.columns.tolist() == two.columns.tolist()
    for name in one:
        if one[name].dtype.kind == "f":
            assert two[name].to_numpy() == pytest.approx(one[name].to_numpy(), rel=1e-9, nan_ok=True), name


def test_differences_are_of_the_joint_posterior(both):
    """Each pair by itself, weights on all groups: as the numbers stand before they are printed."""
    _, own, _ = both
    table, labels = own_table.comparison_sections(own)[0].table, own.exact.labels
    assert table["difference"].tolist() == ["b - a", "c - d"]
    for (_, row), (one, other) in zip(table.iterrows(), (("b", "a"), ("c", "d")), strict=True):
        weights = np.array([[(label == one) - (label == other) for label in labels]], dtype=float)
        law, unit = own.exact.posterior.contrast(weights), float(own.exact.prepared.units.unit)
        expected = [unit * v[0] for v in (law.mean, law.sd, *map(law.quantile, (0.025, 0.5, 0.975)))]
        assert row[["mean", "sd", "q2_5", "q50", "q97_5"]].tolist() == pytest.approx(expected, rel=1e-9)
        assert row["P(above 0)"] == pytest.approx(1 - law.cdf(np.zeros(1), np.zeros(1, dtype=int))[0], rel=1e-9)


def test_differences_have_the_unit_and_no_offset(both):
    _, one, two = both
    tables = [own_table.comparison_sections(own)[0].table for own in (one, two)]
    same(moved(tables[0], scaled=("mean", "sd", "q2_5", "q50", "q97_5")), tables[1])


def test_what_the_others_say_has_both_and_densities_their_unit(both):
    study, one, two = both
    tables = [own_table.leave_out_section(own).table for own in (one, two)]
    first = moved(tables[0], located=("observed", "mean", "q2_5", "q50", "q97_5"), scaled=("sd",))
    n = np.array([len(values) for values in ROWS.values()]) if study is one_way else np.ones(len(TRIALS))
    same(first.assign(log_density=first["log_density"] + n * np.log(1024)), tables[1])


def test_restricted_likelihood_has_both(both):
    _, one, two = both
    tables = [own_table.reml_section(own).table for own in (one, two)]
    scale = np.array([64.0 if variable == "mu" else 0.0 for variable in tables[0]["variable"]])
    expected = scale + tables[0]["REML"] / 1024
    assert tables[1]["REML"].to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-6, abs=1e-9)


def test_intraclass_correlation_is_that_of_the_draws(tmp_path):
    """Its mean and quantiles against those of sd_between² / (sd_between² + sigma²), 40,000 times; it has no unit."""
    own = answered(tmp_path, one_way, 0.0, 1.0)
    draws = own.exact.posterior.draw(draws=10_000, chains=4, rng=np.random.default_rng(3))["posterior"]
    share = (draws["sd_between"] ** 2 / (draws["sd_between"] ** 2 + draws["sigma"] ** 2)).values.ravel()
    law = own.exact.posterior.intraclass()
    expected = [v[0] for v in (law.mean, law.sd, *map(law.quantile, (0.025, 0.5, 0.975)))]
    table = one_way.variation(own).table.set_index("quantity")
    shown = table.loc["intraclass correlation", ["mean", "sd", "q2_5", "q50", "q97_5"]].tolist()
    assert shown == pytest.approx(expected, rel=1e-12)
    assert share.mean() == pytest.approx(law.mean[0], abs=4.5 * law.sd[0] / np.sqrt(share.size))
    for p in (0.025, 0.5, 0.975):
        assert law.cdf(law.quantile(p), np.array([0]))[0] == pytest.approx(p, abs=1e-12)
        below = np.mean(share <= law.quantile(p)[0])
        assert below == pytest.approx(p, abs=4.5 * np.sqrt(p * (1 - p) / share.size))


def test_digits_of_a_row_are_those_its_spread_supports(both):
    """At an offset a mean has the digits of its sd; a count, or a share of another column's, is not given more."""
    fit = both[2].fit
    rows = fit.summary[fit.summary["variable"] == "mu"].assign(ess_bulk=3918.3561)
    (row,) = cells(rows[["mean", "sd", "ess_bulk"]])
    spread = width(fit.reference).loc[("mu", "")]
    assert abs(float(row[0]) - rows["mean"].iloc[0]) < spread / 10
    assert row[2] == "3918"
