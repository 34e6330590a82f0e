"""Seed 002: the walk through the eight schools."""

from itertools import product

import numpy as np
from partial_pooling_data import table as stored
from scipy import stats

from analyses.engines import exact, laplace, marginal_posterior, metropolis
from analyses.published import Figure
from models import distributions, eight_schools
from models.linear_gaussian import kappa, pool, theta_given
from models.two_level import TwoLevel

RUNS = 200  # of the source's own sampler, each as long as it was run there
DRAWS = 5000
TOLERANCE = np.sqrt(np.finfo(float).eps)  # R's optim: a search ends where heights differ by this, relatively
STEP = 1e-3  # of its differences


def figures(rng) -> dict[str, Figure]:
    """Everything that is printed, from the exact posterior; the sampler's own error from repeating it."""
    model = eight_schools.model()
    g, posterior = model.groups, exact.posterior(model)
    return {
        "eight_schools.schools": Figure(len(g)),
        **_each("estimate", g.mean, g),
        **_each("standard_error", g.standard_error, g),
        **_separate(g),
        **_pooled(model),
        **_mode(model),
        **_chain(model, posterior, rng),
        **_ranks(g, posterior),
    }


def _each(name, values, groups, **known):
    return {f"eight_schools.{name}.{x}": Figure(float(v), **known) for x, v in zip(groups.labels, values, strict=True)}


def _separate(g):
    """Each school by itself."""
    intervals = {"q2_5": stats.norm.ppf(0.025, g.mean, g.standard_error)}
    intervals["q97_5"] = stats.norm.ppf(0.975, g.mean, g.standard_error)
    found = {key: value for name, q in intervals.items() for key, value in _each(f"separate.{name}", q, g).items()}
    return found | {"eight_schools.separate.above_28": Figure(stats.norm.sf(28, g.mean[0], g.standard_error[0]))}


def _pooled(model):
    """All schools alike."""
    g = model.groups
    p = pool(g.cells, g.cells.noise, model.coefficients)
    equal = 1.0  # all effects are one: of two, each counts for the smaller half the time
    return {
        "eight_schools.pooled.mean": Figure(p.mean[0] + g.center),
        "eight_schools.pooled.variance": Figure(p.covariance[0, 0]),
        "eight_schools.pooled.a_below_mean": Figure(stats.norm.cdf(0.0)),
        "eight_schools.pooled.a_below_c": Figure(equal / 2),
    }


def _mode(model):
    """Mode and covariance of (mu, log tau); R's search is taken to stop no farther below the top than its tolerance."""
    law = laplace.approximation(model)
    off = np.sqrt(2 * TOLERANCE * (abs(_printed_height(model, law.mean)) + TOLERANCE) * np.diag(law.covariance))
    names, found = ("mu", "log_tau"), {}
    for i, name in enumerate(names):
        found[f"eight_schools.mode.{name}"] = Figure(law.mean[i], bound=off[i])
        for j, other in enumerate(names):
            found[f"eight_schools.covariance.{name}.{other}"] = Figure(
                law.covariance[i, j], bound=_covariance_bound(model, law.covariance, i, j)
            )
    return found


def _printed_height(model, u):
    """The source's log posterior, whose constant its tolerance is relative to."""
    v = model.groups.noise + np.exp(2 * u[1])
    return np.sum(-np.log(v) / 2 - (u[0] - model.groups.mean) ** 2 / (2 * v)) + u[1]


def _covariance_bound(model, right, i, j):
    """How far off the covariance is from R's differences about the printed mode, in the worst rounding of that."""
    mode, half = printed_mode()
    corners = [mode + half * np.array(signs) for signs in product((-1, 1), repeat=2)]
    return max(abs(r_covariance(model, at)[i, j] - right[i, j]) for at in corners)


def printed_mode() -> tuple[np.ndarray, float]:
    """The mode of (mu, log tau) and half a unit of its last digit, which limits the covariance printed with it."""
    rows = stored("published").query("kind == 'computed'").set_index("figure")
    rows = rows.loc[["eight_schools.mode.mu", "eight_schools.mode.log_tau"]]
    return rows["printed"].astype(float).to_numpy(), 0.5 * 10.0 ** -int(rows["decimals"].iloc[0])


def r_covariance(model: TwoLevel, at) -> np.ndarray:
    """Minus the inverse of the matrix of second derivatives, as optim takes them: differences of differences."""
    e = STEP * np.eye(2)
    hessian = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            signs = [(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]
            ends = [s * _printed_height(model, at + a * e[i] + b * e[j]) for a, b, s in signs]
            hessian[i, j] = sum(ends) / (4 * STEP**2)
    return -np.linalg.inv(hessian)


def _chain(model, posterior, rng):
    """What the chain gave: exact values, with the spread of that figure over many chains like the source's."""
    g, table = model.groups, posterior.table()
    tree = metropolis.sample(model, draws=DRAWS, tune=DRAWS, thin=1, chains=RUNS, rng=rng)
    theta, shrinkage = (tree["posterior"][name].values for name in ("theta", "kappa"))
    greater = posterior.contrast(np.eye(len(g))[:1] - np.eye(len(g))[1:])
    above = 1 - posterior.theta().cdf(np.array([28.0]), np.array([0]))
    exactly = {
        "theta_mean": (table.loc["theta", "mean"].to_numpy(), theta.mean(axis=1)),
        "theta_sd": (table.loc["theta", "sd"].to_numpy(), theta.std(axis=1, ddof=1)),
        "shrinkage": (table.loc["kappa", "mean"].to_numpy(), shrinkage.mean(axis=1)),
    }
    found = {}
    for name, (values, runs) in exactly.items():
        for label, value, sd in zip(g.labels, values, runs.std(axis=0, ddof=1), strict=True):
            found[f"eight_schools.{name}.{label}"] = Figure(value, sd=sd, runs=RUNS)
    ahead = (theta[..., :1] > theta[..., 1:]).mean(axis=1).std(axis=0, ddof=1)
    p = 1 - greater.cdf(np.zeros(len(g) - 1), np.arange(len(g) - 1))
    for label, value, sd in zip(g.labels[1:], p, ahead, strict=True):
        found[f"eight_schools.a_greater.{label}"] = Figure(value, sd=sd, runs=RUNS)
    found["eight_schools.above_28"] = Figure(above[0], sd=(theta[..., 0] > 28).mean(axis=1).std(ddof=1), runs=RUNS)
    rate = tree["sample_stats"]["acceptance_rate"].values.mean(axis=1)
    # The source counts all of its ten thousand steps, of which half are kept here.
    error = np.hypot(rate.std(ddof=1) / np.sqrt(2), rate.std(ddof=1) / np.sqrt(RUNS))
    return found | {"eight_schools.acceptance": Figure(rate.mean(), sd=error, runs=RUNS)}


def _ranks(g, posterior):
    ranks = {"rank_shrinkage": posterior.kappa().mean, "rank_standard_error": g.standard_error}
    return {k: v for name, x in ranks.items() for k, v in _each(name, stats.rankdata(np.round(x, 9)), g).items()}


class _Schools:
    """Three schools and a state, in the source's letters."""

    def __init__(self, rng):
        self.y, self.sigma, self.theta = rng.normal(8, 9, 3), rng.uniform(8, 18, 3), rng.normal(8, 6, 3)
        self.mu, self.tau = rng.normal(8, 4), rng.uniform(3, 12)
        mean, self.variance = theta_given(self.y, self.sigma**2, self.mu, self.tau**2)
        self.mean = mean

    @property
    def exponent(self):
        """Twice minus the log of the joint density of theta and y, constants apart."""
        return (self.theta - self.mu) ** 2 / self.tau**2 + (self.y - self.theta) ** 2 / self.sigma**2


def pooled(rng):
    """Mean and variance weighted by precisions."""
    t = _Schools(rng)
    w = t.sigma**-2.0
    design = np.ones((3, 1))
    b, *_ = np.linalg.lstsq(design * np.sqrt(w)[:, None], t.y * np.sqrt(w))
    return [np.sum(t.y * w) / w.sum(), 1 / w.sum()], [b[0], np.linalg.inv(design.T @ np.diag(w) @ design)[0, 0]]


def common_denominator(rng):
    """sigma_j tau as the root of a ratio."""
    t = _Schools(rng)
    return np.sqrt((t.tau**2 + t.sigma**2) / (t.sigma**-2.0 + t.tau**-2)), t.sigma * t.tau


def joint(rng):
    """Up to a constant: a change between two points in theta, mu and tau."""
    t, u = _Schools(rng), _Schools(rng)

    def printed(theta, mu, tau):
        exponent = (theta - mu) ** 2 / (2 * tau**2) + (t.y - theta) ** 2 / (2 * t.sigma**2)
        return np.sum(-np.log(tau * t.sigma) - exponent)

    def right(theta, mu, tau):
        return np.sum(
            distributions.Normal(mu, tau).log_density(theta) + distributions.Normal(theta, t.sigma).log_density(t.y)
        )

    one, two = (t.theta, t.mu, t.tau), (u.theta, u.mu, u.tau)
    return printed(*one) - printed(*two), right(*one) - right(*two)


def quadratic_in_theta(rng):
    """The line that gathers powers of theta_j has y_j^2 where y_j tau^2 is meant."""
    t = _Schools(rng)
    s2, t2 = t.sigma**2, t.tau**2
    printed = t.theta**2 * (s2 + t2) - 2 * t.theta * (t.mu * s2 + t.y**2) + s2 * t.mu**2 + t2 * t.y**2
    return printed / (t2 * s2), t.exponent


def square_completed(rng):
    """The line that completes the square."""
    t = _Schools(rng)
    s2, t2 = t.sigma**2, t.tau**2
    square = (s2 + t2) * (t.theta - (t.mu * s2 + t.y * t2) / (s2 + t2)) ** 2
    rest = -((t.mu * s2 + t.y * t2) ** 2) / (s2 + t2) + s2 * t.mu**2 + t2 * t.y**2
    return (square + rest) / (t2 * s2), t.exponent


def cancelled_terms(rng):
    """Among the terms that cancel stands mu^4 where mu^2 is meant."""
    t = _Schools(rng)
    s2, t2, m, y = t.sigma**2, t.tau**2, t.mu, t.y
    terms = -(m**2) * s2**2 - 2 * m * s2 * y * t2 - y**2 * t2**2 + s2**2 * m**4 + s2 * m**2 * t2 + t2 * y**2 * s2
    return (terms + t2**2 * y**2) / (t2 * s2 * (s2 + t2)), (m - y) ** 2 / (s2 + t2)


def weight_without_index(rng):
    """The mean of theta_j in the derivation has sigma without its index in the denominator."""
    t = _Schools(rng)
    sigma = t.sigma[::-1]  # some sigma, but not that of the school
    return (t.mu / t.tau**2 + t.y / t.sigma**2) / (1 / t.tau**2 + 1 / sigma**2), t.mean


def mean_of_theta(rng):
    """theta_hat_j, the mean weighted by precisions."""
    t = _Schools(rng)
    return (t.y / t.sigma**2 + t.mu / t.tau**2) / (t.sigma**-2 + t.tau**-2), t.mean


def variance_of_theta(rng):
    """V_j, one over the sum of precisions."""
    t = _Schools(rng)
    return 1 / (t.sigma**-2 + t.tau**-2), t.variance


def marginal(rng):
    """What the joint leaves when theta's conditional is taken out: the density of y_j about mu."""
    t = _Schools(rng)
    joint = distributions.Normal(t.mu, t.tau).log_density(t.theta) + distributions.Normal(t.theta, t.sigma).log_density(
        t.y
    )
    rest = joint - distributions.Normal(t.mean, np.sqrt(t.variance)).log_density(t.theta)
    return distributions.Normal(t.mu, np.sqrt(t.sigma**2 + t.tau**2)).log_density(t.y), rest


def log_posterior(rng):
    """Of (mu, log tau) with its Jacobian, as a change between two points."""
    model = eight_schools.model()
    one, two = rng.normal([8, 2], [3, 0.5], (2, 2))
    ours = marginal_posterior.log_posterior(model, np.array([one, two]))
    return _printed_height(model, one) - _printed_height(model, two), ours[0] - ours[1]


def proportional_logs(rng):
    """A log density is known up to a constant that is added, not one that it is multiplied by."""
    model = eight_schools.model()
    one, two = rng.normal([8, 2], [3, 0.5], (2, 2))
    ours = marginal_posterior.log_posterior(model, np.array([one, two]))
    return _printed_height(model, one) / _printed_height(model, two), ours[0] / ours[1]


def change_of_variables(rng):
    """The density of log tau is that of tau at its exponential, times the derivative."""
    x = rng.normal(1, 0.5)
    return stats.gamma.pdf(np.exp(x), 3) * np.exp(x), stats.loggamma.pdf(x, 3)


def shrunken_mean(rng):
    """(1 - B_j) y_j + B_j mu, with sigma_j in B_j."""
    t = _Schools(rng)
    b = t.tau**-2 / (t.tau**-2 + t.sigma**-2)
    return (1 - b) * t.y + b * t.mu, t.mean


def shrinkage_without_index(rng):
    """B_j has sigma without its index."""
    t = _Schools(rng)
    return t.tau**-2 / (t.tau**-2 + t.sigma[::-1] ** -2), kappa(t.sigma**2, t.tau**2)


FORMULAS = {
    "002.pooled": pooled,
    "002.joint": joint,
    "002.common_denominator": common_denominator,
    "002.quadratic_in_theta": quadratic_in_theta,
    "002.square_completed": square_completed,
    "002.cancelled_terms": cancelled_terms,
    "002.weight_without_index": weight_without_index,
    "002.mean_of_theta": mean_of_theta,
    "002.variance_of_theta": variance_of_theta,
    "002.marginal": marginal,
    "002.log_posterior": log_posterior,
    "002.proportional_logs": proportional_logs,
    "002.change_of_variables": change_of_variables,
    "002.shrunken_mean": shrunken_mean,
    "002.shrinkage_without_index": shrinkage_without_index,
}
