"""python -m analyses.calibrate: does every engine draw from the right posterior, and would it be noticed if not."""

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from analyses.cli.parser import FAILED, INTERRUPTED, USAGE, Parser
from analyses.ingest.request import InputError

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in run.py, and before NumPy is imported

MODULE = "analyses.calibrate"
MISTAKES = Path(__file__).parents[2] / "tests" / "helpers" / "mutants.py"
EXAMPLES = """\
examples:
  python -m analyses.calibrate                    every engine on every family of models, some minutes
  python -m analyses.calibrate --quick            the same with an eighth of the data
  python -m analyses.calibrate --mutants          samplers with one mistake each: all have to be caught
  python -m analyses.calibrate --mutants mine.py  mistakes of your own

exit status: 0 no difference found (with --mutants: every mistake caught); 2 bad usage; 3 otherwise; 130 interrupted
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = Parser(
        prog=f"python -m {MODULE}",
        description="Does every engine draw from the right posterior, and would it be noticed if not?",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="an eighth of the data")
    mutants = (
        "calibrate samplers with one mistake each, from a file (default: tests/helpers/mutants.py of the checkout)"
    )
    add("--mutants", type=Path, nargs="?", const=MISTAKES, metavar="FILE", help=mutants)
    add("--seed", type=int, default=1, metavar="N", help="of every random stream (default: 1)")
    add("--cores", type=int, default=os.cpu_count(), metavar="N", help="processes (default: all)")
    add("--out", type=Path, default=Path("reports"), metavar="DIR", help="where the report goes (default: reports)")
    options = parser.parse_args(arguments)
    if options.seed < 0 or options.cores < 1:
        parser.error("--seed must not be negative, and --cores be one or more")
    try:
        return run(options, sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return INTERRUPTED
    except InputError as error:
        print(error, file=sys.stderr)
        return USAGE
    except OSError as error:
        print(f"{error.filename or options.out}: {error.strerror or error}", file=sys.stderr)
        return USAGE


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Calibrate, write the page, and say how it went."""
    from analyses.fits.fit import Settings
    from analyses.report import publish

    name, started = "mutants" if options.mutants else "calibration", time.perf_counter()
    publish.require_ours(options.out, [name])
    with publish.aside(options.out) as folder:
        page = _mutants(options) if options.mutants else _calibration(options)
        seconds = {"in all": round(time.perf_counter() - started, 3)}
        publish.write(page, folder / name, Settings(seed=options.seed), command=[MODULE, *command], seconds=seconds)
        publish.replace_reports(folder, options.out)
    for of, verdict in page.verdicts:
        print(f"  {'ok  ' if verdict.passed else 'FAIL'} {of}: {verdict.sentence}")
    print(f"{page.sentence}\n{seconds['in all']:.0f} s; report: {options.out / name / 'index.html'}")
    return 0 if page.passed else FAILED


def _calibration(options):
    import numpy as np
    import pandas as pd

    from analyses.calibrate import coverage, jobs, page

    tasks = [(jobs.judged, (unit,), {"seed": options.seed, "quick": options.quick}) for unit in jobs.UNITS]
    sets = coverage.SETS // (jobs.QUICK if options.quick else 1)
    for number, condition in enumerate(coverage.CONDITIONS):
        rng = np.random.default_rng([options.seed, len(jobs.UNITS) + number])
        tasks.append((coverage.table, (condition,), {"sets": sets, "rng": rng}))
    found = _together(tasks, options.cores)
    judged = dict(zip(jobs.UNITS, found, strict=False))
    return page.calibration(judged, pd.concat(found[len(jobs.UNITS) :]), quick=options.quick)


def _mutants(options):
    import pandas as pd

    from analyses.calibrate import mutation, page

    asked = {"seed": options.seed, "quick": options.quick}
    tasks = [(mutation.tried, (options.mutants, one), asked) for one in mutation.every(options.mutants)]
    return page.mutants(pd.DataFrame(_together(tasks, options.cores)), quick=options.quick)


def _together(tasks: list[tuple], cores: int) -> list:
    """Results of (function, arguments, keywords), computed by so many processes; progress goes to a terminal."""
    context = multiprocessing.get_context("forkserver")  # a fork of a process with threads may hang
    with ProcessPoolExecutor(cores, mp_context=context) as pool:
        waiting = [pool.submit(function, *given, **keywords) for function, given, keywords in tasks]
        try:
            for done, _ in enumerate(as_completed(waiting), start=1):
                if sys.stderr.isatty():
                    print(f"\r{done} of {len(tasks)}", end="\n" if done == len(tasks) else "", file=sys.stderr)
            return [future.result() for future in waiting]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


if __name__ == "__main__":
    sys.exit(main())
