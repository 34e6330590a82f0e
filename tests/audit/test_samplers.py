"""Samplers of strangers: right ones pass, wrong ones do not, and what is wrong is named."""

import os
import re
import subprocess

import numpy as np
import pytest
from helpers.audits import SCHOOLS, frame, passed, rejected, saved, smallest_size

from models import eight_schools

Y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SE = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def by_grid(seed, prior=np.ones_like, size=5000):
    """Independent draws of eight schools, by hand: tau from a grid, mu given tau, theta given both."""
    rng, step, shape = np.random.default_rng(seed), 0.005, (4, size)
    tau = np.arange(step / 2, 300, step)  # beyond, the posterior has less than one part in a million
    weight = 1 / (SE**2 + tau[:, None] ** 2)
    precision, mean = weight.sum(1), (weight * Y).sum(1) / weight.sum(1)
    log = (np.log(weight) - weight * (Y - mean[:, None]) ** 2).sum(1) / 2 - np.log(precision) / 2
    density = prior(tau) * np.exp(log - log.max())
    at = rng.choice(len(tau), shape, p=density / density.sum())
    mu = rng.normal(mean[at], precision[at] ** -0.5)
    within = tau[at] + step * (rng.random(shape) - 0.5)
    variance = 1 / (1 / SE**2 + 1 / within[..., None] ** 2)
    theta = rng.normal(variance * (Y / SE**2 + mu[..., None] / within[..., None] ** 2), np.sqrt(variance))
    return {"mu": mu, "tau": within, "theta": theta}


def by_gibbs(seed, spread, chains=16, size=500, thin=80):
    """A Gibbs sampler as in a homework; `spread` makes what rng.normal gets out of the variance of theta."""
    rng, kept = np.random.default_rng(seed), []
    mu, tau = np.full((chains, 1), Y.mean()), np.full((chains, 1), 10.0)
    for sweep in range(-500, size * thin):
        variance = 1 / (1 / SE**2 + 1 / tau**2)
        theta = rng.normal(variance * (Y / SE**2 + mu / tau**2), spread(variance))
        mu = rng.normal(theta.mean(1, keepdims=True), tau / np.sqrt(8))
        squares = np.sum((theta - mu) ** 2, axis=1, keepdims=True)
        tau = np.sqrt(squares / rng.chisquare(7, (chains, 1)))  # p(tau) = 1 leaves seven degrees of freedom
        if sweep >= 0 and sweep % thin == 0:
            kept.append((mu[:, 0], tau[:, 0], theta))
    mu, tau, theta = (np.stack(draws, axis=1) for draws in zip(*kept, strict=True))
    return {"mu": mu, "tau": tau, "theta": theta}


def in_pymc(path, *, centered, draws, tune=1000, init="jitter+adapt_diag", **asked):
    """Save what PyMC returns for a model that its user wrote, under the user's names."""
    from analyses.engines import nuts  # noqa: F401  sets a flag before PyMC is imported: draws are those of the seed

    import pymc as pm  # isort: skip

    with pm.Model(coords={"where": list(SCHOOLS)}):
        average, spread = pm.Flat("average"), pm.HalfFlat("spread")
        if centered:
            effect = pm.Normal("effect", average, spread, dims="where")
        else:
            effect = pm.Deterministic("effect", average + spread * pm.Normal("z", dims="where"), dims="where")
        pm.Normal("y", effect, SE, observed=Y)
        tree = pm.sample(
            draws=draws, tune=tune, chains=4, cores=1, random_seed=71, init=init,
            progressbar=False, quiet=True, compute_convergence_checks=False, **asked,
        )  # fmt: skip
    tree.to_netcdf(path, engine="h5netcdf")
    return path


NAMES = ("--rename", "average=mu", "--rename", "spread=tau", "--rename", "effect=theta")


# --- right ones pass --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_pymc_of_a_stranger_passes(tmp_path, capsys):
    """A model written without this package, with names and a dimension of its own, noncentered; z is nobody's."""
    path = in_pymc(tmp_path / "mine.nc", centered=False, draws=2000, target_accept=0.99)
    out = passed(capsys, path, *NAMES)
    assert smallest_size(out) > 1000
    assert "not looked at: z\n" in out


def test_pymc_of_this_package_passes(tmp_path, capsys):
    """The whole tree as the engine returns it, kappa and sd_between with it."""
    from analyses.engines import nuts

    rng = np.random.default_rng(73)
    tree = nuts.sample(eight_schools.model(), draws=2000, target_accept=0.99, seed=73, rng=rng)
    tree.to_netcdf(tmp_path / "nuts.nc", engine="h5netcdf")
    out = passed(capsys, tmp_path / "nuts.nc")
    assert smallest_size(out) > 1000
    assert "in 76 figures" in out


NUMPYRO = os.environ.get("PARTIAL_POOLING_NUMPYRO")
IN_NUMPYRO = """
import sys

import jax
import numpy as np
import numpyro
from numpyro import distributions as dist

y, se = np.array([28.0, 8, -3, 7, -1, 1, 18, 12]), np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def model():
    mu = numpyro.sample("mu", dist.ImproperUniform(dist.constraints.real, (), ()))
    tau = numpyro.sample("tau", dist.ImproperUniform(dist.constraints.positive, (), ()))
    with numpyro.plate("schools", 8):
        theta = numpyro.deterministic("theta", mu + tau * numpyro.sample("z", dist.Normal(0, 1)))
        numpyro.sample("y", dist.Normal(theta, se), obs=y)


nuts = numpyro.infer.NUTS(model, target_accept_prob=0.99)
chains = {"num_chains": 4, "chain_method": "vectorized", "progress_bar": False}
mcmc = numpyro.infer.MCMC(nuts, num_warmup=1000, num_samples=3000, **chains)
mcmc.run(jax.random.key(74))
draws = mcmc.get_samples(group_by_chain=True)
np.savez(sys.argv[1], **{name: np.asarray(values, float) for name, values in draws.items()})
"""


@pytest.mark.slow
@pytest.mark.skipif(not NUMPYRO, reason="PARTIAL_POOLING_NUMPYRO names no Python that has numpyro")
def test_numpyro_passes(tmp_path, capsys):
    """Another language of models, another NUTS, another differentiation; flat densities there are improper too.

    In an environment of its own: PyMC would import it, and JAX's threads do not go with the forks of other tests.
    """
    subprocess.run([NUMPYRO, "-c", IN_NUMPYRO, tmp_path / "draws.npz"], check=True, timeout=300)
    found = dict(np.load(tmp_path / "draws.npz"))
    out = passed(capsys, saved(tmp_path / "numpyro.csv", frame(found, labels=range(1, 9))))
    assert smallest_size(out) > 1000
    assert "4 chains of 3000 draws" in out


def test_a_sampler_written_by_hand_passes(tmp_path, capsys):
    out = passed(capsys, saved(tmp_path / "grid.csv", frame(by_grid(75))))
    assert smallest_size(out) > 10_000
    assert "4 chains of 5000 draws" in out


def test_a_gibbs_sampler_written_by_hand_passes(tmp_path, capsys):
    """It is the wrong one below but for a root."""
    out = passed(capsys, saved(tmp_path / "gibbs.csv", frame(by_gibbs(76, np.sqrt))))
    assert smallest_size(out) > 1000


# --- wrong ones do not ------------------------------------------------------------------------------------------------


def test_a_centered_model_that_never_enters_the_neck_is_rejected(tmp_path, capsys):
    """With default settings: steps that suit the funnel's mouth cannot enter where tau is small, and no mean tells."""
    out = rejected(capsys, in_pymc(tmp_path / "mine.nc", centered=True, draws=1000), *NAMES)
    assert re.search(r"  tau is too large: [01]\.\d% of the draws lie below 0\.4856, the 5% quantile", out)
    assert "they agree with" not in out


@pytest.mark.parametrize("tune", [0, 20])
def test_a_centered_model_stuck_in_the_neck_is_rejected(tune, tmp_path, capsys):
    """Started at tau = .01, where steps are small or all diverge: chains that hardly move are no sample."""
    start = {"average": 8.0, "spread": 0.01, "effect": np.full(8, 8.0)}
    asked = {"tune": tune, "init": "adapt_diag", "initvals": start, "nuts": {"max_treedepth": 4}}
    path = in_pymc(tmp_path / "mine.nc", centered=True, draws=500, **asked)
    out = rejected(capsys, path, *NAMES)
    assert re.search("These draws cannot be trusted: .*(R-hat of|effective sample size of)", out)
    assert "tau is too small" in out


def half_cauchy(scale):
    return lambda tau: 1 / (1 + (tau / scale) ** 2)


@pytest.mark.parametrize("scale", [5, 25])
def test_another_prior_is_named(scale, tmp_path, capsys):
    """Right draws of another posterior: the sentence says which, and only that one."""
    draws = by_grid(77, half_cauchy(scale), size=10_000)
    out = rejected(capsys, saved(tmp_path / "grid.csv", frame(draws)))
    assert re.findall("agree with (.*)", out) == [
        f"eight_schools_half_cauchy_{scale}: mu ~ Uniform(), tau ~ HalfCauchy({scale})"
    ]
    passed(capsys, tmp_path / "grid.csv", study=f"eight_schools_half_cauchy_{scale}")


@pytest.mark.parametrize(("power", "taken"), [(2, "squares"), (0.5, "square roots")])
def test_a_variance_in_the_place_of_an_sd_is_named(power, taken, right, tmp_path, capsys):
    """All else is right, so nothing but tau is told of."""
    out = rejected(capsys, saved(tmp_path / "draws.csv", frame(right | {"tau": right["tau"] ** power})))
    assert f"tau agrees if its draws are taken for {taken}: a variance and an sd are exchanged" in out
    assert re.findall(r"  (\S+) is too", out) == ["tau"]


def test_a_gibbs_sampler_that_takes_a_variance_for_an_sd_is_rejected(tmp_path, capsys):
    """rng.normal wants an sd: a homework's commonest error, in theta, which all else depends on."""
    out = rejected(capsys, saved(tmp_path / "gibbs.csv", frame(by_gibbs(78, lambda variance: variance, thin=4))))
    assert re.search(r"  theta\[[A-H]\] is too", out)
    assert re.search(r"  tau is too", out)


def test_labels_that_are_exchanged_are_found(right, tmp_path, capsys):
    """Matching by label matters: A is the highest of the eight, E the lowest."""
    out = rejected(capsys, saved(tmp_path / "draws.csv", frame(right, labels="EBCDAFGH")))
    assert set(re.findall(r"  (\S+) is too (\w+)", out)) <= {("theta[E]", "large"), ("theta[A]", "small")}
