"""What an analyst asks of a table first: answered on the page, in the files, and in Python."""

import html
import re
from decimal import Decimal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from helpers.own_tables import EIGHT, ESTIMATES, ROWS, SCORES, accepted, put, section, table
from scipy import stats

from analyses import InputError, fit
from analyses.cli import options
from analyses.fits.settings import Settings
from analyses.ingest.request import Request
from analyses.studies import meta_analysis, one_way

NAMES = {"estimate": "score", "se": "se", "label": "school"}
CLINICS = "clinic,bp,se,sector,year\n" + "".join(
    f"{name},{bp},{se},{sector},{year}\n"
    for name, bp, se, sector, year in (
        ("a", 121, 3, "private", 2001),
        ("b", 130, 4, "public", 2003),
        ("c", 128, 3, "charity", 2002),
        ("d", 119, 5, "private", 2004),
        ("e", 141, 3, "public", 2001),
        ("f", 125, 4, "charity", 2005),
        ("g", 124, 4, "private", 2002),
        ("h", 133, 3, "public", 2006),
    )
)
OF_CLINICS = ("--label", "clinic", "--estimate", "bp", "--se", "se")


def answer(page: str) -> str:
    """The headline of a page."""
    return html.unescape(re.search('<p class="answer">([^<]*)', page)[1])


def eight() -> tuple[np.ndarray, np.ndarray]:
    """Estimates and standard errors of the eight schools."""
    rows = [line.split(",") for line in EIGHT.split()[1:]]
    return np.array([float(row[1]) for row in rows]), np.array([float(row[2]) for row in rows])


def by_hand(y, se, threshold, scale=5.0):
    """P(mu > c) and P(theta_i > c) under tau ~ HalfCauchy(scale), by a sum over tau (Bayesian Data Analysis, 5.4).

    mu is normal given tau, and theta_i normal given tau once mu is integrated out.
    """
    tau = scale * np.tan(np.pi / 2 * (np.arange(40_000) + 0.5) / 40_000)[:, None]  # equal shares of the prior
    precision = 1 / (se**2 + tau**2)
    variance = 1 / precision.sum(axis=1)
    mu = variance * (precision @ y)
    log_density = (stats.norm.logpdf(y, mu[:, None], np.sqrt(se**2 + tau**2))).sum(axis=1) + np.log(variance) / 2
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    kappa = se**2 * precision
    theta = y + kappa * (mu[:, None] - y)
    sd = np.sqrt((1 - kappa) * se**2 + kappa**2 * variance[:, None])
    return weight @ stats.norm.sf(threshold, mu, np.sqrt(variance)), weight @ stats.norm.sf(threshold, theta, sd)


# --- a threshold ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("threshold", "given"), [(0.0, ()), (5.25, ("--threshold", "5.25")), (-3.0, ("--threshold", "-3"))]
)
def test_chances_above_a_threshold_are_those_of_a_sum_over_tau(threshold, given, tmp_path, quick):
    """By the formulas of the eight schools, written apart; the midpoint rule has an error of the order 1e-9."""
    ran = accepted(tmp_path, "meta_analysis", EIGHT, *ESTIMATES, "--prior", "tau=HalfCauchy(5)", *given)
    mu, theta = by_hand(*eight(), threshold)
    groups = pd.read_csv(ran.folder / "groups.csv")
    assert groups["p_above"].to_numpy() == pytest.approx(theta, abs=1e-7)
    count = (theta >= 0.95).sum()
    said = f"above {threshold:g} with probability {mu:.2f}; for {count} of 8 groups that probability is at least 0.95."
    assert said in answer(ran.page)
    assert f"P(above {threshold:g})" in section(ran.page, "The league table, with what it is worth")


def test_rows_have_no_threshold_unless_asked(rows):
    assert pd.read_csv(rows.folder / "groups.csv")["p_above"].isna().all()
    assert "P(above" not in section(rows.page, "The league table, with what it is worth")
    assert "with probability" in answer(rows.page), "of the leader"
    assert "The population mean is above" not in answer(rows.page)


def test_a_threshold_moves_with_the_data(tmp_path, quick):
    """At an offset of 1e12 its decimals count as those of the data do."""
    asked = ("one_way", table(SCORES), *ROWS, "--threshold", "6.0625")
    one = accepted(tmp_path, *asked)
    first = pd.read_csv(one.folder / "groups.csv")["p_above"]
    moved = table([(g, f"{10**12 + int(v.partition('.')[0])}.{v.partition('.')[2] or 0}") for g, v in SCORES])
    other = accepted(tmp_path, "one_way", moved, *ROWS, "--threshold", "1000000000006.0625")
    assert pd.read_csv(other.folder / "groups.csv")["p_above"].to_numpy() == pytest.approx(first.to_numpy(), rel=1e-9)
    shown = re.search(r"The population mean is above \d+\.?\d* with probability (\d\.\d+)", answer(other.page))
    assert shown[1] in answer(one.page)


def test_chances_above_a_threshold_are_those_of_draws(tmp_path):
    """Shares of 4,000 independent draws, in their Monte Carlo error, with sigma unknown and a covariate."""
    path = put(tmp_path, table(SCORES))
    asked = fit(path, group="school", value="score", covariates=["kind"])
    league, draws = asked.league(threshold=6.5), asked.sample("exact")["posterior"]
    shares = (draws["theta"] > 6.5).mean(["chain", "draw"]).to_series()
    p = league["p_above"].loc[shares.index]
    assert (np.abs(shares - p) <= 4.5 * np.sqrt(np.maximum(p * (1 - p), 1 / 4000) / 4000)).all()
    assert "p_above" not in asked.league()
    at_zero = fit(put(tmp_path, EIGHT), **NAMES)
    pd.testing.assert_frame_equal(at_zero.league(), at_zero.league(threshold=0))


def test_python_reports_what_the_command_line_does(tmp_path, quick):
    """The same threshold and unit, the same file and headline."""
    ran = accepted(tmp_path, "meta_analysis", EIGHT, *ESTIMATES, "--threshold", "5.5", "--unit", "points")
    page = fit(ran.data, **NAMES).report(tmp_path / "python", engines=["exact"], threshold=5.5, unit="points")
    assert (page.parent / "groups.csv").read_bytes() == (ran.folder / "groups.csv").read_bytes()
    assert answer(page.read_text("utf-8")) == answer(ran.page)


@pytest.mark.parametrize("text", ["-1e-3", "-.5", "-7", "1000000000.123456789", "2E2"])
def test_a_threshold_is_read_as_it_is_written(text, tmp_path):
    """To all digits; one below 0 with an exponent is no option."""
    columns = ("--estimate", "score", "--se", "se")
    asked = options.parse(["meta_analysis", "--data", str(tmp_path), *columns, "--threshold", text]).request
    assert asked.threshold == Decimal(text)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"threshold": np.inf}, "threshold=inf is not a finite number"),
        ({"threshold": "5"}, "threshold='5' is not a finite number"),
        ({"unit": 5}, "unit=5: give text, such as 'mmHg'"),
    ],
)
def test_what_no_report_can_use_is_refused(asked, said, tmp_path):
    with pytest.raises(InputError, match=re.escape(said)):
        fit(put(tmp_path, EIGHT), **NAMES).report(tmp_path, **asked)


# --- covariates -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clinics(tmp_path_factory):
    """The report on estimates with a category and a number."""
    more = ("--covariate", "sector", "--covariate", "year", "--unit", "mmHg", "--prior", "tau=HalfNormal(10)")
    return accepted(tmp_path_factory.mktemp("clinics"), "meta_analysis", CLINICS, *OF_CLINICS, *more)


def test_coefficients_are_in_the_headline(clinics):
    """Each with its median and interval, those of the file to a tenth of an sd, and what it is the change for."""
    rows = pd.read_csv(clinics.folder / "summary.csv").query("variable == 'beta'").set_index("label")
    said = re.search(r"The population mean changes by ([^;]*?)\. The population", answer(clinics.page))[1]
    parts = dict(zip(rows.index, re.split(r", (?=-?\d)| and (?=-?\d)", said), strict=True))
    assert parts["sector[private]"].endswith("mmHg for sector = private in place of charity")
    assert parts["year"].endswith("mmHg for one unit more of year")
    for name, text in parts.items():
        shown = [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?", text)[:3]]
        expected = rows.loc[name, ["q50", "q2_5", "q97_5"]].astype(float)
        assert shown == pytest.approx(expected.tolist(), abs=rows.loc[name, "sd"] / 10)


def test_of_many_coefficients_those_apart_from_0_are_named(tmp_path, quick):
    """Ten groups, five numbers, of which the second alone has an effect."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(14, 4)).round(3)
    lines = [f"g{i},{50 * row[1]:.2f},1,{','.join(map(str, row))}\n" for i, row in enumerate(x)]
    content = "school,score,se,p,q,r,s\n" + "".join(lines)
    ran = accepted(tmp_path, "meta_analysis", content, *ESTIMATES, *(f"--covariate={name}" for name in "pqrs"))
    assert "Of 4 coefficients, these have a 95% interval that excludes 0: q." in answer(ran.page)


def test_a_new_group_is_predicted_for_each_level(clinics):
    """Named by its level, the number at its mean over the groups: as `predict` has it, in the coding of the data."""
    text = section(clinics.page, "What comes next?")
    assert not re.search(r"\] -?\d", text)
    assert "year at its mean over groups, 2003" in text
    priors = {"tau": "HalfNormal(10)"}
    asked = fit(clinics.data, label="clinic", estimate="bp", se="se", covariates=["sector", "year"], priors=priors)
    levels = ["charity", "private", "public"]
    rows = asked.predict({"clinic": levels, "sector": levels, "year": [2003] * 3}).loc["theta"]
    for level in levels:
        shown = [float(v) for v in re.search(rf"new_theta sector = {level}((?: -?[\d.]+){{5}})", text)[1].split()]
        assert shown == pytest.approx(rows.loc[level].tolist(), abs=0.5)
        assert f"new_group_value sector = {level} " in text


def test_numbers_alone_are_stated(tmp_path, quick):
    """Each value there is, where they are few; the mean over the groups, where they are many."""
    few = accepted(tmp_path, "meta_analysis", CLINICS, *OF_CLINICS, "--covariate", "year")
    assert "new_theta year = 2001 " in section(few.page, "What comes next?")
    lines = [f"g{i},{i % 3},1,{i * i}\n" for i in range(14)]
    many = accepted(tmp_path, "meta_analysis", "school,score,se,x\n" + "".join(lines), *ESTIMATES, "--covariate", "x")
    assert "new_theta x = 58.5 " in section(many.page, "What comes next?")


# --- who leads --------------------------------------------------------------------------------------------------------


def test_the_raw_extreme_and_the_leader_are_both_named(tmp_path, quick):
    """A is highest by itself, with a large error; C leads the table. Figures are medians there and in the sentence."""
    content = "school,score,se\nA,28,18\nB,8,3\nC,20,3\nD,7,4\nE,-1,4\nF,1,4\n"
    ran = accepted(tmp_path, "meta_analysis", content, *ESTIMATES)
    groups = pd.read_csv(ran.folder / "groups.csv").sort_values("rank_mean")
    first = groups.iloc[0]
    assert first["label"] == "C"
    said = re.search(
        r"School A has the highest estimate \(28\); school C leads after pooling: "
        r"(\S+) \((\S+) to (\S+)\), the highest with probability (\S+)\.$",
        answer(ran.page),
    )
    expected = [first[f"theta_{name}"] for name in ("q50", "q2_5", "q97_5")]
    assert [float(v) for v in said.groups()[:3]] == pytest.approx(expected, abs=first["theta_sd"] / 10)
    assert float(said[4]) == pytest.approx(first["p_best"], abs=0.005)
    league = section(ran.page, "The league table, with what it is worth")
    assert "theta its sd 2.5% median 97.5%" in league
    assert f" {said[1]} {said[3]} " in league


def test_one_that_is_both_is_named_once(estimates):
    assert re.search(r"School A has the highest estimate \(28\) and leads after pooling: ", answer(estimates.page))


@pytest.mark.parametrize(
    ("study", "arguments", "more"),
    [
        ("one_way", ROWS, ("--prior", "sigma=Jeffreys()")),
        ("meta_analysis", ESTIMATES, ("--covariate", "x", "--prior", "tau=HalfNormal(1)")),
    ],
)
def test_a_posterior_that_is_its_prior_is_no_finding(study, arguments, more, tmp_path, quick):
    """Single rows, or as many coefficients as groups: tau and who leads are not headlined."""
    ran = accepted(tmp_path, study, "school,score,se,x\na,1,1,u\nb,2.5,1,v\nc,4,1,w\n", *arguments, *more)
    said = answer(ran.page)
    assert "The data do not inform tau; its posterior equals its prior." in said
    assert said.endswith("Where pooling puts it depends on the prior of tau.")
    assert "depends on the prior of tau" in section(ran.page, "The league table, with what it is worth")
    assert not re.search("leads|standard deviation|of the variance \\(", said)


# --- the table's own words --------------------------------------------------------------------------------------------


def drawn(study, path, columns, **options):
    """Figures of the page of a table, by name."""
    request = Request(table=path, columns=columns, **options)
    page = study.page(Settings(engines=("exact",), request=request))
    return {name: picture.figure.axes[0] for name, picture in page.figures.items()}, page


def test_axes_and_heads_have_the_tables_words(tmp_path, quick):
    """The value on the axis with its unit, the groups at the head of their column; files keep their names."""
    path = put(tmp_path, table(SCORES))
    axes, page = drawn(one_way, path, {"group": "school", "value": "score"}, unit="points")
    assert axes["forest"].get_xlabel() == axes["shrinkage"].get_ylabel() == "score (points)"
    assert axes["shrinkage"].get_xlabel() == "values per school"
    assert "standard deviation of" in page.sentence
    assert re.search(r"standard deviation of \S+ \(\S+ to \S+\) points", page.sentence)
    ran = accepted(tmp_path, "meta_analysis", EIGHT, *ESTIMATES)
    assert " school standard error score theta " in section(ran.page, "The league table, with what it is worth")
    assert "The school most likely to be highest is A" in ran.page
    assert list(pd.read_csv(ran.folder / "groups.csv").columns[:4]) == ["label", "n", "standard_error", "estimate"]


def test_estimates_without_names_are_rows(tmp_path, quick):
    ran = accepted(tmp_path, "meta_analysis", EIGHT, "--estimate", "score", "--se", "se")
    assert "Row 1 has the highest estimate (28) and leads" in answer(ran.page)
    assert " row standard error score theta " in section(ran.page, "The league table, with what it is worth")


def test_dollars_are_no_formula(tmp_path):
    """What stands between two of them in a name is drawn as it is, and does not stop the page."""
    path = put(tmp_path, EIGHT.replace("school,score", "school,a$b_{$c"))
    axes, _ = drawn(meta_analysis, path, {"label": "school", "estimate": "a$b_{$c", "se": "se"}, unit="$")
    for name in ("forest", "shrinkage"):
        figure = axes[name].figure
        figure.draw_without_rendering()
        plt.close(figure)
    assert axes["forest"].get_xlabel() == r"a\$b_{\$c (\$)"
