"""The page of a crowd: its sections, its list and what that is worth."""

import html
import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from helpers.thousands import NAMES, TITLES, section

from analyses.checks import top_groups
from analyses.engines.inference_data import MANY
from analyses.fits import crosscheck
from analyses.fits.settings import Settings
from analyses.ingest.request import Request
from analyses.studies.sections import few_groups, many_groups, own_table


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


def test_groups_are_parquet_and_draws_are_of_few(schools):
    """A table that nobody reads a line of is no text; and draws are of the few whose theta was drawn."""
    names = {path.name for path in schools.folder.iterdir()}
    assert names == {
        *("index.html", "figures", "manifest.json", "exact.nc"),
        *("summary.csv", "agreement.csv", "groups.parquet"),
    }
    summary = pd.read_csv(schools.folder / "summary.csv", dtype={"label": str})
    labels = set(summary.query("variable == 'theta'")["label"])
    assert crosscheck.SOME <= len(labels) <= crosscheck.SOME + 3
    manifest = json.loads((schools.folder / "manifest.json").read_text("utf-8"))
    assert (manifest["passed"], manifest["best"]) == (True, "high")


@pytest.mark.parametrize(("which", "sign"), [("schools", 1), ("low", -1)])
def test_the_list_is_of_the_likeliest(which, sign, request):
    """The page's twenty are those of the file, in their order; and at the end that was asked for."""
    found = request.getfixturevalue(which)
    listed = re.search(r"Which are truly extreme\?</h2>.*?<table.*?</table>", found.page, re.DOTALL)[0]
    names = re.findall(r"<tr>\s*<t[dh][^>]*>\s*([\w]+)\s*</t", listed.split("<tbody>")[-1])
    rows = found.groups.assign(mean=sign * found.groups["theta_mean"])
    expected = rows.sort_values(["p_top", "mean"], ascending=False)["label"].head(many_groups.LISTED).tolist()
    assert [name for name in names if name in set(rows["label"])] == expected
    assert rows.set_index("label")["mean"][expected].min() > rows["mean"].quantile(0.9)
    end = {1: "highest", -1: "lowest"}[sign]
    raw = found.groups.loc[(sign * found.groups["estimate"]).idxmax(), "label"]
    assert f"{raw} has the {end} {'average' if sign > 0 else 'estimate'} (" in html.unescape(found.page)
    assert f"with the {'largest' if sign > 0 else 'smallest'} theta of all" in html.unescape(found.page)


def test_a_threshold_is_on_the_page(schools, low):
    """As asked, else 0 for estimates: its column, and how many of all groups are likely above it."""
    for found, threshold in ((schools, 55), (low, 0)):
        count = (found.groups["p_above"] >= 0.95).sum()
        said = f"; for {count:,} of {len(found.groups):,} groups that probability is at least 0.95."
        assert f"is above {threshold} with probability" in found.page
        assert said in found.page
        assert f" P(above {threshold}) " in section(found.page, "Which are truly extreme?")


def test_the_lists_worth_is_that_of_p_top(schools):
    """As many false ones as the file's probabilities add up to."""
    p = np.sort(schools.groups["p_top"])[::-1]
    text = section(schools.page, "What is a list of them worth?")
    expected = (
        f"the 21 groups that are likeliest in the top 1% the posterior expects {np.sum(1 - p[:21]):.0f} not to be"
    )
    assert expected in text
    for row in top_groups.discoveries(p).itertuples(index=False):
        assert f"{row[0]} {row[1]:,}" in text


def test_the_pair_asked_for_is_compared(schools):
    """It is told by names, of groups whose theta was not among those drawn as well."""
    assert re.search(r"00007 - 02099( -?[\d.]+){6}", section(schools.page, "Does one differ from another?"))


def test_the_ends_are_compared_where_none_is_asked_for(low):
    """First and last of the posterior means; with the lowest best that is the lowest first."""
    first, last = (low.groups["label"][getattr(low.groups["theta_mean"], end)()] for end in ("idxmin", "idxmax"))
    assert f"{first} - {last}" in section(low.page, "Does one differ from another?")


@pytest.mark.parametrize("best", ["high", "low"])
def test_two_ends_are_two_groups(best):
    """Where all estimates are equal, as a small table may have them: a group less itself has no law, and no report."""
    found = SimpleNamespace(best=best, groups=pd.DataFrame({"label": ["a", "b", "c"], "theta_mean": [1.0, 1.0, 1.0]}))
    first, last = own_table._ends(found)
    assert first != last


@pytest.mark.parametrize(("size", "as_crowd"), [(MANY, False), (MANY + 1, True)])
@pytest.mark.parametrize("study", ["one_way", "meta_analysis"])
def test_more_than_many_are_a_crowd(study, size, as_crowd, tmp_path, monkeypatch):
    """The limit itself is still a table of its own."""
    from analyses.studies import meta_analysis, one_way

    module, asked = {"one_way": one_way, "meta_analysis": meta_analysis}[study], []
    for owner in (many_groups, few_groups):
        monkeypatch.setattr(
            owner, "checked", lambda *_, owner=owner: asked.append(owner) or (_ for _ in ()).throw(StopError)
        )
    path = tmp_path / "table.csv"
    rows = "".join(f"{j},{j % 7},1\n" + f"{j},{j % 5 + 1},1\n" * (study == "one_way") for j in range(size))
    path.write_text("g,y,se\n" + rows)
    columns = {"one_way": {"group": "g", "value": "y"}, "meta_analysis": {"label": "g", "estimate": "y", "se": "se"}}
    with pytest.raises(StopError):
        module.page(Settings(request=Request(table=path, columns=columns[study], covariates=(), priors={})))
    assert asked == [many_groups if as_crowd else few_groups]


class StopError(Exception):
    """That is all that was asked."""
