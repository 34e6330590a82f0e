"""Effects of coaching in eight schools.

y_j ~ N(theta_j, se_j^2)            estimated effect of school j, points; se_j known
theta_j ~ N(mu, tau^2)
p(mu, tau) = 1                      improper
"""

import numpy as np
import pymc as pm

schools = ["A", "B", "C", "D", "E", "F", "G", "H"]
effect = np.array([28, 8, -3, 7, -1, 1, 18, 12])
standard_error = np.array([15, 10, 16, 11, 9, 11, 10, 18])

with pm.Model(coords={"school": schools}) as model:
    mu = pm.Flat("mu")
    tau = pm.HalfFlat("tau")
    z = pm.Normal("z", dims="school")
    theta = pm.Deterministic("theta", mu + tau * z, dims="school")
    pm.Normal("y", theta, standard_error, observed=effect, dims="school")
