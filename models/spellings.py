"""How users write the priors of each parameter; a covariate takes those of mu.

The name of a proper prior is that of its class or function in `models.priors`, which is imported when a prior is made,
so that the command line can print its help at once.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.priors import Coefficient, Scale

SPELLINGS = {
    "mu": ("Flat()", "Normal(mean, sd)"),
    "tau": ("Uniform()", "HalfNormal(sd)", "HalfCauchy(scale)", "HalfStudentT(nu, scale)"),
    "tau2": ("InverseGamma(shape, scale)", "Uniform()"),
    "sigma": ("Jeffreys()", "HalfCauchy(scale)", "HalfNormal(sd)", "HalfStudentT(nu, scale)"),
    "sigma2": ("InverseGamma(shape, scale)",),
}
IMPROPER = {  # constants of `models.priors`, synonyms that are not suggested included
    "mu": {"Flat": "FLAT_COEFFICIENT", "Uniform": "FLAT_COEFFICIENT"},
    "tau": {"Uniform": "FLAT", "Flat": "FLAT"},
    "tau2": {"Uniform": "FLAT_VARIANCE", "Flat": "FLAT_VARIANCE"},
    "sigma": {"Jeffreys": "JEFFREYS"},
    "sigma2": {"Jeffreys": "JEFFREYS"},
}
CALL = re.compile(r"(\w+)\s*(?:\((.*)\))?", re.ASCII)


def prior(name: str, spelled: str) -> "Scale | Coefficient":
    """Prior of a parameter from its spelling; a name that is not in `SPELLINGS` is a covariate, spelled like mu.

    Raises
    ------
    ValueError
        For an unknown spelling, with the known ones.

    Examples
    --------
    >>> prior("tau", "HalfCauchy(5)")
    HalfStudentT(nu=1.0, scale=5.0)
    >>> prior("mu", "Normal(0, 10)")
    Normal(mean=0.0, sd=10.0)
    """
    from models import priors

    parameter = name if name in SPELLINGS else "mu"
    alternatives = ", ".join(SPELLINGS[parameter])
    counts = {signature.partition("(")[0]: signature.count(",") + 1 for signature in SPELLINGS[parameter]}
    counts |= dict.fromkeys(IMPROPER[parameter], 0)
    call = CALL.fullmatch(spelled.strip())
    if call is None or call[1] not in counts:
        hint = _hint(name, call) or _near(call, counts)
        raise ValueError(f"{spelled!r} is no prior of {name} that is known here: write {alternatives}{hint}")
    arguments = [part.strip() for part in call[2].split(",")] if call[2] and call[2].strip() else []
    if len(arguments) != counts[call[1]]:
        raise ValueError(f"{spelled!r} has {len(arguments)} arguments: write {alternatives}")
    if not arguments:
        return getattr(priors, IMPROPER[parameter][call[1]])
    numbers = [_number(name, spelled, argument) for argument in arguments]
    proper = getattr(priors, call[1])(*numbers)
    if not proper.proper:  # InverseGamma has improper ones too, but those go by other names here
        raise ValueError("InverseGamma({:g}, {:g}) is no density: give a positive shape and scale".format(*numbers))
    return proper


def spelled(name: str, value: object) -> str:
    """Spelling of the prior of a parameter, from text or from an object of `models.priors`.

    Raises
    ------
    ValueError
        For a value that is not a prior.

    Examples
    --------
    >>> from models import priors
    >>> spelled("tau", priors.HalfCauchy(2.5)), spelled("tau2", priors.FLAT_VARIANCE), spelled("mu", "Normal(0, 1)")
    ('HalfCauchy(2.5)', 'Uniform()', 'Normal(0, 1)')
    """
    from models import priors

    if isinstance(value, str):
        return value
    for synonym, constant in IMPROPER.get(name, IMPROPER["mu"]).items():
        if value == getattr(priors, constant):
            return f"{synonym}()"
    kind = type(value).__name__
    if getattr(priors, kind, None) is not type(value):
        alternatives = ", ".join(SPELLINGS.get(name, SPELLINGS["mu"]))
        raise ValueError(f"{name}={value!r} is not a prior: write one of {alternatives}")
    arguments = vars(value)
    if kind == "HalfStudentT" and arguments["nu"] == 1:
        kind, arguments = "HalfCauchy", {"scale": arguments["scale"]}
    return f"{kind}({', '.join(f'{float(number)!r}'.removesuffix('.0') for number in arguments.values())})"


def _near(call, known) -> str:
    """Suggest a prior with a similar name."""
    from models.groups.naming import nearest

    near = nearest(call[1], known) if call else ""
    return f"; did you mean {near}?" if near else ""


def stated(name: str, value: object) -> tuple[str, str]:
    """Name of a parameter, or of its square where the prior is that of the variance, and the spelling of its prior.

    Examples
    --------
    >>> from models import priors
    >>> stated("tau", priors.InverseGamma(0.5, 0.5)), stated("sigma", priors.JEFFREYS)
    (('tau2', 'InverseGamma(0.5, 0.5)'), ('sigma', 'Jeffreys()'))
    """
    from models import priors

    of_variance = isinstance(value, priors.InverseGamma) and value not in (priors.FLAT, priors.JEFFREYS)
    name = f"{name}2" if of_variance else name
    return name, spelled(name, value)


def require_prior(name: str, value: object) -> None:
    """Refuse a value that is not a prior.

    Raises
    ------
    ValueError
        With the known priors.
    """
    if not hasattr(value, "log_density"):
        alternatives = ", ".join(SPELLINGS.get(name, SPELLINGS["mu"]))
        raise ValueError(f"{name}={value!r} is not a prior: use models.priors, {alternatives}")


def _number(name, spelled, argument) -> float:
    try:
        number = float(argument)
    except ValueError:
        number = float("nan")
    if not abs(number) < float("inf"):
        raise ValueError(f"{argument!r} in {name}={spelled} is not a finite number")
    return number


def _hint(name, call) -> str:
    """Suggest the variance where the prior is one of variances and was given for the standard deviation."""
    of_variance = [s for s in SPELLINGS.get(f"{name}2", ()) if call and s.startswith(f"{call[1]}(")]
    return f", or {name}2={of_variance[0]}, which is of the variance" if of_variance else ""
