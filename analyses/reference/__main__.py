"""python -m analyses.reference: make reference posteriors anew, or independent draws from them."""

import argparse
import sys
from importlib import resources
from pathlib import Path

from analyses.cli.parser import USAGE, Parser

EXAMPLES = """\
examples:
  python -m analyses.reference                                   every file in data/reference
  python -m analyses.reference eight_schools                     one of them
  python -m analyses.reference eight_schools --draws draws.csv   10,000 independent draws (.csv or .nc)
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = Parser(
        prog="python -m analyses.reference",
        description="Make reference posteriors anew, or independent draws from one.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("name", nargs="*", metavar="NAME", help="of the posteriors (default: all)")
    add("--out", type=Path, metavar="DIR", help="where the files go (default: data/reference)")
    add("--draws", type=Path, metavar="FILE", help="write independent draws of one posterior instead: .csv or .nc")
    add("--size", type=int, default=10_000, metavar="N", help="how many draws, in four parts (default: 10000)")
    add("--seed", type=int, default=1, metavar="N", help="of the draws (default: 1)")
    options = parser.parse_args(arguments)

    from analyses.reference import FOLDER, files
    from analyses.reference.cases import CASES

    names = options.name or list(CASES)
    if unknown := [name for name in names if name not in CASES]:
        parser.error(f"no posterior {unknown[0]!r}: choose from {', '.join(CASES)}")
    if options.draws and (len(names) != 1 or options.draws.suffix not in (".csv", ".nc")):
        parser.error("--draws is for one posterior, and a file that ends in .csv or .nc")
    if options.size < 4 or options.seed < 0:
        parser.error("--size must be 4 or more, and --seed not negative")
    try:
        if options.draws:
            files.write_draws(CASES[names[0]](), options.draws, size=options.size, seed=options.seed)
            return 0
        folder = options.out or Path(str(resources.files("partial_pooling_data") / FOLDER))
        for name in names:
            files.write_figures(name, CASES[name](), folder)
    except OSError as error:
        print(f"{error.filename or options.out or options.draws}: {error.strerror or error}", file=sys.stderr)
        return USAGE
    return 0


if __name__ == "__main__":
    sys.exit(main())
