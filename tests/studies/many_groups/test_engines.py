"""Which engines run on thousands of groups, and that they agree."""

import html
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.thousands import ESTIMATES, ROWS, SIZE, TITLES, of_scores, of_trials, ran, section

from analyses import run
from analyses.engines import gibbs
from analyses.fits import crosscheck
from analyses.fits.exact_fit import ExactFit
from analyses.fits.settings import Settings
from analyses.studies.sections import many_groups


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
    assert (folder / "nuts.nc").stat().st_size < 1200 * (3 * crosscheck.SOME) * 8 * 4
    assert "by NUTS, independent draws, for" in section((folder / "index.html").read_text("utf-8"), TITLES[-2])


def test_gibbs_is_left_out_where_it_takes_hours(tmp_path, monkeypatch, quick):
    """It is said on the page and on standard error; the other engines are there, and all is well."""
    monkeypatch.setattr(many_groups, "GIBBS_MOST", SIZE - 1)
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
def test_above_its_limit_an_engine_is_left_out(slow, limit, others, monkeypatch):
    """At it the engine runs, above it not; who did not ask for it is told nothing."""
    seen, engines = [], (slow, *others)

    def crosschecked(fit, best):
        seen.append(fit.settings.engines)
        return SimpleNamespace(outside=lambda units: None)

    monkeypatch.setattr(crosscheck, "many_groups", crosschecked)
    model, prepared = SimpleNamespace(groups=Fifty(range(50))), SimpleNamespace(units=None)

    def fitted(*engines):
        posterior, settings = SimpleNamespace(model=model), Settings(engines=engines)
        return ExactFit(name="one_way", prepared=prepared, posterior=posterior, settings=settings)

    for most, without in ((50, False), (49, True)):
        monkeypatch.setattr(many_groups, limit, most)
        own = many_groups.checked(fitted(*engines))
        assert len(own.warnings) == without
        assert seen[-1] == (others if without else engines)
        own = many_groups.checked(fitted("exact"))
        assert own.warnings == ()


def test_engines_that_were_not_asked_for_are_not_reported(monkeypatch):
    """As for a table of few groups: with --engines gibbs nothing else is drawn, written or judged."""
    rng = np.random.default_rng(83)
    from models.groups import Estimates
    from models.priors import FLAT
    from models.two_level import TwoLevel

    model = TwoLevel(groups=Estimates.from_summary(range(60), rng.normal(size=60), np.ones(60)), tau=FLAT)
    monkeypatch.setattr(gibbs, "thinning", lambda *_, **__: 1)
    found = crosscheck.many_groups(ExactFit.of_model("x", model, Settings(engines=("gibbs",))), best="high")
    assert set(found.trees) == {"gibbs"}
