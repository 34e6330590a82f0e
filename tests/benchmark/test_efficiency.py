"""The benchmark's arithmetic on made-up figures; who is missing or breaks down is told."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from analyses.benchmark import __main__ as command, contenders, efficiency, efficiency_page, own_routes, page, runs
from analyses.benchmark.contenders import Contender, Installation
from analyses.benchmark.contest import NOT_INSTALLED, Entry
from analyses.benchmark.rivals import contender_io
from analyses.benchmark.runs import ContenderError, DrawsSummary, Run
from analyses.engines import exact
from analyses.report import pages
from models import math_test

MEANS = pd.Series([48.0, 9.0, 5.0], index=["mu", "sigma", "sd_between"])
BY_KEY = {contender.key: contender for contender in contenders.CONTENDERS}


def a_run(ess=1000.0, setup=1.0, sampling=1.0, off=0.0, theta=None):
    """A run whose quantities all have one effective sample size, unless theta has its own."""
    sizes = {("mu", ""): ess, ("sigma", ""): ess, ("tau", ""): ess, ("theta", "0"): ess if theta is None else theta}
    checked = pd.MultiIndex.from_tuples([(name, "") for name in MEANS.index], names=["variable", "label"])
    draws = DrawsSummary(
        count=4000,
        ess=pd.Series(sizes).rename_axis(["variable", "label"]),
        mean=pd.Series(MEANS.to_numpy() + off, checked),
        mcse=pd.Series(0.1, checked),
    )
    return Run({"setup": setup, "compile": 3.0, "sampling": sampling}, draws=draws)


def entry(key, *runs, status=""):
    return Entry(BY_KEY[key], Installation((), "1.0"), runs=runs, status=status)


@pytest.fixture
def table():
    """Rows 1000 draws in 2 seconds; JAGS half as many, in half a second; exact ten times JAGS; one wrong, one gone."""
    return efficiency.table(
        [
            entry("exact", a_run(5000.0, 0.25, 0.25), a_run(5000.0, 0.25, 0.75)),
            entry("marginal", a_run(2000.0), a_run(4000.0, theta=1000.0)),
            entry("pymc", a_run(), a_run()),
            entry("nutpie", status=NOT_INSTALLED),
            entry("numpyro", a_run(1e6, off=0.5)),
            entry("bambi", status="ModuleNotFoundError: No module named 'formulae'"),
            entry("jags", a_run(500.0, 0.25, 0.25), a_run(500.0, 0.25, 0.25)),
            entry("lme4", Run({"setup": 0.0, "compile": 0.0, "sampling": 0.1})),
        ],
        MEANS,
    ).set_index("contender", drop=False)


def test_ratios_are_taken_within_a_round(table):
    assert table.loc["exact", ["times_jags", "times_jags_low", "times_jags_high"]].to_list() == [7.5, 5.0, 10.0]
    assert table.loc["exact", "times_pymc"] == 15.0
    assert table.loc["jags", "times_jags"] == 1.0


def test_set_up_counts_and_compiling_does_not(table):
    assert table.loc["pymc", "per_second"] == 500.0
    assert table.loc["pymc", "per_second_sampling"] == 1000.0
    assert table.loc["pymc", "compile_seconds"] == 3.0
    assert table.loc["exact", "times_pymc_sampling"] == pytest.approx((20.0 + 20.0 / 3) / 2)


def test_the_smallest_is_taken_of_averages_over_the_rounds(table):
    assert table.loc["marginal", ["smallest_ess", "smallest_of"]].to_list() == [1500.0, "theta"]
    assert table.loc["marginal", "smallest_ess_population"] == 3000.0
    assert table.loc["marginal", "times_pymc"] == 1.5
    assert table.loc["marginal", "times_pymc_population"] == 3.0


def test_a_fast_wrong_sampler_does_not_win(table):
    assert table.loc["numpyro", "z"] == pytest.approx(5.0)
    assert table.loc["numpyro", [c for c in table if c.startswith("times_")]].isna().all()
    verdicts = dict(efficiency_page.part(table).verdicts)
    assert not verdicts["numpyro on rows"].passed
    assert verdicts["JAGS"].passed


def test_rounds_together_have_a_smaller_error():
    assert efficiency.largest_z((a_run(off=0.2),), MEANS) == pytest.approx(2.0)
    assert efficiency.largest_z(4 * (a_run(off=0.2),), MEANS) == pytest.approx(4.0)


def test_a_mean_that_is_not_a_number_is_wrong():
    table = efficiency.table([entry("jags", a_run(off=np.nan))], MEANS)
    assert efficiency.is_wrong(table.iloc[0])
    assert table["times_jags"].isna().all()


def test_the_table_has_its_columns(table):
    assert tuple(table.columns) == efficiency.COLUMNS
    assert table["contender"].is_unique
    assert np.isnan(table.loc["lme4", "times_pymc"])
    assert table.loc["lme4", "sampling_seconds"] == 0.1


def test_targets_are_held_against_what_was_measured(table):
    reached = efficiency.targets(table.reset_index(drop=True)).set_index("of")
    missing = dict.fromkeys(("population", "gibbs", "nutpie_marginal"), "not measured")
    assert reached["met"].to_dict() == missing | {"marginal": "no"}
    assert reached.loc["marginal", ["at least", "measured"]].to_list() == [5, 3.0]


def test_who_has_not_drawn_theta_has_no_figure_for_it():
    only = a_run(ess=4000.0)
    only = replace(only, draws=replace(only.draws, ess=only.draws.ess.drop("theta")))
    table = efficiency.table([entry("population", only), entry("jags", a_run())], MEANS).set_index("contender")
    assert np.isnan(table.loc["population", "times_jags"])
    assert table.loc["population", "times_jags_population"] == 4.0


def test_the_page_says_all_of_it(table):
    report = page.build(efficiency_page.part(table.reset_index(drop=True)))
    pictures = {name: pages.png(figure) for s in report.sections for name, (figure, _) in s.figures.items()}
    html = pages.render(report, pictures)
    assert pictures.keys() == {"benchmark_ratios"}
    for text in (
        "not installed",
        "No module named &#39;formulae&#39;",
        "7.5 (5.0 to 10)",
        "a point estimate",
        "no, z = 5.0",
    ):
        assert text in html


def test_without_what_it_is_compared_with_there_are_no_ratios():
    table = efficiency.table([entry("exact", a_run())], MEANS)
    part = efficiency_page.part(table)
    assert table["times_pymc"].isna().all()
    assert not part.sections[0].figures
    assert part.sentence == "Who was compared is in the table."


def calling(code):
    """A contender that is a line of Python."""
    return Contender("jags", "JAGS", "", lambda pythons: Installation((sys.executable, "-c", code), "1.0"))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise ValueError('no such school')", "ValueError: no such school"),
        ("import sys; sys.exit(3)", "exit status 3, and nothing said"),
        ("pass", "handed in no seconds.json"),
    ],
)
def test_one_that_breaks_down_is_told_with_its_last_line(tmp_path, code, message):
    broken = calling(code)
    with pytest.raises(ContenderError, match=message):
        runs.measure(broken, broken.find([]), tmp_path / "rows.csv", tmp_path, 1)
    (entered,) = efficiency.play([broken], rounds=2, pythons=[], seed=1, say=lambda line: None)
    assert (entered.status, entered.runs) == (message, ())


def test_one_that_takes_too_long_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "SECONDS_LIMIT", 0.1)
    slow = calling("import time; time.sleep(30)")
    with pytest.raises(ContenderError, match=r"not done after 0\.1 s"):
        runs.measure(slow, slow.find([]), tmp_path / "rows.csv", tmp_path, 1)


def test_what_is_nowhere_is_not_found(monkeypatch):
    monkeypatch.setattr(contenders.shutil, "which", lambda name: None)
    assert contenders.find_jags([]) is None
    assert contenders.lme4("lme4.R")([]) is None
    assert contenders.in_python("no-such-package", "x.py")([sys.executable]) is None
    assert contenders.in_python("numpy", "x.py")([sys.executable]).version == np.__version__


def test_the_command_lists_who_is_missing_and_who_fails(tmp_path, monkeypatch, capsys):
    absent = replace(BY_KEY["nutpie"], find=lambda pythons: None)
    broken = replace(calling("raise ValueError('no such school')"), key="jags")
    monkeypatch.setattr(contenders, "CONTENDERS", (absent, broken))
    assert command.main(["--rounds", "1", "--out", str(tmp_path)]) == 3
    assert "FAIL JAGS: broke down: ValueError: no such school" in capsys.readouterr().out
    written = pd.read_csv(tmp_path / "benchmark.csv")
    assert tuple(written.columns) == efficiency.COLUMNS
    assert written["status"].to_list() == ["not installed", "ValueError: no such school"]
    html = (tmp_path / "benchmark" / "index.html").read_text(encoding="utf-8")
    assert "not installed" in html
    assert "no such school" in html


@pytest.mark.parametrize(
    "wrong", [["--rounds", "0"], ["--only", "exact,stan"], ["--with", "/no/such/python"], ["--seed", "-1"]]
)
def test_bad_usage_is_refused(wrong, capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(wrong)
    assert wrong[0] in capsys.readouterr().err


@pytest.mark.parametrize(("route", "quantities"), [("population", 3), ("exact", 103), ("gibbs", 103)])
def test_our_routes_hand_in_right_draws(tmp_path, monkeypatch, route, quantities):
    monkeypatch.setattr(own_routes, "KEPT", 125 * 32)
    monkeypatch.setattr(own_routes, "KEPT_WITHOUT_THETA", 125 * 32)
    efficiency.write_rows(tmp_path / "rows.csv")
    own_routes.main(route, str(tmp_path / "rows.csv"), str(tmp_path), "1")
    draws = runs.summarize(runs.read_draws(tmp_path))
    assert (draws.count, len(draws.ess)) == (125 * 32, quantities)
    assert draws.ess.min() > 1000
    assert abs(efficiency.largest_z((Run({}, draws=draws),), efficiency.exact_means())) < 4


def test_the_rows_have_the_posterior_of_the_summaries(tmp_path):
    efficiency.write_rows(tmp_path / "rows.csv")
    from_rows = exact.posterior(own_routes.summaries_model(contender_io.read(tmp_path / "rows.csv"))).population(
        ("sigma", "sd_between")
    )
    from_summaries = exact.posterior(math_test.model()).population(("sigma", "sd_between"))
    np.testing.assert_allclose(from_rows["mean"], from_summaries["mean"], rtol=1e-9)


def test_seconds_of_pymc_are_told_apart():
    begun = xr.DataArray([[10.0, 11.0, 12.0], [20.0, 20.5, 21.0]], dims=("chain", "draw"))
    stats = xr.Dataset({"perf_counter_start": begun, "perf_counter_diff": xr.full_like(begun, 0.5)})
    posterior = xr.Dataset(attrs={"sampling_time": 7.0})
    tree = xr.DataTree.from_dict({"sample_stats": stats, "posterior": posterior})
    assert contender_io.pymc_seconds(tree, 0.25, 9.0) == {"setup": 0.25 + 7.0 - 4.0, "compile": 2.0, "sampling": 4.0}


def test_files_of_jags_are_read_in_order(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(contenders.RIVALS))
    import jags

    (tmp_path / "CODAindex.txt").write_text("mu 1 2\nsigma 3 4\ntau 5 6\ntheta[1] 7 8\ntheta[2] 9 10\n")
    for chain in jags.CHAINS:
        lines = (f"{1001 + k % 2}  {chain + k / 10}\n" for k in range(10))
        (tmp_path / f"CODAchain{chain}.txt").write_text("".join(lines))
    drawn = jags.read_coda(tmp_path)
    assert drawn["tau"].tolist() == [[c + 0.4, c + 0.5] for c in (1, 2, 3, 4)]
    assert drawn["theta"].shape == (4, 2, 2)
    assert drawn["theta"][1, 0].tolist() == [2.6, 2.8]
    assert jags.r_dump(N=3, y=np.array([1.5, 2.0])) == "`N` <- c(3)\n`y` <- c(1.5, 2.0)\n"
