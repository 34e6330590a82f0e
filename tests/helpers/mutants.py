"""Mistakes that samplers for these models make, each a small patch of one conditional of the right one.

`MUTANTS` maps a family of `analyses.calibrate.families` to mistakes: what is wrong, in words, and a function of the
model and its right conditionals that gives those to put in their place. `SAMPLERS` maps a family to samplers that are
wrong as a whole. `python -m analyses.calibrate --mutants tests/helpers/mutants.py` calibrates each;
each has to fail.

Where a source prints the mistake its number stands before it; the others are what public code for these exercises does.
"""

from dataclasses import replace

import numpy as np

from analyses.engines import direct_sampling
from analyses.engines.inference_data import complete
from models import distributions, priors
from models.shrinkage import theta_given


def _changed(name, change):
    """One conditional with its law changed: change(law, state) gives the wrong one."""
    return lambda model, right: {name: lambda state: change(right[name](state), state)}


def _sd(name, change):
    """A normal law with another sd."""
    return _changed(name, lambda law, state: distributions.Normal(law.mean, change(law.sd)))


def _shape(name, by):
    """An inverse gamma with its shape off."""
    return _changed(name, lambda law, state: distributions.InverseGamma(law.shape + by, law.scale))


def _scale(name, factor):
    """An inverse gamma with its scale off."""
    return _changed(name, lambda law, state: distributions.InverseGamma(law.shape, factor * law.scale))


class _Stay:
    """No law at all: what was there stays."""

    def __init__(self, value):
        self.value = value

    def draw(self, rng):
        return self.value

    def log_density(self, x):
        return np.zeros(len(x))


def _left_out(name):
    """A step that is never taken."""
    return lambda model, right: {name: lambda state: _Stay(state[name])}


def _reciprocal(name):
    """The precision's gamma law taken for the variance's."""
    return _changed(name, lambda law, state: distributions.Gamma(law.shape, law.scale))


def _covariance(factor):
    """The law of b with its covariance off: factor(model, state)."""

    def patch(model, right):
        def b(state):
            law = right["b"](state)
            return distributions.MultivariateNormal(
                law.mean, law.covariance * np.asarray(factor(model, state))[..., None, None]
            )

        return {"b": b}

    return patch


def _variances(model, state):
    """Of group means and of theta, (data, J) or (data, 1)."""
    return model.variances(model.groups.noise, np.sqrt(state["tau2"])[:, None], np.sqrt(state["sigma2"])[:, None])


def _theta(of):
    """Theta with a mean and variance of another's making: of(model, state, noise, population, between)."""

    def patch(model, right):
        def theta(state):
            noise, between = _variances(model, state)
            mean, variance = of(model, state, noise, state["b"] @ model.groups.design.T, between)
            return distributions.Normal(mean, np.sqrt(variance))

        return {"theta": theta}

    return patch


def _inverse_gamma(name, of):
    """A variance whose conditional's shape and scale are of another's making: of(model, state)."""
    return lambda model, right: {name: lambda state: distributions.InverseGamma(*of(model, state))}


def _deviations(model, state, b=None):
    """Sum of squares of theta about its population."""
    return np.sum((state["theta"] - (state["b"] if b is None else b) @ model.groups.design.T) ** 2, axis=-1)


def _residual(model, state, weight=None):
    """Sum of squares of rows about theta, or of their means alone by another weight."""
    g = model.groups
    return g.within[1] + np.sum((g.mean - state["theta"]) ** 2 * (1 / g.noise if weight is None else weight), axis=-1)


def _rows(model):
    """Rows, and groups."""
    return model.groups.within[0] + len(model.groups), len(model.groups)


def _of_sigma2(model, state, *, half=0.5, residual=None, population=None, count=None):
    n, groups = _rows(model)
    of_groups = _deviations(model, state) / state["tau2"] if population is None else population
    squares = (_residual(model, state) if residual is None else residual) + of_groups
    return (n + groups if count is None else count) / 2, half * squares


OF_THETA = {
    "theta: a variance where an sd belongs": _sd("theta", lambda sd: sd**2),
    "001: theta: its variance lacks an inverse": _sd("theta", lambda sd: 1 / sd),
    "theta: kappa and 1 - kappa exchanged": _theta(
        lambda model, state, noise, population, between: theta_given(population, noise, model.groups.mean, between)
    ),
}
ROWS_OF_THETA = OF_THETA | {
    "theta: the rows of its group forgotten": _theta(
        lambda model, state, noise, population, between: theta_given(
            model.groups.mean, noise / model.groups.noise, population, between
        )
    ),
    "theta: sigma² forgotten in the spread between groups": _theta(
        lambda model, state, noise, population, between: theta_given(
            model.groups.mean, noise, population, state["tau2"][:, None]
        )
    ),
}
RELATIVE = ROWS_OF_THETA | {
    "mu: sigma² forgotten": _covariance(lambda model, state: 1 / state["sigma2"]),
    "mu: a variance where an sd belongs": _covariance(lambda model, s: s["tau2"] * s["sigma2"] / len(model.groups)),
    "sigma²: shape off by one half": _shape("sigma2", 0.5),
    "sigma²: the scale's half dropped": _scale("sigma2", 2.0),
    "sigma²: one over it": _reciprocal("sigma2"),
    "sigma²: the groups are not counted": _inverse_gamma(
        "sigma2", lambda model, state: _of_sigma2(model, state, count=_rows(model)[0])
    ),
    "sigma²: the groups' own spread forgotten": _inverse_gamma(
        "sigma2", lambda model, state: _of_sigma2(model, state, population=0.0)
    ),
    "sigma²: tau² forgotten in the groups' spread": _inverse_gamma(
        "sigma2", lambda model, state: _of_sigma2(model, state, population=_deviations(model, state))
    ),
    "000: sigma²: squares summed over groups where rows are meant": _inverse_gamma(
        "sigma2", lambda model, state: _of_sigma2(model, state, residual=_residual(model, state, 1.0))
    ),
    "tau²: shape off by one half": _shape("tau2", 0.5),
    "tau²: one over it": _reciprocal("tau2"),
    "tau²: the step left out": _left_out("tau2"),
}
CONJUGATE = {
    "tau²: sigma² forgotten": _inverse_gamma(
        "tau2",
        lambda model, s: (0.5 + len(model.groups) / 2, 0.5 + _deviations(model, s) / 2),
    ),
    "tau²: the half of the prior's scale dropped": _changed(
        "tau2", lambda law, state: distributions.InverseGamma(law.shape, law.scale + 0.5)
    ),
    "tau²: the prior's shape forgotten": _shape("tau2", -0.5),
}
TRIAL = {
    "000: beta: variance too small by the number of subjects": lambda model, right: {
        "b": lambda state: _b_with(right["b"](state), lambda c: _divided(c, len(model.groups)))
    },
    "000: sigma²: beta x taken off the rows": _inverse_gamma(
        "sigma2",
        lambda model, s: _of_sigma2(
            model,
            s,
            residual=_residual(_moved(model, s["b"][:, 1:] @ model.groups.design[:, 1:].T), s),
        ),
    ),
    "beta: divided by the subjects, not by the sum of x²": lambda model, right: {"b": lambda s: _by_subjects(model, s)},
    "tau²: beta x forgotten": _inverse_gamma(
        "tau2",
        lambda model, s: (
            0.5 + len(model.groups) / 2,
            0.5 + _deviations(model, s, s["b"] * [1.0, 0.0]) / s["sigma2"] / 2,
        ),
    ),
    "theta: beta x forgotten": _theta(
        lambda model, s, noise, population, between: theta_given(model.groups.mean, noise, s["b"][:, :1], between)
    ),
}


def _b_with(law, change):
    return distributions.MultivariateNormal(law.mean, change(law.covariance))


def _divided(covariance, by):
    """The variance of beta divided, and its covariance with mu by the root: still a covariance."""
    root = np.diag([1.0, by**-0.5])
    return root @ covariance @ root


def _moved(model, by):
    return replace(model, groups=replace(model.groups, mean=model.groups.mean - by))


def _by_subjects(model, state):
    """Mu and beta one after the other, beta's mean and variance over J where x'x belongs."""
    x, (_, between) = model.groups.design[:, 1], _variances(model, state)
    count, theta = len(x), state["theta"]
    mu = (theta - state["b"][:, 1:] * x).mean(axis=-1)
    beta = (theta - mu[:, None]) @ x / count
    covariance = np.eye(2) * (between / count)[..., None]
    return distributions.MultivariateNormal(np.stack([mu, beta], axis=-1), covariance)


MIXED = {
    "tau²: the half of its mixing variable's scale": _changed(
        "tau2", lambda law, state: distributions.InverseGamma(law.shape, law.scale - 0.5 / state["tau2_mixing"])
    ),
    "mixing: shape off by one half": _shape("tau2_mixing", 0.5),
    "mixing: its scale doubled": _changed(
        "tau2_mixing", lambda law, state: distributions.InverseGamma(law.shape, law.scale * 2)
    ),
    "mixing: its own prior forgotten": lambda model, right: {
        "tau2_mixing": lambda s: distributions.InverseGamma((model.tau.nu + 1) / 2, model.tau.nu / s["tau2"])
    },
    "tau²: the prior forgotten, flat in its place": lambda model, right: {
        "tau2": lambda s: priors.FLAT.given(
            len(model.groups), _deviations(model, s) / (s["sigma2"] if model.relative else 1.0)
        )
    },
}
ESTIMATES = OF_THETA | {
    "theta: standard errors where their squares belong": _theta(
        lambda model, state, noise, population, between: theta_given(
            model.groups.mean, np.sqrt(noise), population, between
        )
    ),
    "theta: tau where tau² belongs": _theta(
        lambda model, state, noise, population, between: theta_given(
            model.groups.mean, noise, population, np.sqrt(between)
        )
    ),
    "theta: its variance is that of an average of two": _sd("theta", lambda sd: sd / np.sqrt(2)),
    "mu: not divided by the number of groups": _covariance(lambda model, state: float(len(model.groups))),
    "mu: a variance where an sd belongs": _covariance(lambda model, state: state["tau2"] / len(model.groups)),
    "mu: the raw estimates where theta belongs": lambda model, right: {
        "b": lambda state: right["b"](state | {"theta": np.broadcast_to(model.groups.mean, state["theta"].shape)})
    },
    "tau²: one over it": _reciprocal("tau2"),
    "tau²: the step left out": _left_out("tau2"),
    "tau²: the scale's half dropped": _scale("tau2", 2.0),
    "tau²: about the average of theta, not about mu": lambda model, right: {
        "tau2": lambda s: right["tau2"](
            s | {"b": np.broadcast_to(s["theta"].mean(axis=-1, keepdims=True), s["b"].shape)}
        )
    },
}
FLAT = {
    "tau²: 1/tau² in place of a flat tau": _shape("tau2", 0.5),
    "tau²: flat tau² in place of a flat tau": _shape("tau2", -0.5),
}
FLAT_SQUARE = {
    "tau²: 1/tau² in place of a flat tau²": _shape("tau2", 1.0),
    "tau²: flat tau in place of a flat tau²": _shape("tau2", 0.5),
}
PROPER_MU = {
    "mu: its prior forgotten": lambda model, right: replace(model, coefficients=(priors.Normal(),)).conditionals(),
    "mu: the prior's variance where its sd belongs": lambda model, right: replace(
        model, coefficients=(priors.Normal(model.coefficients[0].mean, model.coefficients[0].sd ** 2),)
    ).conditionals(),
}
ABSOLUTE = {
    name: patch
    for name, patch in RELATIVE.items()
    if name.split(":")[0] in ("theta", "001") and "forgotten in the spread" not in name
} | {
    "theta: tau² in units of sigma²": _theta(
        lambda model, s, noise, population, between: theta_given(
            model.groups.mean, noise, population, between * s["sigma2"][:, None]
        )
    ),
    "mu: a variance where an sd belongs": _covariance(lambda model, s: s["tau2"] / len(model.groups)),
    "sigma²: shape off by one half": _shape("sigma2", 0.5),
    "sigma²: the groups counted, as if tau were relative": _changed(
        "sigma2", lambda law, s: distributions.InverseGamma(law.shape + s["theta"].shape[-1] / 2, law.scale)
    ),
    "sigma²: the groups' own spread added": lambda model, right: {
        "sigma2": lambda s: distributions.InverseGamma(
            right["sigma2"](s).shape, right["sigma2"](s).scale + _deviations(model, s) / 2
        )
    },
    "001: sigma²: its prior's scale inside the half": lambda model, right: {
        "sigma2": lambda s: distributions.InverseGamma(
            right["sigma2"](s).shape, right["sigma2"](s).scale - model.sigma.scale / 2
        )
    },
    "sigma²: its prior forgotten": lambda model, right: replace(model, sigma=priors.JEFFREYS).conditionals(),
    "tau²: its prior forgotten, flat in its place": lambda model, right: {
        "tau2": lambda s: priors.FLAT.given(len(model.groups), _deviations(model, s))
    },
    "tau²: power off by one half": _changed(
        "tau2", lambda law, state: distributions.GeneralizedInverseGaussian(law.power - 0.5, law.rate, law.scale)
    ),
    "tau²: the prior's variance where its sd belongs": _changed(
        "tau2", lambda law, state: distributions.GeneralizedInverseGaussian(law.power, law.rate**2, law.scale)
    ),
}
NORMAL = {
    "theta: a variance where an sd belongs": _sd("theta", lambda sd: sd**2),
    "theta: its variance lacks an inverse": _sd("theta", lambda sd: 1 / sd),
    "theta: kappa and 1 - kappa exchanged": lambda model, right: {
        "theta": lambda s: distributions.Normal(model.mu + model.mean - right["theta"](s).mean, right["theta"](s).sd)
    },
    "theta: the prior forgotten": lambda model, right: {
        "theta": lambda s: distributions.Normal(model.mean, np.sqrt(s["sigma2"] / model.n))
    },
    "theta: tau where tau² belongs": lambda model, right: replace(model, tau=model.tau**0.5).conditionals(),
    "theta: sigma² forgotten in its prior": lambda model, right: {
        "theta": lambda s: distributions.Normal(
            *(
                f(x)
                for f, x in zip(
                    (lambda x: x, np.sqrt),
                    theta_given(model.mean, s["sigma2"] / model.n, model.mu, model.tau**2 * np.ones_like(s["sigma2"])),
                    strict=True,
                )
            )
        )
    },
    "003: sigma²: the prior's scale forgotten": lambda model, right: {
        "sigma2": lambda s: distributions.InverseGamma(right["sigma2"](s).shape, right["sigma2"](s).scale - model.beta)
    },
    "003: sigma²: the scale's half dropped": _scale("sigma2", 2.0),
    "003: sigma²: the exponent's sign": _reciprocal("sigma2"),
    "sigma²: shape off by one half": _shape("sigma2", -0.5),
    "sigma²: theta's prior forgotten": lambda model, right: {
        "sigma2": lambda s: distributions.InverseGamma(
            right["sigma2"](s).shape, right["sigma2"](s).scale - ((s["theta"] - model.mu) / model.tau) ** 2 / 2
        )
    },
    "sigma²: n - 1 where n belongs": _shape("sigma2", -1.0),
    "sigma²: the step left out": _left_out("sigma2"),
}


def _between(state, name):
    return state[name][:, None]


CLASSROOMS = {
    "theta: a variance where an sd belongs": _sd("theta", lambda sd: sd**2),
    "003: theta: N(mu, theta) for its variance": lambda model, right: {
        "theta": lambda s: right["theta"](s | {"tau2": np.abs(s["theta"]).mean(axis=-1)})
    },
    "theta: about lambda, not about its school": lambda model, right: {
        "theta": lambda s: right["theta"](s | {"mu": np.broadcast_to(_between(s, "lambda"), s["mu"].shape)})
    },
    "theta: the pupils of its classroom forgotten": lambda model, right: {
        "theta": lambda s: _nested_theta(model, s, np.ones(len(model.classrooms)))
    },
    "mu: a variance where an sd belongs": _sd("mu", lambda sd: sd**2),
    "mu: the number of classrooms forgotten": lambda model, right: {"mu": lambda s: _school(model, s, 1.0)},
    "003: mu: n for the number of its classrooms": lambda model, right: {
        "mu": lambda s: _school(model, s, np.bincount(model.school, model.classrooms.n))
    },
    "mu: kappa² and tau² exchanged": lambda model, right: {
        "mu": lambda s: right["mu"](s | {"tau2": s["kappa2"], "kappa2": s["tau2"]})
    },
    "lambda: not divided by the number of schools": _changed(
        "lambda", lambda law, s: distributions.Normal(law.mean, law.sd * s["mu"].shape[-1] ** 0.5)
    ),
    "lambda: a variance where an sd belongs": _sd("lambda", lambda sd: sd**2),
    "tau²: flat tau in place of a flat tau²": _shape("tau2", 0.5),
    "tau²: about lambda, not about its school": lambda model, right: {
        "tau2": lambda s: right["tau2"](s | {"mu": np.broadcast_to(_between(s, "lambda"), s["mu"].shape)})
    },
    "kappa²: 1/kappa² in place of a flat kappa²": _shape("kappa2", 1.0),
    "kappa²: the scale's half dropped": _scale("kappa2", 2.0),
    "003: kappa²: summed over classrooms where schools are meant": lambda model, right: {
        "kappa2": lambda s: model.kappa.given(
            len(model.classrooms), np.sum((s["mu"][:, model.school] - _between(s, "lambda")) ** 2, axis=-1)
        )
    },
    "sigma²: shape off by one half": _shape("sigma2", 0.5),
    "sigma²: the classrooms are not counted": _changed(
        "sigma2", lambda law, s: distributions.InverseGamma(law.shape - s["theta"].shape[-1] / 2, law.scale)
    ),
    "sigma²: the scale's half dropped": _scale("sigma2", 2.0),
}


def _nested_theta(model, s, noise):
    g = model.classrooms
    mean, variance = theta_given(g.mean, _between(s, "sigma2") * noise, s["mu"][:, model.school], _between(s, "tau2"))
    return distributions.Normal(mean, np.sqrt(variance))


def _school(model, s, count):
    mean = s["theta"] @ model.members / np.bincount(model.school)
    found, variance = theta_given(mean, _between(s, "tau2") / count, _between(s, "lambda"), _between(s, "kappa2"))
    return distributions.Normal(found, np.sqrt(variance))


def _own_sigma2(squares=1.0, nu=0.0):
    """sigma_i^2 with its squares or nu off."""

    def patch(model, right):
        def sigma2(s):
            degrees = _between(s, "nu") + nu + model.groups.n
            scale = _between(s, "nu") * _between(s, "s2") + squares * model.squares(s["theta"])
            return distributions.InverseGamma(degrees / 2, scale / 2)

        return {"sigma2": sigma2}

    return patch


OWN = {
    "theta: a variance where an sd belongs": _sd("theta", lambda sd: sd**2),
    "theta: one sigma for all": lambda model, right: {
        "theta": lambda s: right["theta"](s | {"sigma2": np.broadcast_to(_between(s, "s2"), s["sigma2"].shape)})
    },
    "mu: not divided by the number of groups": _changed(
        "mu", lambda law, s: distributions.Normal(law.mean, law.sd * s["theta"].shape[-1] ** 0.5)
    ),
    "mu: a variance where an sd belongs": _sd("mu", lambda sd: sd**2),
    "sd between groups: 1/tau² in place of a flat tau": _shape("between2", 0.5),
    "sd between groups: the scale's half dropped": _scale("between2", 2.0),
    "sigma_i²: the scale's half of the rows dropped": _own_sigma2(squares=2.0),
    "sigma_i²: a degree of freedom too many": _own_sigma2(nu=1.0),
    "sigma_i²: s where s² belongs": lambda model, right: {
        "sigma2": lambda s: right["sigma2"](s | {"s2": np.sqrt(s["s2"])})
    },
    "sigma_i²: theta's deviation from the mean forgotten": lambda model, right: {
        "sigma2": lambda s: right["sigma2"](s | {"theta": model.groups.mean})
    },
    "s²: shape off by one half": _changed("s2", lambda law, state: distributions.Gamma(law.shape + 0.5, law.rate)),
    "s²: one over it": _changed("s2", lambda law, state: distributions.InverseGamma(law.shape, law.rate)),
    "s²: averages of sigma_i² where those of 1/sigma_i² belong": _changed(
        "s2",
        lambda law, s: distributions.Gamma(
            law.shape, s["nu"] / 2 * s["sigma2"].shape[-1] ** 2 / np.sum(s["sigma2"], axis=-1)
        ),
    ),
    "nu: the grid's weights forgotten": _changed(
        "nu", lambda law, state: distributions.Grid(law.values, np.zeros_like(law.log_weight))
    ),
    "nu: flat itself where its logarithm is": _changed(
        "nu", lambda law, state: distributions.Grid(law.values, law.log_weight + np.log(law.values))
    ),
}

MUTANTS = {
    "one way": RELATIVE | CONJUGATE,
    "trial": RELATIVE | CONJUGATE | TRIAL,
    "half-Cauchy": RELATIVE | MIXED,
    "absolute": ABSOLUTE | PROPER_MU,
    "schools": ESTIMATES | FLAT,
    "weakly informative": ESTIMATES | MIXED | PROPER_MU,
    "baseball": ESTIMATES | FLAT_SQUARE,
    "normal": NORMAL,
    "classrooms": CLASSROOMS,
    "own variances": OWN,
}


def sample_clipped(model, *, draws=1000, chains=4, rng):
    """Direct sampling with negative tau^2 set to 0, where its law has to be truncated."""
    total = direct_sampling.clipped_at(model, rng.uniform(size=(chains, draws)))
    return complete(model, direct_sampling.draw_given_total(model, total, rng=rng), engine="direct", rng=rng)


SAMPLERS = {"baseball": {"direct sampling: tau² clipped, not truncated": sample_clipped}}
