"""Tables of more groups than anybody reads a line for, put to the command line."""

import contextlib
import html
import io
import re
from types import SimpleNamespace

import duckdb
import numpy as np

from analyses import run
from analyses.report import pages
from analyses.studies.sections import prior_sensitivity

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
MOVED = ["estimate", "theta_mean", "theta_q2_5", "theta_q50", "theta_q97_5"]  # as locations are
STRETCHED = ["standard_error", "theta_sd"]  # as scales are
ALIKE = ["n", "kappa_mean", "kappa_sd", "p_top", "p_as_small", "p_above"]


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
    patch.setattr(prior_sensitivity, "prior_section", lambda *_: pages.Section(title="With another prior"))


def section(page: str, title: str) -> str:
    """A section's text, cells and sentences parted by blanks."""
    (found,) = [s for s in re.split("<section[^>]*>", page)[1:] if f">{html.escape(title)}</h" in s]
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", found)).split())
