"""A command whose report is one page of verdicts: made aside, moved into place, told on the terminal."""

import argparse
import time
from collections.abc import Callable

from analyses.cli.command import FAILED, PASSED


def report(
    name: str,
    make_page: Callable[[argparse.Namespace], object],
    options: argparse.Namespace,
    command: list[str],
    require_no_interrupt: Callable[[], None],
) -> int:
    """Make a page, publish it under its name in `options.out`, print its verdicts, and return the exit status."""
    from analyses.fits.settings import Settings
    from analyses.report import publish

    started = time.perf_counter()
    publish.require_ours(options.out, [name])
    with publish.aside(options.out) as folder:
        page = make_page(options)
        seconds = {"in all": round(time.perf_counter() - started, 3)}
        publish.write(page, folder / name, Settings(seed=options.seed), command=command, seconds=seconds)
        require_no_interrupt()
        publish.replace_reports(folder, options.out)
    for of, verdict in page.verdicts:
        print(f"  {'ok  ' if verdict.passed else 'FAIL'} {of}: {verdict.sentence}")
    print(f"{page.sentence}\n{seconds['in all']:.0f} s; report: {options.out / name / 'index.html'}")
    return PASSED if page.passed else FAILED
