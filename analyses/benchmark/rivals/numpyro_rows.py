"""The math tests on single rows in numpyro."""

import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
from contender_io import hand_in, read
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


def timed(mcmc: MCMC, seed: int, data: tuple) -> tuple[dict, float, float]:
    """Draws, and the seconds of warming up and of sampling."""
    warming, going = jax.random.split(jax.random.PRNGKey(seed))
    started = time.perf_counter()
    mcmc.warmup(warming, *data)
    jax.block_until_ready(mcmc.last_state)
    warm = time.perf_counter()
    mcmc.run(going, *data)
    drawn = jax.block_until_ready(mcmc.get_samples(group_by_chain=True))
    return drawn, warm - started, time.perf_counter() - warm


def main(rows: str, folder: str, seed: str) -> None:
    """Sample twice, all chains at once: the first run compiles, the second is the one that counts."""
    frame = read(rows)
    school, schools = pd.factorize(frame["school"])
    started = time.perf_counter()
    data = jnp.array(school), len(schools), jnp.array(frame["score"].to_numpy())
    mcmc = MCMC(
        NUTS(model), num_warmup=1000, num_samples=1000, num_chains=4, chain_method="vectorized", progress_bar=False
    )
    stated = time.perf_counter() - started
    first = sum(timed(mcmc, 0, data)[1:])
    drawn, warmup, sampling = timed(mcmc, int(seed), data)
    seconds = {"setup": stated + warmup, "compile": max(first - warmup - sampling, 0.0), "sampling": sampling}
    hand_in(folder, seconds, **{name: np.asarray(drawn[name]) for name in ("mu", "sigma", "tau", "theta")})


if __name__ == "__main__":
    main(*sys.argv[1:])
