"""Reports on tables of one's own."""

import pytest
from helpers.own_tables import EIGHT, ESTIMATES, ROWS, SCORES, accepted, table

from analyses.report import pages
from analyses.studies.sections import own_table, prior_sensitivity


@pytest.fixture(scope="session")
def rows(tmp_path_factory):
    """The report on rows, a pair compared, a prior given."""
    more = ("--compare", "b", "a", "--compare", "c", "f", "--prior", "tau=HalfCauchy(1)")
    return accepted(tmp_path_factory.mktemp("rows"), "one_way", table(SCORES), *ROWS, *more)


@pytest.fixture(scope="session")
def estimates(tmp_path_factory):
    """The report on the eight schools."""
    return accepted(tmp_path_factory.mktemp("estimates"), "meta_analysis", EIGHT, *ESTIMATES)


@pytest.fixture
def quick(monkeypatch):
    """Leave out pictures and the sections that take most of the time; they are no part of the files compared."""
    monkeypatch.setattr(pages, "png", lambda figure: b"")
    for module, name in ((prior_sensitivity, "prior_section"), (own_table, "leave_out_section")):
        monkeypatch.setattr(module, name, lambda *_, name=name: pages.Section(title=name))
