"""Time and peak memory against rows and groups: the routes on tables of many sizes, in turn, each run a process.

As in the league only ratios within a round mean anything. The bare group-by of the same file is what all of it is
held against: nothing that reads the rows can take less.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from analyses.benchmark.contenders import (
    MOST_SECONDS,
    RIVALS,
    Broke,
    Found,
    in_python,
    last_line,
    lme4,
    version_in,
)
from analyses.benchmark.league import NOT_INSTALLED, ratios
from analyses.benchmark.simulate_rows import Size, require_room
from analyses.cli.command import FAILED
from analyses.report.numbers import rounded

ROWS = (10_000, 100_000, 1_000_000, 20_000_000)
GROUPS = (100, 1_000, 10_000, 100_000, 1_000_000)
AVERAGE, FEW = 20, 100  # rows of a group, where groups grow with the rows; groups, where they do not
LARGE, LARGEST = Size(20_000_000, 1_000_000), Size(100_000_000, 1_000_000)
MIDDLE, SHALLOW = Size(1_000_000, 50_000), Size(2_000_000, 1_000_000)
OF_LME4 = Size(2_000_000, 100_000)  # and no larger
ALIKE = 1e-10  # relative difference of answers that are the same
STEPS = ("reduce", "groups", "posterior", "population", "moments", "intervals")
ENDS = ("", "_low", "_high")
COLUMNS = (
    *("rows", "groups", "rows_made", "distinct_sizes", "route", "name", "version", "status", "rounds"),
    *("seconds", "seconds_low", "seconds_high", "cpu_seconds", "peak_mib", "ns_a_row"),
    *(f"times_{who}{end}" for who in ("bare", "frame", "middle") for end in ENDS),
    "cpu_times_bare",
    *(f"{step}_seconds" for step in STEPS),
    *("off", "off_most"),
)


class Taken(NamedTuple):
    """What one run took, step by step where it told; or how far its answers are from the plain ones."""

    seconds: float
    cpu: float
    peak: int
    steps: dict[str, float]
    off: dict[str, float]


class Route(NamedTuple):
    """One way from the rows.

    Attributes
    ----------
    key, name, what : str
        In the table, on the page, and in a sentence.
    find : callable
        Of the interpreters to look in; None where it is not installed.
    once : bool
        Whether it takes part in the first round only.
    whole : bool
        Whether it is timed from outside, Python's start too.
    most : Size, optional
        The largest that it is given.
    """

    key: str
    name: str
    what: str
    find: Callable[[list[str]], Found | None]
    once: bool = False
    whole: bool = False
    most: Size | None = None

    def takes(self, size: Size) -> bool:
        """Whether that is not too large for it."""
        return self.most is None or (size.rows <= self.most.rows and size.groups <= self.most.groups)


class Entry(NamedTuple):
    """A route at a size: its version, its runs in order of the rounds, and what went wrong if anything did."""

    size: Size
    route: Route
    version: str = ""
    runs: tuple[Taken, ...] = ()
    status: str = ""


class Target(NamedTuple):
    """What a figure should be at a size: at most so much, or at least."""

    what: str
    size: Size
    route: str
    column: str
    bound: str
    limit: float


def _ours(route: str):
    """Find a route of this package: it is here."""
    found = Found(
        (sys.executable, "-m", "analyses.benchmark.scaling_routes", route), metadata.version("partial-pooling")
    )
    return lambda pythons: found


def _command(pythons) -> Found:
    return Found((sys.executable, "-m", "analyses.run"), metadata.version("partial-pooling"))


def _polars(pythons) -> Found | None:
    """Find Polars in the first interpreter that has this package too."""
    for python in pythons:
        if (version := version_in(python, "polars")) and version_in(python, "partial-pooling"):
            return Found((python, "-m", "analyses.benchmark.scaling_routes", "polars"), version)
    return None


def _lme4(pythons) -> Found | None:
    found = lme4(pythons)
    return found and Found(("Rscript", str(RIVALS / "lme4_rows.R")), found.version)


ROUTES = (
    Route("bare", "bare group-by", "count, avg, var_samp of each group by DuckDB", in_python("duckdb", "bare.py")),
    Route("means", "means", "Parquet to means and sds of mu, sigma, tau, all theta and kappa", _ours("means")),
    Route("intervals", "means, intervals", "the same, and the exact 95% interval of every theta", _ours("intervals")),
    Route("command", "the command", "analyses.run one_way as a whole, Python's start too", _command, True, True),
    Route("frame", "means from pandas", "the same from rows in a pandas frame", _ours("frame"), most=OF_LME4),
    Route("polars", "means from Polars", "the same from rows in a Polars frame", _polars, most=OF_LME4),
    Route("lme4", "lme4", "lmer(score ~ 1 + (1 | school)) on rows in memory", _lme4, most=OF_LME4),
    Route("plain", "plain path", "what answers are held against", _ours("plain"), once=True),
)
TARGETS = (
    Target("means, times the bare group-by", LARGE, "means", "times_bare", "at most", 2),
    Target("means and intervals, times the bare group-by", LARGE, "intervals", "times_bare", "at most", 6),
    Target("means and intervals, peak memory in MiB", LARGE, "intervals", "peak_mib", "at most", 2048),
    Target("the command, seconds", LARGE, "command", "seconds", "at most", 30),
    Target("lme4, times means from pandas", OF_LME4, "lme4", "times_frame", "at least", 100),
    Target("means, a row, times that of 1e6 rows in 5e4 groups", LARGEST, "means", "times_middle", "at most", 1),
    Target("means and intervals, a row, times the same", LARGEST, "intervals", "times_middle", "at most", 1),
)


def grid(*, largest: bool = False) -> list[Size]:
    """The sizes: rows in groups of 20 or in 100 groups, groups of 20 rows, and the largest where it is asked for."""
    sizes = {Size(rows, min(rows // AVERAGE, GROUPS[-1])) for rows in ROWS} | {Size(rows, FEW) for rows in ROWS}
    sizes |= {Size(AVERAGE * groups, groups) for groups in GROUPS}
    return sorted(sizes | ({LARGEST, SHALLOW} if largest else set()))


def play(
    sizes: Iterable[Size],
    routes: Iterable[Route] | None = None,
    *,
    rounds: int,
    pythons: list[str],
    say: Callable[[str], None] = print,
) -> list[Entry]:
    """Let all routes take turns on tables of all sizes, which are made first and thrown away in the end.

    Raises
    ------
    OSError
        Where the disk has no room for them.
    """
    sizes, found = list(sizes), {route: route.find(pythons) for route in (ROUTES if routes is None else routes)}
    state = {(s, r.key): _entry(s, r, f) for s in sizes for r, f in found.items() if r.takes(s)}
    with tempfile.TemporaryDirectory() as name:
        require_room(sizes, Path(name))
        folders = {size: Path(name) / str(k) for k, size in enumerate(sizes)}
        for size, folder in folders.items():
            folder.mkdir()
            _make(size, folder, csv=("lme4", True) in [(e.route.key, not e.status) for e in _at(state, size)])
            say(f"made {_told_size(size)}")
        for number in range(rounds):
            for key, entry in state.items():
                if not entry.status and not (entry.route.once and number):
                    state[key] = turn(entry, found[entry.route], folders[entry.size])
                    say(f"round {number + 1} of {rounds}, {_told_size(entry.size)}: {_told(state[key])}")
    return list(state.values())


def _entry(size, route, found):
    return Entry(size, route, found.version) if found else Entry(size, route, status=NOT_INSTALLED)


def _at(state, size):
    return [entry for (at, _), entry in state.items() if at == size]


def _make(size, folder, *, csv):
    """In a process of its own, which takes its memory along when it ends."""
    command = [sys.executable, "-m", "analyses.benchmark.simulate_rows", str(size.rows), str(size.groups), str(folder)]
    done = subprocess.run([*command, *(["csv"] if csv else [])], capture_output=True, text=True)
    if done.returncode:
        raise OSError(None, f"rows could not be made: {last_line(done)}", str(folder))


def turn(entry: Entry, found: Found, rows: Path) -> Entry:
    """Let a route run once more on the rows in a folder."""
    with tempfile.TemporaryDirectory(dir=rows.parent) as folder:
        try:
            return entry._replace(runs=(*entry.runs, run(entry.route, found, rows, Path(folder))))
        except Broke as error:
            return entry._replace(status=str(error))


def run(route: Route, found: Found, rows: Path, folder: Path) -> Taken:
    """Let a route run once, from a small process so that its peak memory is its own.

    Raises
    ------
    Broke
        With the last line of its error.
    """
    record, steps = folder / "record.json", folder / "steps.json"
    command = [*found.command, *(_asked(rows, folder) if route.whole else (str(rows), str(folder)))]
    launch = [sys.executable, "-m", "analyses.benchmark.launch", str(record), str(MOST_SECONDS)]
    done = subprocess.run([*launch, *command], capture_output=True, text=True)
    if done.returncode not in ((0, FAILED) if route.whole else (0,)):
        raise Broke(last_line(done))
    used = json.loads(record.read_text(encoding="utf-8"))
    if route.whole:
        return Taken(used["seconds"], used["cpu"], used["peak"], {}, {})
    told = json.loads(steps.read_text(encoding="utf-8"))
    if route.key == "plain":
        return Taken(np.nan, np.nan, used["peak"], {}, told)
    wall, cpu = (sum(each) for each in zip(*told.values(), strict=True))
    return Taken(wall, cpu, used["peak"], {step: seconds for step, (seconds, _) in told.items()}, {})


def _asked(rows, folder) -> list[str]:
    """Options of the command: the file, or their folder where there are several."""
    parts = sorted(rows.glob("*.parquet"))
    data, out = parts[0] if len(parts) == 1 else rows, folder / "report"
    columns = ["--group", "school", "--value", "score"]
    return ["one_way", "--data", str(data), *columns, "--out", str(out), "--quiet"]


def _told_size(size):
    return f"{size.rows:,} rows in {size.groups:,} groups"


def _told(entry) -> str:
    if entry.status:
        return f"{entry.route.name}: {entry.status}"
    last = entry.runs[-1]
    if last.off:
        return f"{entry.route.name}: {max(last.off.values()):.1e} off"
    return f"{entry.route.name}: {rounded(last.seconds, 3)} s, {last.peak / 2**20:,.0f} MiB"


def table(entries: list[Entry]) -> pd.DataFrame:
    """Summarise the rounds: a row a size and route, COLUMNS.

    Times and ratios are medians over the rounds, with the lowest and the highest; memory is the highest. A ratio is
    taken within a round; "middle" is the same route's time a row at 1e6 rows in 5e4 groups. A route that broke down
    in some round has neither.
    """
    rows = pd.DataFrame([_row(entry) for entry in entries]).reindex(columns=COLUMNS)
    rows = rows.set_index(["rows", "groups", "route"], drop=False)
    seconds, cpu = (_by_round(entries, what) for what in ("seconds", "cpu"))
    for size in {entry.size for entry in entries}:
        here = [(*size, key) for key in seconds.get(size, {})]
        if not here:
            continue
        for who in ("bare", "frame"):
            found = ratios(pd.DataFrame(seconds[size]), who).add_prefix(f"times_{who}")
            rows.loc[here, list(found.columns)] = found.to_numpy()
        rows.loc[here, "cpu_times_bare"] = ratios(pd.DataFrame(cpu[size]), "bare")[""].to_numpy()
        for key, each in seconds[size].items():
            other = seconds.get(MIDDLE, {}).get(key)
            if other is not None:
                a_row = pd.DataFrame({"at": each / size.made, "other": other / MIDDLE.made})
                found = ratios(a_row, "other").loc["at"]
                rows.loc[(*size, key), [f"times_middle{end}" for end in ENDS]] = found.to_numpy()
    return rows.reset_index(drop=True)


def _by_round(entries, what) -> dict[Size, dict[str, pd.Series]]:
    """Of every size, route by route, a series over the rounds."""
    found: dict[Size, dict[str, pd.Series]] = {}
    for entry in entries:
        if entry.runs and not entry.status and entry.route.key != "plain":
            series = pd.Series([getattr(run, what) for run in entry.runs], dtype=float)
            found.setdefault(entry.size, {})[entry.route.key] = series
    return found


def _row(entry):
    size, runs = entry.size, entry.runs
    row = {"rows": size.rows, "groups": size.groups, "rows_made": size.made}
    row |= {"distinct_sizes": size.distinct, "route": entry.route.key, "name": entry.route.name}
    row |= {"version": entry.version, "status": entry.status, "rounds": len(runs)}
    if not runs or entry.status:
        return row
    row["peak_mib"] = max(run.peak for run in runs) / 2**20
    if off := runs[0].off:
        most = max(off, key=lambda name: np.inf if np.isnan(off[name]) else off[name])
        return row | {"off": off[most], "off_most": most}
    seconds = np.array([run.seconds for run in runs])
    row |= {"seconds": np.median(seconds), "seconds_low": seconds.min(), "seconds_high": seconds.max()}
    row |= {"cpu_seconds": np.median([run.cpu for run in runs]), "ns_a_row": 1e9 * row["seconds"] / row["rows_made"]}
    steps = {step: [run.steps[step] for run in runs] for step in STEPS if step in runs[0].steps}
    return row | {f"{step}_seconds": float(np.median(each)) for step, each in steps.items()}


def targets(found: pd.DataFrame) -> pd.DataFrame:
    """What should be reached, and what was, at the sizes that there are; last, the largest difference of answers."""
    at, sizes = found.set_index(["rows", "groups", "route"]), set(zip(found["rows"], found["groups"], strict=True))
    reached = [_reached(target, at) for target in TARGETS if target.size in sizes]
    off = found["off"].dropna()
    alike = {"of": "answers, relative difference from the plain path", "rows": None, "groups": None}
    alike |= {"should be": f"at most {ALIKE:g}", "measured": off.max(), "met": _met(off.max(), "at most", ALIKE)}
    return pd.DataFrame([*reached, alike])


def _reached(target, at):
    key = (*target.size, target.route)
    row = at.loc[key] if key in at.index else {}
    measured, low, high = (row.get(f"{target.column}{end}", np.nan) for end in ENDS)
    asked = {"of": target.what, "rows": target.size.rows, "groups": target.size.groups}
    asked |= {"should be": f"{target.bound} {target.limit:g}", "measured": measured, "low": low, "high": high}
    return asked | {"met": _met(measured, target.bound, target.limit)}


def _met(measured, bound, limit) -> str:
    if np.isnan(measured):
        return "not measured"
    return "yes" if (measured <= limit if bound == "at most" else measured >= limit) else "no"
