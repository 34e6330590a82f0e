"""What the report on a table of one's own says, and what it warns of."""

import html
import json
import re
from hashlib import sha256

import numpy as np
import pandas as pd
import pytest
from helpers.own_tables import ARGUMENTS, ESTIMATES, ROWS, SCORES, TRIALS, accepted, computed, section, table

from analyses.engines import exact
from analyses.report.numbers import places
from models import priors
from models.groups import Replicates
from models.two_level import TwoLevel

# --- what is warned of ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("study", "content", "said"),
    [
        ("one_way", "a,1,1\na,1,1\na,2,1\nb,4,1\nb,5,1\nc,4,1\n", ["1 row(s) repeat others", "3 groups say little"]),
        ("meta_analysis", "a,1,1\nb,2,2000\nc,4,1\nd,3,1\ne,3,2\n", ["standard errors differ by a factor 2,000"]),
        ("meta_analysis", "a,1,1\nA,2,2\nc,4,1\nd,3,1\ne,3,2\n", ["'a' and 'A' differ only in case"]),
        ("meta_analysis", "a,1,1\nb,2,2\nc,4,1\nd,3,1\nTotal,3,1\n", ["'Total' is a group here"]),
    ],
    ids=["repeated rows, few groups", "standard errors", "case", "a sum"],
)
def test_warnings_are_said_and_printed(study, content, said, tmp_path, quick):
    """Nothing is refused for it, but who reads either has to know."""
    ran = accepted(tmp_path, study, f"school,score,se\n{content}", *ARGUMENTS[study])
    printed = [html.unescape(text) for text in re.findall('<p class="warning">([^<]*)</p>', ran.page)]
    assert ran.said.splitlines() == [f"warning: {text}" for text in printed]
    assert len(printed) == len(said)
    assert all(fragment in text for fragment, text in zip(said, printed, strict=True))


def test_no_warning_without_reason(rows, estimates):
    assert rows.said == estimates.said == ""
    assert 'class="warning"' not in rows.page + estimates.page


# --- what is reported -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def posterior():
    """That of the rows, without the command line."""
    groups = Replicates.from_rows([g for g, _ in SCORES], [float(v) for _, v in SCORES])
    return exact.posterior(TwoLevel(groups=groups, tau=priors.HalfCauchy(1.0)))


def numbers(text: str, after: str) -> list[float]:
    """The row of figures that follows a name."""
    found = re.search(rf"(?:^| ){re.escape(after)}((?: -?[\d.,]+(?:e[-+]?\d+)?)+)", text)
    return [float(v.replace(",", "")) for v in found[1].split()]


def half_of_last(sd) -> float:
    """What rounding to the decimals of a tenth of the sd may be off by, and a little of double's own."""
    return 0.5 * 10.0 ** -places(float(sd[0])) * (1 + 1e-9)


def test_the_comparison_asked_for_is_of_the_joint_posterior(rows, posterior):
    """The difference of two means, not of two intervals: from their joint posterior."""
    text = section(rows.page, "Does one differ from another?")
    for pair, weights in (("b - a", [-1, 1, 0, 0, 0, 0]), ("c - f", [0, 0, 1, 0, 0, -1])):
        law = posterior.contrast(np.array([weights], dtype=float))
        above = 1 - law.cdf(np.zeros(1), np.zeros(1, dtype=int))
        expected = np.ravel([law.mean, law.sd, *map(law.quantile, (0.025, 0.5, 0.975))]).tolist()
        *printed, p = numbers(text, pair)
        assert printed == pytest.approx(expected, rel=0, abs=half_of_last(law.sd))
        assert p == pytest.approx(above[0], rel=5e-4, abs=0), "four digits"


def test_the_share_between_groups_is_the_intraclass_correlation(rows, posterior):
    law = posterior.intraclass()
    expected = np.ravel([law.mean, law.sd, *map(law.quantile, (0.025, 0.5, 0.975))]).tolist()
    printed = numbers(section(rows.page, "Between and within"), "intraclass correlation")
    assert printed == pytest.approx(expected, rel=0, abs=half_of_last(law.sd))


def test_sections_are_on_both_pages(rows, estimates):
    """League table, a new group, other priors, each group left out, REML: on both pages."""
    for ran, names in ((rows, "abcdef"), (estimates, "ABCDEFGH")):
        assert "league table" in ran.page
        left, league = section(ran.page, "What the others say of each"), re.split("league table[^<]*</h2>", ran.page)[1]
        assert all(f" {name} " in left and f">{name}</td>" in league for name in names)
        assert "new_theta a new group" in section(ran.page, "What comes next?")
        others = section(ran.page, "With another prior")
        assert all(f"tau ~ {name}(" in others for name in ("HalfCauchy", "HalfNormal", "Uniform"))
        assert "REML" in section(ran.page, "By restricted maximum likelihood")


def test_restricted_likelihood_at_the_boundary_is_named(rows, estimates):
    """For the eight schools it is largest at tau = 0, which is an artefact of a maximum."""
    assert "boundary, tau = 0" in section(estimates.page, "By restricted maximum likelihood")
    assert "boundary" not in section(rows.page, "By restricted maximum likelihood")


def test_q_and_i2_are_those_of_the_weighted_mean(estimates):
    y, se = (pd.read_csv(estimates.data)[name].to_numpy(float) for name in ("score", "se"))
    q = np.sum((y - np.average(y, weights=se**-2)) ** 2 / se**2)
    text = section(estimates.page, "Do they differ by more than their errors?")
    assert f"Q is {q:.2f} on 7 degrees of freedom" in text
    assert re.search(r"\b0% of the variation is more than error \(I²\)", text)


def test_the_manifest_has_the_hash_and_the_command(rows):
    manifest = json.loads((rows.folder / "manifest.json").read_text("utf-8"))
    assert manifest["data"] == {"table.csv": sha256(rows.data.read_bytes()).hexdigest()}
    assert manifest["command"][3:6] == ["one_way", "--data", str(rows.data)]
    assert "tau=HalfCauchy(1)" in manifest["command"]


def test_a_covariate_of_text_has_a_reference_and_ranks_may_count_from_below(rows, tmp_path, quick):
    """The reference is its first level; rank 1 is the lowest, and the chances to be among two add up to two."""
    ran = accepted(tmp_path, "one_way", table(SCORES), *ROWS, "--covariate", "kind", "--best", "low", "--among", "2")
    assert "reference level of kind is 'large'" in section(ran.page, "The model")
    assert len(numbers(section(ran.page, "What the covariates do"), "kind[small]")) == 6
    groups = computed(ran)[1]
    assert groups["p_among"].sum() == pytest.approx(2)
    assert computed(rows)[1]["p_among"].sum() == pytest.approx(3)
    assert (computed(rows)[1]["rank_mean"].idxmax(), groups["rank_mean"].idxmin()) == ("f", "f")


def test_a_column_with_brackets_in_its_name_has_a_prior(tmp_path, quick):
    given = ("--covariate", "size [m]", "--prior", "size [m]=Normal(0,1)")
    ran = accepted(tmp_path, "meta_analysis", TRIALS, *ESTIMATES, *given)
    assert "size [m] ~ Normal(0,1)" in section(ran.page, "The model")


# --- where the data say little ----------------------------------------------------------------------------------------


def test_moments_that_do_not_exist_are_not_printed(tmp_path):
    """Three estimates under a flat prior: a printed mean would be an accident of the computation."""
    ran = accepted(tmp_path, "meta_analysis", "school,score,se\na,1,1\nb,2,1.5\nc,4,1\n", *ESTIMATES)
    for title in ("With another prior", "What comes next?", "By restricted maximum likelihood"):
        assert "does not exist" in section(ran.page, title)
    assert "does not exist under these priors" in section(ran.page, "The model")
    assert computed(ran)[0].loc[[("mu", ""), ("tau", "")], ["mean", "sd"]].isna().all(axis=None)
    assert computed(ran)[0][["q2_5", "q50", "q97_5"]].notna().all(axis=None)


OF_SIGMA = ("--prior", "sigma=Jeffreys()")  # without it a row a group is taken for averages, and refused


def test_single_rows_leave_tau_to_its_prior(tmp_path):
    """One value a group cannot part what is within from what is between: half-Cauchy in, half-Cauchy out."""
    ran = accepted(tmp_path, "one_way", "school,score\na,1\nb,2.5\nc,4\nd,9\ne,3\n", *ROWS, *OF_SIGMA)
    assert "its posterior equals its prior" in section(ran.page, "The model")
    quantiles = computed(ran)[0].loc[("tau", ""), ["q2_5", "q50", "q97_5"]].tolist()
    assert quantiles == pytest.approx(np.tan(np.pi / 2 * np.array([0.025, 0.5, 0.975])).tolist(), rel=1e-8)


def test_single_rows_are_not_weighed(tmp_path):
    """Their likelihood to a power has no posterior, as nothing keeps sigma from 0; and tau is its prior, up front."""
    ran = accepted(tmp_path, "one_way", "school,score\na,1\nb,2\nc,4\nd,3\ne,2.5\n", *ROWS, *OF_SIGMA)
    assert "the data do not inform tau" in ran.said
    assert "When the data do: no posterior is left" in section(ran.page, "With another prior")


@pytest.mark.parametrize("prior", ["tau=HalfStudentT(0.25,1)", "tau2=InverseGamma(0.1,1)"])
def test_a_prior_that_no_power_leaves_is_said_to_hold_the_posterior_up(prior, tmp_path):
    """To the power .8 it is no density, so it cannot be weighed down; it is not flat for that."""
    ran = accepted(tmp_path, "meta_analysis", TRIALS, *ESTIMATES, "--prior", prior)
    assert "the prior leaves no posterior: it holds this one up" in section(ran.page, "With another prior")
