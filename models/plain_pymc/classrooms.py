"""Test scores of pupils in classrooms in ten schools, by the means of the classrooms and their pooled sum of squares.

y_ij ~ N(theta_ij, sigma^2 / n_ij)      mean of the n_ij pupils of classroom j of school i, points
ss_within ~ sigma^2 chi^2(N - C)        N pupils in C classrooms
theta_ij ~ N(mu_i, tau^2)
mu_i ~ N(lambda, kappa^2)
p(lambda, kappa^2) = p(tau^2) = 1, p(sigma^2) = 1/sigma^2      improper: the log of sigma is flat
"""

import numpy as np
import pymc as pm

from models import classrooms

rooms, school, schools = classrooms.data(), classrooms.model().school, classrooms.model().schools

with pm.Model(coords={"school": schools, "classroom": rooms.labels}) as model:
    top = pm.Flat("lambda")
    kappa2 = pm.HalfFlat("kappa2")
    kappa = pm.Deterministic("kappa", pm.math.sqrt(kappa2))
    tau2 = pm.HalfFlat("tau2")
    tau = pm.Deterministic("tau", pm.math.sqrt(tau2))
    log_sigma = pm.Flat("log_sigma")
    sigma = pm.Deterministic("sigma", pm.math.exp(log_sigma))
    z_school = pm.Normal("z_school", dims="school")
    mu = pm.Deterministic("mu", top + kappa * z_school, dims="school")
    z = pm.Normal("z", dims="classroom")
    theta = pm.Deterministic("theta", mu[school] + tau * z, dims="classroom")
    pm.Normal("y", theta, sigma / np.sqrt(rooms.n), observed=rooms.mean, dims="classroom")
    pm.Gamma("ss_within", rooms.df.sum() / 2, 1 / (2 * sigma**2), observed=rooms.ss.sum())
