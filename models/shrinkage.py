"""Shrinkage: theta of a group given the coefficients and the variances, and the weight kappa of its population mean.

mean_i ~ N(theta_i, noise_i)      theta_i ~ N(x_i'b, between)
"""

import numpy as np

from models import distributions
from models.distributions import Numbers


def kappa(noise: Numbers, between: Numbers) -> Numbers:
    """Weight of a group on its population mean: 0 left alone, 1 pooled completely (seed 000, 1D; seed 002, B_j).

    Parameters
    ----------
    noise, between : float or ndarray
        Variance of the group's mean about theta, and of theta about its population mean, in the same units.

    Examples
    --------
    >>> kappa(15.0**2, 5.0**2)
    0.9
    """
    return noise / (noise + between)


def data_weight(noise: Numbers, between: Numbers) -> Numbers:
    """Weight of a group on its own mean, 1 - kappa, good to the last digit however near to 0."""
    return between / (noise + between)


def theta_given(mean: Numbers, noise: Numbers, population: Numbers, between: Numbers) -> tuple[np.ndarray, Numbers]:
    """Mean and variance of theta_i given b and the variances: kappa x_i'b + (1 - kappa) mean_i (seed 000, 1D).

    Parameters
    ----------
    mean, noise : float or ndarray
        Mean of the group, and its variance about theta.
    population, between : float or ndarray
        x_i'b, and the variance of theta about it.

    Examples
    --------
    >>> mean, variance = theta_given(28.0, 15.0**2, 8.0, 5.0**2)
    >>> round(float(mean), 6), round(variance, 6)
    (10.0, 22.5)
    """
    weight, towards = data_weight(noise, between), population - mean
    # From the end that is nearer, so that what is left of its digits is not lost.
    return np.where(weight > 0.5, mean + kappa(noise, between) * towards, population - weight * towards), weight * noise


def theta_law(mean: Numbers, noise: Numbers, population: Numbers, between: Numbers) -> distributions.Normal:
    """Normal law of theta_i given b and the variances, with the mean and variance of `theta_given`."""
    center, variance = theta_given(mean, noise, population, between)
    return distributions.Normal(center, np.sqrt(variance))
