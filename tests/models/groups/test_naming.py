"""The nearest name is the one that differs by a slip, a case, a blank or a separator; far ones are not suggested."""

import pytest

from models.groups.naming import nearest

STUDIES = ("math_test", "blood_pressure", "eight_schools", "meta_analysis")


@pytest.mark.parametrize(
    "slip", ["eight_school", "eigth_schools", "eight-schools", "eight schools", "Eight_Schools", " EIGHT-SCHOOL "]
)
def test_a_slip_has_its_name_nearest(slip):
    assert nearest(slip, STUDIES) == "eight_schools"


def test_what_does_not_count_is_not_returned_changed():
    """The name is returned as it is spelled, so that it can be copied."""
    assert nearest("standard error", ["SE", " Standard-Error "]) == " Standard-Error "


def test_a_name_that_is_equal_but_for_case_and_separators_precedes_a_similar_one():
    assert nearest("Test-Score", ["test_scores", "test_score_", "test_score", "TestScore"]) == "test_score"


def test_the_beginning_does_not_decide():
    """Two names that begin alike may differ most; a letter lost at the front is one slip."""
    assert nearest("score", ["scoring_committee", "core"]) == "core"


@pytest.mark.parametrize("name", ["anova", "", "x"])
def test_nothing_is_suggested_where_nothing_is_near(name):
    assert nearest(name, STUDIES) == nearest(name, ()) == ""
