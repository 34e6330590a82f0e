"""Seed 000: the exercise on math scores and on blood pressure, and one solution. Its figures are inputs."""

import numpy as np

from analyses.published import Figure
from models import blood_pressure, distributions, math_test, priors
from models.groups import Replicates
from models.two_level import TwoLevel


def figures() -> dict[str, Figure]:
    """Sizes of the two data sets."""
    schools, subjects = len(math_test.data()), blood_pressure.data()
    treated = int(subjects.design[:, 1].sum())
    return {
        "math_test.schools": Figure(schools),
        "blood_pressure.subjects": Figure(len(subjects)),
        "blood_pressure.control": Figure(len(subjects) - treated),
        "blood_pressure.experimental": Figure(treated),
    }


class _Trial:
    """A small random trial and a state, in the source's letters."""

    def __init__(self, rng):
        count = np.array([4, 2, 5, 3, 6])
        x = np.array([0.0, 1, 0, 1, 1])
        self.rows = [rng.normal(rng.normal(40, 6), 9, n) for n in count]
        self.N_i, self.N, self.P, self.x = count, count.sum(), len(count), x
        self.mean = np.array([y.mean() for y in self.rows])
        self.ss = np.array([np.sum((y - y.mean()) ** 2) for y in self.rows])
        self.theta, self.mu, self.beta = rng.normal(40, 6, len(count)), rng.normal(40, 3), rng.normal(-5, 2)
        self.s, self.kappa = rng.uniform(50, 120), rng.uniform(1, 4)
        groups = Replicates.from_summary("abcde", count, self.mean, self.ss, covariates={"x": x})
        self.model = TwoLevel(groups=groups, tau=priors.InverseGamma(0.5, 0.5))
        self.state = {
            "b": np.array([[self.mu, self.beta]]),
            "sigma2": np.array([self.s]),
            "tau2": np.array([1 / self.kappa]),
            "theta": self.theta[None],
        }

    def law(self, name):
        """The model's own conditional."""
        return self.model.conditionals()[name](self.state)

    def within(self, shift=0.0):
        """Squares of rows about theta, less a shift as well."""
        return sum(np.sum((y - t - d) ** 2) for y, t, d in zip(self.rows, self.theta, shift + 0 * self.x, strict=True))

    @property
    def S_theta(self):
        """Mean square of theta about its regression."""
        return np.mean((self.theta - self.mu - self.beta * self.x) ** 2)


def squares_within(rng):
    """S_yi is summed over i, the schools, where j, its pupils, is meant."""
    y = rng.normal(40, 9, (3, 3))
    return np.mean((y[:, 0] - y.mean(axis=1)) ** 2), np.mean((y[0] - y[0].mean()) ** 2)


def likelihood_split(rng):
    """Squares about theta are those about the mean and n times that of the mean about theta."""
    t = _Trial(rng)
    return np.sum(t.N_i * (t.theta - t.mean) ** 2) + t.ss.sum(), t.within()


def density_of_scores(rng):
    """Scores about theta and theta about mu, as functions of theta: a change between two points."""
    t = _Trial(rng)
    moved, tau2 = t.theta + rng.normal(0, 3, t.P), 1 / t.kappa

    def printed(theta):
        rows = sum(np.sum((y - a) ** 2) for y, a in zip(t.rows, theta, strict=True))
        return -rows / (2 * t.s) - np.sum((theta - t.mu) ** 2) / (2 * tau2 * t.s)

    def right(theta):
        rows = sum(
            distributions.Normal(a, np.sqrt(t.s)).log_density(y).sum() for y, a in zip(t.rows, theta, strict=True)
        )
        return rows + distributions.Normal(t.mu, np.sqrt(tau2 * t.s)).log_density(theta).sum()

    return printed(moved) - printed(t.theta), right(moved) - right(t.theta)


def expectation(rng):
    """A score's mean is that of theta, whose mean is mu."""
    t = _Trial(rng)
    law = TwoLevel(groups=t.model.groups.without(0), tau=t.model.tau).conditionals()["theta"]
    alone = law({"b": t.state["b"], "tau2": np.array([1e-30]), "sigma2": t.state["sigma2"]})
    return t.mu + t.beta * t.x[1:], alone.mean[0]  # where schools do not vary about their mean


def joint(rng):
    """The joint density's powers and exponent, in s = sigma^2 and kappa = 1 / tau^2, as a change between two points."""
    t = _Trial(rng)

    def printed(s, kappa):
        exponent = kappa / 2 + (t.within() + kappa * t.P * t.S_theta) / (2 * s)
        return -((t.N + t.P) / 2 + 1) * np.log(s) + ((t.P + 1) / 2 - 1) * np.log(kappa) - exponent

    def right(s, kappa):
        rows = sum(
            distributions.Normal(a, np.sqrt(s)).log_density(y).sum() for y, a in zip(t.rows, t.theta, strict=True)
        )
        population = distributions.Normal(t.mu + t.beta * t.x, np.sqrt(s / kappa)).log_density(t.theta).sum()
        return rows + population - np.log(s) - np.log(kappa) / 2 - kappa / 2  # kappa ~ Gamma(1/2, 1/2)

    s, kappa = 1.3 * t.s, 0.7 * t.kappa
    return printed(s, kappa) - printed(t.s, t.kappa), right(s, kappa) - right(t.s, t.kappa)


def conditional_of_s(rng):
    """InverseGamma((N + P)/2, (N + P) V_s / 2), as printed for the math tests."""
    t = _Trial(rng)
    v = (t.within() + t.P * t.kappa * t.S_theta) / (t.N + t.P)
    law = t.law("sigma2")
    return [(t.N + t.P) / 2, (t.N + t.P) * v / 2], [law.shape, law.scale[0]]


def conditional_of_s_with_beta(rng):
    """V_s takes beta x_i off the rows, which theta_i has in it already."""
    t = _Trial(rng)
    v = (t.within(t.beta * t.x) + t.P * t.kappa * t.S_theta) / (t.N + t.P)
    return (t.N + t.P) * v / 2, t.law("sigma2").scale[0]


def conditional_of_kappa(rng):
    """Gamma((P + 1)/2, (P + 1) V_kappa / 2), so that tau^2 is inverse gamma with the same two."""
    t = _Trial(rng)
    v = (t.P * t.S_theta / t.s + 1) / (t.P + 1)
    law = t.law("tau2")
    return [(t.P + 1) / 2, (t.P + 1) * v / 2], [law.shape, law.scale[0]]


def conditional_of_mu(rng):
    """N(mean of theta - beta times that of x, s / (kappa P)) given beta."""
    t = _Trial(rng)
    law = t.law("b")
    precision = np.linalg.inv(law.covariance[0])
    mean = law.mean[0, 0] - precision[0, 1] / precision[0, 0] * (t.beta - law.mean[0, 1])
    return [t.theta.mean() - t.beta * t.x.mean(), t.s / (t.kappa * t.P)], [mean, 1 / precision[0, 0]]


def mean_of_beta(rng):
    """x'(theta - mu) / |x|^2 given mu."""
    t = _Trial(rng)
    law = t.law("b")
    precision = np.linalg.inv(law.covariance[0])
    right = law.mean[0, 1] - precision[0, 1] / precision[1, 1] * (t.mu - law.mean[0, 0])
    return t.x @ (t.theta - t.mu) / np.sum(t.x**2), right


def variance_of_beta(rng):
    """|x|^2, a sum over the subjects already, is summed over them again: P times too small."""
    t = _Trial(rng)
    precision = np.linalg.inv(t.law("b").covariance[0])
    return t.s / (t.kappa * sum(np.sum(t.x**2) for _ in range(t.P))), 1 / precision[1, 1]


def conditional_of_theta(rng):
    """N(m_i / V_i, s / V_i), m_i = kappa (mu + beta x_i) + N_i mean_i, V_i = kappa + N_i."""
    t = _Trial(rng)
    v = t.kappa + t.N_i
    law = t.law("theta")
    mean = (t.kappa * (t.mu + t.beta * t.x) + t.N_i * t.mean) / v
    return [mean, t.s / v], [law.mean[0], law.sd[0] ** 2]


def shrinkage(rng):
    """kappa_i = 1 / (1 + tau^2 N_i) is what the conditional mean has of the population's."""
    t = _Trial(rng)
    population, share = t.mu + t.beta * t.x, 1 / (1 + t.N_i / t.kappa)
    return share * population + (1 - share) * t.mean, t.law("theta").mean[0]


def covariance_within(rng):
    """Two pupils of one school: tau^2 sigma^2, from the loadings of both on offset and errors."""
    t = _Trial(rng)
    tau, sigma = t.kappa**-0.5, np.sqrt(t.s)
    offset, error = t.model.variances(0.0, tau, sigma)[1], t.model.variances(1.0, tau, sigma)[0]
    one, two = np.array([1, 1, 0.0]), np.array([1, 0, 1.0])
    return tau**2 * sigma**2, one @ np.diag([offset, error, error]) @ two


def covariance_between(rng):
    """Pupils of two schools: none, as they share neither offset nor error."""
    t = _Trial(rng)
    one, two = np.array([1, 0, 1, 0.0]), np.array([0, 1, 0, 1.0])
    return 0.0, one @ np.diag([t.s / t.kappa, t.s / t.kappa, t.s, t.s]) @ two


FORMULAS = {
    "000.squares_within": squares_within,
    "000.likelihood_split": likelihood_split,
    "000.density_of_scores": density_of_scores,
    "000.expectation": expectation,
    "000.joint": joint,
    "000.conditional_of_s": conditional_of_s,
    "000.conditional_of_s_with_beta": conditional_of_s_with_beta,
    "000.conditional_of_kappa": conditional_of_kappa,
    "000.conditional_of_mu": conditional_of_mu,
    "000.mean_of_beta": mean_of_beta,
    "000.variance_of_beta": variance_of_beta,
    "000.conditional_of_theta": conditional_of_theta,
    "000.shrinkage": shrinkage,
    "000.covariance_within": covariance_within,
    "000.covariance_between": covariance_between,
}
