"""What all command lines share: a parser that never overwrites an option in silence, and the exit statuses."""

import argparse
from collections.abc import Iterable

FAILED, USAGE, INTERRUPTED = 3, 2, 130


class Parser(argparse.ArgumentParser):
    """argparse with two differences: an option that takes one value can be given once, and faults are one line.

    argparse itself keeps the last value of an option that is given twice and says nothing. Options that are meant to
    be repeated say `action="append"`; flags mean the same however often they are given.
    """

    def __init__(self, *args, **keywords):
        super().__init__(*args, **keywords)
        self.given: set[str] = set()
        for name in (None, "store"):  # argument groups share this registry
            self.register("action", name, _Once)

    def parse_known_args(self, args=None, namespace=None):
        """Parse as argparse does, every option counted from zero."""
        self.given = set()
        return super().parse_known_args(args, namespace)

    def error(self, message):
        """End with one line on standard error, where argparse prints the usage too."""
        self.exit(USAGE, f"{self.prog}: {message}\n")


class _Once(argparse.Action):
    """Store a value; refuse a second one, and a list that names one thing twice."""

    def __call__(self, parser, namespace, values, option_string=None):
        if self.option_strings:
            if self.dest in parser.given:
                parser.error(f"{self.option_strings[0]} is given twice: give it once")
            parser.given.add(self.dest)
        if isinstance(values, list) and (name := twice(values)):
            parser.error(f"{'/'.join(self.option_strings) or self.metavar}: {name!r} is named twice: name it once")
        setattr(namespace, self.dest, values)


def twice(names: Iterable) -> object:
    """The first of some names that was there before; None if all differ."""
    seen = set()
    return next((name for name in names if name in seen or seen.add(name)), None)


def comma_separated(text: str) -> tuple[str, ...]:
    """Names between commas, for `type=`.

    Raises
    ------
    ArgumentTypeError
        For a name that occurs twice.

    Examples
    --------
    >>> comma_separated("exact, gibbs")
    ('exact', 'gibbs')
    """
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if name := twice(found):
        raise argparse.ArgumentTypeError(f"{name!r} is named twice in {text!r}: name it once")
    return found
