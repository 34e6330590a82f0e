"""Whether engines agree and whether the model fits are two questions, and a page answers them apart."""

import pytest

from analyses.checks import Verdict
from analyses.report import pages
from analyses.report.pages import Page

RIGHT, WRONG = Verdict("agreement", True, "they agree"), Verdict("agreement", False, "they differ")
FITS, MISFIT = Verdict("fit", True, "means look alike"), Verdict("fit", False, "sds spread too much")


def page(computed: Verdict, *fit: Verdict) -> Page:
    checks = tuple(("a", verdict) for verdict in fit)
    return Page(
        name="a",
        title="A",
        question="?",
        sentence="!",
        sections=(),
        more=(("a", computed),),
        model_checks=checks,
    )


@pytest.mark.parametrize("computed", [RIGHT, WRONG])
@pytest.mark.parametrize("fit", [FITS, MISFIT])
def test_a_page_says_each_by_itself(computed, fit):
    """A misfit is a finding: it does not make the computation wrong, nor does a right computation hide it."""
    made = page(computed, FITS, fit)
    html = pages.render(made, {})
    assert made.passed is computed.passed
    assert ("The only check of the computation passed." in html) is computed.passed
    assert ("1 of 1 checks of the computation failed." in html) is not computed.passed
    assert ("The model fits its data in each of the 2 respects" in html) is fit.passed
    assert ("The model does not fit its data in 1 of the 2 respects" in html) is not fit.passed
    assert fit.sentence in html
    assert "All checks passed" not in html


@pytest.mark.parametrize("misfits", [[], ["sds spread too much"]])
def test_the_front_page_says_both(misfits):
    study = {"study": "a", "title": "A", "question": "?", "sentence": "!", "passed": True, "seed": 1}
    study |= {"seconds": {"in all": 1.0}, "picture": None, "misfits": misfits, "model_checks": 3}
    html = pages.front([study], [])
    assert "All checks of the computation passed." in html
    assert pages.fit_sentence(misfits, 3) in html


def test_a_report_of_an_earlier_version_says_nothing_of_the_model():
    study = {"study": "a", "title": "A", "question": "?", "sentence": "!", "passed": True, "seed": 1}
    html = pages.front([study | {"seconds": {"in all": 1.0}, "picture": None}], [])
    assert "The model" not in html
