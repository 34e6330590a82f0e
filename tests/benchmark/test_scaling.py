"""What size costs: the whole part on tiny tables, its arithmetic on made-up figures; who is missing is told."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analyses.benchmark import (
    __main__ as command,
    contest,
    launch,
    page,
    runs,
    scaling,
    scaling_page,
    scaling_routes,
    simulate_rows,
)
from analyses.benchmark.contenders import Contender, Installation
from analyses.benchmark.contest import Entry
from analyses.benchmark.runs import ContenderError, Run
from analyses.benchmark.simulate_rows import Size
from analyses.report import pages
from models.groups import sufficient_statistics

BY_KEY = {route.key: route for route in scaling.ROUTES}
MIB = 2**20


def taken(seconds, cpu=None, peak=100, **steps):
    return Run(steps or {"in all": seconds}, seconds if cpu is None else cpu, peak * MIB)


def entry(size, key, *runs, status=""):
    return Entry(BY_KEY[key], Installation((), "1.0"), size, runs, status)


def plain(size, **off):
    return entry(size, "plain", Run({}, peak=MIB, differences=off))


@pytest.fixture
def table():
    """Two rounds at the large size, at the middle one and at that of lme4; one round of the command."""
    once, then = {"reduce": 4.0, "intervals": 2.0}, {"reduce": 2.0, "intervals": 3.0}
    large, middle, largest = scaling.LARGE, scaling.MIDDLE, scaling.LARGEST
    table = scaling.table(
        [
            entry(large, "bare", taken(2.0), taken(1.0, 2.0)),
            entry(large, "means", taken(3.0), taken(3.0)),
            entry(large, "intervals", taken(6.0, None, 700, **once), taken(5.0, None, 900, **then)),
            entry(large, "command", taken(31.0)),
            plain(large, theta=1e-15, kappa=3e-15),
            entry(middle, "bare", taken(0.1), taken(0.1)),
            entry(middle, "means", taken(0.5), taken(1.0)),
            plain(middle, mu=1e-16, theta=2e-10),
            entry(largest, "means", taken(25.0), taken(25.0)),
            entry(scaling.LARGEST_IN_MEMORY, "frame", taken(0.1), taken(0.2)),
            entry(scaling.LARGEST_IN_MEMORY, "lme4", taken(15.0), taken(20.0)),
            entry(scaling.LARGEST_IN_MEMORY, "polars", status=contest.NOT_INSTALLED),
            entry(scaling.LARGEST_IN_MEMORY, "bare", taken(1.0), status="Killed"),
        ]
    )
    return table.set_index(["rows", "groups", "route"], drop=False)


def ratio(table, size, route, other):
    return table.loc[(*size, route), [f"times_{other}{end}" for end in contest.ENDS]].to_list()


def test_ratios_are_taken_within_a_round(table):
    assert ratio(table, scaling.LARGE, "means", "bare") == [2.25, 1.5, 3.0]
    assert ratio(table, scaling.LARGE, "intervals", "bare") == [4.0, 3.0, 5.0]
    assert table.loc[(*scaling.LARGE, "intervals"), "cpu_times_bare"] == pytest.approx(2.75)
    assert ratio(table, scaling.LARGEST_IN_MEMORY, "lme4", "frame") == pytest.approx([125.0, 100.0, 150.0])


def test_what_ran_once_is_held_against_the_first_round(table):
    assert ratio(table, scaling.LARGE, "command", "bare") == [15.5, 15.5, 15.5]


def test_time_a_row_is_held_against_the_middle_size(table):
    a_row = scaling.MIDDLE.exact_rows / scaling.LARGEST.exact_rows
    assert ratio(table, scaling.LARGEST, "means", "middle") == pytest.approx([37.5 * a_row, 25 * a_row, 50 * a_row])
    assert ratio(table, scaling.MIDDLE, "means", "middle") == [1.0, 1.0, 1.0]


def test_memory_is_the_highest_and_steps_are_medians(table):
    row = table.loc[(*scaling.LARGE, "intervals")]
    assert (row["peak_mib"], row["reduce_seconds"], row["seconds"]) == (900, 3.0, 5.5)


def test_who_broke_down_has_no_figures(table):
    row = table.loc[(*scaling.LARGEST_IN_MEMORY, "bare")]
    assert (row["status"], row["rounds"]) == ("Killed", 1)
    assert np.isnan(row["seconds"])
    assert np.isnan(table.loc[(*scaling.LARGEST_IN_MEMORY, "lme4"), "times_bare"])


def test_targets_are_held_against_what_was_measured(table):
    reached = scaling.targets(table.reset_index(drop=True)).set_index("of")
    met = {"no": 3, "yes": 4, "not measured": 3}
    assert reached["met"].value_counts().to_dict() == met
    assert reached["measured"].iloc[-1] == 2e-10
    assert reached.loc["the command, seconds", ["should be", "met"]].to_list() == ["at most 30", "no"]
    assert reached.loc["lme4, times means from pandas", "met"] == "yes"
    assert reached.loc["mixedlm-rs, times means from pandas", "met"] == "not measured"
    assert reached["measured_low"].iloc[0] == 1.5


def test_targets_of_sizes_that_are_not_there_are_left_out():
    size = Size(2_000, 100)
    assert len(scaling.targets(scaling.table([entry(size, "bare", taken(1.0)), plain(size, mu=1e-16)]))) == 1


def test_verdicts_tell_who_broke_down_and_what_differs(table):
    verdicts = dict(scaling_page.part(table.reset_index(drop=True)).verdicts)
    assert set(verdicts) == {"bare group-by", "sizes"}
    assert "broke down at 2,000,000 rows in 100,000 groups: Killed" in verdicts["bare group-by"].sentence
    assert not verdicts["sizes"].passed
    assert verdicts["sizes"].sentence.endswith("at 2 sizes 2.0e-10 (theta)")


def test_a_difference_that_is_not_a_number_is_one():
    table = scaling.table([plain(Size(2_000, 100), mu=1e-16, theta=np.nan)])
    assert table["off_most"].to_list() == ["theta"]
    assert not dict(scaling_page.part(table).verdicts)["sizes"].passed
    assert scaling.targets(table)["met"].to_list() == ["not measured"]


def test_the_page_says_all_of_it(table):
    report = page.build(scaling_page.part(table.reset_index(drop=True)))
    html = pages.render(report, {n: pages.png(f) for s in report.sections for n, (f, _) in s.figures.items()})
    for text in (
        "2.2 (1.5 to 3.0)",
        "Not installed: means from Polars",
        "benchmark_sizes.csv",
        "900",
        "55%",
        "2.0e-10",
        "2.8",
    ):
        assert text in html, text
    assert "takes 4.0 times what DuckDB takes to group the rows, and 900 MiB." in report.sentence
    assert report.tables.keys() == {"benchmark_sizes.csv"}


def test_shares_stand_beside_their_size(table):
    """Also that of stating the groups, which is not how many there are."""
    sections = {section.title: section for section in scaling_page.part(table.reset_index(drop=True)).sections}
    (row,) = sections["Where the time goes"].table.to_dict("records")
    assert (row["rows"], row["groups"]) == scaling.LARGE
    assert (row["reducing"], row["intervals"]) == ("55%", "45%")


def test_the_grid_has_rows_groups_and_the_largest_if_asked():
    usual, all_of_it = scaling.grid(), scaling.grid(largest=True)
    assert {scaling.LARGE, scaling.MIDDLE, scaling.LARGEST_IN_MEMORY, Size(10_000, 100), Size(20_000_000, 100)} <= set(
        usual
    )
    assert set(all_of_it) - set(usual) == {scaling.LARGEST, scaling.SHALLOW}
    assert BY_KEY["lme4"].takes(scaling.LARGEST_IN_MEMORY)
    assert not BY_KEY["lme4"].takes(scaling.LARGE)
    assert not BY_KEY["lme4"].takes(scaling.SHALLOW)


@pytest.mark.parametrize(("size", "ends"), [((2_000, 100), (5, 35)), ((200, 100), (1, 3)), ((100, 100), (1, 1))])
def test_sizes_are_spread_about_their_average(size, ends):
    table_size = Size(*size)
    assert (table_size.sizes.min(), table_size.sizes.max()) == table_size.ends == ends
    assert table_size.exact_rows == table_size.sizes.sum() == pytest.approx(table_size.rows, rel=0.02)


def test_rows_are_made_as_said_and_the_same_again(tmp_path, monkeypatch):
    size = Size(6_000, 300)
    (tmp_path / "one").mkdir()
    simulate_rows.main("6000", "300", str(tmp_path / "one"), "csv")
    rows = pd.read_csv(tmp_path / "one" / "rows.csv")
    assert rows["school"].value_counts().sort_index().to_list() == size.sizes.tolist()
    means = rows.groupby("school")["score"].mean()
    within = rows["score"] - means.loc[rows["school"]].to_numpy()
    assert rows["score"].mean() == pytest.approx(50, abs=1.5)
    assert within.std() == pytest.approx(9, rel=0.05)
    assert means.std() == pytest.approx(5.3, rel=0.15)
    assert abs(np.corrcoef(rows["school"][1:], rows["school"][:-1])[0, 1]) < 0.05
    monkeypatch.setattr(simulate_rows, "PIECE", 2_500)
    (tmp_path / "three").mkdir()
    simulate_rows.main("6000", "300", str(tmp_path / "three"))
    pieces = scaling_routes.parquet(str(tmp_path / "three"))
    assert len(pieces) == 3
    again = scaling_routes.parquet_files.relation(pieces).df()
    columns = ["school", "score"]
    same = rows.sort_values(columns).to_numpy() - again.sort_values(columns).to_numpy()
    np.testing.assert_allclose(same, 0, atol=1e-12)


def test_no_more_is_made_than_there_is_room_for(tmp_path, monkeypatch):
    monkeypatch.setattr(simulate_rows.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1_000))
    with pytest.raises(OSError, match="are needed for the rows"):
        simulate_rows.require_room([Size(2_000, 100)], tmp_path)


@pytest.fixture
def folder(tmp_path):
    simulate_rows.parquet(Size(1_200, 60), tmp_path)
    return tmp_path


@pytest.mark.parametrize("route", ["means", "both_scales", "intervals", "frame"])
def test_routes_tell_their_steps(folder, route):
    measured = scaling_routes.ROUTES[route](str(folder))
    groups, ends = ["groups"] * (route != "frame"), ["intervals"] * (route == "intervals")
    assert list(measured["seconds"]) == ["reduce", *groups, "posterior", "population", "moments", *ends]
    assert set(measured["seconds"]) <= set(scaling.STEPS)
    assert min(measured["cpu"], *measured["seconds"].values()) > 0


@pytest.mark.parametrize("limit", [scaling_routes.PLAIN_GROUPS, 10])
def test_answers_are_those_of_the_plain_path(folder, monkeypatch, limit):
    monkeypatch.setattr(scaling_routes, "PLAIN_GROUPS", limit)
    off = scaling_routes.plain(str(folder))["differences"]
    assert off.keys() == {"theta", "kappa"} | ({"mu", *scaling_routes.SCALES} if limit > 10 else set())
    assert max(off.values()) < scaling.DIFFERENCE_LIMIT


def test_a_wrong_answer_would_be_found(folder, monkeypatch):
    right = sufficient_statistics.of_frame

    def wrong(*frame, **columns):
        sums = right(*frame, **columns)
        return sums._replace(ss=sums.ss * (1 + 1e-8))

    monkeypatch.setattr(scaling_routes.sufficient_statistics, "of_frame", wrong)
    assert scaling_routes.plain(str(folder))["differences"]["sigma"] == pytest.approx(5e-9, rel=0.1)


def test_a_command_is_timed_and_its_memory_is_its_own(tmp_path):
    record = tmp_path / "record.json"
    used = []
    for size in (10, 110):
        code = f"a = bytearray({size} * 2**20); a[::4096] = a[::4096]"
        command = [sys.executable, "-m", "analyses.benchmark.launch", str(record), "60", sys.executable, "-c", code]
        subprocess.run(command, check=True)
        used.append(pd.read_json(record, typ="series"))
    assert used[1]["peak"] - used[0]["peak"] == pytest.approx(100 * MIB, rel=0.2)
    assert 0 < used[0]["seconds"] < 60
    assert launch.main(str(record), "60", sys.executable, "-c", "import sys; sys.exit(3)") == 3
    assert launch.main(str(record), "1", sys.executable, "-c", "import time; time.sleep(30)") == 128 + 9


def calling(code, **route):
    """A route that is a line of Python."""
    installation = Installation((sys.executable, "-c", code), "1.0")
    return Contender("bare", "bare group-by", "", lambda pythons: installation, **{"hands_in": "seconds"} | route)


@pytest.mark.parametrize(("status", "hands_in"), [(3, "seconds"), (1, "nothing")])
def test_one_that_breaks_down_is_told(tmp_path, status, hands_in):
    route = calling(f"import sys; print('no such school'); sys.exit({status})", hands_in=hands_in)
    with pytest.raises(ContenderError, match="no such school"):
        runs.measure(route, route.find([]), tmp_path, tmp_path, 1)


def test_the_command_counts_though_a_check_of_it_failed(tmp_path):
    whole = BY_KEY["command"]
    route = calling("import sys; sys.exit(3)", hands_in="nothing", statuses=whole.statuses)
    (tmp_path / "rows_00.parquet").touch()
    assert runs.measure(route, route.find([]), tmp_path, tmp_path, 1).total > 0
    assert whole.arguments(tmp_path, tmp_path)[2] == str(tmp_path / "rows_00.parquet")
    (tmp_path / "rows_01.parquet").touch()
    assert whole.arguments(tmp_path, tmp_path)[2] == str(tmp_path)


def test_some_take_part_in_the_first_round_only():
    code = 'import sys; open(f\'{sys.argv[2]}/seconds.json\', \'w\').write(\'{"seconds": {"a": 2, "b": 1}, "cpu": 4}\')'
    often, once = calling(code), replace(calling(code, first_round_only=True), key="means")
    small = replace(calling(code, largest=Size(100, 100)), key="lme4")
    entries = scaling.play([Size(200, 50)], [often, once, small], rounds=2, pythons=[], say=lambda line: None)
    assert [(e.contender.key, len(e.runs)) for e in entries] == [("bare", 2), ("means", 1)]
    run = entries[0].runs[1]
    assert (run.total, run.cpu, run.seconds) == (3, 4, {"a": 2, "b": 1})
    assert run.peak > MIB


def test_the_whole_part_runs(tmp_path, monkeypatch, capsys):
    """From the command line, on one tiny table; without R, Polars and the command, which has tests of its own."""
    routes = [r if r.key != "lme4" else replace(r, find=lambda pythons: None) for r in scaling.ROUTES]
    monkeypatch.setattr(scaling, "ROUTES", tuple(r for r in routes if r.key in ("bare", "means", "lme4", "plain")))
    monkeypatch.setattr(scaling, "grid", lambda **asked: [Size(1_200, 60)])
    assert command.main(["--parts", "sizes", "--rounds", "1", "--out", str(tmp_path)]) == 0
    assert "ok   sizes: largest relative difference from the plain path at 1 sizes" in capsys.readouterr().out
    written = pd.read_csv(tmp_path / "benchmark_sizes.csv", keep_default_na=False)
    assert tuple(written.columns) == scaling.COLUMNS
    assert written["route"].to_list() == ["bare", "means", "lme4", "plain"]
    assert written["status"].to_list() == ["", "", "not installed", ""]
    assert written["rounds"].to_list() == [1, 1, 0, 1]
    html = (tmp_path / "benchmark" / "index.html").read_text(encoding="utf-8")
    assert "Not installed: lme4" in html
    assert not (tmp_path / "benchmark.csv").exists()


@pytest.mark.parametrize("wrong", [["--parts", "league,memory"], ["--parts", ","], ["--largest"]])
def test_bad_usage_is_refused(wrong, capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(wrong)
    assert wrong[0] in capsys.readouterr().err
