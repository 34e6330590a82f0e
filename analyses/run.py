"""python -m analyses.run [STUDY ...]: fit, check, report. The command line, and nothing else."""

import argparse
import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path

from analyses import ENGINES, STUDIES

FAILED, USAGE, INTERRUPTED = 3, 2, 130

EXAMPLES = """\
examples:
  python -m analyses.run                              every study
  python -m analyses.run eight_schools --seed 7       one study, another seed
  python -m analyses.run math_test --engines exact    no sampling but independent draws
  python -m analyses.run blood_pressure --draws 4000 --out /tmp/trial

exit status: 0 all is well; 2 bad usage or input; 3 finished, but a check failed; 130 interrupted
"""


class Interrupted(BaseException):
    """Ctrl-C. PyMC swallows KeyboardInterrupt and returns what it has; this it lets through."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = parse(arguments)
    if options.list:
        width = max(map(len, STUDIES))
        print("\n".join(f"{name:{width}}  {story}" for name, story in STUDIES.items()))
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
        if isinstance(error, OSError):
            where = f"{error.filename or options.out}: {error.strerror}" if error.strerror else str(error)
            print(where, file=sys.stderr)
            return USAGE
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options; what is wrong with them is said in one line, with exit status 2."""
    parser = _Parser(
        prog="python -m analyses.run",
        description="Fit hierarchical normal models by NUTS, by Gibbs sampling and exactly, hold the three against "
        "each other, and write a report.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("study", nargs="*", metavar="STUDY", help=f"{', '.join(STUDIES)}; all of them if none is named")
    add("--list", action="store_true", help="name the studies and stop")
    add(
        "--out",
        type=Path,
        default=Path("reports"),
        metavar="DIR",
        help="where the report goes (default: reports)",
    )
    add("--seed", type=_at_least(0), default=1, metavar="N", help="of every random stream (default: 1)")
    add("--draws", type=_at_least(4), default=1000, metavar="N", help="of each NUTS chain (default: 1000)")
    add(
        "--tune",
        type=_at_least(1),
        default=1000,
        metavar="N",
        help="steps of each NUTS chain thrown away (default: 1000)",
    )
    add("--chains", type=_at_least(2), default=4, metavar="N", help="of NUTS (default: 4)")
    add(
        "--cores",
        type=_at_least(1),
        default=1,
        metavar="N",
        help="processes for the NUTS chains (default: 1)",
    )
    add(
        "--engines",
        type=_engines,
        default=ENGINES,
        metavar="LIST",
        help=f"some of {','.join(ENGINES)} (default: all)",
    )
    add("--best", choices=("high", "low"), help="which end of theta has rank 1 (default: the study's own)")
    add("--quiet", action="store_true", help="print nothing but errors")
    options = parser.parse_args(arguments)
    for name in options.study:
        if name not in STUDIES:
            parser.error(f"unknown study {name!r}: choose from {', '.join(STUDIES)}")
    return options


def run(options: argparse.Namespace, command: list[str], asked_to_stop: list[int]) -> int:
    """Answer each study, write all of them, and say how it went; publish nothing once it was asked to stop."""
    from analyses import output
    from analyses.routes import Settings

    given = ("seed", "draws", "tune", "chains", "cores", "engines", "best")
    watched = not options.quiet and sys.stdout.isatty() and sys.stderr.isatty()
    settings = Settings(progress=watched, **{name: getattr(options, name) for name in given})
    studies, passed = list(dict.fromkeys(options.study)) or list(STUDIES), True
    output.require_ours(options.out, studies)
    with output.aside(options.out) as folder:
        for name in studies:
            started = time.perf_counter()
            page = import_module(f"analyses.studies.{name}").page(settings)
            seconds = {"in all": round(time.perf_counter() - started, 3)}
            output.write(page, folder / name, settings, command=command, seconds=seconds)
            passed &= page.passed
            if not options.quiet:
                _tell(_story(page, seconds["in all"]))
        if asked_to_stop:
            raise Interrupted
        output.publish(folder, options.out)
    if not options.quiet:
        _tell(f"report: {options.out / 'index.html'}")
    return 0 if passed else FAILED


def _story(page, seconds):
    verdicts = [f"  {'ok  ' if v.passed else 'FAIL'} {name}: {v.sentence}" for name, v in page.verdicts]
    return "\n".join([f"{page.name} ({seconds:.1f} s)", f"  {page.sentence}", *verdicts])


def _tell(text):
    """Print, and go on in silence once nobody listens: the report is wanted all the same."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """argparse, with one line on standard error where it would print the usage too."""

    def error(self, message):
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _at_least(least):
    def whole(text):
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
        return int(text)

    return whole


def _engines(text):
    names = tuple(text.split(","))
    for name in names:
        if name not in ENGINES:
            raise argparse.ArgumentTypeError(f"{name!r} is not an engine: choose from {', '.join(ENGINES)}")
    return tuple(name for name in ENGINES if name in names)


if __name__ == "__main__":
    sys.exit(main())
