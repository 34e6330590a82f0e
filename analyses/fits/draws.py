"""Draws from the posterior of a two-level model by the engine that is asked for."""

import xarray as xr

from analyses.engines import exact, gibbs
from analyses.fits.settings import Settings
from models.groups import Positions


def draw(
    engine: str,
    posterior: exact.Posterior,
    *,
    name: str,
    settings: Settings,
    thin: int | None = None,
    only: Positions | None = None,
) -> xr.DataTree:
    """Draw by one engine, from random streams that are named after the model.

    Parameters
    ----------
    engine : {"nuts", "gibbs", "exact"}
    posterior : exact.Posterior
    name : str
    settings : Settings
    thin : int, optional
        Sweeps of the Gibbs sampler a kept draw; as a pilot run says, if None.
    only : ndarray, optional
        Positions of the groups whose theta is wanted; of all, if not given.
    """
    model = posterior.model
    if engine == "nuts":
        from analyses.engines import nuts  # PyMC takes its time to import

        return nuts.sample(model, only=only, **settings.nuts(name))
    if engine == "gibbs":
        thin = thin or gibbs.thinning(model, rng=settings.rng("thinning", name))
        return gibbs.sample(model, thin=thin, only=only, show=settings.progress, rng=settings.rng("gibbs", name))
    return posterior.draw(only=only, rng=settings.rng("exact", name))
