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
from dataclasses import replace
from functools import partial
from importlib import import_module
from multiprocessing import active_children, get_context
from pathlib import Path

from analyses import OWN, RUNS
from analyses.cli.options import parse
from analyses.cli.parser import FAILED, INTERRUPTED, USAGE
from analyses.ingest.request import InputError

# One thread for linear algebra: its matrices are small, and threads that wait for each other cost ten times the work.
# Nothing above imports NumPy, which reads this when it is.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


MODULE = "analyses.run"


class Interrupted(BaseException):
    """Ctrl-C. PyMC swallows KeyboardInterrupt and returns what it has; this it lets through."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = parse(arguments)
    if options.list:
        every = RUNS | OWN
        width = max(map(len, every))
        print("\n".join(f"{name:{width}}  {story}" for name, story in every.items()))
        return 0
    asked_to_stop: list[int] = []

    def stop(number, _):
        asked_to_stop.append(number)
        raise Interrupted

    before = signal.signal(signal.SIGINT, stop)
    try:
        return run(options, sys.argv[1:] if arguments is None else arguments, asked_to_stop)
    except BaseException as error:
        # Compilers and importers may wrap what is raised through them: what was asked for counts, not what arrives.
        if asked_to_stop:
            print("interrupted: the reports in place are whole, and none of this run was written half", file=sys.stderr)
            return INTERRUPTED
        if isinstance(error, InputError):
            print(error, file=sys.stderr)
            return USAGE
        if options.asked and isinstance(error, RuntimeError | FloatingPointError):  # an engine's, with its reason
            print(f"{options.asked.path.name}: {error}", file=sys.stderr)
            return USAGE
        if isinstance(error, OSError):
            where = f"{error.filename or options.out}: {error.strerror}" if error.strerror else str(error)
            print(where, file=sys.stderr)
            return USAGE
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def run(options: argparse.Namespace, command: list[str], asked_to_stop: list[int]) -> int:
    """TwoLevelFit each study, write all of them, and say how it went; publish nothing once it was asked to stop."""
    from analyses import progress
    from analyses.fits.fit import Settings
    from analyses.report import publish

    given = ("seed", "draws", "tune", "chains", "cores", "engines", "best", "asked")
    watched = not options.quiet and sys.stdout.isatty() and sys.stderr.isatty()
    settings = Settings(progress=watched, **{name: getattr(options, name) for name in given})
    studies, passed = options.study or list(RUNS), True
    publish.require_ours(options.out, studies)
    with publish.aside(options.out) as folder, _workers(min(len(studies), _cores() // settings.cores)) as (each, alone):
        settings = replace(settings, progress=watched and alone)
        answered = partial(_answered, settings=settings, folder=folder, command=[MODULE, *command])
        pages = progress.each(each(answered, studies), "studies", total=len(studies), show=watched and not alone)
        for good, warnings, story in pages:
            passed &= good
            for warning in warnings:
                print(f"warning: {warning}", file=sys.stderr)
            if not options.quiet:
                _tell(story)
        if asked_to_stop:
            raise Interrupted
        publish.publish(folder, options.out)
    if not options.quiet:
        _tell(f"report: {options.out / 'index.html'}")
    return 0 if passed else FAILED


def _answered(name: str, *, settings, folder: Path, command: list[str]) -> tuple[bool, tuple[str, ...], str]:
    """TwoLevelFit one study and write it: whether the computation is sound, what to warn of, and how it went."""
    from analyses.report import publish

    started = time.perf_counter()
    study = import_module(f"analyses.studies.{name}")
    imported = time.perf_counter()
    page = study.page(settings)
    seconds = {"in all": time.perf_counter() - started, "import": imported - started}
    publish.write(page, folder / name, settings, command=command, seconds=seconds)
    return page.passed, page.warnings, _story(page, time.perf_counter() - started)


@contextmanager
def _workers(size: int):
    """A map over independent studies, in so many processes, and whether that is this one alone."""
    if size < 2:
        yield map, True
        return
    # Forked once everything is imported and before anything has started a thread. An interrupt is for the parent, who
    # then ends them.
    ignoring = {"initializer": signal.signal, "initargs": (signal.SIGINT, signal.SIG_IGN)}
    with ProcessPoolExecutor(size, mp_context=get_context("fork"), **ignoring) as pool:
        try:
            yield pool.map, False
        except BrokenProcessPool as error:
            said = "a study was killed, perhaps for want of memory: ask for one at a time"
            raise ChildProcessError(errno.ECHILD, said) from error
        except BaseException:
            for child in active_children():
                child.terminate()
            raise


def _cores() -> int:
    """Processors that this process may use, where the system says."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _story(page, seconds):
    verdicts = [f"  {'ok  ' if v.passed else 'FAIL'} {name}: {v.sentence}" for name, v in page.verdicts]
    fit = [f"  {'fits' if v.passed else 'MISFIT'} {name}: {v.sentence}" for name, v in page.model_checks]
    return "\n".join([f"{page.name} ({seconds:.1f} s)", f"  {page.sentence}", *verdicts, *fit])


def _tell(text):
    """Print, and go on in silence once nobody listens: the report is wanted all the same."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
