"""Time and peak memory against rows and groups: the routes on tables of many sizes, in turn, each run a process.

As in the league only ratios within a round mean anything. The bare group-by of the same file is what all of it is
compared with: nothing that reads the rows can take less.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.benchmark import contest
from analyses.benchmark.contenders import Contender, in_python, lme4, own, rival
from analyses.benchmark.contest import ENDS, Entry, Target, ratio
from analyses.benchmark.runs import last_line
from analyses.benchmark.simulate_rows import Size, require_room
from analyses.cli.command import FAILED, PASSED

ROWS = (10_000, 100_000, 1_000_000, 20_000_000)
GROUPS = (100, 1_000, 10_000, 100_000, 1_000_000)
AVERAGE, FEW = 20, 100  # rows of a group, where groups grow with the rows; groups, where they do not
LARGE, LARGEST = Size(20_000_000, 1_000_000), Size(100_000_000, 1_000_000)
MIDDLE, SHALLOW = Size(1_000_000, 50_000), Size(2_000_000, 1_000_000)
LARGEST_IN_MEMORY = Size(2_000_000, 100_000)  # of lme4 and the data frames
DIFFERENCE_LIMIT = 1e-10  # relative difference of answers that are the same
STEPS = ("reduce", "groups", "posterior", "population", "moments", "intervals")
COLUMNS = (
    *("rows", "groups", "rows_made", "distinct_sizes", "route", "name", "version", "status", "rounds"),
    *("seconds", "seconds_low", "seconds_high", "cpu_seconds", "peak_mib", "ns_a_row"),
    *(f"times_{other}{end}" for other in ("bare", "frame", "middle") for end in ENDS),
    "cpu_times_bare",
    *(f"{step}_seconds" for step in STEPS),
    *("off", "off_most"),
)


def _route(key, name, description, find=None, *, hands_in="seconds", **options):
    find = find or own("analyses.benchmark.scaling_routes", key)
    return Contender(key, name, description, find, hands_in=hands_in, **options)


def one_way(data: Path, folder: Path) -> list[str]:
    """Arguments of analyses.run on rows."""
    columns = ["--group", "school", "--value", "score"]
    return ["one_way", "--data", str(data), *columns, "--out", str(folder / "report"), "--quiet"]


def _file_or_folder(rows: Path) -> Path:
    """The file of the rows, or the folder where there are several."""
    parts = sorted(rows.glob("*.parquet"))
    return parts[0] if len(parts) == 1 else rows


_polars = in_python("polars", "-m", "analyses.benchmark.scaling_routes", "polars", also="partial-pooling")
IN_MEMORY = {"largest": LARGEST_IN_MEMORY}
ROUTES = (
    _route("bare", "bare group-by", "count, avg, var_samp of each group by DuckDB", rival("duckdb", "bare.py")),
    _route("means", "means", "Parquet to means and sds of mu, sigma, tau, all theta and kappa"),
    _route("both_scales", "means, two scales", "the same with sigma ~ HalfNormal(20): quadrature over tau and sigma"),
    _route("intervals", "means, intervals", "the same, and the exact 95% interval of every theta"),
    _route(
        "command",
        "the command",
        "analyses.run one_way as a whole, Python's start too",
        own("analyses.run"),
        hands_in="nothing",
        arguments=lambda rows, folder: one_way(_file_or_folder(rows), folder),
        statuses=(PASSED, FAILED),
        first_round_only=True,
    ),
    _route("frame", "means from pandas", "the same from rows in a pandas frame", **IN_MEMORY),
    _route("polars", "means from Polars", "the same from rows in a Polars frame", _polars, **IN_MEMORY),
    _route(
        "mixedlm",
        "mixedlm-rs",
        'mixedlm("score ~ 1", frame, groups=school), from rows in a pandas frame: a point',
        rival("mixedlm-rs", "mixedlm_rows.py"),
        **IN_MEMORY,
    ),
    _route("lme4", "lme4", "lmer(score ~ 1 + (1 | school)) on rows in memory", lme4("lme4_rows.R"), **IN_MEMORY),
    _route("plain", "plain path", "what answers are held against", first_round_only=True),
)


def _target(of, size, route, column, bound, limit):
    labels = {"of": of, **size._asdict(), "should be": f"{bound} {limit:g}"}
    return Target(labels, (*size, route), column, bound, limit)


TARGETS = (
    _target("means, times the bare group-by", LARGE, "means", "times_bare", "at most", 2),
    _target("means with two scales, times the bare group-by", LARGE, "both_scales", "times_bare", "at most", 3),
    _target("means and intervals, times the bare group-by", LARGE, "intervals", "times_bare", "at most", 6),
    _target("means and intervals, peak memory in MiB", LARGE, "intervals", "peak_mib", "at most", 2048),
    _target("the command, seconds", LARGE, "command", "seconds", "at most", 30),
    _target("mixedlm-rs, times means from pandas", LARGEST_IN_MEMORY, "mixedlm", "times_frame", "at least", 3),
    _target("lme4, times means from pandas", LARGEST_IN_MEMORY, "lme4", "times_frame", "at least", 100),
    _target("means, a row, times that of 1e6 rows in 5e4 groups", LARGEST, "means", "times_middle", "at most", 1),
    _target("means and intervals, a row, times the same", LARGEST, "intervals", "times_middle", "at most", 1),
)


def grid(*, largest: bool = False) -> list[Size]:
    """The sizes: rows in groups of 20 or in 100 groups, groups of 20 rows, and the largest where it is asked for."""
    sizes = {Size(rows, min(rows // AVERAGE, GROUPS[-1])) for rows in ROWS} | {Size(rows, FEW) for rows in ROWS}
    sizes |= {Size(AVERAGE * groups, groups) for groups in GROUPS}
    return sorted(sizes | ({LARGEST, SHALLOW} if largest else set()))


def play(
    sizes: Iterable[Size],
    routes: Iterable[Contender] | None = None,
    *,
    rounds: int,
    pythons: list[str],
    seed: int = 1,
    say: Callable[[str], None] = print,
) -> list[Entry]:
    """Let all routes take turns on tables of all sizes, which are made first and thrown away in the end.

    Raises
    ------
    OSError
        Where the disk has no room for them.
    """
    sizes = list(sizes)
    entries = contest.enter(ROUTES if routes is None else routes, pythons, sizes)
    with_csv = {entry.size for entry in entries if entry.contender.key == "lme4" and not entry.status}
    with tempfile.TemporaryDirectory() as name:
        require_room(sizes, Path(name))
        rows = {size: Path(name) / str(k) for k, size in enumerate(sizes)}
        for size, folder in rows.items():
            folder.mkdir()
            _write_rows(size, folder, csv=size in with_csv)
            say(f"made {size}")
        return contest.play(entries, rows, rounds=rounds, seed=seed, say=say)


def _write_rows(size, folder, *, csv):
    """In a process of its own, which takes its memory along when it ends."""
    command = [sys.executable, "-m", "analyses.benchmark.simulate_rows", str(size.rows), str(size.groups), str(folder)]
    done = subprocess.run([*command, *(["csv"] if csv else [])], capture_output=True, text=True)
    if done.returncode:
        raise OSError(None, f"rows could not be made: {last_line(done)}", str(folder))


def table(entries: list[Entry]) -> pd.DataFrame:
    """Summarize the rounds: a row a size and route, COLUMNS.

    Times and ratios are medians over the rounds, with the lowest and the highest; memory is the highest. A ratio is
    taken within a round; "middle" is the same route's time a row at 1e6 rows in 5e4 groups. A route that broke down
    in some round has neither.
    """
    timed = {(e.size, e.contender.key): e.runs for e in entries if e.finished and not e.runs[0].differences}
    seconds = {key: pd.Series([run.total for run in runs]) for key, runs in timed.items()}
    cpu = {key: pd.Series([run.cpu for run in runs]) for key, runs in timed.items()}
    rows = [_row(entry) | _timing(entry, seconds, cpu) for entry in entries]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _row(entry):
    size, runs = entry.size, entry.runs
    row = {**size._asdict(), "rows_made": size.exact_rows, "distinct_sizes": size.distinct_sizes}
    row |= {"route": entry.contender.key, "name": entry.contender.name, "version": entry.version}
    row |= {"status": entry.status, "rounds": len(runs)}
    if not entry.finished:
        return row
    row["peak_mib"] = max(run.peak for run in runs) / 2**20
    if off := runs[0].differences:
        row["off_most"] = max(off, key=lambda name: np.inf if np.isnan(off[name]) else off[name])
        row["off"] = off[row["off_most"]]
    steps = {step: [run.seconds[step] for run in runs] for step in STEPS if step in runs[0].seconds}
    return row | {f"{step}_seconds": float(np.median(each)) for step, each in steps.items()}


def _timing(entry, seconds, cpu):
    """Seconds of an entry and their ratios to those of others: of the same size, or of the same route at MIDDLE."""
    size, route = entry.size, entry.contender.key
    if (size, route) not in seconds:
        return {}
    own = seconds[size, route]
    row = ratio("seconds", own, pd.Series(1.0, own.index))
    row |= {"cpu_seconds": cpu[size, route].median(), "ns_a_row": 1e9 * row["seconds"] / size.exact_rows}
    for other in ("bare", "frame"):
        row |= ratio(f"times_{other}", own, seconds.get((size, other)))
    row["cpu_times_bare"] = ratio("", cpu[size, route], cpu.get((size, "bare")))[""]
    if (MIDDLE, route) in seconds:
        row |= ratio("times_middle", own / size.exact_rows, seconds[MIDDLE, route] / MIDDLE.exact_rows)
    return row


def targets(table: pd.DataFrame) -> pd.DataFrame:
    """Compare targets with what was measured at the sizes that there are; last, the largest difference of answers."""
    measured = table.set_index(["rows", "groups", "route"])
    sizes = set(measured.index.droplevel("route"))
    reached = contest.compare([target for target in TARGETS if target.index[:2] in sizes], measured)
    off = table["off"].max()
    alike = {"of": "answers, relative difference from the plain path", "rows": None, "groups": None}
    alike |= {"should be": f"at most {DIFFERENCE_LIMIT:g}", "measured": off}
    alike["met"] = contest.met(off, "at most", DIFFERENCE_LIMIT)
    return pd.DataFrame([*reached.to_dict("records"), alike])
