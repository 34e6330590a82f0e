"""The trapezoid rule on a lattice in a frame, on densities whose integrals and distribution functions are known."""

import numpy as np
import pytest
from scipy import special, stats

from analyses.engines import modes, nodes, quadrature
from analyses.engines.coordinates import Axis, Coordinates
from analyses.engines.quadrature import Frame, Lattice, QuadratureError


def alone(log_density):
    """A density without functions of it: (d, node) to (1, node)."""
    return lambda u: log_density(u)[None]


def grown(log_density, steps, starts, **more):
    """Lattice of a density from the modes that some points lead to."""
    peaks = [modes.climb(log_density, np.asarray(start, dtype=float)) for start in starts]
    frame = Frame.of(peaks[0])
    return Lattice.grown(alone(log_density), frame, steps, [peak.at for peak in peaks], **more)


def nodes_from(coordinates, log_densities, starts, **more):
    """Nodes with the usual steps, from the modes that some points lead to."""
    return nodes.grow(coordinates, log_densities, nodes.peaks(coordinates, log_densities, starts), 1.0, **more)


def normal(d, seed):
    """Precision matrix and log density of a correlated normal law."""
    a = np.random.default_rng(seed).normal(size=(d, d))
    precision = a @ a.T + 1.5 * np.eye(d)
    return precision, lambda u: -np.einsum("in,ij,jn->n", u, precision, u) / 2


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_normal_laws_in_one_to_four_dimensions(d):
    """Integral, mean and covariance. With steps of 0.5 sd the rule errs by exp(-2 pi^2 / 0.5^2), and less far out."""
    precision, log_density = normal(d, d)
    lattice = grown(log_density, [0.5] * d, [np.full(d, 0.3)], depth=36.0)
    log_integral = (d * np.log(2 * np.pi) - np.linalg.slogdet(precision)[1]) / 2
    assert lattice.log_integral == pytest.approx(log_integral, abs=1e-12)
    assert lattice.point @ lattice.weight == pytest.approx(np.zeros(d), abs=1e-12)
    assert (lattice.point * lattice.weight) @ lattice.point.T @ precision == pytest.approx(np.eye(d), abs=1e-11)


TAILS = {
    "log of a half-normal": (lambda u: u - np.exp(np.minimum(2 * u, 700)) / 2, np.log(np.pi / 2) / 2),
    "log of a half-Cauchy": (lambda u: u - np.logaddexp(0, 2 * u), np.log(np.pi / 2)),
    "both tails fall like the fiftieth root": (lambda u: -np.logaddexp(u / 50, -u / 50), np.log(50 * np.pi / 2)),
}


@pytest.mark.parametrize("name", TAILS)
def test_long_tails_cost_few_nodes(name):
    """Tails of forty-five to two thousand units: an integral to 1e-12 from a few hundred nodes."""
    log_density, log_integral = TAILS[name]
    lattice = grown(lambda u: log_density(u[0]), [0.15], [[0.1]])
    assert lattice.log_integral == pytest.approx(log_integral, abs=1e-12)
    assert len(lattice.weight) < 350


def two_peaks(u):
    """A wide peak at 0 and, seven sds of it away, one of a fiftieth of the width and e^-3 of the height."""
    return np.logaddexp(-(u[0] ** 2) / 2, -3 - ((u[0] - 7) / 0.02) ** 2 / 2)


def test_every_peak_is_found_and_followed():
    """The valley between them is e^-25 deep, and a lattice that is fine enough for the wide one misses the other."""
    found = modes.find(two_peaks, [-5.0], [12.0])
    assert [float(mode.at[0]) for mode in found] == pytest.approx([0.0, 7.0], abs=1e-2)
    at = nodes_from(Coordinates((Axis((1,)),)), alone(two_peaks), np.array([[0.0, 7.0]]))
    mean = at.weight @ at.logs[0]
    assert mean == pytest.approx(7 * 0.02 * np.exp(-3) / (1 + 0.02 * np.exp(-3)), rel=1e-9)


def ridge(u):
    """Two peaks on a bent ridge, a hundred times as narrow as it is long."""
    along = np.logaddexp(-((u[0] - 1) ** 2) / 0.18, -1 - ((u[0] + 1.1) ** 2) / 0.08)
    return along - ((u[1] - u[0] / 2 - u[0] ** 2 / 10) / 0.01) ** 2 / 2


def test_peaks_on_a_narrow_ridge_are_found():
    """No point of the grid lies on the ridge. Each is found to a tenth of its sd."""
    found = modes.find(ridge, [-6.03, -6.07], [6.0, 6.0])
    assert np.array([mode.at for mode in found]) == pytest.approx(np.array([[1, 0.6], [-1.1, -0.429]]), abs=0.03)


def test_a_bent_ridge_is_integrated():
    """The integral over the second coordinate is the same for every value of the first."""
    at = nodes_from(Coordinates((Axis((1, 0)), Axis((0, 1)))), alone(ridge), np.array([[1.0, -1.1], [0.6, -0.429]]))
    along = np.sqrt(2 * np.pi) * (0.3 + 0.2 * np.exp(-1))
    assert at.lattice.log_integral == pytest.approx(np.log(along * np.sqrt(2 * np.pi) * 0.01), abs=1e-10)
    assert np.average(at.logs[0], weights=at.weight) == pytest.approx(
        (0.3 - 1.1 * 0.2 * np.exp(-1)) / (0.3 + 0.2 * np.exp(-1)), abs=1e-10
    )


def test_functions_are_covered():
    """x^-4 with x^2 beside it: at e^-45 of the top of the density alone a ten-thousandth of E x^2 would be missing."""

    def densities(u):
        height = u[0] - 2 * np.logaddexp(0, 2 * u[0])  # of log x, x of a t with three degrees of freedom, about
        return np.stack([height, height + 2.6 * u[0]])

    peaks = [modes.climb(lambda u: densities(u)[0], np.array([0.0]))]
    with_function = Lattice.grown(densities, Frame.of(peaks[0]), [0.15], [peaks[0].at])
    without = Lattice.grown(lambda u: densities(u)[:1], Frame.of(peaks[0]), [0.15], [peaks[0].at])
    # The integral of x^2.6 (1 + x^2)^-2 over x is half a beta function.
    right = special.beta(1.8, 0.2) / special.beta(0.5, 1.5)
    assert with_function.weight @ np.exp(2.6 * with_function.point[0]) == pytest.approx(right, rel=1e-11)
    assert without.weight @ np.exp(2.6 * without.point[0]) < right * (1 - 1e-4)


def test_closer_nodes_tell_the_error():
    """For steps of all sizes: what the integral changes by is its error to one part in two or better."""
    for log_density, log_integral in TAILS.values():
        for step in (1.2, 1.0, 0.8, 0.6):
            lattice = grown(lambda u, log_density=log_density: log_density(u[0]), [step], [[0.1]])
            error = abs(lattice.log_integral - log_integral)
            assert error <= 2 * abs(lattice.closer.log_integral - lattice.log_integral) + 1e-14


@pytest.mark.parametrize("power", [(1, 0), (0, 1), (1, 1), (1, -1)])
def test_distribution_functions_of_powers(power):
    """Logs of two scales are jointly normal, so the log of any power of them is: its quantiles to 1e-10 of its sd."""
    mean, covariance = np.array([0.4, -1.0]), np.array([[0.09, 0.01], [0.01, 0.0016]])
    precision = np.linalg.inv(covariance)

    def log_density(logs):
        off = logs - mean[:, None]
        return -np.einsum("in,ij,jn->n", off, precision, off) / 2

    partner = (0, 1) if power != (0, 1) else (1, 0)
    at = nodes_from(Coordinates((Axis(power), Axis(partner))), alone(log_density), mean[:, None], distribution=True)
    law = at.of_power(lambda log: log, lambda x, which: x)
    p = np.array([0.001, 0.025, 0.5, 0.975])
    right = stats.norm(np.dot(power, mean), np.sqrt(np.dot(power, covariance @ power)))
    assert law.quantile(p)[:, 0] == pytest.approx(right.ppf(p), abs=1e-10 * right.std())
    assert law.mean[0] == pytest.approx(right.mean(), abs=1e-11 * right.std())
    assert law.sd[0] == pytest.approx(right.std(), rel=1e-10)


@pytest.mark.parametrize("most", [0.5, 2.0, 6.0])
def test_a_bounded_scale(most):
    """A half-normal cut off at a bound: the logit of its share of the bound has tails, and no edge."""
    coordinates = Coordinates((Axis((1,), upper=most),))
    at = nodes_from(
        coordinates, alone(lambda logs: logs[0] - np.exp(2 * logs[0]) / 2), np.log([[most / 2]]), distribution=True
    )
    law = at.scale()
    right = stats.truncnorm(0, most)
    p = np.array([0.025, 0.5, 0.975])
    assert law.mean[0] == pytest.approx(right.mean(), rel=1e-10)
    assert law.quantile(p)[:, 0] == pytest.approx(right.ppf(p), rel=1e-10)
    assert np.exp(at.logs).max() <= most


def test_coordinates_there_and_back():
    """Logs of two scales, one of them bounded."""
    coordinates = Coordinates((Axis((1, 1)), Axis((0, 1), upper=3.0)))
    logs = np.array([[0.3, -2.0, 5.0], [-1.0, 1.0, np.log(2.999)]])
    assert coordinates.logs(coordinates.of_logs(logs)) == pytest.approx(logs, rel=1e-12)


def test_draws_have_the_law():
    """Of a bent ridge with two peaks: the first coordinate's distribution function, by Kolmogorov's bound."""
    at = nodes_from(Coordinates((Axis((1, 0)), Axis((0, 1)))), alone(ridge), np.array([[1.0, -1.1], [0.6, -0.429]]))
    size = 40_000
    x, y = at.lattice.draw(size, np.random.default_rng(451))
    low = 0.2 * np.exp(-1) / (0.3 + 0.2 * np.exp(-1))
    first = stats.kstest(x, lambda v: low * special.ndtr((v + 1.1) / 0.2) + (1 - low) * special.ndtr((v - 1) / 0.3))
    second = stats.kstest((y - x / 2 - x**2 / 10) / 0.01, "norm")
    assert min(first.pvalue, second.pvalue) > 1e-5


def test_too_many_nodes_are_refused(monkeypatch):
    monkeypatch.setattr(quadrature, "MOST_NODES", 1_000)
    _, log_density = normal(3, 1)
    with pytest.raises(QuadratureError, match="needs more than 1,000 quadrature nodes"):
        grown(log_density, [0.5] * 3, [np.zeros(3)])


def test_a_tail_beyond_doubles_is_refused():
    """A density that falls like the hundredth root reaches e^4500 before it is negligible."""
    with pytest.raises(QuadratureError, match="it falls too slowly"):
        nodes_from(
            Coordinates((Axis((1,)),)),
            alone(lambda u: -np.logaddexp(-u[0], u[0] / 100)),
            np.array([[0.0]]),
        )


def test_weights_add_up_to_one_however_large_the_log_density():
    """Of terms of 1e9 a log integral keeps seven digits after the point; shares keep all."""
    lattice = grown(lambda u: -5e9 - u[0] ** 2 / 2, [0.5], [[0.1]])
    assert lattice.weight.sum() == pytest.approx(1.0, abs=1e-14)


def test_densities_are_asked_for_within_the_range_of_doubles_only():
    """Two scales that may both be next to exp(344): the square of their product would be no double."""
    asked = []

    def densities(logs):
        asked.append(logs)
        return -(np.abs(logs - 170.0).sum(axis=0)[None] ** 1.5)

    with pytest.raises(QuadratureError, match="it falls too slowly"):
        nodes_from(Coordinates((Axis((1, 0)), Axis((0, 1)))), densities, np.array([[170.0], [170.0]]))
    assert max(np.abs(logs.sum(axis=0)).max() for logs in asked) < nodes.MOST_LOG


def test_a_mode_beyond_the_box_is_climbed_to_from_its_edge():
    """The second coordinate is best outside the box of the scan for every value of the first."""
    found = modes.find(lambda u: -(u[0] ** 2) - (u[1] - 2.5) ** 2, [-1.0, -1.0], [1.0, 1.0])
    assert found[0].at == pytest.approx([0.0, 2.5], abs=0.1)
