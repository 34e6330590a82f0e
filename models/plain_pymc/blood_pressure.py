"""Systolic blood pressure of 20 subjects, by the means of the subjects and their pooled sum of squares.

y_i ~ N(theta_i, sigma^2 / n_i)                     mean of the n_i records of subject i, mmHg
ss_within ~ sigma^2 chi^2(N - 20)
theta_i ~ N(mu + beta x_i, tau^2 sigma^2)           x_i = 1 for the experimental medication
p(mu) = p(beta) = 1, p(sigma^2) = 1/sigma^2         improper: the log of sigma is flat
tau^2 ~ InverseGamma(1/2, 1/2)
"""

import numpy as np
import pymc as pm

from models import blood_pressure

subjects = blood_pressure.data()
treatment = subjects.design[:, 1:]  # one column, 0 or 1

with pm.Model(coords={"subject": subjects.labels, "covariate": ["treatment"]}) as model:
    mu = pm.Flat("mu")
    beta = pm.Flat("beta", dims="covariate")
    log_sigma = pm.Flat("log_sigma")
    sigma = pm.Deterministic("sigma", pm.math.exp(log_sigma))
    tau2 = pm.InverseGamma("tau2", 0.5, 0.5)
    tau = pm.Deterministic("tau", pm.math.sqrt(tau2))
    z = pm.Normal("z", dims="subject")
    theta = pm.Deterministic("theta", mu + pm.math.dot(treatment, beta) + tau * sigma * z, dims="subject")
    pm.Normal("y", theta, sigma / np.sqrt(subjects.n), observed=subjects.mean, dims="subject")
    pm.Gamma("ss_within", subjects.df.sum() / 2, 1 / (2 * sigma**2), observed=subjects.ss.sum())
