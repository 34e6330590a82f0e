"""Log densities of PyMC's models in the parameters themselves, whatever PyMC samples in their place."""

import numpy as np

from models import priors


def state(model, rng):
    """A state somewhere near the data, one chain: b, tau2, sigma2, theta."""
    b = rng.normal(size=(1, len(model.coefficients))) * 3
    b[:, 0] += model.groups.mean.mean()
    return model.start(1, rng) | {"b": b}


def log_density(model, built):
    """Of PyMC's model in (b, tau^2, sigma^2), as a function of a state and of what else it samples: theta or z."""
    logp = built.compile_logp(jacobian=False)

    def density(here, **extra):
        values = {"mu": here["b"][0, 0], **extra}
        values |= {f"beta_{k}": here["b"][0, k] for k in range(1, here["b"].shape[1])}
        log_jacobian = 0.0
        for name, prior in (("tau", model.tau), ("sigma", model.sigma)):
            if not isinstance(prior, priors.KnownScale):
                spelling, values[spelling], log_derivative = spelled(name, prior, np.sqrt(here[f"{name}2"][0]))
                log_jacobian += log_derivative
        names = {
            value.name: variable.name for variable, value in built.rvs_to_values.items() if variable in built.free_RVs
        }
        # PyMC's value of a positive parameter is its log.
        point = {v: np.log(values[name]) if v.endswith("_log__") else values[name] for v, name in names.items()}
        return float(logp(point)) + log_jacobian

    return density


def spelled(name, prior, sd):
    """What PyMC calls a scale, its value, and the log of its derivative with respect to the variance."""
    match prior:
        case priors.InverseGamma(scale=s) if s > 0:
            return f"{name}2", sd**2, 0.0
        case priors.InverseGamma(shape=0):
            return f"log_{name}", np.log(sd), -np.log(2 * sd**2)
        case priors.InverseGamma(shape=a) if a != -0.5:
            return f"{name}_power", sd ** (-2 * a), np.log(abs(a)) + (-2 * a - 2) * np.log(sd)
    return name, sd, -np.log(2 * sd)
