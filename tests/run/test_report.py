"""What a run writes and says, and its status: files, columns, numbers, draws, the manifest and the pages."""

import io
import json
import re
from contextlib import redirect_stdout
from hashlib import sha256
from importlib import resources

import arviz as az
import numpy as np
import pandas as pd
import pytest
from helpers.runs import TINY, command
from matplotlib.figure import Figure

from analyses import run
from analyses.engines import summary_tables
from analyses.ingest import build_model
from analyses.report import pages


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """Run the blood pressure trial on tiny draws, in a process of its own."""
    out = tmp_path_factory.mktemp("trial")
    return out, command("blood_pressure", "--out", out, *TINY)


@pytest.fixture(scope="module")
def schools(tmp_path_factory):
    """Run the eight schools without NUTS, in this process; the folder, the status, and what was said."""
    out, said = tmp_path_factory.mktemp("schools"), io.StringIO()
    with redirect_stdout(said):
        status = run.main(["eight_schools", "--engines", "exact,gibbs", "--out", str(out), "--quiet"])
    return out, status, said.getvalue()


def test_a_failed_check_is_status_3_and_stamped(trial):
    """A hundred draws are too few: the report is written all the same, and says so at its top."""
    out, found = trial
    assert found.returncode == 3
    assert re.search("FAIL blood_pressure: NUTS: .*effective sample size", found.stdout)
    page = (out / "blood_pressure" / "index.html").read_text(encoding="utf-8")
    assert "A check of the computation failed" in page.split("<section")[0]
    assert "A check of the computation failed" in (out / "index.html").read_text(encoding="utf-8")


def test_nothing_but_results_is_printed_into_a_pipe(trial):
    _, found = trial
    assert found.stderr == ""
    assert re.match(r"blood_pressure \(\d+\.\d s\)\n", found.stdout)


def test_all_is_well_is_status_0_and_quiet(schools):
    _, status, said = schools
    assert (status, said) == (0, "")


def test_files_are_those_of_every_report(trial):
    out, _ = trial
    folder = out / "blood_pressure"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("index.html", "figures", "manifest.json", "nuts.nc", "gibbs.nc", "exact.nc"),
        *("summary.csv", "agreement.csv", "groups.csv"),
    }
    assert {"beta.png", "shrinkage.png", "kappa.png", "agreement.png"} <= {
        p.name for p in (folder / "figures").iterdir()
    }
    assert sorted(path.name for path in out.iterdir()) == ["blood_pressure", "index.html"]


def test_columns_are_those_that_are_promised(trial):
    folder = trial[0] / "blood_pressure"
    summary, agreement, groups = (pd.read_csv(folder / f"{n}.csv") for n in ("summary", "agreement", "groups"))
    assert tuple(summary.columns) == summary_tables.SUMMARY
    assert tuple(agreement.columns) == summary_tables.AGREEMENT
    assert tuple(groups.columns) == summary_tables.GROUPS
    assert set(summary["engine"]) == {"nuts", "gibbs", "exact"}
    for _, rows in summary.groupby("engine"):
        counts = rows["variable"].value_counts().to_dict()
        assert counts == {"mu": 1, "beta": 1, "sigma": 1, "tau": 1, "sd_between": 1, "theta": 20, "kappa": 20}
    assert summary.query("variable == 'beta'")["label"].unique() == ["treatment"]
    exact = summary.query("engine == 'exact'")
    assert exact[["mcse_mean", "ess_bulk", "ess_tail", "r_hat"]].isna().all(axis=None)
    assert groups["n"].sum() == 426
    assert groups["standard_error"].isna().all()


def test_z_is_the_difference_over_its_error(trial):
    rows = pd.read_csv(trial[0] / "blood_pressure" / "agreement.csv")
    assert rows["z"].to_numpy() == pytest.approx(((rows["value"] - rows["exact"]) / rows["mcse"]).to_numpy(), rel=1e-9)


def test_known_standard_errors_have_no_sigma(schools):
    folder = schools[0] / "eight_schools"
    summary, groups = pd.read_csv(folder / "summary.csv"), pd.read_csv(folder / "groups.csv")
    assert "sigma" not in set(summary["variable"])
    assert groups["standard_error"].tolist() == [15, 10, 16, 11, 9, 11, 10, 18]
    assert groups["n"].isna().all()
    assert (folder / "weakly_informative" / "summary.csv").exists()


def test_numbers_are_at_machine_precision(schools):
    """What is written reads back as the very double that was computed."""
    from analyses.engines import exact
    from models import eight_schools

    rows = pd.read_csv(schools[0] / "eight_schools" / "summary.csv", keep_default_na=False).query("engine == 'exact'")
    computed = exact.posterior(eight_schools.model()).table()
    assert rows["mean"].astype(float).tolist() == computed["mean"].tolist()


def test_draws_can_be_read_by_arviz(trial):
    folder = trial[0] / "blood_pressure"
    for engine in ("nuts", "gibbs", "exact"):
        tree = az.from_netcdf(folder / f"{engine}.nc")
        assert {"mu", "tau", "sigma"} <= set(az.summary(tree, var_names=["mu", "tau", "sigma"]).index)
        assert {"posterior", "posterior_predictive", "observed_data", "constant_data"} <= set(tree.children)


def test_the_manifest_has_all_that_a_run_depends_on(trial):
    manifest = json.loads((trial[0] / "blood_pressure" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["command"][:4] == ["python", "-m", "analyses.run", "blood_pressure"]
    assert manifest["seed"] == 1
    assert manifest["versions"]["pymc"].startswith("6.")
    assert not manifest["passed"]
    assert {verdict["check"] for verdict in manifest["verdicts"]} == {"diagnostics", "agreement", "predictive"}
    assert all(seconds >= 0 for seconds in manifest["seconds"].values())
    table = resources.files("partial_pooling_data").joinpath("blood_pressure.csv").read_bytes()
    assert manifest["data"] == {"blood_pressure.csv": sha256(table).hexdigest()}


def test_the_league_is_that_of_the_tables(schools):
    """Of each engine the largest |z| of agreement.csv and the smallest effective size of summary.csv."""
    folder = schools[0] / "eight_schools"
    rows = {row["engine"]: row for row in json.loads((folder / "manifest.json").read_text())["engines"][:2]}
    z = pd.read_csv(folder / "agreement.csv").groupby("engine")["z"].agg(lambda z: z.abs().max())
    ess = pd.read_csv(folder / "summary.csv").query("engine == 'gibbs'")[["ess_bulk", "ess_tail"]].min().min()
    assert rows.keys() == {"Gibbs", "independent draws"}
    assert [rows[name]["z"] for name in rows] == pytest.approx([z["gibbs"], z["exact"]])
    assert (rows["Gibbs"]["ess"], rows["independent draws"]["ess"]) == (pytest.approx(ess), 4000)
    assert all(row["seconds"] > 0 and row["z"] < row["limit"] for row in rows.values())


def test_two_figures_of_one_name_are_refused():
    twice = [pages.Section(title=title, figures={"same": (Figure(), "words")}) for title in ("one", "two")]
    with pytest.raises(ValueError, match="two figures of x are called 'same'"):
        pages.Page(name="x", title="", question="", sentence="", sections=tuple(twice))


def test_pages_need_no_network(trial, schools):
    for folder, name in ((trial[0], "blood_pressure"), (schools[0], "eight_schools")):
        for page in (folder / "index.html", folder / name / "index.html"):
            text = page.read_text(encoding="utf-8")
            for link in re.findall(r'(?:src|href)="([^"]*)"', text):
                assert link.startswith(("data:image/png;base64,", "#")) or (page.parent / link).exists()
            assert set(re.findall("<script[^>]*>", text)) == {"<script>"}  # what is inside the page, and no other
            assert len(re.findall("<img", text)) == len(re.findall(r'<img [^>]*alt="[^"]+', text))


@pytest.mark.slow
def test_same_seed_same_bytes_and_another_seed_others(trial, tmp_path):
    out, _ = trial
    again, other = tmp_path / "again", tmp_path / "other"
    command("blood_pressure", "--out", again, *TINY)
    command("blood_pressure", "--out", other, *TINY, "--seed", "2")
    for name in ("summary.csv", "agreement.csv", "groups.csv"):
        first = (out / "blood_pressure" / name).read_bytes()
        assert first == (again / "blood_pressure" / name).read_bytes()
        assert first != (other / "blood_pressure" / name).read_bytes()


def test_one_engine_is_the_same_whatever_else_is_run(schools, tmp_path):
    """Streams are named after their purpose, so leaving one engine out does not change another."""
    assert run.main(["eight_schools", "--engines", "gibbs", "--out", str(tmp_path), "--quiet"]) == 0
    both, alone = (
        pd.read_csv(folder / "eight_schools" / "summary.csv").query("engine == 'gibbs'").reset_index(drop=True)
        for folder in (schools[0], tmp_path)
    )
    pd.testing.assert_frame_equal(both, alone)


def test_best_low_turns_the_ranks(schools, tmp_path):
    run.main(["eight_schools", "--engines", "exact", "--best", "low", "--out", str(tmp_path), "--quiet"])
    high, low = (pd.read_csv(f / "eight_schools" / "groups.csv") for f in (schools[0], tmp_path))
    assert (high["rank_mean"] + low["rank_mean"]).to_numpy() == pytest.approx(np.full(8, 9.0))


def test_the_front_page_leads_to_every_study_that_is_there(tmp_path):
    for name in ("eight_schools", "math_test"):
        run.main([name, "--engines", "exact", "--out", str(tmp_path), "--quiet"])
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<h3><a href="([^"]*)"', text) == ["math_test/index.html", "eight_schools/index.html"]


def test_a_file_that_disappears_or_changes_was_read_once(tmp_path, monkeypatch):
    """All that the report says, its checksum too, is of what was read first."""
    table = tmp_path / "trials.csv"
    table.write_text("y,se\n1,1\n3,2\n2,1\n5,2\n4,1\n")
    wanted, answer = sha256(table.read_bytes()).hexdigest(), build_model.meta_analysis

    def vanishing(asked):
        found = answer(asked)
        table.unlink()
        return found

    monkeypatch.setattr(build_model, "meta_analysis", vanishing)
    asked = ["meta_analysis", "--data", str(table), "--estimate", "y", "--se", "se", "--engines", "exact", "--quiet"]
    assert run.main([*asked, "--out", str(tmp_path / "out")]) == 0
    manifest = json.loads((tmp_path / "out" / "meta_analysis" / "manifest.json").read_text())
    assert manifest["data"] == {"trials.csv": wanted}
