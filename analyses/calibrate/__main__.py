"""python -m analyses.calibrate: does every engine draw from the right posterior, and would it be noticed if not."""

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from analyses.cli.parser import FAILED, INTERRUPTED, USAGE, Parser
from analyses.ingest.request import InputError

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in run.py, and before NumPy is imported

MODULE = "analyses.calibrate"
EXAMPLES = """\
examples:
  python -m analyses.calibrate                    every engine on every family of models, some minutes
  python -m analyses.calibrate --quick            the same with an eighth of the data
  python -m analyses.calibrate --mutants mine.py  samplers with one mistake each: all have to be caught

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
    add("--mutants", type=Path, metavar="FILE", help="calibrate samplers with one mistake each, from a file")
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
        publish.publish(folder, options.out)
    for family, verdict in page.verdicts:
        print(f"  {'ok  ' if verdict.passed else 'FAIL'} {family}: {verdict.sentence}")
    print(f"{page.sentence}\n{seconds['in all']:.0f} s; report: {options.out / name / 'index.html'}")
    return 0 if page.passed else FAILED


def _calibration(options):
    import numpy as np
    import pandas as pd

    from analyses.calibrate import coverage, jobs, page

    tasks = [partial(jobs.judge, job, seed=options.seed, quick=options.quick) for job in jobs.JOBS]
    sets = coverage.SETS // (jobs.QUICK if options.quick else 1)
    for stream, condition in enumerate(coverage.CONDITIONS, start=len(tasks)):
        rng = np.random.default_rng([options.seed, stream])
        tasks.append(partial(coverage.table, condition, sets=sets, rng=rng))
    results = _run_in_parallel(tasks, options.cores)
    judgements = dict(zip(jobs.JOBS, results, strict=False))
    return page.calibration_page(judgements, pd.concat(results[len(judgements) :]), quick=options.quick)


def _mutants(options):
    import pandas as pd

    from analyses.calibrate import mutation, mutation_page

    run = partial(mutation.run, options.mutants, seed=options.seed, quick=options.quick)
    outcomes = _run_in_parallel([partial(run, each) for each in mutation.mutations(options.mutants)], options.cores)
    return mutation_page.mutants_page(pd.DataFrame(outcomes), quick=options.quick)


def _run_in_parallel(tasks: list[Callable[[], object]], cores: int) -> list:
    """Results of the tasks, computed by so many processes; progress goes to a terminal."""
    context = multiprocessing.get_context("forkserver")  # a fork of a process with threads may hang
    with ProcessPoolExecutor(cores, mp_context=context) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            for done, _ in enumerate(as_completed(futures), start=1):
                if sys.stderr.isatty():
                    print(f"\r{done} of {len(tasks)}", end="\n" if done == len(tasks) else "", file=sys.stderr)
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


if __name__ == "__main__":
    sys.exit(main())
