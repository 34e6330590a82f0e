"""Computations that a user waits for, timed from within: NAME ROWS FOLDER SEED."""

import sys
import time
from itertools import product

import numpy as np

from analyses.benchmark.rivals.contender_io import Stopwatch, write_record
from analyses.checks import evidence
from analyses.engines import exact, three_level
from models import classrooms, eight_schools, priors
from models.groups import Replicates
from models.two_level import TwoLevel

GROUPS = 100
OF_SD = {  # priors of a standard deviation, by how they are spelled; the scale is that of the data
    "HalfNormal": priors.HalfNormal,
    "HalfCauchy": priors.HalfCauchy,
    "HalfStudentT(3)": lambda scale: priors.HalfStudentT(3.0, scale),
    "Exponential": priors.Exponential,
    "Uniform(0, 5 scales)": lambda scale: priors.BoundedUniform(5 * scale),
    "InverseGamma(1)": lambda scale: priors.InverseGamma(1.0, scale**2),
    "flat": lambda scale: priors.FLAT,
}
OF_SIGMA = OF_SD | {"Jeffreys": lambda scale: priors.JEFFREYS}
OF_MU = {"flat": priors.Normal(), "normal": priors.Normal(50.0, 10.0)}
TAU, SIGMA = 5.0, 9.0


def of_classrooms() -> dict[str, float]:
    """The three-level posterior with its stated errors."""
    watch = Stopwatch()
    posterior = three_level.posterior(classrooms.model())
    posterior.table()
    posterior.error()
    watch.lap("three levels")
    return watch.seconds


def of_all_priors() -> dict[str, float]:
    """Posterior and table of a hundred groups for every prior of tau with every one of sigma and mu: the slowest."""
    rng = np.random.default_rng(20)
    n, theta = rng.integers(2, 40, GROUPS), 50 + TAU * rng.standard_normal(GROUPS)
    mean, ss = theta + SIGMA / np.sqrt(n) * rng.standard_normal(GROUPS), SIGMA**2 * rng.chisquare(n - 1)
    groups, seconds = Replicates.from_summary([str(i) for i in range(GROUPS)], n, mean, ss), {}
    for (tau, of_tau), (sigma, of_sigma), (mu, of_mu), relative in product(
        OF_SD.items(), OF_SIGMA.items(), OF_MU.items(), (True, False)
    ):
        scale = TAU / SIGMA if relative else TAU
        stated = {"tau": of_tau(scale), "sigma": of_sigma(SIGMA), "coefficients": (of_mu,), "relative": relative}
        started = time.perf_counter()
        exact.posterior(TwoLevel(groups=groups, **stated)).table()
        spelled = f"tau {tau} ({'relative' if relative else 'absolute'}), sigma {sigma}, mu {mu}"
        seconds[spelled] = time.perf_counter() - started
    slowest = max(seconds, key=lambda name: seconds[name])
    return {slowest: seconds[slowest]}


def of_many_scales() -> dict[str, float]:
    """Bayes factors of tau = 0 for 200 priors of tau."""
    watch = Stopwatch()
    evidence.by_scale(eight_schools.weakly_informative(), evidence.SWEEP)
    watch.lap("200 priors")
    return watch.seconds


JOBS = {"three_levels": of_classrooms, "priors": of_all_priors, "evidence": of_many_scales}


def main(name: str, rows: str, folder: str, seed: str) -> None:
    """Do the job of that name."""
    write_record(folder, seconds=JOBS[name]())


if __name__ == "__main__":
    main(*sys.argv[1:])
