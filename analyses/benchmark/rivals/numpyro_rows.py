"""The math tests on single rows in numpyro."""

import sys

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
import pandas as pd
from contender_io import Stopwatch, hand_in, read
from numpyro.infer import MCMC, NUTS


def model(school, schools, score):
    """y_ij ~ N(theta_i, sigma^2), theta_i ~ N(mu, tau^2 sigma^2)."""
    flat = dist.ImproperUniform(dist.constraints.real, (), ())
    mu = numpyro.sample("mu", flat)
    sigma = numpyro.deterministic("sigma", jnp.exp(numpyro.sample("log_sigma", flat)))  # p(sigma^2) = 1 / sigma^2
    tau = numpyro.deterministic("tau", jnp.sqrt(numpyro.sample("tau2", dist.InverseGamma(0.5, 0.5))))
    with numpyro.plate("schools", schools):
        theta = numpyro.sample("theta", dist.Normal(mu, tau * sigma))
    numpyro.sample("score", dist.Normal(theta[school], sigma), obs=score)


def sample(mcmc: MCMC, seed: int, data: tuple, watch: Stopwatch) -> dict:
    """Warm up and sample, all chains at once, and return the draws."""
    warmup_key, sampling_key = jax.random.split(jax.random.PRNGKey(seed))
    mcmc.warmup(warmup_key, *data)
    jax.block_until_ready(mcmc.last_state)
    watch.lap("setup")
    mcmc.run(sampling_key, *data)
    draws = jax.block_until_ready(mcmc.get_samples(group_by_chain=True))
    watch.lap("sampling")
    return draws


def main(rows: str, folder: str, seed: str) -> None:
    """Sample twice: the first run compiles, the second is the one that counts."""
    frame = read(rows)
    school, schools = pd.factorize(frame["school"])
    stating = Stopwatch()
    data = jnp.array(school), len(schools), jnp.array(frame["score"].to_numpy())
    size = {"num_warmup": 1000, "num_samples": 1000, "num_chains": 4}
    mcmc = MCMC(NUTS(model), **size, chain_method="vectorized", progress_bar=False)
    stating.lap("setup")
    first = Stopwatch()
    sample(mcmc, 0, data, first)
    second = Stopwatch()
    draws = sample(mcmc, int(seed), data, second)
    compiling = sum(first.seconds.values()) - sum(second.seconds.values())
    setup = stating.seconds["setup"] + second.seconds["setup"]
    seconds = {"setup": setup, "compile": max(compiling, 0.0), "sampling": second.seconds["sampling"]}
    hand_in(folder, seconds, draws)


if __name__ == "__main__":
    main(*sys.argv[1:])
