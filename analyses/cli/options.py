"""The options of the command line: what may be asked, and what is wrong with what was."""

import argparse
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from itertools import chain
from pathlib import Path

from analyses.catalog import ENGINES, OWN, RAW, RUNS
from analyses.cli.parser import Parser, at_least, some_of
from analyses.ingest.reading import Reading
from analyses.ingest.request import Request, finite
from analyses.ingest.usage import fault, fault_of_pairs, fault_of_reading, fault_of_references
from analyses.ingest.wording import COMMAND_LINE
from models.spellings import SPELLINGS, prior

EXAMPLES = """\
examples:
  python -m analyses.run                              every study that comes with the package
  python -m analyses.run eight_schools --seed 7       one study, another seed
  python -m analyses.run math_test --engines exact    no sampling but independent draws
  python -m analyses.run blood_pressure --draws 4000 --out /tmp/trial

your own table, rows or group averages or estimates:
  python -m analyses.run one_way --data scores.csv --group school --value score
  python -m analyses.run one_way --data means.csv --group school --n pupils --mean average --sd sd
  python -m analyses.run meta_analysis --data trials.csv --label trial --estimate effect --se se
  python -m analyses.run meta_analysis --data trials.csv --estimate effect --variance v --covariate year \\
      --prior 'tau=HalfNormal(0.5)' --prior 'mu=Normal(0, 10)'

exit status: 0 every check of the computation passed; 2 bad usage or input; 3 finished, but one failed; 130 interrupted
A model that does not fit its data is reported on its page and does not change the status.
"""

HELP = {
    "group": "names of the groups (one_way); several, as arm,patient, where only both together tell groups apart",
    "value": "values, a row each (one_way)",
    "n": "sizes of groups that are given by their averages (one_way)",
    "mean": "averages of groups (one_way)",
    "sd": "standard deviations within groups (one_way)",
    "se": "standard errors, of averages (one_way) or of estimates (meta_analysis)",
    "estimate": "estimates (meta_analysis)",
    "variance": "their squared standard errors (meta_analysis)",
    "label": "names of the estimates (meta_analysis; default: 1, 2, ...)",
}

OF_TABLES = (
    "covariate",
    "categorical",
    "reference",
    "missing",
    "prior",
    "tau_scale",
    "compare",
    "among",
    "threshold",
    "unit",
)
READING = {
    "delimiter": "what separates the fields of a text file, or 'tab' (default: recognized)",
    "decimal": "decimal mark of a text file, '.' or ',' (default: recognized)",
    "encoding": "of a text file, such as latin-1 (default: utf-8, or utf-16 where it is marked)",
    "sheet": "of a workbook (default: the one that has the columns)",
    "skip": "lines above the header that are not part of the table (default: comments, which begin with #)",
}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the options; what is wrong with them is said in one line, with exit status 2."""
    parser = Parser(
        "python -m analyses.run",
        "Fit hierarchical normal models by NUTS, by Gibbs sampling and exactly, hold the three against each other, and "
        "write a report.",
        EXAMPLES,
    )
    _add_run(parser)
    _add_table(parser.add_argument_group("a table of your own (CSV and its kin, Excel, Parquet or Arrow)").add_argument)
    options = parser.parse_args(arguments)
    for name in options.study:
        if name not in (*RUNS, *OWN):
            from models.groups.naming import nearest  # NumPy takes its time to import

            near = nearest(name, (*RUNS, *OWN))
            hint = f"did you mean {near!r}?" if near else f"choose from {', '.join((*RUNS, *OWN))}"
            parser.error(f"unknown study {name!r}: {hint}")
    if message := _fault(options):
        parser.error(message)
    options.request = _request(options)
    return options


def _add_run(parser: Parser) -> None:
    add = parser.add_argument
    add("study", nargs="*", metavar="STUDY", help=f"{', '.join((*RUNS, *OWN))}; the first {len(RUNS)} if none")
    add("--list", action="store_true", help="name the studies and stop")
    parser.add_out("where the report goes")
    parser.add_seed()
    for name, least, default, what in (
        ("draws", 4, 1000, "of each NUTS chain"),
        ("tune", 1, 500, "steps of each NUTS chain thrown away"),
        ("chains", 2, 4, "of NUTS"),
        ("cores", 1, 1, "processes for the NUTS chains"),
    ):
        add(f"--{name}", type=at_least(least), default=default, metavar="N", help=f"{what} (default: {default})")
    engines = f"some of {','.join(ENGINES)} (default: all)"
    add("--engines", type=some_of(ENGINES, "an engine"), default=ENGINES, metavar="LIST", help=engines)
    add("--best", choices=("high", "low"), help="which end of theta has rank 1 (default: the study's own, or high)")
    add("--quiet", action="store_true", help="print nothing but errors and warnings")


def _add_table(add) -> None:
    raw = ", ".join(RAW)
    signatures = dict.fromkeys(chain.from_iterable(SPELLINGS.values()))
    add("--data", type=Path, metavar="FILE", help=f"of one_way or meta_analysis; or the raw rows of {raw}")
    for name, what in HELP.items():
        add(f"--{name}", metavar="COL", help=f"column of {what}")
    add(
        "--covariate",
        action="append",
        default=[],
        metavar="COL",
        help="column that the groups' means depend on, constant within a group; numbers, or text with its first level "
        "for reference; may be repeated",
    )
    add(
        "--categorical",
        action="append",
        default=[],
        metavar="COL",
        help="a covariate whose values are categories, even if they look like numbers; may be repeated",
    )
    add(
        "--reference",
        action="append",
        default=[],
        type=_reference,
        metavar="COL=LEVEL",
        help="level of a categorical covariate that the others are compared with; may be repeated",
    )
    add(
        "--missing",
        choices=("refuse", "drop"),
        default="refuse",
        help="what to do with rows in which a value, a name or a covariate is missing (default: refuse)",
    )
    for name, what in READING.items():
        kind = at_least(0) if name == "skip" else _mark if name in ("delimiter", "decimal") else str
        add(f"--{name}", type=kind, metavar={"skip": "N"}.get(name, name.upper()), help=what)
    add(
        "--prior",
        action="append",
        default=[],
        type=_prior,
        metavar="NAME=DIST",
        help=f"of mu, a covariate, tau, tau2, sigma or sigma2: {', '.join(signatures)}; may be repeated. Default: "
        "mu=Flat(), sigma=Jeffreys(), tau=HalfCauchy(1) relative and tau=Uniform() absolute",
    )
    add(
        "--tau-scale",
        choices=("relative", "absolute"),
        help="whether tau is the sd between groups in units of sigma, or as it is (one_way; default: relative)",
    )
    add(
        "--compare",
        action="append",
        default=[],
        nargs=2,
        metavar=("A", "B"),
        help="two groups whose difference is wanted; may be repeated",
    )
    add("--among", type=at_least(1), metavar="K", help="P(among the best K) in the league table (default: 3)")
    add(
        "--threshold",
        type=_number,
        metavar="C",
        help="P(theta > C) of each group, and P(mu > C) (default: 0 in a meta_analysis, else none)",
    )
    add("--unit", default="", metavar="TEXT", help="what values are measured in, for axes and sentences: mmHg")


def _fault(options) -> str:
    """What is wrong with how options go together; nothing if nothing is."""
    given = [name for name in HELP if getattr(options, name) is not None]
    others = [name for name in OF_TABLES if getattr(options, name) not in (None, [], "", "refuse")]
    own = [name for name in options.study if name in OWN]
    if not own:
        return _fault_of_studies(options, [*given, *others])
    study, (name, *more) = own[0], options.study
    if more:
        return f"{study} runs by itself: leave out {', '.join(n for n in (name, *more) if n != study)}"
    if options.data is None:
        return f"{study} needs --data FILE"
    wording = replace(COMMAND_LINE, subject=study)
    priors = [name for name, _ in options.prior]
    columns = {name: getattr(options, name) for name in given}
    return (
        fault(study, columns, _covariates(options), priors, options.tau_scale, wording)
        or fault_of_pairs(options.compare, "--compare")
        or fault_of_reading(_reading(options), wording)
        or fault_of_references([name for name, _ in options.reference], _covariates(options), wording)
    )


def _covariates(options) -> tuple[str, ...]:
    """Those that were named, as categories or not; one that was named as both is one."""
    return (*options.covariate, *(name for name in options.categorical if name not in options.covariate))


def _reading(options) -> Reading:
    return Reading(**{name: getattr(options, name) for name in READING})


def _fault_of_studies(options, own) -> str:
    if own:
        return f"--{own[0].replace('_', '-')} is for one_way and meta_analysis"
    if options.data is not None and (len(options.study) != 1 or options.study[0] not in RAW):
        return f"--data is for one of {', '.join((*OWN, *RAW))} by itself"
    return ""


def _request(options) -> Request | None:
    if options.data is None:
        return None
    return Request(
        table=options.data,
        columns={name: getattr(options, name) for name in HELP if getattr(options, name) is not None},
        covariates=_covariates(options),
        categorical=(*options.categorical, *(name for name, _ in options.reference)),
        references=dict(options.reference),
        drop_missing=options.missing == "drop",
        reading=_reading(options),
        priors=dict(options.prior),
        absolute=options.tau_scale == "absolute",
        compare=tuple(map(tuple, options.compare)),
        among=options.among,
        threshold=options.threshold,
        unit=options.unit,
    )


def _mark(text: str) -> str:
    """A delimiter or a decimal mark: one character, a tab by its name."""
    mark = "\t" if text.casefold() in ("tab", "\\t") else text
    if len(mark) != 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not one character")
    return mark


def _reference(text: str) -> tuple[str, str]:
    name, equals, level = (part.strip() for part in text.partition("="))
    if not (name and equals and level):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form COL=LEVEL, as dose=placebo")
    return name, level


def _number(text):
    try:
        return finite(Decimal(text))
    except (InvalidOperation, ValueError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number") from None


def _prior(text):
    name, equals, spelled = (part.strip() for part in text.partition("="))
    if not (name and equals and spelled):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=DIST, as tau=HalfCauchy(5)")
    try:
        prior(name, spelled)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return name, spelled
