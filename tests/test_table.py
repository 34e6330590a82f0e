"""What a fit answers: against draws, other routes and arithmetic, in the units of the table."""

import re

import numpy as np
import pandas as pd
import pytest

from analyses import InputError, fit
from analyses.engines import exact
from analyses.fits.exact_fit import interval
from analyses.table import DataWarning
from models import Estimates, TwoLevel, blood_pressure, eight_schools, priors

EIGHT = {
    "school": list("ABCDEFGH"),
    "effect": [28, 8, -3, 7, -1, 1, 18, 12],
    "se": [15, 10, 16, 11, 9, 11, 10, 18],
    "arm": list("uvuvuvuv"),
    "size": [3, 1, 4, 1, 5, 9, 2, 6],
}
NAMES = {"label": "school", "estimate": "effect", "se": "se"}
LIMIT = 4.5  # Monte Carlo errors: one of some hundred right figures is farther off once in a thousand runs
LAST_DIGITS = 4 * np.finfo(float).eps  # of a few operations on doubles
ROUNDING = 1e-12  # of sums over a thousand nodes, each term of them off by 2e-16


@pytest.fixture(scope="module")
def schools():
    return fit(EIGHT, **NAMES, priors={"tau": "HalfCauchy(5)"})


@pytest.fixture(scope="module")
def arms():
    """With a covariate of text and one of numbers."""
    return fit(EIGHT, **NAMES, covariates=["arm", "size"], priors={"tau": priors.HalfNormal(5)})


def draws_of(fit, name):
    return fit.sample("exact")["posterior"][name].stack(sample=("chain", "draw")).values


def test_four_shapes_of_table_in_one_import_each():
    """Rows, averages, estimates, and estimates with a covariate."""
    rows = pd.DataFrame({"g": list("AAABBBCCCDDD"), "y": [5.0, 6, 7, 8, 9, 8.5, 4, 3, 4.5, 6, 6.5, 5]})
    averages = rows.groupby("g")["y"].agg(["size", "mean", "std"]).reset_index()
    with pytest.warns(DataWarning, match="4 groups say little of tau"):
        one = fit(rows, group="g", value="y").summary()
    with pytest.warns(DataWarning, match="4 groups say little of tau"):
        other = fit(averages, group="g", n="size", mean="mean", sd="std").summary()
    # The sum of squares that comes of a rounded standard deviation is off by some 1e-15, and the posterior follows.
    assert np.abs(one - other).max(axis=1).le(ROUNDING * one["sd"]).all()
    assert ("beta", "arm[v]") in fit(EIGHT, **NAMES, covariates=["arm"]).summary().index


def test_a_model_is_fitted_as_it_is_stated():
    table = exact.posterior(eight_schools.weakly_informative()).table()
    summary = fit(eight_schools.weakly_informative()).summary()
    pd.testing.assert_frame_equal(summary, table[summary.columns])
    with pytest.raises(InputError, match="priors itself"):
        fit(eight_schools.model(), priors={"tau": "HalfCauchy(5)"})


@pytest.mark.parametrize("spelling", ["HalfCauchy(5)", priors.HalfCauchy(5)])
def test_priors_are_text_or_objects(spelling, schools):
    again = fit(EIGHT, **NAMES, priors={"tau": spelling})
    pd.testing.assert_frame_equal(again.summary(), schools.summary())


def test_summary_takes_names_and_a_probability(schools):
    rows = schools.summary(["theta", "mu"], ci_prob=0.5)
    assert list(rows.columns) == ["mean", "sd", "q25", "q50", "q75"]
    assert rows.index.get_level_values("variable").unique().tolist() == ["mu", "theta"]
    assert schools.summary("tau").index.tolist() == [("tau", "")]
    law = schools.posterior.theta()
    ends = rescaled(schools, law.quantile([0.25, 0.75]))
    np.testing.assert_allclose(rows.loc["theta", ["q25", "q75"]].T, ends, rtol=ROUNDING)


def rescaled(fit, inside):
    return fit.prepared.units.value("theta", inside)


def test_a_difference_is_what_draws_say(schools):
    theta, exactly = draws_of(schools, "theta"), schools.difference("A", "C")
    drawn = theta[0] - theta[2]
    error = drawn.std() / np.sqrt(len(drawn))
    assert abs(drawn.mean() - exactly["mean"]) < LIMIT * error
    assert abs((drawn > 0).mean() - exactly["p_above"]) < LIMIT * 0.5 / np.sqrt(len(drawn))
    reverse = schools.difference("C", "A")
    mirrored, allowed = -exactly[["mean", "q97_5", "q2_5"]], ROUNDING * exactly["sd"]
    np.testing.assert_allclose(reverse[["mean", "q2_5", "q97_5"]], mirrored, rtol=0, atol=allowed)
    assert reverse["p_above"] == pytest.approx(1 - exactly["p_above"], abs=ROUNDING)


def test_a_probability_inverts_a_quantile(schools):
    """P(theta > its 97.5% quantile) = 0.025, for mu as well; below and above add up to 1."""
    for key, row in schools.summary(["mu", "theta"]).iterrows():
        assert schools.probability(above=row["q97_5"])[key] == pytest.approx(0.025, abs=ROUNDING)
    both = schools.probability(above=5) + schools.probability(below=5)
    np.testing.assert_allclose(both, 1, rtol=LAST_DIGITS)


def test_a_known_group_is_predicted_as_it_is(schools):
    predicted = schools.predict({"school": ["C", "A"]})
    pd.testing.assert_frame_equal(
        predicted.loc[["theta"]], schools.summary(["theta"]).loc[[("theta", "C"), ("theta", "A")]]
    )
    variance = predicted["sd"] ** 2
    np.testing.assert_allclose(
        variance["value"] - variance["theta"], [16**2, 15**2], rtol=0, atol=ROUNDING * variance.max()
    )


def test_a_new_group_has_the_mean_of_its_covariates(arms):
    """E theta = E mu + E beta x, in the coding of text that the fit has; a larger error widens the value alone."""
    rows = arms.predict({"arm": ["u", "v"], "size": [2, 2.5], "se": [1, 30]})
    mean = arms.summary(["mu", "beta"])["mean"]
    expected = mean["mu", ""] + np.array([2, 2.5]) * mean["beta", "size"] + np.array([0, 1]) * mean["beta", "arm[v]"]
    np.testing.assert_allclose(rows.loc["theta", "mean"], expected, rtol=ROUNDING)
    variance = rows["sd"] ** 2
    np.testing.assert_allclose(variance["value"] - variance["theta"], [1, 900], rtol=0, atol=ROUNDING * variance.max())
    drawn = arms.sample("exact")["posterior"].dataset
    population = (drawn["mu"] + 2 * drawn["beta"][..., 1]).var().item()
    between = np.sqrt(np.square(drawn["sd_between"]).mean().item() + population)
    # The mean of n squares of normal or half-normal draws is off by sqrt(2 / n) of it, its root by half of that.
    assert rows.loc[("theta", "new 1"), "sd"] == pytest.approx(between, rel=LIMIT / np.sqrt(2 * drawn["mu"].size))


def test_moments_of_predictions_that_do_not_exist_are_nan():
    """As in the report: three groups and a flat tau leave a new group's theta without a mean."""
    with pytest.warns(DataWarning, match="3 groups say little"):
        few = fit({name: values[:3] for name, values in EIGHT.items()}, **NAMES)
    expected = few.posterior.predictions(at=0).loc["new_theta"].iloc[0]
    new = few.predict({"school": ["new"]}).loc[("theta", "new")]
    assert new[["mean", "sd"]].isna().tolist() == expected[["mean", "sd"]].isna().tolist()
    assert new.isna().any(), "or the test says nothing"
    assert new["q50"] == pytest.approx(few.prepared.units.value("theta", expected["q50"]), rel=ROUNDING)


def test_units_go_through_everything():
    """Of 1000 + 10 y every answer is 1000 + 10 times that of y, or 10 times.

    Engines get the same numbers, as units are taken off in decimals; only the way back rounds.
    """
    one = fit(EIGHT, **NAMES)
    effects, errors = [1000 + 10 * y for y in EIGHT["effect"]], [10 * error for error in EIGHT["se"]]
    moved = fit(EIGHT | {"effect": effects, "se": errors}, **NAMES)
    summary = one.summary(["mu", "theta"])
    expected = summary.assign(**{name: 1000 * (name != "sd") + 10 * summary[name] for name in summary})
    np.testing.assert_allclose(moved.summary(["mu", "theta"]), expected, rtol=LAST_DIGITS)
    np.testing.assert_allclose(moved.difference("A", "B")[:5], 10 * one.difference("A", "B")[:5], rtol=LAST_DIGITS)
    np.testing.assert_allclose(moved.probability(above=1050), one.probability(above=5), rtol=LAST_DIGITS)
    new = {"school": ["A", "new"]}
    np.testing.assert_allclose(moved.predict(new)["q50"], 1000 + 10 * one.predict(new)["q50"], rtol=LAST_DIGITS)
    built = moved.build()
    np.testing.assert_allclose(built.rvs_to_values[built["y"]].eval(), effects, rtol=LAST_DIGITS)
    np.testing.assert_allclose(built["noise"].eval(), np.square(errors), rtol=LAST_DIGITS)


def test_a_value_of_a_group_of_rows_has_the_noise_of_one_row():
    """Its variance is that of theta and E sigma^2, of a known group and of a new one."""
    means = {"g": list("abcdefgh"), "n": [4] * 8, "m": [5.0, 7, 3, 8, 6, 4, 9, 5.5], "s": [1.5] * 8}
    groups = fit(means, group="g", n="n", mean="m", sd="s")
    sigma = groups.summary(["sigma"]).iloc[0]
    rows = groups.predict({"g": ["a", "new"]})["sd"] ** 2
    np.testing.assert_allclose(rows["value"] - rows["theta"], sigma["mean"] ** 2 + sigma["sd"] ** 2, rtol=ROUNDING)


def test_numbers_whose_squares_are_no_doubles_have_answers_and_no_model_in_pymc():
    """Inside the units they are about 1; outside, in a likelihood of PyMC's, they would overflow."""
    large = {name: [1e200 * v for v in EIGHT[name]] for name in ("effect", "se")}
    one, far = fit(EIGHT, **NAMES), fit(EIGHT | large, **NAMES)
    np.testing.assert_allclose(far.summary(["mu"]), 1e200 * one.summary(["mu"]), rtol=ROUNDING)
    assert "8 groups" in repr(far)
    assert "<img" in far._repr_html_()
    with pytest.raises(InputError, match="rescale the data"):
        far.build()


def test_its_own_draws_pass_the_audit_and_others_do_not(schools):
    tree = schools.sample("exact")
    audit = schools.audit(tree)
    assert audit.passed
    assert "No difference found" in str(audit)
    wrong = tree.copy()
    wrong["posterior"] = tree["posterior"].to_dataset().assign(mu=tree["posterior"]["mu"] + 1)
    assert not schools.audit(wrong).passed
    with pytest.raises(InputError, match="draws is a dict"):
        schools.audit({"mu": [1.0]})


def test_it_says_what_it_rests_on(schools):
    text = repr(schools)
    assert "8 groups" in text
    assert "tau ~ HalfCauchy(5)" in text
    assert "mu 7.8 (-0.9 to 16.6)" in text
    page = schools._repr_html_()
    assert "P(above 0)" in page, "for estimates, whose sign is a question"
    assert page.count("<tr") == 1 + 8  # names of columns, groups
    assert 'src="data:image/png;base64,' in page


def test_many_groups_are_answered_as_few_are(monkeypatch):
    """The routes of very many groups, taken with 60, which are too few to be interpolated: the same numbers."""
    from analyses.fits import exact_fit

    rng = np.random.default_rng(8)
    n = np.repeat([2, 5, 9], 20)
    means = rng.normal(size=60) + rng.normal(size=60) / n
    frame = pd.DataFrame({"g": [f"g{i}" for i in range(60)], "n": n, "m": means, "s": 1})
    few = fit(frame, group="g", n="n", mean="m", sd="s")
    rows, chances = few.summary(), few.probability(above=0.3)
    monkeypatch.setattr(exact_fit, "MANY", 59)
    many = fit(frame, group="g", n="n", mean="m", sd="s")
    assert np.abs(many.summary() - rows).max(axis=1).le(ROUNDING * rows["sd"]).all()
    pd.testing.assert_series_equal(many.probability(above=0.3), chances)


def test_covariates_of_a_stated_model_are_predicted_by_their_names():
    rows = fit(blood_pressure.model()).predict({"subject": ["3", "new"], "treatment": [0, 1]})
    assert rows.index.tolist() == [("theta", "3"), ("theta", "new"), ("value", "3"), ("value", "new")]


def ask(name, *arguments, **options):
    return lambda f: getattr(f, name)(*arguments, **options)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (ask("summary", ["nu"]), "there is no variable 'nu': there are mu"),
        (ask("summary", ci_prob=95), "give a probability between 0 and 1"),
        (ask("league", "max"), "write 'high' or 'low'"),
        (ask("league", threshold=np.nan), "nan is not a finite number"),
        (ask("difference", "A", "HH"), "there is no group 'HH': did you mean 'H'?"),
        (ask("difference", "A", "A"), "name two groups"),
        (ask("probability"), "give one value"),
        (ask("probability", above=1, below=2), "give one value"),
        (ask("predict", {"school": ["new", "new"]}), "'new' occurs more than once"),
        (ask("predict", {"se": [-1.0]}), "frame:1: column 'se': '-1.0' must be positive"),
        (ask("predict", {}), "no column that tells what to predict"),
        (ask("sample", "hmc"), "write one of 'nuts', 'gibbs', 'exact'"),
        (ask("report", engines="exact"), "give a list of some of 'nuts', 'gibbs', 'exact'"),
        (ask("report", best="max"), "write 'high' or 'low'"),
        (ask("report", compare=("A", "B")), "give pairs of groups"),
        (ask("report", compare=[("A", "Z")]), "frame has no group 'Z'"),
        (ask("report", among=0), "give a whole number of 1 or more"),
    ],
)
def test_a_question_that_has_no_answer_gets_a_sentence(question, said, schools):
    with pytest.raises(ValueError, match=re.escape(said)):
        question(schools)


@pytest.mark.parametrize(
    ("frame", "changed", "said"),
    [
        (EIGHT, {"covariates": "arm"}, "covariates is the text 'arm': give a list of names, ['arm']"),
        (EIGHT, {"priors": {"tau": 5}}, "tau=5 is not a prior: write one of Uniform()"),
        (EIGHT, {"priors": {"tau": "halfnormal(5)"}}, "did you mean HalfNormal?"),
        (EIGHT, {"label": None, "estimate": None}, "a fit of groups needs group="),
        (EIGHT, {"formula": "effect ~ 1"}, "formulas are not supported yet"),
        (EIGHT | {"se": [1.0]}, {}, "frame: column 'se' has 1 entries where 'school' has 8"),
        (EIGHT | {"se": 1.0}, {}, "frame: column 'se' is 1.0: give a list"),
        (pd.Series(EIGHT["effect"]), {}, "a Series is not a table"),
        (pd.DataFrame(EIGHT).set_index("school"), {}, "'school' is the index, not a column"),
        (pd.DataFrame(EIGHT).set_index("school"), {"label": None}, "the index holds text"),
        (EIGHT, {"label": pd.Series([1])}, "label is a Series: give the name of a column"),
        (EIGHT | {"effect": [None, *EIGHT["effect"][1:]]}, {}, "frame:1: column 'effect': '' is blank"),
        (pd.DataFrame(EIGHT).iloc[:0], {}, "frame: has no rows"),
    ],
)
def test_a_mistake_gets_a_sentence(frame, changed, said):
    with pytest.raises(InputError, match=re.escape(said)):
        fit(frame, **{name: value for name, value in (NAMES | changed).items() if value is not None})


def test_a_prior_that_is_none_is_refused_where_models_are_stated():
    groups = Estimates.from_summary(["A", "B"], [1, 2], [1, 1])
    with pytest.raises(ValueError, match="tau=5 is not a prior"):
        TwoLevel(groups=groups, tau=5)


def test_an_interval_is_named_after_its_ends():
    assert interval(0.89) == {"q5_5": 0.055, "q50": 0.5, "q94_5": 0.945}
