"""Math scores of 1993 pupils in 100 schools, by the means of the schools and their pooled sum of squares.

y_i ~ N(theta_i, sigma^2 / n_i)         mean of the n_i pupils of school i, points
ss_within ~ sigma^2 chi^2(N - 100)
theta_i ~ N(mu, tau^2 sigma^2)
p(mu) = 1, p(sigma^2) = 1/sigma^2       improper: the log of sigma is flat
tau^2 ~ InverseGamma(1/2, 1/2)
"""

import numpy as np
import pymc as pm

from models import math_test

schools = math_test.data()

with pm.Model(coords={"school": schools.labels}) as model:
    mu = pm.Flat("mu")
    log_sigma = pm.Flat("log_sigma")
    sigma = pm.Deterministic("sigma", pm.math.exp(log_sigma))
    tau2 = pm.InverseGamma("tau2", 0.5, 0.5)
    tau = pm.Deterministic("tau", pm.math.sqrt(tau2))
    z = pm.Normal("z", dims="school")
    theta = pm.Deterministic("theta", mu + tau * sigma * z, dims="school")
    pm.Normal("y", theta, sigma / np.sqrt(schools.n), observed=schools.mean, dims="school")
    pm.Gamma("ss_within", schools.df.sum() / 2, 1 / (2 * sigma**2), observed=schools.ss.sum())
