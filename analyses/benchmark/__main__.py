"""python -m analyses.benchmark: seconds and effective draws beside what a user might write, and what size costs."""

import argparse
import os
import sys
from contextlib import contextmanager
from functools import partial

from analyses.cli import proof
from analyses.cli.command import finish
from analyses.cli.parser import Parser, at_least, some_of

MODULE = "analyses.benchmark"
EXAMPLES = """\
examples:
  python -m analyses.benchmark                              what is installed here
  python -m analyses.benchmark --with /opt/others/bin/python
  python -m analyses.benchmark --only exact,jags --rounds 9
  python -m analyses.benchmark --parts league,sizes         what size costs too, up to 2e7 rows
  python -m analyses.benchmark --parts sizes --largest      that alone, up to 1e8 rows
  python -m analyses.benchmark --parts scales               a model whose sigma does not integrate out
  python -m analyses.benchmark --parts waiting              every study, a table of one's own, all priors

JAGS and R are looked for on the path; nutpie, numpyro and bambi in this interpreter and then in those of --with.

exit status: 0 all that ran agrees with the exact posterior; 2 bad usage; 3 otherwise; 130 interrupted
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = Parser(
        f"python -m {MODULE}",
        "Effective draws per second on the math tests, beside what a user might write; time and memory against rows "
        "and groups.",
        EXAMPLES,
    )
    add = parser.add_argument
    add("--rounds", type=at_least(1), default=5, metavar="N", help="how often all take turns (default: 5)")
    add("--with", dest="pythons", nargs="+", default=[], metavar="PYTHON", help="interpreters that have others")
    only = some_of(contender_keys(), "a contender")
    add("--only", type=only, metavar="NAMES", help="some contenders, as exact,gibbs,jags (default: all)")
    parts = f"some of {','.join(PARTS)} (default: league)"
    add("--parts", type=some_of(PARTS, "a part"), metavar="NAMES", default=("league",), help=parts)
    add("--largest", action="store_true", help="sizes: 1e8 rows too, for which 6 GB of disk have to be free")
    parser.add_seed("of the first round; the next has the next")
    parser.add_out("where the report goes")
    options = parser.parse_args(arguments)
    if fault := usage_fault(options):
        parser.error(fault)
    command = [MODULE, *(sys.argv[1:] if arguments is None else arguments)]
    return finish(partial(proof.report, "benchmark", make_page, options, command), where=options.out)


def usage_fault(options: argparse.Namespace) -> str:
    """Say what is wrong with the options; empty where nothing is."""
    for python in options.pythons:
        if not os.access(python, os.X_OK):
            return f"--with {python}: there is no such program"
    if options.largest and "sizes" not in options.parts:
        return "--largest is for --parts sizes"
    return ""


def contender_keys() -> list[str]:
    """Names that --only takes."""
    from analyses.benchmark.contenders import CONTENDERS

    return [contender.key for contender in CONTENDERS]


def make_page(options: argparse.Namespace):
    """Let all take turns and make the page of it."""
    from analyses.benchmark import page

    return page.build(*(PARTS[name](options) for name in options.parts))


def league_part(options: argparse.Namespace):
    """Run the contenders on the math tests, on one core."""
    from analyses.benchmark import efficiency, efficiency_page
    from analyses.benchmark.contenders import CONTENDERS

    chosen = [contender for contender in CONTENDERS if not options.only or contender.key in options.only]
    with one_core():
        entries = efficiency.play(chosen, **turns(options))
    return efficiency_page.part(efficiency.table(entries, efficiency.exact_means()))


def sizes_part(options: argparse.Namespace):
    """Run the routes on tables of many sizes."""
    from analyses.benchmark import scaling, scaling_page

    return scaling_page.part(scaling.table(scaling.play(scaling.grid(largest=options.largest), **turns(options))))


def scales_part(options: argparse.Namespace):
    """Make the exact table of a model whose sigma does not integrate out, and let samplers sample it."""
    from analyses.benchmark import two_scales, two_scales_page

    sizes = (two_scales.MINNESOTA, two_scales.UNITED_STATES)
    return two_scales_page.part(two_scales.table(*two_scales.play(sizes, **turns(options))))


def waiting_part(options: argparse.Namespace):
    """Time the commands and computations that a user waits for."""
    from analyses.benchmark import waiting, waiting_page

    return waiting_page.part(waiting.table(waiting.play(**turns(options))))


PARTS = {"league": league_part, "sizes": sizes_part, "scales": scales_part, "waiting": waiting_part}


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
