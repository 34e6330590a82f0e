"""What the draws of a reference say of its joint statistics, of which no closed form is known.

Their quantiles are those of many independent draws, so they have a Monte Carlo error too: n effective draws compared
with M independent ones say as much as n M / (n + M) draws compared with exact quantiles.
"""

from functools import cache

import numpy as np
import pandas as pd
import xarray as xr

from analyses.audit.draws import named
from analyses.checks.agreement import SHARES
from analyses.engines.inference_data import SAMPLE
from analyses.engines.summary_tables import stacked
from analyses.reference import Reference, load
from analyses.reference.cases import CASES, Case

SIZE = 40_000  # independent draws of the reference
SEED = 2026  # two audits of one file say the same


@cache
def _case(name: str) -> Case:
    return CASES[name]()


@cache
def _independent_draws(name: str) -> xr.Dataset:
    tree = _case(name).draw(draws=SIZE // 4, chains=4, rng=np.random.default_rng(SEED))
    return named(tree["posterior"].dataset, load(name), {}).tree["posterior"].dataset


def statistics(reference: Reference, posterior: xr.Dataset) -> xr.Dataset:
    """Joint statistics of draws; none where the reference is not one that is shipped."""
    return _case(reference.name).joint(posterior) if reference.name in CASES else xr.Dataset()


def quantiles(reference: Reference, posterior: xr.Dataset) -> pd.DataFrame:
    """Rows as those of the reference's table for the joint statistics of draws; no mean or sd, which may not exist."""
    labels = {dim: posterior[dim].values for dim in posterior.dims if dim not in SAMPLE}
    draws = _independent_draws(reference.name)[list(posterior.data_vars)].sel(labels)
    index, values = stacked(statistics(reference, draws))
    columns = {q: np.quantile(values, p, axis=(1, 2)) for q, p in SHARES.values()}
    return pd.DataFrame({"mean": np.nan, "sd": np.nan, **columns}, index)
