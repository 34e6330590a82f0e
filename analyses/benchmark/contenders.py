"""The contenders, and where each is installed."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Literal

from analyses.benchmark.simulate_rows import Size

RIVALS = Path(__file__).with_name("rivals")
SAME, ANOTHER, POINT = "the same", "another", "a point"  # posteriors
NUTS = ("marginal", "centered", "noncentered")


@dataclass(frozen=True)
class Installation:
    """The command that starts a contender, and its version."""

    command: tuple[str, ...]
    version: str


@dataclass(frozen=True)
class Contender:
    """One way from the rows to the posterior.

    Attributes
    ----------
    key, name : str
        In the table and on the page.
    description : str
        In a sentence.
    find : callable
        Looks in a list of interpreters; returns None where the contender is not installed.
    posterior : str
        The same as ours, another, or a point and no posterior.
    ours : bool
    hands_in : {"draws", "seconds", "nothing"}
        Draws and seconds, seconds alone, or nothing: then it is timed from outside, Python's start too.
    arguments : callable, optional
        The rows and the folder to hand in to, to the arguments of the command; those two and a seed, if not given.
    statuses : tuple of int
        With which its command may end.
    first_round_only : bool
    largest : Size, optional
        The largest table that it is given.
    """

    key: str
    name: str
    description: str
    find: Callable[[list[str]], Installation | None]
    posterior: str = SAME
    ours: bool = False
    hands_in: Literal["draws", "seconds", "nothing"] = "draws"
    arguments: Callable[[Path, Path], list[str]] | None = None
    statuses: tuple[int, ...] = (0,)
    first_round_only: bool = False
    largest: Size | None = None

    def takes(self, size: Size) -> bool:
        """Whether a table of that size is not too large for it."""
        return self.largest is None or (size.rows <= self.largest.rows and size.groups <= self.largest.groups)


def own(module: str, *route: str) -> Callable[[list[str]], Installation | None]:
    """Find a route of this package: it is here."""
    version = f"PyMC {metadata.version('pymc')}" if set(route) & set(NUTS) else metadata.version("partial-pooling")
    return lambda pythons: Installation((sys.executable, "-m", module, *route), version)


def in_python(package: str, *arguments: str, also: str = "") -> Callable[[list[str]], Installation | None]:
    """Find a package in the first interpreter that has it, and another package if one is needed too."""

    def find(pythons):
        for python in pythons:
            if (version := version_in(python, package)) and (not also or version_in(python, also)):
                return Installation((python, *arguments), version)
        return None

    return find


def rival(package: str, script: str) -> Callable[[list[str]], Installation | None]:
    """Find the package of a script in `rivals`."""
    return in_python(package, str(RIVALS / script))


def with_empty_caches(find: Callable[[list[str]], Installation | None]) -> Callable[[list[str]], Installation | None]:
    """Start what is found with empty caches of PyTensor and numba."""

    def started(pythons):
        found = find(pythons)
        return found and replace(found, command=(sys.executable, "-m", "analyses.benchmark.cold", *found.command))

    return started


def find_jags(pythons: list[str]) -> Installation | None:
    """Find JAGS, whose version is in its greeting."""
    if not shutil.which("jags"):
        return None
    greeting = subprocess.run(["jags"], input="exit\n", capture_output=True, text=True).stdout.split()
    version = greeting[greeting.index("JAGS") + 1] if "JAGS" in greeting else "of unknown version"
    return Installation((sys.executable, str(RIVALS / "jags.py")), version)


def lme4(script: str) -> Callable[[list[str]], Installation | None]:
    """Find lme4 in R, for a script."""

    def find(pythons):
        if not shutil.which("Rscript"):
            return None
        version = output_of("Rscript", "-e", 'cat(as.character(packageVersion("lme4")))')
        return Installation(("Rscript", str(RIVALS / script)), version) if version else None

    return find


def version_in(python: str, package: str) -> str:
    """Version of a package in an interpreter; empty where it has none."""
    return output_of(python, "-c", f"from importlib.metadata import version; print(version({package!r}))")


def output_of(*command: str) -> str:
    """What a command prints; empty where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def _own(key, name, description) -> Contender:
    return Contender(key, name, description, own("analyses.benchmark.own_routes", key), ours=True)


CONTENDERS = (
    _own(
        "population",
        "independent draws, no theta",
        "quadrature over tau, then 400,000 independent draws of mu, sigma and tau",
    ),
    _own(
        "exact",
        "independent draws",
        "quadrature over tau, then 40,000 independent draws, with theta of every school",
    ),
    _own("gibbs", "Gibbs", "125 chains at once on summaries, every sweep kept, 40,000"),
    _own(
        "marginal",
        "NUTS, marginal",
        "PyMC on summaries, theta integrated out and drawn afterwards; 500 steps to tune three numbers",
    ),
    _own("centered", "NUTS, centered", "PyMC on summaries, theta sampled"),
    _own("noncentered", "NUTS, noncentered", "PyMC on summaries, standardised theta sampled"),
    Contender(
        "pymc",
        "PyMC on rows",
        "the model as textbooks write it, PyMC's own NUTS with its 1000 steps to tune",
        rival("pymc", "pymc_rows.py"),
    ),
    Contender("nutpie", "nutpie on rows", "the same PyMC model, nutpie's NUTS", rival("nutpie", "nutpie_rows.py")),
    Contender(
        "nutpie_marginal",
        "nutpie, marginal",
        "PyMC on summaries, theta integrated out and drawn afterwards, nutpie's NUTS",
        rival("nutpie", "nutpie_marginal.py"),
        ours=True,
    ),
    Contender(
        "numpyro",
        "numpyro on rows",
        "the same model in numpyro, four chains vectorised, single precision as it comes",
        rival("numpyro", "numpyro_rows.py"),
    ),
    Contender(
        "bambi",
        "bambi",
        "score ~ 1 + (1|school), its own priors and parameterization, PyMC's NUTS",
        rival("bambi", "bambi_rows.py"),
        ANOTHER,
    ),
    Contender(
        "jags",
        "JAGS",
        "the same model on rows; mu ~ N(0, 1000²) for flat, 1/sigma² ~ Gamma(0.001, 0.001) for 1/sigma²; 1000 steps to "
        "adapt, 1000 thrown away, 10,000 kept in each of four chains",
        find_jags,
    ),
    Contender(
        "lme4",
        "lme4",
        "lmer(score ~ 1 + (1 | school)), REML: a point estimate",
        lme4("lme4.R"),
        POINT,
        hands_in="seconds",
    ),
)
