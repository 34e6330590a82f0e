"""Rows of groups, and the density of a group of them, written apart."""

import numpy as np


def rows_of(groups, rng):
    """Made up for each group."""
    labels, values = groups.rows(rng)
    return [values[np.array(labels) == label] for label in groups.labels]


def log_density_of_group(y, population, between, sigma):
    """Log of N(y; population, sigma^2 I + between^2 11'), for arrays of the three, from its two eigenvalues.

    The mean's is sigma^2 + n between^2, each other direction's sigma^2.
    """
    n, mean, ss = len(y), y.mean(), np.sum((y - y.mean()) ** 2)
    together = sigma**2 + n * between**2
    log_determinant = (n - 1) * np.log(sigma**2) + np.log(together)
    return -(n * np.log(2 * np.pi) + log_determinant + ss / sigma**2 + n * (mean - population) ** 2 / together) / 2
