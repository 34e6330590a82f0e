"""What is asked of a table of one's own: its columns, the priors, what to compare."""

import re
from dataclasses import dataclass, field
from pathlib import Path

CALL = re.compile(r"(\w+)\s*(?:\((.*)\))?", re.ASCII)
PRIORS = {
    "mu": "Flat(), Normal(mean, sd)",
    "tau": "Uniform(), HalfNormal(sd), HalfCauchy(scale), HalfStudentT(nu, scale)",
    "tau2": "InverseGamma(shape, scale), Uniform()",
    "sigma": "Jeffreys(), HalfCauchy(scale), HalfNormal(sd), HalfStudentT(nu, scale)",
    "sigma2": "InverseGamma(shape, scale)",
}


class InputError(ValueError):
    """Data that cannot be answered for: one line a fault."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A file and the question put to it.

    `columns` maps what the study needs (group, value, estimate, ...) to names of columns; `priors` maps a parameter, or
    a covariate, to how its prior was spelled.
    """

    path: Path
    columns: dict[str, str] = field(default_factory=dict)
    covariates: tuple[str, ...] = ()
    priors: dict[str, str] = field(default_factory=dict)
    absolute: bool = False
    compare: tuple[tuple[str, str], ...] = ()
    among: int | None = None


def prior(name: str, spelled: str):
    """Prior of a parameter from how it is spelled; any name but those of `PRIORS` is that of a coefficient, as mu.

    Raises
    ------
    ValueError
        For a spelling that is none, with those that are.

    Examples
    --------
    >>> prior("tau", "HalfCauchy(5)")
    HalfStudentT(nu=1.0, scale=5.0)
    >>> prior("mu", "Normal(0, 10)")
    Normal(mean=0.0, sd=10.0)
    """
    from models import priors

    kind = name if name in PRIORS else "mu"
    made = {
        "mu": {"Flat": priors.Normal, "Uniform": priors.Normal, "Normal": priors.Normal},
        "tau": {"Uniform": lambda: priors.FLAT, "Flat": lambda: priors.FLAT, "HalfNormal": priors.HalfNormal},
        "tau2": {
            "InverseGamma": _inverse_gamma,
            "Uniform": lambda: priors.FLAT_VARIANCE,
            "Flat": lambda: priors.FLAT_VARIANCE,
        },
        "sigma": {"Jeffreys": lambda: priors.JEFFREYS, "HalfNormal": priors.HalfNormal},
        "sigma2": {"InverseGamma": _inverse_gamma, "Jeffreys": lambda: priors.JEFFREYS},
    }[kind]
    if kind in ("tau", "sigma"):
        made |= {"HalfCauchy": priors.HalfCauchy, "HalfStudentT": priors.HalfStudentT}
    arguments = {"Normal": 2, "HalfNormal": 1, "HalfCauchy": 1, "HalfStudentT": 2, "InverseGamma": 2}
    call = CALL.fullmatch(spelled.strip())
    if call is None or call[1] not in made:
        raise ValueError(
            f"{spelled!r} is no prior of {name} that is known here: write {PRIORS[kind]}{_hint(name, call)}"
        )
    given = [part.strip() for part in call[2].split(",")] if call[2] and call[2].strip() else []
    if len(given) != arguments.get(call[1], 0):
        raise ValueError(f"{spelled!r} has {len(given)} arguments: write {PRIORS[kind]}")
    return made[call[1]](*(_number(name, spelled, part) for part in given))


def _inverse_gamma(shape: float, scale: float):
    from models import priors

    found = priors.InverseGamma(shape, scale)
    if not found.proper:  # the class has improper ones too, but those go by other names here
        raise ValueError(f"InverseGamma({shape:g}, {scale:g}) is no density: give a positive shape and scale")
    return found


def _number(name, spelled, part) -> float:
    try:
        found = float(part)
    except ValueError:
        found = float("nan")
    if not abs(found) < float("inf"):
        raise ValueError(f"{part!r} in {name}={spelled} is not a finite number")
    return found


def _hint(name, call) -> str:
    """A word to who gave the prior of a variance to its root."""
    of_variance = call is not None and call[1] == "InverseGamma" and name in ("tau", "sigma")
    return f", or {name}2=InverseGamma(shape, scale), which is of the variance" if of_variance else ""
