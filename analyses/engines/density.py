"""The density of the scales that a lattice is made for: where it may have modes, and which functions it is to cover.

The scales are sd_between / sigma, called the ratio, and sigma. Where sigma is known or integrated out, only the ratio
is left. A power of the two, (a, b), is ratio^a sigma^b.
"""

from collections.abc import Callable, Sequence

import numpy as np

from analyses.engines import modes
from analyses.engines.blocks import slices
from analyses.engines.coordinates import Axis, Coordinates
from analyses.engines.mixture import highest_moment
from analyses.engines.quadrature import LEAST_LOG_DENSITY, LogDensities, QuadratureError
from models.distributions import InverseGamma, Numbers
from models.least_squares import Factor
from models.propriety import moments
from models.two_level import Collapsed, TwoLevel

BLOCK_ENTRIES = 4_000_000  # of an array over ratios and cells
BEYOND = 5.0  # units beyond all that bends the density: farther out it is a product of powers
NEAR_END = 0.95  # of the end of a prior
NEGLIGIBLE = 1e-12  # share of the mass at the end of a prior
MOST_LOGIT = 30.0  # of a bounded scale: of a density at its bound e^-30 is left there
Power = tuple[int, int]
RATIO, SIGMA, BETWEEN = (1, 0), (0, 1), (1, 1)


def powers(model: TwoLevel) -> dict[str, Power]:
    """Each scale as a power of (ratio, sigma)."""
    between = RATIO if "sigma" not in model.unknown else BETWEEN
    return {"tau": RATIO if model.relative else between, "sigma": SIGMA, "sd_between": between, "ratio": RATIO}


def axes(model: TwoLevel, power: Power, scales: int, ends: Sequence[Power] = ()) -> Coordinates:
    """Coordinates of the ratio, or of both scales, a power of them outermost, beside it one that reaches its end."""
    return Coordinates(tuple(_axis(model, power, scales) for power in _beside(model, power, ends)[:scales]))


def main_axes(model: TwoLevel) -> Coordinates:
    """Coordinates of the scales on the lattice in which the work for groups is shared, and no edge is oblique."""
    return axes(model, _outermost(model), len(model.scales))


def _outermost(model) -> Power:
    """The ratio; where tau has an end, tau."""
    return powers(model)["tau"] if np.isfinite(model.tau.upper) else RATIO


def sigma_alone(model: TwoLevel) -> Coordinates:
    """The coordinate of sigma."""
    return Coordinates((Axis((1,), model.sigma.upper),))


def _beside(model, power, ends=()) -> tuple[Power, Power]:
    """A power that is to be outermost, and beside it another: one of `ends`, else sigma, else tau."""
    return power, next(other for other in (*ends, SIGMA, powers(model)["tau"]) if other != power)


def _axis(model, power, scales) -> Axis:
    upper = {SIGMA: model.sigma.upper} | {powers(model)["tau"]: model.tau.upper}
    return Axis(power[:scales], upper.get(power, np.inf))


def given(model: TwoLevel, logs: np.ndarray) -> Collapsed:
    """Collapse the model at scales whose logs are (scale, node); of nodes with one ratio the work is done once."""
    distinct, which = np.unique(logs[0], return_inverse=True)
    ratio, cells = np.exp(distinct), len(model.groups.cells.noise)
    means = Factor.joined([model.factor(ratio[block]) for block in slices(len(ratio), cells, BLOCK_ENTRIES)])
    sigma = np.exp(logs[1]) if len(logs) > 1 else None
    return model.collapse(means[which], ratio[which], sigma)


def log_density(model: TwoLevel, logs: np.ndarray) -> np.ndarray:
    """Log density of the logs of the scales, (scale, node), up to a constant."""
    if len(logs) == len(model.scales):
        return given(model, logs).log_unnormalized + _log_volume(model, logs)
    at_ratio = given(model, logs[:1])
    assert at_ratio.sigma2 is not None  # it is integrated out
    return at_ratio.log_unnormalized + logs[0] + log_density_of_root(at_ratio.sigma2, logs[1])


def _log_volume(model, logs) -> np.ndarray:
    """Log of tau, or of tau times sigma: what makes the density of the scales one of their logs."""
    exponents = np.sum([powers(model)[name] for name in model.scales], axis=0)
    return exponents[: len(logs)] @ logs


def log_density_of_root(sigma2: InverseGamma, log: np.ndarray) -> np.ndarray:
    """Log density of log sigma up to a constant, about its top: where the shape is large, terms as large cancel."""
    off = np.log(sigma2.scale / sigma2.shape) - 2 * log
    return -sigma2.shape * (np.expm1(off) - off)


def log_densities(
    model: TwoLevel,
    functions: Callable[[np.ndarray], np.ndarray],
    update: Callable[[int], object] = lambda nodes: None,
) -> LogDensities:
    """Log density of the logs of the scales, and of it times functions whose logs are (moment, node).

    `update` gets the number of nodes at each call.
    """

    def at(logs):
        update(logs.shape[1])
        height = log_density(model, logs)
        return np.vstack([height, height + functions(logs)])

    return at


def reported(model: TwoLevel) -> Callable[[np.ndarray], np.ndarray]:
    """Logs of the functions of the scales on the lattice that moments of b, theta and kappa rest on."""
    orders, names = moments(model), (*model.scales, "sd_between")
    if model.scales == ("tau",):  # sigma, integrated out, may fall as tau grows: then tau^k grows beyond sd_between^k
        orders["sd_between", ""] = min(orders["sd_between", ""], orders["tau", ""])
    exponents = np.array([highest_moment(orders[name, ""]) * np.array(powers(model)[name]) for name in names])
    of_theta = highest_moment(orders["theta", ""])  # theta may move no farther than the smaller of both scales

    def logs_of(logs):
        theta = of_theta * (np.minimum(logs[0], 0.0) + np.sum(logs[1:], axis=0))
        return np.vstack([exponents[:, : len(logs)] @ logs, theta, log_kappa_squared(model, logs[0])])

    return logs_of


def ends(model: TwoLevel, logs: np.ndarray, weight: np.ndarray) -> list[Power]:
    """Scales, as powers, whose prior has an end that the posterior reaches.

    Parameters
    ----------
    logs : ndarray (scale, node)
    weight : ndarray (node,)
    """
    uppers = {powers(model)["tau"]: model.tau.upper} | ({SIGMA: model.sigma.upper} if len(logs) > 1 else {})
    bounded = {power: upper for power, upper in uppers.items() if np.isfinite(upper)}
    near = {power: np.array(power[: len(logs)]) @ logs > np.log(NEAR_END * end) for power, end in bounded.items()}
    return [power for power, at in near.items() if weight[at].sum() > NEGLIGIBLE]


def require_one_end(ends: Sequence[Power]) -> None:
    """Refuse the law of a power of both scales where the posterior reaches the ends of the priors of both.

    One of them is an axis beside the power. The other would be an edge across the lattice.

    Raises
    ------
    QuadratureError
    """
    if len(ends) > 1:
        raise QuadratureError(
            "the posterior reaches the ends of the priors of tau and of sigma, so the distribution of their ratio or "
            "product has a kink: give one of them a prior without an end"
        )


def reported_of(model: TwoLevel, power: Power) -> Callable[[np.ndarray], np.ndarray]:
    """Logs of the functions that moments of the scales that are a power rest on, and those of kappa for the ratio."""
    orders = moments(model)
    highest = max((highest_moment(orders[name, ""]) for name in named(model, power)), default=0)

    def logs_of(logs):
        of_power = (highest * np.array(power[: len(logs)]) @ logs)[None]
        return np.vstack([of_power, log_kappa_squared(model, logs[0])]) if power == RATIO else of_power

    return logs_of


def named(model: TwoLevel, power: Power) -> list[str]:
    """Names of the scales with a posterior that are a power of (ratio, sigma)."""
    return [name for name, other in powers(model).items() if other == power and (name, "") in moments(model)]


def log_kappa_squared(model: TwoLevel, log_ratio: Numbers) -> np.ndarray:
    """Log of kappa^2 of the least noisy group.

    Where kappa is close to 0 unless the ratio is, a small probability of small ratios dominates the mean.
    """
    least = np.log(model.groups.noise.min())
    return 2 * (least - np.logaddexp(least, 2 * log_ratio))


def starts(model: TwoLevel, update: Callable[[int], object] = lambda nodes: None) -> np.ndarray:
    """Logs (scale, mode) of all modes of the density of the scales on the lattice."""
    main = main_axes(model)
    densities = log_densities(model, lambda logs: np.empty((0, logs.shape[1])), update)
    return _starts(model, main, _beside(model, _outermost(model)), densities)


def starts_of_sigma(model: TwoLevel, densities: LogDensities) -> np.ndarray:
    """Logs (1, mode) of all modes of a density of log sigma."""
    return _starts(model, sigma_alone(model), (SIGMA,), densities)


def _starts(model, at, of_axes, densities) -> np.ndarray:
    """Logs (scale, mode) of all modes of a density in coordinates whose axes are some powers of both scales."""
    bends = _bends(model)
    ends = np.array([_ends(axis, bends[power]) for axis, power in zip(at.axes, of_axes, strict=False)])

    def log_density(v):
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return np.fmax(densities(at.logs(v))[0] + at.log_volume(v), LEAST_LOG_DENSITY)

    return at.logs(np.stack([mode.at for mode in modes.find(log_density, *ends.T)], axis=1))


def _ends(axis, bends) -> tuple[float, float]:
    """Ends of the range of an axis that can hold a mode, for a density that bends about some logs."""
    low, high = min(bends) - BEYOND, max(bends) + BEYOND
    if np.isinf(axis.upper):
        return low, high
    return float(axis.coordinate(min(low, np.log(axis.upper) - 1))), MOST_LOGIT


def _bends(model) -> dict[Power, list[float]]:
    """Logs of sigma, of sd_between and of their ratio about which the density may bend.

    They are those of the noise of the groups, of the spread of their means about each other and about what the priors
    of the coefficients expect, and of what those of the scales expect.
    """
    g, (df, ss), mu = model.groups, model.groups.within, model.coefficients[0]
    slopes = [slope for slope in model.standard.model.coefficients[1:] if slope.proper]
    of_priors = [size for slope in slopes for size in (abs(slope.mean), slope.sd)]
    spread = _logs([np.ptp(g.mean), *([abs(g.center - mu.mean), mu.sd] if mu.proper else []), *of_priors])
    noise, tau = _logs([g.noise.min(), g.noise.max()]) / 2, _logs(model.tau.typical)
    within = _logs([ss / df] if df else []) / 2
    sigma = [*within, *spread, *_logs(model.sigma.typical)] if "sigma" in model.unknown else [0.0]
    between = [*spread, *np.add.outer([*noise, *(tau if model.relative else [])], sigma).ravel()]
    ratio = [*noise, *np.subtract.outer([*spread, *([] if model.relative else tau)], sigma).ravel()]
    if model.relative:
        return {SIGMA: sigma, BETWEEN: between, RATIO: [*ratio, *tau]}
    return {SIGMA: sigma, BETWEEN: [*between, *tau], RATIO: ratio}


def _logs(sizes) -> np.ndarray:
    """Logs of those that are above 0."""
    sizes = np.asarray(sizes, dtype=float)
    return np.log(sizes[sizes > 0])


def with_sigma(model: TwoLevel, log_ratio: np.ndarray) -> np.ndarray:
    """Logs of the ratio (1, node), and below it those of sigma at its best given each."""
    sigma2 = given(model, log_ratio).sigma2
    assert sigma2 is not None  # it is integrated out
    return np.vstack([log_ratio, np.log(sigma2.scale / sigma2.shape) / 2])


def terms(model: TwoLevel, given: Collapsed) -> float:
    """Size of the terms that add up to the log density, of which rounding leaves some last places."""
    return float(np.abs(given.log_unnormalized).max()) + len(model.groups)
