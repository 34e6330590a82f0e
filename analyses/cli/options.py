"""The options of the command line: what may be asked, and what is wrong with what was."""

import argparse
from itertools import chain
from pathlib import Path

from analyses.catalog import ENGINES, OWN, RAW, RUNS
from analyses.cli.parser import Parser, at_least, some_of
from analyses.ingest.request import Request
from analyses.ingest.usage import Wording, fault, fault_of_pairs
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
    "group": "names of the groups (one_way)",
    "value": "values, a row each (one_way)",
    "n": "sizes of groups that are given by their averages (one_way)",
    "mean": "averages of groups (one_way)",
    "sd": "standard deviations within groups (one_way)",
    "se": "standard errors, of averages (one_way) or of estimates (meta_analysis)",
    "estimate": "estimates (meta_analysis)",
    "variance": "their squared standard errors (meta_analysis)",
    "label": "names of the estimates (meta_analysis; default: 1, 2, ...)",
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
    _add_table(parser.add_argument_group("a table of your own (CSV or Parquet)").add_argument)
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


def _fault(options) -> str:
    """What is wrong with how options go together; nothing if nothing is."""
    given = [name for name in HELP if getattr(options, name) is not None]
    others = [name for name in ("covariate", "prior", "tau_scale", "compare", "among") if getattr(options, name)]
    own = [name for name in options.study if name in OWN]
    if not own:
        return _fault_of_studies(options, [*given, *others])
    study, (name, *more) = own[0], options.study
    if more:
        return f"{study} runs by itself: leave out {', '.join(n for n in (name, *more) if n != study)}"
    if options.data is None:
        return f"{study} needs --data FILE"
    wording = Wording(study, option="--{}", covariates="--covariate", priors="--prior")
    priors = [name for name, _ in options.prior]
    columns = {name: getattr(options, name) for name in given}
    message = fault(study, columns, options.covariate, priors, options.tau_scale, wording)
    return message or fault_of_pairs(options.compare, "--compare")


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
        covariates=tuple(options.covariate),
        priors=dict(options.prior),
        absolute=options.tau_scale == "absolute",
        compare=tuple(map(tuple, options.compare)),
        among=options.among,
    )


def _prior(text):
    name, equals, spelled = (part.strip() for part in text.partition("="))
    if not (name and equals and spelled):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=DIST, as tau=HalfCauchy(5)")
    try:
        prior(name, spelled)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return name, spelled
