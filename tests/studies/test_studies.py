"""What the pages say: the sources' questions in their order, and a verdict on everything that is printed."""

import html
import re

import arviz as az
import numpy as np
import pandas as pd
import pytest
from helpers import arviz_calls
from helpers.runs import TINY
from scipy import stats

from analyses import run
from analyses.engines import exact, gibbs
from analyses.fits.settings import Settings
from analyses.published import verdicts
from analyses.studies import classrooms, eight_schools, normal
from analyses.studies.sections import general_priors
from models import (
    baseball,
    blood_pressure,
    classrooms as classrooms_case,
    eight_schools as eight_schools_case,
    math_test,
)

COLUMNS = (
    *("source", "place", "kind", "what", "printed", "decimals", "engine", "size", "figure"),
    *("right", "difference", "own_error", "verdict", "reason", "test"),
)
WITHOUT_NUTS = ("math_test", "blood_pressure", "baseball", "normal", "classrooms", "eight_schools", "published")


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Every study without NUTS, whose compiling takes most of a run's time."""
    out = tmp_path_factory.mktemp("reports")
    return out, run.main(["--engines", "gibbs,exact", "--out", str(out), "--quiet"])


def titles(reports, study):
    return re.findall(r"<h[23]>([^<]*)</h[23]>", (reports[0] / study / "index.html").read_text(encoding="utf-8"))


def test_every_study_runs_and_passes(reports):
    out, status = reports
    assert status == 0
    assert {path.name for path in out.iterdir() if path.is_dir()} == set(WITHOUT_NUTS)


def test_one_group_is_sampled_by_nuts_too(tmp_path):
    """The one study whose NUTS no other test of this suite runs. Chains this short may fail a check: status 3."""
    assert run.main(["normal", "--engines", "nuts", *TINY, "--out", str(tmp_path), "--quiet"]) in {0, 3}
    assert (tmp_path / "normal" / "nuts.nc").is_file()


def test_saved_draws_are_what_arviz_reads(reports):
    """All fits of all studies, by all engines of the run; one group alone has nothing that could be left out."""
    paths = sorted(reports[0].rglob("*.nc"))
    assert {path.relative_to(reports[0]).parts[0] for path in paths} == {*WITHOUT_NUTS} - {"published"}
    for path in paths:
        tree = az.from_netcdf(path)
        if "normal" in path.parts:
            assert "no_log_likelihood" in tree.attrs
        else:
            arviz_calls.tables(tree, prior=not arviz_calls.all_flat(tree))


@pytest.mark.parametrize(("study", "letters"), [("math_test", "ABCCDEF"), ("blood_pressure", "ACCD")])
def test_pages_answer_the_exercises_in_order(reports, study, letters):
    """C asks for the conditionals as well; A to C of the trial share a section, as they are to be compared."""
    asked = [title[0] for title in titles(reports, study) if re.match(r"[A-F](\.| to )", title)]
    assert "".join(asked) == letters


def test_the_walk_through_is_answered_in_its_order(reports):
    """First what it finds, then, among the machinery, how it computed."""
    walked = [
        "Each for itself, or all alike?",
        "Eight estimates, pulled together",
        "School A against the others",
        "The posterior of mu and log tau",
        "Metropolis, as in the source",
    ]
    found = titles(reports, "eight_schools")
    assert [title for title in found if title in walked] == walked


@pytest.mark.parametrize("case", [math_test, blood_pressure, baseball, eight_schools_case, classrooms_case])
def test_the_model_stands_on_the_page_in_plain_pymc(case, reports):
    page = (reports[0] / case.__name__.rpartition(".")[2] / "index.html").read_text(encoding="utf-8")
    (code,) = re.findall("<pre[^>]*><code>(.*?)</code></pre>", page, re.DOTALL)
    assert html.unescape(code) == case.code().strip()


def test_published_csv_is_complete(reports):
    rows = pd.read_csv(reports[0] / "published.csv", dtype={"source": str, "printed": str}, keep_default_na=False)
    assert tuple(rows.columns) == COLUMNS
    assert set(rows["source"]) == {"000", "001", "002", "003"}
    assert rows["verdict"].isin([verdicts.AGREES, verdicts.OWN_ERROR, verdicts.ERROR]).all()
    assert (rows.loc[rows["verdict"] == verdicts.ERROR, "reason"] != "").all()
    assert (rows.loc[rows["kind"] == "computed", "right"] != "").all()


def test_a_table_that_is_not_ours_is_left_alone(tmp_path, capsys):
    (tmp_path / "published.csv").write_text("mine")
    assert run.main(["published", "--out", str(tmp_path), "--quiet"]) == 2
    assert "holds no report of published" in capsys.readouterr().err
    assert (tmp_path / "published.csv").read_text() == "mine"


def test_a_page_says_what_its_table_says(reports):
    """The sentence of the front page, counted again from published.csv."""
    rows = pd.read_csv(reports[0] / "published.csv", keep_default_na=False)
    computed = rows[rows["kind"] == "computed"]["verdict"].value_counts()
    formulas = rows[rows["kind"] == "formula"]["verdict"].value_counts()
    text = (reports[0] / "published" / "index.html").read_text(encoding="utf-8")
    said = re.search(r'<p class="answer">Of (\d+) computed figures (\d+) agree.* (\d+) are wrong; of (\d+)', text)
    expected = [computed.sum(), computed[verdicts.AGREES], computed[verdicts.ERROR], formulas.sum()]
    assert [int(number) for number in said.groups()] == expected


def test_the_chain_of_the_walk_through_is_worth_what_the_page_says():
    """Of 5000 correlated draws a tenth, about, count: the error of their mean over many chains says so as well."""
    from analyses.engines import metropolis

    model = eight_schools.eight_schools.model()
    tree = metropolis.sample(model, draws=5000, tune=500, thin=1, chains=100, rng=np.random.default_rng(121))
    mu, exactly = tree["posterior"]["mu"].values, exact.posterior(model).table().loc[("mu", "")]
    worth = exactly["sd"] ** 2 / mu.mean(axis=1).var(ddof=1)
    assert 400 < worth < 1200
    assert stats.kstest((mu.mean(axis=1) - exactly["mean"]) / mu.mean(axis=1).std(ddof=1), "norm").pvalue > 1e-5


def test_general_priors_by_gibbs_agree_with_two_dimensions_of_quadrature():
    """Seed 001's second method, on the page as well as here, with every theta."""
    from analyses.checks import agreement

    model = math_test.general()
    tree = gibbs.sample(model, thin=general_priors.THIN, rng=np.random.default_rng(122))
    found = agreement.verdict(agreement.table(tree, exact.posterior(model).table()))
    assert found.passed, found.sentence


@pytest.mark.slow
def test_little_is_felt_of_the_top_at_the_bottom():
    """Seed 003: the prior of kappa moves kappa most, schools less, classrooms least, in sds of each."""
    found = classrooms.fit_classrooms(classrooms.classrooms.model(), Settings(engines=("exact",)))
    rows = classrooms.effect_of_prior(found).set_index("level").iloc[:, 0]
    assert rows["kappa itself"] > rows["schools"] > rows["classrooms"]
    assert rows["classrooms"] < 0.2


def test_the_posterior_of_one_group_is_a_t():
    """The slide's question; independent draws, one after the other, have that t's distribution."""
    from analyses.engines import conjugate

    model = normal.one_group.example()
    tree = conjugate.draw(model, draws=5000, rng=np.random.default_rng(123))
    assert stats.kstest(tree["posterior"]["theta"].values.ravel(), model.theta().cdf).pvalue > 1e-5


def test_a_share_of_the_draws_leaves_enough_for_an_effective_size():
    assert Settings(draws=1000).nuts("a purpose", share=0.25)["draws"] == 250
    assert Settings(draws=4).nuts("a purpose", share=0.25)["draws"] == 4
    assert Settings(draws=1000).nuts("a purpose")["draws"] == 1000
