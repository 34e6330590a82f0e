"""python -m analyses.benchmark: effective draws per second beside what a user might write, and what size costs."""

import argparse
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from analyses.cli.parser import FAILED, INTERRUPTED, USAGE, Parser, comma_separated

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in run.py, and before NumPy is imported

MODULE = "analyses.benchmark"
PARTS = ("league", "sizes")
EXAMPLES = """\
examples:
  python -m analyses.benchmark                              what is installed here
  python -m analyses.benchmark --with /opt/others/bin/python
  python -m analyses.benchmark --only exact,jags --rounds 9
  python -m analyses.benchmark --parts league,sizes         what size costs too, up to 2e7 rows
  python -m analyses.benchmark --parts sizes --largest      that alone, up to 1e8 rows

JAGS and R are looked for on the path; nutpie, numpyro and bambi in this interpreter and then in those of --with.

exit status: 0 all that ran agrees with the exact posterior; 2 bad usage; 3 otherwise; 130 interrupted
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = Parser(
        prog=f"python -m {MODULE}",
        description="Effective draws per second on the math tests, beside what a user might write; time and memory "
        "against rows and groups.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--rounds", type=int, default=5, metavar="N", help="how often all take turns (default: 5)")
    add("--with", dest="pythons", nargs="+", default=[], metavar="PYTHON", help="interpreters that have others")
    add(
        "--only",
        type=comma_separated,
        default=(),
        metavar="NAMES",
        help="some contenders, as exact,gibbs,jags (default: all)",
    )
    add(
        "--parts",
        type=comma_separated,
        default=PARTS[:1],
        metavar="NAMES",
        help=f"some of {','.join(PARTS)} (default: {PARTS[0]})",
    )
    add("--largest", action="store_true", help="sizes: 1e8 rows too, for which 6 GB of disk have to be free")
    add("--seed", type=int, default=1, metavar="N", help="of the first round; the next has the next (default: 1)")
    add("--out", type=Path, default=Path("reports"), metavar="DIR", help="where the report goes (default: reports)")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.seed < 0:
        parser.error("--rounds must be one or more, and --seed not be negative")
    for python in options.pythons:
        if not os.access(python, os.X_OK):
            parser.error(f"--with {python}: there is no such program")
    if unknown := [name for name in options.only if name not in _keys()]:
        parser.error(f"--only {unknown[0]}: choose from {', '.join(_keys())}")
    if unknown := [name for name in options.parts if name not in PARTS]:
        parser.error(f"--parts {unknown[0]}: choose from {', '.join(PARTS)}")
    if not options.parts:
        parser.error(f"--parts: choose from {', '.join(PARTS)}")
    if options.largest and "sizes" not in options.parts:
        parser.error("--largest is for --parts sizes")
    try:
        return run(options, sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        print(f"{error.filename or options.out}: {error.strerror or error}", file=sys.stderr)
        return USAGE


def _keys() -> list[str]:
    from analyses.benchmark.contenders import CONTENDERS

    return [contender.key for contender in CONTENDERS]


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Let all take turns, write the page, and say how it went."""
    from analyses.benchmark import page
    from analyses.fits.fit import Settings
    from analyses.report import publish

    started = time.perf_counter()
    publish.require_ours(options.out, [page.NAME])
    with publish.aside(options.out) as folder:
        made = page.page(*(PART[name](options) for name in PARTS if name in options.parts))
        seconds = {"in all": round(time.perf_counter() - started, 3)}
        publish.write(
            made, folder / made.name, Settings(seed=options.seed), command=[MODULE, *command], seconds=seconds
        )
        publish.replace_reports(folder, options.out)
    for of, verdict in made.verdicts:
        print(f"  {'ok  ' if verdict.passed else 'FAIL'} {of}: {verdict.sentence}")
    print(f"{made.sentence}\n{seconds['in all']:.0f} s; report: {options.out / made.name / 'index.html'}")
    return 0 if made.passed else FAILED


def _league(options):
    from analyses.benchmark import league, page
    from analyses.benchmark.contenders import CONTENDERS

    asked = list(options.only) or _keys()
    with one_core():
        entries = league.play(
            [contender for contender in CONTENDERS if contender.key in asked],
            rounds=options.rounds,
            pythons=[sys.executable, *options.pythons],
            seed=options.seed,
            say=_say,
        )
    return page.of_league(league.table(entries, league.truth()))


def _sizes(options):
    from analyses.benchmark import scaling, scaling_page

    entries = scaling.play(
        scaling.grid(largest=options.largest),
        rounds=options.rounds,
        pythons=[sys.executable, *options.pythons],
        say=_say,
    )
    return scaling_page.of_sizes(scaling.table(entries))


PART = {"league": _league, "sizes": _sizes}


def _say(line: str) -> None:
    if sys.stderr.isatty():
        print(line, file=sys.stderr)


@contextmanager
def one_core():
    """Bind this process, and all that it starts, to one core where the system can: else threads would be compared."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    sys.exit(main())
