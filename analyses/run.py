"""python -m analyses.run [STUDY ...]: fit, check, report. The command line, and nothing else."""

import argparse
import errno
import os
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from multiprocessing import active_children, get_all_start_methods, get_context
from pathlib import Path

from analyses.catalog import OWN, RUNS
from analyses.cli.command import FAILED, PASSED, finish
from analyses.cli.options import parse
from analyses.ingest.request import InputError

MODULE = "analyses.run"
OF_SETTINGS = ("seed", "draws", "tune", "chains", "cores", "engines", "best", "request")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = parse(arguments)
    if options.list:
        stories = RUNS | OWN
        width = max(map(len, stories))
        print("\n".join(f"{name:{width}}  {story}" for name, story in stories.items()))
        return PASSED
    command = [MODULE, *(sys.argv[1:] if arguments is None else arguments)]
    return finish(partial(run_studies, options, command), where=options.out)


def run_studies(options: argparse.Namespace, command: list[str], require_no_interrupt) -> int:
    """Answer each study, write all of them, and print how it went; publish nothing once it was interrupted."""
    if options.request is not None:
        options.request.table.stat()  # a file that is not there is said before anything slow is imported
    from analyses import progress
    from analyses.fits.settings import Settings
    from analyses.report import publish

    watched = not options.quiet and sys.stdout.isatty() and sys.stderr.isatty()
    settings = Settings(progress=watched, **{name: getattr(options, name) for name in OF_SETTINGS})
    studies, passed = options.study or list(RUNS), True
    publish.require_ours(options.out, studies)
    with publish.aside(options.out) as folder, _workers(min(len(studies), _cores() // settings.cores)) as workers:
        settings = replace(settings, progress=watched and workers.alone)
        answer = partial(_answer, settings=settings, folder=folder, command=command)
        show = watched and not workers.alone
        for outcome in progress.each(workers.map(answer, studies), "studies", total=len(studies), show=show):
            passed &= outcome.passed
            for warning in outcome.warnings:
                print(f"warning: {warning}", file=sys.stderr)
            if not options.quiet:
                _print(outcome.story)
        require_no_interrupt()
        publish.replace_reports(folder, options.out)
    if not options.quiet:
        _print(f"report: {options.out / 'index.html'}")
    return PASSED if passed else FAILED


@dataclass(frozen=True)
class Outcome:
    """How one study went: whether its computation is sound, what to warn of, and the lines to print."""

    passed: bool
    warnings: tuple[str, ...]
    story: str


def _answer(name: str, *, settings, folder: Path, command: list[str]) -> Outcome:
    """Answer one study and write its report into a folder.

    Raises
    ------
    InputError
        Also where an engine gives up on a user's table, with its reason.
    """
    from analyses.report import publish

    started = time.perf_counter()
    study = import_module(f"analyses.studies.{name}")
    imported = time.perf_counter()
    try:
        page = study.page(settings)
    except (RuntimeError, FloatingPointError) as error:
        if settings.request is None:
            raise
        raise InputError(f"{settings.request.table.name}: {error}") from error
    seconds = {"in all": time.perf_counter() - started, "import": imported - started}
    publish.write(page, folder / name, settings, command=command, seconds=seconds)
    return Outcome(page.passed, page.warnings, _story(page, time.perf_counter() - started))


@dataclass(frozen=True)
class Workers:
    """A map over independent studies, and whether this process does them all alone."""

    map: object
    alone: bool


@contextmanager
def _workers(size: int):
    """Give that many processes to studies; this one alone where the system cannot fork."""
    if size < 2 or "fork" not in get_all_start_methods():
        yield Workers(map, alone=True)
        return
    # Forked once everything is imported and before anything has started a thread. An interrupt is for the parent, who
    # then ends them.
    ignoring = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}
    with ProcessPoolExecutor(size, mp_context=get_context("fork"), **ignoring) as pool:
        try:
            yield Workers(pool.map, alone=False)
        except BrokenProcessPool as error:
            message = "a study was killed, perhaps for want of memory: ask for one at a time"
            raise ChildProcessError(errno.ECHILD, message) from error
        except BaseException:
            for child in active_children():
                child.terminate()
            raise


def _cores() -> int:
    """Count the processors that this process may use, where the system says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _story(page, seconds: float) -> str:
    verdicts = [f"  {'ok  ' if v.passed else 'FAIL'} {name}: {v.sentence}" for name, v in page.verdicts]
    of_model = [f"  {'fits' if v.passed else 'MISFIT'} {name}: {v.sentence}" for name, v in page.model_checks]
    notes = [f"  note: {note}" for note in page.notes]
    return "\n".join([f"{page.name} ({seconds:.1f} s)", *notes, f"  {page.sentence}", *verdicts, *of_model])


def _print(text: str) -> None:
    """Print, and go on in silence once nobody listens: the report is wanted all the same."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
