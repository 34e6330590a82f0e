"""The math tests on single rows in numpyro."""

import sys

import jax
import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist
import pandas as pd
from contender_io import Stopwatch, compete
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


def build(frame: pd.DataFrame) -> tuple:
    """Arguments of the model, on the device."""
    school, schools = pd.factorize(frame["school"])
    return jnp.array(school), len(schools), jnp.array(frame["score"].to_numpy())


def sample_once(mcmc: MCMC, data: tuple, seed: int) -> Stopwatch:
    """Warm up and sample, all chains at once."""
    watch = Stopwatch()
    warmup_key, sampling_key = jax.random.split(jax.random.PRNGKey(seed))
    mcmc.warmup(warmup_key, *data)
    jax.block_until_ready(mcmc.last_state)
    watch.lap("setup")
    mcmc.run(sampling_key, *data)
    jax.block_until_ready(mcmc.get_samples(group_by_chain=True))
    watch.lap("sampling")
    return watch


def sample(data, seed, watch) -> dict:
    """Sample twice: the first run compiles, the second is the one that counts."""
    size = {"num_warmup": 1000, "num_samples": 1000, "num_chains": 4}
    mcmc = MCMC(NUTS(model), **size, chain_method="vectorized", progress_bar=False)
    watch.lap("setup")
    first, second = (sample_once(mcmc, data, each).seconds for each in (0, seed))
    setup = watch.seconds["setup"] + second["setup"]
    compiling = max(sum(first.values()) - sum(second.values()), 0.0)
    watch.seconds = {"setup": setup, "compile": compiling, "sampling": second["sampling"]}
    return mcmc.get_samples(group_by_chain=True)


if __name__ == "__main__":
    compete(build, sample, *sys.argv[1:])
