"""python -m analyses.audit FILE --study NAME: is a sampler right, by its draws."""

import argparse
import sys
from functools import partial
from pathlib import Path

from analyses.cli.command import FAILED, PARTIAL, PASSED, USAGE, finish
from analyses.cli.parser import Parser, repeated

EXAMPLES = """\
examples:
  python -m analyses.audit draws.nc --study eight_schools
  python -m analyses.audit brms.csv --study eight_schools --rename b_Intercept=mu --rename sd_school__Intercept=tau
  python -m analyses.audit homework.csv --study math_test --table figures.csv

FILE is a netCDF file of ArviZ's (a DataTree, or InferenceData), or a CSV with a row a draw: a column `chain`, and a
column a quantity, as mu, tau, theta[A] or theta[1]. Entries are matched by the reference's labels, or in its order.

Every variable of the reference has to be compared, but for those that are functions of the scales (sd_between, kappa of
a group). theta of a few groups is enough; --without NAME says that FILE lacks a variable for a reason.

exit status: 0 no difference found in any variable; 2 bad usage or input, or too few draws to tell; 3 a difference, or
chains that cannot be trusted; 4 no difference found, but a variable is missing or a column that may be one is not read
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    what = "Hold the draws of any sampler against the exact posterior, quantity by quantity."
    parser = Parser("python -m analyses.audit", what, EXAMPLES)
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="draws: .nc or .csv")
    add("--study", metavar="NAME", help="the reference posterior; without it the names are listed")
    add("--rename", action="append", default=[], metavar="THEIRS=OURS", help="a quantity's name; may be repeated")
    add("--without", action="append", default=[], metavar="NAME", help="a variable that FILE lacks; may be repeated")
    add("--table", type=Path, metavar="CSV", help="write every figure that was compared")
    options = parser.parse_args(arguments)
    from analyses import reference

    if options.study is None:
        parser.error(f"--study is needed: one of {', '.join(reference.names())}")
    pairs = [pair.partition("=")[::2] for pair in options.rename]
    if bad := [pair for pair, (theirs, ours) in zip(options.rename, pairs, strict=True) if not (theirs and ours)]:
        parser.error(f"--rename {bad[0]}: write THEIRS=OURS")
    if name := repeated(theirs for theirs, _ in pairs):
        parser.error(f"--rename {name}: it is given twice: give each name once")
    if options.table and not options.table.parent.is_dir():
        print(f"{options.table.parent}: there is no such folder for --table", file=sys.stderr)
        return USAGE
    return finish(partial(run, options, dict(pairs)), where=options.file)


def run(options: argparse.Namespace, rename: dict[str, str], _) -> int:
    """Audit the draws, print the finding and return the exit status."""
    from analyses import reference
    from analyses.audit import files, outcome
    from analyses.engines import summary_tables

    against = reference.load(options.study)
    audit = outcome.audit(
        files.read(options.file),
        against,
        reference.alternatives(against),
        source=options.file.name,
        rename=rename,
        without=options.without,
    )
    print(audit)
    if options.table:
        summary_tables.write(audit.table, options.table, (*summary_tables.AGREEMENT[1:], "ess", "smallest"))
    if audit.passed is None:
        return USAGE
    return FAILED if not audit.passed else PARTIAL if audit.missing else PASSED


if __name__ == "__main__":
    sys.exit(main())
