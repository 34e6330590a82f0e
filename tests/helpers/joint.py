"""Log densities of PyMC's models in the parameters themselves, whatever PyMC samples in their place."""

import numpy as np
from pymc.model.transform.conditioning import remove_value_transforms

from models import priors


def state(model, rng):
    """A state somewhere near the data, one chain: b, tau2, sigma2, theta."""
    b = rng.normal(size=(1, len(model.coefficients))) * 3
    b[:, 0] += model.groups.mean.mean()
    return model.start(1, rng) | {"b": b}


def untransformed(built):
    """Log density of PyMC's model in its free variables by name."""
    plain = remove_value_transforms(built)
    names, logp = {variable.name for variable in plain.free_RVs}, plain.compile_logp()
    return lambda values: float(logp({name: values[name] for name in names}))


def log_density(model, built):
    """Of PyMC's model in (b, tau^2, sigma^2), and theta where it has it, as a function of a state."""
    logp = untransformed(built)
    unknown = [name for name in ("tau", "sigma") if not isinstance(getattr(model, name), priors.KnownScale)]

    def density(here):
        b, theta = here["b"][0], here["theta"][0]
        sds = {name: np.sqrt(here[f"{name}2"][0]) for name in unknown}
        values = {"mu": b[0], "beta": b[1:], "theta": theta} | sds
        return logp(values) + sum(log_derivative(sd) for sd in sds.values())

    return density


def log_derivative(sd):
    """Log of the derivative of an sd with respect to its variance."""
    return -np.log(2 * sd)
