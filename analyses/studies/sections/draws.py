"""Draws by the engines that a run asks for."""

from collections.abc import Callable

import xarray as xr

from analyses.fits.settings import Settings, timed


def draw_by_engines(
    settings: Settings, seconds: dict[str, float] | None = None, **samplers: Callable[[], xr.DataTree]
) -> dict[str, xr.DataTree]:
    """Draw by each engine that was asked for.

    Parameters
    ----------
    settings : Settings
    seconds : dict, optional
        Takes down how long each took.
    **samplers
        Engine to what draws.
    """
    trees, seconds = {}, {} if seconds is None else seconds
    for engine, sample in samplers.items():
        if engine in settings.engines:
            with timed(seconds, "exact draws" if engine == "exact" else engine):
                trees[engine] = sample()
    return trees
