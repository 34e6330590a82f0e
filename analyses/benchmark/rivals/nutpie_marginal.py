"""The math tests on summaries in PyMC, theta integrated out, drawn from by nutpie; theta is drawn afterwards."""

import sys
from dataclasses import dataclass

import numpy as np
import nutpie_rows
import pandas as pd
import pymc as pm
from contender_io import compete


@dataclass(frozen=True, eq=False)
class Summaries:
    """Size and mean of each group, and the pooled sum of squares, with the model of them."""

    n: np.ndarray
    mean: np.ndarray
    model: pm.Model


def marginal_model(frame: pd.DataFrame) -> Summaries:
    """State the model: mean_i ~ N(mu, sigma^2 (1 / n_i + tau^2)), ss ~ sigma^2 chi^2(N - J)."""
    school, _ = pd.factorize(frame["school"])
    score, n = frame["score"].to_numpy(), np.bincount(school)
    mean = np.bincount(school, score) / n
    with pm.Model() as model:
        mu = pm.Flat("mu")
        sigma = pm.Deterministic("sigma", pm.math.exp(pm.Flat("log_sigma")))  # p(sigma^2) = 1 / sigma^2
        tau = pm.Deterministic("tau", pm.math.sqrt(pm.InverseGamma("tau2", 0.5, 0.5)))
        pm.Normal("mean", mu, sigma * pm.math.sqrt(1 / n + tau**2), observed=mean)
        squares = np.sum((score - mean[school]) ** 2)
        pm.Gamma("ss", (n.sum() - len(n)) / 2, 1 / (2 * sigma**2), observed=squares)
    return Summaries(n, mean, model)


def draw_theta(n, mean, mu, sigma, tau, rng) -> np.ndarray:
    """Draw theta from its conditional."""
    mu, sigma, tau = mu[..., None], sigma[..., None], tau[..., None]
    kappa = 1 / (1 + n * tau**2)
    return rng.normal(kappa * mu + (1 - kappa) * mean, sigma * np.sqrt((1 - kappa) / n))


def sample(summaries, seed, watch) -> dict:
    """Sample, chains in turn."""
    posterior = nutpie_rows.sample(summaries.model, seed, watch)
    draws = {name: posterior[name].values for name in ("mu", "sigma", "tau")}
    theta = draw_theta(summaries.n, summaries.mean, **draws, rng=np.random.default_rng(seed))
    watch.lap("sampling")
    return draws | {"theta": theta}


if __name__ == "__main__":
    compete(marginal_model, sample, *sys.argv[1:])
