"""Who takes part, where it is found, and one run of it: always a process of its own."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr

from analyses.engines.summary_tables import flat

RIVALS = Path(__file__).with_name("rivals")
MOST_SECONDS = 1800
SAME, ANOTHER, POINT = "the same", "another", "a point"  # posteriors
POPULATION = ("mu", "sigma", "tau")
NUTS = ("marginal", "centered", "noncentered")
CHECKED = ("mu", "sigma", "sd_between")


class Found(NamedTuple):
    """How a contender is called, and its version."""

    command: tuple[str, ...]
    version: str


class Broke(Exception):
    """A run that did not end well, with the last line of what it said."""


@dataclass(frozen=True)
class Contender:
    """One way to the posterior.

    Attributes
    ----------
    key, name : str
        In the table and on the page.
    what : str
        In a sentence.
    find : callable
        Of the interpreters to look in; None where it is not installed.
    posterior : str
        The same as ours, another, or a point and no posterior.
    ours : bool
    """

    key: str
    name: str
    what: str
    find: Callable[[list[str]], Found | None]
    posterior: str = SAME
    ours: bool = False


@dataclass(frozen=True, eq=False)
class Run:
    """What one run came to.

    Attributes
    ----------
    seconds : dict
        Of setup, compile and sampling.
    draws : int
    ess : Series
        Bulk effective sample size by variable and label; empty for a point.
    mean, mcse : Series
        Of the quantities that are checked; empty for a point.
    """

    seconds: dict[str, float]
    draws: int = 0
    ess: pd.Series | None = None
    mean: pd.Series | None = None
    mcse: pd.Series | None = None


def ours(route: str):
    """Find a route of this package: it is here."""

    def found(pythons):
        version = f"PyMC {metadata.version('pymc')}" if route in NUTS else metadata.version("partial-pooling")
        return Found((sys.executable, "-m", "analyses.benchmark.own_routes", route), version)

    return found


def in_python(package: str, script: str):
    """Find a package in the first interpreter that has it."""

    def found(pythons):
        for python in pythons:
            if version := version_in(python, package):
                return Found((python, str(RIVALS / script)), version)
        return None

    return found


def jags(pythons) -> Found | None:
    """Find JAGS, whose version is in its greeting."""
    if not shutil.which("jags"):
        return None
    greeting = subprocess.run(["jags"], input="exit\n", capture_output=True, text=True).stdout.split()
    version = greeting[greeting.index("JAGS") + 1] if "JAGS" in greeting else "of unknown version"
    return Found((sys.executable, str(RIVALS / "jags.py")), version)


def lme4(pythons) -> Found | None:
    """Find lme4 in R."""
    if not shutil.which("Rscript"):
        return None
    asked = ["Rscript", "-e", 'cat(as.character(packageVersion("lme4")))']
    done = subprocess.run(asked, capture_output=True, text=True)
    return Found(("Rscript", str(RIVALS / "lme4.R")), done.stdout.strip()) if done.returncode == 0 else None


def version_in(python: str, package: str) -> str:
    """Version of a package in an interpreter; empty where it has none."""
    asked = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    done = subprocess.run([python, "-c", asked, package], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


CONTENDERS = (
    Contender(
        "population",
        "independent draws, no theta",
        "quadrature over tau, then 400,000 independent draws of mu, sigma and tau",
        ours("population"),
        ours=True,
    ),
    Contender(
        "exact",
        "independent draws",
        "quadrature over tau, then 40,000 independent draws, with theta of every school",
        ours("exact"),
        ours=True,
    ),
    Contender("gibbs", "Gibbs", "125 chains at once on summaries, every sweep kept, 40,000", ours("gibbs"), ours=True),
    Contender(
        "marginal",
        "NUTS, marginal",
        "PyMC on summaries, theta integrated out and drawn afterwards; 500 steps to tune three numbers",
        ours("marginal"),
        ours=True,
    ),
    Contender("centered", "NUTS, centered", "PyMC on summaries, theta sampled", ours("centered"), ours=True),
    Contender(
        "noncentered",
        "NUTS, noncentered",
        "PyMC on summaries, standardised theta sampled",
        ours("noncentered"),
        ours=True,
    ),
    Contender(
        "pymc",
        "PyMC on rows",
        "the model as textbooks write it, PyMC's own NUTS with its 1000 steps to tune",
        in_python("pymc", "pymc_rows.py"),
    ),
    Contender("nutpie", "nutpie on rows", "the same PyMC model, nutpie's NUTS", in_python("nutpie", "nutpie_rows.py")),
    Contender(
        "nutpie_marginal",
        "nutpie, marginal",
        "PyMC on summaries, theta integrated out and drawn afterwards, nutpie's NUTS",
        in_python("nutpie", "nutpie_marginal.py"),
        ours=True,
    ),
    Contender(
        "numpyro",
        "numpyro on rows",
        "the same model in numpyro, four chains vectorised, single precision as it comes",
        in_python("numpyro", "numpyro_rows.py"),
    ),
    Contender(
        "bambi",
        "bambi",
        "score ~ 1 + (1|school), its own priors and parameterization, PyMC's NUTS",
        in_python("bambi", "bambi_rows.py"),
        posterior=ANOTHER,
    ),
    Contender(
        "jags",
        "JAGS",
        "the same model on rows; mu ~ N(0, 1000²) for flat, 1/sigma² ~ Gamma(0.001, 0.001) for 1/sigma²; 1000 steps to "
        "adapt, 1000 thrown away, 10,000 kept in each of four chains",
        jags,
    ),
    Contender("lme4", "lme4", "lmer(score ~ 1 + (1 | school)), REML: a point estimate", lme4, posterior=POINT),
)


def run(found: Found, posterior: str, rows: Path, folder: Path, seed: int) -> Run:
    """Let a contender run once, handing in to a folder that is there and empty.

    Raises
    ------
    Broke
        With the last line of its error.
    """
    command = [*found.command, str(rows), str(folder), str(seed)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS)
    except subprocess.TimeoutExpired:
        raise Broke(f"not done after {MOST_SECONDS} s") from None
    if done.returncode:
        raise Broke(last_line(done))
    try:
        seconds = json.loads((folder / "seconds.json").read_text(encoding="utf-8"))
        return Run(seconds) if posterior == POINT else judged(seconds, _draws(folder))
    except FileNotFoundError as error:
        raise Broke(f"handed in no {Path(error.filename).name}") from None


def last_line(done) -> str:
    """What a process said last; how it ended, if it said nothing."""
    said = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
    return said[-1] if said else f"exit status {done.returncode}, and nothing said"


def _draws(folder) -> xr.Dataset:
    with np.load(folder / "draws.npz") as given:
        found = {name: given[name] for name in (*POPULATION, "theta") if name in given}
    return xr.Dataset({name: (("chain", "draw", "school")[: values.ndim], values) for name, values in found.items()})


def judged(seconds: dict[str, float], draws: xr.Dataset) -> Run:
    """Effective sample sizes of all draws, whoever made them, and the means that tell whether they are right."""
    draws = draws.astype(float).assign_coords(school=np.arange(draws.sizes.get("school", 0)))
    checked = draws.assign(sd_between=draws["tau"] * draws["sigma"])[list(CHECKED)]
    return Run(
        seconds=seconds,
        draws=draws.sizes["chain"] * draws.sizes["draw"],
        ess=flat(az.ess(draws, method="bulk")),
        mean=flat(checked.mean(("chain", "draw"))),
        mcse=flat(az.mcse(checked, method="mean")),
    )
