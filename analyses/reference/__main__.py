"""python -m analyses.reference: make reference posteriors anew, or independent draws from them."""

import argparse
import sys
from functools import partial
from importlib import resources
from pathlib import Path

from analyses.cli.command import PASSED, finish
from analyses.cli.parser import Parser, at_least

EXAMPLES = """\
examples:
  python -m analyses.reference                                   every file in data/reference
  python -m analyses.reference eight_schools                     one of them
  python -m analyses.reference eight_schools --draws draws.csv   10,000 independent draws (.csv or .nc)
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    what = "Make reference posteriors anew, or independent draws from one."
    parser = Parser("python -m analyses.reference", what, EXAMPLES)
    add = parser.add_argument
    add("name", nargs="*", metavar="NAME", help="of the posteriors (default: all)")
    add("--out", type=Path, metavar="DIR", help="where the files go (default: data/reference)")
    add("--draws", type=Path, metavar="FILE", help="write independent draws of one posterior instead: .csv or .nc")
    size = "how many draws, in four parts (default: 10000)"
    add("--size", type=at_least(4), default=10_000, metavar="N", help=size)
    parser.add_seed("of the draws")
    options = parser.parse_args(arguments)

    from analyses.reference.cases import CASES
    from models.groups.naming import nearest

    options.name = options.name or list(CASES)
    if unknown := [name for name in options.name if name not in CASES]:
        near = nearest(unknown[0], CASES)
        hint = f"did you mean {near!r}?" if near else f"choose from {', '.join(CASES)}"
        parser.error(f"no posterior {unknown[0]!r}: {hint}")
    if options.draws and (len(options.name) != 1 or options.draws.suffix not in (".csv", ".nc")):
        parser.error("--draws is for one posterior, and a file that ends in .csv or .nc")
    return finish(partial(write, options), where=options.out or options.draws or "data/reference")


def write(options: argparse.Namespace, _) -> int:
    """Write the draws of one posterior, or the figures of all that are named."""
    from analyses.reference import FOLDER, files
    from analyses.reference.cases import CASES

    if options.draws:
        files.write_draws(CASES[options.name[0]](), options.draws, size=options.size, seed=options.seed)
        return PASSED
    folder = options.out or Path(str(resources.files("partial_pooling_data") / FOLDER))
    for name in options.name:
        files.write_figures(name, CASES[name](), folder)
    return PASSED


if __name__ == "__main__":
    sys.exit(main())
