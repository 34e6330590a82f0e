"""Seed 001: another solution for the math scores, by empirical Bayes and with general priors."""

import numpy as np

from analyses.published import Figure
from models import distributions, math_test, priors
from models.groups import Replicates
from models.two_level import TwoLevel


def figures() -> dict[str, Figure]:
    """The two schools that it names, and how many pupils they have."""
    g = math_test.data()
    order = np.argsort(g.mean)
    found = {"math_test.highest": order[-1], "math_test.third_lowest": order[2]}
    return {name: Figure(float(g.labels[i])) for name, i in found.items()} | {
        f"{name}.n": Figure(g.n[i]) for name, i in found.items()
    }


class _Scores:
    """A few schools and a state, in the source's letters: precisions lambda (lam), omega (w), phi."""

    def __init__(self, rng):
        self.n_i = np.array([3, 5, 2, 4])
        self.rows = [rng.normal(rng.normal(45, 5), 8, n) for n in self.n_i]
        self.total, self.squares = (np.array([f(y) for y in self.rows]) for f in (np.sum, lambda y: np.sum(y**2)))
        self.lam, self.w, self.mu, self.theta = rng.uniform(0.01, 0.03), rng.uniform(1, 4), 47.0, rng.normal(45, 5, 4)
        self.a, self.b, self.c, self.d, self.nu, self.phi = 2.0, 150.0, 1.5, 0.4, 45.0, 0.02
        groups = Replicates.from_rows(np.repeat(list("abcd"), self.n_i), np.concatenate(self.rows))
        self.model = TwoLevel(
            groups=groups,
            tau=priors.InverseGamma(self.c, self.d),
            sigma=priors.InverseGamma(self.a, self.b),
            coefficients=(priors.Normal(self.nu, self.phi**-0.5),),
        )
        self.state = {
            "b": np.array([[self.mu]]),
            "sigma2": np.array([1 / self.lam]),
            "tau2": np.array([1 / self.w]),
            "theta": self.theta[None],
        }

    def law(self, name):
        """The model's own conditional."""
        return self.model.conditionals()[name](self.state)

    @property
    def within(self):
        """Squares of scores about theta."""
        return sum(np.sum((y - t) ** 2) for y, t in zip(self.rows, self.theta, strict=True))

    @property
    def between(self):
        """Squares of theta about mu."""
        return np.sum((self.theta - self.mu) ** 2)

    def joint(self, lam, w):
        """Log of the joint density as a function of lambda and omega."""
        rows = sum(
            distributions.Normal(t, lam**-0.5).log_density(y).sum() for y, t in zip(self.rows, self.theta, strict=True)
        )
        population = distributions.Normal(self.mu, (lam * w) ** -0.5).log_density(self.theta).sum()
        prior = distributions.Gamma(self.a, self.b).log_density(lam) + distributions.Gamma(self.c, self.d).log_density(
            w
        )
        return rows + population + prior


def marginal_likelihood(rng):
    """The log marginal likelihood that is maximised, as a change between two points."""
    t = _Scores(rng)

    def printed(mu, lam, w):
        bracket = lam * t.squares + lam * w * mu**2 - lam * (t.total + w * mu) ** 2 / (t.n_i + w)
        return np.sum(t.n_i / 2 * np.log(lam) + np.log(w / (t.n_i + w)) / 2 - bracket / 2)

    def right(mu, lam, w):
        return t.model.log_marginal(np.array([mu]), w**-0.5, lam**-0.5)

    one, two = (t.mu, t.lam, t.w), (t.mu + 2, 1.4 * t.lam, 0.6 * t.w)
    return printed(*one) - printed(*two), right(*one) - right(*two)


def square_completed(rng):
    """What is added to complete the square lacks its factor lambda (n_i + omega), and m has a stray lambda."""
    t = _Scores(rng)
    theta, n, share = t.theta, t.n_i, (t.total + t.lam * t.w * t.mu) / (t.n_i + t.w)
    expanded = t.lam * ((n + t.w) * theta**2 - 2 * (t.total + t.w * t.mu) * theta)
    return t.lam * (n + t.w) * (theta - share) ** 2 - share**2, expanded


def linear_term(rng):
    """The linear term of the last integral."""
    t = _Scores(rng)
    return 2 * (t.lam * t.total + t.lam * t.w * t.mu), 2 * t.lam * (t.total + t.w * t.mu)


def prefactor(rng):
    """Before the completed square stands a root of lambda (n_i + omega) with a d in it, where 1 is meant."""
    t = _Scores(rng)
    root = np.sqrt(t.lam * (t.n_i + t.w))
    return t.lam * (t.n_i + t.w) / root, np.ones(len(root))


def kernel_of_theta(rng):
    """As a change between two points."""
    t = _Scores(rng)
    law, moved = t.law("theta"), t.theta + rng.normal(0, 3, len(t.theta))

    def printed(theta):
        return -((t.lam * (t.n_i + t.w)) * theta**2 - 2 * t.lam * (t.total + t.w * t.mu) * theta) / 2

    return printed(moved) - printed(t.theta), (law.log_density(moved) - law.log_density(t.theta))[0]


def kernel_of_mu(rng):
    """As a change between two points."""
    t = _Scores(rng)
    law = t.law("b")

    def printed(mu):
        return -t.w * t.lam / 2 * np.sum((t.theta - mu) ** 2) - t.phi / 2 * (mu - t.nu) ** 2

    one, two = np.array([[45.0]]), np.array([[t.mu]])
    return printed(45.0) - printed(t.mu), (law.log_density(one) - law.log_density(two))[0]


def kernel_of_omega(rng):
    """As a change between two points."""
    t = _Scores(rng)

    def printed(w):
        return len(t.theta) / 2 * np.log(w) - (t.lam * t.between / 2 + t.d) * w + (t.c - 1) * np.log(w)

    return printed(0.6 * t.w) - printed(t.w), t.joint(t.lam, 0.6 * t.w) - t.joint(t.lam, t.w)


def joint(rng):
    """The joint leaves out the powers of lambda and omega that come from the normal densities."""
    t = _Scores(rng)

    def printed(lam, w):
        kernel = -lam * t.within / 2 - w * lam * t.between / 2
        return kernel + (t.a - 1) * np.log(lam) - t.b * lam + (t.c - 1) * np.log(w) - t.d * w

    lam, w = 1.4 * t.lam, 0.6 * t.w
    return printed(lam, w) - printed(t.lam, t.w), t.joint(lam, w) - t.joint(t.lam, t.w)


def mean_of_theta(rng):
    """(sum of scores + omega mu) / (n_i + omega)."""
    t = _Scores(rng)
    return (t.total + t.w * t.mu) / (t.n_i + t.w), t.law("theta").mean[0]


def variance_of_theta(rng):
    """lambda bears a mark that is no inverse, unless the hand meant one: the variance is 1 / (lambda (n_i + omega))."""
    t = _Scores(rng)
    return t.lam / (t.n_i + t.w), t.law("theta").sd[0] ** 2


def conditional_of_mu(rng):
    """N((omega lambda sum of theta + phi nu) / (omega lambda n + phi), 1 / (omega lambda n + phi))."""
    t = _Scores(rng)
    law, precision = t.law("b"), t.w * t.lam * len(t.theta) + t.phi
    printed = (t.w * t.lam * t.theta.sum() + t.phi * t.nu) / precision
    return [printed, 1 / precision], [law.mean[0, 0], law.covariance[0, 0, 0]]


def kernel_of_lambda(rng):
    """The power has the mean of sizes for their sum, which it calls m_i, and b is within the bracket that is halved."""
    t = _Scores(rng)

    def printed(lam):
        power = (t.n_i.sum() / len(t.n_i) + len(t.n_i)) / 2 + t.a - 1
        return power * np.log(lam) - (t.within + t.w * t.between + t.b) * lam / 2

    return printed(1.4 * t.lam) - printed(t.lam), t.joint(1.4 * t.lam, t.w) - t.joint(t.lam, t.w)


def conditional_of_lambda(rng):
    """Gamma((sum of sizes + n)/2 + a, (squares within + omega times those between)/2 + b)."""
    t = _Scores(rng)
    law = t.law("sigma2")
    printed = [(t.n_i.sum() + len(t.n_i)) / 2 + t.a, (t.within + t.w * t.between) / 2 + t.b]
    return printed, [law.shape, law.scale[0]]


def conditional_of_omega(rng):
    """Gamma(n/2 + c, lambda times squares between / 2 + d)."""
    t = _Scores(rng)
    law = t.law("tau2")
    return [len(t.n_i) / 2 + t.c, t.lam * t.between / 2 + t.d], [law.shape, law.scale[0]]


FORMULAS = {
    "001.marginal_likelihood": marginal_likelihood,
    "001.square_completed": square_completed,
    "001.linear_term": linear_term,
    "001.prefactor": prefactor,
    "001.kernel_of_theta": kernel_of_theta,
    "001.kernel_of_mu": kernel_of_mu,
    "001.kernel_of_omega": kernel_of_omega,
    "001.joint": joint,
    "001.mean_of_theta": mean_of_theta,
    "001.variance_of_theta": variance_of_theta,
    "001.conditional_of_mu": conditional_of_mu,
    "001.kernel_of_lambda": kernel_of_lambda,
    "001.conditional_of_lambda": conditional_of_lambda,
    "001.conditional_of_omega": conditional_of_omega,
}
