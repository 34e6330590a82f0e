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
    names = {"type": comma_separated, "metavar": "NAMES"}
    add = parser.add_argument
    add("--rounds", type=int, default=5, metavar="N", help="how often all take turns (default: 5)")
    add("--with", dest="pythons", nargs="+", default=[], metavar="PYTHON", help="interpreters that have others")
    add("--only", **names, default=(), help="some contenders, as exact,gibbs,jags (default: all)")
    add("--parts", **names, default=("league",), help=f"some of {','.join(PARTS)} (default: league)")
    add("--largest", action="store_true", help="sizes: 1e8 rows too, for which 6 GB of disk have to be free")
    add("--seed", type=int, default=1, metavar="N", help="of the first round; the next has the next (default: 1)")
    add("--out", type=Path, default=Path("reports"), metavar="DIR", help="where the report goes (default: reports)")
    options = parser.parse_args(arguments)
    if fault := usage_fault(options):
        parser.error(fault)
    try:
        return run(options, sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        print("interrupted: nothing was written", file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        print(f"{error.filename or options.out}: {error.strerror or error}", file=sys.stderr)
        return USAGE


def usage_fault(options: argparse.Namespace) -> str:
    """Say what is wrong with the options; empty where nothing is."""
    if options.rounds < 1 or options.seed < 0:
        return "--rounds must be one or more, and --seed not be negative"
    for python in options.pythons:
        if not os.access(python, os.X_OK):
            return f"--with {python}: there is no such program"
    for option, chosen, choices in (("--only", options.only, contender_keys()), ("--parts", options.parts, PARTS)):
        if unknown := [name for name in chosen if name not in choices]:
            return f"{option} {unknown[0]}: choose from {', '.join(choices)}"
    if not options.parts:
        return f"--parts: choose from {', '.join(PARTS)}"
    if options.largest and "sizes" not in options.parts:
        return "--largest is for --parts sizes"
    return ""


def contender_keys() -> list[str]:
    """Names that --only takes."""
    from analyses.benchmark.contenders import CONTENDERS

    return [contender.key for contender in CONTENDERS]


def run(options: argparse.Namespace, command: list[str]) -> int:
    """Let all take turns, write the page, and report how it went."""
    from analyses.benchmark import page
    from analyses.fits.fit import Settings
    from analyses.report import publish

    started = time.perf_counter()
    publish.require_ours(options.out, [page.NAME])
    with publish.aside(options.out) as folder:
        report = page.build(*(part(options) for name, part in PARTS.items() if name in options.parts))
        seconds = {"in all": round(time.perf_counter() - started, 3)}
        settings = Settings(seed=options.seed)
        publish.write(report, folder / report.name, settings, command=[MODULE, *command], seconds=seconds)
        publish.publish(folder, options.out)
    for subject, verdict in report.verdicts:
        print(f"  {'ok  ' if verdict.passed else 'FAIL'} {subject}: {verdict.sentence}")
    print(f"{report.sentence}\n{seconds['in all']:.0f} s; report: {options.out / report.name / 'index.html'}")
    return 0 if report.passed else FAILED


def league_part(options: argparse.Namespace):
    """Run the contenders on the math tests, on one core."""
    from analyses.benchmark import league, league_page
    from analyses.benchmark.contenders import CONTENDERS

    chosen = [contender for contender in CONTENDERS if not options.only or contender.key in options.only]
    with one_core():
        entries = league.play(chosen, **turns(options))
    return league_page.part(league.table(entries, league.exact_means()))


def sizes_part(options: argparse.Namespace):
    """Run the routes on tables of many sizes."""
    from analyses.benchmark import scaling, scaling_page

    return scaling_page.part(scaling.table(scaling.play(scaling.grid(largest=options.largest), **turns(options))))


PARTS = {"league": league_part, "sizes": sizes_part}


def turns(options: argparse.Namespace) -> dict:
    """How often all take turns, from which seed, and where contenders are looked for."""
    pythons = [sys.executable, *options.pythons]
    return {"rounds": options.rounds, "seed": options.seed, "pythons": pythons, "say": say}


def say(line: str) -> None:
    """Show progress on a terminal."""
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
