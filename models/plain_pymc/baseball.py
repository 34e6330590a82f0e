"""Batting averages of 18 players after 45 at-bats.

y_i ~ N(theta_i, sigma^2)           sigma known
theta_i ~ N(mu, tau^2)
p(mu, tau^2) = 1                    improper
"""

import pymc as pm

from models import baseball

players = baseball.data()

with pm.Model(coords={"player": players.labels}) as model:
    mu = pm.Flat("mu")
    tau2 = pm.HalfFlat("tau2")
    tau = pm.Deterministic("tau", pm.math.sqrt(tau2))
    z = pm.Normal("z", dims="player")
    theta = pm.Deterministic("theta", mu + tau * z, dims="player")
    pm.Normal("y", theta, players.standard_error, observed=players.mean, dims="player")
