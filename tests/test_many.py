"""Tables of more groups than anybody reads a line for: the page of a crowd, and groups.parquet."""

import contextlib
import html
import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest

from analyses import prepare, routes, run, tables
from analyses.asked import Asked
from analyses.checks import crowd
from analyses.engines import exact
from analyses.report import binned, pages
from analyses.studies import many, own_data

SIZE, LARGER = 2_100, 2_500
ROWS = ("--group", "school", "--value", "score")
ESTIMATES = ("--label", "trial", "--estimate", "y", "--se", "se")
NAMES = ("pooling", "extremes", "places", "agreement")
TITLES = (
    "The model",
    "What pooling does",
    "Which are truly extreme?",
    "What is a list of them worth?",
    "Does one differ from another?",
    "What comes next?",
    "Would the model produce data like these?",
    "By restricted maximum likelihood",
    "Do the three routes agree?",
    "Did the chains mix?",
)
MOVED = ["estimate", "theta_mean", "theta_q2_5", "theta_q97_5"]  # as locations are
STRETCHED = ["standard_error", "theta_sd"]  # as scales are
ALIKE = ["n", "kappa_mean", "kappa_sd", "p_top", "p_as_small"]


def scores() -> list[tuple[str, str, str]]:
    """Rows of schools of two to four pupils in three kinds of school: names with zeros in front, the last first."""
    rng, rows = np.random.default_rng(81), []
    for j in reversed(range(SIZE)):
        kind = j % 3
        theta = 50 + 3 * kind + 6 * rng.standard_normal()
        rows += [(f"{j:05d}", f"{v:.3f}", "pqr"[kind]) for v in theta + 8 * rng.standard_normal(2 + j % 3)]
    return rows


def trials() -> list[tuple[str, str, str, str]]:
    """Estimates with one of six standard errors, and a year."""
    rng = np.random.default_rng(82)
    se, x = rng.choice([0.5, 0.8, 1.0, 1.5, 2.0, 3.5], LARGER), rng.integers(0, 4, LARGER)
    y = rng.normal(2 + 0.5 * x + 1.5 * rng.standard_normal(LARGER), se)
    return [(f"t{i}", f"{y[i]:.4f}", f"{se[i]}", str(2000 + x[i])) for i in range(LARGER)]


def of_scores(turned=lambda v: v) -> str:
    return "school,score,kind\n" + "".join(f"{g},{turned(v)},{k}\n" for g, v, k in scores())


def of_trials(exponent="") -> str:
    return "trial,y,se,year\n" + "".join(f"{t},{y}{exponent},{se}{exponent},{x}\n" for t, y, se, x in trials())


def ran(folder, study, content, *arguments, engines="exact", status=0):
    """Run to the end, warnings being errors; the report, its groups, and what was said on standard error."""
    path = folder / "table.csv"
    path.write_text(content, encoding="utf-8")
    asked = [study, "--data", str(path), *arguments, "--engines", engines, "--out", str(folder / "out"), "--quiet"]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        assert run.main(asked) == status
    report = folder / "out" / study
    rows = duckdb.connect().execute("from read_parquet(?)", [str(report / "groups.parquet")]).df()
    page = (report / "index.html").read_text("utf-8")
    return SimpleNamespace(data=path, folder=report, groups=rows, page=page, said=said.getvalue())


def unpictured(patch):
    """Leave out pictures and the section that takes most of the time; they are no part of the files compared."""
    patch.setattr(pages, "png", lambda figure: b"")
    patch.setattr(own_data, "other_priors", lambda *_: pages.Section(title="With another prior"))


@pytest.fixture
def quick(monkeypatch):
    """Without pictures."""
    unpictured(monkeypatch)


@pytest.fixture(scope="module")
def schools(tmp_path_factory):
    """The whole page on rows, a covariate of text, a pair compared."""
    more = ("--covariate", "kind", "--compare", "00007", "02099")
    return ran(tmp_path_factory.mktemp("schools"), "one_way", of_scores(), *ROWS, *more)


@pytest.fixture(scope="module")
def low(tmp_path_factory):
    """Estimates, the lowest first."""
    with pytest.MonkeyPatch.context() as patch:
        unpictured(patch)
        more = ("--covariate", "year", "--best", "low")
        return ran(tmp_path_factory.mktemp("low"), "meta_analysis", of_trials(), *ESTIMATES, *more)


def section(page: str, title: str) -> str:
    """A section's text, cells and sentences parted by blanks."""
    (found,) = [s for s in page.split("<section>")[1:] if f"<h2>{html.escape(title)}</h2>" in s]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", found)).split())


# --- the page and the files -----------------------------------------------------------------------------------------


def test_the_page_is_whole(schools):
    """Every section, each picture in the page itself and beside it, nothing that is no number, no warning."""
    for title in (*TITLES, "What the covariates do", "Between and within", "With another prior"):
        assert section(schools.page, title)
    pictures = {path.stem: path.read_bytes() for path in (schools.folder / "figures").iterdir()}
    assert pictures.keys() == {*NAMES}
    assert all(picture.startswith(b"\x89PNG") and len(picture) > 5_000 for picture in pictures.values())
    assert schools.page.count('src="data:image/png;base64,') == len(NAMES)
    assert not re.search(r"\b(nan|inf|None)\b", re.sub('src="[^"]*"', "", schools.page))
    assert schools.said == ""
    assert 'class="warning"' not in schools.page


def test_files(schools):
    """A table that nobody reads a line of is no text; and draws are of the few whose theta was drawn."""
    names = {path.name for path in schools.folder.iterdir()}
    assert names == {
        *("index.html", "figures", "manifest.json", "exact.nc"),
        *("summary.csv", "agreement.csv", "groups.parquet"),
    }
    summary = pd.read_csv(schools.folder / "summary.csv", dtype={"label": str})
    labels = set(summary.query("variable == 'theta'")["label"])
    assert routes.SOME <= len(labels) <= routes.SOME + 3
    manifest = json.loads((schools.folder / "manifest.json").read_text("utf-8"))
    assert (manifest["passed"], manifest["best"]) == (True, "high")


def test_all_groups_are_there(schools, low):
    """Under their names, with what the file says of each; columns without a value are left out."""
    by_hand = pd.DataFrame(scores(), columns=["school", "score", "kind"]).astype({"score": float})
    by_hand = by_hand.groupby("school")["score"].agg(["size", "mean"])
    rows = schools.groups.set_index("label")
    assert tuple(schools.groups.columns) == tuple(c for c in tables.CROWD if c != "standard_error")
    assert sorted(rows.index) == sorted(by_hand.index)
    assert rows["n"].loc[by_hand.index].tolist() == by_hand["size"].tolist()
    assert rows["estimate"].loc[by_hand.index].to_numpy() == pytest.approx(by_hand["mean"].to_numpy(), rel=1e-13)
    assert tuple(low.groups.columns) == tuple(c for c in tables.CROWD if c != "n")
    assert low.groups["label"].tolist() == [t for t, *_ in trials()]
    for name, at in (("estimate", 1), ("standard_error", 2)):
        expected = [float(row[at]) for row in trials()]
        assert low.groups[name].to_numpy() == pytest.approx(expected, rel=1e-14, abs=1e-14)
    for rows in (schools.groups, low.groups):
        assert rows.notna().all(axis=None)
        assert rows[["p_top", "p_as_small", "kappa_mean"]].apply(lambda p: p.between(0, 1)).all(axis=None)


@pytest.mark.parametrize(("which", "sign"), [("schools", 1), ("low", -1)])
def test_the_list_is_of_the_likeliest(which, sign, request):
    """The page's twenty are those of the file, in their order; and at the end that was asked for."""
    found = request.getfixturevalue(which)
    listed = re.search(r"Which are truly extreme\?</h2>.*?<table.*?</table>", found.page, re.DOTALL)[0]
    names = re.findall(r"<tr>\s*<t[dh][^>]*>\s*([\w]+)\s*</t", listed.split("<tbody>")[-1])
    rows = found.groups.assign(mean=sign * found.groups["theta_mean"])
    expected = rows.sort_values(["p_top", "mean"], ascending=False)["label"].head(many.LISTED).tolist()
    assert [name for name in names if name in set(rows["label"])] == expected
    assert rows.set_index("label")["mean"][expected].min() > rows["mean"].quantile(0.9)
    end = {1: "highest", -1: "lowest"}[sign]
    raw = found.groups.loc[(sign * found.groups["estimate"]).idxmax(), "label"]
    assert f"{raw}, {end} by itself with" in html.unescape(found.page)
    assert f"those whose theta is {'above' if sign > 0 else 'below'} " in html.unescape(found.page)


def test_the_lists_worth_is_that_of_p_top(schools):
    """As many false ones as the file's probabilities add up to."""
    p = np.sort(schools.groups["p_top"])[::-1]
    text = section(schools.page, "What is a list of them worth?")
    assert f"Who names the 21 groups that are likeliest in the top 1% will be wrong in {np.sum(1 - p[:21]):.0f}" in text
    for row in crowd.discoveries(p).itertuples(index=False):
        assert f"{row[0]} {row[1]:,}" in text


def test_the_pair_asked_for(schools):
    """It is told by names, of groups whose theta was not among those drawn as well."""
    assert re.search(r"00007 - 02099( -?[\d.]+){6}", section(schools.page, "Does one differ from another?"))


def test_the_ends_are_compared_where_none_is_asked_for(low):
    """First and last of the posterior means; with the lowest best that is the lowest first."""
    first, last = (low.groups["label"][getattr(low.groups["theta_mean"], end)()] for end in ("idxmin", "idxmax"))
    assert f"{first} - {last}" in section(low.page, "Does one differ from another?")


# --- the same as by the plain path ----------------------------------------------------------------------------------


def test_rows_are_those_of_the_plain_mixtures(low):
    """Of 2,500 groups, one by one and without a sweep: to 1e-10 of a posterior sd, and the rounding of the units."""
    asked = Asked(
        path=low.data, columns={"label": "trial", "estimate": "y", "se": "se"}, covariates=("year",), priors={}
    )
    prepared = prepare.meta_analysis(asked)
    posterior = exact.posterior(prepared.model)
    theta, kappa = posterior.theta(), posterior.kappa()
    offset, unit = prepared.units.outside("theta")
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
    every = np.arange(LARGER)
    threshold = crowd.beyond(theta.mean, theta.sd, best="low")
    assert low.groups["p_top"].to_numpy() == pytest.approx(theta.cdf(np.full(LARGER, threshold), every), abs=1e-10)


@pytest.mark.parametrize(("size", "as_crowd"), [(routes.MANY, False), (routes.MANY + 1, True)])
@pytest.mark.parametrize("study", ["one_way", "meta_analysis"])
def test_more_than_many_are_a_crowd(study, size, as_crowd, tmp_path, monkeypatch):
    """The limit itself is still a table of its own."""
    from analyses.studies import meta_analysis, one_way

    module, asked = {"one_way": one_way, "meta_analysis": meta_analysis}[study], []
    for name, owner in (("answered", many), ("answered", own_data)):
        monkeypatch.setattr(owner, name, lambda *_, owner=owner: asked.append(owner) or (_ for _ in ()).throw(Stop))
    path = tmp_path / "table.csv"
    rows = "".join(f"{j},{j % 7},1\n" + f"{j},{j % 5 + 1},1\n" * (study == "one_way") for j in range(size))
    path.write_text("g,y,se\n" + rows)
    columns = {"one_way": {"group": "g", "value": "y"}, "meta_analysis": {"label": "g", "estimate": "y", "se": "se"}}
    with pytest.raises(Stop):
        module.page(routes.Settings(asked=Asked(path=path, columns=columns[study], covariates=(), priors={})))
    assert asked == [many if as_crowd else own_data]


class Stop(Exception):
    """That is all that was asked."""


# --- units ----------------------------------------------------------------------------------------------------------


def test_an_offset_moves_and_changes_nothing(schools, tmp_path, quick):
    """Right to 1e-9 of an sd, or the spacing of doubles at an offset that is no smaller; probabilities stay."""
    offset = 1_000_000_000
    moved = of_scores(lambda v: format(Decimal(v) + offset, "f"))
    rows = ran(tmp_path, "one_way", moved, *ROWS, "--covariate", "kind").groups
    one, other = (t.set_index("label").sort_index() for t in (schools.groups, rows))
    assert list(one.index) == list(other.index)
    allowed = np.maximum(1e-9 * one["theta_sd"], 4 * np.spacing(float(offset)))
    for name in MOVED:
        assert ((other[name] - (one[name] + offset)).abs() <= allowed).all()
    assert other["theta_sd"].to_numpy() == pytest.approx(one["theta_sd"].to_numpy(), rel=1e-9)
    for name in set(ALIKE) & set(one):
        assert other[name].to_numpy() == pytest.approx(one[name].to_numpy(), abs=1e-9)


def test_a_scale_multiplies(low, tmp_path, monkeypatch):
    """1e200: no square of it overflows, on the whole page and in its pictures."""
    monkeypatch.setattr(own_data, "other_priors", lambda *_: pages.Section(title="With another prior"))
    more = ("--covariate", "year", "--best", "low")
    found = ran(tmp_path, "meta_analysis", of_trials("e200"), *ESTIMATES, *more)
    for name in (*MOVED, *STRETCHED):
        assert found.groups[name].to_numpy() == pytest.approx(1e200 * low.groups[name].to_numpy(), rel=1e-9)
    for name in set(ALIKE) & set(low.groups):
        assert found.groups[name].to_numpy() == pytest.approx(low.groups[name].to_numpy(), abs=1e-9)
    assert {path.stem for path in (found.folder / "figures").iterdir()} == {*NAMES}
    assert not re.search(r"\b(nan|inf)\b", re.sub('src="[^"]*"', "", found.page))
    assert found.said == ""


# --- engines --------------------------------------------------------------------------------------------------------


def test_nuts_sees_cells_and_agrees(low, tmp_path, quick):
    """Few draws, which diagnostics may call too few; what there is of them agrees, and is of few groups."""
    plain = of_trials()
    more = ("--draws", "300", "--tune", "300", "--chains", "4")
    path = tmp_path / "table.csv"
    path.write_text(plain, encoding="utf-8")
    asked = ["meta_analysis", "--data", str(path), *ESTIMATES, "--engines", "nuts,exact", *more, "--quiet"]
    assert run.main([*asked, "--out", str(tmp_path / "out")]) in (0, 3)
    folder = tmp_path / "out" / "meta_analysis"
    verdicts = json.loads((folder / "manifest.json").read_text("utf-8"))["verdicts"]
    said = [(v["passed"], v["sentence"]) for v in verdicts if v["check"] == "agreement"]
    assert [passed for passed, _ in said] == [True, True], said
    assert (folder / "nuts.nc").stat().st_size < 1200 * (3 * routes.SOME) * 8 * 4
    assert "by NUTS, independent draws, for" in section((folder / "index.html").read_text("utf-8"), TITLES[-2])


def test_gibbs_is_left_out_where_it_takes_hours(tmp_path, monkeypatch, quick):
    """It is said on the page and on standard error; the other engines are there, and all is well."""
    monkeypatch.setattr(many, "GIBBS_MOST", SIZE - 1)
    found = ran(tmp_path, "one_way", of_scores(), *ROWS, engines="gibbs,exact")
    assert found.said.startswith("warning: Gibbs sampling is left out: it draws every theta at every sweep, ")
    assert "here 2,100 of them" in found.said
    assert found.said.count("\n") == 1
    (printed,) = re.findall('<p class="warning">([^<]*)</p>', found.page)
    assert found.said == f"warning: {html.unescape(printed)}\n"
    assert not (found.folder / "gibbs.nc").exists()
    assert (found.folder / "exact.nc").exists()


class Fifty(list):
    """Groups of which no two are alike."""

    cells = SimpleNamespace(noise=range(50))


@pytest.mark.parametrize(("slow", "limit"), [("gibbs", "GIBBS_MOST"), ("nuts", "NUTS_MOST")])
@pytest.mark.parametrize("others", [(), ("exact",)])
def test_an_engine_has_a_limit(slow, limit, others, monkeypatch):
    """At it the engine runs, above it not; who did not ask for it is told nothing."""
    seen, engines = [], (slow, *others)
    monkeypatch.setattr(many, "crowd", lambda name, model, settings, best: seen.append(settings.engines))
    groups = Fifty(range(50))
    prepared = SimpleNamespace(model=SimpleNamespace(groups=groups), units=SimpleNamespace(crowd=lambda x: x))
    for most, without in ((50, False), (49, True)):
        monkeypatch.setattr(many, limit, most)
        _, _, said = many.answered("one_way", prepared, routes.Settings(engines=engines))
        assert len(said) == without
        assert seen[-1] == (others if without else engines)
        assert many.answered("one_way", prepared, routes.Settings(engines=("exact",)))[2] == ()


def test_engines_that_were_not_asked_for_are_not_reported(monkeypatch):
    """As for a table of few groups: with --engines gibbs nothing else is drawn, written or judged."""
    rng = np.random.default_rng(83)
    from models.groups import Estimates
    from models.priors import FLAT
    from models.two_level import TwoLevel

    model = TwoLevel(groups=Estimates.from_summary(range(60), rng.normal(size=60), np.ones(60)), tau=FLAT)
    monkeypatch.setattr(routes.gibbs, "thinning", lambda *_, **__: 1)
    found = routes.crowd("x", model, routes.Settings(engines=("gibbs",)), best="high")
    assert set(found.trees) == {"gibbs"}


# --- pictures -------------------------------------------------------------------------------------------------------

KNOWN = {
    "whole numbers": np.arange(2, 40).repeat(20),
    "one whole number": np.full(760, 5),
    "far apart": np.geomspace(1, 1e4, 760),
    "many whole numbers": np.arange(760) + 1,
    "tenths": np.linspace(0.1, 1.7, 760),
    "tiny": np.linspace(1, 3, 760) * 1e-200,
}


def pictured(x, estimate=None):
    y = np.random.default_rng(84).normal(size=len(x)) if estimate is None else estimate
    return pd.DataFrame({"known": x, "estimate": y, "theta_mean": 0.4 * y})


@pytest.mark.parametrize("x", KNOWN.values(), ids=KNOWN)
def test_every_group_has_a_column(x):
    """The counts of the pooled means are those of all groups, none lost between bins or at their ends."""
    figure = binned.before_and_after(pictured(x), against="known", xlabel="x", ylabel="y")
    raw, pooled, *_ = figure.axes
    counts = [np.nansum(ax.collections[0].get_array()) for ax in (raw, pooled)]
    assert counts[1] == len(x)
    assert counts[0] == len(x) - 2  # the outermost 0.05% on either side are not drawn
    edges = binned._columns(np.asarray(x))
    assert len(edges) <= binned.MOST_COLUMNS + 1
    assert np.all(np.diff(edges) > 0)
    assert raw.get_xscale() == ("log" if edges[-1] > binned.WIDE * edges[0] else "linear")
    pages.png(figure)


def test_places_are_counts_over_what_is_expected():
    """Level at 1 for places that are spread evenly, and fifty for all in one bin."""
    for p, heights in ((np.linspace(0.01, 0.99, 50), np.ones(50)), (np.full(500, 0.999), np.eye(50)[-1] * 50)):
        (ax,) = binned.places(p).axes
        (stairs,) = [patch for patch in ax.patches if hasattr(patch, "get_data")]
        assert stairs.get_data().values == pytest.approx(heights)


def test_equal_standard_errors_are_seen():
    """All estimates with an error of 0.5: a column that has no width is an empty picture."""
    assert np.all(np.diff(binned._columns(np.full(2_100, 0.5))) > 0)


def test_a_colour_means_the_same_in_both_halves():
    """Pooled means lie closer, so their bins are fuller; the bar of colours stands for both halves."""
    raw, pooled, *_ = binned.before_and_after(
        pictured(KNOWN["whole numbers"]), against="known", xlabel="x", ylabel="y"
    ).axes
    assert raw.collections[0].get_clim() == pooled.collections[0].get_clim()


def test_nearly_all_estimates_equal():
    """As of counts that are nearly all 0: the quantiles between which bins are laid are one number."""
    y = np.zeros(2_100)
    y[0] = 1.0
    x = np.arange(2_100) % 3 + 1
    rows = pictured(x, y).assign(theta_mean=y.mean())  # as they are pooled, next to their mean
    pages.png(binned.before_and_after(rows, against="known", xlabel="x", ylabel="y"))


@pytest.mark.parametrize("best", ["high", "low"])
def test_two_ends_are_two_groups(best):
    """Where all estimates are equal, as a small table may have them: a group less itself has no law, and no report."""
    found = SimpleNamespace(best=best, groups=pd.DataFrame({"label": ["a", "b", "c"], "theta_mean": [1.0, 1.0, 1.0]}))
    first, last = own_data._ends(found)
    assert first != last


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_column_without_any_value_is_left_out(tmp_path):
    """And one with some is kept, empty cells and all; text that looks like a number stays text."""
    table = pd.DataFrame({"label": ["007", "NA"], "n": [None, None], "x": [1.5, np.nan]})
    tables.write_parquet(table, tmp_path / "it's.parquet")
    found = duckdb.connect().execute("from read_parquet(?)", [str(tmp_path / "it's.parquet")]).fetchall()
    assert [row[0] for row in found] == ["007", "NA"]
    assert found[0][1] == 1.5
    assert len(found[0]) == 2


def test_a_disk_that_fails_is_an_error_of_the_system(tmp_path):
    """run.main tells OSErrors in a line: of a full disk, or a folder that has gone."""
    with pytest.raises(OSError, match="parquet"):
        tables.write_parquet(pd.DataFrame({"a": [1.0]}), tmp_path / "gone" / "groups.parquet")


def test_units_move_a_crowds_threshold(low):
    """With the offset and the unit of theta, as its rows are."""
    asked = Asked(path=low.data, columns={"label": "trial", "estimate": "y", "se": "se"}, covariates=(), priors={})
    prepared = prepare.meta_analysis(asked)
    settings = routes.Settings(engines=("exact",), best="low")
    inside = routes.crowd("x", prepared.model, settings, best="high")
    units = replace(prepared.units, offset=Decimal("12.5"), unit=Decimal("100"))
    found = units.crowd(inside)
    assert found.threshold == pytest.approx(12.5 + 100 * inside.threshold, rel=1e-14)
    assert found.groups["p_top"].tolist() == inside.groups["p_top"].tolist()
    for name in MOVED:
        assert found.groups[name].to_numpy() == pytest.approx(12.5 + 100 * inside.groups[name].to_numpy(), rel=1e-14)
    for name in STRETCHED:
        assert found.groups[name].to_numpy() == pytest.approx(100 * inside.groups[name].to_numpy(), rel=1e-14)
    mu = found.reference.loc[("mu", ""), "mean"]
    assert mu == pytest.approx(12.5 + 100 * inside.reference.loc[("mu", ""), "mean"], rel=1e-14)
