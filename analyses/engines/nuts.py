"""The thin runner: NUTS in PyMC, and the only caller of pm.sample."""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

# Fused multiplications depend on how the compiler lays out a loop: with them draws differ from run to run. The flag is
# for the processes that PyMC starts, which read it when they import PyTensor; the setting below is for this one.
os.environ["PYTENSOR_FLAGS"] = ",".join(filter(None, (os.environ.get("PYTENSOR_FLAGS"), "numba__fastmath=False")))

import numpy as np
import pymc as pm
import pytensor
import xarray as xr
from pymc.model.transform.optimization import freeze_dims_and_data

from analyses.engines.inference_data import complete
from models.distributions import Numbers
from models.groups import Positions
from models.propriety import require_proper
from models.pymc_model import build, build_for_nuts, initial, observed
from models.two_level import Parameterization, TwoLevel

pytensor.config.numba__fastmath = False
TRUSTED = {"trust_input": True}  # checking the sampler's arrays at each step costs a fifth of the time


def sample(
    model: TwoLevel,
    *,
    parameterization: Parameterization = "marginal",
    chains: int = 4,
    seed: int,
    only: Positions | None = None,
    rng: np.random.Generator,
    **options: Any,
) -> xr.DataTree:
    """Draw from the posterior of a model.

    Parameters
    ----------
    model : TwoLevel
    parameterization : {"marginal", "centered", "noncentered"}
    chains : int
    seed : int
        Of the sampler. The draws are bit-identical for a seed.
    only : ndarray, optional
        Positions of the groups whose theta is wanted, where it was integrated out; of all, if not given.
    rng : numpy.random.Generator
        Draws theta where it was integrated out, and replicated data.
    **options
        Of `run`: draws, tune, cores, target_accept, sampler, progress.

    Raises
    ------
    ValueError
        Where there is no posterior, with the reason.
    RuntimeError
        Where the sampler returns fewer draws than asked for.
    """
    require_proper(model)
    standard = model.standard.model
    start = initial(standard, parameterization, standard.start(chains, np.random.default_rng(seed)))
    marginal = parameterization == "marginal"
    built = build_for_nuts(standard) if marginal else build(standard, parameterization=parameterization)
    return _completed(model, run(built, initial=start, chains=chains, seed=seed, **options), only, rng)


@dataclass(frozen=True, eq=False)
class Compiled:
    """The marginal model with its sampler compiled once, for any data of one design.

    Parameters
    ----------
    model : TwoLevel
        Whose sizes, regressors and priors are those of all data to come.
    target_accept : float

    Examples
    --------
    >>> from models import eight_schools
    >>> model = eight_schools.model()
    >>> compiled = Compiled(model)
    >>> one = compiled.sample(model, draws=50, tune=50, seed=1, rng=np.random.default_rng(1))
    >>> one["posterior"]["theta"].sizes["school"]
    8
    """

    model: TwoLevel
    target_accept: float = 0.9

    @cached_property
    def _sampler(self):
        """PyMC's model and its sampler."""
        with build_for_nuts(self.model.standard.model) as built, np.errstate(over="ignore"):
            return built, pm.NUTS(target_accept=self.target_accept, compile_kwargs=TRUSTED)

    def sample(
        self,
        model: TwoLevel,
        *,
        draws: int = 1000,
        tune: int = 500,
        chains: int = 4,
        seed: int,
        rng: np.random.Generator,
    ) -> xr.DataTree:
        """Draw from the posterior of the same model for other means and sums of squares.

        Raises
        ------
        ValueError
            Where the design or a prior is another, or there is no posterior.
        """
        require_proper(model)
        _require_like(model, self.model)
        built, step = self._sampler
        with built:
            pm.set_data(observed(model.standard.model.groups))
        return _completed(model, run(built, step=step, draws=draws, tune=tune, chains=chains, seed=seed), None, rng)


def _require_like(model: TwoLevel, other: TwoLevel) -> None:
    """Refuse a model that data cannot be swapped into."""
    alike = {
        "sizes or standard errors": np.array_equal(model.groups.noise, other.groups.noise),
        "covariates": np.array_equal(model.groups.design, other.groups.design),
        "degrees of freedom": np.array_equal(model.groups.df, other.groups.df),
        "priors": (model.tau, model.sigma, model.coefficients) == (other.tau, other.sigma, other.coefficients),
        "meaning of tau": model.relative == other.relative,
    }
    if different := [name for name, same in alike.items() if not same]:
        raise ValueError(f"compiled for other {' and other '.join(different)}: compile anew")


def _completed(model, tree, only, rng) -> xr.DataTree:
    """PyMC's draws in the units of the model, with theta where it was integrated out."""
    posterior = tree["posterior"].dataset
    drawn = {name: posterior[name].values for name in (*model.unknown, "theta") if name in posterior}
    if "theta" in drawn and only is not None:
        drawn["theta"] = drawn["theta"][..., only]
    slopes = [posterior["beta"].values] if model.groups.covariates else []
    drawn["b"] = np.concatenate([posterior["mu"].values[..., None], *slopes], axis=-1) @ model.standard.basis.T
    stats = tree["sample_stats"].dataset.assign_attrs(sampling_time=tree["posterior"].attrs["sampling_time"])
    return complete(model, drawn, engine="nuts", rng=rng, only=only, sample_stats=stats)


def run(
    built: pm.Model,
    *,
    draws: int = 1000,
    tune: int = 500,
    chains: int = 4,
    cores: int = 1,
    seed: int,
    target_accept: float = 0.9,
    sampler: str = "pymc",
    progress: bool = False,
    initial: list[dict[str, Numbers]] | None = None,
    step: pm.NUTS | None = None,
) -> xr.DataTree:
    """Run NUTS, or a step that is compiled already, on any PyMC model.

    Parameters
    ----------
    draws, tune, chains, cores, seed
        Of pm.sample. Without theta there are few scales to learn, and half of PyMC's 1000 steps of tuning are enough.
    target_accept : float
    sampler : str
        Of those that pm.sample knows and that are installed.
    progress : bool
        Whether to show a bar.
    initial : list of dict, optional
        Start of each chain, for PyMC's own sampler; others cannot take it.
    step : pm.NUTS, optional

    Returns
    -------
    DataTree
        What PyMC returns.

    Raises
    ------
    RuntimeError
        Where it has fewer draws than asked for.
    """
    # A divergent trajectory may overflow first. PyMC counts it as divergent, so there is no need for a warning.
    with np.errstate(over="ignore"):
        tree = pm.sample(
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            random_seed=seed,
            progressbar=progress,
            quiet=not progress,
            compute_convergence_checks=False,  # ours, in checks/diagnostics.py, decide
            mp_ctx="forkserver" if cores > 1 else None,  # a fork of a process with threads may hang
            model=built if step else freeze_dims_and_data(built),  # constants compile faster than data
            **(_settings(sampler, target_accept, initial) if step is None else {"step": step}),
        )
    _require_complete(tree, chains, draws)
    return tree


def _settings(sampler: str, target_accept: float, initial: list[dict[str, Numbers]] | None) -> dict[str, Any]:
    """Arguments of pm.sample for a sampler that it compiles itself."""
    settings = {"nuts_sampler": sampler, "target_accept": target_accept, "compile_kwargs": TRUSTED}
    if initial is not None and sampler == "pymc":
        settings |= {"initvals": initial, "init": "adapt_diag"}
    return settings


def _require_complete(tree: xr.DataTree, chains: int, draws: int) -> None:
    """Refuse draws that are fewer than asked for."""
    sizes = tree["posterior"].sizes
    if (sizes["chain"], sizes["draw"]) != (chains, draws):
        got = f"{sizes['chain']} chains of {sizes['draw']} draws"
        raise RuntimeError(f"asked NUTS for {chains} chains of {draws} draws and got {got}: the run was cut short")
