"""A table of one's own put to the command line: accepted, with its report, or refused, with what is said."""

import contextlib
import html
import io
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd

from analyses import run

EXACT = ("--engines", "exact")
ROWS, AVERAGES = ("--group", "school", "--value", "score"), ("--group", "school", "--n", "n", "--mean", "mean")
ESTIMATES = ("--label", "school", "--estimate", "score", "--se", "se")
ARGUMENTS = {"one_way": ROWS, "meta_analysis": ESTIMATES}
LOCATED = ["estimate", "theta_mean", "theta_q2_5", "theta_q50", "theta_q97_5"]
COMPUTED = ["n", "standard_error", "theta_sd", "kappa_mean", *LOCATED]
DRAWN = ["rank_mean", "rank_q2_5", "rank_q97_5", "p_best", "mcse_p_best", "p_among"]
LOCATIONS, RATIOS = ("mu", "theta"), ("tau", "kappa")

SCORES = [
    *(("a", v) for v in ("5.512345678901", "6", "7.25")),
    *(("b", v) for v in ("8.125", "9.5", "7.510000000002")),
    *(("c", v) for v in ("4", "3.5")),
    *(("d", v) for v in ("6.123456789012", "6.5", "5")),
    ("e", "9"),
    *(("f", v) for v in ("2", "3.25")),
]
KIND = {"a": "small", "b": "large", "c": "large", "d": "small", "e": "small", "f": "large"}
EIGHT = "school,score,se\nA,28,15\nB,8,10\nC,-3,16\nD,7,11\nE,-1,9\nF,1,11\nG,18,10\nH,12,18\n"

TRIALS = "school,score,se,size [m]\na,1,1,3\nb,2,1.5,5\nc,4,1,4\nd,3,2,1\ne,2,1,2\n"


def table(scores, turned=lambda value: value) -> str:
    return "school,score,kind\n" + "".join(f"{g},{turned(v)},{KIND.get(g, 'small')}\n" for g, v in scores)


def put(folder: Path, content, name="table.csv") -> Path:
    """Write a file, if it has content."""
    path = folder / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def parquet(path: Path, select: str) -> Path:
    duckdb.connect().execute(f"copy ({select}) to '{path}' (format parquet)")
    return path


def accepted(folder: Path, study: str, content, *arguments):
    """Run to the end; the folder of the report, its page, and what was said on standard error."""
    path = content if isinstance(content, Path) else put(folder, content)
    asked = [study, "--data", str(path), *arguments, *EXACT, "--out", str(folder / "out"), "--quiet"]
    with contextlib.redirect_stderr(io.StringIO()) as said:
        assert run.main(asked) == 0
    report = folder / "out" / study
    page = (report / "index.html").read_text("utf-8")
    return SimpleNamespace(data=path, folder=report, page=page, said=said.getvalue())


def refused(capfd, folder, *arguments) -> list[str]:
    """Lines on standard error; the status is 2, nothing is printed, and nothing written."""
    try:
        status = run.main([*map(str, arguments), *EXACT, "--out", str(folder / "out")])
    except SystemExit as left:
        status = left.code
    found = capfd.readouterr()
    assert (status, found.out) == (2, "")
    assert not list((folder / "out").rglob("*"))
    assert found.err.endswith("\n")
    return found.err.splitlines()


def section(page: str, title: str) -> str:
    """A section's text, cells and sentences parted by blanks."""
    (found,) = [s for s in re.split("<section[^>]*>", page)[1:] if f">{title}</h" in s]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", found)).split())


def computed(ran, names=None):
    """What the files say without Monte Carlo error, sorted: exact rows of summary.csv, and groups.csv."""
    read = [pd.read_csv(ran.folder / f, dtype=str, keep_default_na=False) for f in ("summary.csv", "groups.csv")]
    summary, groups = (t.assign(label=[(names or {}).get(v, v) for v in t["label"]]) for t in read)
    assert set(summary["engine"]) == {"exact"}
    summary = summary.set_index(["variable", "label"])[["mean", "sd", "q2_5", "q50", "q97_5"]]
    return [t.apply(pd.to_numeric).astype(float).sort_index() for t in (summary, groups.set_index("label"))]


def outside(tables, offset, unit, ratios):
    """The same after value -> offset + unit * value."""
    summary, groups = (t.copy() for t in tables)
    variable = summary.index.get_level_values(0)
    by = np.where(variable.isin(ratios), 1.0, unit)
    base = np.where(variable.isin(LOCATIONS), offset, 0.0)
    for name in summary:
        summary[name] = summary[name] * by + (0.0 if name == "sd" else base)
    for name in LOCATED:
        groups[name] = groups[name] * unit + offset
    groups[["theta_sd", "standard_error"]] *= unit
    return summary, groups


def assert_same(one, other, *, offset=0.0, unit=1.0, drawn=False, names=None, ratios=RATIOS):
    """Right to 1e-9 of a posterior sd, or to the spacing of doubles at an offset that is no smaller."""
    (s, g), (summary, groups) = outside(computed(one), offset, unit, ratios), computed(other, names)
    columns = COMPUTED + (DRAWN if drawn else [])
    for expected, found, sd in ((s, summary, s["sd"]), (g[columns], groups[columns], g["theta_sd"])):
        assert list(found.index) == list(expected.index)
        assert (found.isna() == expected.isna()).all(axis=None)
        allowed = 1e-9 * (expected.abs().to_numpy() if not offset else sd.to_numpy()[:, None] + 0 * expected.to_numpy())
        error = (found - expected).abs().to_numpy()
        assert not (error > np.fmax(allowed, 4 * np.spacing(abs(offset)))).any()


def subprocessed(*arguments):
    asked = (sys.executable, "-W", "error", "-m", "analyses.run", *map(str, arguments), *EXACT)
    return subprocess.run(asked, capture_output=True, text=True, check=False)
