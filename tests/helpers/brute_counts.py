"""The posterior of the model of counts by sums over the whole range of everything; shares no code with the package.

theta_i given (b, tau) is integrated by Gauss and Legendre's rule in panels, or by Gauss and Hermite's where tau is
small. b and log tau lie on plain lattices, wide and dense. The law of one theta is found the other way round: at each
theta and tau, b is integrated over N(theta | x_i'b, tau^2), so a small tau needs no lattice of its own.
"""

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln, logsumexp

LEGENDRE = np.polynomial.legendre.leggauss(20)
HERMITE = np.polynomial.hermite_e.hermegauss(28)
SMALL = 0.1  # tau below which Hermite's rule is used


class Likelihood(NamedTuple):
    """Log of p(y | theta), a function of theta, and ends beyond which it is not worth an integral's while."""

    log: Callable[[np.ndarray], np.ndarray]
    low: float = -np.inf
    high: float = np.inf


def binomial(y, n):
    """A binomial count; a large one has ends."""
    ways = gammaln(n + 1) - gammaln(y + 1) - gammaln(n - y + 1)

    def log(t):
        return ways + y * -np.logaddexp(0, -t) + (n - y) * -np.logaddexp(0, t)

    if min(y, n - y) < 100:
        return Likelihood(log)
    peak, sd = np.log(y / (n - y)), (y * (n - y) / n) ** -0.5
    return Likelihood(log, peak - 12 * sd, peak + 12 * sd)


def poisson(y, exposure):
    """A Poisson count."""
    return Likelihood(lambda t: y * (t + np.log(exposure)) - exposure * np.exp(np.minimum(t, 700)) - gammaln(y + 1))


def panels(low, high, width):
    """Points and weights of Gauss and Legendre's rule on panels of some width at most."""
    edges = np.linspace(low, high, max(2, int(np.ceil((high - low) / width)) + 1))
    half = np.diff(edges) / 2
    points = (edges[:-1] + half)[:, None] + half[:, None] * LEGENDRE[0]
    return points.ravel(), (half[:, None] * LEGENDRE[1]).ravel()


def log_integrals(likelihood, m, tau, width):
    """Log of the integral of a likelihood and N(. | m, tau^2), for an array of m."""
    m = np.asarray(m, dtype=float)
    if tau < SMALL and np.isinf(likelihood.low):
        return logsumexp(likelihood.log(m[..., None] + tau * HERMITE[0]), b=HERMITE[1] / np.sqrt(2 * np.pi), axis=-1)
    low, high = max(m.min() - 9 * tau, likelihood.low), min(m.max() + 9 * tau, likelihood.high)
    if low >= high:
        return np.full(m.shape, -np.inf)
    points, weights = panels(low, high, min(width, 2 * tau, likelihood.high - likelihood.low))
    logs = likelihood.log(points) + np.log(weights)
    return logsumexp(logs - ((points - m[..., None]) / tau) ** 2 / 2, axis=-1) - np.log(tau * np.sqrt(2 * np.pi))


class Brute:
    """A posterior: p(tau) by a function of tau, flat b, likelihoods as functions of theta, regressors (J, p).

    `u` are equally distant logs of tau, `b` equally distant values of each coefficient; `width` is a length over which
    a polynomial of degree 39 follows the likelihoods.
    """

    def __init__(self, likelihoods, design, log_prior_of_tau, u, b, width):
        self.likelihoods, self.design, self.width = likelihoods, np.asarray(design, dtype=float), width
        self.log_prior, self.tau = log_prior_of_tau, np.exp(u)
        self.b = np.array(list(itertools.product(*b)))
        self.cell = np.prod([axis[1] - axis[0] for axis in b]) * (u[1] - u[0])
        m = self.b @ self.design.T
        self.logs = np.array(
            [
                sum(log_integrals(f, m[:, j], tau, width) for j, f in enumerate(likelihoods))
                + log_prior_of_tau(tau)
                + np.log(tau)
                for tau in self.tau
            ]
        )  # (tau, b)
        self.log_evidence = float(logsumexp(self.logs) + np.log(self.cell))
        self.weight = np.exp(self.logs - logsumexp(self.logs))

    def moments(self):
        """Means and sds of tau and of each coefficient."""
        of_tau, of_b = self.weight.sum(axis=1), self.weight.sum(axis=0)
        columns = [(of_tau, self.tau), *((of_b, column) for column in self.b.T)]
        means = [w @ x for w, x in columns]
        sds = [np.sqrt(w @ (x - mean) ** 2) for (w, x), mean in zip(columns, means, strict=True)]
        return np.array(means), np.array(sds)

    def density_of_theta(self, i, theta):
        """Density (theta,) of theta_i; b of one coefficient, the mean of all groups."""
        assert self.design.shape[1] == 1
        total = np.zeros(len(theta))
        others = [f for j, f in enumerate(self.likelihoods) if j != i]
        step = self.b[1, 0] - self.b[0, 0]
        for tau, row in zip(self.tau, self.logs, strict=True):
            if row.max() + np.log(self.cell * len(row)) < self.log_evidence - 40:
                continue
            if tau > 2 * step:
                rest = row - log_integrals(self.likelihoods[i], self.b[:, 0], tau, self.width)
                away = (theta[:, None] - self.b[:, 0]) / tau
                log_sum = logsumexp(rest - away**2 / 2, axis=1) + np.log(step) - np.log(tau * np.sqrt(2 * np.pi))
            else:
                m = theta[:, None] - tau * HERMITE[0]
                rest = sum(log_integrals(f, m, tau, self.width) for f in others) + self.log_prior(tau) + np.log(tau)
                log_sum = logsumexp(rest, b=HERMITE[1] / np.sqrt(2 * np.pi), axis=1)
            total += np.exp(log_sum + self.likelihoods[i].log(theta) - self.log_evidence)
        return total * self.cell / step
