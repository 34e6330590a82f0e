"""The reference posteriors: what their command gives, in digits that hold, with log densities that SciPy finds too."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analyses import reference
from analyses.ingest.request import InputError
from analyses.reference.__main__ import main
from models import baseball, blood_pressure, classrooms, eight_schools, math_test, one_group
from models.log_densities import log_density

SLOW = {"math_test_general"}  # of two scales on the lattice


def last_digit(value):
    """One unit of the last digit that is written."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    return 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in SLOW)) for n in reference.names()])
def test_the_file_is_what_its_command_gives(name, tmp_path):
    """But for the last digit, which another processor may round otherwise."""
    command = reference.read(name)["command"].split()
    assert command[:3] == ["python", "-m", "analyses.reference"]
    assert main([*command[3:], "--out", str(tmp_path)]) == 0
    again, shipped = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8")), reference.read(name)
    assert {k: again[k] for k in again if k not in ("rows", "points")} == {
        k: shipped[k] for k in shipped if k not in ("rows", "points")
    }
    for row, old in zip(again["rows"], shipped["rows"], strict=True):
        assert row[:2] == old[:2]
        for value, before in zip(row[2:], old[2:], strict=True):
            assert (value is None) == (before is None)
            assert value is None or abs(value - before) < 1.5 * max(last_digit(value), last_digit(before))
    for point, old in zip(again["points"], shipped["points"], strict=True):
        gradient, old_gradient = point.pop("gradient"), old.pop("gradient")
        assert point == pytest.approx(old, rel=1e-11)
        assert gradient.keys() == old_gradient.keys()
        for density, slopes in gradient.items():
            assert slopes.keys() == old_gradient[density].keys()
            largest = max(np.max(np.abs(slope)) for slope in slopes.values())
            for name, slope in slopes.items():
                before = old_gradient[density][name]
                assert slope == pytest.approx(before, rel=1e-11, abs=1e-12 * largest)
                assert np.array_equal(np.equal(slope, 0), np.equal(before, 0))  # a sum that cancels is exactly 0


def theta_of(model, point):
    """Population means plus and minus the sd between groups in turn, as the README says."""
    g = model.groups
    b = [point["mu"], *(point[f"beta[{name}]"] for name in g.covariates)]
    sd = point["tau"] * point.get("sigma", 1.0)
    return g.design @ b, sd, g.design @ b + sd * np.where(np.arange(len(g)) % 2, -1, 1)


@pytest.mark.parametrize(
    ("name", "model"), [("math_test", math_test.model()), ("blood_pressure", blood_pressure.model())]
)
def test_log_densities_of_rows(name, model):
    """By SciPy, from rows that have the table's sizes, means and sums of squares: any such rows have the same."""
    labels, rows = model.groups.rows(np.random.default_rng(1))
    which = [model.groups.labels.index(label) for label in labels]
    for point in reference.read(name)["points"]:
        population, sd, theta = theta_of(model, point)
        sigma = point["sigma"]
        assert stats.norm.logpdf(rows, theta[which], sigma).sum() == pytest.approx(point["log_likelihood"], rel=1e-11)
        assert stats.norm.logpdf(theta, population, sd).sum() == pytest.approx(point["log_population"], rel=1e-11)
        marginal = 0.0
        for i in range(len(theta)):
            own = rows[np.array(which) == i]
            covariance = sigma**2 * np.eye(len(own)) + sd**2
            marginal += stats.multivariate_normal.logpdf(own, np.full(len(own), population[i]), covariance)
        assert marginal == pytest.approx(point["log_marginal_likelihood"], rel=1e-11)
        tau2, of_tau = point["tau"] ** 2, stats.invgamma(0.5, scale=0.5)
        prior = of_tau.logpdf(tau2) + np.log(2 * point["tau"]) - np.log(sigma)
        assert prior == pytest.approx(point["log_prior"], rel=1e-11)


PRIORS = {
    "eight_schools": lambda mu, tau: 0.0,
    "eight_schools_flat_variance": lambda mu, tau: np.log(tau),
    "eight_schools_half_cauchy_5": lambda mu, tau: stats.halfcauchy.logpdf(tau, scale=5),
    "eight_schools_half_cauchy_25": lambda mu, tau: stats.halfcauchy.logpdf(tau, scale=25),
    "eight_schools_weakly_informative": lambda mu, tau: (
        stats.norm.logpdf(mu, 0, 5) + stats.halfcauchy.logpdf(tau, scale=5)
    ),
    "baseball": lambda mu, tau: np.log(tau),
    "baseball_printed": lambda mu, tau: np.log(tau),
}


@pytest.mark.parametrize("name", PRIORS)
def test_log_densities_of_estimates(name):
    sigma = {"sigma": 0.06} if name == "baseball_printed" else {}
    model = baseball.model(**sigma) if name.startswith("baseball") else eight_schools.model()
    y, se = model.groups.mean, model.groups.standard_error
    for point in reference.read(name)["points"]:
        population, sd, theta = theta_of(model, point)
        assert stats.norm.logpdf(y, theta, se).sum() == pytest.approx(point["log_likelihood"], rel=1e-11)
        marginal = stats.norm.logpdf(y, population, np.hypot(se, sd)).sum()
        assert marginal == pytest.approx(point["log_marginal_likelihood"], rel=1e-11)
        prior = PRIORS[name](point["mu"], point["tau"])
        assert prior == pytest.approx(point["log_prior"], rel=1e-11, abs=1e-12)


TWO_LEVEL = {
    "blood_pressure": blood_pressure.model(),
    "baseball_printed": baseball.model(sigma=baseball.PRINTED),
    "eight_schools_weakly_informative": eight_schools.weakly_informative(),
    "math_test": math_test.model(),
    "math_test_general": math_test.general(),
}


@pytest.mark.parametrize("name", TWO_LEVEL)
def test_sums_of_the_terms_are_log_density_and_its_gradient(name):
    """What a file says of a point is what `log_density` gives there, with theta and with theta integrated out."""
    model = TWO_LEVEL[name]
    for entry in reference.read(name)["points"]:
        gradient = entry["gradient"]
        point = {name: entry[name] for name in gradient["log_prior"]}
        _, _, theta = theta_of(model, point)
        for terms, where in (
            (("log_marginal_likelihood", "log_prior"), point),
            (("log_likelihood", "log_population", "log_prior"), point | {"theta": theta}),
        ):
            density = log_density(model, where)
            assert sum(entry[term] for term in terms) == pytest.approx(density.value, rel=1e-11)
            assert where.keys() == density.gradient.keys() == {n for term in terms for n in gradient[term]}
            for n, slope in density.gradient.items():
                each = [np.array(gradient[term][n]) for term in terms if n in gradient[term]]
                tolerance = 1e-11 * max(np.max(np.abs(s)) for term in terms for s in gradient[term].values())
                assert sum(each) == pytest.approx(slope, abs=tolerance)


def test_every_gradient_names_every_parameter():
    """Group effects as well where the density depends on them, in the order of the rows, which a list needs."""
    for name in reference.names():
        sizes = {variable: len(labels) for variable, labels in reference.load(name).labels.items()}
        for entry in reference.read(name)["points"]:
            densities = {key for key in entry if key.startswith("log_")}
            assert entry["gradient"].keys() == densities
            for gradient in entry["gradient"].values():
                assert {*entry} - densities - {"gradient"} <= {*gradient}
                assert all(len(gradient[n]) == sizes[n] for n in gradient if isinstance(gradient[n], list))


def test_a_derivative_that_cancels_is_written_as_0():
    """Theta an sd above and below its mean in turn makes the population's density stationary in tau."""
    for name in ("math_test", "baseball", "classrooms"):
        for entry in reference.read(name)["points"]:
            assert entry["gradient"]["log_population"]["tau"] == 0


def test_log_densities_of_one_group():
    model = one_group.example()
    rows = np.linspace(-1, 1, int(model.n))
    rows = model.mean + rows * np.sqrt(model.ss / np.sum(rows**2))  # any that have that mean and sum of squares
    for point in reference.read("normal")["points"]:
        theta, sigma = point["theta"], point["sigma"]
        assert stats.norm.logpdf(rows, theta, sigma).sum() == pytest.approx(point["log_likelihood"], rel=1e-11)
        assert stats.norm.logpdf(theta, 50, 0.5 * sigma) == pytest.approx(point["log_population"], rel=1e-11)
        prior = stats.invgamma.logpdf(sigma**2, 2, scale=200) + np.log(2 * sigma)
        assert prior == pytest.approx(point["log_prior"], rel=1e-11)


def test_log_densities_of_the_third_level():
    model = classrooms.model()
    labels, rows = model.classrooms.rows(np.random.default_rng(2))
    which = [model.classrooms.labels.index(label) for label in labels]
    for point in reference.read("classrooms")["points"]:
        mu = point["lambda"] + point["kappa"] * np.where(np.arange(len(model.schools)) % 2, -1, 1)
        theta = mu[model.school] + point["tau"] * np.where(np.arange(len(model.classrooms)) % 2, -1, 1)
        likelihood = stats.norm.logpdf(rows, theta[which], point["sigma"]).sum()
        assert likelihood == pytest.approx(point["log_likelihood"], rel=1e-11)
        population = stats.norm.logpdf(mu, point["lambda"], point["kappa"]).sum()
        population += stats.norm.logpdf(theta, mu[model.school], point["tau"]).sum()
        assert population == pytest.approx(point["log_population"], rel=1e-11)
        prior = np.log(point["tau"] * point["kappa"] / point["sigma"])
        assert prior == pytest.approx(point["log_prior"], rel=1e-11)


def test_general_priors():
    for point in reference.read("math_test_general")["points"]:
        tau, sigma = point["tau"], point["sigma"]
        prior = stats.norm.logpdf(point["mu"], 50, 10)
        prior += stats.invgamma.logpdf(tau**2, 1, scale=0.25) + np.log(2 * tau)
        prior += stats.invgamma.logpdf(sigma**2, 2, scale=200) + np.log(2 * sigma)
        assert prior == pytest.approx(point["log_prior"], rel=1e-11)


def test_loaded_tables_are_the_engines():
    """With the quantiles in their order, and every study there."""
    for name in reference.names():
        table = reference.load(name).table
        assert (table["q5"] < table["q50"]).all()
        assert (table["q50"] < table["q95"]).all()
    assert {"math_test", "blood_pressure", "baseball", "normal", "classrooms", "eight_schools"} <= {*reference.names()}


def test_alternatives_are_of_the_same_data():
    found = {other.name for other in reference.alternatives(reference.load("baseball"))}
    assert found == {"baseball_printed"}


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'eight_schools'"):
        reference.load("eight_school")


def test_draws_on_demand(tmp_path):
    """Ten thousand, a column a quantity, in four parts; the same for a seed and others for another."""
    one, two, three = (tmp_path / f"{k}.csv" for k in range(3))
    for path, seed in ((one, "1"), (two, "1"), (three, "2")):
        assert main(["eight_schools", "--draws", str(path), "--seed", seed]) == 0
    table = pd.read_csv(one)
    assert len(table) == 10_000
    assert table.groupby("chain").size().tolist() == [2500] * 4
    assert {"mu", "tau", "theta[A]", "theta[H]"} <= {*table.columns}
    assert one.read_bytes() == two.read_bytes() != three.read_bytes()


@pytest.mark.parametrize(
    "asked",
    [["nothing"], ["--draws", "d.csv"], ["eight_schools", "--draws", "d.txt"], ["--size", "3"], ["--seed", "-1"]],
)
def test_bad_usage(asked):
    with pytest.raises(SystemExit, match="2"):
        main(asked)
