"""Seed 002: the walk through the eight schools."""

from itertools import product

import numpy as np
from partial_pooling_data import table as stored
from scipy import stats

from analyses.engines import exact, laplace, marginal_posterior, metropolis
from analyses.published import Evaluation, Figure, by_label
from models import eight_schools
from models.distributions import Normal
from models.groups import Estimates
from models.least_squares import pool
from models.shrinkage import kappa, theta_given
from models.two_level import TwoLevel

RUNS = 200  # of the source's own sampler, each as long as it was run there
DRAWS = 5000
TOLERANCE = np.sqrt(np.finfo(float).eps)  # R's optim: a search ends where heights differ by this, relatively
STEP = 1e-3  # of its differences
COORDINATES = ("mu", "log_tau")


def figures(rng: np.random.Generator) -> dict[str, Figure]:
    """Everything that is printed, from the exact posterior; the sampler's own error from repeating it."""
    model = eight_schools.model()
    posterior = exact.posterior(model)
    figures = _of_estimates(model.groups, posterior) | _pooled(model) | _at_the_mode(model)
    figures |= _of_the_chain(model, posterior, rng)
    return {f"eight_schools.{name}": figure for name, figure in figures.items()}


def _of_estimates(g: Estimates, posterior: exact.Posterior) -> dict[str, Figure]:
    """The data, each school by itself, and ranks."""
    alone = stats.norm(g.mean, g.standard_error)
    columns = {
        "estimate": g.mean,
        "standard_error": g.standard_error,
        "separate.q2_5": alone.ppf(0.025),
        "separate.q97_5": alone.ppf(0.975),
        "rank_shrinkage": stats.rankdata(np.round(posterior.kappa().mean, 9)),
        "rank_standard_error": stats.rankdata(np.round(g.standard_error, 9)),
    }
    return by_label(g.labels, columns) | {"schools": Figure(len(g)), "separate.above_28": Figure(alone.sf(28)[0])}


def _pooled(model: TwoLevel) -> dict[str, Figure]:
    """All schools alike: of two effects that are one, each counts for the smaller half the time."""
    g = model.groups
    p = pool(g.cells, g.cells.noise, model.coefficients)
    return {
        "pooled.mean": Figure(p.mean[0] + g.center),
        "pooled.variance": Figure(p.covariance[0, 0]),
        "pooled.a_below_mean": Figure(stats.norm.cdf(0.0)),
        "pooled.a_below_c": Figure(0.5),
    }


def _at_the_mode(model: TwoLevel) -> dict[str, Figure]:
    """Mode and covariance of (mu, log tau); R's search is taken to stop no farther below the top than its tolerance."""
    law = laplace.approximation(model)
    height = _printed_height(model, law.mean)
    bounds = np.sqrt(2 * TOLERANCE * (abs(height) + TOLERANCE) * np.diag(law.covariance))
    covariance_bounds = _covariance_bounds(model, law.covariance)
    modes = {f"mode.{name}": Figure(law.mean[i], bound=bounds[i]) for i, name in enumerate(COORDINATES)}
    return modes | {
        f"covariance.{COORDINATES[i]}.{COORDINATES[j]}": Figure(law.covariance[i, j], bound=covariance_bounds[i, j])
        for i, j in product(range(2), repeat=2)
    }


def _printed_height(model: TwoLevel, u) -> float:
    """The source's log posterior at u = (mu, log tau), whose constant its tolerance is relative to."""
    v = model.groups.noise + np.exp(2 * u[1])
    return np.sum(-np.log(v) / 2 - (u[0] - model.groups.mean) ** 2 / (2 * v)) + u[1]


def _covariance_bounds(model: TwoLevel, right: np.ndarray) -> np.ndarray:
    """How far off the covariance is from R's differences about the printed mode, in the worst rounding of that."""
    mode, half = printed_mode()
    corners = [mode + half * np.array(signs) for signs in product((-1, 1), repeat=2)]
    return np.max([np.abs(r_covariance(model, corner) - right) for corner in corners], axis=0)


def printed_mode() -> tuple[np.ndarray, float]:
    """The mode of (mu, log tau) and half a unit of its last digit, which limits the covariance printed with it."""
    rows = stored("published").query("kind == 'computed'").set_index("figure")
    rows = rows.loc[["eight_schools.mode.mu", "eight_schools.mode.log_tau"]]
    return rows["printed"].astype(float).to_numpy(), 0.5 * 10.0 ** -int(rows["decimals"].iloc[0])


def r_covariance(model: TwoLevel, mode: np.ndarray) -> np.ndarray:
    """Minus the inverse of the matrix of second derivatives, as optim takes them: differences of differences."""
    e = STEP * np.eye(2)
    hessian = np.empty((2, 2))
    for i, j in product(range(2), repeat=2):
        signs = product((1, -1), repeat=2)
        hessian[i, j] = sum(a * b * _printed_height(model, mode + a * e[i] + b * e[j]) for a, b in signs)
    return -np.linalg.inv(hessian / (4 * STEP**2))


def _of_the_chain(model: TwoLevel, posterior: exact.Posterior, rng: np.random.Generator) -> dict[str, Figure]:
    """What the chain gave: exact values, with the spread of that figure over many chains like the source's."""
    g = model.groups
    table = posterior.table()
    tree = metropolis.sample(model, draws=DRAWS, tune=DRAWS, thin=1, chains=RUNS, rng=rng)
    theta, shrinkage = (tree["posterior"][name].values for name in ("theta", "kappa"))
    a_minus_others = posterior.contrast(np.eye(len(g))[:1] - np.eye(len(g))[1:])
    columns = {  # exact, and by each chain
        "theta_mean": (table.loc["theta", "mean"], theta.mean(axis=1)),
        "theta_sd": (table.loc["theta", "sd"], theta.std(axis=1, ddof=1)),
        "shrinkage": (table.loc["kappa", "mean"], shrinkage.mean(axis=1)),
        "a_greater": (
            1 - a_minus_others.cdf(np.zeros(len(g) - 1), np.arange(len(g) - 1)),
            (theta[..., :1] > theta[..., 1:]).mean(axis=1),
        ),
    }
    figures = {}
    for name, (values, by_chain) in columns.items():
        figures |= by_label(g.labels[-len(values) :], {name: values}, by_chain.std(axis=0, ddof=1), runs=RUNS)
    above = 1 - posterior.theta().cdf(np.array([28.0]), np.array([0]))[0]
    rate = tree["sample_stats"]["acceptance_rate"].values.mean(axis=1)
    # The source counts all of its ten thousand steps, of which half are kept here.
    error = np.hypot(rate.std(ddof=1) / np.sqrt(2), rate.std(ddof=1) / np.sqrt(RUNS))
    return figures | {
        "above_28": Figure(above, sd=(theta[..., 0] > 28).mean(axis=1).std(ddof=1), runs=RUNS),
        "acceptance": Figure(rate.mean(), sd=error, runs=RUNS),
    }


class Schools:
    """Three schools and a state, in the source's letters."""

    def __init__(self, rng: np.random.Generator):
        self.y, self.sigma, self.theta = rng.normal(8, 9, 3), rng.uniform(8, 18, 3), rng.normal(8, 6, 3)
        self.mu, self.tau = rng.normal(8, 4), rng.uniform(3, 12)
        self.mean, self.variance = theta_given(self.y, self.sigma**2, self.mu, self.tau**2)
        # Twice minus the log of the joint density of theta and y, constants apart.
        self.exponent = (self.theta - self.mu) ** 2 / self.tau**2 + (self.y - self.theta) ** 2 / self.sigma**2

    def log_joint(self, theta, mu, tau):
        """Log of the joint density of theta and y, a value for each school."""
        rows = Normal(theta, self.sigma).log_density(self.y)
        return Normal(mu, tau).log_density(theta) + rows


class Modes:
    """Two points about the mode of (mu, log tau), and the log posterior there, printed and right."""

    def __init__(self, rng: np.random.Generator):
        model = eight_schools.model()
        points = rng.normal([8, 2], [3, 0.5], (2, 2))
        self.printed = [_printed_height(model, point) for point in points]
        self.right = marginal_posterior.log_posterior(model, points)


def pooled(t: Schools) -> Evaluation:
    """Mean and variance weighted by precisions."""
    w = t.sigma**-2.0
    design = np.ones((3, 1))
    b, *_ = np.linalg.lstsq(design * np.sqrt(w)[:, None], t.y * np.sqrt(w))
    variance = np.linalg.inv(design.T @ np.diag(w) @ design)[0, 0]
    return Evaluation([np.sum(t.y * w) / w.sum(), 1 / w.sum()], [b[0], variance])


def common_denominator(t: Schools) -> Evaluation:
    """sigma_j tau as the root of a ratio."""
    return Evaluation(np.sqrt((t.tau**2 + t.sigma**2) / (t.sigma**-2.0 + t.tau**-2)), t.sigma * t.tau)


def joint(t: Schools, other: Schools) -> Evaluation:
    """Up to a constant: a change between two points in theta, mu and tau."""

    def printed(theta, mu, tau):
        exponent = (theta - mu) ** 2 / (2 * tau**2) + (t.y - theta) ** 2 / (2 * t.sigma**2)
        return np.sum(-np.log(tau * t.sigma) - exponent)

    def right(theta, mu, tau):
        return np.sum(t.log_joint(theta, mu, tau))

    return Evaluation.of_change(printed, right, (t.theta, t.mu, t.tau), (other.theta, other.mu, other.tau))


def quadratic_in_theta(t: Schools) -> Evaluation:
    """The line that gathers powers of theta_j has y_j^2 where y_j tau^2 is meant."""
    s2, t2 = t.sigma**2, t.tau**2
    printed = t.theta**2 * (s2 + t2) - 2 * t.theta * (t.mu * s2 + t.y**2) + s2 * t.mu**2 + t2 * t.y**2
    return Evaluation(printed / (t2 * s2), t.exponent)


def square_completed(t: Schools) -> Evaluation:
    """The line that completes the square."""
    s2, t2 = t.sigma**2, t.tau**2
    square = (s2 + t2) * (t.theta - (t.mu * s2 + t.y * t2) / (s2 + t2)) ** 2
    rest = -((t.mu * s2 + t.y * t2) ** 2) / (s2 + t2) + s2 * t.mu**2 + t2 * t.y**2
    return Evaluation((square + rest) / (t2 * s2), t.exponent)


def cancelled_terms(t: Schools) -> Evaluation:
    """Among the terms that cancel stands mu^4 where mu^2 is meant."""
    s2, t2, m, y = t.sigma**2, t.tau**2, t.mu, t.y
    terms = -(m**2) * s2**2 - 2 * m * s2 * y * t2 - y**2 * t2**2 + s2**2 * m**4 + s2 * m**2 * t2 + t2 * y**2 * s2
    return Evaluation((terms + t2**2 * y**2) / (t2 * s2 * (s2 + t2)), (m - y) ** 2 / (s2 + t2))


def weight_without_index(t: Schools) -> Evaluation:
    """The mean of theta_j in the derivation has sigma without its index in the denominator."""
    sigma = t.sigma[::-1]  # some sigma, but not that of the school
    return Evaluation((t.mu / t.tau**2 + t.y / t.sigma**2) / (1 / t.tau**2 + 1 / sigma**2), t.mean)


def mean_of_theta(t: Schools) -> Evaluation:
    """theta_hat_j, the mean weighted by precisions."""
    return Evaluation((t.y / t.sigma**2 + t.mu / t.tau**2) / (t.sigma**-2 + t.tau**-2), t.mean)


def variance_of_theta(t: Schools) -> Evaluation:
    """V_j, one over the sum of precisions."""
    return Evaluation(1 / (t.sigma**-2 + t.tau**-2), t.variance)


def marginal(t: Schools) -> Evaluation:
    """What the joint leaves when theta's conditional is taken out: the density of y_j about mu."""
    given = Normal(t.mean, np.sqrt(t.variance)).log_density(t.theta)
    printed = Normal(t.mu, np.sqrt(t.sigma**2 + t.tau**2)).log_density(t.y)
    return Evaluation(printed, t.log_joint(t.theta, t.mu, t.tau) - given)


def log_posterior(t: Modes) -> Evaluation:
    """Of (mu, log tau) with its Jacobian, as a change between two points."""
    return Evaluation(t.printed[0] - t.printed[1], t.right[0] - t.right[1])


def proportional_logs(t: Modes) -> Evaluation:
    """A log density is known up to a constant that is added, not one that it is multiplied by."""
    return Evaluation(t.printed[0] / t.printed[1], t.right[0] / t.right[1])


def change_of_variables(rng: np.random.Generator) -> Evaluation:
    """The density of log tau is that of tau at its exponential, times the derivative."""
    x = rng.normal(1, 0.5)
    return Evaluation(stats.gamma.pdf(np.exp(x), 3) * np.exp(x), stats.loggamma.pdf(x, 3))


def shrunken_mean(t: Schools) -> Evaluation:
    """(1 - B_j) y_j + B_j mu, with sigma_j in B_j."""
    b = t.tau**-2 / (t.tau**-2 + t.sigma**-2)
    return Evaluation((1 - b) * t.y + b * t.mu, t.mean)


def shrinkage_without_index(t: Schools) -> Evaluation:
    """B_j has sigma without its index."""
    return Evaluation(t.tau**-2 / (t.tau**-2 + t.sigma[::-1] ** -2), kappa(t.sigma**2, t.tau**2))
