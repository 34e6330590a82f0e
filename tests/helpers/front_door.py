"""One question put to the command line and to `fit`: options of the one as arguments of the other."""

from analyses import fit

SEVERAL = {"covariate": "covariates"}


def arguments_of(options):
    """Arguments of `fit` that say what options of the command line say."""
    given = {"covariates": [], "priors": {}}
    pairs = zip(options[::2], options[1::2], strict=True)
    for option, value in pairs:
        name = option.removeprefix("--").replace("-", "_")
        if name == "prior":
            parameter, _, spelled = value.partition("=")
            given["priors"][parameter] = spelled
        elif name in SEVERAL:
            given[SEVERAL[name]].append(value)
        else:
            given[name] = value
    return given


def fitted(table, *options):
    return fit(table, **arguments_of(options))


def as_fit_says(message, study):
    """A message of the command line in the words of `fit`, which has other names for options, and no studies."""
    text = message.removeprefix("python -m analyses.run: ").removeprefix("argument --prior: ")
    subject = "a fit of groups" if study == "one_way" else "a fit of estimates"
    if text.startswith(f"{study} ") or f"is not for {study}" in text or f": {study} has priors" in text:
        text = text.replace(study, subject, 1)
    text = text.replace("--covariate ", "covariates ").replace("--prior ", "priors ")
    for name in ("group", "value", "n", "mean", "sd", "se", "estimate", "variance", "label"):
        for end in (" ", ",", ""):
            text = text.replace(f"--{name}{end}", f"{name}={end}") if end else text
        text = f"{text.removesuffix(f'--{name}')}{name}=" if text.endswith(f"--{name}") else text
    return text.replace("--tau-scale", "tau_scale=")
