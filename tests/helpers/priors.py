"""An example of each prior for each parameter, and what tests know of priors, written apart from the product.

A new prior needs an example, its kernel and, for tables that anyone may bring, its name in `KINDS`.
"""

from dataclasses import asdict

import numpy as np
from mpmath import mp, mpf

from models import priors

TAU = {
    "flat": priors.FLAT,
    "flat on tau2": priors.FLAT_VARIANCE,
    "half-normal": priors.HalfNormal(0.9),
    "half-Cauchy": priors.HalfCauchy(0.7),
    "half-t": priors.HalfStudentT(4.0, 0.8),
    "inverse gamma": priors.InverseGamma(1.0, 0.3),
    "exponential": priors.Exponential(0.8),
}
SIGMA = {
    "Jeffreys": priors.JEFFREYS,
    "half-Cauchy": priors.HalfCauchy(9.0),
    "half-normal": priors.HalfNormal(14.0),
    "inverse gamma": priors.InverseGamma(2.0, 150.0),
    "exponential": priors.Exponential(12.0),
}
# With ends that the data would have them exceed. They have no kernel: sums over logs have no place for an edge.
BOUNDED = {"tau": priors.BoundedUniform(0.7), "sigma": priors.BoundedUniform(10.5)}
COEFFICIENTS = {"flat": priors.FLAT_COEFFICIENT, "normal": priors.Normal(1.0, 2.0)}
SCALES = list(dict.fromkeys([*TAU.values(), *SIGMA.values()]))
PROPER = [prior for prior in SCALES if prior.proper]

# Spelled for tables that anyone may bring, a 2 for those of the variance where a name is of both.
KINDS = {
    "tau": ("Uniform", "Uniform2", "HalfNormal", "HalfCauchy", "HalfStudentT", "InverseGamma", "Exponential"),
    "sigma": ("Jeffreys", "InverseGamma"),
    "sigma, on a lattice": ("HalfCauchy", "HalfNormal", "Exponential"),
}

# Log density up to a constant, of the log u of the scale; m is NumPy or mpmath.
LOG_KERNELS = {
    priors.InverseGamma: lambda m, u, shape, scale: -(2 * shape + 1) * u - scale * m.exp(-2 * u),
    priors.HalfStudentT: lambda m, u, nu, scale: -(nu + 1) / 2 * m.log1p(m.exp(2 * (u - m.log(scale))) / nu),
    priors.HalfNormal: lambda m, u, scale: -m.exp(2 * (u - m.log(scale))) / 2,
    priors.Exponential: lambda m, u, scale: -m.exp(u - m.log(scale)),
    priors.KnownScale: lambda m, u: 0 * u,
}


def log_kernel(prior, log_sd):
    """Log density of a scale, up to a constant: at the digits of mpmath for its numbers, else in doubles."""
    library, number = (mp, mpf) if isinstance(log_sd, mpf) else (np, float)
    parameters = {name: number(value) for name, value in asdict(prior).items()}
    return LOG_KERNELS[type(prior)](library, log_sd, **parameters)
