"""The thin runner: NUTS in PyMC, and the only caller of pm.sample."""

import os

# Fused multiplications depend on how the compiler lays out a loop: with them draws differ from run to run. The flag is
# for the processes that PyMC starts, which read it when they import PyTensor; the setting below is for this one.
os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, (os.environ.get("PYTENSOR_FLAGS"), "numba__fastmath=False")))

import numpy as np
import pymc as pm
import pytensor
import xarray as xr

from analyses.contract import complete
from models.builder import build
from models.propriety import require_proper
from models.two_level import TwoLevel

pytensor.config.numba__fastmath = False


def sample(
    model: TwoLevel,
    *,
    parameterization: str = "marginal",
    sampler: str = "pymc",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int = 1,
    seed: int,
    target_accept: float = 0.9,
    progress: bool = False,
    only=None,
    rng,
) -> xr.DataTree:
    """Draw from the posterior of a model.

    Parameters
    ----------
    model : TwoLevel
    parameterization : {"marginal", "centered", "noncentered"}
    sampler : str
        Of those that pm.sample knows and that are installed.
    draws, tune, chains, cores
        Of pm.sample. The draws are bit-identical for a seed.
    seed : int
        Of the sampler.
    target_accept : float
    progress : bool
        Whether to show a bar.
    only : ndarray, optional
        Positions of the groups whose theta is wanted, where it was integrated out; of all, if not given.
    rng : numpy.random.Generator
        Draws theta where it was integrated out, and replicated data.

    Raises
    ------
    ValueError
        Where there is no posterior, with the reason.
    RuntimeError
        Where the sampler returns fewer draws than asked for.
    """
    require_proper(model)
    inner, turn = model.standard
    tree = run(
        build(inner, parameterization=parameterization),
        sampler=sampler,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        seed=seed,
        target_accept=target_accept,
        progress=progress,
    )
    posterior = tree["posterior"].dataset
    drawn = {name: posterior[name].values for name in (*model.unknown, "theta") if name in posterior}
    if "theta" in drawn and only is not None:
        drawn["theta"] = drawn["theta"][..., only]
    slopes = [posterior["beta"].values] if model.groups.covariates else []
    drawn["b"] = np.concatenate([posterior["mu"].values[..., None], *slopes], axis=-1) @ turn.T
    stats = tree["sample_stats"].dataset.assign_attrs(sampling_time=tree["posterior"].attrs["sampling_time"])
    return complete(model.only(only), drawn, engine="nuts", rng=rng, sample_stats=stats)


def run(
    built: pm.Model, *, draws, tune, chains, cores, seed, target_accept=0.9, sampler="pymc", progress=False
) -> xr.DataTree:
    """Run NUTS on any PyMC model and return what PyMC returns, checked for its size."""
    # A trajectory that leaves the world overflows before PyMC calls it divergent: that is counted, not warned of.
    with np.errstate(over="ignore"):
        tree = pm.sample(
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            random_seed=seed,
            nuts_sampler=sampler,
            target_accept=target_accept,
            progressbar=progress,
            quiet=not progress,
            compute_convergence_checks=False,  # ours, in checks/diagnostics.py, decide
            mp_ctx="forkserver" if cores > 1 else None,  # a fork of a process with threads may hang
            compile_kwargs={"trust_input": True},  # the sampler's own arrays: to look at each costs a fifth of the time
            model=built,
        )
    sizes = tree["posterior"].sizes
    if (sizes["chain"], sizes["draw"]) != (chains, draws):
        got = f"{sizes['chain']} chains of {sizes['draw']} draws"
        raise RuntimeError(f"asked NUTS for {chains} chains of {draws} draws and got {got}: the run was cut short")
    return tree
