"""How users write the priors of each parameter; a covariate takes those of mu.

The name of a proper prior is that of its class or function in `models.priors`, which is imported when a prior is made,
so that the command line can print its help at once.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.priors import Coefficient, Scale

PROPER_OF_SCALES = ("HalfNormal(sd)", "HalfCauchy(scale)", "HalfStudentT(nu, scale)", "Exponential(scale=mean)")
SPELLINGS = {
    "mu": ("Flat()", "Normal(mean, sd)"),
    "tau": ("Uniform()", "Uniform(0, upper)", *PROPER_OF_SCALES),
    "tau2": ("InverseGamma(shape, scale)", "Uniform()"),
    "sigma": ("Jeffreys()", "Uniform(0, upper)", *PROPER_OF_SCALES),
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
    >>> prior("tau", "Uniform(0, 20)"), prior("tau", "Exponential(scale=5)")
    (BoundedUniform(end=20.0), Exponential(scale=5.0))
    """
    from models import priors

    parameter = name if name in SPELLINGS else "mu"
    alternatives = ", ".join(SPELLINGS[parameter])
    signatures = {signature.partition("(")[0]: signature for signature in SPELLINGS[parameter] if "()" not in signature}
    call = CALL.fullmatch(spelled.strip())
    if call is None or call[1] not in signatures | IMPROPER[parameter]:
        hint = _hint(name, call) or _near(call, signatures | IMPROPER[parameter])
        raise ValueError(f"{spelled!r} is no prior of {name} that is known here: write {alternatives}{hint}")
    arguments = _fields(call[2] or "")
    if not arguments and call[1] in IMPROPER[parameter]:
        return getattr(priors, IMPROPER[parameter][call[1]])
    expected = _fields(signatures.get(call[1], "()").partition("(")[2].removesuffix(")"))
    if len(arguments) != len(expected):
        raise ValueError(f"{spelled!r} has {len(arguments)} arguments: write {alternatives}")
    arguments = [_value(spelled, *pair) for pair in zip(arguments, expected, strict=True)]
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
    if kind == "BoundedUniform":
        kind, arguments = "Uniform", {"lower": 0.0, **arguments}
    keyword = "scale=" if kind == "Exponential" else ""
    return f"{kind}({keyword}{', '.join(f'{float(number)!r}'.removesuffix('.0') for number in arguments.values())})"


def _fields(text: str) -> list[str]:
    """What stands between commas."""
    return [field.strip() for field in text.split(",")] if text.strip() else []


def _value(spelled, argument, expected) -> str:
    """Value of an argument; its keyword is needed where the signature has one, as others mean the rate."""
    keyword, _, value = (part.strip() for part in argument.rpartition("="))
    needed, _, named = expected.rpartition("=")
    if needed and keyword != needed:
        raise ValueError(f"{spelled!r} may mean a scale or a rate: write {needed}={value} if {value} is the {named}")
    if keyword not in ("", needed, expected):
        raise ValueError(f"{spelled!r} has no argument {keyword!r}: write its value alone")
    return value


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
