"""The math tests on summaries in PyMC, theta integrated out, drawn from by nutpie; theta is drawn afterwards."""

import sys

import numpy as np
import pandas as pd
import pymc as pm
from contender_io import Stopwatch, hand_in, read
from nutpie_rows import sample


def marginal_model(n: np.ndarray, mean: np.ndarray, ss: float) -> pm.Model:
    """State the model: mean_i ~ N(mu, sigma^2 (1 / n_i + tau^2)), ss ~ sigma^2 chi^2(N - J)."""
    with pm.Model() as model:
        mu = pm.Flat("mu")
        sigma = pm.Deterministic("sigma", pm.math.exp(pm.Flat("log_sigma")))  # p(sigma^2) = 1 / sigma^2
        tau = pm.Deterministic("tau", pm.math.sqrt(pm.InverseGamma("tau2", 0.5, 0.5)))
        pm.Normal("mean", mu, sigma * pm.math.sqrt(1 / n + tau**2), observed=mean)
        pm.Gamma("ss", (n.sum() - len(n)) / 2, 1 / (2 * sigma**2), observed=ss)
    return model


def draw_theta(n, mean, mu, sigma, tau, rng) -> np.ndarray:
    """Draw theta from its conditional."""
    mu, sigma, tau = mu[..., None], sigma[..., None], tau[..., None]
    kappa = 1 / (1 + n * tau**2)
    return rng.normal(kappa * mu + (1 - kappa) * mean, sigma * np.sqrt((1 - kappa) / n))


def main(rows: str, folder: str, seed: str) -> None:
    """Sample, chains in turn."""
    frame = read(rows)
    watch = Stopwatch()
    school, _ = pd.factorize(frame["school"])
    score, n = frame["score"].to_numpy(), np.bincount(school)
    mean = np.bincount(school, score) / n
    model = marginal_model(n, mean, np.sum((score - mean[school]) ** 2))
    watch.lap("setup")
    tree = sample(model, int(seed), watch)
    draws = {name: tree["posterior"][name].values for name in ("mu", "sigma", "tau")}
    theta = draw_theta(n, mean, **draws, rng=np.random.default_rng(int(seed)))
    watch.lap("sampling")
    hand_in(folder, watch.seconds, draws | {"theta": theta})


if __name__ == "__main__":
    main(*sys.argv[1:])
