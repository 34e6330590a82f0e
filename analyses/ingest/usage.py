"""What is wrong with a request before its table is read: columns, covariates and priors that do not go together.

The command line and `fit` ask here, so both refuse the same requests in the same words.
"""

from collections.abc import Mapping, Sequence

from analyses.ingest.reading import Reading
from analyses.ingest.wording import Wording

ROWS, AVERAGES = ("group", "value"), ("group", "n", "mean")
COLUMNS = {
    "one_way": ("group", "value", "n", "mean", "sd", "se"),
    "meta_analysis": ("estimate", "se", "variance", "label"),
}
PARAMETERS = {"one_way": ("mu", "tau", "sigma"), "meta_analysis": ("mu", "tau")}


def fault(
    study: str,
    columns: Mapping[str, str],
    covariates: Sequence[str],
    priors: Sequence[str],
    tau_scale: str | None,
    wording: Wording,
) -> str:
    """What is wrong with a request; nothing if nothing is.

    Parameters
    ----------
    study : {"one_way", "meta_analysis"}
        Rows or averages of groups, or estimates.
    columns : mapping
        What a column holds ("value", "n", ...) to its name.
    covariates : sequence of str
    priors : sequence of str
        Parameters whose prior is given, once for each time that it is.
    tau_scale : {"relative", "absolute"}, optional
    wording : Wording
    """
    if foreign := [name for name in columns if name not in COLUMNS[study]]:
        own = wording.listed(COLUMNS[study])
        return f"{wording.named(foreign[0])} is not for {wording.subject}, which takes {own}"
    return (
        _fault_of_columns(study, columns, wording)
        or _fault_of_repetition(columns, covariates, wording)
        or _fault_of_priors(study, covariates, priors, wording)
        or _fault_of_tau(study, tau_scale, wording)
    )


def _fault_of_columns(study, columns, wording) -> str:
    """Which columns are missing, or too many."""
    if study == "meta_analysis":
        needed, errors = ["estimate"], ("se", "variance")
    elif "value" in columns:
        too_many = [name for name in columns if name not in ROWS]
        if too_many:
            return f"{wording.named(too_many[0])} does not go with {wording.named('value')}"
        return _missing(ROWS, columns, wording)
    else:
        needed, errors = list(AVERAGES), ("sd", "se")
    if study == "one_way" and not {"n", "mean", *errors} & {*columns}:
        group, value, n, mean, sd, se = map(wording.named, COLUMNS["one_way"])
        return f"{wording.subject} needs {group} and {value}, or {group}, {n}, {mean} and {sd} or {se}"
    if missing := _missing(needed, columns, wording):
        return missing
    spread = [name for name in errors if name in columns]
    if len(spread) != 1:
        return f"{wording.subject} needs one of {wording.listed(errors)}{', not both' if spread else ''}"
    return ""


def _missing(needed, columns, wording) -> str:
    missing = [name for name in needed if name not in columns]
    return f"{wording.subject} needs {wording.listed(missing)}" if missing else ""


def _fault_of_repetition(columns, covariates, wording) -> str:
    """Which column is named twice where there have to be two."""
    named = [
        *((wording.named(name), column) for name, column in columns.items()),
        *((wording.covariates, column) for column in covariates),
    ]
    for i, (option, column) in enumerate(named):
        for other, same in named[:i]:
            if column == same:
                return f"{other} and {option} both name the column {column!r}"
    return ""


def _fault_of_priors(study, covariates, priors, wording) -> str:
    """Which prior is given twice, or is of nothing that the model has."""
    names = [name.removesuffix("2") if name in ("tau2", "sigma2") else name for name in priors]
    known = PARAMETERS[study]
    for name in names:
        if names.count(name) > 1:
            return f"{wording.priors} is given twice for {name}"
        if name not in (*known, *covariates) and not name.startswith(tuple(f"{c}[" for c in covariates)):
            return f"{wording.priors} of {name}: {wording.subject} has priors of {', '.join((*known, *covariates))}"
    return ""


def fault_of_pairs(pairs: Sequence[Sequence[str]], compare: str) -> str:
    """Which group, or pair of groups, is named twice; `compare` is what the front end calls the option."""
    for pair in pairs:
        if isinstance(pair, str) or len(pair) != 2:
            return f"{compare} {pair!r}: give pairs of groups"
    if same := next((f"{a} {b}" for a, b in pairs if a == b), ""):
        return f"{compare} {same} names one group twice: name two groups"
    distinct = [frozenset(pair) for pair in pairs]
    if twice := next((pair for pair in distinct if distinct.count(pair) > 1), None):
        return f"{compare} {' '.join(sorted(twice))} is given twice: give each pair once"
    return ""


def fault_of_reading(reading: Reading, wording: Wording) -> str:
    """What is wrong with what is said of how a file is written."""
    for name in ("delimiter", "decimal", "encoding", "sheet"):
        if not isinstance(getattr(reading, name), str | None):
            return f"{wording.setting(name, getattr(reading, name))}: give a text"
    if reading.encoding is not None and not _is_encoding(reading.encoding):
        return f"{wording.setting('encoding', reading.encoding)}: there is no such encoding: try latin-1 or cp1252"
    if reading.decimal not in (None, ".", ","):
        return f"{wording.setting('decimal', reading.decimal)}: write '.' or ','"
    if reading.delimiter is not None and (len(reading.delimiter) != 1 or reading.delimiter in '"\r\n'):
        return f"{wording.setting('delimiter', reading.delimiter)}: give one character"
    if reading.skip is not None and (not isinstance(reading.skip, int) or reading.skip < 0):
        return f"{wording.setting('skip', reading.skip)}: give a whole number of 0 or more"
    return ""


def _is_encoding(name: str) -> bool:
    """Whether Python knows an encoding of text by that name."""
    try:
        "a".encode(name)
    except (LookupError, UnicodeError):
        return False
    return True


def fault_of_references(references: Sequence[str], covariates: Sequence[str], wording: Wording) -> str:
    """Which covariate has two reference levels, or is not a covariate."""
    if twice := [name for name in references if references.count(name) > 1]:
        return f"{wording.named('reference')} is given twice for {twice[0]}: give one level"
    if foreign := [name for name in references if name not in covariates]:
        return f"{wording.named('reference')} of {foreign[0]}: the covariates are {', '.join(covariates) or 'none'}"
    return ""


def _fault_of_tau(study, tau_scale, wording) -> str:
    if study == "meta_analysis" and tau_scale:
        return f"{wording.named('tau_scale')} is for one_way: there is no sigma that tau could be relative to"
    return ""
