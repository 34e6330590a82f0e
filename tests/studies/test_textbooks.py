"""Tables of textbooks and manuals, typed in, through the two studies of anyone's data: they say what is printed.

Where a figure is not held to its last printed digit, the program that printed it stopped short of the maximum.
"""

from decimal import Decimal

import numpy as np
import pytest

from analyses.checks import heterogeneity
from analyses.engines import exact, reml
from analyses.fits import rescale
from analyses.ingest import build_model
from analyses.ingest.request import Request
from models.propriety import says_nothing_of_tau

# Davies and Goldsmith (1972), section 6.4; Box and Tiao (1973), section 5.1.2: yields of dyestuff, grams, by batch.
DYESTUFF = {
    "A": [1545, 1440, 1440, 1520, 1580],
    "B": [1540, 1555, 1490, 1560, 1495],
    "C": [1595, 1550, 1605, 1510, 1560],
    "D": [1445, 1440, 1595, 1465, 1545],
    "E": [1595, 1630, 1515, 1635, 1625],
    "F": [1520, 1455, 1450, 1480, 1445],
}
# Box and Tiao (1973), table 5.1.4: made up so that batches differ less than chance would have it.
DYESTUFF2 = {
    "A": [7.298, 3.846, 2.434, 9.566, 7.99],
    "B": [5.22, 6.556, 0.608, 11.788, -0.892],
    "C": [0.11, 10.386, 13.434, 5.51, 8.166],
    "D": [2.212, 4.852, 7.092, 9.288, 4.98],
    "E": [0.282, 9.014, 4.458, 9.446, 7.198],
    "F": [1.722, 4.782, 8.106, 0.758, 3.758],
}
# Pinheiro and Bates (2000), section 1.1: travel time of a wave along six rails, nanoseconds.
RAIL = {1: [55, 53, 54], 2: [26, 37, 32], 3: [78, 91, 85], 4: [92, 100, 96], 5: [49, 51, 50], 6: [80, 85, 83]}
# Colditz et al. (1994), as metafor has it: tuberculosis in the vaccinated (yes, no) and in others, degrees of latitude.
BCG = [
    *((4, 119, 11, 128, 44), (6, 300, 29, 274, 55), (3, 228, 11, 209, 42), (62, 13536, 248, 12619, 52)),
    *((33, 5036, 47, 5761, 13), (180, 1361, 372, 1079, 44), (8, 2537, 10, 619, 19), (505, 87886, 499, 87892, 13)),
    *((29, 7470, 45, 7232, 27), (17, 1699, 65, 1600, 42), (186, 50448, 141, 27197, 18), (5, 2493, 3, 2338, 33)),
    (27, 16886, 29, 17825, 33),
]
# Normand (1999), table I: deaths of patients on lidocaine and of controls; sizes, deaths.
LIDOCAINE = [(39, 43, 2, 1), (44, 44, 4, 4), (107, 110, 6, 4), (103, 100, 7, 5), (110, 106, 7, 3), (154, 146, 11, 4)]
# Normand (1999), table VIII: days in hospital, specialist stroke care against routine; size, mean, sd of either.
STAY = [
    *((155, 55, 47, 156, 75, 64), (31, 27, 7, 32, 29, 4), (75, 64, 17, 71, 119, 29), (18, 66, 20, 18, 137, 48)),
    *((8, 14, 8, 13, 18, 11), (57, 19, 7, 52, 18, 4), (34, 52, 45, 33, 41, 34), (110, 21, 16, 183, 31, 27)),
    (60, 30, 27, 52, 23, 20),
]
# Raudenbush (2009), chapter 16 of the Handbook of Research Synthesis: effects of teachers' expectations on pupils' IQ,
# their variances, and the weeks of contact before.
EXPECTANCY = [
    *((0.03, 0.0156, 2), (0.12, 0.0216, 21), (-0.14, 0.0279, 19), (1.18, 0.1391, 0), (0.26, 0.1362, 0)),
    *((-0.06, 0.0106, 3), (-0.02, 0.0106, 17), (-0.32, 0.0484, 24), (0.27, 0.0269, 0), (0.8, 0.063, 1)),
    *((0.54, 0.0912, 0), (0.18, 0.0497, 0), (-0.02, 0.0835, 1), (0.23, 0.0841, 2), (-0.18, 0.0253, 17)),
    *((-0.06, 0.0279, 5), (0.3, 0.0193, 1), (0.07, 0.0088, 2), (-0.07, 0.0303, 7)),
]
# Rubin (1981), to two digits, as bayesmeta has it.
EIGHT = [
    *((28.39, 14.9), (7.94, 10.2), (-2.75, 16.3), (6.82, 11.0), (-0.64, 9.4), (0.63, 11.4), (18.01, 10.4)),
    (12.16, 17.6),
]


@pytest.fixture
def rows(tmp_path):
    """Make a model of rows in groups."""

    def made(groups):
        path = tmp_path / "rows.csv"
        lines = [f"{group},{y}" for group, values in groups.items() for y in values]
        path.write_text("\n".join(["group,y", *lines]))
        return build_model.one_way(Request(table=path, columns={"group": "group", "value": "y"}))

    return made


@pytest.fixture
def estimates(tmp_path):
    """Make a model of estimates, variances and a covariate."""

    def made(table, **asked):
        path = tmp_path / "estimates.csv"
        path.write_text("\n".join(["y,v,x", *(f"{y!r},{v!r},{x}" for y, v, x in table)]))
        return build_model.meta_analysis(Request(table=path, columns={"estimate": "y", "variance": "v"}, **asked))

    return made


def maximum(prepared):
    """Restricted maximum likelihood in the units of the data: mu, its error, sd_between, sigma, theta."""
    found, (offset, unit) = reml.maximum(prepared.model), prepared.units.affine("theta")
    b = np.array([offset, *np.zeros(len(found.b) - 1)]) + unit * found.b
    return b, unit * found.error, unit * found.sd_between, unit * found.sigma, offset + unit * found.theta


def test_dyestuff_by_lme4(rows):
    """lmer(Yield ~ 1 + (1 | Batch)): summary and ranef; its optimiser stops within 1e-6."""
    b, error, between, sigma, theta = maximum(rows(DYESTUFF))
    assert (b[0], error[0]) == (pytest.approx(1527.5, abs=5e-3), pytest.approx(19.38, abs=5e-3))
    assert (between, sigma) == (pytest.approx(42.0, abs=5e-3), pytest.approx(49.51, abs=5e-3))
    printed = [-17.6068514, 0.3912634, 28.5622256, -23.0845385, 56.7331877, -44.9952868]
    assert theta - b[0] == pytest.approx(printed, abs=1e-6)


def test_dyestuff2_by_lme4(rows):
    """The boundary: no variance between batches at all."""
    b, error, between, sigma, theta = maximum(rows(DYESTUFF2))
    assert between == 0
    assert (b[0], error[0]) == (pytest.approx(5.6656, abs=5e-5), pytest.approx(0.6784, abs=5e-5))
    assert sigma == pytest.approx(3.716, abs=5e-4)
    assert theta == pytest.approx(np.full(6, 5.6656), abs=1e-12)


def test_rails_by_nlme(rows):
    b, error, between, sigma, _ = maximum(rows(RAIL))
    assert (b[0], error[0]) == (pytest.approx(66.5, abs=1e-9), pytest.approx(10.17104, abs=5e-6))
    assert (between, sigma) == (pytest.approx(24.80547, abs=5e-6), pytest.approx(4.020779, abs=5e-7))


def risk_ratios():
    """Log risk ratio, its variance, latitude."""
    for a, b, c, d, latitude in BCG:
        yield np.log(a / (a + b)) - np.log(c / (c + d)), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d), latitude


def test_bcg_by_metafor(estimates):
    """rma(yi, vi): REML, Q, and the Q-profile interval of tau."""
    table = [(float(y), v, x) for y, v, x in risk_ratios()]
    prepared = estimates(table)
    b, error, between, *_ = maximum(prepared)
    assert (b[0], error[0]) == (pytest.approx(-0.7145, abs=5e-5), pytest.approx(0.1798, abs=5e-5))
    assert between**2 == pytest.approx(0.3132, abs=5e-5)
    found, unit = heterogeneity.table(prepared.model.groups), float(prepared.units.unit)
    assert (found.q, found.df) == (pytest.approx(152.2330, abs=5e-5), 12)
    assert (unit * found.low, unit * found.high) == (pytest.approx(0.3460, abs=5e-5), pytest.approx(1.0543, abs=5e-5))


def test_bcg_with_latitude_by_metafor(estimates):
    """rma(yi, vi, mods = ~ ablat): its scoring stops where tau^2 moves by 1e-5, so that is its error."""
    prepared = estimates([(float(y), v, x) for y, v, x in risk_ratios()], covariates=("x",))
    b, error, between, *_ = maximum(prepared)
    assert b == pytest.approx([0.2515, -0.0291], abs=5e-5)
    assert error == pytest.approx([0.2491, 0.0072], abs=5e-5)
    assert between**2 == pytest.approx(0.0764, abs=5e-5 + 1e-5)
    found = heterogeneity.table(prepared.model.groups)
    assert (found.q, found.df, found.p) == (pytest.approx(30.7331, abs=5e-5), 11, pytest.approx(0.0012, abs=5e-5))


def test_length_of_stay_by_normand(estimates):
    """Tables VIII and IX: by the moments of Q, and REML."""
    table = []
    for n, m, s, k, o, t in STAY:
        pooled = ((n - 1) * s**2 + (k - 1) * t**2) / (n + k - 2)
        table.append((m - o, pooled * (1 / n + 1 / k), 0))
    prepared = estimates(table)
    b, error, between, *_ = maximum(prepared)
    assert (b[0], between**2) == (pytest.approx(-15.12, abs=5e-3), pytest.approx(685.20, abs=5e-3))
    assert b[0] + 1.959964 * np.array([-1, 1]) * error[0] == pytest.approx([-32.67, 2.43], abs=5e-3)
    moments = heterogeneity.table(prepared.model.groups).tau * float(prepared.units.unit)
    assert moments**2 == pytest.approx(218.72, abs=5e-3)


def test_lidocaine_by_normand(estimates):
    """Tables III and VII: no variance between trials by either method; differences of 100 deaths."""
    table = []
    for n, k, a, b in LIDOCAINE:
        p, q = a / n, b / k
        table.append((100 * (p - q), 1e4 * (p * (1 - p) / n + q * (1 - q) / k), 0))
    prepared = estimates(table)
    b, error, between, *_ = maximum(prepared)
    assert between == heterogeneity.table(prepared.model.groups).tau == 0
    assert b[0] == pytest.approx(2.94, abs=5e-3)
    assert b[0] + 1.959964 * np.array([-1, 1]) * error[0] == pytest.approx([0.4, 5.5], abs=5e-2)


def test_expectancy_by_raudenbush(estimates):
    """Tables 16.2 and 16.3, as metafor repeats them: weeks of contact, up to three, explain all that differs."""
    prepared = estimates(EXPECTANCY)
    b, error, between, _, theta = maximum(prepared)
    found = heterogeneity.table(prepared.model.groups)
    assert found.q == pytest.approx(35.83, abs=5e-3)
    assert (float(prepared.units.unit) * found.tau) ** 2 == pytest.approx(0.026, abs=5e-4)
    assert (b[0], error[0], between**2) == pytest.approx((0.084, 0.052, 0.019), abs=5e-4)
    assert (theta.min(), theta.max()) == pytest.approx((-0.03, 0.25), abs=5e-3)
    weeks = estimates([(y, v, min(x, 3)) for y, v, x in EXPECTANCY], covariates=("x",))
    b, error, between, _, theta = maximum(weeks)
    assert heterogeneity.table(weeks.model.groups).q == pytest.approx(16.57, abs=5e-3)
    assert b == pytest.approx([0.407, -0.157], abs=5e-4)
    assert b / error == pytest.approx([4.68, -4.39], abs=5e-3)
    assert between == 0
    assert (theta.min(), theta.max()) == pytest.approx((-0.06, 0.41), abs=5e-3)


@pytest.mark.parametrize(
    ("priors", "of_tau", "of_mu", "of_new"),
    [
        (
            {"tau": "HalfCauchy(25)", "mu": "Normal(0, 50)"},
            (4.758539, 5.884511, 4.869904),
            (7.962961, 7.985729, 4.995762),
            (7.926819, 7.985729, 9.126767),
        ),
        ({}, (5.227732, 6.585992, 5.685974), (8.055861, 8.092138, 5.246683), (8.008107, 8.092138, 10.148132)),
    ],
)
def test_eight_schools_by_bayesmeta(priors, of_tau, of_mu, of_new, estimates):
    """Median, mean and sd in its vignette (Roever 2020): tau to the digit, mu to its grid's error of a few 1e-3.

    Its mixture over tau keeps a divergence of 1e-2 or less between neighbours, and leaves 1e-4 of the tails out.
    """
    prepared = estimates([(y, float(Decimal(str(se)) ** 2), 0) for y, se in EIGHT], priors=priors)
    posterior = exact.posterior(prepared.model)
    found = rescale.table(prepared.units, posterior.table())
    assert found.loc[("tau", ""), ["q50", "mean", "sd"]].to_numpy() == pytest.approx(of_tau, abs=5e-7)
    assert found.loc[("mu", ""), ["q50", "mean", "sd"]].to_numpy() == pytest.approx(of_mu, abs=5e-3)
    new = rescale.table(prepared.units, posterior.predictions(at=0)).loc["new_theta"].iloc[0]
    assert new[["q50", "mean", "sd"]].to_numpy() == pytest.approx(of_new, abs=2e-2)
    if priors:
        tail = found.loc[("tau", ""), ["q2_5", "q97_5"]].to_numpy()
        assert tail == pytest.approx([0.2199559, 18.0531718], abs=5e-8)


CERTIFIED = {21: ("1.68", "1.80"), 201: ("16.08", "18.0"), 2001: ("160.08", "180.0")}


@pytest.mark.parametrize("size", CERTIFIED)
@pytest.mark.parametrize("base", ["1.4", "1000000.4", "1000000000000.4"])
def test_sums_of_squares_by_nist(base, size, rows):
    """SmLs01 to 09 of the Statistical Reference Datasets, by their rule: certified to 15 digits, had to 14.

    The last three are beyond doubles: read as such they cannot come out (F is 21.0008 for 21); as decimals they do.
    """
    b, h = Decimal(base), Decimal("0.1")
    firsts = [b if i == 0 else b + (h if i % 2 == 0 else -h) for i in range(9)]
    groups = {i: [x, *(x + (h if j % 2 else -h) for j in range(size - 1))] for i, x in enumerate(firsts)}
    prepared = rows(groups)
    g, unit = prepared.model.groups, float(prepared.units.unit)
    between = np.sum(g.n * (g.mean - np.average(g.mean, weights=g.n)) ** 2)
    printed = [float(text) for text in CERTIFIED[size]]
    assert [unit**2 * between, unit**2 * g.within[1]] == pytest.approx(printed, rel=1e-14)


# Two instruments, in units of 1e-7 above 107.8681.
ATOMIC_WEIGHT = {
    1: "568 465 572 785 446 903 526 494 616 587 519 486 419 569 508 672 385 518 662 424 360 333 610 477",
    2: "79 344 513 197 604 385 642 365 151 82 517 448 198 482 334 609 101 512 469 360 254 261 450 368",
}


def test_atomic_weight_of_silver_by_nist(rows):
    """AtmWtAg: two instruments that agree in seven digits; certified residual sum of squares."""
    prepared = rows({name: [f"107.8681{int(v):03}" for v in text.split()] for name, text in ATOMIC_WEIGHT.items()})
    within = prepared.model.groups.within[1] * float(prepared.units.unit) ** 2
    assert within == pytest.approx(1.04951729166667e-08, rel=1e-14)
    assert not says_nothing_of_tau(prepared.model)
