"""One question put to the command line and to `fit`: options of the one as arguments of the other."""

import re

from analyses import fit

OPTIONS = {"covariate": "covariates", "prior": "priors"}  # that take several; all others are written "name="
VALUES = {  # those of options that a remedy is typed with
    "missing": "drop",
    "decimal": "[.,]",
    "encoding": "utf-16-le|cp1252",
    "categorical": "x",
    "group": r"\w+,\w+",
    "skip": r"\d+",
}
SUBJECTS = {"one_way": "a fit of groups", "meta_analysis": "a fit of estimates"}


def arguments_of(options):
    """Arguments of `fit` that say what options of the command line say."""
    given = {"covariates": [], "categorical": [], "reference": {}, "priors": {}}
    pairs = zip(options[::2], options[1::2], strict=True)
    for option, value in pairs:
        name = option.removeprefix("--").replace("-", "_")
        if name == "prior":
            parameter, _, spelled = value.partition("=")
            given["priors"][parameter] = spelled
        elif name == "reference":
            column, _, level = value.partition("=")
            given["reference"][column] = level
        elif name == "covariate":
            given["covariates"].append(value)
        elif name == "categorical":
            given["categorical"].append(value)
        elif name == "skip":
            given["skip"] = int(value)
        else:
            given[name] = value
    return given


def fitted(table, *options):
    return fit(table, **arguments_of(options))


def as_fit_says(message, study):
    """A message of the command line in the words of `fit`, which has other names for options, and no studies."""

    def translated(match):
        if match["study"]:
            return SUBJECTS[study]
        if match["name"]:
            value = match["value"] if match["name"] == "skip" else repr(match["value"].strip("'"))
            return f"{match['name']}={[match['value']] if match['name'] == 'categorical' else value}"
        return "" if match["start"] else OPTIONS.get(match["option"], f"{match['option'].replace('-', '_')}=")

    start = r"(?P<start>^python -m analyses\.run: (argument --prior: )?)"
    settings = "|".join(rf"{name}(?= (?:{value}))" for name, value in VALUES.items())
    of_any = "|".join(sorted(VALUES.values(), key=len, reverse=True))  # "x,school" before "x"
    setting = rf"--(?P<name>{settings}) (?P<value>{of_any})"
    return re.sub(rf"{start}|{setting}|--(?P<option>[a-z-]+)|\b(?P<study>{study})\b", translated, message)
