"""Reports on thousands of groups."""

import pytest
from helpers.thousands import ESTIMATES, ROWS, of_scores, of_trials, ran, unpictured


@pytest.fixture
def quick(monkeypatch):
    """Without pictures."""
    unpictured(monkeypatch)


@pytest.fixture(scope="session")
def schools(tmp_path_factory):
    """The whole page on rows, a covariate of text, a pair compared, a threshold."""
    more = ("--covariate", "kind", "--compare", "00007", "02099", "--threshold", "55")
    return ran(tmp_path_factory.mktemp("schools"), "one_way", of_scores(), *ROWS, *more)


@pytest.fixture(scope="session")
def low(tmp_path_factory):
    """Estimates, the lowest first."""
    with pytest.MonkeyPatch.context() as patch:
        unpictured(patch)
        more = ("--covariate", "year", "--best", "low")
        return ran(tmp_path_factory.mktemp("low"), "meta_analysis", of_trials(), *ESTIMATES, *more)
