"""Seed 001: another solution for the math scores, by empirical Bayes and with general priors."""

import numpy as np

from analyses.published import Evaluation, Figure
from analyses.published.rows import Rows, conditionals, shape_and_scale
from models import math_test, priors
from models.distributions import Gamma, Normal
from models.groups import Replicates
from models.two_level import TwoLevel


def figures() -> dict[str, Figure]:
    """The two schools that it names, and how many pupils they have."""
    g = math_test.data()
    order = np.argsort(g.mean)
    schools = {"math_test.highest": order[-1], "math_test.third_lowest": order[2]}
    names = {name: Figure(float(g.labels[i])) for name, i in schools.items()}
    return names | {f"{name}.n": Figure(g.n[i]) for name, i in schools.items()}


class Scores:
    """A few schools and a state, in the source's letters: precisions lambda (lam), omega (w), phi."""

    def __init__(self, rng: np.random.Generator):
        self.n_i = np.array([3, 5, 2, 4])
        self.rows = Rows.draw(rng, self.n_i, mean=45, between=5, within=8)
        self.total = np.array([np.sum(y) for y in self.rows.y])
        self.squares = np.array([np.sum(y**2) for y in self.rows.y])
        self.lam, self.w = rng.uniform(0.01, 0.03), rng.uniform(1, 4)
        self.mu, self.theta = 47.0, rng.normal(45, 5, 4)
        self.a, self.b, self.c, self.d = 2.0, 150.0, 1.5, 0.4
        self.nu, self.phi = 45.0, 0.02
        groups = Replicates.from_rows(np.repeat(list("abcd"), self.n_i), np.concatenate(self.rows.y))
        mu = priors.Normal(self.nu, self.phi**-0.5)
        tau, sigma = priors.InverseGamma(self.c, self.d), priors.InverseGamma(self.a, self.b)
        self.model = TwoLevel(groups=groups, tau=tau, sigma=sigma, coefficients=(mu,))
        self.laws = conditionals(self.model, b=[self.mu], sigma2=1 / self.lam, tau2=1 / self.w, theta=self.theta)
        self.within = self.rows.squares_about(self.theta)
        self.between = np.sum((self.theta - self.mu) ** 2)

    def joint(self, lam, w):
        """Log of the joint density as a function of lambda and omega."""
        population = Normal(self.mu, (lam * w) ** -0.5).log_density(self.theta).sum()
        prior = Gamma(self.a, self.b).log_density(lam) + Gamma(self.c, self.d).log_density(w)
        return self.rows.log_density(self.theta, lam**-0.5) + population + prior


def marginal_likelihood(t: Scores) -> Evaluation:
    """The log marginal likelihood that is maximised, as a change between two points."""

    def printed(mu, lam, w):
        bracket = lam * t.squares + lam * w * mu**2 - lam * (t.total + w * mu) ** 2 / (t.n_i + w)
        return np.sum(t.n_i / 2 * np.log(lam) + np.log(w / (t.n_i + w)) / 2 - bracket / 2)

    def right(mu, lam, w):
        return t.model.log_marginal(np.array([mu]), w**-0.5, lam**-0.5)

    return Evaluation.of_change(printed, right, (t.mu, t.lam, t.w), (t.mu + 2, 1.4 * t.lam, 0.6 * t.w))


def square_completed(t: Scores) -> Evaluation:
    """What is added to complete the square lacks its factor lambda (n_i + omega), and m has a stray lambda."""
    share = (t.total + t.lam * t.w * t.mu) / (t.n_i + t.w)
    expanded = t.lam * ((t.n_i + t.w) * t.theta**2 - 2 * (t.total + t.w * t.mu) * t.theta)
    return Evaluation(t.lam * (t.n_i + t.w) * (t.theta - share) ** 2 - share**2, expanded)


def linear_term(t: Scores) -> Evaluation:
    """The linear term of the last integral."""
    return Evaluation(2 * (t.lam * t.total + t.lam * t.w * t.mu), 2 * t.lam * (t.total + t.w * t.mu))


def prefactor(t: Scores) -> Evaluation:
    """Before the completed square stands a root of lambda (n_i + omega) with a d in it, where 1 is meant."""
    precision = t.lam * (t.n_i + t.w)
    return Evaluation(precision / np.sqrt(precision), np.ones(len(precision)))


def kernel_of_theta(t: Scores, rng: np.random.Generator) -> Evaluation:
    """Log density of theta given the others, as a change between two points."""

    def printed(theta):
        return -((t.lam * (t.n_i + t.w)) * theta**2 - 2 * t.lam * (t.total + t.w * t.mu) * theta) / 2

    moved = t.theta + rng.normal(0, 3, len(t.theta))
    return Evaluation.of_change(printed, t.laws["theta"].log_density, (t.theta,), (moved,))


def kernel_of_mu(t: Scores) -> Evaluation:
    """Log density of mu given the others, as a change between two points."""

    def printed(mu):
        return -t.w * t.lam / 2 * np.sum((t.theta - mu) ** 2) - t.phi / 2 * (mu - t.nu) ** 2

    return Evaluation.of_change(printed, t.laws["b"].log_density, (np.array([[t.mu]]),), (np.array([[45.0]]),))


def kernel_of_omega(t: Scores) -> Evaluation:
    """Log density of omega given the others, as a change between two points."""

    def printed(lam, w):
        return len(t.theta) / 2 * np.log(w) - (lam * t.between / 2 + t.d) * w + (t.c - 1) * np.log(w)

    return Evaluation.of_change(printed, t.joint, (t.lam, t.w), (t.lam, 0.6 * t.w))


def joint(t: Scores) -> Evaluation:
    """The joint leaves out the powers of lambda and omega that come from the normal densities."""

    def printed(lam, w):
        kernel = -lam * t.within / 2 - w * lam * t.between / 2
        return kernel + (t.a - 1) * np.log(lam) - t.b * lam + (t.c - 1) * np.log(w) - t.d * w

    return Evaluation.of_change(printed, t.joint, (t.lam, t.w), (1.4 * t.lam, 0.6 * t.w))


def mean_of_theta(t: Scores) -> Evaluation:
    """(sum of scores + omega mu) / (n_i + omega)."""
    return Evaluation((t.total + t.w * t.mu) / (t.n_i + t.w), t.laws["theta"].mean[0])


def variance_of_theta(t: Scores) -> Evaluation:
    """lambda bears a mark that is no inverse, unless the hand meant one: the variance is 1 / (lambda (n_i + omega))."""
    return Evaluation(t.lam / (t.n_i + t.w), t.laws["theta"].sd[0] ** 2)


def conditional_of_mu(t: Scores) -> Evaluation:
    """N((omega lambda sum of theta + phi nu) / (omega lambda n + phi), 1 / (omega lambda n + phi))."""
    law, precision = t.laws["b"], t.w * t.lam * len(t.theta) + t.phi
    mean = (t.w * t.lam * t.theta.sum() + t.phi * t.nu) / precision
    return Evaluation([mean, 1 / precision], [law.mean[0, 0], law.covariance[0, 0, 0]])


def kernel_of_lambda(t: Scores) -> Evaluation:
    """The power has the mean of sizes for their sum, which it calls m_i, and b is within the bracket that is halved."""

    def printed(lam, w):
        power = (t.n_i.sum() / len(t.n_i) + len(t.n_i)) / 2 + t.a - 1
        return power * np.log(lam) - (t.within + w * t.between + t.b) * lam / 2

    return Evaluation.of_change(printed, t.joint, (t.lam, t.w), (1.4 * t.lam, t.w))


def conditional_of_lambda(t: Scores) -> Evaluation:
    """Gamma((sum of sizes + n)/2 + a, (squares within + omega times those between)/2 + b)."""
    printed = [(t.n_i.sum() + len(t.n_i)) / 2 + t.a, (t.within + t.w * t.between) / 2 + t.b]
    return Evaluation(printed, shape_and_scale(t.laws["sigma2"]))


def conditional_of_omega(t: Scores) -> Evaluation:
    """Gamma(n/2 + c, lambda times squares between / 2 + d)."""
    return Evaluation([len(t.n_i) / 2 + t.c, t.lam * t.between / 2 + t.d], shape_and_scale(t.laws["tau2"]))
