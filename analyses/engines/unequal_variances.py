"""Groups with unequal variances: Gibbs, NUTS, and the predictive density of the rows of each group."""

import numpy as np
import xarray as xr
from scipy.special import gammaln

from analyses.engines.inference_data import SAMPLE, Drawn, Labels, Variables
from analyses.engines.samplers import Samplers
from models import distributions
from models.unequal_variances import GRID, OwnVariances, build

TAIL_SDS = 8.0  # of a normal; the mass beyond is below 1e-15
BLOCK_DRAWS = 250  # at a time: of a hundred groups an array of them stays in the cache
NODES = 120  # across all of it: some four an sd, of a density that is smooth on that scale
NO_LOG_LIKELIHOOD = "not stored, as it takes an integral over each sigma_i: unequal_variances.log_predictive has it"


def _label(model: OwnVariances, drawn: Drawn, rng: np.random.Generator) -> Labels:
    g = model.groups
    if "sigma" not in drawn:
        drawn = drawn | _given_theta(model, drawn["theta"], drawn["s"] ** 2, rng)
    each_group = (*SAMPLE, g.dim)
    posterior: Variables = {
        **{name: (SAMPLE, drawn[name]) for name in ("mu", "sd_between", "s")},
        "log_nu": (SAMPLE, np.log(drawn["nu"])),
        **{name: (each_group, drawn[name]) for name in ("theta", "sigma")},
    }
    return Labels({"posterior": posterior}, {g.dim: list(g.labels)}, {"no_log_likelihood": NO_LOG_LIKELIHOOD})


def _given_theta(model, theta, s2, rng) -> Drawn:
    """Draw nu and sigma_i given theta and s^2."""
    nu = distributions.Grid(GRID, model.nu_given(theta, s2)).draw(rng)
    sigma2 = _draw_each_chain(model.conditionals()["sigma2"], {"theta": theta, "s2": s2, "nu": nu}, rng)
    return {"nu": nu, "sigma": np.sqrt(sigma2)}


def _draw_each_chain(law, state, rng):
    """Draw from a conditional, which has one leading index, for a run, which has chains and draws."""
    chains, draws = state["s2"].shape
    flat = {name: value.reshape(chains * draws, *value.shape[2:]) for name, value in state.items()}
    return law(flat).draw(rng).reshape(chains, draws, -1)


SAMPLERS = Samplers(
    build=build,  # sigma_i and nu integrated out
    start=OwnVariances.start,
    label=_label,
    sampled=("mu", "sd_between", "s", "theta"),
    variances={"sd_between": "between2", "s": "s2", "sigma": "sigma2"},
    schedule={"draws": 125, "tune": 500, "thin": 20, "chains": 32},
)
by_gibbs = SAMPLERS.by_gibbs
by_nuts = SAMPLERS.by_nuts


def log_predictive(model: OwnVariances, tree: xr.DataTree) -> np.ndarray:
    """Log of p(rows of each group | mu, sd_between, s, nu) at every draw, (draw, J).

    theta integrates out given sigma_i^2 = scale / g, with twice the scale nu s^2 and the squares within:

        p = (nu s^2 / 2)^(nu / 2) / Gamma(nu / 2) (2 pi)^(-df / 2) n^(-1/2) scale^-shape
            times the integral of g^(shape - 1) exp(-g) N(mean | mu, sd_between^2 + scale / (n g)),

    shape (nu + df) / 2. The trapezoid rule in log g does that: g is near to a Gamma(shape) variable, to which the mean
    adds n (mean - mu)^2 at most.
    """
    names, draws = ("mu", "sd_between", "s", "log_nu"), tree["posterior"].dataset
    columns = np.stack([draws[name].values.ravel() for name in names])
    return np.concatenate([
        _log_predictive(model.groups, *part[..., None])
        for part in np.array_split(columns, columns.shape[1] // BLOCK_DRAWS + 1, axis=1)
    ])  # fmt: skip


def _log_predictive(g, mu, between, s, log_nu) -> np.ndarray:
    """Log predictive density of each group at some draws, (draw, 1)."""
    nu = np.exp(log_nu)
    shape, scale, away = (nu + g.df) / 2, (nu * s**2 + g.ss) / 2, (g.mean - mu) ** 2
    reach = np.maximum(TAIL_SDS / np.sqrt(shape), TAIL_SDS**2 / 2 / shape)
    low = np.log(shape) - reach - np.log1p(g.n * away / 2 / scale)
    step, total = (np.log(shape) + TAIL_SDS / np.sqrt(shape) - low) / NODES, 0.0
    for node in range(NODES + 1):
        above = low + node * step - np.log(shape)  # log g minus that of its mode, where the integrand is 1
        variance = between**2 + scale / (g.n * shape * np.exp(above))
        total += np.exp(shape * (above - np.expm1(above)) - away / 2 / variance) / np.sqrt(variance)
    at_mode = shape * (np.log(shape) - 1) - shape * np.log(scale)
    constant = nu / 2 * np.log(nu * s**2 / 2) - gammaln(nu / 2) - ((g.df + 1) * distributions.LOG_2PI + np.log(g.n)) / 2
    return np.log(total * step) + at_mode + constant
