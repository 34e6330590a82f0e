"""Seed 003: the lecture, from one group of normal data to baseball and a third level."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from partial_pooling_data import table as stored
from scipy import special, stats

from analyses.engines import direct_sampling, empirical_bayes, exact
from analyses.engines.mixture import t_mixture
from analyses.published import Evaluation, Figure, by_label
from models import baseball, one_group
from models.distributions import Normal
from models.least_squares import pool
from models.shrinkage import kappa, theta_given
from models.two_level import TwoLevel

NODES = 4_000  # equally probable values of sigma^2 + tau^2 that stand for its law
ROUNDED = 1e-6 / 12  # variance of what three decimals leave
MISPLACED = "a batting average lies between 0 and 1; the table beside it is that of a tenth"
CLIPPED = "negative draws of tau^2 were set to 0; the posterior is cut off there"
QUANTILES = {"q2_5": 0.025, "q50": 0.5, "q97_5": 0.975}
WAYS = {"truncated": direct_sampling.total_at, "clipped at 0": direct_sampling.clipped_at}  # with negative tau^2


def printed_quantiles() -> pd.DataFrame:
    """The printed table of theta: one row for each player, one column for each quantile."""
    printed = stored("published").set_index("figure")["printed"]
    players = baseball.averages()["player"]
    columns = {name: printed.loc["baseball.theta." + name + "." + players] for name in QUANTILES}
    return pd.DataFrame({name: values.to_numpy(float) for name, values in columns.items()}, index=players)


def figures() -> dict[str, Figure]:
    """Everything that is printed, from the exact posterior with the sigma that its table has."""
    t, printed = baseball.averages(), printed_quantiles()
    sigma, _ = readings(printed).idxmin()
    model = baseball.model(sigma=sigma)
    # The source compares parametric empirical Bayes estimates; the medians of its table would do as well.
    of_averages = (model.groups.mean - t["rest_of_season"]) ** 2
    of_pooled = (empirical_bayes.by_moments(model.groups) - t["rest_of_season"]) ** 2
    figures = {
        "players": Figure(len(t)),
        "at_bats": Figure(t["at_bats"].iloc[0]),
        "sigma": Figure(sigma, mistaken=10 * sigma, reason=MISPLACED),
        "mean": Figure(t["average"].mean()),
        "variance": Figure(t["average"].var(ddof=1)),
        **by_label(t["player"], t[["average", "rest_of_season"]]),
        **_quantile_figures(model, printed),
        "squared_error.average": Figure(of_averages.sum()),
        "squared_error.pooled": Figure(of_pooled.sum()),
        "improved": Figure(np.sum(of_pooled < of_averages)),
    }
    return {f"baseball.{name}": figure for name, figure in figures.items()}


def _quantile_figures(model: TwoLevel, printed: pd.DataFrame) -> dict[str, Figure]:
    """The table of theta, with the Monte Carlo error of as many draws as seem to lie behind it."""
    theta, clipped = exact.posterior(model).theta(), Sampled.of(model, direct_sampling.clipped_at)
    # A variance on so few degrees of freedom may be larger than it looks: its upper 95% limit is taken.
    few = equals() / stats.chi2.ppf(0.05, equals())
    errors = Sampled.of(model, direct_sampling.total_at).sd * np.sqrt(few / draws_of_the_source(printed, model))
    return {
        f"theta.{name}.{player}": Figure(value, sd=sd, mistaken=mistaken, reason=CLIPPED)
        for (name, p), *rows in zip(QUANTILES.items(), errors, clipped.quantile, strict=True)
        for player, value, sd, mistaken in zip(printed.index, theta.quantile(p), *rows, strict=True)
    }


@dataclass(frozen=True)
class Sampled:
    """Quantiles of theta that independent draws tend to, and how far those of n draws scatter, without drawing.

    A sample quantile at probability p has the variance p (1 - p) / (n f^2), f the density there; those of two players
    with the same average, drawn with the same mu and tau, have the covariance (P(both below) - p^2) / (n f^2).

    Attributes
    ----------
    quantile, sd, sd_apart : ndarray (quantile, player)
        The limit; the sd of one, and that of its difference from another player's with the same average over the root
        of 2, both for a single draw: divide by the root of n.
    """

    quantile: np.ndarray
    sd: np.ndarray
    sd_apart: np.ndarray

    @classmethod
    def of(cls, model: TwoLevel, total_at: Callable) -> Self:
        """Of the law of sigma^2 + tau^2 that has those quantiles; theta given it is normal."""
        g = model.groups
        total = total_at(model, (np.arange(NODES) + 0.5) / NODES)[:, None]
        mean, variance = theta_given(g.mean, g.noise, g.mean.mean(), total - g.noise)
        of_mu = kappa(g.noise, total - g.noise) ** 2 * total / len(g)
        law, shared = stats.norm(mean, np.sqrt(variance + of_mu)), of_mu / (variance + of_mu)
        p = np.array(list(QUANTILES.values()))[:, None]
        quantile = t_mixture(np.full(NODES, 1 / NODES), mean, law.std(), np.inf).quantile(p[:, 0])
        density = np.array([law.pdf(t).mean(axis=0) for t in quantile])
        both = np.array([_both_below((t - mean) / law.std(), shared).mean(axis=0) for t in quantile])
        return cls(quantile, np.sqrt(p * (1 - p)) / density, np.sqrt(p * (1 - p) - both + p**2) / density)


def _both_below(h, correlation) -> np.ndarray:
    """P(both of two standard normals with that correlation are below h) (Owen 1956)."""
    return special.ndtr(h) - 2 * special.owens_t(h, np.sqrt((1 - correlation) / (1 + correlation)))


def readings(printed: pd.DataFrame) -> pd.Series:
    """Root mean square difference from the printed table, for each sigma and each way with negative tau^2."""
    differences = {
        (sigma, way): Sampled.of(baseball.model(sigma=sigma), total_at).quantile.T - printed.to_numpy()
        for sigma in (baseball.PRINTED, baseball.binomial())
        for way, total_at in WAYS.items()
    }
    return pd.Series({reading: np.sqrt(np.mean(off**2)) for reading, off in differences.items()})


def draws_of_the_source(printed: pd.DataFrame, model: TwoLevel) -> float:
    """How many draws lie behind the printed table, which does not say.

    Players with the same average have the same posterior, so what their printed quantiles differ by is the source's
    Monte Carlo error and rounding.

    Raises
    ------
    ValueError
        Where they differ by no more than rounding.
    """
    seen = _among_equals(printed.to_numpy().T).sum() - len(QUANTILES) * ROUNDED
    if not seen > 0:
        raise ValueError("players with the same average differ by no more than rounding: no draws can be counted")
    _, which, size = np.unique(model.groups.mean, return_inverse=True, return_counts=True)
    free = 1 - 1 / size[which]  # degrees of freedom that each player adds to those of its average
    return float(np.sum(Sampled.of(model, direct_sampling.total_at).sd_apart ** 2 @ free) / free.sum() / seen)


def equals() -> int:
    """Degrees of freedom of the quantiles among players with the same average."""
    average = baseball.averages()["average"]
    return len(QUANTILES) * (len(average) - average.nunique())


def _among_equals(values: np.ndarray) -> np.ndarray:
    """Variance of values (..., player) among players with the same average."""
    which, _ = baseball.averages()["average"].factorize()
    member = np.eye(which.max() + 1)[which]
    squares = np.sum((values - (values @ member / member.sum(axis=0))[..., which]) ** 2, axis=-1)
    return squares / (len(which) - member.shape[1])


class Group:
    """One group and its prior, in the source's letters."""

    def __init__(self, rng: np.random.Generator):
        self.y = rng.normal(48, 9, 7)
        self.theta, self.sigma2 = rng.normal(48, 3), rng.uniform(50, 120)
        ss = np.sum((self.y - self.y.mean()) ** 2)
        self.model = one_group.OneGroup(n=7, mean=self.y.mean(), ss=ss, mu=50.0, tau=0.6, alpha=2.5, beta=180.0)


def likelihood(t: Group) -> Evaluation:
    """Of the rows, in the mean and the variance s^2."""
    n, s2 = t.model.n, t.model.ss / (t.model.n - 1)
    squares = (n - 1) * s2 + n * (t.model.mean - t.theta) ** 2
    right = Normal(t.theta, np.sqrt(t.sigma2)).log_density(t.y).sum()
    return Evaluation(-n / 2 * np.log(2 * np.pi * t.sigma2) - squares / (2 * t.sigma2), right)


def theta_given_sigma(t: Group) -> Evaluation:
    """Mean and variance of theta given sigma^2."""
    m, law = t.model, t.model.theta_given(t.sigma2)
    mean = (m.mu / m.n + m.tau**2 * m.mean) / (1 / m.n + m.tau**2)
    return Evaluation([mean, t.sigma2 / (m.n + m.tau**-2)], [law.mean, law.sd**2])


def lost_integral(t: Group) -> Evaluation:
    """The sign of the integral over theta is lost: the joint density is not the marginal one."""
    marginal = np.exp(t.model.sigma2().log_density(t.sigma2))
    return Evaluation(marginal * np.exp(t.model.theta_given(t.sigma2).log_density(t.theta)), marginal)


def kernel_of_sigma(t: Group) -> Evaluation:
    """The power of sigma^2 is -(alpha + n/2 + 1); the sign of all but alpha is lost. Change between two points."""
    law, other = t.model.sigma2(), 1.3 * t.sigma2
    powers = (-t.model.alpha + t.model.n / 2 + 1) * np.log(other / t.sigma2)
    exponent = law.scale * (1 / other - 1 / t.sigma2)  # with the right scale, as its own row has the printed one
    return Evaluation(powers - exponent, law.log_density(other) - law.log_density(t.sigma2))


def shape_of_sigma(t: Group) -> Evaluation:
    """alpha* = alpha + n/2."""
    return Evaluation(t.model.alpha + t.model.n / 2, t.model.sigma2().shape)


def printed_scale(model: one_group.OneGroup) -> float:
    """beta* as printed: sum y^2 + mu^2/tau^2 - (n mean + mu/tau^2)^2 / (n + 1/tau^2)."""
    total, weight = model.n * model.mean + model.mu / model.tau**2, model.n + model.tau**-2
    return model.ss + model.n * model.mean**2 + model.mu**2 / model.tau**2 - total**2 / weight


def scale_of_sigma(t: Group) -> Evaluation:
    """beta* lacks beta, and the squares are not halved."""
    return Evaluation(printed_scale(t.model), t.model.sigma2().scale)


class Players:
    """Equal standard errors and a state, in the source's letters; here sigma^2 and tau^2 are variances."""

    def __init__(self, rng: np.random.Generator):
        self.model = baseball.model()
        g = self.model.groups
        self.y, self.k, self.sigma2 = g.mean, len(g), g.noise[0]
        self.s2, self.tau2 = g.mean.var(ddof=1), rng.uniform(0.02, 0.08) ** 2
        self.mu = rng.normal(0.265, 0.01)


def joint_of_means(t: Players, rng: np.random.Generator) -> Evaluation:
    """theta_i's population variance is printed as theta where tau^2 is meant."""
    theta = rng.normal(t.mu, np.sqrt(t.tau2), t.k)
    return Evaluation(*(Normal(t.mu, np.sqrt(v)).log_density(theta).sum() for v in (np.abs(theta), t.tau2)))


def theta_given_population(t: Players) -> Evaluation:
    """(sigma^2 mu + tau^2 y_i) / (sigma^2 + tau^2), and the product of the variances over their sum."""
    total = t.sigma2 + t.tau2
    printed = [(t.sigma2 * t.mu + t.tau2 * t.y) / total, np.full(t.k, t.sigma2 * t.tau2 / total)]
    mean, variance = theta_given(t.y, t.sigma2, t.mu, t.tau2)
    return Evaluation(printed, [mean, np.full(t.k, variance)])


def marginal_of_data(t: Players) -> Evaluation:
    """y_i ~ N(mu, sigma^2 + tau^2) with theta gone."""
    printed = Normal(t.mu, np.sqrt(t.sigma2 + t.tau2)).log_density(t.y).sum()
    return Evaluation(printed, t.model.log_marginal(np.array([t.mu]), np.sqrt(t.tau2), 1.0))


def number_of_groups(t: Players) -> Evaluation:
    """Called a model of n observations, where there are k; n is the size of a group some slides before."""
    return Evaluation(baseball.averages()["at_bats"].iloc[0], t.k)


def mu_given_tau(t: Players) -> Evaluation:
    """N(mean, (sigma^2 + tau^2) / k)."""
    g = t.model.groups
    p = pool(g.cells, g.cells.noise + t.tau2, t.model.coefficients)
    return Evaluation([t.y.mean(), (t.sigma2 + t.tau2) / t.k], [p.mean[0] + g.center, p.covariance[0, 0]])


def posterior_of_tau(t: Players) -> Evaluation:
    """The kernel of tau^2, as a change between two points."""

    def printed(tau2):
        total = t.sigma2 + tau2
        return -(t.k - 1) / 2 * np.log(total) - (t.k - 1) * t.s2 / (2 * total)

    def right(tau2):
        tau = np.sqrt([tau2])
        return (t.model.collapsed(tau).log_density - np.log(2 * tau))[0]  # a density of tau^2

    return Evaluation.of_change(printed, right, (t.tau2,), (1.7 * t.tau2,))


def factorisation(t: Players, rng: np.random.Generator) -> Evaluation:
    """The joint posterior of theta, mu and tau^2 in three factors, as a change between two points."""

    def printed(theta, mu, tau2):
        mean, variance = theta_given(t.y, t.sigma2, mu, tau2)
        of_theta = Normal(mean, np.sqrt(variance)).log_density(theta).sum()
        of_mu = Normal(t.y.mean(), np.sqrt((t.sigma2 + tau2) / t.k)).log_density(mu)
        total = t.sigma2 + tau2
        return of_theta + of_mu - (t.k - 1) / 2 * np.log(total) - (t.k - 1) * t.s2 / (2 * total)

    def right(theta, mu, tau2):
        rows = Normal(theta, np.sqrt(t.sigma2)).log_density(t.y).sum()
        return rows + Normal(mu, np.sqrt(tau2)).log_density(theta).sum()

    start = rng.normal(t.mu, np.sqrt(t.tau2), t.k), t.mu, t.tau2
    return Evaluation.of_change(printed, right, start, (rng.normal(0.27, 0.04, t.k), 0.27, 0.04**2))


def law_of_the_total(t: Players) -> Evaluation:
    """sigma^2 + tau^2 is inverse gamma only above sigma^2: the law has to be cut off there, which is not said."""
    law = stats.invgamma((t.k - 3) / 2, scale=(t.k - 1) * t.s2 / 2)
    tau = exact.posterior(t.model).scale("tau")
    return Evaluation(law.cdf(t.sigma2 + t.tau2), tau.cdf(np.sqrt([t.tau2]), np.array([0]))[0])


def mean_squared_error() -> Evaluation:
    """What is called a mean squared error is the sum of the squares."""
    t = baseball.averages()
    squares = (t["average"] - t["rest_of_season"]) ** 2
    return Evaluation(squares.sum(), squares.mean())


def pupils_without_index(rng: np.random.Generator) -> Evaluation:
    """Pupils k = 1, 2, .. of a classroom have scores y_ijk; without k there is one a classroom."""
    y = rng.normal(60, 8, 5)
    return Evaluation(y[0], y.mean())
