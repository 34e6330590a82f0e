"""Nothing on a command line is overwritten in silence: what is given twice is refused, and named."""

import argparse

import pytest

from analyses import notebooks, run
from analyses.audit.__main__ import main as audit_main
from analyses.benchmark.__main__ import main as benchmark_main
from analyses.calibrate.__main__ import main as calibrate_main
from analyses.cli.parser import Parser
from analyses.reference.__main__ import main as reference_main

COMMANDS = {
    "run": run.main,
    "audit": audit_main,
    "calibrate": calibrate_main,
    "benchmark": benchmark_main,
    "reference": reference_main,
    "notebooks": notebooks.main,
}
VALUES = {"--engines": "exact", "--only": "exact", "--parts": "sizes"}  # where 7 will not do


class _Caught(Exception):
    """The parser of a command, before it parses."""


def options(main, monkeypatch):
    """Every option of a command that keeps one value, under its first name, with a value that it takes."""

    def caught(self, *_):
        raise _Caught(self)

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", caught)
        with pytest.raises(_Caught) as found:
            main([])
    actions = found.value.args[0]._actions
    # Flags take nothing, and options that may be repeated start as a list.
    kept = [a for a in actions if a.option_strings and a.nargs != 0 and type(a) is not argparse._AppendAction]
    return {a.option_strings[0]: next(iter(a.choices or ()), VALUES.get(a.option_strings[0], "7")) for a in kept}


def fault(main, capsys, *arguments):
    """The line that a command ends with; its status is 2."""
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    assert left.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_that_keeps_one_value_is_taken_once(name, monkeypatch, capsys):
    """argparse keeps the last and says nothing: `--group arm --group patient` would merge patients of two arms."""
    given = options(COMMANDS[name], monkeypatch)
    assert "--out" in given or name == "audit"
    for option, value in given.items():
        line = fault(COMMANDS[name], capsys, option, value, option, value)
        assert f"{option} is given twice: give it once" in line


def test_an_option_that_is_abbreviated_is_the_same_option(capsys):
    line = fault(run.main, capsys, "one_way", "--grou", "arm", "--group=patient")
    assert line.endswith("give it once, or write --group arm,patient for groups named by both columns")


def test_a_parser_counts_from_zero_each_time():
    """A parser that is used twice starts anew each time."""
    parser = Parser()
    parser.add_argument("--seed", type=int)
    assert [parser.parse_args(["--seed", "3"]).seed for _ in range(2)] == [3, 3]


TWICE = {
    "study": ("run", ("eight_schools", "eight_schools"), "'eight_schools' is named twice"),
    "engine": ("run", ("--engines", "exact,gibbs,exact"), "'exact' is named twice"),
    "reference": ("reference", ("eight_schools", "eight_schools"), "'eight_schools' is named twice"),
    "notebook": ("notebooks", ("01_a", "01_a.ipynb"), "'01_a' is named twice"),
    "contender": ("benchmark", ("--only", "exact,jags,exact"), "'exact' is named twice"),
    "interpreter": ("benchmark", ("--with", "/bin/python", "--with", "/bin/true"), "--with is given twice"),
    "part": ("benchmark", ("--parts", "sizes,sizes"), "'sizes' is named twice"),
    "rename": ("audit", ("d.csv", "--study", "eight_schools", "--rename", "a=mu", "--rename", "a=tau"), "--rename a"),
    "prior": ("run", ("one_way", "--data", "d", "--group", "g", "--value", "v", "--prior", "tau=Uniform()", "--prior",
                      "tau=HalfCauchy(1)"), "--prior is given twice for tau"),
    "covariate": ("run", ("one_way", "--data", "d", "--group", "g", "--value", "v", "--covariate", "x", "--covariate",
                          "x"), "--covariate and --covariate both name the column 'x'"),
    "comparison": ("run", ("one_way", "--data", "d", "--group", "g", "--value", "v", "--compare", "A", "B",
                           "--compare", "B", "A"), "--compare A B is given twice"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "arguments", "said"), TWICE.values(), ids=TWICE)
def test_what_is_named_twice_is_refused(name, arguments, said, capsys):
    """Of two values for one name only one can count; of one name twice, the second may have been meant otherwise."""
    assert said in fault(COMMANDS[name], capsys, *arguments)
