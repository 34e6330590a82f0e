"""Seed 000: the exercise on math scores and on blood pressure, and one solution. Its figures are sizes of the data."""

from typing import NamedTuple

import numpy as np

from analyses.published import Evaluation, Figure
from analyses.published.rows import Rows, conditionals, shape_and_scale
from models import blood_pressure, math_test, priors
from models.distributions import Normal
from models.groups import Replicates
from models.two_level import TwoLevel


def figures() -> dict[str, Figure]:
    """Sizes of the two data sets."""
    subjects = blood_pressure.data()
    treated = int(subjects.design[:, 1].sum())
    return {
        "math_test.schools": Figure(len(math_test.data())),
        "blood_pressure.subjects": Figure(len(subjects)),
        "blood_pressure.control": Figure(len(subjects) - treated),
        "blood_pressure.experimental": Figure(treated),
    }


class Coefficient(NamedTuple):
    """Mean and variance of mu or beta given the other."""

    mean: float
    variance: float


class Trial:
    """A small random trial and a state, in the source's letters."""

    def __init__(self, rng: np.random.Generator):
        self.N_i = np.array([4, 2, 5, 3, 6])
        self.N, self.P = self.N_i.sum(), len(self.N_i)
        self.x = np.array([0.0, 1, 0, 1, 1])
        self.rows = Rows.draw(rng, self.N_i, mean=40, between=6, within=9)
        self.mean = np.array([y.mean() for y in self.rows.y])
        self.ss = np.array([np.sum((y - y.mean()) ** 2) for y in self.rows.y])
        self.theta = rng.normal(40, 6, self.P)
        self.mu, self.beta = rng.normal(40, 3), rng.normal(-5, 2)
        self.s, self.kappa = rng.uniform(50, 120), rng.uniform(1, 4)
        groups = Replicates.from_summary("abcde", self.N_i, self.mean, self.ss, covariates={"x": self.x})
        self.model = TwoLevel(groups=groups, tau=priors.InverseGamma(0.5, 0.5))
        state = {"b": [self.mu, self.beta], "sigma2": self.s, "tau2": 1 / self.kappa, "theta": self.theta}
        self.laws = conditionals(self.model, **state)
        self.S_theta = np.mean((self.theta - self.mu - self.beta * self.x) ** 2)

    def coefficient(self, i) -> Coefficient:
        """The conditional of mu (0) or beta (1) given the other."""
        law = self.laws["b"]
        precision = np.linalg.inv(law.covariance[0])
        distance = [self.mu, self.beta][1 - i] - law.mean[0, 1 - i]
        return Coefficient(law.mean[0, i] - precision[0, 1] / precision[i, i] * distance, 1 / precision[i, i])


def squares_within(rng: np.random.Generator) -> Evaluation:
    """S_yi is summed over i, the schools, where j, its pupils, is meant."""
    y = rng.normal(40, 9, (3, 3))
    return Evaluation(np.mean((y[:, 0] - y.mean(axis=1)) ** 2), np.mean((y[0] - y[0].mean()) ** 2))


def likelihood_split(t: Trial) -> Evaluation:
    """Squares about theta are those about the mean and n times that of the mean about theta."""
    return Evaluation(np.sum(t.N_i * (t.theta - t.mean) ** 2) + t.ss.sum(), t.rows.squares_about(t.theta))


def density_of_scores(t: Trial, rng: np.random.Generator) -> Evaluation:
    """Scores about theta and theta about mu, as functions of theta: a change between two points."""
    tau2 = 1 / t.kappa

    def printed(theta):
        return -t.rows.squares_about(theta) / (2 * t.s) - np.sum((theta - t.mu) ** 2) / (2 * tau2 * t.s)

    def right(theta):
        population = Normal(t.mu, np.sqrt(tau2 * t.s))
        return t.rows.log_density(theta, np.sqrt(t.s)) + population.log_density(theta).sum()

    return Evaluation.of_change(printed, right, (t.theta,), (t.theta + rng.normal(0, 3, t.P),))


def expectation(t: Trial) -> Evaluation:
    """A score's mean is that of theta, whose mean is mu."""
    model = TwoLevel(groups=t.model.groups.without(0), tau=t.model.tau)
    # Schools do not vary about their mean where tau is 0.
    laws = conditionals(model, b=[t.mu, t.beta], sigma2=t.s, tau2=1e-30, theta=t.theta[1:])
    return Evaluation(t.mu + t.beta * t.x[1:], laws["theta"].mean[0])


def joint(t: Trial) -> Evaluation:
    """The joint density's powers and exponent, in s = sigma^2 and kappa = 1 / tau^2, as a change between two points."""

    def printed(s, kappa):
        exponent = kappa / 2 + (t.rows.squares_about(t.theta) + kappa * t.P * t.S_theta) / (2 * s)
        return -((t.N + t.P) / 2 + 1) * np.log(s) + ((t.P + 1) / 2 - 1) * np.log(kappa) - exponent

    def right(s, kappa):
        population = Normal(t.mu + t.beta * t.x, np.sqrt(s / kappa)).log_density(t.theta).sum()
        likelihood = t.rows.log_density(t.theta, np.sqrt(s))
        return likelihood + population - np.log(s) - np.log(kappa) / 2 - kappa / 2  # kappa ~ Gamma(1/2, 1/2)

    return Evaluation.of_change(printed, right, (t.s, t.kappa), (1.3 * t.s, 0.7 * t.kappa))


def conditional_of_s(t: Trial) -> Evaluation:
    """InverseGamma((N + P)/2, (N + P) V_s / 2), as printed for the math tests."""
    v = (t.rows.squares_about(t.theta) + t.P * t.kappa * t.S_theta) / (t.N + t.P)
    return Evaluation([(t.N + t.P) / 2, (t.N + t.P) * v / 2], shape_and_scale(t.laws["sigma2"]))


def conditional_of_s_with_beta(t: Trial) -> Evaluation:
    """V_s takes beta x_i off the rows, which theta_i has in it already."""
    v = (t.rows.squares_about(t.theta, t.beta * t.x) + t.P * t.kappa * t.S_theta) / (t.N + t.P)
    return Evaluation((t.N + t.P) * v / 2, t.laws["sigma2"].scale[0])


def conditional_of_kappa(t: Trial) -> Evaluation:
    """Gamma((P + 1)/2, (P + 1) V_kappa / 2), so that tau^2 is inverse gamma with the same two."""
    v = (t.P * t.S_theta / t.s + 1) / (t.P + 1)
    return Evaluation([(t.P + 1) / 2, (t.P + 1) * v / 2], shape_and_scale(t.laws["tau2"]))


def conditional_of_mu(t: Trial) -> Evaluation:
    """N(mean of theta - beta times that of x, s / (kappa P)) given beta."""
    return Evaluation([t.theta.mean() - t.beta * t.x.mean(), t.s / (t.kappa * t.P)], t.coefficient(0))


def mean_of_beta(t: Trial) -> Evaluation:
    """x'(theta - mu) / |x|^2 given mu."""
    return Evaluation(t.x @ (t.theta - t.mu) / np.sum(t.x**2), t.coefficient(1).mean)


def variance_of_beta(t: Trial) -> Evaluation:
    """|x|^2, a sum over the subjects already, is summed over them again: P times too small."""
    return Evaluation(t.s / (t.kappa * sum(np.sum(t.x**2) for _ in range(t.P))), t.coefficient(1).variance)


def conditional_of_theta(t: Trial) -> Evaluation:
    """N(m_i / V_i, s / V_i), m_i = kappa (mu + beta x_i) + N_i mean_i, V_i = kappa + N_i."""
    v = t.kappa + t.N_i
    law = t.laws["theta"]
    mean = (t.kappa * (t.mu + t.beta * t.x) + t.N_i * t.mean) / v
    return Evaluation([mean, t.s / v], [law.mean[0], law.sd[0] ** 2])


def shrinkage(t: Trial) -> Evaluation:
    """kappa_i = 1 / (1 + tau^2 N_i) is what the conditional mean has of the population's."""
    population, share = t.mu + t.beta * t.x, 1 / (1 + t.N_i / t.kappa)
    return Evaluation(share * population + (1 - share) * t.mean, t.laws["theta"].mean[0])


def covariance_within(t: Trial) -> Evaluation:
    """Two pupils of one school: tau^2 sigma^2, from the loadings of both on offset and errors."""
    tau, sigma = t.kappa**-0.5, np.sqrt(t.s)
    offset, error = t.model.variances(0.0, tau, sigma)[1], t.model.variances(1.0, tau, sigma)[0]
    return Evaluation(tau**2 * sigma**2, np.array([1, 1, 0]) @ np.diag([offset, error, error]) @ np.array([1, 0, 1]))


def covariance_between(t: Trial) -> Evaluation:
    """Pupils of two schools: none, as they share neither offset nor error."""
    variances = np.diag([t.s / t.kappa, t.s / t.kappa, t.s, t.s])
    return Evaluation(0.0, np.array([1, 0, 1, 0]) @ variances @ np.array([0, 1, 0, 1]))
