"""Log densities and gradients are those of a statement written apart, at 30 digits, and of PyTensor."""

from functools import partial

import numpy as np
import pytest
from helpers.priors import log_kernel
from helpers.problems import PROBLEMS
from helpers.pytensor_gradients import Compared
from mpmath import mp, mpf

from models import baseball, blood_pressure, classrooms, eight_schools, math_test, one_group, priors, pymc_model
from models.groups import Estimates
from models.log_densities import LogDensity, log_density, one_group_terms, three_level_terms
from models.three_level import build

CASES = {
    "math_test": math_test.model(),
    "math_test_general": math_test.general(),
    "blood_pressure": blood_pressure.model(),
    "baseball": baseball.model(),
    "eight_schools": eight_schools.model(),
    "eight_schools_half_cauchy": eight_schools.model(tau=priors.HalfCauchy(25.0)),
    "eight_schools_weakly_informative": eight_schools.weakly_informative(),
}
LOST = 1e-11  # of the largest derivative: its sums of up to a hundred terms cancel, and means of 500 lose two digits


def names_of(model):
    return ["mu", *(f"beta[{name}]" for name in model.groups.covariates), *model.unknown]


def points(model):
    """Some near the data, first without theta and then with it."""
    rng = np.random.default_rng(31)
    for _ in range(2):
        state = model.start(1, rng)
        b = state["b"][0] * (1 + 0.1 * rng.normal(size=len(model.coefficients)))
        values = [*b, *(np.sqrt(state[f"{name}2"][0]) for name in model.unknown)]
        point = dict(zip(names_of(model), map(float, values), strict=True))
        yield point
        yield point | {"theta": state["theta"][0]}


def log_posterior(model, *parameters):
    """At 30 digits and up to a constant, of b, tau, sigma where it is unknown, and theta where it is given.

    Rows of a group are normal with covariance sigma^2 I + between^2 11', whose eigenvalue along their mean is
    sigma^2 + n between^2, and sigma^2 else.
    """
    g, p = model.groups, len(model.coefficients)
    b, (tau, *rest) = parameters[:p], parameters[p:]
    sigma = rest.pop(0) if "sigma" in model.unknown else mpf(1)
    total = log_kernel(model.tau, mp.log(tau)) + log_kernel(model.sigma, mp.log(sigma))
    for x, prior in zip(b, model.coefficients, strict=True):
        total -= ((x - prior.mean) / prior.sd) ** 2 / 2 if prior.proper else 0
    between2 = (tau * sigma if model.relative else tau) ** 2
    for i in range(len(g)):
        mean, ss, n = mpf(float(g.mean[i])), mpf(float(g.ss[i])), 1 / mpf(float(g.noise[i]))
        population = mp.fsum(mpf(float(x)) * bk for x, bk in zip(g.design[i], b, strict=True))
        total -= mpf(float(g.df[i])) * mp.log(sigma) + ss / sigma**2 / 2
        if rest:
            total -= mp.log(sigma) + n * (mean - rest[i]) ** 2 / sigma**2 / 2
            total -= (mp.log(between2) + (rest[i] - population) ** 2 / between2) / 2
        else:
            along = sigma**2 + n * between2
            total -= (mp.log(along) + n * (mean - population) ** 2 / along) / 2
    return total


def flat(values):
    return np.concatenate([np.ravel(value) for value in values.values()])


@pytest.mark.parametrize("name", [*PROBLEMS, "blood_pressure", "eight_schools_weakly_informative"])
def test_a_gradient_is_the_derivative_at_30_digits(name):
    """With respect to each parameter and each theta while all else is held fixed, whatever the priors."""
    model = (PROBLEMS | CASES)[name]
    for point in points(model):
        density, here = log_density(model, point), list(map(mpf, map(float, flat(point))))
        with mp.workdps(30):
            for k, slope in enumerate(flat(density.gradient)):
                order = [int(k == j) for j in range(len(here))]
                expected = float(mp.diff(partial(log_posterior, model), tuple(here), tuple(order)))
                assert slope == pytest.approx(expected, rel=LOST, abs=LOST * abs(flat(density.gradient)).max())


def test_densities_differ_as_those_at_30_digits():
    """By the same from point to point: constants are those of `log_marginal` and of the reference files."""
    for model in (PROBLEMS | CASES).values():
        first, first_joint, other, other_joint = points(model)
        for one, two in ((first, other), (first_joint, other_joint)):
            with mp.workdps(30):
                expected = log_posterior(model, *map(mpf, flat(one))) - log_posterior(model, *map(mpf, flat(two)))
            a, b = log_density(model, one).value, log_density(model, two).value
            assert a - b == pytest.approx(float(expected), rel=LOST, abs=LOST * max(abs(a), abs(b)))


def test_rows_have_the_constant_that_their_summaries_lack():
    """log_density is of rows, `log_marginal` of their summaries; of estimates both are the same."""
    for model in (PROBLEMS | CASES).values():
        gaps = []
        for point in [p for p in points(model) if "theta" not in p]:
            b, tau = [v for n, v in point.items() if n not in model.unknown], point["tau"]
            sigma = np.float64(point.get("sigma", 1.0))
            summaries = model.log_marginal(np.array(b), tau, sigma) + model.log_prior(np.array(b), tau, sigma)
            gaps.append(log_density(model, point).value - float(summaries))
        assert gaps[0] == pytest.approx(gaps[1], abs=1e-9)
        assert not isinstance(model.groups, Estimates) or gaps[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("parameterization", ["marginal", "centered"])
@pytest.mark.parametrize("name", CASES)
def test_a_gradient_is_pytensors(name, parameterization):
    """Of the same density, that of `build`, whatever it samples in place of the scales."""
    model = CASES[name]
    built = pymc_model.build(model, parameterization=parameterization)
    (values,) = pymc_model.initial(model, parameterization, model.start(1, np.random.default_rng(32)))
    slopes = ["beta"] if model.groups.covariates else []
    theta = ["theta"] if parameterization == "centered" else []
    compared = Compared(built, values, ["mu", *slopes, *model.unknown, *theta])
    point = dict(compared.point)
    if slopes:
        point |= {f"beta[{c}]": x for c, x in zip(model.groups.covariates, point.pop("beta"), strict=True)}
    gradient = dict(log_density(model, point).gradient)
    if slopes:
        gradient["beta"] = np.array([gradient.pop(f"beta[{c}]") for c in model.groups.covariates])
    require_equal(compared, gradient)


def test_a_gradient_of_one_group_is_pytensors():
    model = one_group.example()
    compared = Compared(one_group.build(model), {"sigma": 130.0**0.5, "theta": 47.0}, ["sigma", "theta"])
    terms = one_group_terms(model, float(compared.point["theta"]), float(compared.point["sigma"]))
    require_equal(compared, added(terms).gradient)


def test_a_gradient_of_the_third_level_is_pytensors():
    """Lists of derivatives with respect to mu of the schools and theta of the classrooms included."""
    model = classrooms.model()
    state = {name: value[0] for name, value in model.start(1, np.random.default_rng(33)).items()}
    values = {name: state[name] for name in ("lambda", "mu", "theta")}
    for name in ("sigma", "tau", "kappa"):
        values[name] = np.sqrt(state[f"{name}2"])
    names = ["lambda", "mu", "theta", "sigma", "tau", "kappa"]
    compared = Compared(build(model, parameterization="centered"), values, names)
    point = compared.point
    scales = {name: float(point[name]) for name in ("sigma", "tau", "kappa")}
    terms = three_level_terms(model, scales, float(point["lambda"]), point["mu"], point["theta"])
    require_equal(compared, added(terms).gradient)


def added(terms) -> LogDensity:
    first, *rest = terms.values()
    return sum(rest, start=first)


def require_equal(compared, gradient):
    assert compared.ours(gradient) == pytest.approx(compared.theirs, rel=LOST, abs=LOST * abs(compared.theirs).max())


def test_a_point_may_be_a_row_of_a_table():
    """What has keys and entries will do: a Series of pandas, or numbers of NumPy."""
    import pandas as pd

    row = pd.Series({"mu": 8.0, "tau": 6.0})
    expected = log_density(eight_schools.model(), {"tau": np.array(6.0), "mu": np.float64(8.0)})
    density = log_density(eight_schools.model(), row)
    assert density.value == expected.value
    assert list(density.gradient) == ["mu", "tau"]


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"mu": 1.0, "tua": 2.0}, r"'tua', which is no parameter of this model: did you mean 'tau'\?"),
        ({"mu": 1.0, "tau": 2.0, "sigma": 1.0}, r"'sigma', .*\. The parameters are mu, tau; theta, an entry a group"),
        ({"mu": 1.0}, "the point has no 'tau'. The parameters are mu, tau"),
        ({"mu": 1.0, "tau": 0.0}, "tau is 0 at the point: it must be positive"),
        ({"mu": np.nan, "tau": 1.0}, "mu is nan at the point: it must be finite"),
        ({"mu": [1.0, 2.0], "tau": 1.0}, r"mu has shape \(2,\) at the point: give one number"),
        ({"mu": 1.0, "tau": 1.0, "theta": [1.0, 2.0]}, r"theta has shape \(2,\) at the point: give 8 numbers"),
    ],
)
def test_a_point_that_is_none_is_refused(point, message):
    with pytest.raises(ValueError, match=message):
        log_density(eight_schools.model(), point)
