"""The chance of a wrong verdict: no alarm at right draws, and errors found as often as is said."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from helpers.audits import SAMPLE, audited, frame, passed, rejected, saved
from scipy.stats import binom, norm

from analyses import reference
from analyses.audit import comparison, findings, significance
from analyses.audit.draws import named
from analyses.engines import exact
from models import eight_schools

CHANCE = 1e-4  # that a count below the bound is bad luck


def parts(names, size, count, seed):
    """So many sets of 4 x size independent draws of eight schools."""
    posterior = exact.posterior(eight_schools.model())
    tree = posterior.draw(draws=size * count, chains=4, rng=np.random.default_rng(seed))
    draws = tree["posterior"].dataset[names]
    for k in range(count):
        yield draws.isel(draw=slice(k * size, (k + 1) * size)).copy(deep=True)


def found(draws):
    against = reference.load("eight_schools")
    return findings.audit(named(draws, against, {})[0], against, [])


def test_small_right_samples_are_not_called_wrong():
    """Four hundred independent draws, two hundred times: one alarm would have a chance of 1 in 500 by what is said.

    Nor are they passed: an empty tail could not be told.
    """
    said = [f.sentence for f in map(found, parts(["mu", "tau", "theta"], 100, 200, 81))]
    assert [sentence for sentence in said if not sentence.startswith("Too few effective draws to tell")] == []


def test_a_tail_that_is_missing_cannot_pass(right, tmp_path, capsys):
    """Draws of which none has tau below its 5% quantile: found, or too few to tell, however few they are."""
    low = reference.load("eight_schools").table.loc[("tau", ""), "q5"]
    for size, expected in ((1000, 3), (300, 3), (60, 2)):
        cut = {name: values[:, :size] for name, values in right.items()}
        table = frame(cut)
        table.loc[table["tau"] < low, "tau"] = low * 1.01
        status, out, _ = audited(capsys, saved(tmp_path / "draws.csv", table))
        assert status == expected, out


@pytest.mark.parametrize(("times", "chance"), [(1.0, comparison.LIKELY), (1.5, 0.9999)])
def test_the_smallest_error_of_a_mean_is_found(times, chance):
    """As often as is said where it is as large as is said, and as good as always at one and a half times that."""
    runs, sd, seen = 40, reference.load("eight_schools").table.loc[("mu", ""), "sd"], 0
    for draws in parts(["mu", "tau"], 250, runs, 82):
        table = found(draws).table.set_index(["variable", "statistic"])
        moved = draws.assign(mu=draws["mu"] + times * table.loc[("mu", "mean"), "smallest"] * sd)
        again = found(moved)
        seen += not again.passed and any(line.startswith("mu is too large") for line in again.more)
    assert seen >= binom.ppf(CHANCE, runs, chance)


@pytest.mark.parametrize(("statistic", "p"), [("below_q5", 0.05), ("below_q50", 0.5)])
def test_the_smallest_error_of_a_share_is_found(statistic, p):
    """So many more draws below a quantile as are said to be seen, among a thousand, are seen as often as is said.

    Every draw between it and the 95% quantile is moved below with that chance, so that draws stay independent, and the
    upper tail is visited as often as before.
    """
    runs, rng = 200, np.random.default_rng(83)
    index = pd.MultiIndex.from_tuples([("x", "")], names=["variable", "label"])
    rows = {"mean": np.nan, "sd": np.nan, "q5": 0.05, "q50": 0.5, "q95": 0.95}
    uniform = reference.Reference(name="uniform", data="", priors={}, table=pd.DataFrame(rows, index))
    seen = 0
    for x in rng.random((runs, 4, 250)):
        table = comparison.compare(xr.Dataset({"x": (SAMPLE, x)}), uniform).table.set_index("statistic")
        between = (x > p) & (x < 0.95)
        moved = between & (rng.random(x.shape) < table.loc[statistic, "smallest"] / (0.95 - p))
        again = comparison.compare(xr.Dataset({"x": (SAMPLE, np.where(moved, p * rng.random(x.shape), x))}), uniform)
        seen += statistic in again.wrong["statistic"].tolist()
    assert seen >= binom.ppf(CHANCE, runs, comparison.LIKELY)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.2])
def test_a_share_is_as_rare_as_its_binomial_says(share):
    """Not as a normal would have it: of 200 draws 20% lying below the 5% quantile have a chance of 6e-14, not 1e-22."""
    z = significance.deviate(pd.Series([share]), pd.Series([0.05]), pd.Series([200.7]))[0]
    law, count = binom(200, 0.05), round(200 * share)
    tail = law.sf(count - 1) if share > 0.05 else law.cdf(count)
    assert norm.sf(abs(z)) == pytest.approx(tail if tail < 0.5 else 1 - tail, rel=1e-9)


def test_an_error_far_below_the_smallest_is_not_found():
    """A tenth of it is within the noise: the figure is no boast the other way, and no alarm is due to it."""
    sd = reference.load("eight_schools").table.loc[("mu", ""), "sd"]
    for draws in parts(["mu"], 500, 20, 85):
        table = found(draws).table.set_index("statistic")
        assert found(draws.assign(mu=draws["mu"] + 0.1 * table.loc["mean", "smallest"] * sd)).passed


def test_a_difference_is_no_alarm_where_there_are_too_few_draws(right, tmp_path, capsys):
    """Twenty draws a chain tell nothing: they are not passed, and are not said to be from another posterior."""
    table = frame({name: values[:, :20] for name, values in right.items()})
    out = rejected(capsys, saved(tmp_path / "draws.csv", table))
    assert "the effective sample size of" in out
    assert "not from this posterior" not in out


def test_what_is_too_rare_for_a_double_is_said_in_words(right, tmp_path, capsys):
    """4000 draws, none below the exact median: 0.5^4000 is no double, and a deviate of it no number."""
    moved = right | {"mu": right["mu"] + 100.0}
    out = rejected(capsys, saved(tmp_path / "draws.csv", frame(moved)))
    assert "mu is too large" in out
    assert "(z beyond 38)" in out
    assert "inf" not in out


def test_other_posteriors_that_the_draws_would_pass_for_are_named(right, tmp_path, capsys):
    """mu alone hardly depends on the prior of tau: agreement with one reference is agreement with its neighbor."""
    table = frame(right)[["chain", "mu"]]
    out = passed(capsys, saved(tmp_path / "d.csv", table), "--without", "tau", "--without", "theta")
    assert re.search(
        r"do not tell it from .*eight_schools_half_cauchy_25: mu ~ Uniform\(\), tau ~ HalfCauchy\(25\)", out
    )


@pytest.mark.parametrize("chains", [1, 4])
def test_a_column_that_never_moves_cannot_pass(chains, right, tmp_path, capsys):
    """A constant near the median has the right mean; a single chain has no R-hat to show it."""
    still = right | {"mu": np.full_like(right["mu"], 7.9)}
    table = frame({name: values.reshape(chains, -1, *values.shape[2:]) for name, values in still.items()})
    assert "mu" in rejected(capsys, saved(tmp_path / "d.csv", table))


def test_a_tail_that_is_visited_rarely_is_no_difference(right, tmp_path, capsys):
    """Four visits of seven draws where 180 draws are expected: the chains may be slow, so no difference is claimed."""
    high = reference.load("eight_schools").table.loc[("tau", ""), "q95"]
    table = frame(right)
    table = table[table["tau"] <= high].groupby("chain").head(900).reset_index(drop=True)
    table.loc[table.groupby("chain").cumcount().between(400, 406), "tau"] = high * 1.2
    status, out, _ = audited(capsys, saved(tmp_path / "draws.csv", table))
    assert status in (2, 3)
    assert "the draws of tau go above its 95% quantile, 17.18, only 4 times" in out
    assert "not from this posterior" not in out
