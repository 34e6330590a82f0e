"""The math tests on summaries in PyMC, theta integrated out, drawn from by nutpie; theta is drawn afterwards."""

import sys
import time

import numpy as np
import nutpie
import pandas as pd
import pymc as pm
from contender_io import hand_in, read


def stated(n: np.ndarray, mean: np.ndarray, ss: float) -> pm.Model:
    """State the model: mean_i ~ N(mu, sigma^2 (1 / n_i + tau^2)), ss ~ sigma^2 chi^2(N - J)."""
    with pm.Model() as model:
        mu = pm.Flat("mu")
        sigma = pm.Deterministic("sigma", pm.math.exp(pm.Flat("log_sigma")))  # p(sigma^2) = 1 / sigma^2
        tau = pm.Deterministic("tau", pm.math.sqrt(pm.InverseGamma("tau2", 0.5, 0.5)))
        pm.Normal("mean", mu, sigma * pm.math.sqrt(1 / n + tau**2), observed=mean)
        pm.Gamma("ss", (n.sum() - len(n)) / 2, 1 / (2 * sigma**2), observed=ss)
    return model


def given(n, mean, mu, sigma, tau, rng) -> np.ndarray:
    """Draw theta from its conditional."""
    mu, sigma, tau = mu[..., None], sigma[..., None], tau[..., None]
    kappa = 1 / (1 + n * tau**2)
    return rng.normal(kappa * mu + (1 - kappa) * mean, sigma * np.sqrt((1 - kappa) / n))


def main(rows: str, folder: str, seed: str) -> None:
    """Sample, chains in turn."""
    frame = read(rows)
    started = time.perf_counter()
    school, _ = pd.factorize(frame["school"])
    score, n = frame["score"].to_numpy(), np.bincount(school)
    mean = np.bincount(school, score) / n
    model = stated(n, mean, np.sum((score - mean[school]) ** 2))
    built = time.perf_counter()
    compiled = nutpie.compile_pymc_model(model)
    ready = time.perf_counter()
    tree = nutpie.sample(compiled, draws=1000, tune=1000, chains=4, cores=1, seed=int(seed), progress_bar=False)
    ran = time.perf_counter()
    found = {name: tree["posterior"][name].values for name in ("mu", "sigma", "tau")}
    found["theta"] = given(n, mean, **found, rng=np.random.default_rng(int(seed)))
    drawn = time.perf_counter()
    # It does not say when it has tuned: the time goes by its steps, which cost the same before and after.
    steps, tuning = (float(tree[group]["n_steps"].sum()) for group in ("sample_stats", "warmup_sample_stats"))
    sampling = (ran - ready) * steps / (steps + tuning)
    setup = built - started + ran - ready - sampling
    seconds = {"setup": setup, "compile": ready - built, "sampling": sampling + drawn - ran}
    hand_in(folder, seconds, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
