"""Every prior with every other: exact, NUTS and Gibbs agree on a design in which each pair of choices occurs."""

from itertools import combinations, product

import numpy as np
import pytest
from helpers.priors import BOUNDED, SIGMA, TAU
from helpers.problems import estimates, replicates

from analyses.checks import agreement, diagnostics
from analyses.engines import exact, gibbs, nuts, summary_tables
from models import priors
from models.two_level import TwoLevel

CHOICES = {
    "tau": TAU | {"bounded": BOUNDED["tau"]},
    "sigma": SIGMA | {"bounded": BOUNDED["sigma"], "known": None},
    "scale": {"relative": True, "absolute": False},
    "mu": {"flat": priors.Normal(), "normal": priors.Normal(490.0, 15.0)},
    "beta": {"none": None, "flat": priors.Normal(), "normal": priors.Normal(0.0, 6.0)},
}


def pairwise():
    """Rows such that each pair of two factors' choices occurs: the row with most missing pairs comes next."""
    rows = [
        row
        for row in product(*CHOICES.values())
        if row[:2] != ("bounded", "bounded") and not (row[1] == "known" and row[2] == "relative")
    ]
    missing = {pair for row in rows for pair in combinations(enumerate(row), 2)}
    while missing:
        best = max(rows, key=lambda row: len(missing & set(combinations(enumerate(row), 2))))
        missing -= set(combinations(enumerate(best), 2))
        yield best


def stated(tau, sigma, scale, mu, beta) -> TwoLevel:
    """Nine groups; where tau is absolute its prior is ten times as wide, as sigma is about ten."""
    chosen = dict(zip(CHOICES, (tau, sigma, scale, mu, beta), strict=True))
    prior = {factor: CHOICES[factor][choice] for factor, choice in chosen.items()}
    known, covariate = sigma == "known", beta != "none"
    moved = priors.Normal(20.0, 15.0) if known and prior["mu"].proper else prior["mu"]
    return TwoLevel(
        groups=estimates(31, 9, covariate=covariate)
        if known
        else replicates(32, [3, 1, 5, 2, 3, 4, 2, 6, 4], covariate=covariate),
        tau=prior["tau"] if prior["scale"] else prior["tau"].scaled(0.1),
        sigma=prior["sigma"],
        coefficients=(moved, *([prior["beta"]] if covariate else [])),
        relative=prior["scale"],
    )


@pytest.mark.slow
@pytest.mark.parametrize("choices", list(pairwise()), ids=", ".join)
def test_every_pair_of_choices(choices):
    """Gibbs by its conditionals, with as many sweeps a draw as a short run asks for; NUTS by PyMC's own variables."""
    model = stated(*choices)
    table = exact.posterior(model).table()
    thin = gibbs.thinning(model, rng=np.random.default_rng(71))
    by_gibbs = gibbs.sample(model, thin=thin, rng=np.random.default_rng(72))
    found = diagnostics.verdict(by_gibbs, summary_tables.summary(by_gibbs, table))
    assert found.passed, found.sentence
    by_nuts = nuts.sample(model, target_accept=0.95, seed=73, rng=np.random.default_rng(73))
    for tree in (by_gibbs, by_nuts):
        found = agreement.verdict(agreement.table(tree, table))
        assert found.passed, found.sentence
