"""How users write the priors of each parameter; a covariate takes those of mu.

The name of a proper prior is that of its class or function in `models.priors`. Nothing is imported here, so that the
command line can print its help at once.
"""

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
