"""Where a run's files go. All are written aside and moved into place at the end, so an interrupted run leaves none."""

import json
import os
import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager
from hashlib import sha256
from importlib import metadata, resources
from pathlib import Path

from analyses.catalog import OWN, PROOFS, STUDIES
from analyses.checks import agreement
from analyses.engines import summary_tables
from analyses.engines.inference_data import NAMES
from analyses.fits.crosscheck import ManyGroupsCrosscheck, TwoLevelCrosscheck
from analyses.fits.settings import Settings, timed
from analyses.report import pages
from analyses.report.pages import Page

try:
    import fcntl
except ImportError:  # Windows: two runs at a time must not publish into one folder there
    fcntl = None  # type: ignore[assignment]

PACKAGES = ("partial-pooling", "pymc", "pytensor", "arviz", "numpy", "scipy", "pandas", "xarray", "matplotlib")


@contextmanager
def aside(out: Path):
    """Give a folder beside the final ones to write into; nothing of it is left, whatever happens."""
    out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=out))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def require_ours(out: Path, studies) -> None:
    """Refuse to replace a folder that no run has written.

    Raises
    ------
    FileExistsError
        Naming the folder.
    """
    for name in studies:
        there = [path for path in (out / name, out / f"{name}.csv") if path.exists()]
        if there and _manifest_of(out / name) is None:
            raise FileExistsError(
                f"{there[0]} is there and holds no report of {name}: move it, or choose another --out"
            )


def write(page: Page, folder: Path, settings: Settings, *, command: list[str], seconds: dict[str, float]) -> None:
    """Write everything about one study into a new folder; `command` is a module's name and its arguments."""
    with timed(seconds, "drawing figures"):
        pictures = {name: pages.png(figure) for name, (figure, _) in page.figures.items()}
    with timed(seconds, "writing files"):
        (folder / "figures").mkdir(parents=True)
        for name, picture in pictures.items():
            (folder / "figures" / f"{name}.png").write_bytes(picture)
        for number, fit in enumerate(page.fits):
            _write_fit(fit, folder / fit.name if number else folder)
        for name, table in page.tables.items():
            summary_tables.write(table, folder.parent / name, table.columns)
        (folder / "index.html").write_text(pages.render(page, pictures), encoding="utf-8")
    manifest = json.dumps(_manifest(page, settings, command, seconds), indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(manifest + "\n", encoding="utf-8")


def _write_fit(fit, folder):
    folder.mkdir(exist_ok=True)
    summary_tables.write(fit.summary, folder / "summary.csv", summary_tables.SUMMARY)
    summary_tables.write(fit.agreement, folder / "agreement.csv", summary_tables.AGREEMENT)
    if isinstance(fit, TwoLevelCrosscheck):
        summary_tables.write(fit.groups, folder / "groups.csv", summary_tables.GROUPS)
    if isinstance(fit, ManyGroupsCrosscheck):
        summary_tables.write_parquet(fit.groups, folder / "groups.parquet")
    for engine, tree in fit.trees.items():
        # Through memory: on a full disk HDF5 itself fails in ways that cannot be caught.
        (folder / f"{engine}.nc").write_bytes(tree.to_netcdf(engine="h5netcdf"))


def _manifest(page, settings, command, seconds):
    data = {f"{name}.csv": resources.files("partial_pooling_data").joinpath(f"{name}.csv") for name in page.data}
    return {
        "study": page.name,
        "title": page.title,
        "question": page.question,
        "sentence": page.sentence,
        "picture": {"name": page.picture, "alt": page.figures[page.picture][1]} if page.picture else None,
        "passed": page.passed,
        "misfits": page.misfits,
        "model_checks": len(page.model_checks),
        "verdicts": [{"of": name, **verdict._asdict()} for name, verdict in page.verdicts],
        "command": ["python", "-m", *command] if command else [],  # none where Python asked
        "seed": settings.seed,
        "best": next(
            (fit.best for fit in page.fits if isinstance(fit, TwoLevelCrosscheck | ManyGroupsCrosscheck)), None
        ),
        "versions": {"python": sys.version.split()[0]} | {name: metadata.version(name) for name in PACKAGES},
        "data": {name: sha256(file.read_bytes()).hexdigest() for name, file in data.items()} | page.read,
        "exact": {fit.name: {"nodes": fit.nodes, "largest_error_in_sds": fit.error} for fit in page.fits},
        "engines": [row for fit in page.fits for row in _league(fit)],
        "seconds": _seconds(page, seconds),
    }


def _league(fit) -> list[dict]:
    """What each engine's draws came to: how far from exact, what they are worth, and what they cost."""
    found = []
    for engine, tree in fit.trees.items():
        rows = fit.agreement[fit.agreement["engine"] == engine]
        known = fit.summary[fit.summary["engine"] == engine][["ess_bulk", "ess_tail"]].min().min()
        worth = known if known > 0 else tree["posterior"].sizes["chain"] * tree["posterior"].sizes["draw"]
        found.append({
            "model": fit.name,
            "engine": NAMES[engine],
            "z": float(rows["z"].abs().max()),
            "limit": agreement.limit(agreement.tests(rows)),
            "ess": float(worth),
            "seconds": fit.seconds.get("exact draws" if engine == "exact" else engine, 0.0),
        })  # fmt: skip
    return found


def _seconds(page, seconds) -> dict[str, float]:
    """Where the time went: "the rest" is tables, and what the study adds to its fits."""
    stages = {f"{fit.name}: {stage}": s for fit in page.fits for stage, s in fit.seconds.items()}
    known = sum(s for stage, s in stages.items() if ", of it" not in stage) + seconds.get("import", 0.0)
    every = seconds | stages | {"the rest": seconds["in all"] - known}
    return {stage: round(s, 3) for stage, s in every.items()}


def replace_reports(folder: Path, out: Path) -> None:
    """Make the front page anew from every study, finished or there already, then move each finished one into place.

    Not to be interrupted, nor to be done by two runs at a time: either would lose a report.
    """
    with _uninterrupted(), _alone(out):
        finished = sorted(folder.iterdir())
        front = folder / "index.html"
        made = pages.front(_manifests((*OWN, *STUDIES), folder, out), _manifests(PROOFS, folder, out))
        front.write_text(made, encoding="utf-8")
        for study in finished:
            _replace(study, out / study.name, folder / f".old-{study.name}")
        front.replace(out / "index.html")


def _replace(new: Path, old: Path, kept: Path) -> None:
    """Put the new in the place of the old, which is kept until that has gone well."""
    if old.exists():
        old.rename(kept)
    try:
        new.rename(old)
    except OSError:
        if kept.exists():
            kept.rename(old)
        raise


def _manifests(names, *folders) -> list[dict]:
    """What runs have written about those that there are, each in the first folder that has it."""
    found = [next(filter(None, (_manifest_of(folder / name) for folder in folders)), None) for name in names]
    return [manifest for manifest in found if manifest is not None]


def _manifest_of(folder):
    """What a run has written about the study in its folder; None where none has."""
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) and found.get("study") == folder.name else None


@contextmanager
def _uninterrupted():
    """Let Ctrl-C wait. Not by a mask: that holds for one thread, and libraries have others that would catch it."""
    waiting = []
    before = signal.signal(signal.SIGINT, lambda *signalled: waiting.append(signalled))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        before(*waiting[-1])


@contextmanager
def _alone(out):
    """Let another run that publishes into the same folder wait; where the system has no such locks, let it be."""
    if fcntl is None:
        yield
        return
    handle = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
