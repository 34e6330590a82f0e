"""python -m analyses.calibrate: does every engine draw from the right posterior, and would it be noticed if not."""

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from analyses.cli import proof
from analyses.cli.command import finish
from analyses.cli.parser import Parser

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
        f"python -m {MODULE}",
        "Does every engine draw from the right posterior, and would it be noticed if not?",
        EXAMPLES,
    )
    parser.add_argument("--quick", action="store_true", help="an eighth of the data")
    mutants = "calibrate samplers with one mistake each, from a file"
    parser.add_argument("--mutants", type=Path, metavar="FILE", help=mutants)
    parser.add_seed()
    parser.add_cores()
    parser.add_out("where the report goes")
    options = parser.parse_args(arguments)
    command = [MODULE, *(sys.argv[1:] if arguments is None else arguments)]
    name, make_page = ("mutants", _mutants) if options.mutants else ("calibration", _calibration)
    return finish(partial(proof.report, name, make_page, options, command), where=options.out)


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
