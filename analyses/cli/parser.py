"""The parser of every command: an option is never overwritten in silence, and a fault is one line."""

import argparse
import os
import re
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path

from analyses.cli.command import USAGE

NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")  # a number, and no option


class Parser(argparse.ArgumentParser):
    """argparse with two differences: an option that takes one value can be given once, and faults are one line.

    argparse itself keeps the last value of an option that is given twice and says nothing. Options that are meant to
    be repeated say `action="append"`; flags mean the same however often they are given.
    """

    def __init__(self, prog: str | None = None, description: str | None = None, epilog: str | None = None):
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, epilog=epilog, formatter_class=raw)
        self.given: set[str] = set()
        self._negative_number_matcher = NEGATIVE  # argparse's own takes -1e-3 for an option
        for action in (None, "store"):  # argument groups share this registry
            self.register("action", action, _Once)

    def parse_known_args(self, args=None, namespace=None):
        """Parse as argparse does, every option counted from zero."""
        self.given = set()
        return super().parse_known_args(args, namespace)

    def error(self, message):
        """End with one line on standard error, where argparse prints the usage too."""
        self.exit(USAGE, f"{self.prog}: {message}\n")

    def add_out(self, what: str) -> None:
        """Add --out, the folder that reports are written to."""
        self.add_argument("--out", type=Path, default=Path("reports"), metavar="DIR", help=f"{what} (default: reports)")

    def add_seed(self, what: str = "of every random stream") -> None:
        """Add --seed."""
        self.add_argument("--seed", type=at_least(0), default=1, metavar="N", help=f"{what} (default: 1)")

    def add_cores(self) -> None:
        """Add --cores, how many processes share the work."""
        cores = os.cpu_count() or 1
        self.add_argument("--cores", type=at_least(1), default=cores, metavar="N", help="processes (default: all)")


class _Once(argparse.Action):
    """Store a value; refuse a second one, and a list that names one thing twice."""

    def __call__(self, parser, namespace, values, option_string=None):
        if self.option_strings:
            if self.dest in parser.given:
                option, first = self.option_strings[0], getattr(namespace, self.dest)
                both = f", or write {option} {first},{values} for groups named by both columns"
                parser.error(f"{option} is given twice: give it once{both * (self.dest == 'group')}")
            parser.given.add(self.dest)
        if isinstance(values, list) and (name := repeated(values)):
            parser.error(f"{'/'.join(self.option_strings) or self.metavar}: {name!r} is named twice: name it once")
        setattr(namespace, self.dest, values)


def repeated(names: Iterable[Hashable]) -> Hashable:
    """Return the first of some names that was there before; None if all differ."""
    seen: set[Hashable] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)


def comma_separated(text: str) -> tuple[str, ...]:
    """Split names at commas, for `type=`.

    Raises
    ------
    ArgumentTypeError
        For a name that occurs twice.

    Examples
    --------
    >>> comma_separated("exact, gibbs")
    ('exact', 'gibbs')
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if name := repeated(names):
        raise argparse.ArgumentTypeError(f"{name!r} is named twice in {text!r}: name it once")
    return names


def some_of(choices: Iterable[str], what: str) -> Callable[[str], tuple[str, ...]]:
    """Make a `type=` for some of the choices between commas, at least one, in the order of the choices."""
    choices = tuple(choices)

    def chosen(text: str) -> tuple[str, ...]:
        names = comma_separated(text)
        for name in names or [text]:
            if name not in choices:
                raise argparse.ArgumentTypeError(f"{name!r} is not {what}: choose from {', '.join(choices)}")
        return tuple(name for name in choices if name in names)

    return chosen


def at_least(least: int) -> Callable[[str], int]:
    """Make a `type=` for whole numbers from `least` on."""

    def whole(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
        return int(text)

    return whole
